/* raw.* from the bus into the pipeline. */
#include "pipeline.h"

#include <string.h>

#include <gantry/clock.h>

origin_t origin_of_frame(const frame_t *frame, sys_source_t source) {
  cause_t cause = frame_cause(frame);
  return (origin_t){.cause = cause,
                    .source = source,
                    .time_ns = frame->header.wall,
                    .mono_ns = cause.born_ns ? cause.born_ns : clock_mono_ns(),
                    .base = 1};
}

static void on_raw_scan(const frame_t *frame, const void *body, void *arg) {
  const raw_scan_t *raw = body;
  origin_t origin = origin_of_frame(frame, raw->source);
  outcome_t outcome;
  gantry_fault_t fault;
  pipeline_scan(arg, &origin, raw, &outcome, &fault);
}

static void on_raw_imu(const frame_t *frame, const void *body, void *arg) {
  const raw_imu_t *raw = body;
  origin_t origin = origin_of_frame(frame, raw->source);
  outcome_t outcome;
  gantry_fault_t fault;
  pipeline_imu(arg, &origin, raw, &outcome, &fault);
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
  origin_t origin = origin_of_frame(frame, raw->source);
  outcome_t outcome;
  gantry_fault_t fault;
  pipeline_range(arg, &origin, raw, range_type(arg, raw), 1, &outcome, &fault);
}

static void on_raw_value(const frame_t *frame, const void *body, void *arg) {
  const raw_value_t *raw = body;
  origin_t origin = origin_of_frame(frame, raw->source);
  outcome_t outcome;
  gantry_fault_t fault;
  origin.unit = raw->unit;
  pipeline_value(arg, &origin, raw->sensor, raw->value, &outcome, &fault);
}

static void on_raw_tag(const frame_t *frame, const void *body, void *arg) {
  const raw_tag_t *raw = body;
  origin_t origin = origin_of_frame(frame, raw->source);
  outcome_t outcome;
  gantry_fault_t fault;
  sensor_tag_t seen = {.source = raw->source, .signal = raw->signal};
  memcpy(seen.sensor, raw->sensor, sizeof seen.sensor);
  memcpy(seen.tag, raw->tag, sizeof raw->tag);
  pipeline_tag(arg, &origin, &seen, &outcome, &fault);
}

gantry_err_t pipeline_start(processor_t *self) {
  bus_t *bus = self->service->bus;
  GANTRY_TRY(bus_subscribe(bus, TOPIC_RAW_SCAN, NULL, 0, on_raw_scan, self));
  GANTRY_TRY(bus_subscribe(bus, TOPIC_RAW_IMU, NULL, 0, on_raw_imu, self));
  GANTRY_TRY(bus_subscribe(bus, TOPIC_RAW_RANGE, NULL, 0, on_raw_range, self));
  GANTRY_TRY(bus_subscribe(bus, TOPIC_RAW_VALUE, NULL, 0, on_raw_value, self));
  return bus_subscribe(bus, TOPIC_RAW_TAG, NULL, 0, on_raw_tag, self);
}
