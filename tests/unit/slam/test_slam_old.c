/* Slam: what earlier versions saved is read. */
#include <math.h>
#include <stdio.h>

#include <criterion/criterion.h>

#include <gantry/slam/slam.h>

#include "slam_bytes.h"
#include "world.h"

static uint8_t bytes[64 << 10];
static points_t points;

/* The drive that was saved: 45 scans on an oval, whose odometry erred by some percent. */
static pose2_t drive(int scan) {
  double angle = 0.3 * scan;
  return (pose2_t){.x = 0.8 * sin(angle), .y = 0.8 * (1 - cos(angle)), .theta = wrap_rad(angle)};
}

static size_t read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  cr_assert_not_null(file, "%s", path);
  size_t len = fread(bytes, 1, sizeof bytes, file);
  (void)fclose(file);
  return len;
}

static slam_t *empty(void) {
  slam_config_t config = slam_config_default();
  config.submap_length = 4;
  config.threads = 1;
  return slam_new(&config);
}

static double worst_error_m(const slam_t *slam) {
  double worst_m = 0.0;
  for (size_t i = 0; i < slam_scan_count(slam); i++)
    worst_m = fmax(worst_m, pose2_distance(slam_scan_pose(slam, i, NULL), drive((int)i)));
  return worst_m;
}

/* Version 1 did not keep how far its closures may be believed. */
Test(slam_old, version_1_has_its_poses_cells_and_closures_and_goes_on) {
  slam_t *slam = empty(), *again = empty();
  slam_correction_t correction;
  slam_result_t result;
  buf_t saved = {0};
  size_t len = read_file(GRAPH_1);

  cr_assert_eq(slam_load(slam, bytes, len), GANTRY_OK);
  cr_expect_eq(slam_keyframe_count(slam), 45);
  cr_expect_geq(slam_counts(slam).closures, 13, "%llu",
                (unsigned long long)slam_counts(slam).closures);
  cr_expect_lt(worst_error_m(slam), 0.06, "%.3f m", worst_error_m(slam));
  cr_expect_gt(grid_known_cells(slam_grid(slam)), 10000);

  for (int i = 45; i < 70; i++) {
    world_scan(drive(i), 60, &points);
    cr_assert_eq(slam_insert(slam, 0.1 * i, drive(i), 0, &points, &result), GANTRY_OK);
    (void)slam_poll(slam, &correction);
  }
  cr_assert_eq(slam_finish(slam, NULL, NULL, &correction), GANTRY_OK);
  cr_expect_lt(worst_error_m(slam), 0.06, "%.3f m", worst_error_m(slam));
  cr_assert_eq(slam_save(slam, &saved), GANTRY_OK);
  cr_expect_eq(slam_load(again, saved.data, saved.len), GANTRY_OK);

  buf_fini(&saved);
  slam_destroy(&slam);
  slam_destroy(&again);
}

/* Makes of what is written today what version 2 wrote: it ended before the anchors. */
static void make_version_2(buf_t *saved) {
  enum { HEAD = 20, VERSION_AT = 8, SUM_AT = 12, NO_ANCHORS = 4 };
  saved->len -= NO_ANCHORS;
  saved->data[VERSION_AT] = 2;
  uint64_t sum = checksum_of(saved->data + HEAD, saved->len - HEAD);
  for (int i = 0; i < 8; i++)
    saved->data[SUM_AT + i] = (uint8_t)(sum >> (8 * i));
}

Test(slam_old, version_2_has_its_poses_and_closures) {
  slam_t *slam = empty(), *again = empty();
  buf_t saved = {0};
  cr_assert_eq(slam_load(slam, bytes, read_file(GRAPH_1)), GANTRY_OK);
  cr_assert_eq(slam_save(slam, &saved), GANTRY_OK);
  make_version_2(&saved);

  cr_assert_eq(slam_load(again, saved.data, saved.len), GANTRY_OK);

  cr_expect_lt(worst_error_m(again), 0.06, "%.3f m", worst_error_m(again));
  cr_expect_eq(slam_counts(again).closures, slam_counts(slam).closures);
  buf_fini(&saved);
  slam_destroy(&slam);
  slam_destroy(&again);
}

Test(slam_old, a_later_version_is_refused) {
  slam_t *slam = empty();
  size_t len = read_file(GRAPH_1);
  bytes[8] = 4;

  cr_expect_eq(slam_load(slam, bytes, len), GANTRY_E_SCHEMA);
  slam_destroy(&slam);
}
