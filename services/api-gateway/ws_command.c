#include "ws_command.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <gantry/json.h>

enum { LOGS_LIMIT = 50 };

static const char *const WISHES[WS_WISH_COUNT] = {
    [WS_PING] = "ping",
    [WS_SUBSCRIBE] = "subscribe",
    [WS_UNSUBSCRIBE] = "unsubscribe",
    [WS_RESUME] = "resume",
    [WS_SET_LOG_LEVEL] = "set_log_level",
    [WS_GET_RECENT_LOGS] = "get_recent_logs",
    [WS_GET_MODULES] = "get_modules",
    [WS_START_MAPPING] = "start_mapping",
    [WS_STOP_MAPPING] = "stop_mapping",
    [WS_ROBOT_CONTROL] = "robot_control",
};

static gantry_err_t refuse(gantry_fault_t *fault, const char *code, const char *detail) {
  fault_set(fault, GANTRY_E_SCHEMA, "", "%s", detail);
  snprintf(fault->code, sizeof fault->code, "%s", code);
  return GANTRY_E_SCHEMA;
}

static gantry_err_t add_type(const char *name, uint32_t *types, gantry_fault_t *fault) {
  ws_type_t type = ws_type_parse(name);

  if (type == WS_TYPE_COUNT) {
    return refuse(fault, "BAD_SUBSCRIPTION",
                  "Subscribe to position, telemetry, sensor_data, map_update, status, alert, "
                  "active_alerts_update, session, rs485 or log.");
  }
  *types |= 1u << type;
  return GANTRY_OK;
}

/* The three shapes: subscription_type, data.type, data.types[]. */
static gantry_err_t read_types(const http_ws_command_t *said, const http_ws_selection_t *data,
                               uint32_t *types, gantry_fault_t *fault) {
  if (said->has_subscription_type) GANTRY_TRY(add_type(said->subscription_type, types, fault));
  if (data->has_type) GANTRY_TRY(add_type(data->type, types, fault));
  for (uint32_t i = 0; data->has_types && i < data->types_count; i++)
    GANTRY_TRY(add_type(data->types[i], types, fault));
  if (*types) return GANTRY_OK;
  return refuse(fault, "BAD_SUBSCRIPTION",
                "Say which types: data.types, data.type or subscription_type.");
}

/* Some say WARNING for warn, and CRITICAL for the gravest. */
static gantry_err_t read_level(const http_ws_command_t *said, const http_ws_selection_t *data,
                               ws_command_t *out, gantry_fault_t *fault) {
  static const char *const WORDS[] = {"debug", "info", "warn", "error", "warning", "critical"};
  static const sys_log_level_t LEVELS[] = {SYS_LOG_LEVEL_DEBUG, SYS_LOG_LEVEL_INFO,
                                           SYS_LOG_LEVEL_WARN,  SYS_LOG_LEVEL_ERROR,
                                           SYS_LOG_LEVEL_WARN,  SYS_LOG_LEVEL_ERROR};
  const char *word = data->has_level ? data->level : said->level;

  if (data->has_limit || said->has_limit) out->limit = data->has_limit ? data->limit : said->limit;
  if (!data->has_level && !said->has_level) {
    if (out->wish == WS_GET_RECENT_LOGS) return GANTRY_OK;
    return refuse(fault, "BAD_ARGUMENT", "Say the level: debug, info, warn or error.");
  }
  for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
    if (strcasecmp(word, WORDS[i]) != 0) continue;
    out->level = LEVELS[i];
    out->has_level = true;
    return GANTRY_OK;
  }
  return refuse(fault, "BAD_ARGUMENT", "level is debug, info, warn or error.");
}

static gantry_err_t read_control(const http_ws_command_t *said, const http_ws_selection_t *data,
                                 ws_command_t *out, gantry_fault_t *fault) {
  const char *command = data->has_command ? data->command : said->command;
  const char *parameters = data->has_parameters   ? data->parameters
                           : said->has_parameters ? said->parameters
                                                  : "{}";
  buf_t word = {.limit = 256};

  if (!data->has_command && !said->has_command)
    return refuse(fault, "BAD_ARGUMENT", "Say the command: move, stop, pause, resume, ...");
  out->ends_movement = !strcmp(command, "stop") || !strcmp(command, "pause");
  json_write_text(&word, command, strlen(command));
  int len = snprintf(out->body, sizeof out->body, "{\"command_type\":%s,\"parameters\":%s}",
                     buf_text(&word), parameters);
  buf_fini(&word);
  if (len > 0 && (size_t)len < sizeof out->body) return GANTRY_OK;
  return refuse(fault, "BAD_ARGUMENT", "The parameters are too long.");
}

static gantry_err_t read_arguments(const http_ws_command_t *said, ws_command_t *out,
                                   gantry_fault_t *fault) {
  http_ws_selection_t data = {0};
  const char *text = said->has_data ? said->data : "{}";

  if (out->wish == WS_START_MAPPING) { /* judged by its route */
    snprintf(out->body, sizeof out->body, "%s", text);
    return GANTRY_OK;
  }
  if (json_read(&HTTP_WS_SELECTION_DESC, text, strlen(text), false, &data, NULL) != GANTRY_OK) {
    return out->wish == WS_SUBSCRIBE || out->wish == WS_UNSUBSCRIBE
               ? refuse(fault, "BAD_SUBSCRIPTION",
                        "data is {\"type\": ...} or {\"types\": [...]}, max_hz 0.01 to 1000.")
               : refuse(fault, "BAD_ARGUMENT", "data is an object with this frame's arguments.");
  }
  switch (out->wish) {
  case WS_SUBSCRIBE:
  case WS_UNSUBSCRIBE:
  case WS_RESUME:
    out->max_hz = data.has_max_hz ? data.max_hz : -1;
    out->seq = data.seq;
    snprintf(out->instance, sizeof out->instance, "%s", data.instance);
    return read_types(said, &data, &out->types, fault);
  case WS_SET_LOG_LEVEL:
  case WS_GET_RECENT_LOGS:
    return read_level(said, &data, out, fault);
  case WS_ROBOT_CONTROL:
    return read_control(said, &data, out, fault);
  default:
    return GANTRY_OK;
  }
}

gantry_err_t ws_command_parse(const char *text, size_t len, ws_command_t *out,
                              gantry_fault_t *fault) {
  http_ws_command_t said;

  *out = (ws_command_t){.wish = WS_WISH_COUNT, .max_hz = -1, .limit = LOGS_LIMIT};
  if (json_read(&HTTP_WS_COMMAND_DESC, text, len, false, &said, NULL) != GANTRY_OK)
    return refuse(fault, "BAD_FRAME", "A frame is one JSON object with a type.");
  for (int i = 0; i < WS_WISH_COUNT; i++)
    if (!strcmp(said.type, WISHES[i])) out->wish = (ws_wish_t)i;
  if (out->wish == WS_PING) return GANTRY_OK;
  if (out->wish != WS_WISH_COUNT) return read_arguments(&said, out, fault);
  return refuse(fault, "UNKNOWN_TYPE",
                "Known frames are ping, subscribe, unsubscribe, resume, set_log_level, "
                "get_recent_logs, get_modules, start_mapping, stop_mapping and robot_control.");
}
