/* The RS485 lines, the search for modules, and what runs on them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "call.h"
#include "feed.h"
#include "view.h"

static const sys_empty_t NOTHING = {0};
static const char BRIDGE[] = "rs485-bridge";

static void fail_memory(exchange_t *x) {
  exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
}

/* ---- health of the lines and of the bridge */

/* message NULL: how many answer. */
static void answer_lines(exchange_t *x, const char *message) {
  http_bus_health_answer_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    fail_memory(x);
    return;
  }
  answer->success = true;
  answer->timestamp = clock_wall_ns();
  view_bus(x->gateway->latest, clock_mono_ns(), &answer->data);
  snprintf(answer->message, sizeof answer->message, "%u of %u modules answer on %u lines.",
           answer->data.active_modules, answer->data.total_modules, answer->data.lines_count);
  if (message) snprintf(answer->message, sizeof answer->message, "%s", message);
  exchange_answer(x, answer);
  free(answer);
}

static void on_bus_health(exchange_t *x) {
  answer_lines(x, NULL);
}

static bool bridge_health(const exchange_t *x, http_service_health_t *out) {
  http_health_t health;

  health_view(x->gateway->latest, x->gateway->started_ns, clock_mono_ns(), &health);
  for (uint32_t i = 0; i < health.processes_count; i++) {
    if (strcmp(health.processes[i].name, BRIDGE) != 0) continue;
    *out = health.processes[i];
    return true;
  }
  return false;
}

static void on_health(exchange_t *x) {
  http_bridge_health_t answer = {.timestamp = clock_wall_ns()};

  if (!bridge_health(x, &answer.data)) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "The bridge has no row in the health view.");
    return;
  }
  answer.success = answer.data.status == SYS_STATUS_READY;
  snprintf(answer.message, sizeof answer.message, "%s", answer.data.detail);
  if (!answer.message[0]) {
    snprintf(answer.message, sizeof answer.message, "%s is %s.", BRIDGE,
             desc_enum_text(&SYS_STATUS_ENUM, (int)answer.data.status));
  }
  exchange_answer(x, &answer);
}

static void on_firmware_status(exchange_t *x) {
  const latest_t *latest = x->gateway->latest;
  const latest_service_t *bridge = latest_find_service(latest, BRIDGE);
  uint64_t now_ns = clock_mono_ns();
  http_service_health_t health = {.status = SYS_STATUS_DOWN};
  http_firmware_status_t answer = {.timestamp = clock_wall_ns()};

  (void)bridge_health(x, &health);
  bool heard = bridge && !latest_is_silent(&bridge->health_at, now_ns, LATEST_STATE_MS);
  answer.status = health.status;
  answer.has_last_heartbeat = bridge && bridge->health_at.known;
  answer.last_heartbeat = answer.has_last_heartbeat ? bridge->health_at.wall_ns : 0;
  answer.has_uptime = heard;
  answer.uptime = health.uptime;
  for (uint32_t i = 0; i < latest->line_count; i++) {
    if (latest_is_silent(&latest->lines[i].at, now_ns, LATEST_STATE_MS)) continue;
    answer.connected = answer.connected || (heard && latest->lines[i].line.open);
    answer.has_connection_errors = true;
    answer.connection_errors += latest->lines[i].line.failures;
  }
  answer.modules_total = latest->module_count;
  answer.modules_online = view_answering(latest, now_ns);
  exchange_answer(x, &answer);
}

static void on_firmware(exchange_t *x) {
  const latest_t *latest = x->gateway->latest;
  http_firmware_t answer = {.success = true, .timestamp = clock_wall_ns()};

  for (uint32_t i = 0; i < latest->module_count; i++) {
    const robot_module_t *module = &latest->modules[i].module;
    http_firmware_row_t *row = &answer.modules[answer.modules_count++];
    row->address = module->address;
    row->port = latest_port(module);
    snprintf(row->name, sizeof row->name, "%s", module->name);
    snprintf(row->firmware, sizeof row->firmware, "%s", module->firmware);
    snprintf(row->hardware, sizeof row->hardware, "%s", module->hardware);
    row->serial = module->serial;
    row->online = !latest_is_silent(&latest->modules[i].at, clock_mono_ns(), LATEST_STATE_MS) &&
                  view_is_answering(module->status);
  }
  exchange_answer(x, &answer);
}

static void on_restarted(exchange_t *x, const void *reply) {
  static const char DONE[] = "The line was closed and is open again.";

  (void)reply;
  if (x->endpoint_id == ENDPOINT_RS485_BUS_RESTART)
    answer_lines(x, DONE);
  else
    exchange_done(x, DONE);
}

static void on_restart(exchange_t *x) {
  const http_bus_restart_t *body = x->body;
  robot_line_of_t of = {.has_port = body->has_port, .port = body->port};

  if (body->has_force && body->force) {
    exchange_fail(x, GANTRY_E_REFUSED, "SAFETY_VIOLATION", "force",
                  "The line of a robot that moves is not closed; halt it first.");
    return;
  }
  exchange_call(x, REQUEST_ROBOT_LINE_RESTART, &of, on_restarted, NULL);
}

/* ---- the search for modules */

static void answer_scan(exchange_t *x, const robot_discovery_t *discovery) {
  http_scan_answer_t answer = {.success = true, .timestamp = clock_wall_ns()};

  view_scan(discovery, &answer.data);
  snprintf(answer.message, sizeof answer.message, "The search is %s.",
           desc_enum_text(&ROBOT_DISCOVERY_STATE_ENUM, (int)answer.data.state));
  exchange_answer(x, &answer);
}

static void on_scan_reply(exchange_t *x, const void *reply) {
  uint64_t now_ns = clock_mono_ns();
  stamp_t at = {.known = true, .heard_ns = now_ns, .born_ns = now_ns, .wall_ns = clock_wall_ns()};

  feed_discovery(x->gateway, reply, &at);
  answer_scan(x, reply);
}

/* Of one line, which is not the search that robot.discovery tells of. */
static void on_line_scan_reply(exchange_t *x, const void *reply) {
  answer_scan(x, reply);
}

static void steer(exchange_t *x, robot_discovery_action_t action) {
  exchange_call(x, REQUEST_ROBOT_DISCOVERY, &(robot_discovery_set_t){.action = action},
                on_scan_reply, NULL);
}

static void on_scan_start(exchange_t *x) {
  const http_scan_request_t *body = x->body;
  robot_discovery_set_t set = {.action = ROBOT_DISCOVERY_ACTION_START,
                               .has_port = body->has_port,
                               .port = body->port,
                               .has_first = body->has_first,
                               .first = body->first,
                               .has_last = body->has_last,
                               .last = body->last};

  if (body->has_first && body->has_last && body->first > body->last) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "first", "The first address lies behind the last.");
    return;
  }
  exchange_call(x, REQUEST_ROBOT_DISCOVERY, &set,
                body->has_port ? on_line_scan_reply : on_scan_reply, NULL);
}

static void on_scan_stop(exchange_t *x) {
  steer(x, ROBOT_DISCOVERY_ACTION_STOP);
}

static void on_scan_pause(exchange_t *x) {
  steer(x, ROBOT_DISCOVERY_ACTION_PAUSE);
}

static void on_scan_resume(exchange_t *x) {
  steer(x, ROBOT_DISCOVERY_ACTION_RESUME);
}

static void on_scan_status(exchange_t *x) {
  if (latest_is_silent(&x->gateway->latest->discovery_at, clock_mono_ns(), LATEST_STATE_MS))
    exchange_fail(x, GANTRY_E_UNAVAILABLE, NULL, "", "rs485-bridge does not tell how it searches.");
  else
    answer_scan(x, &x->gateway->latest->discovery);
}

static void on_results_reply(exchange_t *x, const void *reply) {
  const robot_modules_t *modules = reply;
  http_scan_results_t answer = {.success = true, .timestamp = clock_wall_ns()};

  answer.data_count = modules->modules_count;
  for (uint32_t i = 0; i < modules->modules_count; i++)
    view_scan_result(&modules->modules[i], &answer.data[i]);
  snprintf(answer.message, sizeof answer.message, "%u modules are known.", answer.data_count);
  exchange_answer(x, &answer);
}

static void on_results(exchange_t *x) {
  exchange_call(x, REQUEST_ROBOT_MODULES, &NOTHING, on_results_reply, NULL);
}

const call_route_t ROUTES_LINE[] = {
    {ENDPOINT_RS485_BUS_HEALTH, on_bus_health},
    {ENDPOINT_RS485_BUS_RESTART, on_restart},
    {ENDPOINT_CONFIG_FIRMWARE_RESTART, on_restart},
    {ENDPOINT_RS485_HEALTH, on_health},
    {ENDPOINT_TELEMETRY_FIRMWARE_STATUS, on_firmware_status},
    {ENDPOINT_CONFIG_FIRMWARE, on_firmware},
    {ENDPOINT_RS485_DISCOVERY_START, on_scan_start},
    {ENDPOINT_RS485_DISCOVERY_STATUS, on_scan_status},
    {ENDPOINT_RS485_DISCOVERY_RESULTS, on_results},
    {ENDPOINT_RS485_MODULES_START_SCAN, on_scan_start},
    {ENDPOINT_RS485_MODULES_STOP_SCAN, on_scan_stop},
    {ENDPOINT_RS485_MODULES_PAUSE_SCAN, on_scan_pause},
    {ENDPOINT_RS485_MODULES_RESUME_SCAN, on_scan_resume},
    {ENDPOINT_RS485_SCAN_STATUS, on_scan_status},
    {ENDPOINT_RS485_MODULES_SCAN_STATUS, on_scan_status},
    {0, NULL},
};
