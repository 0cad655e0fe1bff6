/* What a client that asks for a WebSocket says, and what it is answered. */
#ifndef GATEWAY_WS_UPGRADE_H
#define GATEWAY_WS_UPGRADE_H

#include "exchange.h"

/* Headers are their whole texts, or "" when absent; borrowed while the upgrade is judged. The query
   is in x->query, the client's address in x->address, an allowed Origin in x->origin; x->foreign is
   set for one that is not. */
typedef struct ws_upgrade {
  const char *path;          /* decoded */
  const char *authorization; /* of any length, as the rest */
  const char *protocols;     /* Sec-WebSocket-Protocol */
  const char *extensions;    /* Sec-WebSocket-Extensions */
  /* The answers. */
  char protocol[AUTH_TOKEN_MAX + 64]; /* the one that was chosen, perhaps the token itself; or "" */
  char extension[128];                /* what was agreed upon, or "" */
  char token[AUTH_TOKEN_MAX + 64];    /* whose it is, as call_authenticate takes it */
} ws_upgrade_t;

/* How a profile judges it: 0 lets it through, otherwise the HTTP status to refuse it with (401,
   403, 404, 429, 501). Whoever asks is noted in x->caller and x->expires_s: opening follows with
   the same exchange, which is not kept:
     int (*ws_admit)(exchange_t *x, ws_upgrade_t *upgrade);
     bool (*ws_open)(exchange_t *x, const ws_upgrade_t *upgrade, const ws_carrier_t *carrier);
   ws_open's upgrade has its path and its answers, the other headers are "". False: the carrier
   stays the caller's. */

/* Finds the token, wherever it is, and chooses the protocol. False: there is none, or it is too
   long. */
bool ws_upgrade_token(const exchange_t *x, ws_upgrade_t *upgrade);
/* Agrees upon permessage-deflate where the client offers it (upgrade->extension). */
bool ws_upgrade_deflate(ws_upgrade_t *upgrade);

#endif
