/* sensor.calibration_*: runs, and the way of what comes of them into storage and into force. */
#include "calibrating.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "requests.h"

#define SILENCE_NS   (600ull * GANTRY_NS_PER_S)
#define STILL_M      0.02 /* deviation of a distance that does not change */
#define STILL_SCAN_M 0.03
#define STILL_MPS2   0.5
#define STILL_SHARE  0.05 /* of a number's bounds, where it has some */

/* ---- runs */

static guided_t *find(processor_t *self, const char *sensor) {
  for (int i = 0; i < CALIBRATING_MAX; i++)
    if (strcmp(self->guided[i].run.said.sensor, sensor) == 0) return &self->guided[i];
  return NULL;
}

static void drop(processor_t *self, guided_t *guided) {
  *guided = (guided_t){0};
  self->guided_count--;
}

static double still_of(const registry_entry_t *entry) {
  double width = entry->rule.max - entry->rule.min;
  switch (entry->type) {
  case REGISTRY_ACCELEROMETER:
    return STILL_MPS2;
  case REGISTRY_PROXIMITY:
  case REGISTRY_RANGE:
    return STILL_M;
  case REGISTRY_LIDAR:
    return STILL_SCAN_M;
  default:
    return isfinite(width) ? STILL_SHARE * width : 0;
  }
}

void calibrating_take(processor_t *self, const registry_entry_t *entry, const double *measured,
                      uint32_t channels) {
  double value[RUN_CHANNELS] = {0};
  guided_t *guided = self->guided_count ? find(self, entry->id) : NULL;
  if (!guided || guided->run.said.state != SENSOR_CALIBRATION_STATE_COLLECTING) return;
  for (uint32_t i = 0; i < channels; i++)
    value[i] = entry->rule.factor * measured[i] + entry->rule.shift;
  run_take(&guided->run, value);
  guided->touched_ns = clock_mono_ns();
}

void calibrating_take_sweep(processor_t *self, const registry_entry_t *entry,
                            const raw_scan_t *raw) {
  guided_t *guided = self->guided_count ? find(self, entry->id) : NULL;
  if (!guided || guided->run.said.state != SENSOR_CALIBRATION_STATE_COLLECTING) return;
  run_take_sweep(&guided->run, raw->angles, raw->ranges, raw->qualities, raw->ranges_count);
  guided->touched_ns = clock_mono_ns();
}

void calibrating_tick(processor_t *self, uint64_t now_ns) {
  for (int i = 0; i < CALIBRATING_MAX && self->guided_count > 0; i++) {
    guided_t *guided = &self->guided[i];
    if (!guided->run.said.sensor[0] || now_ns < guided->touched_ns + SILENCE_NS) continue;
    log_warn("CALIBRATION-GIVEN-UP", "%s: nothing was heard of it for ten minutes",
             guided->run.said.sensor);
    drop(self, guided);
  }
}

void calibrating_end(processor_t *self, uint32_t serial) {
  for (int i = 0; i < CALIBRATING_MAX && serial; i++)
    if (self->guided[i].serial == serial) drop(self, &self->guided[i]);
}

/* ---- the requests */

/* The sensor's run; NULL when there is none, and the request is answered. */
static guided_t *running(processor_t *self, rpc_context_t *call, const char *sensor) {
  guided_t *guided = find(self, sensor);
  if (guided)
    guided->touched_ns = clock_mono_ns();
  else
    rpc_fail(call, GANTRY_E_NOT_FOUND, "sensor", "%s is not being calibrated: begin it first",
             sensor);
  return guided;
}

/* What storage could not take in the end is told from the start. */
static void tell(processor_t *self, rpc_context_t *call, guided_t *guided) {
  sensor_calibration_run_t *said = &guided->run.said;
  const registry_entry_t *entry = registry_find(&self->registry, said->sensor);
  run_look(&guided->run, &entry->calibration);
  if (said->state == SENSOR_CALIBRATION_STATE_READY && !entry->configured)
    snprintf(said->advice, sizeof said->advice,
             "configure the sensor (sensor.configure), then activate it: storage keeps "
             "calibrations of configured sensors alone");
  rpc_reply(call, said);
}

static run_sensor_t sensor_of(const processor_t *self, const registry_entry_t *entry) {
  return (run_sensor_t){.family = (sensor_type_t)entry->type,
                        .in_force = entry->calibration,
                        .still = still_of(entry),
                        .range_min_m = self->scan_rule.range_min_m,
                        .range_max_m = self->scan_rule.range_max_m,
                        .quality_min = self->scan_rule.quality_min};
}

static void on_begin(rpc_context_t *call, const void *body, void *arg) {
  processor_t *self = arg;
  const sensor_calibration_begin_t *begin = body;
  gantry_fault_t fault = {0};
  const registry_entry_t *entry = registry_find(&self->registry, begin->sensor);
  if (!entry) {
    rpc_fail(call, GANTRY_E_NOT_FOUND, "sensor", "no sensor %s", begin->sensor);
    return;
  }
  guided_t *guided = find(self, begin->sensor);
  bool fresh = !guided;
  if (fresh) guided = find(self, "");
  if (!guided) {
    rpc_fail(call, GANTRY_E_CONFLICT, "sensor", "%d sensors are being calibrated: end one first",
             CALIBRATING_MAX);
    return;
  }
  run_sensor_t sensor = sensor_of(self, entry);
  if (run_begin(&guided->run, &sensor, begin, &fault) != GANTRY_OK) {
    rpc_fail_fault(call, &fault);
    return;
  }
  if (fresh) guided->serial = ++self->guided_serial;
  self->guided_count += fresh;
  guided->touched_ns = clock_mono_ns();
  tell(self, call, guided);
}

static void on_state(rpc_context_t *call, const void *body, void *arg) {
  guided_t *guided = running(arg, call, ((const sensor_sensor_key_t *)body)->sensor);
  if (guided) tell(arg, call, guided);
}

static void on_activate(rpc_context_t *call, const void *body, void *arg) {
  processor_t *self = arg;
  const char *sensor = ((const sensor_sensor_key_t *)body)->sensor;
  guided_t *guided = running(self, call, sensor);
  if (!guided) return;
  sensor_calibration_run_t *said = &guided->run.said;
  run_look(&guided->run, &registry_find(&self->registry, sensor)->calibration);
  if (said->state != SENSOR_CALIBRATION_STATE_READY) {
    rpc_fail(call, GANTRY_E_CONFLICT, "", "not ready: %s", said->advice);
    return;
  }
  sensor_calibrate_t calibrate = {0};
  memcpy(calibrate.sensor, said->sensor, sizeof calibrate.sensor);
  memcpy(calibrate.calibration, said->calibration, sizeof said->calibration);
  settings_calibrate(self, call, &calibrate, guided->serial);
}

static void on_cancel(rpc_context_t *call, const void *body, void *arg) {
  guided_t *guided = running(arg, call, ((const sensor_sensor_key_t *)body)->sensor);
  if (!guided) return;
  drop(arg, guided);
  rpc_reply(call, body);
}

/* ---- the way back */

/* The version that is to hold again: the one asked for, or the one before the active one. */
static const sensor_calibration_version_t *choose(const sensor_calibration_versions_t *stored,
                                                  const sensor_calibration_rollback_t *back) {
  for (uint32_t i = 0; i < stored->versions_count; i++) {
    const sensor_calibration_version_t *version = &stored->versions[i];
    if (back->has_version && version->version == back->version) return version;
    if (!back->has_version && version->active)
      return i + 1 < stored->versions_count ? version + 1 : NULL;
  }
  return NULL;
}

static void on_history(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                       const sys_header_t *header, void *arg) {
  rollback_call_t *waiting = arg;
  rpc_context_t *call = waiting->call;
  (void)header;
  waiting->call = NULL;
  if (err == GANTRY_E_TIMEOUT || err == GANTRY_E_UNAVAILABLE) {
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "",
             "storage did not tell the calibrations so far; nothing was changed");
    return;
  }
  if (err != GANTRY_OK) {
    rpc_fail_fault(call, fault);
    return;
  }
  const sensor_calibration_version_t *version = choose(reply, &waiting->back);
  if (!version) {
    rpc_fail(call, GANTRY_E_NOT_FOUND, "version",
             waiting->back.has_version ? "%s has no calibration %u among its newest hundred"
                                       : "%s has no calibration before the one in force",
             waiting->back.sensor, waiting->back.version);
    return;
  }
  sensor_calibrate_t calibrate = {0};
  memcpy(calibrate.sensor, waiting->back.sensor, sizeof calibrate.sensor);
  memcpy(calibrate.calibration, version->calibration, sizeof calibrate.calibration);
  settings_calibrate(waiting->processor, call, &calibrate, 0);
}

static void on_rollback(rpc_context_t *call, const void *body, void *arg) {
  processor_t *self = arg;
  const sensor_calibration_rollback_t *back = body;
  store_sensor_key_t key = {0};
  gantry_fault_t fault = {0};
  cause_t cause = rpc_cause(call);
  int i = 0;
  if (!registry_find(&self->registry, back->sensor)) {
    rpc_fail(call, GANTRY_E_NOT_FOUND, "sensor", "no sensor %s", back->sensor);
    return;
  }
  while (i < SETTINGS_CALLS && self->rollbacks[i].call)
    i++;
  if (i == SETTINGS_CALLS) {
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "%d rollbacks already wait for storage", i);
    return;
  }
  rollback_call_t *waiting = &self->rollbacks[i];
  *waiting = (rollback_call_t){.processor = self, .call = call, .back = *back};
  memcpy(key.sensor, back->sensor, sizeof key.sensor);
  gantry_err_t err = rpc_call(self->service->client, REQUEST_STORE_CALIBRATIONS, NULL, &cause, &key,
                              0, on_history, waiting);
  if (err != GANTRY_OK) on_history(GANTRY_E_UNAVAILABLE, &fault, NULL, NULL, waiting);
}

gantry_err_t calibrating_start(processor_t *self) {
  rpc_server_t *server = self->service->server;
  GANTRY_TRY(rpc_serve(server, REQUEST_SENSOR_CALIBRATION_BEGIN, on_begin, self));
  GANTRY_TRY(rpc_serve(server, REQUEST_SENSOR_CALIBRATION_STATE, on_state, self));
  GANTRY_TRY(rpc_serve(server, REQUEST_SENSOR_CALIBRATION_ACTIVATE, on_activate, self));
  GANTRY_TRY(rpc_serve(server, REQUEST_SENSOR_CALIBRATION_CANCEL, on_cancel, self));
  return rpc_serve(server, REQUEST_SENSOR_CALIBRATION_ROLLBACK, on_rollback, self);
}
