/* Distances to the walls of a loaded map: a room of 8 x 6 m. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "fusion.h"
#include "room.h"

#define S 1000000000ull

static fusion_t fusion;

static void wall(int8_t *cells, int x0, int y0, int x1, int y1) {
  for (int y = y0; y <= y1; y++)
    for (int x = x0; x <= x1; x++)
      cells[y * 200 + x] = 1;
}

/* Cells of 50 mm, the room's walls in them: at +-4.025 m and +-3.025 m. */
static void load_room(void) {
  int8_t *cells = calloc(40000, 1);
  tracker_t *tracker, *before;
  wall(cells, 19, 39, 180, 39);
  wall(cells, 19, 160, 180, 160);
  wall(cells, 19, 39, 19, 160);
  wall(cells, 180, 39, 180, 160);
  cr_assert_eq(tracking_prepare(0.05, (grid_box_t){-100, -100, 200, 200}, cells, &tracker),
               GANTRY_OK);
  before = tracking_adopt(&fusion.tracking, "room", tracker);
  tracker_destroy(&before);
  free(cells);
}

static void setup(void) {
  fusion_rule_t rule = fusion_rule_default();
  const char *const names[4] = {"ahead", "left", "behind", "right"};
  for (int i = 0; i < 4; i++) {
    rule.mounts[i].pose = (pose2_t){0.1 * cos(i * M_PI_2), 0.1 * sin(i * M_PI_2), i * M_PI_2};
    (void)snprintf(rule.mounts[i].sensor, sizeof rule.mounts[i].sensor, "%s", names[i]);
  }
  cr_assert_eq(fusion_init(&fusion, &rule), GANTRY_OK);
  load_room();
}

static void teardown(void) {
  fusion_fini(&fusion);
}

TestSuite(fusion_range, .init = setup, .fini = teardown);

static void place(double x, double y, double theta, double sigma_m) {
  fusion_recall(&fusion, S, (pose2_t){x, y, theta}, sigma_m, 0.01, FUSION_FIX_FRAME);
}

static fusion_range_result_t measure(const char *sensor, double range_m) {
  return fusion_range(&fusion, S, sensor, range_m, 0.9);
}

Test(fusion_range, corrects_the_way_to_the_wall) {
  place(1, 0.5, 0, 0.1);

  for (int i = 0; i < 20; i++)
    cr_assert_eq(measure("ahead", 4.025 - 1.08 - 0.1), FUSION_RANGE_USED);

  cr_assert_float_eq(fusion.eskf.pose.x, 1.08, 0.015, "%.3f", fusion.eskf.pose.x);
  cr_assert_float_eq(fusion.eskf.pose.y, 0.5, 0.01, "nothing is known across");
}

Test(fusion_range, knows_the_wall_between_the_cells_and_at_a_slant) {
  place(1, 0.5, 0.3, 0.05);
  double truth_m = (4.025 - 1 - 0.1 * cos(0.3)) / cos(0.3), nis;

  cr_assert_eq(measure("ahead", truth_m), FUSION_RANGE_USED);

  nis = fusion.nis;
  cr_assert_lt(nis, 0.1, "%g", nis);
}

Test(fusion_range, grows_no_surer_than_the_map) {
  place(1, 0.5, 0, 0.1);

  for (int i = 0; i < 5000; i++)
    measure("ahead", 4.025 - 1.1);

  cr_assert_gt(sqrt(fusion.eskf.covariance[0]), 0.9 * fusion.rule.noise.map_sigma_m);
}

Test(fusion_range, bears_something_unmapped_before_the_wall) {
  place(1, 0.5, 0, 0.05);
  pose2_t before = fusion.eskf.pose;
  fusion_motion(&fusion, S, (pose2_t){0}, 0, 0, false);
  measure("ahead", 4.025 - 1.1);
  double sure = fusion_confidence(&fusion, S);

  cr_assert_eq(measure("ahead", 1.2), FUSION_RANGE_SHORT);

  cr_assert_lt(fusion_confidence(&fusion, S), sure);
  cr_assert_lt(pose2_distance(before, fusion.eskf.pose), 0.01);
}

Test(fusion_range, refuses_a_distance_through_the_wall) {
  place(1.5, 0.5, 0, 0.05);
  cr_assert_eq(measure("ahead", 3.9), FUSION_RANGE_REFUSED);
}

Test(fusion_range, leaves_alone_what_it_cannot_place) {
  place(1, 0.5, 0, 0.05);
  pose2_t before = fusion.eskf.pose;

  cr_assert_eq(measure("unknown", 1), FUSION_RANGE_UNMAPPED, "no mount");
  cr_assert_eq(measure("behind", 3), FUSION_RANGE_UNMAPPED, "no wall within 4 m");
  cr_assert_eq(measure("ahead", INFINITY), FUSION_RANGE_UNMAPPED);
  cr_assert_eq(measure("ahead", NAN), FUSION_RANGE_UNMAPPED);
  tracking_begin(&fusion.tracking, NULL);
  cr_assert_eq(measure("ahead", 2.9), FUSION_RANGE_UNMAPPED, "no map");

  cr_assert_lt(pose2_distance(before, fusion.eskf.pose), 1e-12);
}

Test(fusion_range, asks_no_wall_that_may_be_another) {
  place(3.7, 2.2, 0.7, 0.3); /* towards a corner, and not sure where */
  pose2_t before = fusion.eskf.pose;

  cr_assert_eq(measure("ahead", 0.5), FUSION_RANGE_UNMAPPED);

  cr_assert_lt(pose2_distance(before, fusion.eskf.pose), 1e-12);
}
