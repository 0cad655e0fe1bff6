/* A driven axis between its two ends. */
#include <criterion/criterion.h>

#include "axis.h"

static const axis_command_t up = {.enabled = true, .target = 1.0, .speed = 0.2};

static void run(axis_t *axis, const axis_command_t *command, double seconds) {
  for (int i = 0; i < (int)(seconds * 100.0 + 0.5); i++)
    axis_step(axis, command, 0.01);
}

Test(axis, moves_at_its_speed_and_stops_at_its_target) {
  axis_t axis = {0};

  run(&axis, &up, 2.0);
  cr_assert_float_eq(axis.position, 0.4, 1e-9);
  cr_assert_eq(axis.status, AXIS_READY | AXIS_MOVING);
  run(&axis, &up, 4.0);

  cr_assert_float_eq(axis.position, 1.0, 1e-9);
  cr_assert_eq(axis.status, AXIS_READY | AXIS_AT_TARGET | AXIS_HIGH_END);
  cr_assert_eq(axis.moves, 1);
}

Test(axis, stands_while_disabled_or_in_emergency_stop) {
  axis_t axis = {0};
  axis_command_t off = up, stopped = up;
  off.enabled = false;
  stopped.estop = true;

  run(&axis, &off, 2.0);
  run(&axis, &stopped, 2.0);

  cr_assert_eq(axis.position, 0.0);
  cr_assert_eq(axis.fault, 0);
  cr_assert_eq(axis.status, AXIS_READY | AXIS_LOW_END | AXIS_ESTOP);
}

Test(axis, gives_up_when_it_is_stuck_for_a_second) {
  axis_t axis = {.jammed = true};

  run(&axis, &up, 0.9);
  cr_assert_eq(axis.fault, 0);
  run(&axis, &up, 0.2);
  cr_assert_eq(axis.fault, AXIS_FAULT_POSITION);
  axis.jammed = false;
  run(&axis, &up, 1.0);

  cr_assert_eq(axis.position, 0.0);
  cr_assert(axis.status & AXIS_FAULT);
}
