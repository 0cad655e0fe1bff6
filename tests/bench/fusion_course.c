/* The drive: a smooth curve through the known poses, sensors that see it, and the estimate. */
#include "fusion_course.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <gantry/slam/raycast.h>

#define STEP_S             0.01 /* accelerometer */
#define ODOMETRY_EVERY     5    /* steps */
#define READ_EVERY         10   /* tags, proximity, scores */
#define STANDS_S           2.0  /* before it drives off */
#define BEGIN_NS           1000000000ull
#define ACCEL_NOISE        0.05
#define ACCEL_BIAS         0.02
#define READ_RADIUS_M      0.2
#define RAY_NOISE_M        0.02
#define RAY_REACH_M        4.0
#define RAY_OUTLIERS       0.05
#define LIDAR_RAYS         240
#define LIDAR_REACH_M      12.0
#define SLIP_PERIOD_S      40.0
#define SLIP_LASTS_S       1.5
#define SLIP_MPS           0.4
#define FIELD_TRUNCATION_M 0.5

static const pose2_t ANTENNA = {0.15, 0, 0};
static const char *const RAYS[4] = {"front", "left", "back", "right"};

typedef struct tag_row {
  double x, y; /* where it is */
} tag_row_t;

typedef struct drive {
  const course_t *course;
  const course_case_t *how;
  fusion_t fusion;
  naive_t naive, carried;
  tag_row_t tags[COURSE_TAGS];
  uint32_t tag_count, segment, sample;
  pose2_t odometry, odometry_read; /* now, and when the means were taken last */
  double time_s;
  uint64_t seeds[5];
  course_result_t *out;
} drive_t;

enum { CHANCE_ACCEL, CHANCE_TAG, CHANCE_RAY, CHANCE_SCAN, CHANCE_PLAN };

/* A sequence of its own for each sensor (linear congruential, Box-Muller). */
static double uniform(uint64_t *seed) {
  *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
  return ((double)(*seed >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(uint64_t *seed) {
  double u = uniform(seed);
  return sqrt(-2 * log(u)) * cos(2 * M_PI * uniform(seed));
}

/* --- The curve: cubic Hermite through the poses, its slopes by central differences ------------ */

typedef struct motion {
  pose2_t pose, speed, acceleration; /* map frame */
} motion_t;

static double slope_at(double before, double here, double after, double dt0, double dt1) {
  return dt0 + dt1 > 0 ? ((here - before) * dt1 / dt0 + (after - here) * dt0 / dt1) / (dt0 + dt1)
                       : 0;
}

/* Value, first and second derivative at share u of a segment dt long. */
static void hermite(const double p[4], const double t[4], double u, double dt, double out[3]) {
  double m0 = slope_at(p[0], p[1], p[2], t[1] - t[0], t[2] - t[1]) * dt;
  double m1 = slope_at(p[1], p[2], p[3], t[2] - t[1], t[3] - t[2]) * dt;
  double a = 2 * p[1] - 2 * p[2] + m0 + m1, b = -3 * p[1] + 3 * p[2] - 2 * m0 - m1;
  out[0] = ((a * u + b) * u + m0) * u + p[1];
  out[1] = ((3 * a * u + 2 * b) * u + m0) / dt;
  out[2] = (6 * a * u + 2 * b) / (dt * dt);
}

static motion_t motion_at(const course_t *course, double time_s) {
  uint32_t i = 0, last = course->count - 2;
  for (uint32_t step = 1u << 16; step > 0; step >>= 1)
    if (i + step <= last && course->time_s[i + step] <= time_s) i += step;
  double p[3][4], t[4], out[3][3], dt = course->time_s[i + 1] - course->time_s[i];
  double u = fmin(fmax((time_s - course->time_s[i]) / dt, 0), 1);
  for (uint32_t k = 0; k < 4; k++) {
    int64_t at = (int64_t)i + k - 1;
    uint32_t knot = at < 0 ? 0 : at >= course->count ? course->count - 1 : (uint32_t)at;
    pose2_t pose = course->truth[knot];
    t[k] = at < 0 ? course->time_s[0] - dt : course->time_s[knot];
    if (at >= course->count) t[k] = course->time_s[knot] + dt;
    p[0][k] = pose.x;
    p[1][k] = pose.y;
    p[2][k] = pose.theta;
  }
  for (int k = 0; k < 4; k++) /* angles along the shorter way from the segment's first */
    if (k != 1) p[2][k] = p[2][1] + wrap_rad(p[2][k] - p[2][1]);
  for (int k = 0; k < 3; k++)
    hermite(p[k], t, u, dt, out[k]);
  return (motion_t){.pose = {out[0][0], out[1][0], wrap_rad(out[2][0])},
                    .speed = {out[0][1], out[1][1], out[2][1]},
                    .acceleration = {out[0][2], out[1][2], out[2][2]}};
}

double course_end_s(const course_t *course) {
  return course->time_s[course->count - 1];
}

pose2_t course_truth(const course_t *course, double time_s) {
  return motion_at(course, fmax(time_s, course->time_s[0])).pose;
}

/* --- Sensors ---------------------------------------------------------------------------------- */

static uint64_t now_ns(const drive_t *drive) {
  return BEGIN_NS + (uint64_t)((drive->time_s + STANDS_S) * 1e9);
}

static bool wheels_slip(const drive_t *drive) {
  return drive->how->slips && drive->time_s > 10 &&
         fmod(drive->time_s, SLIP_PERIOD_S) < SLIP_LASTS_S;
}

/* What the wheels said more than the truth between two known poses, spread over the time. */
static void move_wheels(drive_t *drive, double dt_s) {
  const course_t *course = drive->course;
  double t1 = fmax(drive->time_s, 0), t0 = fmax(drive->time_s - dt_s, 0);
  pose2_t step = pose2_between(course_truth(course, t0), course_truth(course, t1));
  while (drive->segment + 2 < course->count && course->time_s[drive->segment + 1] <= t0)
    drive->segment++;
  uint32_t i = drive->segment;
  pose2_t said = pose2_between(course->odometry[i], course->odometry[i + 1]);
  pose2_t real = pose2_between(course->truth[i], course->truth[i + 1]);
  double share = (t1 - t0) / (course->time_s[i + 1] - course->time_s[i]);
  step.x += (said.x - real.x) * share;
  step.y += (said.y - real.y) * share;
  step.theta += wrap_rad(said.theta - real.theta) * share;
  if (wheels_slip(drive)) step.x += SLIP_MPS * dt_s;
  drive->odometry = pose2_compose(drive->odometry, step);
  fusion_motion(&drive->fusion, now_ns(drive), drive->odometry, step.x / dt_s, step.theta / dt_s,
                false);
}

static void feel(drive_t *drive) {
  motion_t motion = motion_at(drive->course, drive->time_s);
  pose2_t a = drive->time_s > 0 ? motion.acceleration : (pose2_t){0};
  double c = cos(motion.pose.theta), s = sin(motion.pose.theta);
  uint64_t *seed = &drive->seeds[CHANCE_ACCEL];
  double along = c * a.x + s * a.y + ACCEL_BIAS + ACCEL_NOISE * normal(seed);
  double across = -s * a.x + c * a.y - ACCEL_BIAS + ACCEL_NOISE * normal(seed);
  fusion_accelerate(&drive->fusion, now_ns(drive), along, across, 0.8);
}

static void read_tags(drive_t *drive, pose2_t truth) {
  pose2_t antenna = pose2_compose(truth, ANTENNA);
  for (uint32_t i = 0; i < drive->tag_count; i++) {
    char id[LANDMARK_ID_MAX + 1];
    if (hypot(drive->tags[i].x - antenna.x, drive->tags[i].y - antenna.y) > READ_RADIUS_M) continue;
    (void)snprintf(id, sizeof id, "%08X", i);
    const landmark_t *row = landmarks_find(&drive->fusion.landmarks, id);
    naive_tag(&drive->naive, drive->time_s, row->x_m, row->y_m, ANTENNA);
    naive_tag(&drive->carried, drive->time_s, row->x_m, row->y_m, ANTENNA);
    drive->out->restarts +=
        fusion_tag(&drive->fusion, now_ns(drive), id, 0.9, 0.95) == FUSION_TAG_RESTARTED;
    return;
  }
}

/* A smooth field of unit variance over the plane, told apart by which. */
static double field_at(double x, double y, double which) {
  double a = sin(1.1 * x + 0.5 * y + which) + sin(-0.4 * x + 1.3 * y + 2.3 * which);
  return (a + sin(0.8 * x - 0.9 * y + 3.7 * which) + sin(1.5 * y + 0.2 * x + 5.1 * which)) /
         M_SQRT2;
}

/* Where the sensors would have to be in the map to see what they see. */
static pose2_t in_the_map(const drive_t *drive, pose2_t truth) {
  double sigma = drive->how->map_error_m;
  return (pose2_t){truth.x + sigma * field_at(truth.x, truth.y, 1),
                   truth.y + sigma * field_at(truth.x, truth.y, 2),
                   truth.theta + sigma / 5 * field_at(truth.x, truth.y, 3)};
}

static void read_rays(drive_t *drive, pose2_t truth) {
  uint64_t *seed = &drive->seeds[CHANCE_RAY];
  for (int i = 0; i < 4; i++) {
    pose2_t eye = pose2_compose(truth, drive->fusion.rule.mounts[i].pose);
    double range_m, noise_m = RAY_NOISE_M * normal(seed), chance = uniform(seed),
                    at = uniform(seed);
    if (!raycast_range(drive->course->grid, eye, RAY_REACH_M, &range_m)) continue;
    range_m = chance < RAY_OUTLIERS ? at * range_m : range_m + noise_m;
    fusion_range(&drive->fusion, now_ns(drive), RAYS[i], range_m, 0.9);
  }
}

static void naive_match(drive_t *drive, naive_t *naive, const float *angle, const float *range) {
  static points_t points;
  points_gate_t gate = points_gate_default();
  match_result_t match;
  points_from_scan(&points, angle, range, LIDAR_RAYS, (pose2_t){0}, &gate);
  if (tracker_match(drive->fusion.tracking.tracker, naive->pose, &points, &match) != GANTRY_OK)
    return;
  double quality =
      match.inlier_fraction < 0.7 ? 0.7 * match.inlier_fraction : match.inlier_fraction;
  naive_scan(naive, drive->time_s, match.pose, quality);
}

static bool is_blocked(const drive_t *drive) {
  return drive->time_s >= drive->how->blocked_from_s && drive->time_s < drive->how->blocked_to_s;
}

static void scan(drive_t *drive, pose2_t truth) {
  static float angle[LIDAR_RAYS], range[LIDAR_RAYS];
  fusion_pose_t said;
  uint64_t *seed = &drive->seeds[CHANCE_SCAN];
  if (is_blocked(drive)) return;
  for (int i = 0; i < LIDAR_RAYS; i++) {
    double found_m = 0, turn = -M_PI + i * 2 * M_PI / LIDAR_RAYS;
    pose2_t eye = {truth.x, truth.y, truth.theta + turn};
    bool hit = raycast_range(drive->course->grid, eye, LIDAR_REACH_M, &found_m);
    angle[i] = (float)turn;
    range[i] = hit ? (float)(found_m + drive->how->lidar_noise_m * normal(seed)) : 0;
  }
  naive_match(drive, &drive->naive, angle, range);
  naive_match(drive, &drive->carried, angle, range);
  drive->out->scans_failed +=
      !fusion_scan(&drive->fusion, now_ns(drive), angle, range, LIDAR_RAYS, &said);
}

/* --- Scores ----------------------------------------------------------------------------------- */

static double nees_of(const double p[9], const double e[3]) {
  double l00 = sqrt(p[0]), l10 = p[3] / l00, l20 = p[6] / l00;
  double l11 = sqrt(p[4] - l10 * l10), l21 = (p[7] - l20 * l10) / l11;
  double l22 = sqrt(p[8] - l20 * l20 - l21 * l21);
  double y0 = e[0] / l00, y1 = (e[1] - l10 * y0) / l11, y2 = (e[2] - l20 * y0 - l21 * y1) / l22;
  return y0 * y0 + y1 * y1 + y2 * y2;
}

static void score(drive_t *drive, pose2_t truth) {
  fusion_pose_t said;
  if (drive->time_s < 0 || !fusion_pose_at(&drive->fusion, now_ns(drive), &said)) return;
  double error[3] = {truth.x - said.pose.x, truth.y - said.pose.y,
                     wrap_rad(truth.theta - said.pose.theta)};
  drive->out->samples[drive->out->count++] =
      (course_sample_t){.time_s = drive->time_s,
                        .error_m = hypot(error[0], error[1]),
                        .sigma_m = sqrt(said.covariance[0] + said.covariance[4]),
                        .nees = nees_of(said.covariance, error),
                        .confidence = said.confidence,
                        .naive_m = pose2_distance(truth, drive->naive.pose),
                        .carried_m = pose2_distance(truth, drive->carried.pose),
                        .slipping = fusion_slips(&drive->fusion, now_ns(drive))};
}

/* --- The drive -------------------------------------------------------------------------------- */

/* Tags along the way; some are not where the table says. */
static void lay_tags(drive_t *drive) {
  double way_m = 0, next_m = drive->how->tag_every_m;
  uint64_t *seed = &drive->seeds[CHANCE_PLAN];
  pose2_t before = course_truth(drive->course, 0);
  for (double t = 0.05; next_m > 0 && t < course_end_s(drive->course); t += 0.05) {
    pose2_t here = course_truth(drive->course, t);
    way_m += pose2_distance(before, here);
    before = here;
    if (way_m < next_m || drive->tag_count == COURSE_TAGS) continue;
    next_m += drive->how->tag_every_m;
    landmark_t row = {.x_m = here.x, .y_m = here.y};
    double wrong = uniform(seed), angle = 2 * M_PI * uniform(seed), far_m = 2 + 4 * uniform(seed);
    (void)snprintf(row.tag, sizeof row.tag, "%08X", drive->tag_count);
    drive->tags[drive->tag_count++] = (tag_row_t){here.x, here.y};
    if (wrong < drive->how->wrong_tags) {
      row.x_m += far_m * cos(angle);
      row.y_m += far_m * sin(angle);
    }
    landmarks_put(&drive->fusion.landmarks, &row);
  }
}

static gantry_err_t load_map(drive_t *drive) {
  grid_box_t box;
  if (!grid_bounds(drive->course->grid, &box)) return GANTRY_E_INVALID;
  size_t count = (size_t)box.width * box.height;
  int8_t *cells = malloc(count);
  if (!cells) return GANTRY_E_INTERNAL;
  tracker_t *tracker = NULL, *before = NULL;
  gantry_err_t err = grid_export(drive->course->grid, box, cells, count);
  if (err == GANTRY_OK)
    err = tracking_prepare(grid_resolution_m(drive->course->grid), box, cells, &tracker);
  if (err == GANTRY_OK) before = tracking_adopt(&drive->fusion.tracking, "course", tracker);
  tracker_destroy(&before);
  free(cells);
  return err;
}

static gantry_err_t begin(drive_t *drive) {
  fusion_rule_t rule = fusion_rule_default();
  rule.antenna = ANTENNA;
  for (int i = 0; i < FUSION_MOUNTS; i++) {
    rule.mounts[i].pose = (pose2_t){.theta = i * M_PI_2};
    (void)snprintf(rule.mounts[i].sensor, sizeof rule.mounts[i].sensor, "%s", RAYS[i]);
  }
  GANTRY_TRY(fusion_init(&drive->fusion, &rule));
  GANTRY_TRY(load_map(drive));
  for (uint64_t i = 0; i < 5; i++)
    drive->seeds[i] = drive->how->seed * 1000 + i;
  lay_tags(drive);
  pose2_t first = course_truth(drive->course, 0);
  fusion_set_pose(&drive->fusion, BEGIN_NS, first, 1, FUSION_MANUAL);
  naive_begin(&drive->naive, first, false);
  naive_begin(&drive->carried, first, true);
  return GANTRY_OK;
}

static void step(drive_t *drive, uint64_t i) {
  drive->time_s = (double)i * STEP_S - STANDS_S;
  pose2_t truth = course_truth(drive->course, drive->time_s);
  uint64_t lidar_every = drive->how->lidar_hz > 0 ? (uint64_t)(100 / drive->how->lidar_hz) : 0;
  if (drive->how->accelerometer) feel(drive);
  if (i % ODOMETRY_EVERY == 0) move_wheels(drive, ODOMETRY_EVERY * STEP_S);
  if (i % READ_EVERY == 0 && drive->how->tag_every_m > 0) read_tags(drive, truth);
  if (i % READ_EVERY == 0 && drive->how->proximity) read_rays(drive, in_the_map(drive, truth));
  if (lidar_every > 0 && i % lidar_every == 0) scan(drive, in_the_map(drive, truth));
  if (i % READ_EVERY != 0) return;
  pose2_t way = pose2_between(drive->odometry_read, drive->odometry);
  drive->odometry_read = drive->odometry;
  naive_step(&drive->naive, drive->time_s, way, drive->how->proximity);
  naive_step(&drive->carried, drive->time_s, way, drive->how->proximity);
  score(drive, truth);
}

gantry_err_t course_run(const course_t *course, const course_case_t *how, double until_s,
                        course_result_t *out) {
  double end_s = fmin(until_s, course_end_s(course));
  uint64_t steps = (uint64_t)((end_s + STANDS_S) / STEP_S);
  drive_t *drive = calloc(1, sizeof *drive);
  *out = (course_result_t){.samples = calloc(steps / READ_EVERY + 2, sizeof *out->samples)};
  if (!drive || !out->samples) {
    free(drive);
    return GANTRY_E_INTERNAL;
  }
  drive->course = course;
  drive->how = how;
  drive->out = out;
  gantry_err_t err = begin(drive);
  for (uint64_t i = 1; err == GANTRY_OK && i < steps; i++)
    step(drive, i);
  out->tag_fixes = drive->fusion.tag_fixes;
  out->tags_refused = drive->fusion.tags_refused;
  fusion_fini(&drive->fusion);
  free(drive);
  return err;
}
