/* Obstacles in the way of travel, and those that are not. */
#include <criterion/criterion.h>
#include <math.h>

#include "zones.h"

#define MS  UINT64_C(1000000)
#define AGE (300 * MS)

static const zones_cfg_t cfg = {.stop_m = 0.5,
                                .slow_m = 1.0,
                                .clear_m = 2.0,
                                .range_m = {1.0, 0.5, 0.2, 0.1},
                                .dock_stop_m = 0.1,
                                .contact_m = 0.05,
                                .min_factor = 0.3,
                                .max_factor = 0.7,
                                .half_length_m = 0.3,
                                .corridor_half_m = 0.25};
static zones_t zones;

static void set_up(void) {
  zones_init(&zones, &cfg);
}

static zones_verdict_t with_ranges(double front, double rear, double left, double right,
                                   int motion) {
  zones_ranges(&zones, (const double[]){front, rear, left, right}, MS);
  return zones_judge(&zones, motion, MS, AGE);
}

static zones_verdict_t with_ray(double angle, double range, int copies, int motion) {
  float angles[8], ranges[8];
  for (int i = 0; i < copies; i++) {
    angles[i] = (float)angle;
    ranges[i] = (float)range;
  }
  zones_turn(&zones, angles, ranges, (size_t)copies, MS);
  return zones_judge(&zones, motion, MS, AGE);
}

TestSuite(zones, .init = set_up);

Test(zones, nothing_known_slows_nobody) {
  zones_verdict_t verdict = zones_judge(&zones, 1, MS, AGE);
  cr_assert_eq(verdict.zone, ZONE_NONE);
  cr_assert_float_eq(verdict.factor, 1.0, 0.0);
  cr_assert_lt(verdict.clearance_m, 0.0);
}

Test(zones, an_obstacle_ahead_stops) {
  zones_verdict_t verdict = with_ranges(0.45, 4.0, 4.0, 4.0, 1);
  cr_assert(verdict.stop);
  cr_assert_eq(verdict.zone, ZONE_CRITICAL);
}

Test(zones, an_obstacle_behind_does_not_stop_forward) {
  zones_verdict_t verdict = with_ranges(4.0, 0.2, 4.0, 4.0, 1);
  cr_assert_not(verdict.stop);
  cr_assert_float_eq(verdict.factor, 1.0, 0.0);
}

Test(zones, an_obstacle_behind_stops_backward) {
  cr_assert(with_ranges(4.0, 0.2, 4.0, 4.0, -1).stop);
}

Test(zones, walls_beside_do_not_count) {
  cr_assert_eq(with_ranges(4.0, 4.0, 0.2, 0.2, 1).zone, ZONE_NONE);
}

Test(zones, standing_stops_nobody_but_tells) {
  zones_verdict_t verdict = with_ranges(0.2, 4.0, 4.0, 4.0, 0);
  cr_assert_not(verdict.stop);
  cr_assert_eq(verdict.zone, ZONE_CRITICAL);
  cr_assert_float_eq(verdict.factor, 1.0, 0.0);
}

Test(zones, slower_the_nearer) {
  cr_assert_float_eq(with_ranges(1.0, -1, -1, -1, 1).factor, 0.7, 1e-9);
  cr_assert_float_eq(with_ranges(0.75, -1, -1, -1, 1).factor, 0.5, 1e-9);
  cr_assert_float_eq(with_ranges(0.501, -1, -1, -1, 1).factor, 0.3, 1e-2);
  cr_assert_float_eq(with_ranges(1.5, -1, -1, -1, 1).factor, 1.0, 0.0);
}

typedef struct named {
  double clearance_m;
  zone_t zone, docking;
} named_t;

Test(zones, of_the_lidar_are_named_by_its_thresholds) {
  static const named_t rows[] = {{2.01, ZONE_NONE, ZONE_NONE},
                                 {1.99, ZONE_EARLY_WARNING, ZONE_EARLY_WARNING},
                                 {1.01, ZONE_EARLY_WARNING, ZONE_EARLY_WARNING},
                                 {0.99, ZONE_CAUTION, ZONE_CAUTION},
                                 {0.76, ZONE_CAUTION, ZONE_CAUTION},
                                 {0.74, ZONE_WARNING, ZONE_WARNING},
                                 {0.51, ZONE_WARNING, ZONE_WARNING},
                                 {0.49, ZONE_CRITICAL, ZONE_WARNING},
                                 {0.11, ZONE_CRITICAL, ZONE_WARNING},
                                 {0.09, ZONE_CRITICAL, ZONE_CRITICAL}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    zones_init(&zones, &cfg);
    cr_assert_eq(with_ray(0.0, rows[i].clearance_m + 0.3, 3, 1).zone, rows[i].zone, "%.2f",
                 rows[i].clearance_m);
    zones.docking = true;
    cr_assert_eq(zones_judge(&zones, 1, MS, AGE).zone, rows[i].docking, "docking, %.2f",
                 rows[i].clearance_m);
  }
}

Test(zones, of_the_range_sensors_are_named_by_theirs) {
  static const named_t rows[] = {{1.01, ZONE_NONE, ZONE_NONE},
                                 {1.0, ZONE_EARLY_WARNING, ZONE_EARLY_WARNING},
                                 {0.51, ZONE_EARLY_WARNING, ZONE_EARLY_WARNING},
                                 {0.5, ZONE_CRITICAL, ZONE_CAUTION},
                                 {0.21, ZONE_CRITICAL, ZONE_CAUTION},
                                 {0.2, ZONE_CRITICAL, ZONE_WARNING},
                                 {0.11, ZONE_CRITICAL, ZONE_WARNING},
                                 {0.1, ZONE_CRITICAL, ZONE_CRITICAL},
                                 {0.0, ZONE_CRITICAL, ZONE_CRITICAL}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    zones_init(&zones, &cfg);
    cr_assert_eq(with_ranges(rows[i].clearance_m, -1, -1, -1, 1).zone, rows[i].zone, "%.2f",
                 rows[i].clearance_m);
    zones.docking = true;
    cr_assert_eq(with_ranges(rows[i].clearance_m, -1, -1, -1, 1).zone, rows[i].docking,
                 "docking, %.2f", rows[i].clearance_m);
  }
}

Test(zones, the_stricter_zone_wins) {
  (void)with_ray(0.0, 1.2, 3, 1);
  cr_assert_eq(with_ranges(0.95, -1, -1, -1, 1).zone, ZONE_CAUTION, "the LiDAR's");
  zones_init(&zones, &cfg);
  (void)with_ray(0.0, 2.0, 3, 1);
  cr_assert_eq(with_ranges(0.45, -1, -1, -1, 1).zone, ZONE_CRITICAL, "the range sensor's");
}

Test(zones, docking_crawls_where_it_would_have_stopped) {
  zones.docking = true;
  zones_verdict_t near = with_ranges(0.5, -1, -1, -1, 1), far = with_ranges(0.51, -1, -1, -1, 1);
  cr_assert(near.crawl && !near.stop);
  cr_assert_not(far.crawl);
  cr_assert(with_ranges(0.1, -1, -1, -1, 1).stop);
  cr_assert_not(with_ranges(0.11, -1, -1, -1, 1).stop);
  cr_assert(with_ranges(-1, 0.1, -1, -1, -1).stop, "backward by the rear");
}

Test(zones, docking_a_touch_beside_is_a_contact_and_the_dock_ahead_is_not) {
  cr_assert_not(with_ranges(-1, -1, 0.04, -1, 1).contact, "only while docking");
  zones.docking = true;
  cr_assert(with_ranges(-1, -1, 0.04, -1, 1).contact);
  cr_assert(with_ranges(-1, 0.04, -1, -1, 1).contact, "behind");
  cr_assert_not(with_ranges(0.04, -1, 0.06, 0.06, 1).contact);
  cr_assert_not(with_ranges(-1, -1, 0.04, -1, 0).contact, "standing");
}

Test(zones, half_of_the_way_to_the_stop_is_where_a_command_waits) {
  cr_assert_not(with_ranges(0.76, -1, -1, -1, 1).pause);
  cr_assert(with_ranges(0.75, -1, -1, -1, 1).pause);
  cr_assert_not(with_ranges(-1, 0.6, -1, -1, 1).pause, "behind");
  cr_assert(with_ranges(-1, 0.6, -1, -1, -1).pause);
}

Test(zones, the_lidar_counts_in_the_corridor) {
  zones_verdict_t verdict = with_ray(0.0, 0.7, 3, 1);
  cr_assert(verdict.stop);
  cr_assert_float_eq(verdict.clearance_m, 0.4, 1e-6);
}

Test(zones, the_lidar_does_not_count_beside_the_corridor) {
  cr_assert_eq(with_ray(atan2(0.4, 0.6), hypot(0.4, 0.6), 3, 1).zone, ZONE_NONE);
}

Test(zones, one_stray_ray_stops_nobody) {
  cr_assert_not(with_ray(0.0, 0.7, 2, 1).stop);
}

Test(zones, the_lidar_looks_back_too) {
  cr_assert(with_ray(-M_PI, 0.7, 3, -1).stop);
  cr_assert_not(with_ray(-M_PI, 0.7, 3, 1).stop);
}

Test(zones, an_old_turn_does_not_count) {
  (void)with_ray(0.0, 0.7, 3, 1);
  cr_assert_not(zones_judge(&zones, 1, MS + AGE + 1, AGE).stop);
}

Test(zones, the_nearer_of_range_and_lidar_wins) {
  (void)with_ray(0.0, 0.95, 3, 1);
  cr_assert_float_eq(with_ranges(1.8, -1, -1, -1, 1).clearance_m, 0.65, 1e-6);
  cr_assert_float_eq(with_ranges(0.6, -1, -1, -1, 1).clearance_m, 0.6, 1e-6);
}

Test(zones, no_return_is_no_obstacle) {
  cr_assert_eq(with_ray(0.0, 0.0, 3, 1).zone, ZONE_NONE);
}

Test(zones, a_turn_that_saw_nothing_says_nothing) {
  (void)with_ray(0.0, 0.0, 8, 1);
  cr_assert(zones_judge(&zones, 1, MS, AGE).blind, "no free way");
  cr_assert_eq(zones.lidar_ns, 0);
  cr_assert_eq(zones.turn_ns, MS, "but it turned");
}

typedef struct sight {
  double angle, range;
  int copies;
  bool seen;
} sight_t;

Test(zones, three_returns_from_beyond_the_body_are_what_a_turn_has_to_see) {
  static const sight_t rows[] = {{0.0, 9.0, 3, true},       {0.0, 9.0, 2, false},
                                 {0.0, 0.31, 3, true},      {0.0, 0.29, 8, false},
                                 {M_PI / 2, 0.26, 3, true}, {M_PI / 2, 0.24, 8, false},
                                 {-M_PI, 0.05, 8, false},   {-M_PI, 0.31, 3, true}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    zones_init(&zones, &cfg);
    bool blind = with_ray(rows[i].angle, rows[i].range, rows[i].copies, 1).blind;
    cr_assert_eq(blind, !rows[i].seen, "row %zu", i);
  }
}

Test(zones, what_was_seen_before_the_lens_was_covered_counts_until_it_is_old) {
  (void)with_ray(0.0, 0.7, 3, 1);
  zones_turn(&zones, NULL, NULL, 0, MS + AGE);
  cr_assert(zones_judge(&zones, 1, MS + AGE, AGE).stop);
  cr_assert_not(zones_judge(&zones, 1, MS + AGE, AGE).blind);
  cr_assert(zones_judge(&zones, 1, MS + AGE + 1, AGE).blind);
}

Test(zones, an_empty_hall_may_be_allowed) {
  zones.cfg.empty_ok = true;
  (void)with_ray(0.0, 0.7, 3, 1);
  zones_verdict_t verdict = with_ray(0.0, 0.0, 8, 1);
  cr_assert_not(verdict.blind);
  cr_assert_not(verdict.stop, "what stood there has gone");
}

Test(zones, the_range_sensors_go_on_counting_beside_a_covered_lidar) {
  (void)with_ray(0.0, 0.0, 8, 1);
  zones_verdict_t verdict = with_ranges(0.45, -1, -1, -1, 1);
  cr_assert(verdict.stop && !verdict.blind);
}

Test(zones, old_ranges_do_not_count) {
  (void)with_ranges(0.45, 4.0, 4.0, 4.0, 1);
  zones_verdict_t verdict = zones_judge(&zones, 1, 2 * MS + AGE, AGE);
  cr_assert_not(verdict.stop);
  cr_assert_lt(verdict.clearance_m, 0.0);
  cr_assert(verdict.blind, "what was seen then is not seen now");
}

Test(zones, one_sensor_is_enough_to_see) {
  cr_assert(zones_judge(&zones, 1, MS, AGE).blind);
  cr_assert_not(with_ranges(-1.0, -1.0, -1.0, -1.0, 1).blind, "far away is seen as well");
  zones_init(&zones, &cfg);
  cr_assert_not(with_ray(0.0, 4.0, 3, 1).blind);
}

Test(zones, what_lies_behind_excuses_the_modules_own_alarm) {
  cr_assert(with_ranges(-1, 0.1, -1, -1, 1).excused);
  cr_assert(with_ranges(0.1, -1, -1, -1, -1).excused, "leaving the dock backward");
  cr_assert_not(with_ranges(0.1, -1, -1, -1, 1).excused);
  cr_assert_not(with_ranges(-1, -1, 0.1, -1, 1).excused, "beside counts");
  cr_assert_not(zones_judge(&zones, 1, MS + AGE + 1, AGE).excused, "nobody knows where it lies");
}

Test(zones, docking_the_dock_excuses_it_and_what_lies_behind_does_not) {
  zones.docking = true;
  cr_assert(with_ranges(0.05, -1, -1, -1, 1).excused);
  cr_assert_not(with_ranges(-1, 0.1, -1, -1, 1).excused);
}
