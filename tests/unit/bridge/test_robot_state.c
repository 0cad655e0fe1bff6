/* States, guards, the latch; and a long random walk over the invariants. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "robot_state.h"

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

/* A small generator of its own, so that the walk is the same everywhere. */
static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

static robot_guards_t random_guards(uint32_t *seed) {
  uint32_t bits = next_random(seed);
  if (bits & 128) return fine;
  return (robot_guards_t){.modules_online = bits & 1,
                          .estop_input = bits & 2,
                          .safety_fresh = bits & 4,
                          .motors_off = bits & 8,
                          .motor_fault = bits & 16,
                          .safe_confirm = bits & 32,
                          .location_ok = bits & 64};
}

Test(robot_state, a_million_random_events_keep_the_invariants) {
  uint32_t seed = 1;
  unsigned drives = 0, trips = 0;
  for (uint32_t i = 0; i < 1000000; i++) {
    bool was_latched = robot.latched;
    robot_guards_t guards = random_guards(&seed);
    uint32_t choice = next_random(&seed) % (ROBOT_EVENTS + 1);
    robot_event_t event = (robot_event_t)choice;
    bool done = choice < ROBOT_EVENTS && apply(event, guards);
    if (choice == ROBOT_EVENTS && next_random(&seed) % 8 == 0)
      trips +=
          robot_latch(&robot, (stop_cause_t)(1 + next_random(&seed) % (STOP_CAUSES - 1)), "x", i);
    bool moving_state =
        robot.state == ROBOT_MOVE || robot.state == ROBOT_DOCK || robot.state == ROBOT_PAUSED;
    cr_assert(!robot_may_move(&robot) || (moving_state && !robot.latched));
    if (robot.state == ROBOT_SHUTDOWN) /* a restart */
      robot_init(&robot, robot.latched ? robot.cause : STOP_NONE, "kept", i);
    bool held =
        robot.state == ROBOT_ESTOP || robot.state == ROBOT_FAULT || robot.state == ROBOT_SAFE;
    cr_assert(robot.latched == held);
    if (was_latched && !robot.latched)
      cr_assert(done && event == ROBOT_RESET && guards.safe_confirm && guards.location_ok &&
                guards.motors_off && !guards.estop_input && guards.safety_fresh);
    drives += robot.state == ROBOT_MOVE;
  }
  cr_assert_gt(drives, 1000);
  cr_assert_gt(trips, 1000);
}
