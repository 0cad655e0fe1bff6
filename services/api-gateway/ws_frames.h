/* WebSocket frames: encoded once, counted, shared by every client's queue. Pure. */
#ifndef GATEWAY_WS_FRAMES_H
#define GATEWAY_WS_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/buf.h>
#include <messages.h>

#define WS_HEADROOM                                                                                \
  32 /* bytes before the text; the frame's own header takes at most ten of them                    \
      */

/* What can be subscribed. */
typedef enum ws_type {
  WS_POSITION,
  WS_TELEMETRY,
  WS_SENSOR_DATA,
  WS_MAP_UPDATE,
  WS_STATUS,
  WS_ALERT,
  WS_SESSION,
  WS_RS485,
  WS_LOG,
  WS_ACTIVE_ALERTS_UPDATE,
  WS_TYPE_COUNT,
  WS_CONTROL = WS_TYPE_COUNT, /* confirmations, pongs, errors: only to one client */
} ws_type_t;

typedef struct ws_frame {
  uint32_t refs;
  ws_type_t type;
  char key[51];            /* sensor_data: the sensor; else "" */
  size_t len;              /* of the text */
  uint64_t born_ns;        /* of the datum, on this host's monotonic clock; 0: not said */
  struct ws_frame *packed; /* the same compressed (ws_deflate.h), or NULL */
  bool plain;              /* compressing it does not pay */
  size_t head;             /* of the frame's header, which stands right before the text */
  uint8_t bytes[];         /* WS_HEADROOM, then the text */
} ws_frame_t;

typedef enum ws_opcode {
  WS_OPCODE_TEXT = 1,
  WS_OPCODE_CLOSE = 8,
  WS_OPCODE_PING = 9,
  WS_OPCODE_PACKED = 0x41, /* compressed text */
} ws_opcode_t;

/* What the envelope says beside the data. */
typedef struct ws_envelope {
  ws_type_t type;
  const char *name;      /* of the frame, where it is not the type's; or NULL */
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
/* A text frame of a type. */
ws_frame_t *ws_frame_text(ws_type_t type, const char *key, const void *text, size_t len);
/* A frame of any opcode, for one client. */
ws_frame_t *ws_frame_of(ws_opcode_t opcode, const void *bytes, size_t len);
/* Bytes that are frames already. */
ws_frame_t *ws_frame_raw(const void *bytes, size_t len);
/* What goes on the wire: header and text in one. */
const uint8_t *ws_frame_wire(const ws_frame_t *frame);
size_t ws_frame_wire_len(const ws_frame_t *frame);
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

#endif
