/* raw.* from the bus into the pipeline. */
#include "pipeline.h"

#include <string.h>

static void on_raw_scan(const frame_t *frame, const void *body, void *arg) {
  cause_t cause = frame_cause(frame);
  outcome_t outcome;
  gantry_fault_t fault;
  pipeline_scan(arg, &cause, body, 1, &outcome, &fault);
}

static void on_raw_imu(const frame_t *frame, const void *body, void *arg) {
  cause_t cause = frame_cause(frame);
  outcome_t outcome;
  gantry_fault_t fault;
  pipeline_imu(arg, &cause, body, 1, &outcome, &fault);
}

/* A sensor with a switch output is a proximity sensor, unless it was configured as something else.
 */
static sensor_type_t range_type(processor_t *self, const raw_range_t *raw) {
  const registry_entry_t *known = registry_find(&self->registry, raw->sensor);
  if (known && known->configured) return (sensor_type_t)known->type;
  return raw->has_detected ? SENSOR_TYPE_PROXIMITY : SENSOR_TYPE_RANGE;
}

static void on_raw_range(const frame_t *frame, const void *body, void *arg) {
  const raw_range_t *raw = body;
  cause_t cause = frame_cause(frame);
  outcome_t outcome;
  gantry_fault_t fault;
  pipeline_range(arg, &cause, raw, range_type(arg, raw), 1, 1, &outcome, &fault);
}

static void on_raw_value(const frame_t *frame, const void *body, void *arg) {
  cause_t cause = frame_cause(frame);
  outcome_t outcome;
  gantry_fault_t fault;
  pipeline_value(arg, &cause, body, 1, &outcome, &fault);
}

static void on_raw_tag(const frame_t *frame, const void *body, void *arg) {
  const raw_tag_t *raw = body;
  cause_t cause = frame_cause(frame);
  outcome_t outcome;
  gantry_fault_t fault;
  sensor_tag_t seen = {.source = raw->source, .signal = raw->signal};
  memcpy(seen.sensor, raw->sensor, sizeof seen.sensor);
  memcpy(seen.tag, raw->tag, sizeof raw->tag);
  pipeline_tag(arg, &cause, &seen, 1, &outcome, &fault);
}

gantry_err_t pipeline_start(processor_t *self) {
  bus_t *bus = self->service->bus;
  GANTRY_TRY(bus_subscribe(bus, TOPIC_RAW_SCAN, NULL, 0, on_raw_scan, self));
  GANTRY_TRY(bus_subscribe(bus, TOPIC_RAW_IMU, NULL, 0, on_raw_imu, self));
  GANTRY_TRY(bus_subscribe(bus, TOPIC_RAW_RANGE, NULL, 0, on_raw_range, self));
  GANTRY_TRY(bus_subscribe(bus, TOPIC_RAW_VALUE, NULL, 0, on_raw_value, self));
  return bus_subscribe(bus, TOPIC_RAW_TAG, NULL, 0, on_raw_tag, self);
}
