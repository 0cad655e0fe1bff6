/* Readings from the thread into the pipeline, faults from requests into the thread. */
#include "bench.h"

#include <gantry/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_driver.h"
#include "findings.h"
#include "pipeline.h"

#define ALL_KINDS ((1u << BENCH_KIND_COUNT) - 1)

_Static_assert((int)BENCH_OVEREXPOSED == (int)SENSOR_FAULT_OVEREXPOSED, "faults of the wire");
_Static_assert((int)BENCH_FAULT_COUNT == (int)SENSOR_FAULT_COUNT, "faults of the wire");

typedef enum bench_mode { MODE_OFF, MODE_RECORDING, MODE_ALWAYS } bench_mode_t;

struct bench {
  processor_t *processor;
  bench_mode_t mode;
  bench_driver_t *driver; /* NULL: the bench is off */
  uint32_t running;       /* bits of bench_kind_t */
};

/* ---- readings */

static void give_image(processor_t *processor, const bench_sample_t *sample,
                       const origin_t *origin) {
  char json[128];
  outcome_t outcome;
  gantry_fault_t fault;
  int len = snprintf(json, sizeof json,
                     "{\"image_id\":%u,\"resolution\":\"640x480\",\"brightness\":%.0f,"
                     "\"exposure\":%.2f}",
                     sample->image_id, sample->value, sample->exposure);
  (void)pipeline_object(processor, origin, bench_kind_name(sample->kind), json, (size_t)len,
                        &outcome, &fault);
}

/* What the pipeline refuses (a fault out of range) it counts and names in the sensor's status. */
static void give(processor_t *processor, const bench_sample_t *sample) {
  const char *name = bench_kind_name(sample->kind);
  outcome_t outcome;
  gantry_fault_t fault;
  origin_t origin = {.cause = {.born_ns = sample->mono_ns},
                     .code = name,
                     .source = SYS_SOURCE_SIMULATED,
                     .time_ns = sample->time_ns,
                     .mono_ns = sample->mono_ns,
                     .number = sample->number,
                     .base = 1};
  if (sample->kind == BENCH_CAMERA)
    give_image(processor, sample, &origin);
  else
    (void)pipeline_value(processor, &origin, name, sample->value, &outcome, &fault);
}

/* One that was made before its sensor was let rest is not given any more. */
static void on_samples(void *arg) {
  bench_t *bench = arg;
  bench_sample_t sample;
  while (bench_driver_take(bench->driver, &sample))
    if (bench->running >> sample.kind & 1) give(bench->processor, &sample);
}

/* ---- when they run */

static bool is_listed(const session_session_t *session, const char *sensor) {
  for (uint32_t i = 0; i < session->sensors_count; i++)
    if (strcmp(session->sensors[i], sensor) == 0) return true;
  return session->sensors_count == 0;
}

static uint32_t recorded_kinds(const session_t *session) {
  uint32_t kinds = 0;
  if (!session || !session_is_recording(session)) return 0;
  for (int kind = 0; kind < BENCH_KIND_COUNT; kind++)
    kinds |= (uint32_t)is_listed(session_now(session), bench_kind_name((bench_kind_t)kind)) << kind;
  return kinds;
}

/* A sensor that was let rest is silent, but not for a fault. */
static void let_rest(bench_t *bench, uint32_t kinds) {
  for (int kind = 0; kind < BENCH_KIND_COUNT; kind++) {
    if (!(kinds >> kind & 1)) continue;
    registry_entry_t *entry =
        registry_find(&bench->processor->registry, bench_kind_name((bench_kind_t)kind));
    if (!entry) continue;
    entry->resting = true;
    findings_clear(bench->processor, entry);
  }
}

static void run_kinds(bench_t *bench, uint32_t kinds) {
  if (kinds == bench->running) return;
  let_rest(bench, bench->running & ~kinds);
  bench->running = kinds;
  bench_driver_run(bench->driver, kinds);
}

void bench_on_session(bench_t *bench) {
  if (bench->mode == MODE_RECORDING) run_kinds(bench, recorded_kinds(bench->processor->session));
}

bool bench_runs(const bench_t *bench) {
  return bench->running != 0;
}

/* ---- sensor.simulate */

static int kind_of(const char *name) {
  int kind = 0;
  while (kind < BENCH_KIND_COUNT && strcmp(bench_kind_name((bench_kind_t)kind), name) != 0)
    kind++;
  return kind;
}

static gantry_err_t check(const bench_t *bench, const sensor_simulate_t *takes, int kind,
                          gantry_fault_t *fault) {
  if (kind == BENCH_KIND_COUNT)
    return fault_set(fault, GANTRY_E_NOT_FOUND, "sensor_type",
                     "no simulated sensor %s: there are force, motor and camera",
                     takes->sensor_type);
  if (!bench_fault_fits((bench_kind_t)kind, (bench_fault_t)takes->event))
    return fault_set(fault, GANTRY_E_INVALID, "event", "%s is a fault of the camera alone",
                     desc_enum_text(&SENSOR_FAULT_ENUM, (int)takes->event));
  if (!bench->driver)
    return fault_set(fault, GANTRY_E_CONFLICT, "",
                     "the simulated bench is off: set option bench of sensor-processor to recording"
                     " or always");
  return GANTRY_OK;
}

static void on_simulate(rpc_context_t *call, const void *body, void *arg) {
  bench_t *bench = arg;
  const sensor_simulate_t *takes = body;
  gantry_fault_t wrong;
  int at = kind_of(takes->sensor_type);
  if (check(bench, takes, at, &wrong) != GANTRY_OK) {
    rpc_fail_fault(call, &wrong);
    return;
  }
  bench_kind_t kind = (bench_kind_t)at;
  bench_fault_t fault = (bench_fault_t)takes->event;
  sensor_simulated_t gives = {
      .event = takes->event,
      .duration = takes->has_duration ? takes->duration : bench_fault_duration(fault),
      .amplitude = takes->has_amplitude ? takes->amplitude : bench_fault_amplitude(kind, fault),
      .from = clock_wall_ns(),
      .running = bench->running >> kind & 1,
  };
  memcpy(gives.sensor_type, takes->sensor_type, sizeof gives.sensor_type);
  if (!bench_driver_put(bench->driver, kind, fault, gives.duration, gives.amplitude)) {
    rpc_fail(call, GANTRY_E_CONFLICT, "", "too many faults wait to be put in: ask again");
    return;
  }
  log_info("BENCH-FAULT", "%s: %s for %g s, amplitude %g", takes->sensor_type,
           desc_enum_text(&SENSOR_FAULT_ENUM, (int)takes->event), gives.duration, gives.amplitude);
  rpc_reply(call, &gives);
}

/* ---- life */

static gantry_err_t start_driver(bench_t *self, service_t *service) {
  const config_t *config = service->config;
  const bench_driver_settings_t settings = {.rate_hz = {config_real(config, "force_hz"),
                                                        config_real(config, "motor_hz"),
                                                        config_real(config, "camera_hz")},
                                            .seed = (uint64_t)config_int(config, "bench_seed")};
  GANTRY_TRY(bench_driver_new(&settings, &self->driver));
  return loop_watch(service->loop, bench_driver_fd(self->driver), on_samples, self);
}

static bench_mode_t read_mode(const config_t *config) {
  const char *text = config_text(config, "bench");
  if (strcmp(text, "off") == 0) return MODE_OFF;
  return strcmp(text, "always") == 0 ? MODE_ALWAYS : MODE_RECORDING;
}

gantry_err_t bench_open(struct processor *processor, bench_t **out) {
  service_t *service = processor->service;
  bench_t *self = calloc(1, sizeof *self);
  *out = self;
  if (!self) return GANTRY_E_INTERNAL;
  self->processor = processor;
  self->mode = read_mode(service->config);
  GANTRY_TRY(rpc_serve(service->server, REQUEST_SENSOR_SIMULATE, on_simulate, self));
  if (self->mode == MODE_OFF) return GANTRY_OK;
  GANTRY_TRY(start_driver(self, service));
  if (self->mode == MODE_ALWAYS) run_kinds(self, ALL_KINDS);
  return GANTRY_OK;
}

void bench_close(bench_t **self) {
  bench_t *bench = *self;
  if (!bench) return;
  if (bench->driver) {
    loop_unwatch(bench->processor->service->loop, bench_driver_fd(bench->driver));
    bench_driver_destroy(&bench->driver);
  }
  free(bench);
  *self = NULL;
}
