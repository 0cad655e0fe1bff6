/* sensor.ingest: readings from the API through the same pipeline as those from the line, answered
   once they are on disk. */
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "ingest_call.h"
#include "payload.h"
#include "pipeline.h"
#include "requests.h"

/* One reading from outside on its way. */
typedef struct ingest {
  processor_t *self;
  const sensor_ingest_t *takes;
  origin_t origin;
  outcome_t outcome;
  gantry_fault_t fault;
} ingest_t;

static gantry_err_t ingest_tag(ingest_t *in) {
  sensor_tag_t seen = {.source = in->origin.source};
  memcpy(seen.sensor, in->takes->sensor, sizeof seen.sensor);
  GANTRY_TRY(payload_tag(in->takes->data, &in->self->limits, &seen, &in->fault));
  return pipeline_tag(in->self, &in->origin, &seen, &in->outcome, &in->fault);
}

static gantry_err_t ingest_imu(ingest_t *in) {
  raw_imu_t raw = {.source = in->origin.source};
  memcpy(raw.sensor, in->takes->sensor, sizeof raw.sensor);
  GANTRY_TRY(payload_imu(in->takes->data, &in->self->limits, &raw, &in->fault));
  return pipeline_imu(in->self, &in->origin, &raw, &in->outcome, &in->fault);
}

static gantry_err_t ingest_range(ingest_t *in) {
  raw_range_t raw = {.source = in->origin.source};
  double confidence = 1;
  memcpy(raw.sensor, in->takes->sensor, sizeof raw.sensor);
  if (in->takes->type == SENSOR_TYPE_PROXIMITY)
    GANTRY_TRY(
        payload_proximity(in->takes->data, &in->self->limits, &raw, &confidence, &in->fault));
  else
    GANTRY_TRY(payload_range(in->takes->data, &in->self->limits, &raw, &in->fault));
  return pipeline_range(in->self, &in->origin, &raw, in->takes->type, confidence, &in->outcome,
                        &in->fault);
}

static gantry_err_t ingest_value(ingest_t *in) {
  raw_value_t raw = {.source = in->origin.source};
  GANTRY_TRY(payload_value(in->takes->data, &raw, &in->fault));
  origin_t origin = in->origin;
  origin.unit = raw.unit;
  return pipeline_value(in->self, &origin, in->takes->sensor, raw.value, &in->outcome, &in->fault);
}

static gantry_err_t ingest_object(ingest_t *in) {
  return pipeline_object(in->self, &in->origin, in->takes->sensor, in->takes->data,
                         strlen(in->takes->data), &in->outcome, &in->fault);
}

static gantry_err_t ingest_scan(ingest_t *in) {
  raw_scan_t *raw = &in->self->given;
  raw->source = in->origin.source;
  memcpy(raw->sensor, in->takes->sensor, sizeof raw->sensor);
  GANTRY_TRY(payload_scan(in->takes->data, &in->self->limits, raw, &in->fault));
  return pipeline_scan(in->self, &in->origin, raw, &in->outcome, &in->fault);
}

static gantry_err_t dispatch(ingest_t *in) {
  switch (in->takes->type) {
  case SENSOR_TYPE_RFID:
    return ingest_tag(in);
  case SENSOR_TYPE_ACCELEROMETER:
    return ingest_imu(in);
  case SENSOR_TYPE_PROXIMITY:
  case SENSOR_TYPE_RANGE:
    return ingest_range(in);
  case SENSOR_TYPE_LIDAR:
    return ingest_scan(in);
  case SENSOR_TYPE_VALUE:
    return ingest_value(in);
  case SENSOR_TYPE_OBJECT:
    return ingest_object(in);
  }
  return fault_set(&in->fault, GANTRY_E_INVALID, "type", "unknown sensor type");
}

/* A fault of what was given counts against the sensor it names, when that is known; the pipeline
   has already noted its own. The field is told as the sender wrote it. */
static void refuse(ingest_t *in, uint64_t errors_before) {
  static const char *const OWN[] = {"sensor", "type", "code", "time", "number"};
  registry_entry_t *entry = registry_find(&in->self->registry, in->takes->sensor);
  if (entry && in->fault.err == GANTRY_E_INVALID && entry->errors == errors_before)
    pipeline_malformed(in->self, entry, &in->fault);
  bool bare = in->fault.err == GANTRY_E_INVALID && strncmp(in->fault.field, "data", 4) != 0;
  for (size_t i = 0; i < sizeof OWN / sizeof OWN[0]; i++)
    bare = bare && strcmp(in->fault.field, OWN[i]) != 0;
  if (!bare) return;
  char field[sizeof in->fault.field];
  snprintf(field, sizeof field, "data.%.80s", in->fault.field);
  memcpy(in->fault.field, field, sizeof field);
}

static gantry_err_t check(const sensor_ingest_t *takes, gantry_fault_t *fault) {
  if (registry_check_id(takes->sensor) != GANTRY_OK)
    return fault_set(fault, GANTRY_E_INVALID, "sensor",
                     "`%s` is a reserved word and cannot be a sensor id", takes->sensor);
  if (takes->has_time && takes->time == 0)
    return fault_set(fault, GANTRY_E_INVALID, "time", "must be later than 1970");
  const char *family = desc_enum_text(&SENSOR_TYPE_ENUM, (int)takes->type);
  if (takes->has_code && !type_is_open(takes->type) && strcmp(takes->code, family) != 0)
    return fault_set(fault, GANTRY_E_INVALID, "code", "a sensor of type %s has no other code",
                     family);
  return GANTRY_OK;
}

static origin_t origin_of(const cause_t *cause, const sensor_ingest_t *takes) {
  sys_source_t source = takes->has_source ? takes->source : SYS_SOURCE_API;
  return (origin_t){.cause = *cause,
                    .code = takes->has_code ? takes->code : NULL,
                    .source = source,
                    .time_ns = takes->has_time ? takes->time : clock_wall_ns(),
                    .base = takes->quality,
                    .kept = true,
                    .replayed = source == SYS_SOURCE_REPLAY};
}

gantry_err_t ingest_take(processor_t *self, const sensor_ingest_t *takes, const cause_t *cause,
                         sensor_accepted_t *out, gantry_fault_t *fault) {
  ingest_t in = {.self = self, .takes = takes, .origin = origin_of(cause, takes)};
  const registry_entry_t *known = registry_find(&self->registry, takes->sensor);
  uint64_t errors = known ? known->errors : 0;
  gantry_err_t err = check(takes, &in.fault);
  if (err == GANTRY_OK) err = dispatch(&in);
  if (err != GANTRY_OK) {
    refuse(&in, errors);
    *fault = in.fault;
    return err;
  }
  *out = (sensor_accepted_t){
      .validity = in.outcome.validity, .quality = in.outcome.quality, .time = in.origin.time_ns};
  memcpy(out->sensor, takes->sensor, sizeof out->sensor);
  return GANTRY_OK;
}

static void on_ingest(rpc_context_t *call, const void *body, void *arg) {
  processor_t *self = arg;
  cause_t cause = rpc_cause(call);
  gantry_fault_t fault;
  ingest_call_t *waiting = ingest_take_call(self, call);
  if (!waiting) return;
  if (ingest_take(self, body, &cause, &waiting->accepted, &fault) == GANTRY_OK) {
    ingest_answer_once_kept(waiting);
    return;
  }
  ingest_give_back(waiting);
  rpc_fail_fault(call, &fault);
}

gantry_err_t ingest_start(processor_t *self) {
  GANTRY_TRY(rpc_serve(self->service->server, REQUEST_SENSOR_INGEST, on_ingest, self));
  GANTRY_TRY(rpc_serve(self->service->server, REQUEST_SENSOR_INGEST_EACH, on_ingest_each, self));
  return rpc_serve(self->service->server, REQUEST_SENSOR_INGEST_BATCH, on_ingest_batch, self);
}
