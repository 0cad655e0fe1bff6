/* The front end on a drive through a world whose ranges are exact. */
#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include <gantry/slam/distance_field.h>
#include <gantry/slam/tracker.h>

#include "world.h"

static tracker_t *tracker;
static points_t points;

static void setup(void) {
  tracker_config_t config = tracker_config_default();
  tracker = tracker_new(&config);
}

static void teardown(void) {
  tracker_destroy(&tracker);
}

TestSuite(tracker, .init = setup, .fini = teardown);

/* An oval drive through the room, from (0, 0, 0). */
static pose2_t drive(int scan) {
  double angle = 0.04 * scan;
  return (pose2_t){.x = 0.8 * sin(angle), .y = 0.8 * (1 - cos(angle)), .theta = wrap_rad(angle)};
}

/* Odometry that turns 5 % too much and drives 4 % too far. */
static pose2_t bad_odometry(int scan) {
  static const double SCALE = 1.04;
  double angle = 0.042 * scan;
  return (pose2_t){.x = 10 + SCALE * 0.8 * sin(angle),
                   .y = -4 + SCALE * 0.8 * (1 - cos(angle)),
                   .theta = wrap_rad(angle)};
}

static void feed_drive(int scans, tracker_result_t *result) {
  for (int i = 0; i < scans; i++) {
    world_scan(drive(i), 360, &points);
    cr_assert_eq(tracker_feed(tracker, bad_odometry(i), &points, result), GANTRY_OK);
  }
}

Test(tracker, refuses_a_configuration_out_of_bounds) {
  tracker_config_t config = tracker_config_default();
  config.grid.tile_limit = 0;

  cr_assert_null(tracker_new(&config));
}

Test(tracker, begins_at_zero_and_inserts_the_first_scan) {
  tracker_result_t result;
  world_scan(drive(0), 360, &points);

  tracker_feed(tracker, bad_odometry(0), &points, &result);

  cr_assert_not(result.matched);
  cr_assert(result.inserted);
  cr_assert_float_eq(result.pose.x, 0.0, 0);
  cr_assert_gt(grid_known_cells(tracker_grid(tracker)), 1000);
}

Test(tracker, follows_the_robot_where_odometry_drifts) {
  tracker_result_t result;

  feed_drive(200, &result);

  pose2_t truth = drive(199);
  cr_assert_lt(pose2_distance(result.pose, truth), 0.02, "%.3f m off",
               pose2_distance(result.pose, truth));
  cr_assert_lt(fabs(wrap_rad(result.pose.theta - truth.theta)), 0.01);
  cr_assert(result.matched);
  cr_assert_eq(tracker_counts(tracker).scans, 200);
  cr_assert_eq(tracker_counts(tracker).matched, 199);
}

Test(tracker, inserts_only_after_motion) {
  tracker_result_t result;
  world_scan(drive(0), 360, &points);
  tracker_feed(tracker, drive(0), &points, &result);

  for (int i = 0; i < 5; i++)
    tracker_feed(tracker, drive(0), &points, &result);
  bool while_standing = result.inserted;
  world_scan(drive(4), 360, &points);
  tracker_feed(tracker, drive(4), &points, &result);

  cr_assert_not(while_standing);
  cr_assert(result.inserted);
  cr_assert_eq(tracker_counts(tracker).inserted, 2);
}

Test(tracker, lives_on_odometry_while_blind) {
  tracker_result_t result;
  feed_drive(10, &result);
  pose2_t before = result.pose;
  points.count = 0;

  gantry_err_t err = tracker_feed(tracker, bad_odometry(11), &points, &result);

  pose2_t expected = pose2_compose(before, pose2_between(bad_odometry(9), bad_odometry(11)));
  cr_assert_eq(err, GANTRY_OK);
  cr_assert_not(result.matched);
  cr_assert_not(result.inserted);
  cr_assert_lt(pose2_distance(result.pose, expected), 1e-9);
}

Test(tracker, refuses_odometry_that_is_no_pose) {
  tracker_result_t result;
  world_scan(drive(0), 360, &points);

  cr_assert_eq(tracker_feed(tracker, (pose2_t){NAN, 0, 0}, &points, &result), GANTRY_E_INVALID);
  cr_assert_eq(tracker_integrate(tracker, (pose2_t){0, INFINITY, 0}, &points, NULL),
               GANTRY_E_INVALID);
  cr_assert_eq(tracker_counts(tracker).scans, 0);
}

Test(tracker, matches_without_changing_anything) {
  tracker_result_t fed;
  feed_drive(20, &fed);
  uint64_t revision = grid_revision(tracker_grid(tracker));
  match_result_t match;
  pose2_t off = pose2_compose(drive(30), (pose2_t){0.08, -0.05, 0.04});
  world_scan(drive(30), 360, &points);

  cr_assert_eq(tracker_match(tracker, off, &points, &match), GANTRY_OK);

  cr_assert_lt(pose2_distance(match.pose, drive(30)), 0.02);
  cr_assert_eq(grid_revision(tracker_grid(tracker)), revision);
  cr_assert_lt(pose2_distance(tracker_pose(tracker), fed.pose), 1e-12);
}

Test(tracker, integrates_where_the_caller_says) {
  bool first, again, moved;
  world_scan(drive(0), 360, &points);

  tracker_integrate(tracker, (pose2_t){2, 3, 0}, &points, &first);
  tracker_integrate(tracker, (pose2_t){2.02, 3, 0}, &points, &again);
  tracker_integrate(tracker, (pose2_t){2.02, 3, 0.2}, &points, &moved);

  cr_assert(first);
  cr_assert_not(again);
  cr_assert(moved);
  cr_assert_float_eq(tracker_pose(tracker).theta, 0.2, 1e-12);
}

Test(tracker, localizes_on_a_loaded_map_without_touching_it) {
  tracker_result_t result;
  feed_drive(100, &result);
  grid_box_t box;
  grid_bounds(tracker_grid(tracker), &box);
  size_t count = (size_t)box.width * box.height;
  int8_t *cells = malloc(count);
  grid_export(tracker_grid(tracker), box, cells, count);

  tracker_reset(tracker);
  cr_assert_eq(tracker_load(tracker, box, cells), GANTRY_OK);
  free(cells);
  tracker_set_mapping(tracker, false);
  tracker_set_pose(tracker, pose2_compose(drive(50), (pose2_t){0.1, 0.05, -0.05}));
  uint64_t revision = grid_revision(tracker_grid(tracker));
  for (int i = 50; i < 90; i++) {
    world_scan(drive(i), 360, &points);
    tracker_feed(tracker, bad_odometry(i), &points, &result);
  }

  cr_assert_lt(pose2_distance(result.pose, drive(89)), 0.03);
  cr_assert_eq(grid_revision(tracker_grid(tracker)), revision);
  cr_assert_eq(tracker_counts(tracker).inserted, 0);
}

Test(tracker, tells_when_the_map_is_full) {
  tracker_config_t config = tracker_config_default();
  config.grid.tile_limit = 1;
  tracker_t *small = tracker_new(&config);
  tracker_result_t result;
  world_scan(drive(0), 360, &points);

  gantry_err_t err = tracker_feed(small, drive(0), &points, &result);
  tracker_destroy(&small);

  cr_assert_eq(err, GANTRY_E_TOO_LARGE);
  cr_assert_not(result.inserted);
}

Test(tracker, is_new_after_a_reset) {
  tracker_result_t result;
  feed_drive(20, &result);

  tracker_reset(tracker);

  cr_assert_eq(grid_known_cells(tracker_grid(tracker)), 0);
  cr_assert_eq(tracker_counts(tracker).scans, 0);
  cr_assert_float_eq(tracker_pose(tracker).x, 0.0, 0);
  feed_drive(20, &result);
  cr_assert_lt(pose2_distance(result.pose, drive(19)), 0.02);
}

Test(tracker, shows_its_field) {
  tracker_result_t result;
  feed_drive(1, &result);

  double at_wall =
      distance_field_at(tracker_field(tracker), -world_range((pose2_t){.theta = M_PI}), 0.0, NULL);

  cr_assert_lt(at_wall, 0.06);
}
