/* Readings: calibrate, check, filter, score, publish. */
#include "pipeline.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "reading_row.h"

#define GRAVITY_MPS2       9.81
#define GAP_NS             1000000000u /* after a longer silence the filters begin anew */
#define ACCELERATION_SCALE 2.0         /* m/s2 off the mean: half as consistent */
#define RANGE_SCALE_SHARE  0.1         /* of the bounds' width, the same */

/* What is being worked on: one reading of one sensor. */
typedef struct work {
  processor_t *self;
  registry_entry_t *entry;
  uint64_t now_ns;
  double since_s; /* since the previous reading; 0: none */
  bool jumped;
  gantry_fault_t *fault;
} work_t;

gantry_err_t pipeline_refuse(processor_t *self, registry_entry_t *entry,
                             const gantry_fault_t *fault) {
  if (!entry) return fault->err;
  char text[REGISTRY_ERROR_MAX + 1];
  snprintf(text, sizeof text, "%.30s: %.90s", fault->field, fault->detail);
  registry_refuse(entry, clock_mono_ns(), text);
  metric_add(self->refused[entry->type], 1);
  log_debug("READING-REFUSED", "%s: %s", entry->id, text);
  return fault->err;
}

gantry_err_t pipeline_entry(processor_t *self, const char *sensor, sensor_type_t type, int source,
                            registry_entry_t **out, gantry_fault_t *fault) {
  *out = registry_add(&self->registry, sensor, (registry_type_t)type);
  if (!*out)
    return fault_set(fault, GANTRY_E_TOO_LARGE, "sensor", "no room for another sensor: at most %d",
                     REGISTRY_CAPACITY);
  if ((*out)->type != (registry_type_t)type)
    return fault_set(fault, GANTRY_E_CONFLICT, "type", "%s is a sensor of type %s", sensor,
                     desc_enum_text(&SENSOR_TYPE_ENUM, (int)(*out)->type));
  (*out)->source = source;
  return GANTRY_OK;
}

static gantry_err_t begin(work_t *work, const char *sensor, sensor_type_t type, int source) {
  GANTRY_TRY(pipeline_entry(work->self, sensor, type, source, &work->entry, work->fault));
  work->now_ns = clock_mono_ns();
  uint64_t last_ns = work->entry->last_ns;
  if (last_ns == 0) return GANTRY_OK;
  if (work->now_ns - last_ns > GAP_NS) {
    registry_reset_filters(&work->self->registry, work->entry);
    return GANTRY_OK;
  }
  work->since_s = (double)(work->now_ns - last_ns) * 1e-9;
  return GANTRY_OK;
}

/* Checks one value of the reading; channel < 0: it has no history. */
static gantry_err_t check(work_t *work, const limit_t *limit, const char *field, double value,
                          int channel) {
  double previous = channel < 0 ? 0 : work->entry->previous[channel];
  double since_s = channel < 0 ? 0 : work->since_s;
  limits_verdict_t verdict = limit_check_change(limit, value, previous, since_s);
  if (verdict == LIMITS_OUTSIDE) {
    fault_set(work->fault, GANTRY_E_INVALID, field, "%.4g is not within %.4g to %.4g", value,
              limit->min, limit->max);
    return pipeline_refuse(work->self, work->entry, work->fault);
  }
  work->jumped |= verdict == LIMITS_JUMP;
  return GANTRY_OK;
}

static const limit_t *limit_of(const work_t *work, limits_field_t field) {
  return work->entry->has_limit ? &work->entry->limit : &work->self->limits.fields[field];
}

/* Remembers a checked value, returns its filtered form. */
static double smooth(work_t *work, int channel, double value) {
  work->entry->previous[channel] = value;
  return average_push(&work->entry->filters[channel], value);
}

static void finish(work_t *work, const cause_t *cause, const quality_terms_t *terms,
                   outcome_t *out) {
  quality_terms_t scored = *terms;
  if (work->jumped) scored.base *= 0.5;
  out->validity = work->jumped ? SENSOR_VALIDITY_WARNING : SENSOR_VALIDITY_VALID;
  out->quality = quality_score(&scored);
  registry_accept(work->entry, work->now_ns, clock_wall_ns(), out->quality);
  metric_add(work->self->accepted[work->entry->type], 1);
  metric_observe(work->self->latency_ms, clock_age_ms(work->now_ns, cause->born_ns));
}

static void publish(work_t *work, const cause_t *cause, const topic_t *topic, const void *body) {
  bus_publish_from(work->self->service->bus, cause, topic, work->entry->id, body);
}

/* Into the database. A row that cannot be kept is counted by the recorder; the reading was said. */
static void keep(work_t *work, const cause_t *cause, recorder_row_t *row) {
  row->time_ns = work->entry->last_wall_ns;
  row->number = work->entry->readings;
  (void)recorder_add(work->self->recorder, cause, row, NULL, 0, NULL);
}

static bool is_wanted(work_t *work) {
  return recorder_wants(work->self->recorder, work->entry->id, (sensor_type_t)work->entry->type);
}

gantry_err_t pipeline_imu(processor_t *self, const cause_t *cause, const raw_imu_t *raw,
                          double base, outcome_t *out, gantry_fault_t *fault) {
  static const char *const AXES[] = {"x", "y", "z"};
  work_t work = {.self = self, .fault = fault};
  GANTRY_TRY(begin(&work, raw->sensor, SENSOR_TYPE_ACCELEROMETER, (int)raw->source));
  double value[3] = {raw->x, raw->y, raw->z}, mean[3];
  for (int i = 0; i < 3; i++) {
    value[i] = calibration_apply(&work.entry->calibration, i, value[i]);
    GANTRY_TRY(check(&work, limit_of(&work, LIMITS_ACCELERATION), AXES[i], value[i], i));
  }
  double magnitude = sqrt(value[0] * value[0] + value[1] * value[1] + value[2] * value[2]);
  GANTRY_TRY(check(&work, &self->limits.fields[LIMITS_MAGNITUDE], "magnitude", magnitude, -1));
  for (int i = 0; i < 3; i++)
    mean[i] = smooth(&work, i, value[i]);
  double off =
      sqrt(pow(value[0] - mean[0], 2) + pow(value[1] - mean[1], 2) + pow(value[2] - mean[2], 2));
  quality_terms_t terms = {base, 1, quality_consistency(off, 0, ACCELERATION_SCALE)};
  finish(&work, cause, &terms, out);
  sensor_imu_t imu = {.source = raw->source,
                      .x = mean[0],
                      .y = mean[1],
                      .z = mean[2],
                      .has_yaw_rate = raw->has_yaw_rate,
                      .yaw_rate = raw->yaw_rate,
                      .moving = fabs(magnitude - GRAVITY_MPS2) > self->moving_mps2,
                      .validity = out->validity,
                      .quality = out->quality};
  memcpy(imu.sensor, work.entry->id, sizeof imu.sensor);
  publish(&work, cause, TOPIC_SENSOR_IMU, &imu);
  recorder_row_t row;
  if (is_wanted(&work) && reading_row_imu(&imu, &self->json, &row)) keep(&work, cause, &row);
  return GANTRY_OK;
}

gantry_err_t pipeline_range(processor_t *self, const cause_t *cause, const raw_range_t *raw,
                            sensor_type_t type, double confidence, double base, outcome_t *out,
                            gantry_fault_t *fault) {
  work_t work = {.self = self, .fault = fault};
  GANTRY_TRY(begin(&work, raw->sensor, type, (int)raw->source));
  bool near = type == SENSOR_TYPE_PROXIMITY;
  const limit_t *limit = limit_of(&work, near ? LIMITS_PROXIMITY : LIMITS_RANGE);
  double value = raw->valid ? calibration_apply(&work.entry->calibration, 0, raw->range) : 0;
  double mean = 0;
  if (raw->valid) {
    GANTRY_TRY(check(&work, limit, "distance", value, 0));
    mean = smooth(&work, 0, value);
  } else {
    average_clear(&work.entry->filters[0]);
  }
  double scale = RANGE_SCALE_SHARE * (limit->max - limit->min);
  quality_terms_t terms = {base * confidence, raw->valid ? 1 : 0,
                           quality_consistency(value, mean, scale)};
  finish(&work, cause, &terms, out);
  sensor_range_t range = {.type = type,
                          .source = raw->source,
                          .range = mean,
                          .valid = raw->valid,
                          .obstacle = raw->valid && value < self->obstacle_m &&
                                      confidence > self->obstacle_confidence,
                          .validity = out->validity,
                          .quality = out->quality};
  memcpy(range.sensor, work.entry->id, sizeof range.sensor);
  publish(&work, cause, TOPIC_SENSOR_RANGE, &range);
  recorder_row_t row;
  if (is_wanted(&work) && reading_row_range(&range, &self->json, &row)) keep(&work, cause, &row);
  return GANTRY_OK;
}

gantry_err_t pipeline_value(processor_t *self, const cause_t *cause, const raw_value_t *raw,
                            double base, outcome_t *out, gantry_fault_t *fault) {
  work_t work = {.self = self, .fault = fault};
  GANTRY_TRY(begin(&work, raw->sensor, SENSOR_TYPE_VALUE, (int)raw->source));
  double value = calibration_apply(&work.entry->calibration, 0, raw->value),
         scale = fabs(value) + 1;
  static const limit_t ANY = {-1e12, 1e12, 0};
  const limit_t *limit = work.entry->has_limit ? &work.entry->limit : &ANY;
  if (work.entry->has_limit) scale = RANGE_SCALE_SHARE * (limit->max - limit->min);
  GANTRY_TRY(check(&work, limit, "value", value, 0));
  double mean = smooth(&work, 0, value);
  quality_terms_t terms = {base, 1, quality_consistency(value, mean, scale)};
  finish(&work, cause, &terms, out);
  sensor_value_t said = {
      .source = raw->source, .value = mean, .validity = out->validity, .quality = out->quality};
  memcpy(said.sensor, work.entry->id, sizeof said.sensor);
  memcpy(said.unit, raw->unit, sizeof said.unit);
  publish(&work, cause, TOPIC_SENSOR_VALUE, &said);
  recorder_row_t row;
  reading_row_value(&said, "value", &row);
  keep(&work, cause, &row);
  return GANTRY_OK;
}

gantry_err_t pipeline_tag(processor_t *self, const cause_t *cause, const sensor_tag_t *seen,
                          double base, outcome_t *out, gantry_fault_t *fault) {
  work_t work = {.self = self, .fault = fault};
  GANTRY_TRY(begin(&work, seen->sensor, SENSOR_TYPE_RFID, (int)seen->source));
  GANTRY_TRY(check(&work, limit_of(&work, LIMITS_SIGNAL), "signal_strength", seen->signal, -1));
  bool passes = sightings_pass(&self->sightings, seen->sensor, seen->tag, work.now_ns);
  uint32_t tags = sightings_at_once(&self->sightings, seen->sensor, work.now_ns);
  quality_terms_t terms = {base * seen->signal, 1, 1.0 / tags};
  finish(&work, cause, &terms, out);
  if (!passes) return GANTRY_OK;
  sensor_tag_t tag = *seen;
  tag.confidence = quality_tag_confidence(&self->tag_rule, seen->signal, tags);
  tag.quality = out->quality;
  publish(&work, cause, TOPIC_SENSOR_TAG, &tag);
  recorder_row_t row;
  if (is_wanted(&work) && reading_row_tag(&tag, &self->json, &row)) keep(&work, cause, &row);
  return GANTRY_OK;
}

static gantry_err_t load_rays(processor_t *self, const raw_scan_t *raw, work_t *work) {
  scan_rays_t *rays = &self->rays;
  rays->count = raw->ranges_count;
  if (raw->angles_count != rays->count || raw->qualities_count != rays->count) {
    fault_set(work->fault, GANTRY_E_INVALID, "ranges",
              "%u ranges, %u angles, %u qualities: not one sweep", raw->ranges_count,
              raw->angles_count, raw->qualities_count);
    return pipeline_refuse(self, work->entry, work->fault);
  }
  memcpy(rays->angle_rad, raw->angles, rays->count * sizeof *raw->angles);
  memcpy(rays->range_m, raw->ranges, rays->count * sizeof *raw->ranges);
  memcpy(rays->quality, raw->qualities, rays->count);
  return GANTRY_OK;
}

gantry_err_t pipeline_scan(processor_t *self, const cause_t *cause, const raw_scan_t *raw,
                           double base, outcome_t *out, gantry_fault_t *fault) {
  work_t work = {.self = self, .fault = fault};
  scan_summary_t summary;
  GANTRY_TRY(begin(&work, raw->sensor, SENSOR_TYPE_LIDAR, (int)raw->source));
  GANTRY_TRY(load_rays(self, raw, &work));
  scan_process(&self->scan_rule, &work.entry->calibration, &self->rays, &summary);
  quality_terms_t terms = {base * summary.quality, summary.quality, summary.quality};
  finish(&work, cause, &terms, out);
  sensor_scan_t *scan = &self->scan;
  const scan_rays_t *rays = &self->rays;
  scan->source = raw->source;
  scan->seq = ++work.entry->scan_seq;
  scan->has_turn_s = true;
  scan->turn_s = raw->turn_s;
  scan->angles_count = scan->ranges_count = scan->qualities_count = rays->count;
  memcpy(scan->angles, rays->angle_rad, rays->count * sizeof *rays->angle_rad);
  memcpy(scan->ranges, rays->range_m, rays->count * sizeof *rays->range_m);
  memcpy(scan->qualities, rays->quality, rays->count);
  scan->rejected = summary.rejected;
  scan->quality = out->quality;
  scan->obstacles = summary.obstacles;
  memcpy(scan->sensor, work.entry->id, sizeof scan->sensor);
  publish(&work, cause, TOPIC_SENSOR_SCAN, scan);
  recorder_row_t row;
  if (is_wanted(&work) && reading_row_scan(scan, &self->json, &row)) keep(&work, cause, &row);
  return GANTRY_OK;
}
