/* Parses single lines of CARMEN logs. Numbers are read with strtod and checked column by column, so
   a fault can name the one that is wrong. */
#include <gantry/slam/carmen.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const double DEGREE = M_PI / 180.0;

carmen_beam_t carmen_beam_default(uint32_t range_count) {
  double step_deg = 180.0 / (range_count > 1 ? range_count - 1 : 1);
  if (range_count == 180 || range_count == 181) step_deg = 1.0;
  if (range_count == 360 || range_count == 361) step_deg = 0.5;
  return (carmen_beam_t){
      .first_rad = -90.0 * DEGREE, .step_rad = step_deg * DEGREE, .no_return_m = 80.0};
}

/* Reads the next number; the fault names the column when there is none. */
static gantry_err_t take(const char **cursor, const char *column, double *out,
                         gantry_fault_t *fault) {
  char *end = NULL;
  *out = strtod(*cursor, &end);
  if (end == *cursor || !isfinite(*out))
    return fault_set(fault, GANTRY_E_SCHEMA, column, "column %s is missing or not a number",
                     column);
  *cursor = end;
  return GANTRY_OK;
}

/* As take, for where the robot is: no log leads further than CARMEN_REACH, so that is no pose. */
static gantry_err_t take_place(const char **cursor, const char *column, double *out,
                               gantry_fault_t *fault) {
  GANTRY_TRY(take(cursor, column, out, fault));
  if (fabs(*out) <= CARMEN_REACH) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_SCHEMA, column, "column %s is %g, which is no place", column,
                   *out);
}

static gantry_err_t take_pose(const char **cursor, const char *const columns[3], pose2_t *out,
                              gantry_fault_t *fault) {
  GANTRY_TRY(take_place(cursor, columns[0], &out->x, fault));
  GANTRY_TRY(take_place(cursor, columns[1], &out->y, fault));
  return take_place(cursor, columns[2], &out->theta, fault);
}

/* A line that ends with its time may end within it: the last line of a log that was cut off. */
static gantry_err_t take_time(const char **cursor, double *out, gantry_fault_t *fault) {
  GANTRY_TRY(take(cursor, "time", out, fault));
  if (**cursor != '\0') return GANTRY_OK;
  return fault_set(fault, GANTRY_E_SCHEMA, "time", "the line stops within or after column time");
}

static gantry_err_t parse_odom(const char *cursor, carmen_record_t *out, gantry_fault_t *fault) {
  static const char *const pose[3] = {"x", "y", "theta"};
  static const char *const motion[3] = {"tv", "rv", "accel"};
  pose2_t ignored;
  GANTRY_TRY(take_pose(&cursor, pose, &out->odometry, fault));
  GANTRY_TRY(take_pose(&cursor, motion, &ignored, fault));
  GANTRY_TRY(take_time(&cursor, &out->time_s, fault));
  out->kind = CARMEN_ODOM;
  return GANTRY_OK;
}

/* As take; nan and inf are ways to say that nothing came back. */
static gantry_err_t take_range(const char **cursor, double *out, gantry_fault_t *fault) {
  char *end = NULL;
  *out = strtod(*cursor, &end);
  if (end == *cursor) return take(cursor, "range", out, fault);
  *cursor = end;
  return GANTRY_OK;
}

static gantry_err_t take_ranges(const char **cursor, carmen_record_t *out, gantry_fault_t *fault) {
  double count = 0.0;
  GANTRY_TRY(take(cursor, "n", &count, fault));
  if (count < 0 || count > CARMEN_RANGES_MAX || count != floor(count))
    return fault_set(fault, GANTRY_E_SCHEMA, "n", "%g ranges; at most %d fit", count,
                     CARMEN_RANGES_MAX);
  out->range_count = (uint32_t)count;
  for (uint32_t i = 0; i < out->range_count; i++) {
    double range_m = 0.0;
    GANTRY_TRY(take_range(cursor, &range_m, fault));
    out->range_m[i] = (float)range_m;
  }
  return GANTRY_OK;
}

static gantry_err_t parse_flaser(const char *cursor, carmen_record_t *out, gantry_fault_t *fault) {
  static const char *const laser[3] = {"x", "y", "theta"};
  static const char *const robot[3] = {"odom_x", "odom_y", "odom_theta"};
  pose2_t ignored;
  GANTRY_TRY(take_ranges(&cursor, out, fault));
  GANTRY_TRY(take_pose(&cursor, laser, &ignored, fault));
  GANTRY_TRY(take_pose(&cursor, robot, &out->odometry, fault));
  GANTRY_TRY(take_time(&cursor, &out->time_s, fault));
  out->kind = CARMEN_FLASER;
  return GANTRY_OK;
}

/* Reads the number that follows a key in the beam header; false when the key is absent. */
static bool number_after(const char *line, const char *key, double *out) {
  const char *at = strstr(line, key);
  if (!at) return false;
  const char *from = at + strlen(key);
  char *end = NULL;
  double read = strtod(from, &end);
  if (end == from || !isfinite(read)) return false;
  *out = read;
  return true;
}

/* "a + s*i": the sign may stand apart from the step. */
static gantry_err_t parse_beam(const char *line, carmen_record_t *out, gantry_fault_t *fault) {
  double first_deg = 0.0;
  double step_deg = 0.0;
  const char *formula = strstr(line, "angle_deg =");
  char *end = NULL;
  bool good = formula && number_after(line, "angle_deg =", &first_deg);
  if (good) {
    strtod(formula + strlen("angle_deg ="), &end);
    end += strspn(end, " ");
    double sign = *end == '-' ? -1.0 : 1.0;
    good = (*end == '+' || *end == '-') && number_after(end, *end == '+' ? "+" : "-", &step_deg);
    step_deg *= sign;
  }
  if (!good || step_deg == 0.0)
    return fault_set(fault, GANTRY_E_SCHEMA, "beam",
                     "the beam header must read `angle_deg = FIRST + STEP*i`");
  out->beam = carmen_beam_default(0);
  number_after(line, "range >=", &out->beam.no_return_m);
  number_after(line, "laser_x_offset_m", &out->beam.laser_x_m);
  out->beam.first_rad = first_deg * DEGREE;
  out->beam.step_rad = step_deg * DEGREE;
  out->kind = CARMEN_BEAM;
  return GANTRY_OK;
}

gantry_err_t carmen_parse(const char *line, carmen_record_t *out, gantry_fault_t *fault) {
  out->kind = CARMEN_OTHER;
  if (strncmp(line, "FLASER ", 7) == 0) return parse_flaser(line + 7, out, fault);
  if (strncmp(line, "ODOM ", 5) == 0) return parse_odom(line + 5, out, fault);
  if (strncmp(line, "# beam ", 7) == 0) return parse_beam(line, out, fault);
  return GANTRY_OK;
}
