/* Anchors: a map that was begun anywhere comes to lie where surveyed points say. */
#include <math.h>

#include <criterion/criterion.h>

#include <gantry/slam/slam.h>

#include "world.h"

static const pose2_t PLACE = {12, -5, 0.7}; /* of the map's first frame among the surveyed points */
static slam_t *slam;

static pose2_t drive(int scan) {
  return (pose2_t){.x = -2.4 + 0.2 * scan, .y = -1.2 + 0.05 * scan, .theta = 0.2};
}

/* Anew, and empty. */
static void begin(void) {
  slam_config_t config = slam_config_default();
  config.threads = 1;
  slam_destroy(&slam);
  slam = slam_new(&config);
}

static void setup(void) {
  static points_t points;
  begin();
  for (int i = 0; i < 25; i++) {
    slam_result_t result;
    world_scan(drive(i), 180, &points);
    cr_assert_eq(slam_insert(slam, 0.1 * i, drive(i), 0, &points, &result), GANTRY_OK);
  }
}

static void teardown(void) {
  slam_destroy(&slam);
}

TestSuite(slam_anchor, .init = setup, .fini = teardown);

/* The tag over which the robot was at a scan, by a survey that is off by so much along x. */
static gantry_err_t anchor(int scan, double off_m) {
  pose2_t seen = drive(scan), there = pose2_compose(PLACE, seen);
  return slam_anchor(slam, seen.x, seen.y, 0, there.x + off_m, there.y, 0.02);
}

/* How far the finished map is from where it belongs. */
static double off_m(pose2_t place) {
  double worst_m = 0;
  for (size_t i = 0; i < slam_scan_count(slam); i++)
    worst_m = fmax(worst_m, pose2_distance(slam_scan_pose(slam, i, NULL),
                                           pose2_compose(place, drive((int)i))));
  return worst_m;
}

Test(slam_anchor, moves_the_finished_map_to_the_surveyed_points) {
  slam_correction_t correction;
  cr_assert_eq(anchor(0, 0), GANTRY_OK);
  cr_assert_eq(anchor(12, 0), GANTRY_OK);
  cr_assert_eq(anchor(24, 0), GANTRY_OK);

  cr_assert_eq(slam_finish(slam, NULL, NULL, &correction), GANTRY_OK);

  cr_assert_lt(off_m(PLACE), 0.03);
  cr_assert_float_eq(correction.step.theta, PLACE.theta, 0.01);
  pose2_t there = pose2_compose(PLACE, drive(12));
  cr_assert_eq(grid_state(slam_grid(slam), (int)floor(there.x / 0.05), (int)floor(there.y / 0.05)),
               GRID_FREE); /* the cells went with it */
  cr_assert_eq(grid_state(slam_grid(slam), 0, 0), GRID_UNKNOWN);
}

/* What a restart in the middle of a session does. */
Test(slam_anchor, outlives_a_restart) {
  slam_correction_t correction;
  buf_t saved = {0};
  for (int i = 0; i < 25; i += 12)
    cr_assert_eq(anchor(i, 0), GANTRY_OK);
  cr_assert_eq(slam_save(slam, &saved), GANTRY_OK);
  begin();
  cr_assert_eq(slam_load(slam, saved.data, saved.len), GANTRY_OK);

  cr_assert_eq(slam_finish(slam, NULL, NULL, &correction), GANTRY_OK);

  cr_assert_lt(off_m(PLACE), 0.03);
  buf_fini(&saved);
}

Test(slam_anchor, leaves_out_a_tag_that_contradicts_the_others) {
  slam_correction_t correction;
  for (int i = 0; i < 25; i += 6)
    cr_assert_eq(anchor(i, i == 12 ? 4.0 : 0), GANTRY_OK);

  cr_assert_eq(slam_finish(slam, NULL, NULL, &correction), GANTRY_OK);

  cr_assert_lt(off_m(PLACE), 0.03);
}

Test(slam_anchor, does_nothing_where_points_do_not_tell_the_heading) {
  slam_correction_t correction;
  anchor(10, 0);
  anchor(12, 0);

  cr_assert_eq(slam_finish(slam, NULL, NULL, &correction), GANTRY_OK);

  cr_assert_lt(off_m((pose2_t){0}), 0.03);
}

Test(slam_anchor, does_nothing_where_tags_contradict_one_another) {
  slam_correction_t correction;
  anchor(0, 3);
  anchor(12, -3);
  anchor(24, 0);

  cr_assert_eq(slam_finish(slam, NULL, NULL, &correction), GANTRY_OK);

  cr_assert_lt(off_m((pose2_t){0}), 0.03);
}

Test(slam_anchor, refuses_what_is_no_point) {
  cr_assert_eq(slam_anchor(slam, NAN, 0, 0, 0, 0, 0.02), GANTRY_E_INVALID);
  cr_assert_eq(slam_anchor(slam, 0, 0, 0, INFINITY, 0, 0.02), GANTRY_E_INVALID);
  cr_assert_eq(slam_anchor(slam, 0, 0, 0, 0, 0, 0), GANTRY_E_INVALID);
  cr_assert_eq(slam_anchor(slam, 0, 0, 77, 0, 0, 0.02), GANTRY_E_INVALID);
  slam_config_t config = slam_config_default();
  slam_t *empty = slam_new(&config);
  cr_assert_eq(slam_anchor(empty, 0, 0, 0, 0, 0, 0.02), GANTRY_E_UNAVAILABLE);
  slam_destroy(&empty);
}
