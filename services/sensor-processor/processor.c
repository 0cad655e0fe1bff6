/* Wiring of the sensor-processor. */
#include "processor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "pipeline.h"
#include "calibrating.h"
#include "processor_self.h"
#include "requests.h"
#include "status.h"

#define GATHER_MS 5u /* longest wait of a row for others: the live page shows them, too */

_Static_assert((int)REGISTRY_TYPE_COUNT == (int)SENSOR_TYPE_COUNT, "types of the wire");
_Static_assert((int)REGISTRY_LIDAR == (int)SENSOR_TYPE_LIDAR, "types of the wire");
_Static_assert((int)REGISTRY_OFFLINE == (int)SENSOR_STATE_OFFLINE, "states of the wire");
_Static_assert(REGISTRY_ID_MAX + 1 == sizeof((sensor_status_t *)0)->sensor, "ids of the wire");
_Static_assert(REGISTRY_FINDING_COUNT <= 16, "counts of sensor.explained");
_Static_assert(HISTORY_MAX == sizeof((sensor_recent_t *)0)->rows / sizeof(sensor_recent_row_t),
               "rows of sensor.recent");
_Static_assert(SCAN_RAYS_MAX == sizeof((sensor_scan_t *)0)->qualities, "rays of the wire");

static void register_metrics(processor_t *self) {
  metrics_t *metrics = self->service->metrics;
  for (int i = 0; i < REGISTRY_TYPE_COUNT; i++) {
    char labels[32];
    snprintf(labels, sizeof labels, "type=\"%s\"", desc_enum_text(&SENSOR_TYPE_ENUM, i));
    self->accepted[i] =
        metrics_counter(metrics, "gantry_readings_total", labels, "Readings accepted");
    self->refused[i] =
        metrics_counter(metrics, "gantry_readings_refused_total", labels, "Readings refused");
  }
  self->thinned = metrics_counter(metrics, "gantry_readings_thinned_total", "",
                                  "Readings left out of the database between sessions");
  self->lost = metrics_counter(metrics, "gantry_readings_lost_total", "",
                               "Readings that found no room on disk");
  self->found =
      metrics_counter(metrics, "gantry_findings_total", "", "Readings that met a validation rule");
  self->latency_ms = metrics_summary(metrics, "gantry_reading_age_ms", "",
                                     "Age of a reading when it leaves the processor, ms");
}

static void configure(processor_t *self) {
  const config_t *config = self->service->config;
  registry_rule_t rule = options_registry_rule(config);
  registry_init(&self->registry, &rule);
  self->register_unknown = strcmp(config_text(config, "unknown_sensors"), "register") == 0;
  self->extended_types = config_bool(config, "allow_extended_types");
  self->limits = options_limits(config);
  self->bench_limits = (rules_bench_t){.force_high = config_real(config, "force_high"),
                                       .motor = config_real(config, "motor_high")};
  self->filter_window = (uint32_t)config_int(config, "filter_window");
  self->scan_rule = options_scan_rule(config);
  self->tag_rule = options_tag_rule(config);
  sightings_init(&self->sightings, (uint64_t)config_int(config, "tag_period_ms") * 1000000u);
  self->obstacle_m = config_real(config, "proximity_obstacle");
  self->obstacle_confidence = config_real(config, "proximity_obstacle_confidence");
  self->moving_mps2 = config_real(config, "moving_threshold");
}

static void on_session(bool recording, void *arg) {
  processor_t *self = arg;
  (void)recording;
  bench_on_session(self->bench);
  session_set_bench(self->session, bench_runs(self->bench));
}

static gantry_err_t begin_recording(processor_t *self, gantry_fault_t *fault) {
  const config_t *config = self->service->config;
  const recorder_settings_t settings = {.service = self->service->name,
                                        .scan_hz = config_real(config, "scan_rate_hz"),
                                        .sample_hz = config_real(config, "sample_rate_hz"),
                                        .gather_ms = GATHER_MS};
  gantry_err_t err =
      recorder_new(self->service->bus, self->service->loop, &settings, &self->recorder);
  if (err != GANTRY_OK) return fault_set(fault, err, "", "out of memory");
  err = bench_open(self, &self->bench);
  if (err != GANTRY_OK) return fault_set(fault, err, "", "the simulated bench cannot start");
  err = session_open(self->service, self->recorder, on_session, self, &self->session, fault);
  if (err == GANTRY_OK) session_set_bench(self->session, bench_runs(self->bench));
  return err;
}

static gantry_err_t start(service_t *service, void **out, gantry_fault_t *fault) {
  processor_t *self = calloc(1, sizeof *self);
  if (!self) return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  *out = self;
  self->service = service;
  configure(self);
  register_metrics(self);
  gantry_err_t err = types_init(&self->types);
  if (err == GANTRY_OK && begin_recording(self, fault) != GANTRY_OK) return fault->err;
  if (err == GANTRY_OK) err = ingest_start(self);
  if (err == GANTRY_OK) err = explain_start(self);
  if (err == GANTRY_OK) err = settings_start(self);
  if (err == GANTRY_OK) err = calibrating_start(self);
  if (err == GANTRY_OK) err = pipeline_start(self);
  if (err == GANTRY_OK) err = status_start(self);
  return err == GANTRY_OK ? GANTRY_OK : fault_set(fault, err, "", "cannot join the bus");
}

static void stop(void **out) {
  processor_t *self = *out;
  if (!self) return;
  bench_close(&self->bench);
  session_close(&self->session);
  recorder_destroy(&self->recorder);
  registry_fini(&self->registry);
  types_fini(&self->types);
  buf_fini(&self->json);
  free(self);
  *out = NULL;
}

static void health(void *arg, sys_health_t *out) {
  const processor_t *self = arg;
  uint32_t sensors, offline;
  status_count(self, &sensors, &offline);
  out->status = offline > 0 ? SYS_STATUS_DEGRADED : SYS_STATUS_READY;
  if (offline > 0)
    snprintf(out->detail, sizeof out->detail, "%u of %u sensors are offline", offline, sensors);
  else if (self->strangers > 0)
    snprintf(out->detail, sizeof out->detail,
             "refused %llu readings of sensors that are not known or found no room",
             (unsigned long long)self->strangers);
}

const service_def_t SENSOR_PROCESSOR = {
    .name = "sensor-processor",
    .doc = "Checks, filters and scores every reading, from the line or from the API.",
    .options = SENSOR_OPTIONS,
    .option_count = SENSOR_OPTION_COUNT,
    .start = start,
    .stop = stop,
    .health = health,
};
