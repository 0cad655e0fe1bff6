/* Odometry blocks and integrated speeds. */
#include <criterion/criterion.h>
#include <math.h>

#include "motion.h"

#define MS UINT64_C(1000000)

static motion_t motion;

static void set_up(void) {
  motion_init(&motion, 0.25);
}

TestSuite(motion, .init = set_up);

Test(motion, is_unknown_at_first) {
  cr_assert_not(motion.known);
}

Test(motion, speed_follows_from_two_blocks) {
  motion_odometry(&motion, 0.0, 0.0, 0.0, 10.0);
  motion_odometry(&motion, 0.05, 0.0, 0.01, 10.1);
  cr_assert_float_eq(motion.speed_mps, 0.5, 1e-4);
  cr_assert_float_eq(motion.turn_radps, 0.1, 1e-9);
}

Test(motion, backward_is_negative) {
  motion_odometry(&motion, 0.0, 0.0, M_PI / 2, 10.0);
  motion_odometry(&motion, 0.0, -0.05, M_PI / 2, 10.1);
  cr_assert_float_eq(motion.speed_mps, -0.5, 1e-9);
}

Test(motion, a_clock_that_goes_back_is_a_new_module) {
  motion_odometry(&motion, 5.0, 5.0, 0.0, 100.0);
  motion_odometry(&motion, 0.0, 0.0, 0.0, 0.1);
  cr_assert_float_eq(motion.speed_mps, 0.0, 0.0);
  cr_assert_float_eq(motion.x_m, 0.0, 0.0);
}

Test(motion, the_same_latch_twice_keeps_the_speed) {
  motion_odometry(&motion, 0.0, 0.0, 0.0, 10.0);
  motion_odometry(&motion, 0.05, 0.0, 0.0, 10.1);
  motion_odometry(&motion, 0.05, 0.0, 0.0, 10.1);
  cr_assert_float_eq(motion.speed_mps, 0.5, 1e-9);
}

Test(motion, both_wheels_advance_the_pose) {
  cr_assert_not(motion_wheel(&motion, 0, 0.4, 100 * MS));
  cr_assert(motion_wheel(&motion, 1, 0.4, 100 * MS));
  (void)motion_wheel(&motion, 0, 0.4, 200 * MS);
  cr_assert(motion_wheel(&motion, 1, 0.4, 200 * MS));
  cr_assert_float_eq(motion.x_m, 0.04, 1e-9);
  cr_assert_float_eq(motion.speed_mps, 0.4, 1e-9);
}

Test(motion, unequal_wheels_turn) {
  (void)motion_wheel(&motion, 0, 0.3, 100 * MS);
  (void)motion_wheel(&motion, 1, 0.35, 100 * MS);
  cr_assert_float_eq(motion.turn_radps, 0.2, 1e-9);
}

Test(motion, a_long_pause_is_not_integrated) {
  (void)motion_wheel(&motion, 0, 1.0, 100 * MS);
  (void)motion_wheel(&motion, 1, 1.0, 100 * MS);
  (void)motion_wheel(&motion, 1, 1.0, 9000 * MS);
  cr_assert_float_eq(motion.x_m, 0.0, 0.0);
}

Test(motion, wheels_do_not_overrule_the_block) {
  motion_odometry(&motion, 1.0, 0.0, 0.0, 10.0);
  (void)motion_wheel(&motion, 0, 0.4, 100 * MS);
  cr_assert_not(motion_wheel(&motion, 1, 0.4, 200 * MS));
  cr_assert_float_eq(motion.x_m, 1.0, 0.0);
}
