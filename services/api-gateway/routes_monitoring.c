/* Health and load, of the moment and over hours: all out of memory, so that it answers when nothing
   else does. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#include "call.h"

enum { DEFAULT_HOURS = 24 };

/* ---- health */

static void fill_health(gateway_t *gateway, bool with_load, http_health_t *out) {
  static const struct {
    monitor_limit_t limit;
    const char *what;
  } LIMITS[] = {{MONITOR_CPU, "cpu"}, {MONITOR_MEMORY, "memory"}, {MONITOR_DISK, "disk"}};

  health_view(gateway->latest, gateway->started_ns, clock_mono_ns(), out);
  out->timestamp = clock_wall_ns();
  snprintf(out->version, sizeof out->version, "%s", GANTRY_VERSION);
  out->system = gateway->system;
  for (size_t i = 0; with_load && i < sizeof LIMITS / sizeof LIMITS[0]; i++)
    health_name_load(LIMITS[i].what, monitor_value(gateway, LIMITS[i].limit),
                     monitor_threshold(gateway, LIMITS[i].limit)->limit, out);
}

static void answer_health(exchange_t *x, bool with_load) {
  http_health_t health;

  fill_health(x->gateway, with_load, &health);
  exchange_begin(x);
  (void)json_write(&HTTP_HEALTH_DESC, &health, &x->out);
  exchange_finish(x, strcmp(health.status, "unhealthy") ? 200 : 503, "application/json");
}

static void on_health(exchange_t *x) {
  answer_health(x, false);
}

static void on_health_with_load(exchange_t *x) {
  answer_health(x, true);
}

static void on_short(exchange_t *x) {
  http_health_t health;
  http_health_short_t answer = {0};

  fill_health(x->gateway, true, &health);
  answer = (http_health_short_t){.success = health.success,
                                 .has_error = health.has_error,
                                 .uptime = health.uptime,
                                 .timestamp = health.timestamp};
  snprintf(answer.status, sizeof answer.status, "%s", health.status);
  snprintf(answer.error, sizeof answer.error, "%s", health.error);
  snprintf(answer.version, sizeof answer.version, "%s", health.version);
  exchange_answer(x, &answer);
}

static void on_alive(exchange_t *x) {
  exchange_done(x, "The gateway is alive.");
}

static void on_ready(exchange_t *x) {
  http_readiness_t answer = {.status = "ready", .timestamp = clock_wall_ns()};
  char missing[160];

  if (health_missing(x->gateway->latest, clock_mono_ns(), missing, sizeof missing))
    exchange_fail(x, GANTRY_E_UNAVAILABLE, "NOT_READY", "", "Not ready: %s.", missing);
  else
    exchange_answer(x, &answer);
}

/* ---- the moment */

static bool known(double value, double *out) {
  if (isnan(value)) return false;
  *out = value;
  return true;
}

static void fill_performance(gateway_t *gateway, http_performance_t *out) {
  const monitor_figures_t *figures = monitor_figures(gateway);

  *out = (http_performance_t){.timestamp = clock_wall_ns(),
                              .cpu_usage = figures->load.cpu,
                              .memory_usage = figures->load.memory,
                              .disk_usage = figures->disk,
                              .load_average = figures->load.average,
                              .network_in = figures->load.network_in,
                              .network_out = figures->load.network_out,
                              .throughput = figures->requests,
                              .errors = figures->errors,
                              .websocket_clients =
                                  (uint32_t)metric_value(gateway->metrics.ws_clients)};
  out->has_response_time = known(figures->response_p95, &out->response_time);
  out->has_response_time_p50 = known(figures->response_p50, &out->response_time_p50);
  out->has_response_time_p99 = known(figures->response_p99, &out->response_time_p99);
  out->has_websocket_age = known(figures->websocket_p95, &out->websocket_age);
  out->has_database_time = known(figures->database, &out->database_time);
}

static void fill_process(const latest_t *latest, const http_service_health_t *health,
                         http_process_load_t *out) {
  const latest_service_t *row = latest_find_service(latest, health->name);

  *out = (http_process_load_t){.status = health->status};
  snprintf(out->name, sizeof out->name, "%s", health->name);
  if (health->status == SYS_STATUS_DOWN || !row || !row->health_at.known) return;
  out->has_cpu = out->has_rss_bytes = out->has_gaps = out->has_dropped = true;
  out->cpu = row->health.cpu;
  out->rss_bytes = row->health.rss_bytes;
  out->gaps = row->health.gaps;
  out->dropped = row->health.dropped;
}

static void on_metrics(exchange_t *x) {
  http_health_t health;
  http_load_metrics_t answer = {0};

  fill_health(x->gateway, true, &health);
  snprintf(answer.status, sizeof answer.status, "%s", health.status);
  answer.timestamp = health.timestamp;
  fill_performance(x->gateway, &answer.system);
  for (uint32_t i = 0; i < health.processes_count; i++)
    fill_process(x->gateway->latest, &health.processes[i],
                 &answer.processes[answer.processes_count++]);
  exchange_answer(x, &answer);
}

static void on_performance(exchange_t *x) {
  http_performance_t answer;

  fill_performance(x->gateway, &answer);
  exchange_answer(x, &answer);
}

static void fill_limit(gateway_t *gateway, monitor_limit_t which, http_load_limit_t *out) {
  const threshold_t *threshold = monitor_threshold(gateway, which);

  *out = (http_load_limit_t){.limit = threshold->limit,
                             .clear = threshold->limit * THRESHOLD_CLEAR,
                             .raised = threshold->raised};
  snprintf(out->name, sizeof out->name, "%s", monitor_name(which));
  out->has_value = known(monitor_value(gateway, which), &out->value);
}

static void on_status(exchange_t *x) {
  gateway_t *gateway = x->gateway;
  http_health_t health;
  http_active_alerts_t *active = calloc(1, sizeof *active);
  http_monitoring_status_t answer = {.history_period = monitor_period_s(gateway),
                                     .history_rows = HISTORY_ROWS};

  if (!active) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  fill_health(gateway, true, &health);
  alarms_active(gateway->alarms, gateway->latest, health.timestamp, active);
  snprintf(answer.status, sizeof answer.status, "%s", health.status);
  answer.uptime = health.uptime;
  answer.active_alerts = active->total_count;
  answer.critical_alerts = active->critical_count;
  free(active);
  for (int i = 0; i < MONITOR_LIMITS; i++)
    fill_limit(gateway, (monitor_limit_t)i, &answer.limits[answer.limits_count++]);
  exchange_answer(x, &answer);
}

/* ---- hours */

static uint32_t hours_of(const exchange_t *x) {
  const http_history_hours_params_t *params = x->params;

  return params->has_hours ? params->hours : DEFAULT_HOURS;
}

/* The rows asked for, owned by the caller; NULL: memory ran out, answered. */
static history_row_t *read_rows(exchange_t *x, size_t most, size_t *count) {
  uint64_t now_s = clock_wall_ns() / GANTRY_NS_PER_S;
  history_row_t *rows = calloc(most, sizeof *rows);

  if (rows)
    *count =
        history_read(monitor_history(x->gateway), now_s - hours_of(x) * UINT64_C(3600), rows, most);
  else
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
  return rows;
}

static void view_row(const history_row_t *row, http_load_row_t *out) {
  const float *values = row->values;

  out->timestamp = row->wall_s * GANTRY_NS_PER_S;
  out->has_cpu_usage = known((double)values[HISTORY_CPU], &out->cpu_usage);
  out->has_memory_usage = known((double)values[HISTORY_MEMORY], &out->memory_usage);
  out->has_disk_usage = known((double)values[HISTORY_DISK], &out->disk_usage);
  out->has_network_in = known((double)values[HISTORY_NETWORK_IN], &out->network_in);
  out->has_network_out = known((double)values[HISTORY_NETWORK_OUT], &out->network_out);
  out->has_throughput = known((double)values[HISTORY_REQUESTS], &out->throughput);
  out->has_errors = known((double)values[HISTORY_ERRORS], &out->errors);
  out->has_response_time = known((double)values[HISTORY_RESPONSE], &out->response_time);
  out->has_websocket_age = known((double)values[HISTORY_WEBSOCKET], &out->websocket_age);
  out->has_database_time = known((double)values[HISTORY_DATABASE], &out->database_time);
  out->has_websocket_clients = known((double)values[HISTORY_CLIENTS], &out->websocket_clients);
}

static void on_history(exchange_t *x) {
  http_load_history_t *answer = calloc(1, sizeof *answer);
  const size_t most = sizeof answer->rows / sizeof answer->rows[0];
  size_t count = 0;
  history_row_t *rows = answer ? read_rows(x, most, &count) : NULL;

  if (rows) {
    answer->hours = hours_of(x);
    for (size_t i = 0; i < count; i++)
      view_row(&rows[i], &answer->rows[answer->rows_count++]);
    exchange_answer(x, answer);
  } else if (!answer) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
  }
  free(rows);
  free(answer);
}

static void fill_spread(const history_row_t *rows, size_t count, history_column_t column,
                        const char *name, http_load_spread_t *out) {
  double sum = 0, seen = 0;

  *out = (http_load_spread_t){0};
  snprintf(out->name, sizeof out->name, "%s", name);
  for (size_t i = 0; i < count; i++) {
    double value = (double)rows[i].values[column];
    if (isnan(value)) continue;
    sum += value;
    seen++;
    out->newest = value;
    if (seen == 1 || value > out->highest) out->highest = value;
  }
  out->has_mean = out->has_highest = out->has_newest = seen > 0;
  out->mean = seen > 0 ? sum / seen : 0;
}

static void on_summary(exchange_t *x) {
  static const char *const NAMES[HISTORY_COLUMNS] = {
      "cpu_usage",     "memory_usage",  "disk_usage",       "network_in",
      "network_out",   "throughput",    "errors",           "response_time",
      "websocket_age", "database_time", "websocket_clients"};
  http_load_summary_t answer = {.hours = hours_of(x)};
  size_t count = 0;
  history_row_t *rows = read_rows(x, HISTORY_ROWS, &count);

  if (!rows) return;
  answer.samples = (uint32_t)count;
  for (int i = 0; i < HISTORY_COLUMNS; i++)
    fill_spread(rows, count, (history_column_t)i, NAMES[i],
                &answer.figures[answer.figures_count++]);
  exchange_answer(x, &answer);
  free(rows);
}

const call_route_t ROUTES_MONITORING[] = {
    {ENDPOINT_HEALTH, on_health},
    {ENDPOINT_HEALTH_FAST, on_alive},
    {ENDPOINT_HEALTH_LIVE, on_alive},
    {ENDPOINT_HEALTH_READY, on_ready},
    {ENDPOINT_SYSTEM_HEALTH, on_health_with_load},
    {ENDPOINT_SYSTEM_HEALTH_DETAILED, on_health_with_load},
    {ENDPOINT_SYSTEM_HEALTH_METRICS, on_metrics},
    {ENDPOINT_SYSTEM_HEALTH_STATUS, on_short},
    {ENDPOINT_MONITORING_HEALTH, on_health_with_load},
    {ENDPOINT_MONITORING_METRICS, on_metrics},
    {ENDPOINT_MONITORING_METRICS_HISTORY, on_history},
    {ENDPOINT_MONITORING_PERFORMANCE, on_performance},
    {ENDPOINT_MONITORING_CURRENT, on_performance},
    {ENDPOINT_MONITORING_PERFORMANCE_SUMMARY, on_summary},
    {ENDPOINT_MONITORING_STATUS, on_status},
    {0, NULL},
};
