/* sensor.ingest: readings from the API through the same pipeline as those from the line. */
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "payload.h"
#include "pipeline.h"
#include "requests.h"

/* One reading from outside on its way. */
typedef struct ingest {
  processor_t *self;
  const sensor_ingest_t *takes;
  cause_t cause;
  outcome_t outcome;
  gantry_fault_t fault;
} ingest_t;

static gantry_err_t ingest_tag(ingest_t *in) {
  sensor_tag_t seen = {.source = SYS_SOURCE_API};
  memcpy(seen.sensor, in->takes->sensor, sizeof seen.sensor);
  GANTRY_TRY(payload_tag(in->takes->data, &in->self->limits, &seen, &in->fault));
  return pipeline_tag(in->self, &in->cause, &seen, in->takes->quality, &in->outcome, &in->fault);
}

static gantry_err_t ingest_imu(ingest_t *in) {
  raw_imu_t raw = {.source = SYS_SOURCE_API};
  memcpy(raw.sensor, in->takes->sensor, sizeof raw.sensor);
  GANTRY_TRY(payload_imu(in->takes->data, &in->self->limits, &raw, &in->fault));
  return pipeline_imu(in->self, &in->cause, &raw, in->takes->quality, &in->outcome, &in->fault);
}

static gantry_err_t ingest_range(ingest_t *in) {
  raw_range_t raw = {.source = SYS_SOURCE_API};
  double confidence = 1;
  memcpy(raw.sensor, in->takes->sensor, sizeof raw.sensor);
  if (in->takes->type == SENSOR_TYPE_PROXIMITY)
    GANTRY_TRY(
        payload_proximity(in->takes->data, &in->self->limits, &raw, &confidence, &in->fault));
  else
    GANTRY_TRY(payload_range(in->takes->data, &in->self->limits, &raw, &in->fault));
  return pipeline_range(in->self, &in->cause, &raw, in->takes->type, confidence, in->takes->quality,
                        &in->outcome, &in->fault);
}

static gantry_err_t ingest_value(ingest_t *in) {
  raw_value_t raw = {.source = SYS_SOURCE_API};
  memcpy(raw.sensor, in->takes->sensor, sizeof raw.sensor);
  GANTRY_TRY(payload_value(in->takes->data, &raw, &in->fault));
  return pipeline_value(in->self, &in->cause, &raw, in->takes->quality, &in->outcome, &in->fault);
}

static gantry_err_t ingest_scan(ingest_t *in) {
  raw_scan_t *raw = &in->self->given;
  raw->source = SYS_SOURCE_API;
  memcpy(raw->sensor, in->takes->sensor, sizeof raw->sensor);
  GANTRY_TRY(payload_scan(in->takes->data, &in->self->limits, raw, &in->fault));
  return pipeline_scan(in->self, &in->cause, raw, in->takes->quality, &in->outcome, &in->fault);
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
    return fault_set(&in->fault, GANTRY_E_NOT_IMPLEMENTED, "type",
                     "readings of type object are not taken yet");
  }
  return fault_set(&in->fault, GANTRY_E_INVALID, "type", "unknown sensor type");
}

/* A payload's fault counts against the sensor it names, when that is known; the pipeline has
   already noted its own. */
static void refuse(ingest_t *in, uint64_t errors_before) {
  registry_entry_t *entry = registry_find(&in->self->registry, in->takes->sensor);
  if (entry && entry->errors == errors_before) pipeline_refuse(in->self, entry, &in->fault);
  char field[sizeof in->fault.field];
  bool bare = strncmp(in->fault.field, "data", 4) != 0 && in->fault.err == GANTRY_E_INVALID &&
              strcmp(in->fault.field, "sensor") != 0 && strcmp(in->fault.field, "type") != 0;
  snprintf(field, sizeof field, "%s%.90s", bare ? "data." : "", in->fault.field);
  memcpy(in->fault.field, field, sizeof field);
}

static void on_ingest(rpc_context_t *call, const void *body, void *arg) {
  ingest_t in = {.self = arg, .takes = body, .cause = rpc_cause(call)};
  const registry_entry_t *known = registry_find(&in.self->registry, in.takes->sensor);
  uint64_t errors = known ? known->errors : 0;
  gantry_err_t err = registry_check_id(in.takes->sensor);
  if (err != GANTRY_OK)
    fault_set(&in.fault, err, "sensor", "`%s` is a word of the API and cannot be a sensor id",
              in.takes->sensor);
  if (err == GANTRY_OK) err = dispatch(&in);
  if (err != GANTRY_OK) {
    refuse(&in, errors);
    rpc_fail_fault(call, &in.fault);
    return;
  }
  sensor_accepted_t gives = {
      .validity = in.outcome.validity, .quality = in.outcome.quality, .time = clock_wall_ns()};
  memcpy(gives.sensor, in.takes->sensor, sizeof gives.sensor);
  rpc_reply(call, &gives);
}

gantry_err_t ingest_start(processor_t *self) {
  return rpc_serve(self->service->server, REQUEST_SENSOR_INGEST, on_ingest, self);
}
