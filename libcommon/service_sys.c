/* What every service does beside its work: answer pings, change its log level, let itself be
   tapped, and say how it goes. */
#include "rpc_server_internal.h"
#include "service_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HEALTH_PERIOD_MS = 1000, METRICS_PERIOD_MS = 5000 };

static void on_ping(rpc_context_t *call, const void *takes, void *arg) {
  service_run_t *run = arg;
  sys_pong_t pong = {
      .pid = (uint32_t)getpid(), .status = run->status, .uptime = health_uptime_s(&run->probe)};
  (void)takes;
  snprintf(pong.service, sizeof pong.service, "%s", run->service.name);
  snprintf(pong.version, sizeof pong.version, "%s", GANTRY_VERSION);
  rpc_reply(call, &pong);
}

static void on_log_level(rpc_context_t *call, const void *takes, void *arg) {
  const sys_log_level_set_t *wanted = takes;
  (void)arg;
  log_set_level((log_level_t)wanted->level);
  log_info("LOG-LEVEL", "from now on %s", log_level_name((log_level_t)wanted->level));
  rpc_reply(call, wanted);
}

static void on_mirror(rpc_context_t *call, const void *takes, void *arg) {
  service_run_t *run = arg;
  const sys_mirror_t *wanted = takes;
  rpc_server_mirror(run->service.server, wanted->seconds);
  rpc_reply(call, wanted);
}

void service_publish_health(service_run_t *run) {
  sys_health_t health = {.status = SYS_STATUS_READY};
  health.restarts = (uint32_t)config_int(run->service.config, "restarts");
  health_fill(&run->probe, run->service.bus, &health);
  if (run->phase == PHASE_STARTING) health.status = SYS_STATUS_STARTING;
  if (run->phase == PHASE_DRAINING) health.status = SYS_STATUS_DRAINING;
  if (run->phase == PHASE_LIVING && run->def->health) run->def->health(run->self, &health);
  run->status = health.status;
  bus_publish(run->service.bus, TOPIC_HEALTH, NULL, &health);
}

static void on_health_timer(void *arg) {
  service_publish_health(arg);
}

static void on_metrics_timer(void *arg) {
  service_run_t *run = arg;
  snprintf(run->metrics->service, sizeof run->metrics->service, "%s", run->service.name);
  metrics_snapshot(run->service.metrics, run->metrics);
  bus_publish(run->service.bus, TOPIC_METRICS, NULL, run->metrics);
}

gantry_err_t service_sys_start(service_run_t *run) {
  run->metrics = calloc(1, sizeof *run->metrics);
  if (!run->metrics) return GANTRY_E_INTERNAL;
  GANTRY_TRY(rpc_serve(run->service.server, REQUEST_SYS_PING, on_ping, run));
  GANTRY_TRY(rpc_serve(run->service.server, REQUEST_SYS_LOG_LEVEL, on_log_level, run));
  GANTRY_TRY(rpc_serve(run->service.server, REQUEST_SYS_MIRROR, on_mirror, run));
  run->timers[0] = loop_every(run->service.loop, HEALTH_PERIOD_MS, on_health_timer, run);
  run->timers[1] = loop_every(run->service.loop, METRICS_PERIOD_MS, on_metrics_timer, run);
  return run->timers[0] && run->timers[1] ? GANTRY_OK : GANTRY_E_INTERNAL;
}

void service_sys_stop(service_run_t *run) {
  for (int i = 0; i < 2; i++) {
    if (run->timers[i]) loop_cancel(run->service.loop, run->timers[i]);
  }
  free(run->metrics);
}
