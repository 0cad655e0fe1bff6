/* Once a second: numbers, alert, health. */
#include "lifecycle_watch.h"

#include <stdio.h>

void lifecycle_watch_init(lifecycle_watch_t *watch, service_t *service) {
  metrics_t *metrics = service->metrics;
  *watch = (lifecycle_watch_t){.service = service};
  watch->deleted =
      metrics_counter(metrics, "gantry_store_rows_deleted_total", "", "Rows deleted by age.");
  watch->purged = metrics_counter(metrics, "gantry_store_rows_purged_total", "",
                                  "Rows deleted before their age, to make room.");
  watch->used = metrics_gauge(metrics, "gantry_store_disk_used_percent", "",
                              "How full the disk of the database is, free pages not counted.");
  watch->room = metrics_gauge(metrics, "gantry_store_disk_room_bytes", "",
                              "Room on the disk of the database, with its own free pages.");
  watch->level = metrics_gauge(metrics, "gantry_store_disk_level", "",
                               "0 ok, 1 warning, 2 oldest data goes, 3 read-only.");
  watch->step_ms = metrics_gauge(metrics, "gantry_store_lifecycle_step_max_ms", "",
                                 "Longest step of lifecycle on the writer's thread so far, ms.");
}

static void say(disk_level_t level, const lifecycle_status_t *status, char *out, size_t size) {
  if (level == DISK_READ_ONLY)
    snprintf(out, size,
             "the disk of the database is full (%.1f %%): nothing is written; make room, or"
             " pin and keep less",
             status->used);
  else
    snprintf(out, size, "the disk of the database is %.1f %% full%s", status->used,
             level == DISK_PURGING ? ": the oldest readings and poses are being deleted"
                                   : ": make room, or keep less");
}

static void set_alert(lifecycle_watch_t *watch, const lifecycle_status_t *status) {
  static const char *const IDS[] = {"", "DISK-FILLING", "DISK-PURGING", "DISK-FULL"};
  char text[sizeof((sys_alert_entry_t *)0)->message];
  service_t *service = watch->service;
  if (status->level == watch->told) return;
  if (watch->told != DISK_OK) alerts_clear(service->alerts, IDS[watch->told], service->name);
  watch->told = status->level;
  if (status->level == DISK_OK) return;
  say(status->level, status, text, sizeof text);
  alerts_raise(service->alerts, IDS[status->level], service->name,
               status->level == DISK_READ_ONLY ? SYS_SEVERITY_CRITICAL : SYS_SEVERITY_WARNING, "%s",
               text);
}

void lifecycle_watch_tick(lifecycle_watch_t *watch, writer_t *writer) {
  lifecycle_status_t status = writer_lifecycle(writer);
  metric_add(watch->deleted, (double)(status.deleted - watch->last.deleted));
  metric_add(watch->purged, (double)(status.purged - watch->last.purged));
  metric_set(watch->used, status.used);
  metric_set(watch->room, (double)status.room_bytes);
  metric_set(watch->level, status.level);
  metric_set(watch->step_ms, (double)status.step_us / 1000);
  set_alert(watch, &status);
  watch->last = status;
}

bool lifecycle_watch_health(const lifecycle_watch_t *watch, sys_health_t *out) {
  if (watch->last.level == DISK_OK) return false;
  out->status = SYS_STATUS_DEGRADED;
  say(watch->last.level, &watch->last, out->detail, sizeof out->detail);
  return true;
}

void lifecycle_tell(const lifecycle_status_t *status, store_state_t *out) {
  out->phase = (store_lifecycle_phase_t)status->phase;
  if (status->phase != LIFECYCLE_RESTING)
    snprintf(out->phase_table, sizeof out->phase_table, "%s", status->table);
  out->deleted = status->deleted;
  out->purged = status->purged;
  out->has_passed = status->pass_us != 0;
  out->passed = status->pass_us * 1000;
  out->step_max = (double)status->step_us / 1000;
  out->disk_level = (store_disk_level_t)status->level;
  out->has_disk_bytes = out->has_disk_room = out->has_disk_used = status->disk_known;
  out->disk_bytes = status->disk_bytes;
  out->disk_room = status->room_bytes;
  out->disk_used = status->used;
}
