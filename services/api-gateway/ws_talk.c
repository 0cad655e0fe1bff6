/* What clients say, and what they are answered. */
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "feed.h"
#include "roles.h"
#include "ws_internal.h"

/* ---- subscriptions */

void ws_subscribe(ws_client_t *client, uint32_t types, bool on) {
  ws_queue_t *queue = &client->queue;

  for (int i = 0; i < WS_TYPE_COUNT; i++) {
    uint32_t bit = 1u << i;
    if (!(types & bit) || on == ((queue->subscribed & bit) != 0)) continue;
    queue->subscribed ^= bit;
    if (on && i == WS_SENSOR_DATA) feed_hear_sensors(client->hub->gateway, true);
    if (on)
      client->hub->heard[i]++;
    else
      client->hub->heard[i]--;
  }
}

static void pace(ws_client_t *client, ws_type_t type, double max_hz) {
  ws_queue_t *queue = &client->queue;
  bool before = queue->paced != 0;

  if (!ws_queue_pace(queue, type, max_hz))
    ws_say_error(client, "BAD_SUBSCRIPTION",
                 "max_hz is for position, telemetry, sensor_data, status and session: of the "
                 "others every frame counts.");
  if (before && !queue->paced) client->hub->paced--;
  if (!before && queue->paced) client->hub->paced++;
}

static void put_and_release(ws_client_t *client, ws_frame_t *frame) {
  if (!frame) return;
  ws_put(client, frame);
  ws_frame_release(frame);
}

/* Tells a new subscriber what holds now; no more than leaves room for what comes next. */
static void welcome(ws_client_t *client, ws_type_t type) {
  ws_frame_t *frame;

  for (uint32_t i = 0; client->queue.alerts.count < WS_CLIENT_LANE / 2; i++) {
    frame = feed_snapshot(client->hub->gateway, type, i);
    if (!frame) return;
    put_and_release(client, frame);
  }
}

void ws_select(ws_client_t *client, uint32_t types, bool on, double max_hz) {
  if (on) ws_rounds_end(client->hub, types & ~client->queue.subscribed);
  for (int i = 0; i < WS_TYPE_COUNT; i++) {
    const char *name = ws_type_name((ws_type_t)i);
    if (!(types & 1u << i)) continue;
    if (on && !roles_allow(client->caller.role, ws_type_permission((ws_type_t)i))) {
      ws_say(client,
             "{\"type\":\"error\",\"code\":\"INSUFFICIENT_PERMISSIONS\","
             "\"message\":\"Your role may not subscribe to %s.\"}",
             name);
      continue;
    }
    ws_subscribe(client, 1u << i, on);
    if (on && max_hz >= 0) pace(client, (ws_type_t)i, max_hz);
    ws_say(client, "{\"type\":\"%s_confirmed\",\"subscription_type\":\"%s\"}",
           on ? "subscription" : "unsubscription", name);
    if (on) welcome(client, (ws_type_t)i);
  }
}

/* ---- after a break */

/* What the client has not seen of the last WS_PAST alerts, then where the numbers stand. One that
   has seen numbers of another instance is told what holds now: it subscribed, and was. */
void ws_resume(ws_client_t *client, uint32_t types, uint64_t seq, const char *instance) {
  ws_hub_t *hub = client->hub;
  uint64_t last = hub->seq[WS_ALERT], first = last >= WS_PAST ? last - WS_PAST + 1 : 1;
  char own[20];

  if (types != 1u << WS_ALERT) {
    ws_say_error(client, "BAD_ARGUMENT",
                 "Only alert can be resumed: of the others the newest counts.");
    return;
  }
  if (!roles_allow(client->caller.role, ws_type_permission(WS_ALERT))) {
    ws_say_error(client, "INSUFFICIENT_PERMISSIONS", "Your role may not see alerts.");
    return;
  }
  ws_rounds_end(hub, types);
  snprintf(own, sizeof own, "%016llx", (unsigned long long)hub->instance);
  bool other = (instance[0] && strcmp(instance, own) != 0) || seq > last;
  uint64_t missed = !other && seq + 1 < first ? first - seq - 1 : 0;
  uint32_t told = 0;
  for (uint64_t i = seq + 1 > first ? seq + 1 : first; !other && i <= last; i++) {
    ws_frame_t *frame = hub->past[i % WS_PAST];
    if (!frame) continue;
    ws_put(client, frame);
    told++;
  }
  ws_say(client,
         "{\"type\":\"resumed\",\"data\":{\"type\":\"alert\",\"seq\":%llu,\"told\":%u,"
         "\"missed\":%llu,\"other_instance\":%s}}",
         (unsigned long long)last, told, (unsigned long long)missed, other ? "true" : "false");
}

/* ---- losses */

static void put_dropped(const ws_queue_t *queue, buf_t *out) {
  const char *comma = "";

  buf_put_byte(out, '{');
  for (int i = 0; i < WS_TYPE_COUNT; i++) {
    if (!queue->dropped[i]) continue;
    buf_printf(out, "%s\"%s\":%u", comma, ws_type_name((ws_type_t)i), queue->dropped[i]);
    comma = ",";
  }
  buf_put_byte(out, '}');
}

void ws_say_dropped(ws_client_t *client) {
  ws_queue_t *queue = &client->queue;
  buf_t lost = {.limit = 512};

  if (queue->dropped_told == queue->dropped_total) return;
  put_dropped(queue, &lost);
  queue->dropped_told = queue->dropped_total;
  ws_say(client, "{\"type\":\"dropped\",\"data\":{\"total\":%llu,\"by_type\":%s}}",
         (unsigned long long)queue->dropped_total, buf_text(&lost));
  buf_fini(&lost);
}

static void say_pong(ws_client_t *client) {
  char iso[40];

  ws_say(client, "{\"type\":\"pong\",\"timestamp\":\"%s\",\"dropped\":%llu}",
         clock_iso(clock_wall_ns(), iso, sizeof iso),
         (unsigned long long)client->queue.dropped_total);
}

/* ---- log lines */

static void set_log_level(ws_client_t *client, sys_log_level_t level) {
  client->log_level = level;
  ws_say(client, "{\"type\":\"log_level_set\",\"data\":{\"level\":\"%s\"}}",
         desc_enum_text(&SYS_LOG_LEVEL_ENUM, (int)level));
}

static void ask_logs(ws_client_t *client, const ws_command_t *command) {
  char query[64] = "";
  ws_errand_t errand = {"GET", "/api/v1/monitoring/logs", query, "", "recent_logs", "error", false};
  sys_log_level_t level = command->has_level ? command->level : client->log_level;

  snprintf(query, sizeof query, "level=%s&limit=%u",
           desc_enum_text(&SYS_LOG_LEVEL_ENUM, (int)level), command->limit);
  ws_ask(client, &errand);
}

/* ---- all */

void ws_hear(ws_client_t *client, const char *text, size_t len) {
  ws_command_t command;
  gantry_fault_t fault;
  ws_errand_t modules = {"GET", "/api/v1/rs485/modules", "", "", "rs485_modules", "error", false};
  ws_errand_t start = {
      "POST", "/api/v1/map/start-mapping", "", command.body, "mapping_started", "map_error", false};
  ws_errand_t stop = {"POST", "/api/v1/map/stop-mapping", "", "", "mapping_stopped", "map_error",
                      false};
  ws_errand_t control = {"POST",       "/api/v1/robot/control",  "",
                         command.body, "robot_control_response", "robot_control_response",
                         false};

  if (ws_command_parse(text, len, &command, &fault) != GANTRY_OK) {
    ws_say_error(client, fault.code, fault.detail);
    return;
  }
  switch (command.wish) {
  case WS_PING:
    say_pong(client);
    break;
  case WS_SUBSCRIBE:
  case WS_UNSUBSCRIBE:
    ws_select(client, command.types, command.wish == WS_SUBSCRIBE, command.max_hz);
    break;
  case WS_RESUME:
    ws_resume(client, command.types, command.seq, command.instance);
    break;
  case WS_SET_LOG_LEVEL:
    set_log_level(client, command.level);
    break;
  case WS_GET_RECENT_LOGS:
    ask_logs(client, &command);
    break;
  case WS_GET_MODULES:
    ws_ask(client, &modules);
    break;
  case WS_START_MAPPING:
    ws_ask(client, &start);
    break;
  case WS_STOP_MAPPING:
    ws_ask(client, &stop);
    break;
  case WS_ROBOT_CONTROL:
    control.ends_movement = command.ends_movement;
    ws_ask(client, &control);
    break;
  default:
    break;
  }
}

void ws_greet_path(ws_client_t *client, const char *path) {
  static const struct {
    const char *path;
    ws_errand_t errand;
  } GREETINGS[] = {
      {"/ws/monitoring", {"GET", "/health", "", "", "system_health", "error", false}},
      {"/ws/map", {"GET", "/api/v1/map/status", "", "", "map_status", "error", false}},
  };

  put_and_release(client, feed_greeting(client->hub->gateway, path));
  for (size_t i = 0; i < sizeof GREETINGS / sizeof GREETINGS[0]; i++)
    if (!strcmp(GREETINGS[i].path, path)) ws_ask(client, &GREETINGS[i].errand);
}
