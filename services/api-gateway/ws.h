/* WebSocket connections: who may, who listens to what, and the fan-out. */
#ifndef GATEWAY_WS_H
#define GATEWAY_WS_H

#include "gateway_internal.h"
#include "ws_frames.h"
#include "ws_socket.h"
#include "ws_upgrade.h"

typedef struct ws_hub ws_hub_t;

typedef struct ws_settings {
  uint32_t per_user; /* connections of one user */
  bool deflate;      /* permessage-deflate for those who ask for it */
} ws_settings_t;

gantry_err_t ws_hub_new(gateway_t *gateway, const ws_settings_t *settings, ws_hub_t **out);
/* Ends all connections. */
void ws_hub_destroy(ws_hub_t **self);

/* Judges an upgrade: 0 lets it through, otherwise the HTTP status to refuse it with (401, 403, 404,
   429). */
int ws_admit(exchange_t *x, ws_upgrade_t *upgrade);
/* Takes over an upgraded connection. False: the carrier stays the caller's. */
bool ws_open(exchange_t *x, const ws_upgrade_t *upgrade, const ws_carrier_t *carrier);

/* Whether anybody listens: what nobody hears is not encoded. Alerts are, always: those who come
   back are told what they missed. */
bool ws_is_heard(const ws_hub_t *hub, ws_type_t type);
/* The number of a frame: the next of its type for all, the last one for what a single client is
   told beside. */
uint64_t ws_seq(ws_hub_t *hub, ws_type_t type, bool to_all);
/* Hands frame to every subscriber, written at once where the socket takes it. Where they are
   thousands it goes on between the loop's other work. Takes the caller's reference; NULL is
   ignored.
 */
void ws_broadcast(ws_hub_t *hub, ws_frame_t *frame);
/* The same to those who want log lines of that level. */
void ws_broadcast_log(ws_hub_t *hub, ws_frame_t *frame, sys_log_level_t level);
/* When a frame of these types (a bit each) is on its way to all, what is arrives now: who begins to
   listen hears what is told later only. */
void ws_rounds_end(ws_hub_t *hub, uint32_t types);
/* Ten times a second. */
void ws_tick(ws_hub_t *hub, uint64_t now_wall_s);
/* Somebody's rights have changed: closes 4001 all whose token does not hold any more. */
void ws_recheck(ws_hub_t *hub);

#endif
