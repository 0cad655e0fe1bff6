/* What waits for one WebSocket client: newest wins for streams and states, all in order for alerts,
   bounded everywhere, every loss counted. Pure: the socket is elsewhere. */
#ifndef GATEWAY_WS_CLIENT_H
#define GATEWAY_WS_CLIENT_H

#include "ws_frames.h"

#define WS_CLIENT_SENSORS 48 /* sensors with a slot of their own */
#define WS_CLIENT_LANE    64 /* answers, alerts, log lines, events of the lines: frames of each */
#define WS_CLIENT_PATCHES 8
#define WS_CLIENT_BYTES   (768u << 10) /* of all that waits */

typedef struct ws_lane {
  ws_frame_t *frames[WS_CLIENT_LANE];
  uint32_t head, count;
} ws_lane_t;

typedef struct ws_queue {
  uint32_t subscribed;               /* a bit per ws_type_t */
  uint32_t paced;                    /* types with max_hz, a bit each */
  uint32_t count;                    /* frames in all */
  ws_frame_t *newest[WS_TYPE_COUNT]; /* position, telemetry, states */
  ws_frame_t *sensors[WS_CLIENT_SENSORS];
  uint32_t next_sensor; /* sensors take turns */
  ws_lane_t control, alerts, events, logs, patches;
  size_t bytes; /* of all frames */
  uint32_t period_ms[WS_TYPE_COUNT];
  uint64_t next_ns[WS_TYPE_COUNT];
  uint32_t dropped[WS_TYPE_COUNT];
  uint64_t dropped_total, dropped_told; /* told: to the client */
} ws_queue_t;

typedef enum ws_put {
  WS_PUT_KEPT,     /* waits */
  WS_PUT_LOST,     /* it, or an older one in its place, is lost and counted */
  WS_PUT_OVERFLOW, /* an alert or answer would be lost: the client is to be closed */
} ws_put_t;

/* Most frames a second of a type that may wait: position, telemetry, sensor_data (each sensor),
   status, session. False for another type; 0: as they come. */
bool ws_queue_pace(ws_queue_t *queue, ws_type_t type, double max_hz);
/* Takes a reference of its own. A frame that only waits for its turn (max_hz) gives way to a newer
   one without being counted as lost. */
ws_put_t ws_queue_put(ws_queue_t *queue, ws_frame_t *frame);
/* The next to send: answers, alerts, position, the states, events, sensors in turn, log lines,
   patches. The caller owns the reference; NULL when nothing may leave now. */
ws_frame_t *ws_queue_take(ws_queue_t *queue, uint64_t now_ns);
/* Releases everything. */
void ws_queue_fini(ws_queue_t *queue);

#endif
