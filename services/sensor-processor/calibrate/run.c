/* Points of a guided calibration: asked for, collected, judged. What comes of them: solve.c. */
#include "run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gantry/geom.h>

#include "configuration.h"
#include "solve.h"

#define SAMPLES        100
#define SWEEPS         20
#define GRAVITY_MIN    9.7 /* on Earth */
#define GRAVITY_MAX    9.9
#define RAYS_MAX       (sizeof((raw_scan_t *)0)->qualities)
#define TURN_STILL_RAD 0.05
/* Halves whose means differ by more than this many standard deviations drift: a ramp has 1.7, noise
   of 100 readings less than 1 but once in a million runs. */
#define DRIFT         1.0
#define DRIFT_SAMPLES 100

/* ---- what is asked for */

static gantry_err_t check_method(sensor_type_t family, sensor_calibration_method_t method,
                                 gantry_fault_t *fault) {
  bool accelerometer = family == SENSOR_TYPE_ACCELEROMETER, lidar = family == SENSOR_TYPE_LIDAR;
  if (family == SENSOR_TYPE_RFID || family == SENSOR_TYPE_OBJECT)
    return fault_set(fault, GANTRY_E_INVALID, "sensor",
                     "sensors of family %s have no number that could be calibrated",
                     desc_enum_text(&SENSOR_TYPE_ENUM, (int)family));
  bool fits = method == SENSOR_CALIBRATION_METHOD_TARGET         ? lidar
              : method == SENSOR_CALIBRATION_METHOD_ORIENTATIONS ? accelerometer
              : method == SENSOR_CALIBRATION_METHOD_POINTS       ? !lidar && !accelerometer
                                                                 : !lidar;
  if (fits) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "method", "%s are calibrated by %s, not by %s",
                   lidar           ? "LiDARs"
                   : accelerometer ? "accelerometers"
                                   : "sensors of one number",
                   lidar           ? "target"
                   : accelerometer ? "rest or orientations"
                                   : "rest or points",
                   desc_enum_text(&SENSOR_CALIBRATION_METHOD_ENUM, (int)method));
}

static gantry_err_t check_reference(sensor_type_t family, const sensor_calibration_begin_t *begin,
                                    gantry_fault_t *fault) {
  bool rest = begin->method == SENSOR_CALIBRATION_METHOD_REST;
  bool distance =
      family == SENSOR_TYPE_RANGE || family == SENSOR_TYPE_PROXIMITY || family == SENSOR_TYPE_LIDAR;
  if (family == SENSOR_TYPE_ACCELEROMETER) {
    if (!begin->has_reference ||
        (begin->reference >= GRAVITY_MIN && begin->reference <= GRAVITY_MAX))
      return GANTRY_OK;
    return fault_set(fault, GANTRY_E_INVALID, "reference",
                     "is the local gravity, %.4g to %.4g m/s2; %.7g unless said", GRAVITY_MIN,
                     GRAVITY_MAX, SOLVE_GRAVITY);
  }
  if (!begin->has_reference && (!rest || distance))
    return fault_set(fault, GANTRY_E_INVALID, "reference",
                     "required: the true value of what is "
                     "measured now");
  if (distance && begin->reference <= 0)
    return fault_set(fault, GANTRY_E_INVALID, "reference", "a distance in metres, more than 0");
  return GANTRY_OK;
}

static gantry_err_t check(const run_sensor_t *sensor, const sensor_calibration_begin_t *begin,
                          gantry_fault_t *fault) {
  GANTRY_TRY(check_method(sensor->family, begin->method, fault));
  GANTRY_TRY(check_reference(sensor->family, begin, fault));
  bool target = begin->method == SENSOR_CALIBRATION_METHOD_TARGET;
  bool sides = begin->method == SENSOR_CALIBRATION_METHOD_ORIENTATIONS;
  if (target && !begin->has_bearing)
    return fault_set(fault, GANTRY_E_INVALID, "bearing",
                     "required: the direction of the target's middle, rad");
  if (sides && (!begin->has_axis || solve_axis(begin->axis) < 0))
    return fault_set(fault, GANTRY_E_INVALID, "axis",
                     "required: the axis that points up, one of +x -x +y -y +z -z");
  if (!target && begin->has_bearing)
    return fault_set(fault, GANTRY_E_INVALID, "bearing", "belongs to method target alone");
  if (!sides && begin->has_axis)
    return fault_set(fault, GANTRY_E_INVALID, "axis", "belongs to method orientations alone");
  return GANTRY_OK;
}

static gantry_err_t check_turn(const run_t *run, const sensor_calibration_begin_t *begin,
                               gantry_fault_t *fault) {
  const sensor_calibration_run_t *said = &run->said;
  if (!said->sensor[0]) return GANTRY_OK;
  if (said->method != begin->method)
    return fault_set(fault, GANTRY_E_CONFLICT, "method",
                     "a calibration by %s is under way: activate or cancel it first",
                     desc_enum_text(&SENSOR_CALIBRATION_METHOD_ENUM, (int)said->method));
  if (said->state == SENSOR_CALIBRATION_STATE_COLLECTING)
    return fault_set(fault, GANTRY_E_CONFLICT, "",
                     "%u of %u readings of a point are there: wait for it, or cancel",
                     said->collected, said->samples);
  if (said->points_count == RUN_POINTS_MAX)
    return fault_set(fault, GANTRY_E_CONFLICT, "", "%d points are there: activate or cancel",
                     RUN_POINTS_MAX);
  return GANTRY_OK;
}

static void begin_point(run_t *run, const sensor_calibration_begin_t *begin) {
  bool lidar = run->sensor.family == SENSOR_TYPE_LIDAR;
  double otherwise = run->sensor.family == SENSOR_TYPE_ACCELEROMETER ? SOLVE_GRAVITY : 0;
  run->sums = (run_sums_t){0};
  run->reason[0] = '\0';
  run->next = (sensor_calibration_point_t){.reference =
                                               begin->has_reference ? begin->reference : otherwise};
  if (begin->has_axis) memcpy(run->next.axis, begin->axis, sizeof run->next.axis);
  run->bearing_rad = begin->bearing;
  run->said.samples = begin->has_samples ? begin->samples : lidar ? SWEEPS : SAMPLES;
  run->said.state = SENSOR_CALIBRATION_STATE_COLLECTING;
}

gantry_err_t run_begin(run_t *run, const run_sensor_t *sensor,
                       const sensor_calibration_begin_t *begin, gantry_fault_t *fault) {
  GANTRY_TRY(check(sensor, begin, fault));
  GANTRY_TRY(check_turn(run, begin, fault));
  run->sensor = *sensor;
  memcpy(run->said.sensor, begin->sensor, sizeof run->said.sensor);
  run->said.method = begin->method;
  begin_point(run, begin);
  run_look(run, &sensor->in_force);
  return GANTRY_OK;
}

/* ---- a point */

static uint32_t channels_of(const run_t *run) {
  return run->sensor.family == SENSOR_TYPE_ACCELEROMETER ? 3
         : run->sensor.family == SENSOR_TYPE_LIDAR       ? 2
                                                         : 1;
}

static const char *channel_name(const run_t *run, uint32_t channel) {
  static const char *const AXES[] = {"x", "y", "z"};
  if (run->sensor.family == SENSOR_TYPE_ACCELEROMETER) return AXES[channel];
  if (run->sensor.family == SENSOR_TYPE_LIDAR) return channel ? "direction" : "distance";
  return "it";
}

/* Why the readings of that channel are none of a sensor at rest; false when they are. */
static bool moves(const run_t *run, uint32_t channel, double deviation, char *out, size_t size) {
  const run_sums_t *sums = &run->sums;
  bool turns = run->sensor.family == SENSOR_TYPE_LIDAR && channel == 1;
  double still = turns ? TURN_STILL_RAD : run->sensor.still;
  uint32_t half = sums->count / 2;
  double rest =
      (sums->mean[channel] * sums->count - sums->half[channel] * half) / (sums->count - half);
  double drift = fabs(rest - sums->half[channel]);
  const char *name = channel_name(run, channel);
  if (still > 0 && deviation > still) {
    snprintf(out, size,
             "%s moves: its deviation is %.4g, more than %.4g; hold it still and begin "
             "the point again",
             name, deviation, still);
    return true;
  }
  if (sums->count >= DRIFT_SAMPLES && drift > DRIFT * deviation && drift > still / 4) {
    snprintf(out, size,
             "%s drifts: by %.4g from one half of the readings to the other; wait until "
             "it has settled and begin the point again",
             name, drift);
    return true;
  }
  return false;
}

static void end_point(run_t *run) {
  sensor_calibration_run_t *said = &run->said;
  sensor_calibration_point_t *point = &run->next;
  point->samples = run->sums.count;
  point->mean_count = point->deviation_count = channels_of(run);
  said->state = SENSOR_CALIBRATION_STATE_WAITING;
  for (uint32_t i = 0; i < point->mean_count; i++) {
    point->mean[i] = run->sums.mean[i];
    point->deviation[i] = sqrt(run->sums.squares[i] / (run->sums.count - 1));
    if (moves(run, i, point->deviation[i], run->reason, sizeof run->reason)) return;
  }
  if (!solve_points_up(point, run->reason, sizeof run->reason)) return;
  if (said->method == SENSOR_CALIBRATION_METHOD_REST) said->points_count = 0;
  run->share[said->points_count] = run->sums.share;
  said->points[said->points_count++] = *point;
}

/* B. P. Welford, Technometrics 4 (1962), p. 419. */
void run_take(run_t *run, const double value[RUN_CHANNELS]) {
  run_sums_t *sums = &run->sums;
  if (run->said.state != SENSOR_CALIBRATION_STATE_COLLECTING) return;
  uint32_t channels = channels_of(run);
  for (uint32_t i = 0; i < channels; i++)
    if (!isfinite(value[i])) return;
  sums->count++;
  for (uint32_t i = 0; i < channels; i++) {
    double off = value[i] - sums->mean[i];
    sums->mean[i] += off / sums->count;
    sums->squares[i] += off * (value[i] - sums->mean[i]);
    if (sums->count == run->said.samples / 2) sums->half[i] = sums->mean[i];
  }
  if (sums->count == run->said.samples) end_point(run);
}

/* ---- a sweep */

static void skip(run_t *run, const char *reason) {
  if (++run->sums.skipped < run->said.samples) return;
  snprintf(run->reason, sizeof run->reason, "%s; see to it and begin the point again", reason);
  run->said.state = SENSOR_CALIBRATION_STATE_WAITING;
}

/* The returns around the bearing, as angles off it: no seam at pi. */
static uint32_t pick(const run_t *run, const float *angle_rad, const float *range_m,
                     const uint8_t *quality, uint32_t count, double *angles, double *ranges) {
  const run_sensor_t *sensor = &run->sensor;
  uint32_t picked = 0;
  for (uint32_t i = 0; i < count && i < RAYS_MAX; i++) {
    double angle = wrap_rad((double)angle_rad[i] - run->bearing_rad), range = (double)range_m[i];
    if (!(fabs(angle) <= RUN_WINDOW_RAD) || quality[i] < sensor->quality_min) continue;
    if (!(range >= sensor->range_min_m && range <= sensor->range_max_m)) continue;
    angles[picked] = angle;
    ranges[picked++] = range;
  }
  return picked;
}

void run_take_sweep(run_t *run, const float *angle_rad, const float *range_m,
                    const uint8_t *quality, uint32_t count) {
  double angles[RAYS_MAX], ranges[RAYS_MAX];
  char reason[120];
  fit_target_t target;
  if (run->said.state != SENSOR_CALIBRATION_STATE_COLLECTING) return;
  uint32_t picked = pick(run, angle_rad, range_m, quality, count, angles, ranges);
  if (picked < RUN_RAYS_MIN || fit_target(angles, ranges, picked, &target) != GANTRY_OK) {
    snprintf(reason, sizeof reason,
             "%u returns within 10 degrees of the bearing, at least %d are "
             "needed",
             picked, RUN_RAYS_MIN);
    skip(run, reason);
    return;
  }
  if (target.residual_m > RUN_FLAT_M) {
    snprintf(reason, sizeof reason,
             "no flat target within 10 degrees of the bearing: its points "
             "are %.3g m off a line",
             target.residual_m);
    skip(run, reason);
    return;
  }
  run_sums_t *sums = &run->sums;
  sums->share += (target.share - sums->share) / (sums->count + 1);
  run_take(run, (double[RUN_CHANNELS]){target.distance_m, target.direction_rad, 0});
}

/* ---- how it stands */

void run_look(run_t *run, const calibration_t *in_force) {
  sensor_calibration_run_t *said = &run->said;
  char advice[RUN_ADVICE] = "";
  bool collecting = said->state == SENSOR_CALIBRATION_STATE_COLLECTING;
  said->collected = collecting ? run->sums.count : 0;
  run->result = *in_force;
  sensor_calibration_state_t state = solve(said, run->share, &run->result, advice, sizeof advice);
  configuration_write_calibration(&run->result, said->calibration, sizeof said->calibration);
  said->error_before = solve_error(said, run->share, in_force);
  said->error_after = solve_error(said, run->share, &run->result);
  if (collecting)
    snprintf(advice, sizeof advice,
             run->sums.count + run->sums.skipped ? "hold it still"
                                                 : "hold it still; if no reading comes, see that "
                                                   "the sensor delivers and is not refused");
  else if (run->reason[0])
    snprintf(advice, sizeof advice, "%s", run->reason);
  if (!collecting) said->state = run->reason[0] ? SENSOR_CALIBRATION_STATE_FAILED : state;
  memcpy(said->advice, advice, sizeof advice);
}
