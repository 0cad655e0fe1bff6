/* Sweeps: order, gates, obstacles, score. */
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "defaults.h"

static scan_rays_t rays;
static scan_summary_t summary;
static scan_rule_t rule;
static calibration_t calibration;

/* A full turn at one range, in clockwise order from an odd angle: as a device gives it. */
static void turn(uint32_t count, float range_m) {
  rule = default_scan_rule();
  calibration = calibration_identity();
  rays.count = count;
  for (uint32_t i = 0; i < count; i++) {
    rays.angle_rad[i] = (float)(2.0 - i * 2 * M_PI / count);
    rays.range_m[i] = range_m;
    rays.quality[i] = 60;
  }
}

static void process(void) {
  scan_process(&rule, &calibration, &rays, &summary);
}

static bool sorted(void) {
  for (uint32_t i = 1; i < rays.count; i++)
    if (rays.angle_rad[i] < rays.angle_rad[i - 1]) return false;
  return true;
}

Test(scan, puts_a_clockwise_turn_in_order) {
  turn(500, 2);
  rays.range_m[3] = 1.5f;
  double angle = rays.angle_rad[3];

  process();

  cr_assert(sorted());
  cr_assert_geq(rays.angle_rad[0], -(float)M_PI);
  cr_assert_eq(rays.count, 500);
  for (uint32_t i = 0; i < rays.count; i++)
    if (rays.range_m[i] == 1.5f) cr_assert_float_eq(rays.angle_rad[i], angle, 1e-6);
}

Test(scan, puts_a_shuffled_turn_in_order) {
  turn(360, 2);
  for (uint32_t i = 0; i < 360; i++)
    rays.angle_rad[i] = (float)((i * 97 % 360) * M_PI / 180 - M_PI);

  process();

  cr_assert(sorted());
}

Test(scan, drops_weak_near_and_far_returns_but_keeps_their_rays) {
  turn(100, 2);
  rays.quality[0] = 49;
  rays.range_m[1] = 0.04f;
  rays.range_m[2] = 16.5f;
  rays.range_m[3] = NAN;
  rays.range_m[4] = 0; /* no return is no fault */

  process();

  cr_assert_eq(summary.rejected, 4);
  cr_assert_eq(summary.points, 95);
  cr_assert_eq(rays.count, 100);
}

Test(scan, drops_rays_without_a_direction) {
  turn(100, 2);
  rays.angle_rad[7] = NAN;

  process();

  cr_assert_eq(rays.count, 99);
  cr_assert_eq(summary.rejected, 1);
}

Test(scan, calibrates_direction_and_range) {
  turn(1, 2);
  rays.angle_rad[0] = 0;
  calibration_set(&calibration, CALIBRATION_ANGLE_OFFSET, 0.1);
  calibration_set(&calibration, CALIBRATION_OFFSET, -0.5);

  process();

  cr_assert_float_eq(rays.angle_rad[0], 0.1, 1e-6);
  cr_assert_float_eq(rays.range_m[0], 1.5, 1e-6);
}

/* Only these directions return. */
static void blobs(const int *starts, int count, int width) {
  turn(360, 0);
  for (int b = 0; b < count; b++)
    for (int i = 0; i < width; i++)
      rays.range_m[(starts[b] + i) % 360] = 3;
}

Test(scan, counts_obstacles_by_their_neighbours) {
  blobs((const int[]){10, 50, 100}, 3, 5);

  process();

  cr_assert_eq(summary.obstacles, 3);
}

Test(scan, needs_three_returns_for_an_obstacle) {
  blobs((const int[]){10, 50}, 2, 2);

  process();

  cr_assert_eq(summary.obstacles, 0);
}

Test(scan, counts_an_obstacle_over_the_seam_once) {
  turn(360, 0);
  for (uint32_t i = 0; i < 360; i++)
    if (fabs(fabs(remainder(rays.angle_rad[i], 2 * M_PI)) - M_PI) < 0.05) rays.range_m[i] = 3;

  process();

  cr_assert_eq(summary.obstacles, 1);
}

Test(scan, sees_a_closed_ring_as_one_obstacle) {
  turn(360, 2);

  process();

  cr_assert_eq(summary.obstacles, 1);
}

Test(scan, scores_a_full_sweep_above_one_with_dust) {
  turn(360, 2);
  process();
  double clean = summary.quality;
  turn(360, 2);
  for (uint32_t i = 0; i < 360; i += 3)
    rays.range_m[i] = 9;

  process();

  cr_assert_float_eq(clean, 1, 1e-9);
  cr_assert_lt(summary.quality, 0.97);
}

Test(scan, scores_an_empty_sweep_zero) {
  turn(360, 0);

  process();

  cr_assert_eq(summary.quality, 0);
  cr_assert_eq(summary.obstacles, 0);
  rays.count = 0;
  process();
  cr_assert_eq(summary.points, 0);
}

Test(scan, scores_a_single_return_as_poor) {
  turn(1, 2);

  process();

  cr_assert_float_eq(summary.quality, 0.6 * 0.5 + 0.2, 1e-9);
}
