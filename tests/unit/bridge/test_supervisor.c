/* One rule a row: what is changed in a robot that drives well, and what follows. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "supervisor.h"

#define MS  UINT64_C(1000000)
#define NOW (UINT64_C(100000) * MS)

static const supervisor_cfg_t cfg = {.max_mps = 1.0,
                                     .slowest_mps2 = 0.5,
                                     .degraded_factor = 0.5,
                                     .dock_mps = 0.05,
                                     .battery_min = 0.2,
                                     .pose_min = 0.4,
                                     .require_pose = true,
                                     .interlocks = true,
                                     .imu_stop_ns = 2000 * MS};
static supervisor_t supervisor;
static supervisor_input_t input;

/* Drives at half a metre a second, everything heard just now. */
static void set_up(void) {
  supervisor_init(&supervisor, &cfg);
  memset(&input, 0, sizeof input);
  for (int i = 0; i < SUPERVISED_COUNT; i++)
    input.seen_ns[i] = NOW;
  input.armed = input.moving = input.battery_known = true;
  input.zones = (zones_verdict_t){.clearance_m = -1.0, .factor = 1.0};
  input.setpoint_mps = 0.5;
  input.speed_mps[SPEED_ODOMETRY] = 0.5;
  input.speed_ns[SPEED_ODOMETRY] = NOW;
  input.battery = 0.8;
  input.pose = 0.9;
}

static supervisor_verdict_t judge(void) {
  return supervisor_judge(&supervisor, &input, NOW);
}

static robot_guards_t guards(void) {
  robot_guards_t out = {0};
  supervisor_guard(&supervisor, &input, NOW, &out);
  return out;
}

static bool warns(supervisor_warning_t warning) {
  return judge().warnings >> warning & 1u;
}

TestSuite(supervisor, .init = set_up);

Test(supervisor, holds_nothing_against_a_robot_that_drives_well) {
  supervisor_verdict_t verdict = judge();
  cr_assert_eq(verdict.stop, STOP_NONE);
  cr_assert_eq(verdict.warnings, 0);
  cr_assert_float_eq(verdict.factor, 1.0, 0.0);
  cr_assert(isinf(verdict.limit_mps));
}

typedef struct silence {
  supervised_t what;
  uint64_t fine_ms, lost_ms; /* the last age that stops nobody, the first that does */
  stop_cause_t moving, standing;
} silence_t;

static const silence_t silences[] = {
    {SUPERVISED_SAFETY, 150, 151, STOP_MODULE_LOSS, STOP_NONE},
    {SUPERVISED_SAFETY, 150, 2001, STOP_MODULE_LOSS, STOP_MODULE_LOSS},
    {SUPERVISED_CHAIN, 250, 251, STOP_MODULE_LOSS, STOP_NONE},
    {SUPERVISED_CHAIN, 250, 2001, STOP_MODULE_LOSS, STOP_MODULE_LOSS},
    {SUPERVISED_TRAVEL, 1000, 1001, STOP_MODULE_LOSS, STOP_NONE},
    {SUPERVISED_POWER, 5000, 5001, STOP_MODULE_LOSS, STOP_NONE},
    {SUPERVISED_IMU, 2000, 2001, STOP_STALE, STOP_NONE},
    {SUPERVISED_INPUTS, 300, 301, STOP_INTERLOCK, STOP_NONE},
    {SUPERVISED_DOCK, 60000, 90000, STOP_NONE, STOP_NONE},
    {SUPERVISED_TAG, 60000, 90000, STOP_NONE, STOP_NONE},
    {SUPERVISED_LIDAR, 60000, 90000, STOP_NONE, STOP_NONE},
    {SUPERVISED_SIGHT, 60000, 90000, STOP_NONE, STOP_NONE},
    {SUPERVISED_POSE, 60000, 90000, STOP_NONE, STOP_NONE},
};

Test(supervisor, stops_for_silence_at_the_times_of_the_documents) {
  for (size_t i = 0; i < sizeof silences / sizeof silences[0]; i++) {
    const silence_t *row = &silences[i];
    set_up();
    input.seen_ns[row->what] = NOW - row->fine_ms * MS;
    cr_assert_eq(judge().stop, STOP_NONE, "row %zu, still in time", i);
    input.seen_ns[row->what] = NOW - row->lost_ms * MS;
    cr_assert_eq(judge().stop, row->moving, "row %zu, moving", i);
    cr_assert(row->moving == STOP_NONE || judge().detail[0], "row %zu has a sentence", i);
    input.moving = false;
    cr_assert_eq(judge().stop, row->standing, "row %zu, standing", i);
  }
}

Test(supervisor, what_was_never_heard_is_not_fresh) {
  input.seen_ns[SUPERVISED_SAFETY] = 0;
  cr_assert_eq(judge().stop, STOP_MODULE_LOSS);
}

Test(supervisor, an_answer_of_the_next_moment_is_fresh) {
  input.seen_ns[SUPERVISED_SAFETY] = NOW + MS;
  cr_assert_eq(judge().stop, STOP_NONE);
}

typedef struct reason {
  bool *happens;
  stop_cause_t moving, standing;
} reason_t;

Test(supervisor, stops_for_what_happens) {
  static const reason_t rows[] = {{&input.estop, STOP_HARDWARE, STOP_HARDWARE},
                                  {&input.interlock_open, STOP_INTERLOCK, STOP_NONE},
                                  {&input.zones.stop, STOP_ZONE, STOP_NONE},
                                  {&input.zones.contact, STOP_ZONE, STOP_NONE},
                                  {&input.contact, STOP_ZONE, STOP_NONE},
                                  {&input.zones.blind, STOP_STALE, STOP_NONE}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    set_up();
    *rows[i].happens = true;
    cr_assert_eq(judge().stop, rows[i].moving, "row %zu, moving", i);
    input.moving = false;
    cr_assert_eq(judge().stop, rows[i].standing, "row %zu, standing", i);
    input.moving = input.latched = true;
    cr_assert_eq(judge().stop, STOP_NONE, "row %zu, once is enough", i);
  }
}

Test(supervisor, stops_for_a_motor_s_fault_but_not_for_its_word_for_the_open_chain) {
  input.motor_error[0] = 9;
  cr_assert_eq(judge().stop, STOP_NONE);
  input.motor_error[1] = 4;
  cr_assert_eq(judge().stop, STOP_MOTOR_FAULT);
  input.moving = false;
  cr_assert_eq(judge().stop, STOP_MOTOR_FAULT, "standing");
  input.latched = true;
  cr_assert_eq(judge().stop, STOP_NONE, "once is enough");
}

Test(supervisor, a_motor_fault_has_its_name) {
  input.motor_error[1] = 4;
  cr_assert_str_eq(judge().detail, "motor 2 reports fault 4: over-temperature");
  cr_assert_str_eq(supervisor_motor_fault(99), "unknown");
}

Test(supervisor, before_the_robot_was_ready_only_the_input_stops) {
  input.armed = false;
  input.seen_ns[SUPERVISED_SAFETY] = 0;
  input.motor_error[1] = 4;
  cr_assert_eq(judge().stop, STOP_NONE);
  input.estop = true;
  cr_assert_eq(judge().stop, STOP_HARDWARE);
}

Test(supervisor, inputs_that_are_not_wired_stop_nobody) {
  supervisor.cfg.interlocks = false;
  input.interlock_open = true;
  input.seen_ns[SUPERVISED_INPUTS] = 0;
  cr_assert_eq(judge().stop, STOP_NONE);
  cr_assert_not(guards().interlock);
}

Test(supervisor, an_imu_that_the_robot_does_not_have_is_not_missed) {
  supervisor.cfg.imu_stop_ns = 0;
  input.seen_ns[SUPERVISED_IMU] = 0;
  cr_assert_eq(judge().stop, STOP_NONE);
  cr_assert_float_eq(judge().factor, 1.0, 0.0);
}

Test(supervisor, a_motion_that_begins_without_the_imu_has_the_same_time) {
  input.seen_ns[SUPERVISED_IMU] = 0;
  input.moving_ns = NOW - 2000 * MS;
  cr_assert_eq(judge().stop, STOP_NONE);
  cr_assert_float_eq(judge().factor, 0.5, 0.0);
  input.moving_ns = NOW - 2001 * MS;
  cr_assert_eq(judge().stop, STOP_STALE);
}

Test(supervisor, slows_while_the_imu_or_the_lidar_is_silent) {
  input.seen_ns[SUPERVISED_IMU] = NOW - 100 * MS;
  input.seen_ns[SUPERVISED_LIDAR] = NOW - 300 * MS;
  cr_assert_float_eq(judge().factor, 1.0, 0.0);
  input.seen_ns[SUPERVISED_IMU] = NOW - 101 * MS;
  cr_assert_float_eq(judge().factor, 0.5, 0.0);
  input.seen_ns[SUPERVISED_IMU] = NOW;
  input.seen_ns[SUPERVISED_LIDAR] = NOW - 301 * MS;
  cr_assert_float_eq(judge().factor, 0.5, 0.0);
  input.zones.factor = 0.3;
  cr_assert_float_eq(judge().factor, 0.3, 0.0, "the stricter of the two");
}

Test(supervisor, a_lidar_that_turns_and_sees_nothing_slows_like_a_silent_one_and_says_so) {
  input.seen_ns[SUPERVISED_SIGHT] = NOW - 300 * MS;
  cr_assert_float_eq(judge().factor, 1.0, 0.0);
  cr_assert_not(warns(WARN_LIDAR_BLIND));
  input.seen_ns[SUPERVISED_SIGHT] = NOW - 301 * MS;
  cr_assert_float_eq(judge().factor, 0.5, 0.0);
  cr_assert(warns(WARN_LIDAR_BLIND));
  cr_assert_not(warns(WARN_LIDAR_STALE));
  input.seen_ns[SUPERVISED_LIDAR] = NOW - 301 * MS;
  cr_assert(warns(WARN_LIDAR_STALE), "silent is worse than blind");
  cr_assert_not(warns(WARN_LIDAR_BLIND));
}

Test(supervisor, does_not_dock_without_a_turn_of_150_ms_that_saw_something) {
  input.seen_ns[SUPERVISED_SIGHT] = NOW - 150 * MS;
  cr_assert_not(guards().lidar_lost);
  input.seen_ns[SUPERVISED_SIGHT] = NOW - 151 * MS;
  cr_assert(guards().lidar_lost);
}

Test(supervisor, crawls_near_the_dock) {
  input.zones.crawl = true;
  cr_assert(isinf(judge().limit_mps), "not docking");
  input.docking = true;
  cr_assert_float_eq(judge().limit_mps, 0.05, 0.0);
}

Test(supervisor, lets_a_command_wait_for_an_obstacle_but_not_for_the_dock) {
  input.zones.pause = true;
  cr_assert(judge().pause);
  input.docking = true;
  cr_assert_not(judge().pause);
}

Test(supervisor, in_a_replay_zones_neither_slow_nor_stop) {
  supervisor.cfg.reporting = true;
  input.zones = (zones_verdict_t){.factor = 0.3, .stop = true, .pause = true, .blind = true};
  supervisor_verdict_t verdict = judge();
  cr_assert_eq(verdict.stop, STOP_NONE);
  cr_assert_float_eq(verdict.factor, 1.0, 0.0);
  cr_assert_not(verdict.pause);
}

Test(supervisor, wants_a_known_battery_above_the_least) {
  input.battery = 0.2;
  cr_assert_not(guards().battery_low);
  input.battery = 0.199;
  cr_assert(guards().battery_low);
  input.battery = 0.9;
  input.battery_known = false;
  cr_assert(guards().battery_low, "not known");
  supervisor.cfg.battery_min = 0.0;
  cr_assert_not(guards().battery_low, "not asked for");
}

Test(supervisor, wants_a_pose_that_is_fresh_and_trusted) {
  input.pose = 0.4;
  cr_assert_not(guards().pose_lost);
  input.pose = 0.39;
  cr_assert(guards().pose_lost);
  input.pose = 0.9;
  input.seen_ns[SUPERVISED_POSE] = NOW - 3001 * MS;
  cr_assert(guards().pose_lost, "too old");
  supervisor.cfg.require_pose = false;
  cr_assert_not(guards().pose_lost, "waived");
}

Test(supervisor, tells_the_guards_what_it_knows) {
  input.estop = input.interlock_open = input.auto_reset = true;
  input.motor_error[0] = 1;
  input.seen_ns[SUPERVISED_SAFETY] = NOW - 151 * MS;
  robot_guards_t out = guards();
  cr_assert(out.estop_input && out.interlock && out.auto_reset && out.motor_fault);
  cr_assert_not(out.safety_fresh);
  input.seen_ns[SUPERVISED_SAFETY] = NOW;
  cr_assert(guards().safety_fresh);
  input.seen_ns[SUPERVISED_CHAIN] = NOW - 251 * MS;
  cr_assert_not(guards().safety_fresh, "it answers, but not that");
}

Test(supervisor, warns_before_it_stops) {
  input.seen_ns[SUPERVISED_POWER] = NOW - 2000 * MS;
  cr_assert_not(warns(WARN_POWER_SILENT));
  input.seen_ns[SUPERVISED_POWER] = NOW - 2001 * MS;
  cr_assert(warns(WARN_POWER_SILENT));
  input.seen_ns[SUPERVISED_DOCK] = NOW - 1001 * MS;
  cr_assert(warns(WARN_DOCK_SILENT));
  input.seen_ns[SUPERVISED_TAG] = NOW - 2001 * MS;
  cr_assert(warns(WARN_TAG_STALE));
  input.seen_ns[SUPERVISED_RANGES] = NOW - 301 * MS;
  cr_assert(warns(WARN_RANGES_STALE));
}

Test(supervisor, describes_whole_warnings) {
  char text[64];
  supervisor_describe(0, text, sizeof text);
  cr_assert_str_eq(text, "");
  supervisor_describe(1u << WARN_ESTOP | 1u << WARN_INTERLOCK | 1u << WARN_RUNAWAY, text,
                      sizeof text);
  cr_assert_str_eq(text, "the emergency stop input is active; an interlock is open");
  for (unsigned i = 0; i < WARN_COUNT; i++)
    cr_assert_not_null(supervisor_words((supervisor_warning_t)i));
}

/* Judges each 10 ms while the robot has that speed; when a stop was asked for, ms; -1: never. */
static int run_ms(double setpoint_mps, double speed_mps, int ms) {
  for (int i = 0; i <= ms; i += 10) {
    uint64_t now_ns = supervisor.judged_ns ? supervisor.judged_ns + 10 * MS : NOW;
    for (int k = 0; k < SUPERVISED_COUNT; k++)
      input.seen_ns[k] = now_ns;
    input.setpoint_mps = setpoint_mps;
    input.speed_mps[SPEED_ODOMETRY] = speed_mps;
    input.speed_ns[SPEED_ODOMETRY] = now_ns;
    if (supervisor_judge(&supervisor, &input, now_ns).stop == STOP_MOTOR_FAULT) return i;
  }
  return -1;
}

Test(supervisor, stops_a_robot_that_runs_away) {
  cr_assert_eq(run_ms(0.5, 0.74, 3000), -1, "a corner, a coarse measurement");
  cr_assert_eq(run_ms(0.5, 0.76, 3000), 500);
}

Test(supervisor, stops_a_robot_that_goes_the_other_way) {
  cr_assert_eq(run_ms(0.5, -0.2, 3000), 500);
}

Test(supervisor, stops_motors_that_turn_when_told_to_stand) {
  input.moving = false;
  cr_assert_eq(run_ms(0.0, 0.14, 3000), -1);
  cr_assert_eq(run_ms(0.0, -0.16, 3000), 500);
}

Test(supervisor, leaves_a_robot_the_time_to_slow_down) {
  cr_assert_eq(run_ms(1.0, 1.0, 100), -1);
  for (int i = 0; i < 10; i++) /* 2 s down, at the least rate */
    cr_assert_eq(run_ms(0.0, 1.0 - 0.1 * i, 190), -1, "step %d", i);
}

Test(supervisor, stops_a_robot_above_the_highest_speed_whatever_the_set_point) {
  cr_assert_eq(run_ms(2.0, 1.34, 3000), -1);
  cr_assert_eq(run_ms(2.0, 1.36, 3000), 500);
}

Test(supervisor, stops_a_robot_that_is_told_to_drive_and_stands) {
  cr_assert_eq(run_ms(0.5, 0.12, 5000), -1);
  cr_assert_eq(run_ms(0.5, 0.09, 5000), 1990, "since the step before");
}

Test(supervisor, a_dock_may_hold_the_robot) {
  input.docking = true;
  cr_assert_eq(run_ms(0.5, 0.0, 5000), -1);
}

Test(supervisor, a_moment_too_fast_is_forgiven) {
  for (int i = 0; i < 5; i++) {
    cr_assert_eq(run_ms(0.5, 0.9, 480), -1);
    cr_assert_eq(run_ms(0.5, 0.5, 20), -1);
  }
}

Test(supervisor, one_reading_too_fast_is_not_enough) {
  input.speed_mps[SPEED_MOTOR_1] = 1.9;
  input.speed_ns[SPEED_MOTOR_1] = NOW;
  for (uint64_t age_ms = 0; age_ms <= 3000; age_ms += 10) {
    for (int i = 0; i < SUPERVISED_COUNT; i++)
      input.seen_ns[i] = NOW + age_ms * MS;
    cr_assert_eq(supervisor_judge(&supervisor, &input, NOW + age_ms * MS).stop, STOP_NONE);
  }
}

Test(supervisor, a_runaway_of_a_latched_robot_is_a_warning) {
  input.latched = true;
  input.moving = false;
  cr_assert_eq(run_ms(0.0, 0.5, 3000), -1);
  cr_assert(supervisor.runaway_ns != 0);
}

Test(supervisor, a_fault_that_is_found_after_a_stop_makes_it_a_fault_once) {
  input.latched = input.may_worsen = true;
  input.armed = input.moving = false;
  input.estop = true;
  cr_assert_eq(judge().stop, STOP_NONE);
  input.motor_error[1] = 4;
  cr_assert_eq(judge().stop, STOP_MOTOR_FAULT);
  input.may_worsen = false;
  cr_assert_eq(judge().stop, STOP_NONE);
}

Test(supervisor, fresh_data_after_a_reason_ask_for_nothing_and_take_nothing_back) {
  input.seen_ns[SUPERVISED_SAFETY] = NOW - 151 * MS;
  cr_assert_eq(judge().stop, STOP_MODULE_LOSS);
  input.latched = true;
  input.seen_ns[SUPERVISED_SAFETY] = NOW;
  cr_assert_eq(judge().stop, STOP_NONE);
}
