/* Odometry and acceleration together. */
#include <math.h>

#include <criterion/criterion.h>

#include "fusion.h"

#define S 1000000000ull

static fusion_t fusion;
static double v_mps, way_m, accel_mps2; /* of the robot */
static double ring[5];
static uint64_t ticks;

static void setup(void) {
  fusion_rule_t rule = fusion_rule_default();
  cr_assert_eq(fusion_init(&fusion, &rule), GANTRY_OK);
  v_mps = way_m = accel_mps2 = 0;
  ticks = 0;
}

static void teardown(void) {
  fusion_fini(&fusion);
}

TestSuite(fusion_motion, .init = setup, .fini = teardown);

static uint64_t now(void) {
  return S + ticks * 50000000ull;
}

/* 50 ms of a robot whose wheels run at wheels_mps; its accelerometer has a bias of 0.1 and says the
   mean of five readings, as the sensor chain filters them. */
static void drive(double seconds, double to_mps, double wheel_more_mps) {
  static double wheels_m;
  for (int i = 0; i < (int)lround(seconds * 20); i++) {
    double want = (to_mps - v_mps) / 0.05, mean = 0;
    accel_mps2 = fmax(fmin(want, 1), -1);
    v_mps += accel_mps2 * 0.05;
    way_m += v_mps * 0.05;
    wheels_m = ticks == 0 ? 0 : wheels_m + (v_mps + wheel_more_mps) * 0.05;
    ring[ticks % 5] = accel_mps2 + 0.1;
    ticks++;
    for (uint64_t k = 0; k < 5; k++)
      mean += (ticks > k ? ring[k] : 0.1) / 5;
    fusion_accelerate(&fusion, now(), mean, -0.1, 0.8);
    fusion_motion(&fusion, now(), (pose2_t){wheels_m, 0, 0}, v_mps + wheel_more_mps, 0, false);
  }
}

Test(fusion_motion, learns_what_its_accelerometer_says_at_rest) {
  drive(3, 0, 0);

  cr_assert(fusion.still);
  cr_assert_float_eq(fusion.eskf.bias_x_mps2, 0.1, 0.01);
  cr_assert_float_eq(fusion.eskf.bias_y_mps2, -0.1, 0.01);
  cr_assert_float_eq(fusion.eskf.v_mps, 0, 0.005);
}

Test(fusion_motion, takes_no_start_or_stop_for_a_slip) {
  drive(3, 0, 0);
  for (int i = 0; i < 10; i++) {
    drive(2, 0.5, 0);
    drive(2, 0, 0);
  }

  cr_assert_eq(fusion.slip_ns, 0);
  cr_assert_float_eq(fusion.eskf.pose.x, way_m, 0.06);
}

Test(fusion_motion, goes_by_the_acceleration_while_wheels_spin) {
  drive(3, 0, 0);
  drive(3, 0.3, 0);

  drive(1, 0.3, 0.5); /* half a metre that the robot does not make */

  cr_assert(fusion_slips(&fusion, now()));
  cr_assert_float_eq(fusion.eskf.pose.x, way_m, 0.15, "%.2f m off", fusion.eskf.pose.x - way_m);
  cr_assert_gt(sqrt(fusion.eskf.covariance[0]), 0.3, "and doubts it");
}

Test(fusion_motion, ends_a_slip_when_wheels_grip_again) {
  drive(3, 0, 0);
  drive(3, 0.3, 0);
  drive(1, 0.3, 0.5);
  drive(4, 0.3, 0);

  cr_assert_not(fusion_slips(&fusion, now()));
  cr_assert_float_eq(fusion.eskf.v_mps, 0.3, 0.03);
}

Test(fusion_motion, gives_the_wheels_right_after_seconds_of_dispute) {
  drive(3, 0, 0);
  drive(10, 0, 0.5); /* it drives off, and the accelerometer felt nothing */

  cr_assert_not(fusion_slips(&fusion, now()));
  cr_assert_float_eq(fusion.eskf.v_mps, 0.5, 0.05);
}

Test(fusion_motion, is_less_confident_while_wheels_slip) {
  drive(3, 0, 0);
  drive(3, 0.3, 0);
  double before = fusion_confidence(&fusion, now());

  drive(1, 0.3, 0.5);

  cr_assert_lt(fusion_confidence(&fusion, now()), before / 2);
}

Test(fusion_motion, goes_on_by_acceleration_alone_when_odometry_falls_silent) {
  drive(3, 0, 0);
  drive(3, 0.5, 0);
  double x = fusion.eskf.pose.x;
  for (int i = 0; i < 20; i++) {
    ticks++;
    fusion_accelerate(&fusion, now(), 0.1, -0.1, 0.8);
    fusion_advance(&fusion, now());
  }

  cr_assert_float_eq(fusion.eskf.pose.x, x + 0.5, 0.08);
}

Test(fusion_motion, ignores_accelerations_that_are_none) {
  drive(3, 0, 0);
  double v = fusion.eskf.v_mps;

  fusion_accelerate(&fusion, now() + S / 20, NAN, 0, 0.8);
  fusion_accelerate(&fusion, now() - S, 5, 5, 0.8);

  cr_assert_float_eq(fusion.eskf.v_mps, v, 0);
}
