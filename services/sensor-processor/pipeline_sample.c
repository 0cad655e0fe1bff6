/* Readings of one or three numbers, tags and objects. */
#include <math.h>
#include <string.h>

#include <gantry/clock.h>

#include "calibrating.h"
#include "reading_row.h"
#include "setup.h"
#include "units.h"
#include "work.h"

#define GRAVITY_MPS2 9.81

static gantry_err_t no_room(work_t *work) {
  return fault_set(work->fault, GANTRY_E_INTERNAL, "", "out of memory");
}

/* ---- accelerations */

/* All axes are checked before the first one is pushed: a refused reading changes nothing. */
static gantry_err_t push_axes(work_t *work, const double mixed[3], double filtered[3]) {
  static const char *const AXES[] = {"x", "y", "z"};
  for (uint32_t i = 0; i < 3; i++)
    if (!work_fits(work, i, mixed[i])) return work_push(work, i, AXES[i], mixed[i], filtered);
  for (uint32_t i = 0; i < 3; i++)
    GANTRY_TRY(work_push(work, i, AXES[i], mixed[i], &filtered[i]));
  return GANTRY_OK;
}

static double magnitude_of(const work_t *work, const double mixed[3]) {
  double sum2 = 0;
  for (int i = 0; i < 3; i++) {
    double axis =
        calibration_apply(&work->entry->calibration, i, work->entry->rule.factor * mixed[i]);
    sum2 += axis * axis;
  }
  return sqrt(sum2);
}

static gantry_err_t check_magnitude(work_t *work, double magnitude) {
  const limit_t *limit = &work->self->limits.fields[LIMITS_MAGNITUDE];
  if (work->origin->replayed || limit_check(limit, magnitude) == LIMITS_VALID) return GANTRY_OK;
  fault_set(work->fault, GANTRY_E_INVALID, "magnitude", "%.4g is not within %.4g to %.4g",
            magnitude, limit->min, limit->max);
  return work_refuse(work, CHAIN_ABOVE);
}

gantry_err_t pipeline_imu(processor_t *self, const origin_t *origin, const raw_imu_t *raw,
                          outcome_t *out, gantry_fault_t *fault) {
  work_t work = {.self = self, .origin = origin, .fault = fault};
  const double measured[3] = {raw->x, raw->y, raw->z};
  double mixed[3] = {raw->x, raw->y, raw->z}, value[3];
  GANTRY_TRY(work_begin(&work, raw->sensor, SENSOR_TYPE_ACCELEROMETER));
  if (!origin->replayed) calibration_mix(&work.entry->calibration, measured, mixed);
  double magnitude = magnitude_of(&work, mixed);
  GANTRY_TRY(check_magnitude(&work, magnitude));
  GANTRY_TRY(push_axes(&work, mixed, value));
  work.raw = sqrt(raw->x * raw->x + raw->y * raw->y + raw->z * raw->z);
  work.value = sqrt(value[0] * value[0] + value[1] * value[1] + value[2] * value[2]);
  work_accept(&work, NULL, out);
  if (!origin->replayed) calibrating_take(self, work.entry, measured, 3);
  sensor_imu_t imu = {.source = origin->source,
                      .x = value[0],
                      .y = value[1],
                      .z = value[2],
                      .has_yaw_rate = raw->has_yaw_rate,
                      .yaw_rate = raw->yaw_rate,
                      .moving = fabs(magnitude - GRAVITY_MPS2) > self->moving_mps2,
                      .validity = out->validity,
                      .quality = out->quality};
  memcpy(imu.sensor, work.entry->id, sizeof imu.sensor);
  work_publish(&work, TOPIC_SENSOR_IMU, &imu);
  if (!work_is_wanted(&work)) return GANTRY_OK;
  recorder_row_t row;
  return reading_row_imu(&imu, &self->json, &row) ? work_record(&work, &row) : no_room(&work);
}

/* ---- distances */

gantry_err_t pipeline_range(processor_t *self, const origin_t *origin, const raw_range_t *raw,
                            sensor_type_t type, double confidence, outcome_t *out,
                            gantry_fault_t *fault) {
  work_t work = {.self = self, .origin = origin, .fault = fault};
  double value = 0;
  GANTRY_TRY(work_begin(&work, raw->sensor, type));
  if (raw->valid) {
    GANTRY_TRY(work_push(&work, 0, "distance", raw->range, &value));
  } else {
    chain_clear(work.entry->chains[0]);
    work.blind = true;
    work.terms = (chain_terms_t){origin->base, 0, 1};
  }
  work.terms.base *= confidence;
  work_accept(&work, NULL, out);
  if (raw->valid && !origin->replayed) calibrating_take(self, work.entry, &raw->range, 1);
  sensor_range_t range = {.type = type,
                          .source = origin->source,
                          .range = fmax(value, 0),
                          .valid = raw->valid,
                          .obstacle = raw->valid && work.calibrated < self->obstacle_m &&
                                      confidence > self->obstacle_confidence,
                          .validity = out->validity,
                          .quality = out->quality};
  memcpy(range.sensor, work.entry->id, sizeof range.sensor);
  work_publish(&work, TOPIC_SENSOR_RANGE, &range);
  if (!work_is_wanted(&work)) return GANTRY_OK;
  recorder_row_t row;
  return reading_row_range(&range, &self->json, &row) ? work_record(&work, &row) : no_room(&work);
}

/* ---- numbers */

/* From the unit that the reading gives to the one that the chain expects. */
static gantry_err_t to_expected(work_t *work, double *value) {
  const char *given = work->origin->unit;
  const sensor_pipeline_t *pipeline = setup_pipeline(work->self, work->entry);
  const char *expected = pipeline->has_unit ? pipeline->unit : work->entry->unit;
  double factor, shift;
  if (!given || !given[0] || !expected[0]) return GANTRY_OK;
  if (!unit_convert(given, expected, &factor, &shift)) {
    fault_set(work->fault, GANTRY_E_INVALID, "unit", "%.15s does not convert to %s", given,
              expected);
    return pipeline_malformed(work->self, work->entry, work->fault);
  }
  *value = factor * *value + shift;
  return GANTRY_OK;
}

gantry_err_t pipeline_value(processor_t *self, const origin_t *origin, const char *sensor,
                            double value, outcome_t *out, gantry_fault_t *fault) {
  work_t work = {.self = self, .origin = origin, .fault = fault};
  GANTRY_TRY(work_begin(&work, sensor, SENSOR_TYPE_VALUE));
  GANTRY_TRY(to_expected(&work, &value));
  sensor_value_t said = {.source = origin->source};
  GANTRY_TRY(work_push(&work, 0, "value", value, &said.value));
  work_accept(&work, NULL, out);
  if (!origin->replayed) calibrating_take(self, work.entry, &value, 1);
  const char *unit = work.entry->unit[0] || !origin->unit ? work.entry->unit : origin->unit;
  said.validity = out->validity;
  said.quality = out->quality;
  memcpy(said.sensor, work.entry->id, sizeof said.sensor);
  memcpy(said.unit, unit, strnlen(unit, sizeof said.unit - 1));
  work_publish(&work, TOPIC_SENSOR_VALUE, &said);
  if (!work_is_wanted(&work)) return GANTRY_OK;
  recorder_row_t row;
  reading_row_value(&said, work.entry->code, &row);
  return work_record(&work, &row);
}

/* ---- objects */

gantry_err_t pipeline_object(processor_t *self, const origin_t *origin, const char *sensor,
                             const char *json, size_t len, outcome_t *out, gantry_fault_t *fault) {
  work_t work = {.self = self, .origin = origin, .fault = fault};
  object_values_t values;
  double ignored;
  GANTRY_TRY(work_begin(&work, sensor, SENSOR_TYPE_OBJECT));
  if (type_read(setup_type(self, work.entry), json, len, &values, fault) != GANTRY_OK)
    return pipeline_malformed(self, work.entry, fault);
  /* The chain judges order and rate; an object has no number of its own. */
  GANTRY_TRY(work_push(&work, 0, "data", 0, &ignored));
  work_accept(&work, &values, out);
  if (!work_is_wanted(&work)) return GANTRY_OK;
  recorder_row_t row = {.sensor = work.entry->id,
                        .unit = "",
                        .family = SENSOR_TYPE_OBJECT,
                        .source = origin->source,
                        .json = json,
                        .json_len = len,
                        .quality = (float)out->quality,
                        .validity = out->validity};
  return work_record(&work, &row);
}

/* ---- tags */

gantry_err_t pipeline_tag(processor_t *self, const origin_t *origin, const sensor_tag_t *seen,
                          outcome_t *out, gantry_fault_t *fault) {
  work_t work = {.self = self, .origin = origin, .fault = fault};
  sensor_tag_t tag = *seen;
  GANTRY_TRY(work_begin(&work, seen->sensor, SENSOR_TYPE_RFID));
  GANTRY_TRY(work_push(&work, 0, "signal_strength", seen->signal, &tag.signal));
  bool passes = sightings_pass(&self->sightings, seen->sensor, seen->tag, work.now_ns);
  uint32_t tags = sightings_at_once(&self->sightings, seen->sensor, work.now_ns);
  work.terms.base *= seen->signal;
  work.terms.consistency = 1.0 / tags;
  work_accept(&work, NULL, out);
  bool promised = origin->kept || recorder_is_recorded(self->recorder, work.entry->id);
  if (!passes && !promised && !work.found) return GANTRY_OK;
  tag.source = origin->source;
  tag.confidence = quality_tag_confidence(&self->tag_rule, seen->signal, tags);
  tag.quality = out->quality;
  if (passes) work_publish(&work, TOPIC_SENSOR_TAG, &tag);
  if (!work_is_wanted(&work)) return GANTRY_OK;
  recorder_row_t row;
  return reading_row_tag(&tag, &self->json, &row) ? work_record(&work, &row) : no_room(&work);
}
