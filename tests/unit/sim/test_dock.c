/* The docking sequence, step by step. */
#include <criterion/criterion.h>

#include "dock.h"

static const dock_limits_t limits = {
    .approach_m = 0.5, .accuracy_m = 0.002, .timeout_s = 30.0, .tolerance_rad = 0.09, .retries = 1};

static void look(dock_t *dock, double now_s, double distance_m, double speed_mps) {
  dock_look_t seen = {.now_s = now_s, .distance_m = distance_m, .speed_mps = speed_mps};
  dock_update(dock, &limits, &seen);
}

static dock_t started(void) {
  dock_t dock = {0};
  cr_assert_eq(dock_start(&dock, 1.0), DOCK_TAKEN);
  return dock;
}

Test(dock, goes_from_approach_over_alignment_to_docked) {
  dock_t dock = started();
  cr_assert_eq(dock.status, DOCK_APPROACHING);

  dock_look_t askew = {.now_s = 1.5, .distance_m = 0.45, .angle_rad = 0.2, .speed_mps = 0.1};
  dock_update(&dock, &limits, &askew);
  cr_assert_eq(dock.status, DOCK_ALIGNING);
  look(&dock, 2.0, 0.1, 0.05);
  cr_assert_eq(dock.status, DOCK_DOCKING);
  look(&dock, 3.0, 0.001, 0.0);

  cr_assert_eq(dock.status, DOCK_DOCKED);
  cr_assert_eq(dock.done, 1);
  cr_assert_eq(dock.last_ms, 2000);
}

Test(dock, waits_out_the_debounce_time) {
  dock_t dock = started();
  dock_limits_t slow = limits;
  slow.debounce_s = 0.1;
  dock_look_t seen = {.now_s = 3.0, .distance_m = 0.001};

  dock_update(&dock, &slow, &seen);
  cr_assert_eq(dock.status, DOCK_DOCKING);
  seen.now_s = 3.11;
  dock_update(&dock, &slow, &seen);

  cr_assert_eq(dock.status, DOCK_DOCKED);
}

Test(dock, is_not_docked_while_moving) {
  dock_t dock = started();

  look(&dock, 3.0, 0.001, 0.05);

  cr_assert_eq(dock.status, DOCK_DOCKING);
}

Test(dock, fails_after_its_time_out) {
  dock_t dock = started();

  look(&dock, 31.5, 5.0, 0.0);

  cr_assert_eq(dock.status, DOCK_FAULT);
  cr_assert_eq(dock.fault_code, DOCK_FAULT_TIMEOUT);
  cr_assert_eq(dock.failed, 1);
}

Test(dock, fails_at_a_mark_that_stands_askew) {
  dock_t dock = started();
  dock_look_t askew = {.now_s = 3.0, .distance_m = 0.001, .angle_rad = 0.2};

  dock_update(&dock, &limits, &askew);
  cr_assert_eq(dock.status, DOCK_ALIGNING);
  askew.now_s = 4.1;
  dock_update(&dock, &limits, &askew);

  cr_assert_eq(dock.fault_code, DOCK_FAULT_ALIGNMENT);
}

Test(dock, fails_when_the_mark_is_missed_too_often) {
  dock_t dock = started();

  look(&dock, 2.0, -0.1, 0.0);
  look(&dock, 2.1, -0.1, 0.0);
  cr_assert_eq(dock.tries, 1);
  cr_assert_eq(dock.status, DOCK_DOCKING);
  look(&dock, 3.0, 0.1, -0.1);
  look(&dock, 4.0, -0.1, 0.0);

  cr_assert_eq(dock.status, DOCK_FAULT);
  cr_assert_eq(dock.fault_code, DOCK_FAULT_POSITION);
}

Test(dock, fails_on_an_emergency_stop_until_cleared) {
  dock_t dock = started();
  dock_look_t stopped = {.now_s = 2.0, .distance_m = 5.0, .estop = true};
  dock_update(&dock, &limits, &stopped);
  cr_assert_eq(dock.status, DOCK_ESTOP);

  cr_assert_eq(dock_start(&dock, 3.0), DOCK_REFUSED);
  cr_assert_eq(dock.status, DOCK_ESTOP);
  dock_clear(&dock);

  cr_assert_eq(dock.status, 0);
  cr_assert_eq(dock.fault_count, 1);
  cr_assert_eq(dock.failed, 1);
}

Test(dock, undocks_until_beyond_the_approach) {
  dock_t dock = {.status = DOCK_DOCKED};
  dock_stop(&dock);
  cr_assert_eq(dock.status, DOCK_UNDOCKING);

  look(&dock, 2.0, 0.3, -0.1);
  cr_assert_eq(dock.status, DOCK_UNDOCKING);
  cr_assert_eq(dock_start(&dock, 3.0), DOCK_OCCUPIED);
  look(&dock, 5.0, 0.48, -0.1);

  cr_assert_eq(dock.status, 0);
}

Test(dock, notices_being_driven_off) {
  dock_t dock = {.status = DOCK_DOCKED};

  look(&dock, 2.0, 0.1, -0.2);

  cr_assert_eq(dock.status, DOCK_UNDOCKING);
}

Test(dock, ends_an_approach_on_stop) {
  dock_t dock = started();

  dock_stop(&dock);

  cr_assert_eq(dock.status, 0);
}

Test(dock, calibrates_for_two_seconds_at_rest) {
  dock_t dock = {0};
  cr_assert_eq(dock_calibrate(&dock, 1.0), DOCK_TAKEN);
  cr_assert_eq(dock_start(&dock, 1.5), DOCK_OCCUPIED);

  look(&dock, 2.0, 5.0, 0.0);
  cr_assert_eq(dock.status, DOCK_CALIBRATING);
  look(&dock, 3.0, 5.0, 0.0);

  cr_assert_eq(dock.status, 0);
}

Test(dock, fails_a_calibration_while_moving) {
  dock_t dock = {0};
  cr_assert_eq(dock_calibrate(&dock, 1.0), DOCK_TAKEN);

  look(&dock, 1.1, 5.0, 0.1);

  cr_assert_eq(dock.fault_code, DOCK_FAULT_CALIBRATION);
  cr_assert_eq(dock.failed, 0);
}

Test(dock, starts_nothing_while_disabled) {
  dock_t dock = {0};
  dock_enable(&dock, false);

  cr_assert_eq(dock_start(&dock, 1.0), DOCK_REFUSED);
  cr_assert_eq(dock_calibrate(&dock, 1.0), DOCK_REFUSED);
  dock_enable(&dock, true);

  cr_assert_eq(dock_start(&dock, 1.0), DOCK_TAKEN);
}

Test(dock, slows_the_robot_to_the_mark_and_holds_it) {
  dock_t idle = {0}, busy = {.status = DOCK_DOCKING}, docked = {.status = DOCK_DOCKED};

  cr_assert_float_eq(dock_steer_mps(&idle, 0.01, 0.002, 0.2), 0.2, 1e-12);
  cr_assert_float_eq(dock_steer_mps(&busy, 1.0, 0.002, 0.2), 0.2, 1e-12);
  cr_assert_lt(dock_steer_mps(&busy, 0.01, 0.002, 0.2), 0.03);
  cr_assert_gt(dock_steer_mps(&busy, 0.01, 0.002, 0.2), 0.0);
  cr_assert_eq(dock_steer_mps(&busy, 0.0005, 0.002, 0.2), 0.0);
  cr_assert_lt(dock_steer_mps(&busy, -0.01, 0.002, -0.2), 0.0);
  cr_assert_gt(dock_steer_mps(&busy, -0.01, 0.002, -0.2), -0.03);
  cr_assert_eq(dock_steer_mps(&docked, 0.0, 0.002, 0.2), 0.0);
  cr_assert_float_eq(dock_steer_mps(&docked, 0.0, 0.002, -0.2), -0.2, 1e-12);
}
