/* A map that another process places: the back end says its shape, not where it lies. */
#include <math.h>

#include <criterion/criterion.h>

#include <gantry/slam/slam.h>

enum { RAYS = 180, PILLARS = 9 };
static const double STEP_M = 0.11, LENGTH_M = 14, HALL_M = 24;
static const double PULL_RAD = 0.05, PULL_OVER_M = 2; /* what tags turn the first metres by */

static points_t points;

/* A hall 24 m by 6 m with pillars; the way leads along its middle. */
static double range_at(double x, double y, double angle) {
  double c = cos(angle), s = sin(angle);
  double nearest =
      fmin(c > 0 ? (HALL_M - 4 - x) / c : (-4 - x) / c, s > 0 ? (3 - y) / s : (-3 - y) / s);
  for (int i = 0; i < PILLARS; i++) {
    double px = -3 + 2.3 * i + 0.4 * (i % 3) - x, py = (i % 2 ? 2.1 : -1.7) - y;
    double along = c * px + s * py, off = fabs(c * py - s * px);
    if (along > 0 && off < 0.2) nearest = fmin(nearest, along - sqrt(0.04 - off * off));
  }
  return nearest;
}

static void scan_at(pose2_t pose) {
  static uint32_t noise = 1;
  float angle_rad[RAYS], range_m[RAYS];
  points_gate_t gate = points_gate_default();
  for (int i = 0; i < RAYS; i++) {
    noise = noise * 1664525u + 1013904223u;
    double off_m = 0.02 * ((double)(noise >> 8) / (1 << 24) - 0.5);
    angle_rad[i] = (float)(M_PI * (2.0 * i / RAYS - 1.0));
    range_m[i] = (float)(off_m + range_at(pose.x, pose.y, pose.theta + (double)angle_rad[i]));
  }
  points_from_scan(&points, angle_rad, range_m, RAYS, (pose2_t){0}, &gate);
}

/* Where localization says the robot is: the way is bent at its beginning. */
static pose2_t said(double way_m) {
  pose2_t pose = {0};
  for (double at_m = 0; at_m + 1e-9 < way_m; at_m += STEP_M) {
    pose.theta = PULL_RAD * fmin(1, at_m / PULL_OVER_M);
    pose = pose2_compose(pose, (pose2_t){.x = fmin(STEP_M, way_m - at_m)});
  }
  return pose;
}

Test(slam_place, a_straight_whose_beginning_was_bent_stays_where_it_was_laid) {
  slam_config_t config = slam_config_default();
  slam_correction_t correction;
  config.threads = 1;
  slam_t *slam = slam_new(&config);
  double worst_m = 0;
  /* Back, too, so that there is much to close. */
  int there = (int)(LENGTH_M / STEP_M);
  for (int i = 0; i < 2 * there; i++) {
    double way_m = STEP_M * (i < there ? i : 2 * there - i);
    slam_result_t result;
    scan_at((pose2_t){.x = way_m});
    pose2_t pose = said(way_m);
    pose2_t old = pose;
    cr_assert_eq(slam_insert(slam, 0.1 * i, pose, 0, &points, &result), GANTRY_OK);
    if (slam_poll(slam, &correction))
      worst_m = fmax(worst_m, pose2_distance(pose2_compose(correction.step, old), old));
  }
  cr_assert_eq(slam_finish(slam, NULL, NULL, &correction), GANTRY_OK);
  pose2_t end = said(LENGTH_M), laid = slam_scan_pose(slam, (size_t)there, NULL);
  cr_assert_gt(slam_counts(slam).closures, 0);
  cr_assert_lt(worst_m, 0.15, "%.3f m on the way", worst_m);
  cr_assert_lt(pose2_distance(end, laid), 0.15, "%.3f m at the end", pose2_distance(end, laid));
  cr_assert_float_eq(laid.theta, end.theta, 0.02);
  slam_destroy(&slam);
}
