/* What the sensors do, told to the others. */
#include "status.h"

#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "calibrating.h"
#include "findings.h"
#include "requests.h"

#define TICK_MS      200
#define STATUS_TICKS 5 /* once a second */

sensor_status_t status_of(registry_entry_t *entry, uint64_t now_ns) {
  double age_s = registry_age_s(entry, now_ns);
  sensor_status_t status = {.type = (sensor_type_t)entry->type,
                            .source = (sys_source_t)entry->source,
                            .state = (sensor_state_t)entry->state,
                            .has_last_reading = age_s >= 0,
                            .last_reading = entry->last_wall_ns,
                            .has_age = age_s >= 0,
                            .age = age_s >= 0 ? age_s : 0,
                            .rate = registry_rate_hz(entry, now_ns),
                            .readings = entry->readings,
                            .errors = entry->errors,
                            .health = entry->health,
                            .quality = entry->quality,
                            .has_code = true,
                            .has_warnings = true,
                            .warnings = entry->warnings,
                            .has_last_warning = true};
  memcpy(status.sensor, entry->id, sizeof status.sensor);
  memcpy(status.last_error, entry->last_error, sizeof status.last_error);
  memcpy(status.code, entry->code, sizeof status.code);
  memcpy(status.last_warning, entry->last_warning, sizeof status.last_warning);
  return status;
}

static void publish_status(processor_t *self, registry_entry_t *entry, uint64_t now_ns) {
  sensor_status_t status = status_of(entry, now_ns);
  bus_publish(self->service->bus, TOPIC_SENSOR_STATUS, entry->id, &status);
}

static void publish_event(processor_t *self, const registry_entry_t *entry, bool offline) {
  sys_event_t event = {.category = SYS_CATEGORY_STATE,
                       .severity = offline ? SYS_SEVERITY_WARNING : SYS_SEVERITY_INFO};
  snprintf(event.id, sizeof event.id, "%s", offline ? "SENSOR-OFFLINE" : "SENSOR-ONLINE");
  snprintf(event.subject, sizeof event.subject, "%s", entry->id);
  snprintf(event.message, sizeof event.message, "sensor %s %s", entry->id,
           offline ? "no longer delivers" : "delivers");
  bus_publish(self->service->bus, TOPIC_EVENT, self->service->name, &event);
  if (offline)
    log_warn("SENSOR-OFFLINE", "%s", event.message);
  else
    log_info("SENSOR-ONLINE", "%s", event.message);
}

static void tell_change(processor_t *self, registry_entry_t *entry, registry_state_t before) {
  alerts_t *alerts = self->service->alerts;
  bool offline = entry->state == REGISTRY_OFFLINE;
  bool online = entry->state == REGISTRY_ONLINE && before != REGISTRY_DEGRADED;
  if (offline || online) publish_event(self, entry, offline);
  if (offline) findings_clear(self, entry);
  if (offline)
    alerts_raise(alerts, "SENSOR-OFFLINE", entry->id, SYS_SEVERITY_WARNING,
                 "sensor %s no longer delivers", entry->id);
  else
    alerts_clear(alerts, "SENSOR-OFFLINE", entry->id);
}

static void count_rows(processor_t *self) {
  const recorder_counts_t *counts = recorder_get_counts(self->recorder);
  metric_add(self->thinned, (double)(counts->thinned - self->counted.thinned));
  metric_add(self->lost, (double)(counts->refused - self->counted.refused));
  self->counted = *counts;
}

static void on_tick(void *arg) {
  processor_t *self = arg;
  uint64_t now_ns = clock_mono_ns();
  bool second = ++self->ticks % STATUS_TICKS == 0;
  for (uint32_t i = 0; i < self->registry.count; i++) {
    registry_entry_t *entry = &self->registry.entries[i];
    registry_state_t before = entry->state;
    bool changed = registry_tick(&self->registry, entry, now_ns);
    if (changed) tell_change(self, entry, before);
    if (changed || second) publish_status(self, entry, now_ns);
  }
  if (!second) return;
  count_rows(self);
  settings_tick(self);
  calibrating_tick(self, now_ns);
}

void status_count(const processor_t *self, uint32_t *sensors, uint32_t *offline) {
  *sensors = self->registry.count;
  *offline = 0;
  for (uint32_t i = 0; i < self->registry.count; i++)
    *offline += self->registry.entries[i].state == REGISTRY_OFFLINE;
}

gantry_err_t status_start(processor_t *self) {
  return loop_every(self->service->loop, TICK_MS, on_tick, self) > 0 ? GANTRY_OK
                                                                     : GANTRY_E_INTERNAL;
}
