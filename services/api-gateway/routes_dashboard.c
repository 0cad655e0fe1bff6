/* The dashboard's figures: out of memory, but for what only storage knows, which is asked for at
   most each ten seconds and left out while storage is silent. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "call.h"
#include "monitor.h"
#include "view.h"

enum { BOOKS_FRESH_MS = 10000, ASK_MS = 1500, HOURS = 24, USERS_MAX = 200 };

/* ---- what storage knows */

static void on_alerts(exchange_t *x, const void *reply) {
  books_t *books = &x->gateway->books;

  books->has_alerts = reply != NULL;
  if (reply) books->alerts = ((const store_alerts_t *)reply)->total;
  books->known = true;
  books->asked_ns = clock_mono_ns();
  x->on_books(x);
}

static void on_no_alerts(exchange_t *x, const gantry_fault_t *fault) {
  (void)fault;
  on_alerts(x, NULL);
}

static void on_users(exchange_t *x, const void *reply) {
  const store_user_list_t *list = reply;
  books_t *books = &x->gateway->books;
  store_alerts_get_t get = {.limit = 1};

  books->has_users = list != NULL;
  books->active = 0;
  if (list) books->users = list->total;
  for (uint32_t i = 0; list && i < list->users_count; i++)
    books->active += list->users[i].active;
  exchange_call_within(x, ASK_MS, REQUEST_STORE_ALERTS, &get, on_alerts, on_no_alerts);
}

static void on_no_users(exchange_t *x, const gantry_fault_t *fault) {
  (void)fault;
  on_users(x, NULL);
}

static void on_state(exchange_t *x, const void *reply) {
  const store_state_t *state = reply;
  books_t *books = &x->gateway->books;
  store_user_list_get_t get = {.limit = USERS_MAX};

  books->has_state = state != NULL;
  if (state) {
    books->database_bytes = state->database_bytes;
    books->has_backup = state->has_backup_last;
    books->backup_ns = state->backup_last;
  }
  exchange_call_within(x, ASK_MS, REQUEST_STORE_USER_LIST, &get, on_users, on_no_users);
}

/* Who does not answer this is not asked the rest: one time-out, not three. */
static void on_no_state(exchange_t *x, const gantry_fault_t *fault) {
  (void)fault;
  x->gateway->books.has_state = x->gateway->books.has_users = false;
  on_alerts(x, NULL);
}

static void with_books(exchange_t *x, exchange_fn then) {
  static const sys_empty_t NOTHING = {0};
  const books_t *books = &x->gateway->books;

  x->on_books = then;
  if (books->known && clock_age_ms(clock_mono_ns(), books->asked_ns) < BOOKS_FRESH_MS)
    then(x);
  else
    exchange_call_within(x, ASK_MS, REQUEST_STORE_STATE, &NOTHING, on_state, on_no_state);
}

/* ---- the blocks */

static void count_alerts(const gateway_t *gateway, uint32_t *active, uint32_t *critical) {
  http_active_alerts_t *alerts = malloc(sizeof *alerts);

  *active = *critical = 0;
  if (!alerts) return;
  alarms_active(gateway->alarms, gateway->latest, clock_wall_ns(), alerts);
  *active = alerts->total_count;
  *critical = alerts->critical_count;
  free(alerts);
}

static void fill_system(const gateway_t *gateway, http_dashboard_system_t *out) {
  const books_t *books = &gateway->books;

  *out = (http_dashboard_system_t){
      .has_total_alerts = books->has_alerts,
      .total_alerts = books->alerts,
      .system_uptime = clock_age_ms(clock_mono_ns(), gateway->started_ns) / 1000,
      .has_total_users = books->has_users,
      .total_users = books->users,
      .has_active_users = books->has_users && books->users <= USERS_MAX,
      .active_users = books->active,
      .has_last_backup = books->has_state && books->has_backup,
      .last_backup = books->backup_ns,
      .has_database_size = books->has_state,
      .database_size = books->database_bytes};
  count_alerts(gateway, &out->active_alerts, &out->critical_alerts);
}

static bool known(double value, double *out) {
  *out = isfinite(value) ? value : 0;
  return isfinite(value);
}

static http_dashboard_load_t load_now(const gateway_t *gateway) {
  const monitor_figures_t *now = monitor_figures(gateway);
  http_dashboard_load_t out = {.timestamp = clock_wall_ns()};

  out.has_cpu_usage = known(now->load.cpu, &out.cpu_usage);
  out.has_memory_usage = known(now->load.memory, &out.memory_usage);
  out.has_disk_usage = known(now->disk, &out.disk_usage);
  out.has_network_in = known(now->load.network_in, &out.network_in);
  out.has_network_out = known(now->load.network_out, &out.network_out);
  out.has_response_time = known(now->response_p95, &out.response_time);
  out.has_throughput = known(now->requests, &out.throughput);
  return out;
}

static http_dashboard_load_t load_then(const history_row_t *row) {
  http_dashboard_load_t out = {.timestamp = row->wall_s * GANTRY_NS_PER_S};

  out.has_cpu_usage = known(row->values[HISTORY_CPU], &out.cpu_usage);
  out.has_memory_usage = known(row->values[HISTORY_MEMORY], &out.memory_usage);
  out.has_disk_usage = known(row->values[HISTORY_DISK], &out.disk_usage);
  out.has_network_in = known(row->values[HISTORY_NETWORK_IN], &out.network_in);
  out.has_network_out = known(row->values[HISTORY_NETWORK_OUT], &out.network_out);
  out.has_response_time = known(row->values[HISTORY_RESPONSE], &out.response_time);
  out.has_throughput = known(row->values[HISTORY_REQUESTS], &out.throughput);
  return out;
}

static http_dashboard_safety_t safety_now(const gateway_t *gateway) {
  http_safety_status_t status;
  http_dashboard_safety_t out = {0};
  uint32_t critical;
  const char *state = "UNAVAILABLE", *emergency = "Unknown (FW offline)";

  view_safety(gateway->latest, clock_mono_ns(), clock_wall_ns(), &status);
  if (status.has_emergency_stop) {
    state = !strcmp(status.status, "emergency") ? "EMERGENCY"
            : !strcmp(status.status, "warning") ? "WARNING"
            : !strcmp(status.status, "normal")  ? "SAFE"
                                                : "UNAVAILABLE";
    emergency = status.emergency_stop ? "E-STOP" : "Normal";
  }
  snprintf(out.safety_state, sizeof out.safety_state, "%s", state);
  snprintf(out.emergency_status, sizeof out.emergency_status, "%s", emergency);
  out.has_obstacles_present = status.has_obstacles_detected;
  out.obstacles_present = status.obstacles_detected;
  count_alerts(gateway, &out.active_alerts_count, &critical);
  return out;
}

/* ---- the routes */

static void answer_summary(exchange_t *x) {
  const gateway_t *gateway = x->gateway;
  http_dashboard_summary_t answer = {.last_updated = clock_wall_ns()};

  view_robot_status(gateway->latest, gateway->robot, clock_mono_ns(), answer.last_updated,
                    &answer.robot);
  fill_system(gateway, &answer.system);
  answer.performance = load_now(gateway);
  answer.safety = safety_now(gateway);
  exchange_answer(x, &answer);
}

static void on_summary(exchange_t *x) {
  with_books(x, answer_summary);
}

static uint64_t counted(const metric_t *metric) {
  return metric ? (uint64_t)metric_value(metric) : 0;
}

static void answer_stats(exchange_t *x) {
  const gateway_t *gateway = x->gateway;
  const latest_t *latest = gateway->latest;
  uint64_t now_ns = clock_mono_ns();
  http_dashboard_stats_t answer = {.requests_total = counted(gateway->metrics.requests),
                                   .client_errors = counted(gateway->metrics.client_errors),
                                   .server_errors = counted(gateway->metrics.server_errors),
                                   .websocket_clients =
                                       (uint32_t)counted(gateway->metrics.ws_clients),
                                   .websocket_frames = counted(gateway->metrics.ws_frames),
                                   .websocket_dropped = counted(gateway->metrics.ws_dropped),
                                   .stops_requested = gateway->stops,
                                   .stops_confirmed = gateway->stops_confirmed,
                                   .modules_total = latest->module_count,
                                   .modules_answering = view_answering(latest, now_ns),
                                   .sensors_total = latest->sensor_count,
                                   .timestamp = clock_wall_ns()};

  for (uint32_t i = 0; i < latest->sensor_count; i++) {
    http_sensor_status_t sensor;
    view_sensor_status(&latest->sensors[i], now_ns, &sensor);
    answer.sensors_online += sensor.status == SENSOR_STATE_ONLINE;
  }
  fill_system(gateway, &answer.system);
  exchange_answer(x, &answer);
}

static void on_stats(exchange_t *x) {
  with_books(x, answer_stats);
}

static void on_safety(exchange_t *x) {
  http_dashboard_safety_t answer = safety_now(x->gateway);

  exchange_answer(x, &answer);
}

static void on_performance(exchange_t *x) {
  enum { ROWS = sizeof((http_dashboard_series_t *)0)->data / sizeof(http_dashboard_load_t) };
  const http_dashboard_hours_t *params = x->params;
  uint32_t hours = params->has_hours ? params->hours : HOURS;
  uint64_t since_s = clock_wall_ns() / GANTRY_NS_PER_S - hours * 3600ull;
  http_dashboard_series_t *answer = calloc(1, sizeof *answer);
  history_row_t rows[ROWS];

  if (!answer) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  answer->hours = hours;
  answer->total_count = answer->data_count =
      (uint32_t)history_read(monitor_history(x->gateway), since_s, rows, ROWS);
  for (uint32_t i = 0; i < answer->data_count; i++)
    answer->data[i] = load_then(&rows[i]);
  answer->current = load_now(x->gateway);
  exchange_answer(x, answer);
  free(answer);
}

/* ---- the link to the robot */

static void on_network(exchange_t *x) {
  const gateway_t *gateway = x->gateway;
  const latest_t *latest = gateway->latest;
  const latest_service_t *bridge = latest_find_service(latest, "rs485-bridge");
  const monitor_figures_t *figures = monitor_figures(gateway);
  uint64_t now_ns = clock_mono_ns();
  bool heard = bridge && !latest_is_silent(&bridge->health_at, now_ns, LATEST_STATE_MS);
  bool well = heard && bridge->health.status == SYS_STATUS_READY;
  http_network_health_t answer = {.success = true, .timestamp = clock_wall_ns()};
  http_network_link_t *link = &answer.data;

  link->firmware_connected = heard && view_answering(latest, now_ns) > 0;
  for (uint32_t i = 0; i < latest->line_count; i++)
    link->connection_errors += latest->lines[i].line.failures;
  for (uint32_t i = 0; i < latest->module_count; i++) {
    const robot_module_t *module = &latest->modules[i].module;
    if (!module->has_last_seen || module->last_seen < link->last_heartbeat) continue;
    link->has_last_heartbeat = true;
    link->last_heartbeat = module->last_seen;
  }
  link->has_uptime_seconds = heard;
  link->uptime_seconds = heard ? bridge->health.uptime : 0;
  (void)known(figures->load.memory, &link->memory_usage_percent);
  (void)known(figures->load.cpu, &link->cpu_usage_percent);
  snprintf(link->service, sizeof link->service, "rs485-bridge");
  snprintf(link->status, sizeof link->status, "%s",
           !link->firmware_connected ? "unhealthy"
           : well                    ? "healthy"
                                     : "degraded");
  answer.has_error = !link->firmware_connected || !well;
  snprintf(answer.error, sizeof answer.error, "%s",
           !heard                     ? "rs485-bridge is silent"
           : bridge->health.detail[0] ? bridge->health.detail
                                      : "no module answers on the lines");
  exchange_answer(x, &answer);
}

const call_route_t ROUTES_DASHBOARD[] = {
    {ENDPOINT_DASHBOARD_SUMMARY, on_summary}, {ENDPOINT_DASHBOARD_PERFORMANCE, on_performance},
    {ENDPOINT_DASHBOARD_STATS, on_stats},     {ENDPOINT_DASHBOARD_SAFETY, on_safety},
    {ENDPOINT_NETWORK_HEALTH, on_network},    {0, NULL},
};
