/* Ramp, dead man, words. */
#include <criterion/criterion.h>

#include "drive.h"

#define MS UINT64_C(1000000)

static const drive_cfg_t cfg = {
    .max_mps = 1.0, .full_scale_mps = 2.0, .accel_mps2 = 0.5, .decel_mps2 = 0.5};
static drive_t drive;

static void set_up(void) {
  drive_init(&drive, &cfg);
}

/* Steps every 100 ms from `from_ms`, renewing nothing; returns the last end. */
static drive_end_t run(uint64_t from_ms, uint64_t to_ms, double factor) {
  drive_end_t end = DRIVE_RESTS;
  for (uint64_t ms = from_ms; ms <= to_ms; ms += 100)
    end = drive_step(&drive, factor, ms * MS);
  return end;
}

TestSuite(drive, .init = set_up);

Test(drive, rests_without_a_command) {
  cr_assert_eq(drive_step(&drive, 1.0, MS), DRIVE_RESTS);
  cr_assert_eq(drive_get_words(&drive).enable, 0);
}

Test(drive, ramps_at_the_limit) {
  drive_command(&drive, 1.0, false, 5000, 0);
  (void)run(100, 1100, 1.0);
  cr_assert_float_eq(drive.setpoint_mps, 0.51, 0.001); /* the first step counts 20 ms */
}

Test(drive, reaches_the_target_and_stays) {
  drive_command(&drive, 0.4, false, 5000, 0);
  cr_assert_eq(run(0, 3000, 1.0), DRIVE_GOES);
  cr_assert_float_eq(drive.setpoint_mps, 0.4, 1e-9);
}

Test(drive, a_zone_factor_slows) {
  drive_command(&drive, 1.0, false, 9000, 0);
  (void)run(0, 4000, 0.3);
  cr_assert_float_eq(drive.setpoint_mps, 0.3, 1e-9);
}

Test(drive, lets_go_when_not_renewed) {
  drive_command(&drive, 1.0, false, 300, 0);
  cr_assert_eq(drive_step(&drive, 1.0, 299 * MS), DRIVE_GOES);
  cr_assert_eq(drive_step(&drive, 1.0, 300 * MS), DRIVE_LET_GO);
  cr_assert_float_eq(drive.setpoint_mps, 0.0, 0.0);
  cr_assert_eq(drive_get_words(&drive).speed, 0);
  cr_assert_eq(drive_step(&drive, 1.0, 310 * MS), DRIVE_RESTS);
}

Test(drive, renewal_holds_on) {
  drive_command(&drive, 1.0, false, 300, 0);
  drive_command(&drive, 1.0, false, 300, 200 * MS);
  cr_assert_eq(drive_step(&drive, 1.0, 400 * MS), DRIVE_GOES);
  cr_assert_eq(drive_hold_ms(&drive, 400 * MS), 100);
  cr_assert_eq(drive_hold_ms(&drive, 600 * MS), 0);
}

Test(drive, a_halt_ramps_to_zero) {
  drive_command(&drive, 1.0, false, 5000, 0);
  (void)run(0, 2000, 1.0);
  drive_halt(&drive);
  cr_assert_eq(drive_step(&drive, 1.0, 2100 * MS), DRIVE_GOES);
  cr_assert_gt(drive.setpoint_mps, 0.5);
  cr_assert_eq(run(2200, 5000, 1.0), DRIVE_RESTS);
}

Test(drive, a_cut_is_zero_at_once) {
  drive_command(&drive, 1.0, false, 5000, 0);
  (void)run(0, 2000, 1.0);
  drive_cut(&drive);
  cr_assert_float_eq(drive.setpoint_mps, 0.0, 0.0);
}

Test(drive, turns_round_through_standstill) {
  drive_command(&drive, 0.2, false, 9000, 0);
  (void)run(0, 1000, 1.0);
  drive_command(&drive, 0.2, true, 9000, 1000 * MS);
  bool stood = false;
  for (uint64_t ms = 1100; ms < 2500; ms += 100) {
    double before = drive.setpoint_mps;
    (void)drive_step(&drive, 1.0, ms * MS);
    cr_assert(before * drive.setpoint_mps >= 0.0, "no jump from one way to the other");
    stood = stood || drive.setpoint_mps == 0.0;
  }
  cr_assert(stood);
  cr_assert_float_eq(drive.setpoint_mps, -0.2, 1e-9);
  cr_assert_eq(drive_get_words(&drive).direction, 2);
}

Test(drive, words_are_linear_in_speed) {
  drive.setpoint_mps = 1.0;
  drive_words_t words = drive_get_words(&drive);
  cr_assert_eq(words.enable, 1);
  cr_assert_eq(words.speed, 128);
  cr_assert_eq(words.direction, 1);
}

Test(drive, words_never_exceed_the_register) {
  drive.setpoint_mps = 7.0;
  cr_assert_eq(drive_get_words(&drive).speed, 255);
}

Test(drive, a_long_pause_is_no_jump) {
  drive_command(&drive, 1.0, false, 60000, 0);
  (void)drive_step(&drive, 1.0, 1 * MS);
  (void)drive_step(&drive, 1.0, 10000 * MS);
  cr_assert_leq(drive.setpoint_mps, 0.12);
}

Test(drive, shares_beyond_one_are_one) {
  drive_command(&drive, 3.0, false, 60000, 0);
  cr_assert_float_eq(drive.target_mps, 1.0, 0.0);
}
