/* WebSocket connections: who may, who listens to what, and the fan-out. */
#ifndef GATEWAY_WS_H
#define GATEWAY_WS_H

#include <libwebsockets.h>

#include "gateway_internal.h"
#include "ws_frames.h"

typedef struct ws_hub ws_hub_t;
typedef struct ws_client ws_client_t;

gantry_err_t ws_hub_new(gateway_t *gateway, ws_hub_t **out);
/* All connections must be closed. */
void ws_hub_destroy(ws_hub_t **self);

/* Judges an upgrade: 0 lets it through, otherwise the HTTP status to refuse it with (401, 404,
 * 429, 431, 501). */
int ws_admit(ws_hub_t *hub, struct lws *wsi);
/* Takes over an upgraded connection. NULL: close it. */
ws_client_t *ws_open(ws_hub_t *hub, struct lws *wsi);
void ws_close(ws_client_t *client);
/* Bytes of a client's frame; returns non-zero when the connection is to be closed (reason set). */
int ws_receive(ws_client_t *client, const char *bytes, size_t len);
/* Sends what waits; non-zero closes. */
int ws_write(ws_client_t *client);

/* Whether anybody listens: what nobody hears is not encoded. */
bool ws_is_heard(const ws_hub_t *hub, ws_type_t type);
/* Number of the next frame of that type. */
uint64_t ws_next_seq(ws_hub_t *hub, ws_type_t type);
/* Hands frame to every subscriber, written at once where the socket takes it. Takes the caller's
   reference; NULL is ignored. */
void ws_broadcast(ws_hub_t *hub, ws_frame_t *frame);
/* Each second: closes connections whose token has expired (4001). */
void ws_tick(ws_hub_t *hub, uint64_t now_s);

#endif
