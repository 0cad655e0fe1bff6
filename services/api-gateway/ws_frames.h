/* WebSocket frames: encoded once, counted, shared by every client's queue. Pure. */
#ifndef GATEWAY_WS_FRAMES_H
#define GATEWAY_WS_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/buf.h>
#include <messages.h>

#define WS_HEADROOM 32 /* bytes before the text, for the frame's own header */

/* What can be subscribed. */
typedef enum ws_type {
  WS_POSITION,
  WS_TELEMETRY,
  WS_SENSOR_DATA,
  WS_MAP_UPDATE,
  WS_STATUS,
  WS_ALERT,
  WS_SESSION,
  WS_TYPE_COUNT,
  WS_CONTROL = WS_TYPE_COUNT, /* confirmations, pongs, errors: only to one client */
} ws_type_t;

typedef struct ws_frame {
  uint32_t refs;
  ws_type_t type;
  char key[51];    /* sensor_data: the sensor; else "" */
  size_t len;      /* of the text */
  uint8_t bytes[]; /* WS_HEADROOM, then the text */
} ws_frame_t;

/* What the envelope says beside the data. */
typedef struct ws_envelope {
  ws_type_t type;
  const char *source;    /* producing service */
  uint64_t timestamp_ns; /* wall time of the datum */
  uint64_t seq;
  uint64_t trace;   /* 0: left out */
  double age_ms;    /* born_age_ms; < 0: left out, born_ns with it */
  uint64_t born_ns; /* monotonic clock of this host: a client on it can take the age at arrival */
} ws_envelope_t;

/* Encodes {type,data,timestamp,priority,source,seq,trace,born_age_ms,born_ns}; value is a struct of
   desc. One reference; NULL when it does not fit. scratch is used and left empty. */
ws_frame_t *ws_frame_new(const ws_envelope_t *envelope, const desc_t *desc, const void *value,
                         const char *key, buf_t *scratch);
/* A frame of that text. */
ws_frame_t *ws_frame_text(ws_type_t type, const char *key, const void *text, size_t len);
ws_frame_t *ws_frame_hold(ws_frame_t *frame);
/* NULL is allowed. */
void ws_frame_release(ws_frame_t *frame);

const char *ws_type_name(ws_type_t type);
/* WS_TYPE_COUNT when unknown. */
ws_type_t ws_type_parse(const char *name);
/* Permission that a subscription needs. */
const char *ws_type_permission(ws_type_t type);
/* Subscription that a path makes on connect: a bit per type; *known false for an unknown path. */
uint32_t ws_path_types(const char *path, bool *known);
/* A path that stands in the API and is not built in this version. */
bool ws_path_is_planned(const char *path);

/* What a client wants. */
typedef enum ws_wish { WS_PING, WS_SUBSCRIBE, WS_UNSUBSCRIBE } ws_wish_t;
typedef struct ws_command {
  ws_wish_t wish;
  uint32_t types; /* a bit per type */
} ws_command_t;

/* Reads a client's frame. GANTRY_E_SCHEMA with code BAD_FRAME, UNKNOWN_TYPE or BAD_SUBSCRIPTION and
 * a sentence in fault. */
gantry_err_t ws_command_parse(const char *text, size_t len, ws_command_t *out,
                              gantry_fault_t *fault);

#endif
