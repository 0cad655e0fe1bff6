/* Slam from scan to map, in the room of world.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include <gantry/slam/slam.h>

#include "world.h"

static slam_t *slam;
static points_t points;

static slam_config_t config_of(uint32_t threads) {
  slam_config_t config = slam_config_default();
  config.submap_length = 10;
  config.threads = threads;
  return config;
}

static void setup(void) {
  slam_config_t config = config_of(1);
  slam = slam_new(&config);
}

static void teardown(void) {
  slam_destroy(&slam);
}

TestSuite(slam, .init = setup, .fini = teardown);

/* Laps of an oval through the room, 21 scans a lap, from (0, 0, 0). */
static pose2_t drive(int scan) {
  double angle = 0.3 * scan;
  return (pose2_t){.x = 0.8 * sin(angle), .y = 0.8 * (1 - cos(angle)), .theta = wrap_rad(angle)};
}

static pose2_t bad_odometry(int scan) {
  double angle = 0.306 * scan;
  return (pose2_t){.x = 10 + 0.83 * sin(angle), .y = 0.83 * (1 - cos(angle)), .theta = angle};
}

static void feed(slam_t *to, int from, int until) {
  slam_result_t result;
  for (int i = from; i < until; i++) {
    world_scan(drive(i), 180, &points);
    cr_assert_eq(slam_feed(to, 0.1 * i, bad_odometry(i), &points, &result), GANTRY_OK);
  }
}

static double worst_error_m(const slam_t *of) {
  double worst_m = 0.0;
  for (size_t i = 0; i < slam_scan_count(of); i++)
    worst_m = fmax(worst_m, pose2_distance(slam_scan_pose(of, i, NULL), drive((int)i)));
  return worst_m;
}

Test(slam, refuses_a_configuration_out_of_bounds) {
  slam_config_t config = config_of(1);
  config.submap_length = 0;
  cr_assert_null(slam_new(&config));
  config = config_of(0);
  cr_assert_null(slam_new(&config));
}

Test(slam, knows_where_every_scan_was_taken) {
  feed(slam, 0, 100);
  double time_s;

  slam_scan_pose(slam, 50, &time_s);

  cr_assert_eq(slam_scan_count(slam), 100);
  cr_assert_float_eq(time_s, 5.0, 1e-12);
  cr_assert_lt(worst_error_m(slam), 0.05, "%.3f m", worst_error_m(slam));
}

Test(slam, closes_loops_where_it_passes_again) {
  feed(slam, 0, 120);
  slam_correction_t correction;

  cr_assert_eq(slam_finish(slam, NULL, NULL, &correction), GANTRY_OK);

  const slam_closure_t *closures;
  cr_assert_gt(slam_closures(slam, &closures), 5);
  cr_assert_gt(slam_counts(slam).closures, 5);
  cr_assert_lt(closures[0].from, closures[0].to);
  cr_assert_lt(worst_error_m(slam), 0.03, "%.3f m", worst_error_m(slam));
}

Test(slam, gives_the_same_map_on_one_thread_and_two) {
  slam_config_t config = config_of(2);
  slam_t *two = slam_new(&config);
  slam_correction_t correction;

  feed(slam, 0, 80);
  feed(two, 0, 80);
  slam_finish(slam, NULL, NULL, &correction);
  slam_finish(two, NULL, NULL, &correction);

  bool same = slam_scan_count(slam) == slam_scan_count(two);
  for (size_t i = 0; i < slam_scan_count(slam); i++) {
    pose2_t a = slam_scan_pose(slam, i, NULL);
    pose2_t b = slam_scan_pose(two, i, NULL);
    same = same && a.x == b.x && a.y == b.y && a.theta == b.theta;
  }
  slam_destroy(&two);
  cr_assert(same);
}

static bool stop_at_once(double share, void *arg) {
  (void)share;
  ++*(int *)arg;
  return false;
}

Test(slam, ends_finishing_early_with_a_whole_map) {
  int calls = 0;
  feed(slam, 0, 60);
  slam_correction_t correction;

  cr_assert_eq(slam_finish(slam, stop_at_once, &calls, &correction), GANTRY_OK);

  cr_assert_eq(calls, 1);
  cr_assert_lt(worst_error_m(slam), 0.05);
  cr_assert_gt(grid_known_cells(slam_grid(slam)), 1000);
}

Test(slam, tells_how_good_the_map_is) {
  feed(slam, 0, 60);

  slam_quality_t quality = slam_quality(slam);

  cr_assert_gt(quality.coverage, 0.5);
  cr_assert_lt(quality.residual_m, 0.03);
  cr_assert_gt(quality.inliers, 0.95);
  cr_assert_gt(quality.consistency, 0.95);
  cr_assert_eq(quality.keyframes, slam_keyframe_count(slam));
}

Test(slam, tells_the_same_looked_at_in_parts) {
  slam_look_t look = {0};
  slam_quality_t whole, parts;
  uint32_t calls = 1;
  feed(slam, 0, 60);
  whole = slam_quality(slam);

  while (!slam_look_on(slam, &look, &parts))
    calls++;

  cr_assert_eq(calls, slam_keyframe_count(slam));
  cr_assert_eq(memcmp(&whole, &parts, sizeof whole), 0);
  cr_assert_eq(look.stride, 0, "the next one begins anew");
}

Test(slam, takes_scans_that_another_has_placed) {
  slam_result_t result;
  for (int i = 0; i < 30; i++) {
    world_scan(drive(i), 180, &points);
    cr_assert_eq(slam_insert(slam, i, drive(i), 0, &points, &result), GANTRY_OK);
    cr_assert(result.keyframe);
  }

  cr_assert_eq(slam_keyframe_count(slam), 30);
  cr_assert_lt(worst_error_m(slam), 1e-9);
  cr_assert_eq(slam_insert(slam, 31, drive(31), 1, &points, &result), GANTRY_E_INVALID,
               "no correction 1 has been made");
}

Test(slam, carries_poses_of_an_older_correction_on) {
  slam_correction_t correction;
  slam_result_t result;
  feed(slam, 0, 60);
  slam_finish(slam, NULL, NULL, &correction);
  cr_assert_gt(correction.number, 0);
  pose2_t old = drive(60);
  world_scan(old, 180, &points);

  slam_insert(slam, 6.0, old, 0, &points, &result);

  pose2_t expected = pose2_compose(correction.step, old);
  cr_assert_lt(pose2_distance(result.tracker.pose, expected), 1e-9);
}

Test(slam, goes_on_from_what_it_saved) {
  buf_t bytes = {0};
  slam_correction_t correction;
  feed(slam, 0, 60);
  slam_finish(slam, NULL, NULL, &correction);
  cr_assert_eq(slam_save(slam, &bytes), GANTRY_OK);

  slam_config_t config = config_of(1);
  slam_t *loaded = slam_new(&config);
  cr_assert_eq(slam_load(loaded, bytes.data, bytes.len), GANTRY_OK);

  cr_assert_eq(slam_keyframe_count(loaded), slam_keyframe_count(slam));
  cr_assert_eq(slam_scan_count(loaded), slam_scan_count(slam));
  cr_assert_lt(worst_error_m(loaded), 0.03);
  cr_assert_eq(slam_counts(loaded).closures, slam_counts(slam).closures);
  cr_assert_eq(grid_known_cells(slam_grid(loaded)), grid_known_cells(slam_grid(slam)));
  slam_result_t result;
  for (int i = 60; i < 90; i++) {
    world_scan(drive(i), 180, &points);
    slam_insert(loaded, 0.1 * i, drive(i), 0, &points, &result);
  }
  cr_assert_eq(slam_finish(loaded, NULL, NULL, &correction), GANTRY_OK);
  cr_assert_gt(slam_counts(loaded).closures, slam_counts(slam).closures);
  cr_assert_lt(worst_error_m(loaded), 0.03);
  slam_destroy(&loaded);
  buf_fini(&bytes);
}

/* A round wall of 1 m about the robot, wherever it is. */
static void draw_tube(int steps) {
  slam_result_t result;
  points.count = 90;
  for (int i = 0; i < 90; i++) {
    points.x_m[i] = (float)cos(i * M_PI / 45);
    points.y_m[i] = (float)sin(i * M_PI / 45);
  }
  for (int i = 0; i < steps; i++)
    slam_insert(slam, 0.1 * i, (pose2_t){0.2 * i, 0, 0}, 0, &points, &result);
}

/* As after a correction that took it to its limit. */
Test(slam, loads_what_fits_of_a_map_that_needs_more_tiles_than_there_are) {
  buf_t bytes = {0};
  slam_config_t config = config_of(1);
  draw_tube(200);
  cr_assert_eq(slam_save(slam, &bytes), GANTRY_OK);
  config.tracker.grid.tile_limit = 16;
  slam_t *loaded = slam_new(&config);

  cr_assert_eq(slam_load(loaded, bytes.data, bytes.len), GANTRY_OK);

  cr_assert_eq(slam_keyframe_count(loaded), slam_keyframe_count(slam));
  uint64_t known = grid_known_cells(slam_grid(loaded));
  cr_assert_gt(known, 0);
  cr_assert_lt(known, grid_known_cells(slam_grid(slam)));
  slam_destroy(&loaded);
  buf_fini(&bytes);
}

Test(slam, refuses_damaged_bytes) {
  buf_t bytes = {0};
  slam_correction_t correction;
  feed(slam, 0, 30);
  slam_finish(slam, NULL, NULL, &correction);
  slam_save(slam, &bytes);
  slam_config_t config = config_of(1);

  for (size_t i = 0; i < bytes.len; i += 1 + bytes.len / 50) {
    slam_t *other = slam_new(&config);
    bytes.data[i] ^= 0x40;
    cr_expect_eq(slam_load(other, bytes.data, bytes.len), GANTRY_E_SCHEMA, "byte %zu", i);
    cr_expect_eq(slam_load(other, bytes.data, i), GANTRY_E_SCHEMA, "cut at %zu", i);
    bytes.data[i] ^= 0x40;
    slam_destroy(&other);
  }
  buf_fini(&bytes);
}

Test(slam, says_when_there_is_no_room_to_save) {
  buf_t bytes = {.limit = 1000};
  feed(slam, 0, 30);

  cr_assert_eq(slam_save(slam, &bytes), GANTRY_E_TOO_LARGE);
  buf_fini(&bytes);
}

Test(slam, thins_its_scans_at_the_memory_limit) {
  slam_config_t config = config_of(2);
  config.memory_limit = 20000;
  slam_t *small = slam_new(&config);
  slam_correction_t correction;

  feed(small, 0, 120);
  cr_assert_eq(slam_finish(small, NULL, NULL, &correction), GANTRY_OK);

  cr_assert_lt(slam_counts(small).bytes, 30000);
  cr_assert_lt(worst_error_m(small), 0.1, "%.3f m", worst_error_m(small));
  slam_destroy(&small);
}

Test(slam, fits_its_limit_though_the_robot_stood_for_long) {
  slam_config_t config = config_of(1);
  config.memory_limit = 60000;
  slam_t *small = slam_new(&config);
  buf_t bytes = {0};
  slam_result_t result;
  for (int i = 0; i < 1200; i++) {
    int stop = i / 30;
    pose2_t pose = {-2.0 + 0.12 * stop, 0, 0};
    if (i % 30 == 0) world_scan(pose, 360, &points);
    cr_assert_eq(slam_insert(small, 0.1 * i, pose, 0, &points, &result), GANTRY_OK);
  }

  cr_assert_eq(slam_save(small, &bytes), GANTRY_OK);

  cr_assert_lt(bytes.len, 1.15 * (double)config.memory_limit, "%zu", bytes.len);
  buf_fini(&bytes);
  slam_destroy(&small);
}

Test(slam, is_empty_before_the_first_scan) {
  slam_correction_t correction;
  const slam_closure_t *closures;

  cr_assert_not(slam_poll(slam, &correction));
  cr_assert_eq(slam_finish(slam, NULL, NULL, &correction), GANTRY_OK);

  cr_assert_eq(slam_scan_count(slam), 0);
  cr_assert_eq(slam_closures(slam, &closures), 0);
  cr_assert_eq(slam_quality(slam).keyframes, 0);
}
