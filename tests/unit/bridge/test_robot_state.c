/* States, guards, the latch. The invariants of all of it together: test_pilot_model.c. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "robot_state.h"

#define MS UINT64_C(1000000)

static const robot_guards_t fine = {.modules_online = true,
                                    .safety_fresh = true,
                                    .motors_off = true,
                                    .safe_confirm = true,
                                    .location_ok = true};
static robot_t robot;
static char why[128];

static bool apply(robot_event_t event, robot_guards_t guards) {
  return robot_apply(&robot, event, &guards, 1, why, sizeof why);
}

static void set_up(void) {
  robot_init(&robot, STOP_NONE, "", 0);
  (void)apply(ROBOT_BOOT_COMPLETE, fine);
  (void)apply(ROBOT_INIT_COMPLETE, fine);
}

TestSuite(robot_state, .init = set_up);

Test(robot_state, starts_in_boot_and_reaches_idle) {
  cr_assert_eq(robot.state, ROBOT_IDLE);
}

Test(robot_state, waits_in_init_for_all_modules) {
  robot_init(&robot, STOP_NONE, "", 0);
  (void)apply(ROBOT_BOOT_COMPLETE, fine);
  robot_guards_t guards = fine;
  guards.modules_online = false;
  cr_assert_not(apply(ROBOT_INIT_COMPLETE, guards));
  cr_assert_eq(robot.state, ROBOT_INIT);
}

Test(robot_state, waits_in_init_until_something_sees_the_way) {
  robot_init(&robot, STOP_NONE, "", 0);
  (void)apply(ROBOT_BOOT_COMPLETE, fine);
  robot_guards_t guards = fine;
  guards.blind = true;
  cr_assert_not(apply(ROBOT_INIT_COMPLETE, guards));
  cr_assert(apply(ROBOT_INIT_COMPLETE, fine));
}

Test(robot_state, drives_from_idle_and_comes_to_rest) {
  cr_assert(apply(ROBOT_DRIVE, fine));
  cr_assert(robot_may_move(&robot));
  cr_assert_not(apply(ROBOT_STOPPED, fine), "nothing asks it to stop");
  cr_assert(apply(ROBOT_HALT, fine));
  cr_assert(robot_may_move(&robot), "on its way to zero");
  cr_assert_not(robot_may_drive(&robot));
  cr_assert(apply(ROBOT_STOPPED, fine));
  cr_assert_eq(robot.state, ROBOT_IDLE);
  cr_assert_not(robot_may_move(&robot));
}

Test(robot_state, does_not_drive_with_the_input_open) {
  robot_guards_t guards = fine;
  guards.estop_input = true;
  cr_assert_not(apply(ROBOT_DRIVE, guards));
  cr_assert_not_null(strstr(why, "release"));
}

Test(robot_state, does_not_drive_without_the_safety_module) {
  robot_guards_t guards = fine;
  guards.safety_fresh = false;
  cr_assert_not(apply(ROBOT_DRIVE, guards));
}

Test(robot_state, does_not_drive_with_a_module_offline) {
  robot_guards_t guards = fine;
  guards.modules_online = false;
  cr_assert_not(apply(ROBOT_DRIVE, guards));
}

Test(robot_state, does_not_drive_when_the_safety_module_may_reset_itself) {
  robot_guards_t guards = fine;
  guards.auto_reset = true;
  cr_assert_not(apply(ROBOT_DRIVE, guards));
  cr_assert_not_null(strstr(why, "0x0052"));
}

Test(robot_state, does_not_begin_to_move_when_a_stop_could_not_be_kept) {
  robot_guards_t guards = fine;
  guards.latch_lost = true;
  cr_assert_not(apply(ROBOT_DRIVE, guards));
  cr_assert_not_null(strstr(why, "data folder"));
  cr_assert_not(apply(ROBOT_APPROACH, guards));
  cr_assert(apply(ROBOT_DRIVE, fine));
  cr_assert(apply(ROBOT_DRIVE, guards), "what moves goes on");
}

Test(robot_state, a_lost_module_takes_readiness_away) {
  cr_assert(apply(ROBOT_LOST, fine));
  cr_assert_eq(robot.state, ROBOT_INIT);
}

Test(robot_state, a_latch_stops_from_any_state) {
  cr_assert(robot_latch(&robot, STOP_SOFTWARE, "why not", 5));
  cr_assert_eq(robot.state, ROBOT_ESTOP);
  cr_assert_eq(robot.latched_ns, 5);
  cr_assert_str_eq(robot.detail, "why not");
}

Test(robot_state, the_first_cause_stays) {
  (void)robot_latch(&robot, STOP_HARDWARE, "first", 5);
  cr_assert_not(robot_latch(&robot, STOP_SOFTWARE, "second", 6));
  cr_assert_eq(robot.cause, STOP_HARDWARE);
  cr_assert_str_eq(robot.detail, "first");
}

Test(robot_state, a_motor_fault_leads_to_fault) {
  (void)robot_latch(&robot, STOP_MOTOR_FAULT, "over-current", 5);
  cr_assert_eq(robot.state, ROBOT_FAULT);
  cr_assert_not(apply(ROBOT_DRIVE, fine));
  cr_assert(apply(ROBOT_RESET, fine));
}

Test(robot_state, estop_refuses_to_drive_and_says_what_to_do) {
  (void)robot_latch(&robot, STOP_SOFTWARE, "", 5);
  cr_assert_not(apply(ROBOT_DRIVE, fine));
  cr_assert_not_null(strstr(why, "reset"));
}

Test(robot_state, a_reset_wants_every_guard) {
  for (int i = 0; i < 6; i++) {
    set_up();
    (void)robot_latch(&robot, STOP_SOFTWARE, "", 5);
    robot_guards_t guards = fine;
    if (i == 0) guards.safe_confirm = false;
    if (i == 1) guards.location_ok = false;
    if (i == 2) guards.safety_fresh = false;
    if (i == 3) guards.estop_input = true;
    if (i == 4) guards.motors_off = false;
    if (i == 5) guards.motor_fault = true;
    cr_assert_not(apply(ROBOT_RESET, guards), "guard %d", i);
    cr_assert(robot.latched);
    cr_assert_eq(robot.state, ROBOT_ESTOP);
  }
}

Test(robot_state, a_reset_leads_through_init) {
  (void)robot_latch(&robot, STOP_SOFTWARE, "", 5);
  cr_assert(apply(ROBOT_RESET, fine));
  cr_assert_eq(robot.state, ROBOT_INIT);
  cr_assert_not(robot.latched);
  cr_assert_eq(robot.cause, STOP_NONE);
}

Test(robot_state, a_reset_without_a_latch_is_refused) {
  cr_assert_not(apply(ROBOT_RESET, fine));
  cr_assert_str_eq(why, "no stop is latched");
}

Test(robot_state, a_kept_latch_holds_from_the_start) {
  robot_init(&robot, STOP_ZONE, "an obstacle", 0);
  cr_assert_eq(robot.state, ROBOT_SAFE);
  cr_assert_eq(robot.cause, STOP_ZONE);
  cr_assert_not(apply(ROBOT_BOOT_COMPLETE, fine));
  cr_assert(robot.latched);
  cr_assert(apply(ROBOT_RESET, fine));
  cr_assert_eq(robot.state, ROBOT_INIT);
}

Test(robot_state, names_are_those_of_the_documents) {
  cr_assert_str_eq(robot_state_name(ROBOT_ESTOP), "estop");
  cr_assert_str_eq(robot_state_name(ROBOT_STATES), "?");
  cr_assert_eq(stop_cause_parse("module_loss"), STOP_MODULE_LOSS);
  cr_assert_eq(stop_cause_parse("boredom"), STOP_NONE);
  cr_assert_str_eq(stop_cause_name(STOP_CAUSES), "?");
}

Test(robot_state, a_fault_found_later_leads_from_a_stop_to_fault) {
  (void)robot_latch(&robot, STOP_SOFTWARE, "", 5);
  cr_assert(robot_latch(&robot, STOP_MOTOR_FAULT, "over-current", 6));
  cr_assert_eq(robot.state, ROBOT_FAULT);
  cr_assert_eq(robot.cause, STOP_MOTOR_FAULT);
  cr_assert_eq(robot.trips, 1);
}

Test(robot_state, init_that_waits_is_overdue_and_not_lost) {
  robot_init(&robot, STOP_NONE, "", 0);
  (void)apply(ROBOT_BOOT_COMPLETE, fine);
  cr_assert_not(robot_expire(&robot, 4900 * MS));
  cr_assert(robot_expire(&robot, 5100 * MS));
  cr_assert_eq(robot.state, ROBOT_INIT);
  cr_assert(robot.overdue);
  cr_assert_not(robot_expire(&robot, 60000 * MS), "said once");
  cr_assert(apply(ROBOT_INIT_COMPLETE, fine));
  cr_assert_not(robot.overdue);
}

Test(robot_state, every_state_has_the_time_of_the_documents) {
  static const struct {
    robot_state_t state;
    uint64_t ms;
  } rows[] = {{ROBOT_BOOT, 10000},   {ROBOT_INIT, 5000}, {ROBOT_MOVE, 30000},  {ROBOT_DOCK, 15000},
              {ROBOT_PAUSED, 60000}, {ROBOT_IDLE, 0},    {ROBOT_CONFIG, 10000}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    cr_assert_eq(robot.timeout_ms[rows[i].state], rows[i].ms, "%s",
                 robot_state_name(rows[i].state));
}

Test(robot_state, a_move_that_lasts_too_long_is_brought_to_zero_and_then_cut) {
  (void)apply(ROBOT_DRIVE, fine);
  cr_assert(robot_expire(&robot, 31000 * MS));
  cr_assert_eq(robot.state, ROBOT_MOVE);
  cr_assert(robot_may_move(&robot) && !robot_may_drive(&robot));
  cr_assert(robot_expire(&robot, 37000 * MS));
  cr_assert_eq(robot.state, ROBOT_IDLE);
}

Test(robot_state, only_a_move_is_paused_and_only_a_pause_is_resumed) {
  cr_assert_not(apply(ROBOT_PAUSE, fine));
  cr_assert_not(apply(ROBOT_RESUME, fine));
  (void)apply(ROBOT_APPROACH, fine);
  cr_assert_not(apply(ROBOT_PAUSE, fine));
  (void)apply(ROBOT_DRIVE, fine);
  cr_assert(apply(ROBOT_PAUSE, fine));
  robot_guards_t blind = fine;
  blind.blind = true;
  cr_assert_not(apply(ROBOT_RESUME, blind));
  cr_assert(apply(ROBOT_RESUME, fine));
}

Test(robot_state, shut_down_ends_by_a_restart_alone) {
  cr_assert(apply(ROBOT_SHUT_DOWN, fine));
  for (int event = 0; event < ROBOT_EVENTS; event++)
    cr_assert_not(apply((robot_event_t)event, fine));
  cr_assert_not_null(strstr(why, "restart"));
}
