/* Filters of a sweep: gates, shadows, median over neighbours, thinning. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "defaults.h"

static scan_rays_t rays;
static scan_filter_t filter;
static gantry_fault_t fault;

/* A full turn of count rays at one range. */
static void turn(uint32_t count, float range_m) {
  filter = (scan_filter_t){0};
  rays.count = count;
  for (uint32_t i = 0; i < count; i++) {
    rays.angle_rad[i] = (float)(0.001 - M_PI + i * 2 * M_PI / count);
    rays.range_m[i] = range_m;
    rays.quality[i] = 60;
  }
}

/* Rays that look at a wall along y at x = 2, except for a box at x = 1 for |y| < 0.5. */
static void wall_behind_box(void) {
  turn(720, 0);
  for (uint32_t i = 0; i < rays.count; i++) {
    double direction = rays.angle_rad[i];
    if (fabs(direction) > M_PI / 3) continue;
    bool is_box = fabs(tan(direction)) < 0.5;
    rays.range_m[i] = (float)((is_box ? 1 : 2) / cos(direction));
  }
}

/* First ray of the box's near side, and the first of the wall behind. */
static uint32_t edge_of_box(void) {
  for (uint32_t i = 1; i < rays.count; i++)
    if (rays.range_m[i - 1] > 0 && rays.range_m[i] > rays.range_m[i - 1] + 0.5) return i;
  cr_assert_fail("there is no edge");
  return 0;
}

Test(scan_filter, all_zero_changes_nothing) {
  wall_behind_box();
  scan_rays_t before = rays;

  cr_assert_eq(scan_filter_range(&filter, &rays), 0);
  cr_assert_eq(scan_filter_shadows(&filter, &rays), 0);
  scan_filter_median(&filter, &rays);
  cr_assert_eq(scan_filter_thin(&filter, &rays), 0);

  cr_assert_eq(memcmp(&rays, &before, sizeof rays), 0);
}

Test(scan_filter, drops_what_is_too_near_or_too_far) {
  turn(8, 2);
  filter.range_min_m = 1;
  filter.range_max_m = 3;
  static const float GIVEN[8] = {0, 0.99f, 1, 2, 3, 3.01f, 0, 100};
  memcpy(rays.range_m, GIVEN, sizeof GIVEN);

  cr_assert_eq(scan_filter_range(&filter, &rays), 3);

  static const float WANTED[8] = {0, 0, 1, 2, 3, 0, 0, 0};
  cr_assert_eq(memcmp(rays.range_m, WANTED, sizeof WANTED), 0);
  cr_assert_eq(rays.count, 8);
}

Test(scan_filter, drops_the_point_between_a_thing_and_what_stands_behind) {
  wall_behind_box();
  uint32_t edge = edge_of_box();
  rays.range_m[edge] = 1.6f; /* half of the beam met the box */
  float box_m = rays.range_m[edge - 1];
  filter.shadow_rad = 10 * M_PI / 180;

  uint32_t dropped = scan_filter_shadows(&filter, &rays);

  cr_assert_eq(rays.range_m[edge], 0);
  cr_assert_eq(rays.range_m[edge - 1], box_m); /* the thing itself stays */
  cr_assert_leq(dropped, 4);                   /* and no more than the wall's ends go */
}

Test(scan_filter, leaves_walls_that_are_not_seen_at_a_slant) {
  wall_behind_box();
  filter.shadow_rad = 10 * M_PI / 180;
  uint32_t returns = 0;
  for (uint32_t i = 0; i < rays.count; i++)
    returns += rays.range_m[i] > 0;

  uint32_t dropped = scan_filter_shadows(&filter, &rays);

  cr_assert_leq(dropped, 2);
  cr_assert_gt(returns, 200);
}

Test(scan_filter, finds_shadows_at_the_angle_it_is_told) {
  /* A wall that the rays meet at 20 degrees: from the far point, the near one lies 20 degrees off
     the line of sight. */
  static const double STEP = 0.5 * M_PI / 180, SLANT = 20 * M_PI / 180;
  turn(720, 0);
  double far = 2, near = far * sin(SLANT) / sin(SLANT + STEP);
  rays.range_m[100] = (float)far;
  rays.range_m[101] = (float)near;

  filter.shadow_rad = SLANT - 0.01;
  cr_assert_eq(scan_filter_shadows(&filter, &rays), 0);
  filter.shadow_rad = SLANT + 0.01;
  cr_assert_eq(scan_filter_shadows(&filter, &rays), 1);

  cr_assert_eq(rays.range_m[100], 0);
  cr_assert_neq(rays.range_m[101], 0);
}

Test(scan_filter, sees_shadows_over_the_seam) {
  turn(720, 1);
  rays.range_m[719] = 3;
  filter.shadow_rad = 0.2;

  cr_assert_eq(scan_filter_shadows(&filter, &rays), 1);

  cr_assert_eq(rays.range_m[719], 0);
}

Test(scan_filter, does_not_take_distant_rays_for_neighbours) {
  turn(20, 1); /* 18 degrees apart */
  rays.range_m[7] = 30;
  filter.shadow_rad = 0.2;

  cr_assert_eq(scan_filter_shadows(&filter, &rays), 0);
}

static int by_value(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* The median around ray i by sorting, as a witness. */
static float median_around(const scan_rays_t *given, uint32_t i, int reach) {
  float found[SCAN_MEDIAN_MAX];
  size_t count = 0;
  for (int k = -reach; k <= reach; k++) {
    int at = ((int)i + k + (int)given->count) % (int)given->count;
    if (given->range_m[at] != 0) found[count++] = given->range_m[at];
  }
  qsort(found, count, sizeof *found, by_value);
  return found[(count - 1) / 2];
}

Test(scan_filter, median_equals_sorting_with_and_without_returns) {
  static const uint32_t COUNTS[] = {100, 360, 2048};
  uint32_t seed = 7;
  for (size_t c = 0; c < 3; c++)
    for (uint32_t window = 3; window <= SCAN_MEDIAN_MAX; window += 2) {
      turn(COUNTS[c], 0);
      filter.median = window;
      for (uint32_t i = 0; i < rays.count; i++) {
        seed = seed * 1664525u + 1013904223u;
        rays.range_m[i] = seed >> 30 == 0 ? 0 : (float)(seed >> 24) / 16 + 0.1f;
      }
      scan_rays_t given = rays;

      scan_filter_median(&filter, &rays);

      for (uint32_t i = 0; i < rays.count; i++) {
        float wanted = given.range_m[i] == 0 ? 0 : median_around(&given, i, (int)window / 2);
        cr_assert_eq(rays.range_m[i], wanted, "window %u, ray %u of %u", window, i, rays.count);
      }
    }
}

Test(scan_filter, median_does_not_reach_over_the_ends_of_half_a_turn) {
  turn(100, 1);
  for (uint32_t i = 0; i < 100; i++)
    rays.angle_rad[i] = (float)(i * 0.01);
  rays.range_m[98] = rays.range_m[99] = 9;
  filter.median = 5;

  scan_filter_median(&filter, &rays);

  cr_assert_eq(rays.range_m[0], 1);
  cr_assert_eq(rays.range_m[99], 9);
  cr_assert_eq(rays.range_m[97], 1);
}

Test(scan_filter, median_takes_away_dust_and_keeps_edges) {
  wall_behind_box();
  uint32_t edge = edge_of_box();
  float wall_m = rays.range_m[edge], box_m = rays.range_m[edge - 1];
  rays.range_m[edge + 20] = 0.3f;
  filter.median = 5;

  scan_filter_median(&filter, &rays);

  cr_assert_float_eq(rays.range_m[edge], wall_m, 0.05);
  cr_assert_float_eq(rays.range_m[edge - 1], box_m, 0.05);
  cr_assert_gt(rays.range_m[edge + 20], 2);
}

Test(scan_filter, thinning_keeps_the_nearest_return_of_each_group) {
  turn(11, 0);
  static const float GIVEN[11] = {3, 1, 2, 0, 5, 0, 0, 0, 0, 0, 7};
  memcpy(rays.range_m, GIVEN, sizeof GIVEN);
  float middle_rad = rays.angle_rad[7], second_rad = rays.angle_rad[1];
  rays.quality[1] = 99;
  filter.every = 3;

  cr_assert_eq(scan_filter_thin(&filter, &rays), 2);

  static const float WANTED[4] = {1, 5, 0, 7};
  cr_assert_eq(rays.count, 4);
  cr_assert_eq(memcmp(rays.range_m, WANTED, sizeof WANTED), 0);
  cr_assert_eq(rays.angle_rad[0], second_rad);
  cr_assert_eq(rays.quality[0], 99);
  cr_assert_eq(rays.angle_rad[2], middle_rad);
}

Test(scan_filter, stands_sweeps_of_any_length) {
  for (uint32_t count = 0; count < 40; count++)
    for (int returns = 0; returns < 2; returns++) {
      turn(count, returns ? 2 : 0);
      filter = (scan_filter_t){.range_max_m = 5, .shadow_rad = 0.2, .median = 15, .every = 7};
      scan_filter_range(&filter, &rays);
      scan_filter_shadows(&filter, &rays);
      scan_filter_median(&filter, &rays);
      scan_filter_thin(&filter, &rays);
      cr_assert_eq(rays.count, (count + 6) / 7);
    }
}

Test(scan_filter, of_a_sensor_costs_no_quality) {
  scan_rule_t rule = default_scan_rule();
  calibration_t calibration = calibration_identity();
  scan_summary_t summary;
  turn(360, 2);
  for (uint32_t i = 0; i < 90; i++)
    rays.range_m[i] = 11;
  rule.filter = (scan_filter_t){.range_max_m = 10, .every = 2};

  scan_process(&rule, &calibration, &rays, &summary);

  cr_assert_eq(summary.rejected, 0);
  cr_assert_eq(summary.points, 135);
  cr_assert_eq(summary.filtered, 90 + 135);
  cr_assert_eq(rays.count, 180);
  cr_assert_eq(summary.obstacles, 1);
  cr_assert_float_eq(summary.quality, 1, 1e-9);
}

Test(scan_filter, refuses_what_cannot_be_and_names_the_field) {
  static const struct {
    scan_filter_t filter;
    const char *field;
  } WRONG[] = {
      {{.range_min_m = -1}, "scan.range_min"},
      {{.range_min_m = NAN}, "scan.range_min"},
      {{.range_min_m = 5, .range_max_m = 5}, "scan.range_max"},
      {{.range_max_m = INFINITY}, "scan.range_max"},
      {{.shadow_rad = 0.8}, "scan.shadow"},
      {{.shadow_rad = -0.1}, "scan.shadow"},
      {{.median = 1}, "scan.median"},
      {{.median = 4}, "scan.median"},
      {{.median = 17}, "scan.median"},
      {{.every = 1}, "scan.every"},
      {{.every = 65}, "scan.every"},
  };
  for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
    cr_assert_eq(scan_filter_check(&WRONG[i].filter, &fault), GANTRY_E_INVALID, "case %zu", i);
    cr_assert_str_eq(fault.field, WRONG[i].field, "case %zu", i);
  }
  filter = (scan_filter_t){.range_min_m = 0.1, .shadow_rad = M_PI / 4, .median = 15, .every = 64};
  cr_assert_eq(scan_filter_check(&filter, &fault), GANTRY_OK);
}
