/* Envelopes and commands of the WebSocket. */
#include "ws_frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

typedef struct type_row {
  const char *name, *permission;
  int priority;
} type_row_t;

static const type_row_t TYPES[WS_TYPE_COUNT] = {
    [WS_POSITION] = {"position", "localization:read", 1},
    [WS_TELEMETRY] = {"telemetry", "telemetry:read", 2},
    [WS_SENSOR_DATA] = {"sensor_data", "sensors:read", 2},
    [WS_MAP_UPDATE] = {"map_update", "map:read", 3},
    [WS_STATUS] = {"status", "robot:read", 3},
    [WS_ALERT] = {"alert", "safety:read", 1},
    [WS_SESSION] = {"session", "sessions:read", 3},
    [WS_RS485] = {"rs485", "monitoring:read", 3},
    [WS_LOG] = {"log", "system:read", 3},
    [WS_ACTIVE_ALERTS_UPDATE] = {"active_alerts_update", "safety:read", 1},
};

typedef struct path_row {
  const char *path;
  uint32_t types;
} path_row_t;

static const path_row_t PATHS[] = {
    {"/ws", 0},
    {"/ws/telemetry", 1u << WS_TELEMETRY},
    {"/ws/map", 1u << WS_MAP_UPDATE | 1u << WS_POSITION},
    {"/ws/alerts", 1u << WS_ALERT | 1u << WS_ACTIVE_ALERTS_UPDATE},
    {"/ws/status", 1u << WS_STATUS},
    {"/ws/monitoring", 1u << WS_STATUS | 1u << WS_ALERT},
    {"/ws/rs485", 1u << WS_RS485},
    {"/ws/logs", 1u << WS_LOG},
};

const char *ws_type_name(ws_type_t type) {
  return type < WS_TYPE_COUNT ? TYPES[type].name : "control";
}

ws_type_t ws_type_parse(const char *name) {
  for (int i = 0; i < WS_TYPE_COUNT; i++) {
    if (!strcmp(TYPES[i].name, name)) return (ws_type_t)i;
  }
  return WS_TYPE_COUNT;
}

const char *ws_type_permission(ws_type_t type) {
  return TYPES[type].permission;
}

uint32_t ws_path_types(const char *path, bool *known) {
  *known = false;
  for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
    if (strcmp(PATHS[i].path, path) != 0) continue;
    *known = true;
    return PATHS[i].types;
  }
  return 0;
}

/* ---- frames */

ws_frame_t *ws_frame_raw(const void *bytes, size_t len) {
  ws_frame_t *frame = malloc(sizeof *frame + WS_HEADROOM + len);

  if (!frame) return NULL;
  *frame = (ws_frame_t){.refs = 1, .type = WS_CONTROL, .len = len};
  memcpy(frame->bytes + WS_HEADROOM, bytes, len);
  return frame;
}

/* Unmasked, as a server sends: the length takes 7 bits, or 16, or 64. */
ws_frame_t *ws_frame_of(ws_opcode_t opcode, const void *bytes, size_t len) {
  ws_frame_t *frame = ws_frame_raw(bytes, len);

  if (!frame) return NULL;
  size_t extra = len < 126 ? 0 : len < 65536 ? 2 : 8;
  frame->head = 2 + extra;
  uint8_t *head = frame->bytes + WS_HEADROOM - frame->head;
  head[0] = (uint8_t)(0x80u | opcode);
  head[1] = (uint8_t)(extra == 0 ? len : extra == 2 ? 126 : 127);
  for (size_t i = 0; i < extra; i++)
    head[2 + i] = (uint8_t)(len >> 8 * (extra - 1 - i));
  return frame;
}

ws_frame_t *ws_frame_text(ws_type_t type, const char *key, const void *text, size_t len) {
  ws_frame_t *frame = ws_frame_of(WS_OPCODE_TEXT, text, len);

  if (!frame) return NULL;
  frame->type = type;
  snprintf(frame->key, sizeof frame->key, "%s", key);
  return frame;
}

const uint8_t *ws_frame_wire(const ws_frame_t *frame) {
  return frame->bytes + WS_HEADROOM - frame->head;
}

size_t ws_frame_wire_len(const ws_frame_t *frame) {
  return frame->head + frame->len;
}

ws_frame_t *ws_frame_hold(ws_frame_t *frame) {
  frame->refs++;
  return frame;
}

void ws_frame_release(ws_frame_t *frame) {
  while (frame && --frame->refs == 0) {
    ws_frame_t *packed = frame->packed;
    free(frame);
    frame = packed;
  }
}

ws_frame_t *ws_frame_new(const ws_envelope_t *envelope, const desc_t *desc, const void *value,
                         const char *key, buf_t *scratch) {
  char iso[40];
  ws_frame_t *frame = NULL;

  buf_reset(scratch);
  buf_printf(scratch, "{\"type\":\"%s\",\"data\":",
             envelope->name ? envelope->name : TYPES[envelope->type].name);
  gantry_err_t err = json_write(desc, value, scratch);
  buf_printf(scratch, ",\"timestamp\":\"%s\",\"priority\":%d,\"source\":\"%s\",\"seq\":%llu",
             clock_iso(envelope->timestamp_ns, iso, sizeof iso), TYPES[envelope->type].priority,
             envelope->source, (unsigned long long)envelope->seq);
  if (envelope->trace) {
    buf_printf(scratch, ",\"trace\":\"%016llx\"", (unsigned long long)envelope->trace);
  }
  if (envelope->age_ms >= 0) {
    buf_printf(scratch, ",\"born_age_ms\":%.3f,\"born_ns\":%llu", envelope->age_ms,
               (unsigned long long)envelope->born_ns);
  }
  buf_put_byte(scratch, '}');
  if (err == GANTRY_OK && buf_err(scratch) == GANTRY_OK) {
    frame = ws_frame_text(envelope->type, key, scratch->data, scratch->len);
  }
  buf_reset(scratch);
  if (frame && envelope->age_ms >= 0) frame->born_ns = envelope->born_ns;
  return frame;
}
