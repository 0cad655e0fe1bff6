/* How long a command may last: by its own time-out, and by those of the states. */
#include <criterion/criterion.h>
#include <string.h>

#include "pilot.h"

#define MS UINT64_C(1000000)

static const drive_cfg_t drive_cfg = {
    .max_mps = 1.0, .full_scale_mps = 2.0, .accel_mps2 = 0.5, .decel_mps2 = 0.5};
static const pilot_cfg_t cfg = {.stop_m = 0.5, .dead_man_ms = 500};
static const robot_guards_t fine = {
    .modules_online = true, .safety_fresh = true, .motors_off = true};
static const pilot_input_t input = {.clearance_m = -1.0};
static robot_t robot;
static drive_t drive;
static commands_t commands;
static pilot_t pilot = {&cfg, &robot, &drive, &commands};
static uint64_t now_ns;

static void set_up(void) {
  now_ns = MS;
  robot_init(&robot, STOP_NONE, "", now_ns);
  drive_init(&drive, &drive_cfg);
  commands_init(&commands, drive_cfg.max_mps);
  (void)robot_apply(&robot, ROBOT_BOOT_COMPLETE, &fine, now_ns, NULL, 0);
  (void)robot_apply(&robot, ROBOT_INIT_COMPLETE, &fine, now_ns, NULL, 0);
}

TestSuite(pilot_time, .init = set_up);

static void take(command_kind_t kind, uint32_t timeout_ms) {
  command_t command = {.kind = kind,
                       .speed = -1.0,
                       .distance_m = -1.0,
                       .acceleration = -1.0,
                       .deceleration = -1.0,
                       .timeout_ms = timeout_ms};
  commands.mode = kind == COMMAND_CONFIGURE ? MODE_MAINTENANCE : MODE_AUTO;
  pilot_answer_t answer = pilot_take(pilot, &command, &fine, &input, now_ns);
  cr_assert_eq(answer.verdict, PILOT_TAKEN, "%s", answer.why);
}

static void run_until(uint64_t until_ms) {
  while (now_ns < until_ms * MS) {
    now_ns += 10 * MS;
    unsigned acts = pilot_step(pilot, &input, now_ns);
    if (acts & ACT_SOON || now_ns % (100 * MS) == MS) (void)pilot_ramp(pilot, 1.0, now_ns);
  }
}

static void expect_failed(const char *why) {
  cr_assert_eq(commands.state, COMMAND_FAILED);
  cr_assert_not_null(strstr(commands.detail, why), "%s", commands.detail);
  cr_assert_eq(robot.state, ROBOT_IDLE);
  cr_assert_eq(pilot_words(pilot).enable, 0);
}

Test(pilot_time, a_move_ends_with_its_own) {
  take(COMMAND_MOVE, 800);
  run_until(790);
  cr_assert_not(robot.ending);
  run_until(3000);
  expect_failed("own time-out");
}

Test(pilot_time, a_paused_move_ends_with_its_own_too) {
  take(COMMAND_MOVE, 5000);
  run_until(1000);
  take(COMMAND_PAUSE, 0);
  run_until(4990);
  cr_assert_eq(robot.state, ROBOT_PAUSED);
  cr_assert_eq(commands.state, COMMAND_RUNNING);
  run_until(5200);
  expect_failed("own time-out");
}

Test(pilot_time, a_resumed_move_has_what_its_pause_has_left) {
  take(COMMAND_MOVE, 5000);
  run_until(1000);
  take(COMMAND_PAUSE, 0);
  run_until(4000);
  take(COMMAND_RESUME, 0);
  run_until(4990);
  cr_assert_not(robot.ending);
  run_until(8000);
  expect_failed("own time-out");
}

Test(pilot_time, a_paused_move_without_one_ends_with_the_time_of_a_pause) {
  take(COMMAND_MOVE, 0);
  take(COMMAND_PAUSE, 0);
  run_until(59900);
  cr_assert_eq(robot.state, ROBOT_PAUSED);
  run_until(60300);
  expect_failed("paused lasted longer");
}

Test(pilot_time, a_configuration_ends_with_its_own) {
  take(COMMAND_CONFIGURE, 2000);
  run_until(1990);
  cr_assert_eq(robot.state, ROBOT_CONFIG);
  run_until(2010);
  expect_failed("own time-out");
}

Test(pilot_time, a_configuration_that_is_not_ended_has_failed) {
  take(COMMAND_CONFIGURE, 0);
  run_until(9990);
  cr_assert_eq(robot.state, ROBOT_CONFIG);
  run_until(10100);
  expect_failed("config lasted longer");
}
