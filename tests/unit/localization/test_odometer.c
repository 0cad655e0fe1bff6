/* The odometry's path in time. */
#include <math.h>

#include <criterion/criterion.h>

#include "odometer.h"

#define MS 1000000ull

static odometer_t odometer;

static void setup(void) {
  odometer_clear(&odometer);
}

TestSuite(odometer, .init = setup);

/* 0.5 m/s along x, a reading each 50 ms from 1 s on. */
static void drive(int readings) {
  for (int i = 0; i < readings; i++)
    odometer_push(&odometer, (1000 + 50 * (uint64_t)i) * MS, (pose2_t){0.025 * i, 0, 0});
}

static double x_at(uint64_t time_ms) {
  pose2_t pose = {NAN, NAN, NAN};
  odometer_at(&odometer, time_ms * MS, &pose);
  return pose.x;
}

Test(odometer, knows_nothing_at_first) {
  pose2_t pose;

  cr_assert_not(odometer_at(&odometer, 5, &pose));
}

Test(odometer, goes_straight_between_two_readings) {
  drive(10);

  cr_assert_float_eq(x_at(1110), 0.055, 1e-9);
  cr_assert_float_eq(x_at(1100), 0.05, 1e-9);
}

Test(odometer, goes_on_with_its_speed_for_a_short_while) {
  drive(10);

  cr_assert_float_eq(x_at(1500), 0.225 + 0.025, 1e-9);
  cr_assert_float_eq(x_at(1650), 0.225 + 0.1, 1e-9);
  cr_assert_float_eq(x_at(9000), 0.225 + 0.1, 1e-9, "it went on for more than 200 ms");
}

Test(odometer, stays_where_it_is_without_a_speed) {
  drive(1);
  double one = x_at(1100);
  odometer_push(&odometer, 1001 * MS, (pose2_t){1, 0, 0}); /* a burst is no speed */

  cr_assert_float_eq(one, 0, 1e-9);
  cr_assert_float_eq(x_at(1100), 1, 1e-9);
}

Test(odometer, takes_no_speed_over_a_long_gap) {
  drive(1);
  odometer_push(&odometer, 3000 * MS, (pose2_t){1, 0, 0});

  cr_assert_float_eq(x_at(3100), 1, 1e-9);
}

Test(odometer, ignores_what_is_not_newer) {
  drive(3);

  cr_assert_not(odometer_push(&odometer, 1100 * MS, (pose2_t){9, 9, 9}));
  cr_assert_float_eq(x_at(1100), 0.05, 1e-9);
}

Test(odometer, ends_at_its_oldest_reading) {
  drive(100);

  cr_assert_float_eq(x_at(1), 0.025 * (100 - ODOMETER_CAPACITY), 1e-9);
}

Test(odometer, turns_the_short_way_round) {
  pose2_t pose;
  odometer_push(&odometer, 1000 * MS, (pose2_t){0, 0, M_PI - 0.1});
  odometer_push(&odometer, 1100 * MS, (pose2_t){0, 0, -M_PI + 0.1});

  odometer_at(&odometer, 1050 * MS, &pose);

  cr_assert_float_eq(fabs(pose.theta), M_PI, 1e-9);
}
