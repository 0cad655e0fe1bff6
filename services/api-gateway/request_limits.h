/* How often who may come: each address, each user, and each user within a group of routes. What is
   refused is noted in x->fault with code RATE_LIMITED. What ends a movement (call_ends_movement)
   and is not refused already is exempt from all of it. */
#ifndef GATEWAY_LIMITS_H
#define GATEWAY_LIMITS_H

#include "exchange.h"

gantry_err_t limits_start(gateway_t *gateway);
void limits_stop(gateway_t *gateway);

/* Before anything is known of the caller. */
bool limits_pass_address(exchange_t *x);
/* To a WebSocket. */
bool limits_pass_upgrade(exchange_t *x);
/* To a TLS handshake, of which no exchange knows yet. */
bool limits_pass_handshake(gateway_t *gateway, const char *address);
/* Once x->caller is known. */
bool limits_pass_user(exchange_t *x);

#endif
