/* Keeps gateway->identity as storage has it: reads its log at the start, at each change it hears
   of, and every two seconds, should one have gone unheard. */
#ifndef GATEWAY_IDENTITY_FEED_H
#define GATEWAY_IDENTITY_FEED_H

#include "gateway_internal.h"

gantry_err_t identity_feed_start(gateway_t *gateway, gantry_fault_t *fault);
/* An answer still under way comes to nothing. */
void identity_feed_stop(gateway_t *gateway);

/* What the gateway has changed itself holds at once. */
void identity_feed_user(gateway_t *gateway, const store_user_t *user);
void identity_feed_gone(gateway_t *gateway, uint64_t user_id);
void identity_feed_session_end(gateway_t *gateway, uint64_t session);
void identity_feed_machine_end(gateway_t *gateway, uint64_t machine);
/* A machine has come in: storage hears of it once a minute. */
void identity_feed_used(gateway_t *gateway, uint64_t machine);
/* For an answer that may only be given once all that changed with it holds: ask storage for what is
   new since, and hand it over. */
uint64_t identity_feed_since(const gateway_t *gateway);
void identity_feed_take(gateway_t *gateway, const store_identity_t *log);

#endif
