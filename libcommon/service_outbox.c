/* The outbox of a service: opened in its data folder, delivered to storage, counted, and spoken of
   when it is full or its disk fails. */
#include "service_internal.h"

#include <stdio.h>

enum { WATCH_MS = 1000, CALM_S = 30 };

static metric_t *gauge(service_run_t *run, const char *name, const char *help) {
  return metrics_gauge(run->service.metrics, name, "", help);
}

static void watch_room(service_run_t *run, const outbox_stats_t *stats) {
  outbox_watch_t *watch = &run->outbox_watch;
  alerts_t *alerts = run->service.alerts;
  bool dropped = stats->dropped != watch->last.dropped;
  bool refused = stats->refused != watch->last.refused;
  if (dropped || refused) watch->calm_s = 0;
  if (refused)
    alerts_raise(alerts, "OUTBOX-FULL", run->service.name, SYS_SEVERITY_CRITICAL,
                 "the outbox is full and storage takes nothing: records are refused; look after "
                 "storage, or raise outbox_mb");
  else if (dropped)
    alerts_raise(alerts, "OUTBOX-FULL", run->service.name, SYS_SEVERITY_WARNING,
                 "the outbox is full: the oldest stream data is dropped; look after storage, or "
                 "raise outbox_mb");
  else if (++watch->calm_s == CALM_S)
    alerts_clear(alerts, "OUTBOX-FULL", run->service.name);
}

static void on_watch(void *arg) {
  service_run_t *run = arg;
  outbox_watch_t *watch = &run->outbox_watch;
  outbox_stats_t stats = outbox_get_stats(run->outbox);
  metric_set(watch->bytes, (double)stats.bytes);
  metric_set(watch->records, (double)stats.records);
  metric_add(watch->dropped, (double)(stats.dropped - watch->last.dropped));
  metric_add(watch->refused, (double)(stats.refused - watch->last.refused));
  if (stats.sync_ms > 0) metric_observe(watch->sync_ms, stats.sync_ms);
  watch_room(run, &stats);
  if (stats.in_memory)
    alerts_raise(run->service.alerts, "OUTBOX-MEMORY", run->service.name, SYS_SEVERITY_ERROR, "%s",
                 stats.trouble);
  else
    alerts_clear(run->service.alerts, "OUTBOX-MEMORY", run->service.name);
  watch->last = stats;
}

static void register_metrics(service_run_t *run) {
  outbox_watch_t *watch = &run->outbox_watch;
  metrics_t *metrics = run->service.metrics;
  watch->bytes = gauge(run, "gantry_outbox_bytes", "Bytes that wait for storage.");
  watch->records = gauge(run, "gantry_outbox_records", "Records that wait for storage.");
  watch->dropped = metrics_counter(metrics, "gantry_outbox_dropped_total", "",
                                   "Stream records given up as the outbox was full.");
  watch->refused = metrics_counter(metrics, "gantry_outbox_refused_total", "",
                                   "Records that the full outbox did not take.");
  watch->sync_ms =
      metrics_summary(metrics, "gantry_outbox_sync_ms", "", "Longest write of each second, ms.");
}

gantry_err_t service_outbox_start(service_run_t *run) {
  service_t *service = &run->service;
  const outbox_settings_t settings = {.folder = config_text(service->config, "data"),
                                      .service = service->name,
                                      .boot = bus_boot(service->bus),
                                      .limit_bytes =
                                          (uint64_t)config_int(service->config, "outbox_mb") << 20};
  GANTRY_TRY(alerts_new(service->bus, &service->alerts));
  GANTRY_TRY(outbox_open(&settings, service->loop, &run->outbox));
  GANTRY_TRY(delivery_new(run->outbox, service->bus, service->client, &run->delivery));
  register_metrics(run);
  bus_set_outbox(service->bus, run->outbox);
  run->outbox_watch.timer = loop_every(service->loop, WATCH_MS, on_watch, run);
  return run->outbox_watch.timer ? GANTRY_OK : GANTRY_E_INTERNAL;
}

void service_outbox_stop(service_run_t *run) {
  if (run->outbox_watch.timer) loop_cancel(run->service.loop, run->outbox_watch.timer);
  if (run->service.bus) bus_set_outbox(run->service.bus, NULL);
  if (run->delivery) delivery_stop(run->delivery);
  outbox_close(&run->outbox);
  alerts_destroy(&run->service.alerts);
}
