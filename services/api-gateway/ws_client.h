/* What waits for one WebSocket client: newest wins for streams and states, all in order for alerts,
   bounded everywhere, every loss counted. Pure: the socket is elsewhere. */
#ifndef GATEWAY_WS_CLIENT_H
#define GATEWAY_WS_CLIENT_H

#include "ws_frames.h"

#define WS_CLIENT_SENSORS 48 /* sensors with a slot of their own */
#define WS_CLIENT_ALERTS  64
#define WS_CLIENT_PATCHES 8
#define WS_CLIENT_CONTROL 32

typedef struct ws_lane {
  ws_frame_t *frames[WS_CLIENT_ALERTS]; /* the longest lane's room */
  uint32_t head, count;
} ws_lane_t;

typedef struct ws_queue {
  uint32_t subscribed;               /* a bit per ws_type_t */
  ws_frame_t *newest[WS_TYPE_COUNT]; /* position, telemetry, status, session */
  ws_frame_t *sensors[WS_CLIENT_SENSORS];
  uint32_t next_sensor; /* sensors take turns */
  ws_lane_t control, alerts, patches;
  uint64_t dropped;
} ws_queue_t;

typedef enum ws_put {
  WS_PUT_KEPT,     /* waits */
  WS_PUT_REPLACED, /* waits in place of an older one, which is lost and counted */
  WS_PUT_OVERFLOW, /* an alert or answer would be lost: the client is to be closed */
} ws_put_t;

/* Takes a reference of its own. */
ws_put_t ws_queue_put(ws_queue_t *queue, ws_frame_t *frame);
/* The next to send: answers, alerts, position, the states, sensors in turn, patches. The caller
   owns the reference; NULL when nothing waits. */
ws_frame_t *ws_queue_take(ws_queue_t *queue);
bool ws_queue_is_empty(const ws_queue_t *queue);
/* Releases everything. */
void ws_queue_fini(ws_queue_t *queue);

#endif
