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
};

typedef struct path_row {
  const char *path;
  uint32_t types;
} path_row_t;

static const path_row_t PATHS[] = {
    {"/ws", 0},
    {"/ws/telemetry", 1u << WS_TELEMETRY},
    {"/ws/map", 1u << WS_MAP_UPDATE | 1u << WS_POSITION},
    {"/ws/alerts", 1u << WS_ALERT},
    {"/ws/status", 1u << WS_STATUS},
    {"/ws/monitoring", 1u << WS_STATUS | 1u << WS_ALERT},
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

bool ws_path_is_planned(const char *path) {
  return !strcmp(path, "/ws/rs485") || !strcmp(path, "/ws/logs");
}

/* ---- frames */

ws_frame_t *ws_frame_text(ws_type_t type, const char *key, const void *text, size_t len) {
  ws_frame_t *frame = malloc(sizeof *frame + WS_HEADROOM + len);

  if (!frame) return NULL;
  *frame = (ws_frame_t){.refs = 1, .type = type, .len = len};
  snprintf(frame->key, sizeof frame->key, "%s", key);
  memcpy(frame->bytes + WS_HEADROOM, text, len);
  return frame;
}

ws_frame_t *ws_frame_hold(ws_frame_t *frame) {
  frame->refs++;
  return frame;
}

void ws_frame_release(ws_frame_t *frame) {
  if (frame && --frame->refs == 0) free(frame);
}

ws_frame_t *ws_frame_new(const ws_envelope_t *envelope, const desc_t *desc, const void *value,
                         const char *key, buf_t *scratch) {
  char iso[40];
  ws_frame_t *frame = NULL;

  buf_reset(scratch);
  buf_printf(scratch, "{\"type\":\"%s\",\"data\":", TYPES[envelope->type].name);
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
  return frame;
}

/* ---- commands */

static gantry_err_t refuse(gantry_fault_t *fault, const char *code, const char *detail) {
  fault_set(fault, GANTRY_E_SCHEMA, "", "%s", detail);
  snprintf(fault->code, sizeof fault->code, "%s", code);
  return GANTRY_E_SCHEMA;
}

static gantry_err_t add_type(const char *name, uint32_t *types, gantry_fault_t *fault) {
  ws_type_t type = ws_type_parse(name);

  if (type == WS_TYPE_COUNT) {
    return refuse(
        fault, "BAD_SUBSCRIPTION",
        "Subscribe to position, telemetry, sensor_data, map_update, status, alert or session.");
  }
  *types |= 1u << type;
  return GANTRY_OK;
}

/* The three shapes: subscription_type, data.type, data.types[]. */
static gantry_err_t read_selection(const http_ws_command_t *command, uint32_t *types,
                                   gantry_fault_t *fault) {
  http_ws_selection_t selection;
  const char *data = command->data;

  *types = 0;
  if (command->has_subscription_type) {
    GANTRY_TRY(add_type(command->subscription_type, types, fault));
  }
  if (command->has_data) {
    if (json_read(&HTTP_WS_SELECTION_DESC, data, strlen(data), false, &selection, NULL) !=
        GANTRY_OK) {
      return refuse(fault, "BAD_SUBSCRIPTION", "data is {\"type\": ...} or {\"types\": [...]}.");
    }
    if (selection.has_type) GANTRY_TRY(add_type(selection.type, types, fault));
    for (uint32_t i = 0; selection.has_types && i < selection.types_count; i++) {
      GANTRY_TRY(add_type(selection.types[i], types, fault));
    }
  }
  if (*types) return GANTRY_OK;
  return refuse(fault, "BAD_SUBSCRIPTION",
                "Say what to subscribe: data.types, data.type or subscription_type.");
}

gantry_err_t ws_command_parse(const char *text, size_t len, ws_command_t *out,
                              gantry_fault_t *fault) {
  http_ws_command_t command;

  *out = (ws_command_t){.wish = WS_PING};
  if (json_read(&HTTP_WS_COMMAND_DESC, text, len, false, &command, NULL) != GANTRY_OK) {
    return refuse(fault, "BAD_FRAME", "A frame is one JSON object with a type.");
  }
  if (!strcmp(command.type, "ping")) return GANTRY_OK;
  out->wish = !strcmp(command.type, "subscribe") ? WS_SUBSCRIBE : WS_UNSUBSCRIBE;
  if (out->wish == WS_UNSUBSCRIBE && strcmp(command.type, "unsubscribe") != 0) {
    return refuse(fault, "UNKNOWN_TYPE", "Known frames are ping, subscribe and unsubscribe.");
  }
  return read_selection(&command, &out->types, fault);
}
