/* One function a method. */
#include "solve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fit.h"

#define SIDES       6
#define UP_MIN_MPS2 5.0 /* on the axis that points up: within 59 degrees of it */
#define LEVEL_MPS2  2.0 /* an offset beyond is none: the sensor lay aslant */
#define DISTANCES_M 0.5 /* targets so far apart say something of the scale */

static const char *const AXES[SIDES] = {"+x", "-x", "+y", "-y", "+z", "-z"};
static const char *const NAMES[CALIBRATION_CHANNELS] = {"x", "y", "z"};

int solve_axis(const char *axis) {
  for (int i = 0; i < SIDES; i++)
    if (strcmp(AXES[i], axis) == 0) return i;
  return -1;
}

bool solve_points_up(const sensor_calibration_point_t *point, char *reason, size_t size) {
  int side = solve_axis(point->axis);
  if (side < 0) return true;
  double up = point->mean[side / 2] * (side % 2 ? -1 : 1);
  if (up >= UP_MIN_MPS2) return true;
  snprintf(reason, size,
           "%s does not point up: %.4g m/s2 were measured along it, not about %.4g; turn the "
           "sensor and begin the point again",
           point->axis, up, point->reference);
  return false;
}

/* ---- what a calibration makes of a point */

static bool has_axes(const sensor_calibration_point_t *point) {
  return point->mean_count == CALIBRATION_CHANNELS;
}

/* What an accelerometer should have read: at rest it feels the ground push it up. */
static void wanted_axes(const sensor_calibration_point_t *point, double out[CALIBRATION_CHANNELS]) {
  int side = point->axis[0] ? solve_axis(point->axis) : SIDES - 2;
  for (int i = 0; i < CALIBRATION_CHANNELS; i++)
    out[i] = side / 2 == i ? point->reference * (side % 2 ? -1 : 1) : 0;
}

/* Squared error of a point. */
static double error2(const sensor_calibration_point_t *point, double share,
                     const calibration_t *calibration) {
  double mixed[CALIBRATION_CHANNELS], wanted[CALIBRATION_CHANNELS], sum2 = 0;
  if (point->mean_count == 2) {
    double range = calibration->scale[0] * point->mean[0] + calibration->offset[0] * share;
    double aside = point->reference * (point->mean[1] + calibration->angle_offset_rad);
    return (range - point->reference) * (range - point->reference) + aside * aside;
  }
  if (!has_axes(point)) {
    double off = calibration_apply(calibration, 0, point->mean[0]) - point->reference;
    return off * off;
  }
  calibration_mix(calibration, point->mean, mixed);
  wanted_axes(point, wanted);
  for (int i = 0; i < CALIBRATION_CHANNELS; i++) {
    double off = calibration_apply(calibration, i, mixed[i]) - wanted[i];
    sum2 += off * off;
  }
  return sum2;
}

double solve_error(const sensor_calibration_run_t *run, const double *share,
                   const calibration_t *calibration) {
  double sum2 = 0;
  for (uint32_t i = 0; i < run->points_count; i++)
    sum2 += error2(&run->points[i], share[i], calibration);
  return run->points_count ? sqrt(sum2 / run->points_count) : 0;
}

/* ---- the methods */

static sensor_calibration_state_t failed(char *advice, size_t size, const char *what,
                                         double value) {
  snprintf(advice, size,
           "%s would be %.6g, beyond what a calibration may be: see that references, unit and "
           "sensor belong together, cancel and begin anew",
           what, value);
  return SENSOR_CALIBRATION_STATE_FAILED;
}

static sensor_calibration_state_t by_rest(const sensor_calibration_point_t *point,
                                          calibration_t *out, char *advice, size_t size) {
  double mixed[CALIBRATION_CHANNELS], wanted[CALIBRATION_CHANNELS];
  if (!has_axes(point)) {
    double offset = point->reference - out->scale[0] * point->mean[0];
    if (calibration_set(out, CALIBRATION_OFFSET, offset)) return SENSOR_CALIBRATION_STATE_READY;
    return failed(advice, size, "the offset", offset);
  }
  calibration_mix(out, point->mean, mixed);
  wanted_axes(point, wanted);
  for (int i = 0; i < CALIBRATION_CHANNELS; i++) {
    double offset = wanted[i] - out->scale[i] * mixed[i];
    if (fabs(offset) <= LEVEL_MPS2 &&
        calibration_set(out, (calibration_key_t)((int)CALIBRATION_OFFSET_X + i), offset))
      continue;
    snprintf(advice, size,
             "the offset of %s would be %.4g m/s2: lay the sensor level with +z up and begin "
             "again, or calibrate by orientations",
             NAMES[i], offset);
    return SENSOR_CALIBRATION_STATE_FAILED;
  }
  return SENSOR_CALIBRATION_STATE_READY;
}

static sensor_calibration_state_t set_line(calibration_t *out, double scale, double offset,
                                           char *advice, size_t size) {
  if (!calibration_set(out, CALIBRATION_SCALE, scale))
    return failed(advice, size, "the scale", scale);
  if (!calibration_set(out, CALIBRATION_OFFSET, offset))
    return failed(advice, size, "the offset", offset);
  return SENSOR_CALIBRATION_STATE_READY;
}

static sensor_calibration_state_t by_points(const sensor_calibration_run_t *run, calibration_t *out,
                                            char *advice, size_t size) {
  double measured[sizeof run->points / sizeof *run->points],
      reference[sizeof measured / sizeof *measured];
  double scale, offset, least = INFINITY, greatest = -INFINITY;
  for (uint32_t i = 0; i < run->points_count; i++) {
    measured[i] = run->points[i].mean[0];
    reference[i] = run->points[i].reference;
    least = fmin(least, reference[i]);
    greatest = fmax(greatest, reference[i]);
  }
  if (run->points_count < 2 || !(greatest > least)) {
    snprintf(advice, size, "measure another true value, far from the first");
    return SENSOR_CALIBRATION_STATE_WAITING;
  }
  if (fit_line(measured, reference, run->points_count, &scale, &offset) != GANTRY_OK) {
    snprintf(advice, size, "the sensor reads the same at all points: does it measure at all?");
    return SENSOR_CALIBRATION_STATE_FAILED;
  }
  return set_line(out, scale, offset, advice, size);
}

/* The side that is still to be measured; SIDES when none is. */
static int missing(const sensor_calibration_run_t *run) {
  bool there[SIDES + 1] = {false};
  int side = 0;
  for (uint32_t i = 0; i < run->points_count; i++)
    there[solve_axis(run->points[i].axis)] = true;
  while (there[side])
    side++;
  return side;
}

static sensor_calibration_state_t by_orientations(const sensor_calibration_run_t *run,
                                                  calibration_t *out, char *advice, size_t size) {
  double measured[sizeof run->points / sizeof *run->points][3],
      wanted[sizeof measured / sizeof *measured][3];
  double matrix[CALIBRATION_CELLS], offset[3], condition;
  int side = missing(run);
  if (side < SIDES) {
    snprintf(advice, size, "turn it so that %s points up", AXES[side]);
    return SENSOR_CALIBRATION_STATE_WAITING;
  }
  for (uint32_t i = 0; i < run->points_count; i++) {
    memcpy(measured[i], run->points[i].mean, sizeof measured[i]);
    wanted_axes(&run->points[i], wanted[i]);
  }
  calibration_t found = calibration_identity();
  gantry_err_t err = fit_affine(measured, wanted, run->points_count, matrix, offset, &condition);
  if (err != GANTRY_OK || !calibration_set_matrix(&found, matrix)) {
    snprintf(advice, size,
             "the sides are too unlike (condition %.3g): an axis is dead, or a side was measured "
             "wrong; cancel and begin anew",
             condition);
    return SENSOR_CALIBRATION_STATE_FAILED;
  }
  for (int i = 0; i < 3; i++)
    if (!calibration_set(&found, (calibration_key_t)((int)CALIBRATION_OFFSET_X + i), offset[i]))
      return failed(advice, size, NAMES[i], offset[i]);
  *out = found;
  return SENSOR_CALIBRATION_STATE_READY;
}

/* Each target says scale * distance + offset * share = reference: one unknown for targets at one
   distance, two for more. */
static sensor_calibration_state_t by_target(const sensor_calibration_run_t *run,
                                            const double *share, calibration_t *out, char *advice,
                                            size_t size) {
  double measured[sizeof run->points / sizeof *run->points],
      reference[sizeof measured / sizeof *measured];
  double least = INFINITY, greatest = 0, aside = 0, offset = 0, scale = out->scale[0];
  for (uint32_t i = 0; i < run->points_count; i++) {
    const sensor_calibration_point_t *point = &run->points[i];
    measured[i] = point->mean[0] / share[i];
    reference[i] = point->reference / share[i];
    least = fmin(least, point->reference);
    greatest = fmax(greatest, point->reference);
    offset += (reference[i] - scale * measured[i]) / run->points_count;
    aside += point->mean[1] / run->points_count;
  }
  if (greatest - least >= DISTANCES_M)
    fit_line(measured, reference, run->points_count, &scale, &offset);
  if (!calibration_set(out, CALIBRATION_ANGLE_OFFSET, -aside))
    return failed(advice, size, "the angle offset", -aside);
  return set_line(out, scale, offset, advice, size);
}

static sensor_calibration_state_t by_method(const sensor_calibration_run_t *run,
                                            const double *share, calibration_t *out, char *advice,
                                            size_t size) {
  switch (run->method) {
  case SENSOR_CALIBRATION_METHOD_REST:
    return by_rest(&run->points[0], out, advice, size);
  case SENSOR_CALIBRATION_METHOD_POINTS:
    return by_points(run, out, advice, size);
  case SENSOR_CALIBRATION_METHOD_ORIENTATIONS:
    return by_orientations(run, out, advice, size);
  case SENSOR_CALIBRATION_METHOD_TARGET:
    break;
  }
  return by_target(run, share, out, advice, size);
}

sensor_calibration_state_t solve(const sensor_calibration_run_t *run, const double *share,
                                 calibration_t *out, char *advice, size_t size) {
  calibration_t found = *out;
  if (run->points_count == 0) return SENSOR_CALIBRATION_STATE_WAITING;
  sensor_calibration_state_t state = by_method(run, share, &found, advice, size);
  if (state != SENSOR_CALIBRATION_STATE_READY) return state;
  double before = solve_error(run, share, out), after = solve_error(run, share, &found);
  *out = found;
  snprintf(advice, size,
           after <= before ? "activate it, or measure more points"
                           : "no better than what is in force: cancel, or measure more points");
  return state;
}
