/* JSON of the API into readings. */
#include "payload.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MM_TO_M         0.001
#define DEG_TO_RAD      (M_PI / 180)
#define STRONG          255
#define RAYS_MAX        (sizeof((raw_scan_t *)0)->ranges / sizeof(float))
#define DISTANCE_MAX_MM 100000.0 /* the wire's bound */

static gantry_err_t wrong(gantry_fault_t *fault, const char *key, const char *detail) {
  char field[96];
  snprintf(field, sizeof field, "data.%s", key);
  return fault_set(fault, GANTRY_E_INVALID, field, "%s", detail);
}

/* The number at key, in the payload's unit; limit is in SI, `unit` SI per payload unit. */
static gantry_err_t bounded(const char *data, const char *key, const limit_t *limit, double unit,
                            bool required, double *out, gantry_fault_t *fault) {
  char detail[120];
  gantry_err_t err = json_get_number(data, key, out);
  if (err == GANTRY_E_NOT_FOUND && !required) return GANTRY_OK;
  if (err == GANTRY_E_NOT_FOUND) return wrong(fault, key, "required");
  if (err != GANTRY_OK) return wrong(fault, key, "must be a number");
  if (limit_check(limit, *out * unit) == LIMITS_VALID) return GANTRY_OK;
  snprintf(detail, sizeof detail, "%.6g is not within %.6g to %.6g", *out, limit->min / unit,
           limit->max / unit);
  return wrong(fault, key, detail);
}

gantry_err_t payload_imu(const char *data, const limits_t *limits, raw_imu_t *out,
                         gantry_fault_t *fault) {
  const limit_t *axis = &limits->fields[LIMITS_ACCELERATION];
  double magnitude = 0;
  GANTRY_TRY(bounded(data, "x", axis, 1, true, &out->x, fault));
  GANTRY_TRY(bounded(data, "y", axis, 1, true, &out->y, fault));
  GANTRY_TRY(bounded(data, "z", axis, 1, true, &out->z, fault));
  return bounded(data, "magnitude", &limits->fields[LIMITS_MAGNITUDE], 1, false, &magnitude, fault);
}

static gantry_err_t distance(const char *data, const limit_t *limit, raw_range_t *out,
                             gantry_fault_t *fault) {
  double distance_mm = 0;
  GANTRY_TRY(bounded(data, "distance", limit, MM_TO_M, true, &distance_mm, fault));
  out->range = distance_mm * MM_TO_M;
  out->valid = true;
  return GANTRY_OK;
}

gantry_err_t payload_proximity(const char *data, const limits_t *limits, raw_range_t *out,
                               double *confidence, gantry_fault_t *fault) {
  *confidence = 1;
  GANTRY_TRY(distance(data, &limits->fields[LIMITS_PROXIMITY], out, fault));
  gantry_err_t err = json_get_bool(data, "obstacle_detected", &out->detected);
  out->has_detected = err == GANTRY_OK;
  if (err != GANTRY_OK && err != GANTRY_E_NOT_FOUND)
    return wrong(fault, "obstacle_detected", "must be true or false");
  return bounded(data, "confidence", &limits->fields[LIMITS_PROXIMITY_CONFIDENCE], 1, false,
                 confidence, fault);
}

gantry_err_t payload_range(const char *data, const limits_t *limits, raw_range_t *out,
                           gantry_fault_t *fault) {
  return distance(data, &limits->fields[LIMITS_RANGE], out, fault);
}

gantry_err_t payload_value(const char *data, raw_value_t *out, gantry_fault_t *fault) {
  static const limit_t ANY = {-1e12, 1e12, 0};
  GANTRY_TRY(bounded(data, "value", &ANY, 1, true, &out->value, fault));
  gantry_err_t err = json_get_text(data, "unit", out->unit, sizeof out->unit);
  return err == GANTRY_OK || err == GANTRY_E_NOT_FOUND ? GANTRY_OK
                                                       : wrong(fault, "unit", "must be a text");
}

gantry_err_t payload_tag(const char *data, const limits_t *limits, sensor_tag_t *out,
                         gantry_fault_t *fault) {
  double ignored = 0;
  gantry_err_t err = json_get_text(data, "rfid_id", out->tag, sizeof out->tag);
  if (err == GANTRY_E_NOT_FOUND) return wrong(fault, "rfid_id", "required");
  if (err != GANTRY_OK || out->tag[0] == '\0')
    return wrong(fault, "rfid_id", "must be a text of 1 to 50 characters");
  GANTRY_TRY(bounded(data, "signal_strength", &limits->fields[LIMITS_SIGNAL], 1, true, &out->signal,
                     fault));
  GANTRY_TRY(bounded(data, "distance", &limits->fields[LIMITS_TAG_DISTANCE], MM_TO_M, false,
                     &ignored, fault));
  return bounded(data, "angle", &limits->fields[LIMITS_TAG_ANGLE], DEG_TO_RAD, false, &ignored,
                 fault);
}

/* A sweep being read. */
typedef struct sweep {
  raw_scan_t *out;
  const char *list;            /* "scan_data" or "points" */
  double step_deg;             /* 0: not given */
  double angles_deg[RAYS_MAX]; /* of a list of numbers, as storage keeps sweeps */
  size_t angle_count;          /* 0: not given */
  gantry_fault_t *fault;
} sweep_t;

static gantry_err_t wrong_ray(const sweep_t *sweep, size_t index, const char *key,
                              const char *detail) {
  char path[64];
  snprintf(path, sizeof path, "%s[%zu]%s%s", sweep->list, index, key[0] ? "." : "", key);
  return wrong(sweep->fault, path, detail);
}

static gantry_err_t put(sweep_t *sweep, size_t index, double angle_deg, double distance_mm,
                        double strength) {
  raw_scan_t *out = sweep->out;
  if (!isfinite(angle_deg) || fabs(angle_deg) > 360)
    return wrong_ray(sweep, index, "angle", "must be within -360 to 360 degrees");
  if (!(distance_mm >= 0 && distance_mm <= DISTANCE_MAX_MM))
    return wrong_ray(sweep, index, "distance", "must be within 0 to 100000 mm");
  if (!(strength >= 0 && strength <= STRONG))
    return wrong_ray(sweep, index, "quality", "must be within 0 to 255");
  out->angles[index] = (float)(angle_deg * DEG_TO_RAD);
  out->ranges[index] = (float)(distance_mm * MM_TO_M);
  out->qualities[index] = (uint8_t)lround(strength);
  out->angles_count = out->ranges_count = out->qualities_count = (uint32_t)index + 1;
  return GANTRY_OK;
}

static gantry_err_t read_angle(const json_item_t *item, size_t index, void *arg) {
  sweep_t *sweep = arg;
  if (index >= RAYS_MAX) return wrong(sweep->fault, sweep->list, "at most 2048 angles");
  if (json_item_number(item, NULL, &sweep->angles_deg[index]) != GANTRY_OK)
    return wrong_ray(sweep, index, "", "must be a number");
  sweep->angle_count = index + 1;
  return GANTRY_OK;
}

/* A ray of a list of bare distances: its angle stands in `angles`, or follows from `resolution`. */
static gantry_err_t put_number(sweep_t *sweep, size_t index, double distance_mm) {
  if (sweep->angle_count > index)
    return put(sweep, index, sweep->angles_deg[index], distance_mm, STRONG);
  if (sweep->angle_count) return wrong(sweep->fault, "angles", "as many as scan_data are required");
  if (sweep->step_deg <= 0)
    return wrong(sweep->fault, "resolution",
                 "this or angles is required when scan_data is a list of numbers");
  return put(sweep, index, fmod((double)index * sweep->step_deg, 360), distance_mm, STRONG);
}

static gantry_err_t read_ray(const json_item_t *item, size_t index, void *arg) {
  sweep_t *sweep = arg;
  double angle_deg, distance_mm, strength = STRONG;
  if (index >= RAYS_MAX) return wrong(sweep->fault, sweep->list, "at most 2048 points");
  if (json_item_number(item, NULL, &distance_mm) == GANTRY_OK)
    return put_number(sweep, index, distance_mm);
  if (json_item_number(item, "distance", &distance_mm) != GANTRY_OK)
    return wrong_ray(sweep, index, "distance", "a number is required");
  if (json_item_number(item, "angle", &angle_deg) != GANTRY_OK)
    return wrong_ray(sweep, index, "angle", "a number is required");
  gantry_err_t err = json_item_number(item, "quality", &strength);
  if (err == GANTRY_E_NOT_FOUND) err = json_item_number(item, "intensity", &strength);
  if (err != GANTRY_OK && err != GANTRY_E_NOT_FOUND)
    return wrong_ray(sweep, index, "quality", "must be a number");
  return put(sweep, index, angle_deg, distance_mm, strength);
}

static gantry_err_t read_list(const char *data, sweep_t *sweep, const char *list,
                              json_visit_fn read) {
  sweep->list = list;
  sweep->fault->err = GANTRY_OK;
  gantry_err_t err = json_each(data, list, read, sweep);
  if (err == GANTRY_OK || err == GANTRY_E_NOT_FOUND || sweep->fault->err != GANTRY_OK) return err;
  return wrong(sweep->fault, list, "must be a list");
}

gantry_err_t payload_scan(const char *data, const limits_t *limits, raw_scan_t *out,
                          gantry_fault_t *fault) {
  sweep_t sweep = {.out = out, .fault = fault};
  double ignored = 0;
  out->turn_s = 0;
  out->angles_count = out->ranges_count = out->qualities_count = 0;
  GANTRY_TRY(bounded(data, "resolution", &limits->fields[LIMITS_LIDAR_RESOLUTION], 1, false,
                     &sweep.step_deg, fault));
  GANTRY_TRY(bounded(data, "max_range", &limits->fields[LIMITS_LIDAR_MAX_RANGE], 1, false, &ignored,
                     fault));
  GANTRY_TRY(bounded(data, "min_range", &limits->fields[LIMITS_LIDAR_MIN_RANGE], 1, false, &ignored,
                     fault));
  gantry_err_t err = read_list(data, &sweep, "angles", read_angle);
  if (err != GANTRY_OK && err != GANTRY_E_NOT_FOUND) return err;
  err = read_list(data, &sweep, "scan_data", read_ray);
  if (err == GANTRY_E_NOT_FOUND) err = read_list(data, &sweep, "points", read_ray);
  if (err == GANTRY_E_NOT_FOUND) return wrong(fault, "scan_data", "required");
  if (err == GANTRY_OK && out->ranges_count == 0)
    return wrong(fault, sweep.list, "a sweep has 1 to 2048 points");
  return err;
}
