/* A sample a second. The probe of the database is what keeps the marks of alerts true, too: another
   gateway may have changed them. */
#include "monitor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "feed.h"

enum { ANSWERS_MIN = 20 }; /* fewer have no 95th percentile worth an alert */

typedef struct sum {
  double total;
  uint32_t count;
} sum_t;

struct monitor {
  gateway_t *gateway; /* NULL once stopped, while the probe is still asked */
  const char *proc;
  threshold_t limits[MONITOR_LIMITS];
  monitor_figures_t figures;
  load_sample_t sample;
  recent_t ages;                         /* of frames to the WebSockets */
  uint64_t requests, errors, counted_ns; /* when they were counted last */
  bool asked;                            /* the probe is under way */
  uint64_t asked_ns;
  uint64_t down; /* a bit a service that is down */
  history_t *history;
  uint32_t period_s;
  sum_t sums[HISTORY_COLUMNS]; /* since its newest row */
  uint64_t kept_s;             /* wall time of the newest row of the history */
};

typedef struct limit_row {
  const char *name, *code, *setting, *what, *unit;
  sys_severity_t severity;
} limit_row_t;

static const limit_row_t LIMITS[MONITOR_LIMITS] = {
    [MONITOR_API] = {"api_response_ms", "API-SLOW", "alert_api_ms", "95 of 100 answers take up to",
                     "ms", SYS_SEVERITY_WARNING},
    [MONITOR_WEBSOCKET] = {"websocket_age_ms", "WEBSOCKET-LATE", "alert_websocket_ms",
                           "95 of 100 frames to WebSockets are up to", "ms old",
                           SYS_SEVERITY_WARNING},
    [MONITOR_DATABASE] = {"database_ms", "DATABASE-SLOW", "alert_database_ms",
                          "a small query takes", "ms", SYS_SEVERITY_WARNING},
    [MONITOR_CPU] = {"cpu_percent", "CPU-HIGH", "alert_cpu_percent", "the processors are busy to",
                     "%", SYS_SEVERITY_WARNING},
    [MONITOR_MEMORY] = {"memory_percent", "MEMORY-HIGH", "alert_memory_percent",
                        "memory is used to", "%", SYS_SEVERITY_ERROR},
    [MONITOR_DISK] = {"disk_percent", "DISK-HIGH", "alert_disk_percent", "the disk is used to", "%",
                      SYS_SEVERITY_ERROR},
};

const char *monitor_name(monitor_limit_t limit) {
  return LIMITS[limit].name;
}

/* ---- the probe */

static void on_probed(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                      const sys_header_t *header, void *arg) {
  monitor_t *monitor = arg;

  (void)fault;
  (void)header;
  monitor->asked = false;
  if (!monitor->gateway) {
    free(monitor);
    return;
  }
  monitor->figures.database = clock_age_ms(clock_mono_ns(), monitor->asked_ns);
  struct feed *feed = monitor->gateway->feed;
  if (err != GANTRY_OK || monitor->asked_ns <= feed->marked_ns)
    return; /* older than what is known */
  if (alarms_replace(monitor->gateway->alarms, reply)) feed->alerts_changed = true;
}

static void probe(monitor_t *monitor) {
  store_alerts_get_t get = {.limit = 200, .has_held = true, .held = true};

  if (monitor->asked) {
    double waits_ms = clock_age_ms(clock_mono_ns(), monitor->asked_ns);
    if (waits_ms > monitor->figures.database) monitor->figures.database = waits_ms;
    return;
  }
  monitor->asked_ns = clock_mono_ns();
  monitor->asked = rpc_call(monitor->gateway->service->client, REQUEST_STORE_ALERTS, NULL, NULL,
                            &get, 0, on_probed, monitor) == GANTRY_OK;
}

/* ---- figures */

static double share_of(recent_t *recent, uint64_t now_ns, double share) {
  double ms;

  return recent_share(recent, now_ns, share, &ms) ? ms : NAN;
}

static void count_requests(monitor_t *monitor, uint64_t now_ns) {
  traffic_t *traffic = &monitor->gateway->traffic;
  double seconds = clock_age_ms(now_ns, monitor->counted_ns) / 1000;

  if (monitor->counted_ns && seconds > 0) {
    monitor->figures.requests = (double)(traffic->requests - monitor->requests) / seconds;
    monitor->figures.errors = (double)(traffic->errors - monitor->errors) / seconds;
  }
  monitor->requests = traffic->requests;
  monitor->errors = traffic->errors;
  monitor->counted_ns = now_ns;
}

static void sample(monitor_t *monitor, uint64_t now_ns) {
  gateway_t *gateway = monitor->gateway;
  monitor_figures_t *figures = &monitor->figures;
  recent_t *recent = &gateway->traffic.recent;

  load_read(monitor->proc, now_ns, &monitor->sample, &figures->load);
  figures->disk = health_disk(gateway->latest, gateway->data);
  count_requests(monitor, now_ns);
  figures->response_p50 = share_of(recent, now_ns, 0.50);
  figures->response_p95 = share_of(recent, now_ns, 0.95);
  figures->response_p99 = share_of(recent, now_ns, 0.99);
  figures->websocket_p95 = share_of(&monitor->ages, now_ns, 0.95);
  gateway->system = (http_system_load_t){.cpu_usage = figures->load.cpu,
                                         .memory_usage = figures->load.memory,
                                         .disk_usage = figures->disk};
}

double monitor_value(const gateway_t *gateway, monitor_limit_t limit) {
  const monitor_figures_t *figures = &gateway->monitor->figures;
  const double values[MONITOR_LIMITS] = {
      [MONITOR_API] = figures->response_p95,   [MONITOR_WEBSOCKET] = figures->websocket_p95,
      [MONITOR_DATABASE] = figures->database,  [MONITOR_CPU] = figures->load.cpu,
      [MONITOR_MEMORY] = figures->load.memory, [MONITOR_DISK] = figures->disk};
  return values[limit];
}

void monitor_note_age(gateway_t *gateway, uint64_t now_ns, double age_ms) {
  recent_add(&gateway->monitor->ages, now_ns, age_ms > 0 ? (uint64_t)(age_ms * 1e6) : 0);
}

/* ---- alerts */

static void judge_limits(monitor_t *monitor, uint64_t now_ns) {
  alerts_t *alerts = monitor->gateway->service->alerts;
  bool few = recent_count(&monitor->gateway->traffic.recent, now_ns) < ANSWERS_MIN;

  for (int i = 0; i < MONITOR_LIMITS; i++) {
    const limit_row_t *row = &LIMITS[i];
    threshold_t *limit = &monitor->limits[i];
    double value = monitor_value(monitor->gateway, (monitor_limit_t)i);
    if (!threshold_feed(limit, few && i == MONITOR_API ? NAN : value)) continue;
    if (!limit->raised)
      alerts_clear(alerts, row->code, row->name);
    else
      alerts_raise(alerts, row->code, row->name, row->severity, "%s %.0f %s; the limit is %.0f",
                   row->what, value, row->unit, limit->limit);
  }
}

static void judge_services(monitor_t *monitor, uint64_t now_ns) {
  gateway_t *gateway = monitor->gateway;
  alerts_t *alerts = gateway->service->alerts;

  for (uint32_t i = 0; i < CATALOGUE_SERVICE_COUNT; i++) {
    const char *name = CATALOGUE_SERVICES[i];
    bool down = health_is_down(gateway->latest, name, gateway->started_ns, now_ns);
    bool known = monitor->down >> i & 1;
    if (down == known) continue;
    monitor->down ^= UINT64_C(1) << i;
    if (down)
      alerts_raise(alerts, "SERVICE-DOWN", name, SYS_SEVERITY_CRITICAL, "%s is not heard", name);
    else
      alerts_clear(alerts, "SERVICE-DOWN", name);
  }
}

/* ---- history */

static void add(sum_t *sum, double value) {
  if (isnan(value)) return;
  sum->total += value;
  sum->count++;
}

static float mean(const sum_t *sum) {
  return sum->count ? (float)(sum->total / sum->count) : NAN;
}

/* The mean of each figure since the row before. */
static void keep(monitor_t *monitor, uint64_t wall_s) {
  const monitor_figures_t *now = &monitor->figures;
  const double values[HISTORY_COLUMNS] = {now->load.cpu,
                                          now->load.memory,
                                          now->disk,
                                          now->load.network_in,
                                          now->load.network_out,
                                          now->requests,
                                          now->errors,
                                          now->response_p95,
                                          now->websocket_p95,
                                          now->database,
                                          metric_value(monitor->gateway->metrics.ws_clients)};
  history_row_t row = {.wall_s = wall_s};

  for (int i = 0; i < HISTORY_COLUMNS; i++)
    add(&monitor->sums[i], values[i]);
  if (wall_s < monitor->kept_s + monitor->period_s && wall_s >= monitor->kept_s) return;
  for (int i = 0; i < HISTORY_COLUMNS; i++)
    row.values[i] = mean(&monitor->sums[i]);
  memset(monitor->sums, 0, sizeof monitor->sums);
  monitor->kept_s = wall_s;
  history_add(monitor->history, &row);
}

/* ---- life */

void monitor_tick(gateway_t *gateway) {
  monitor_t *monitor = gateway->monitor;
  uint64_t now_ns = clock_mono_ns();

  sample(monitor, now_ns);
  judge_limits(monitor, now_ns);
  judge_services(monitor, now_ns);
  feed_own_alerts(gateway); /* those of the service's life, e.g. a full outbox, come by here, too */
  keep(monitor, clock_wall_ns() / GANTRY_NS_PER_S);
  probe(monitor);
}

gantry_err_t monitor_start(gateway_t *gateway, const config_t *config, gantry_fault_t *fault) {
  monitor_t *monitor = calloc(1, sizeof *monitor);
  char path[512];

  if (!monitor) return GANTRY_E_INTERNAL;
  gateway->monitor = monitor;
  monitor->gateway = gateway;
  monitor->proc = config_text(config, "procfs");
  monitor->period_s = (uint32_t)config_int(config, "history_s");
  monitor->kept_s = clock_wall_ns() / GANTRY_NS_PER_S;
  monitor->figures.database = NAN;
  for (int i = 0; i < MONITOR_LIMITS; i++)
    monitor->limits[i] = (threshold_t){.limit = config_real(config, LIMITS[i].setting),
                                       .hold = (uint32_t)config_int(config, "alert_hold_s")};
  snprintf(path, sizeof path, "%s/load-history", gateway->data);
  GANTRY_TRY(history_open(path, &monitor->history, fault));
  if (fault->err != GANTRY_OK) {
    log_warn("HISTORY-UNKEPT", "load is remembered until the next restart: %s", fault->detail);
    *fault = (gantry_fault_t){0};
  }
  sample(monitor, clock_mono_ns());
  if (monitor->figures.load.memory <= 0)
    log_warn("LOAD-UNKNOWN",
             "procfs: %s/meminfo tells no memory; load is shown as 0 and raises no alert until the "
             "option names the place of the host's /proc",
             monitor->proc);
  probe(monitor);
  return GANTRY_OK;
}

void monitor_stop(gateway_t *gateway) {
  monitor_t *monitor = gateway->monitor;

  if (!monitor) return;
  gateway->monitor = NULL;
  history_close(&monitor->history);
  monitor->gateway = NULL;
  if (!monitor->asked) free(monitor);
}

const monitor_figures_t *monitor_figures(const gateway_t *gateway) {
  return &gateway->monitor->figures;
}

const threshold_t *monitor_threshold(const gateway_t *gateway, monitor_limit_t limit) {
  return &gateway->monitor->limits[limit];
}

const history_t *monitor_history(const gateway_t *gateway) {
  return gateway->monitor->history;
}

uint32_t monitor_period_s(const gateway_t *gateway) {
  return gateway->monitor->period_s;
}
