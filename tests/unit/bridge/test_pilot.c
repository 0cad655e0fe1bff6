/* Orders and ticks, with a plant as simple as can be: the robot does what it is told. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "pilot.h"

#define MS UINT64_C(1000000)

static const drive_cfg_t drive_cfg = {
    .max_mps = 1.0, .full_scale_mps = 2.0, .accel_mps2 = 0.5, .decel_mps2 = 0.5};
static pilot_cfg_t cfg;
static const robot_guards_t fine = {.modules_online = true,
                                    .safety_fresh = true,
                                    .motors_off = true,
                                    .safe_confirm = true,
                                    .location_ok = true};
static robot_t robot;
static drive_t drive;
static commands_t commands;
static pilot_input_t input;
static pilot_answer_t answer;
static uint64_t now_ns;
static double tag_m, dock_m; /* on the rail; NAN: none */

static pilot_t pilot(void) {
  return (pilot_t){&cfg, &robot, &drive, &commands};
}

static void set_up(void) {
  now_ns = MS;
  cfg = (pilot_cfg_t){.has_home = true, .stop_m = 0.5, .dead_man_ms = 500};
  input = (pilot_input_t){.clearance_m = -1.0, .approach_mps = 0.1, .final_mps = 0.05};
  tag_m = dock_m = NAN;
  robot_init(&robot, STOP_NONE, "", now_ns);
  drive_init(&drive, &drive_cfg);
  commands_init(&commands, drive_cfg.max_mps);
  commands.mode = MODE_AUTO;
  (void)robot_apply(&robot, ROBOT_BOOT_COMPLETE, &fine, now_ns, NULL, 0);
  (void)robot_apply(&robot, ROBOT_INIT_COMPLETE, &fine, now_ns, NULL, 0);
}

TestSuite(pilot, .init = set_up);

static pilot_verdict_t take(command_t command) {
  answer = pilot_take(pilot(), &command, &fine, &input, now_ns);
  return answer.verdict;
}

static command_t command_of(command_kind_t kind) {
  return (command_t){
      .kind = kind, .speed = -1.0, .distance_m = -1.0, .acceleration = -1.0, .deceleration = -1.0};
}

static command_t move(double distance_m, double speed) {
  command_t command = command_of(COMMAND_MOVE);
  command.distance_m = distance_m;
  command.speed = speed;
  return command;
}

/* Ten milliseconds: the plant follows the set-point, the ramp steps each 100 ms. */
static void tick(void) {
  now_ns += 10 * MS;
  input.speed_mps = drive.setpoint_mps;
  input.path_m += input.speed_mps * 0.01;
  input.path_ns = now_ns;
  input.at_home = fabs(input.path_m - tag_m) < 0.2;
  if (!isnan(dock_m) && now_ns % (100 * MS) == MS) {
    double left_m = dock_m - input.path_m;
    input.dock_ns = now_ns;
    input.dock_distance_m = fabs(left_m);
    input.dock_status = fabs(left_m) < 0.002 && input.speed_mps == 0.0 ? DOCK_DOCKED : 0x04;
  }
  unsigned acts = pilot_step(pilot(), &input, now_ns);
  if (acts & ACT_SOON || now_ns % (100 * MS) == MS) (void)pilot_ramp(pilot(), 1.0, now_ns);
}

/* Ticks until the command has ended; false when it has not within ms. */
static bool run(uint32_t ms) {
  for (uint32_t i = 0; i < ms / 10 && commands.state == COMMAND_RUNNING; i++)
    tick();
  return commands.state != COMMAND_RUNNING;
}

static void run_for(uint32_t ms) {
  for (uint32_t i = 0; i < ms / 10; i++)
    tick();
}

Test(pilot, moves_end_where_they_should_at_any_speed) {
  static const double speeds[] = {0.05, 0.1, 0.3, 0.6, 1.0};
  static const double distances_m[] = {0.02, 0.2, 1.0, 5.0};
  for (size_t i = 0; i < 5; i++)
    for (size_t j = 0; j < 4; j++) {
      set_up();
      robot_set_timeout(&robot, ROBOT_MOVE, 200000);
      cr_assert_eq(take(move(distances_m[j], speeds[i])), PILOT_TAKEN, "%s", answer.why);
      cr_assert(run(200000));
      cr_assert_eq(commands.state, COMMAND_DONE, "%s", commands.detail);
      cr_assert_float_eq(input.path_m, distances_m[j], 0.010, "%.2f m at %.2f: %.4f",
                         distances_m[j], speeds[i], input.path_m);
      cr_assert_float_eq(commands.progress, 1.0, 1e-9);
    }
}

Test(pilot, a_move_keeps_to_the_ramps) {
  (void)take(move(5.0, 1.0));
  double before_mps = 0.0;
  for (int i = 0; i < 2000 && commands.state == COMMAND_RUNNING; i++) {
    tick();
    double change = fabs(drive.setpoint_mps) - before_mps;
    cr_assert_leq(change, 0.5 * 0.1 + 1e-9, "steeper than 0.5 m/s2 up");
    if (before_mps > 0.1) cr_assert_geq(change, -0.5 * 0.1 - 1e-9, "steeper down");
    before_mps = fabs(drive.setpoint_mps);
  }
}

Test(pilot, home_is_found_and_run_over_and_found_again) {
  tag_m = 6.0;
  cr_assert_eq(take(command_of(COMMAND_HOME)), PILOT_TAKEN, "%s", answer.why);
  cr_assert(run(60000));
  cr_assert_eq(commands.state, COMMAND_DONE, "%s", commands.detail);
  cr_assert(input.at_home);
}

Test(pilot, the_way_home_lasts_as_long_as_tags_come_by) {
  for (int i = 0; i < 5; i++) {
    if (i == 0) (void)take(command_of(COMMAND_HOME));
    run_for(20000);
    input.tags++;
    tick();
  }
  cr_assert_eq(robot.state, ROBOT_MOVE, "100 s");
  run_for(31000);
  cr_assert(run(10000));
  cr_assert_eq(commands.state, COMMAND_FAILED);
}

Test(pilot, home_without_a_tag_names_the_setting) {
  cfg.has_home = false;
  cr_assert_eq(take(command_of(COMMAND_HOME)), PILOT_CONFLICT);
  cr_assert_str_eq(answer.field, "home_tag");
}

Test(pilot, docks_to_the_millimetre) {
  dock_m = 0.7;
  cr_assert_eq(take(command_of(COMMAND_DOCK)), PILOT_TAKEN, "%s", answer.why);
  cr_assert(answer.acts & ACT_DOCK);
  run_for(300);
  cr_assert_float_eq(drive.setpoint_mps, 0.0, 0.0, "not before the module has taken the order");
  (void)pilot_dock_answer(pilot(), true, 0.5, 0.1, &input, now_ns);
  robot_set_timeout(&robot, ROBOT_DOCK, 60000);
  robot_extend(&robot, now_ns);
  for (int i = 0; i < 6000 && commands.state == COMMAND_RUNNING; i++) {
    tick();
    cr_assert_leq(drive.setpoint_mps, 0.1 + 1e-9, "faster than the module allows");
  }
  cr_assert_eq(commands.state, COMMAND_DONE, "%s", commands.detail);
  cr_assert_float_eq(input.path_m, dock_m, 0.002);
}

Test(pilot, a_dock_module_that_says_nothing_ends_the_docking) {
  (void)take(command_of(COMMAND_DOCK));
  cr_assert(run(5000));
  cr_assert_eq(commands.state, COMMAND_FAILED);
  set_up();
  dock_m = 0.7;
  (void)take(command_of(COMMAND_DOCK));
  (void)pilot_dock_answer(pilot(), true, 0.5, 0.1, &input, now_ns);
  run_for(1000);
  dock_m = NAN;
  cr_assert(run(5000));
  cr_assert_not_null(strstr(commands.detail, "silent"), "%s", commands.detail);
}

Test(pilot, a_docking_not_taken_or_out_of_time_tells_the_module_to_stop) {
  (void)take(command_of(COMMAND_DOCK));
  cr_assert(pilot_dock_answer(pilot(), false, 0.5, 0.1, &input, now_ns) & ACT_DOCK_STOP);
  set_up();
  unsigned acts = 0;
  dock_m = 20.0;
  (void)take(command_of(COMMAND_DOCK));
  (void)pilot_dock_answer(pilot(), true, 0.5, 0.1, &input, now_ns);
  for (int i = 0; i < 1700; i++) {
    run_for(10);
    acts |= pilot_step(pilot(), &input, now_ns + 16000 * MS);
    if (acts) break;
  }
  cr_assert(acts & ACT_DOCK_STOP);
}

Test(pilot, undocking_backs_off_as_far_as_the_module_says) {
  input.dock_ns = now_ns;
  input.dock_status = DOCK_DOCKED;
  cr_assert_eq(take(command_of(COMMAND_UNDOCK)), PILOT_TAKEN, "%s", answer.why);
  cr_assert(answer.acts & ACT_DOCK_STOP);
  (void)pilot_dock_answer(pilot(), true, 0.4, 0.1, &input, now_ns);
  cr_assert(run(20000));
  cr_assert_eq(commands.state, COMMAND_DONE, "%s", commands.detail);
  cr_assert_float_eq(input.path_m, -0.4, 0.010);
}

Test(pilot, an_undocking_that_is_paused_hears_the_dock_module_all_the_same) {
  input.dock_ns = now_ns;
  input.dock_status = DOCK_DOCKED;
  (void)take(command_of(COMMAND_UNDOCK));
  cr_assert_eq(take(command_of(COMMAND_PAUSE)), PILOT_TAKEN, "%s", answer.why);
  (void)pilot_dock_answer(pilot(), true, 0.4, 0.1, &input, now_ns);
  run_for(2000);
  cr_assert_eq(take(command_of(COMMAND_RESUME)), PILOT_TAKEN, "%s", answer.why);
  cr_assert(run(20000));
  cr_assert_float_eq(input.path_m, -0.4, 0.010, "%s", commands.detail);
}

Test(pilot, undocking_wants_a_dock) {
  cr_assert_eq(take(command_of(COMMAND_UNDOCK)), PILOT_CONFLICT);
}

Test(pilot, an_obstacle_pauses_and_leaves_the_command) {
  (void)take(move(5.0, 0.5));
  run_for(2000);
  input.near = true;
  input.clearance_m = 0.74;
  tick();
  cr_assert_eq(robot.state, ROBOT_PAUSED);
  cr_assert_eq(commands.state, COMMAND_RUNNING);
  cr_assert_not_null(strstr(commands.detail, "0.74"));
  run_for(3000);
  cr_assert_float_eq(drive.setpoint_mps, 0.0, 0.0);
}

Test(pilot, a_command_brakes_ahead_of_the_stop_zone) {
  (void)take(move(20.0, 1.0));
  run_for(4000);
  double wall_m = input.path_m + 3.0;
  while (wall_m - input.path_m > 0.6) { /* there it would have been paused long since */
    input.clearance_m = wall_m - input.path_m;
    tick();
    double v = drive.setpoint_mps;
    cr_assert_leq(v * v / (2.0 * 0.5), input.clearance_m - 0.5,
                  "cannot stop in front of %.2f m from %.2f m/s", input.clearance_m, v);
  }
}

Test(pilot, speed_and_preset_hold_for_what_runs) {
  (void)take(move(20.0, 1.0));
  run_for(5000);
  cr_assert_float_eq(drive.setpoint_mps, 1.0, 1e-6);
  command_t preset = command_of(COMMAND_PRESET);
  preset.preset = PRESET_SLOW;
  cr_assert_eq(take(preset), PILOT_TAKEN);
  cr_assert_eq(commands.kind, COMMAND_MOVE, "still on record");
  run_for(3000);
  cr_assert_float_eq(drive.setpoint_mps, 0.25, 1e-6);
}

Test(pilot, a_stop_does_not_wait_for_a_gentle_ramp) {
  command_t gentle = command_of(COMMAND_SPEED);
  gentle.deceleration = 0.01;
  (void)take(gentle);
  (void)take(move(20.0, 0.5));
  run_for(3000);
  (void)take(command_of(COMMAND_STOP));
  cr_assert(run(1300));
  cr_assert_eq(robot.state, ROBOT_IDLE);
}

Test(pilot, a_speed_of_nothing_is_refused) {
  command_t speed = command_of(COMMAND_SPEED);
  cr_assert_eq(take(speed), PILOT_INVALID);
  speed.acceleration = 0.0;
  cr_assert_eq(take(speed), PILOT_INVALID);
  cr_assert_str_eq(answer.field, "acceleration");
  cr_assert_float_eq(commands.accel_share, 1.0, 0.0);
}

Test(pilot, a_low_battery_keeps_commands_but_not_the_hand_and_not_the_dock) {
  robot_guards_t low = fine;
  low.battery_low = true;
  command_t command = move(1.0, 0.5);
  cr_assert_eq(pilot_take(pilot(), &command, &low, &input, now_ns).verdict, PILOT_CONFLICT);
  command = command_of(COMMAND_DOCK);
  cr_assert_eq(pilot_take(pilot(), &command, &low, &input, now_ns).verdict, PILOT_TAKEN);
  set_up();
  commands.mode = MODE_MANUAL;
  cr_assert_eq(pilot_jog(pilot(), 0.5, false, 300, &low, now_ns).verdict, PILOT_TAKEN);
}

/* The table "a second one, while one is under way" of docs/robot.md. */
typedef enum busy {
  BUSY_JOG,
  BUSY_MOVE,
  BUSY_DOCK,
  BUSY_PAUSED,
  BUSY_STOPPING,
  BUSY_LATCHED,
  BUSY
} busy_t;

static void get_busy(busy_t busy) {
  set_up();
  dock_m = 5.0;
  if (busy == BUSY_JOG) {
    commands.mode = MODE_SEMI;
    (void)pilot_jog(pilot(), 0.5, false, 500, &fine, now_ns);
    run_for(200);
    return;
  }
  (void)take(busy == BUSY_DOCK ? command_of(COMMAND_DOCK) : move(10.0, 0.5));
  if (busy == BUSY_DOCK) (void)pilot_dock_answer(pilot(), true, 0.5, 0.1, &input, now_ns);
  run_for(1000);
  if (busy == BUSY_PAUSED) (void)take(command_of(COMMAND_PAUSE));
  if (busy == BUSY_STOPPING) (void)take(command_of(COMMAND_STOP));
  if (busy == BUSY_LATCHED) (void)robot_latch(&robot, STOP_SOFTWARE, "x", now_ns);
  run_for(20);
}

Test(pilot, a_second_command_is_taken_where_the_table_says_so) {
  static const struct {
    command_kind_t kind;
    bool taken[BUSY]; /* jog, move, dock, paused, stopping, latched */
  } rows[] = {{COMMAND_MOVE, {0, 0, 0, 0, 0, 0}},      {COMMAND_HOME, {0, 0, 0, 0, 0, 0}},
              {COMMAND_DOCK, {0, 1, 0, 0, 0, 0}},      {COMMAND_UNDOCK, {0, 0, 0, 0, 0, 0}},
              {COMMAND_PAUSE, {0, 1, 0, 0, 0, 0}},     {COMMAND_RESUME, {0, 0, 0, 1, 0, 0}},
              {COMMAND_STOP, {1, 1, 1, 1, 1, 0}},      {COMMAND_PRESET, {1, 1, 1, 1, 1, 1}},
              {COMMAND_CONFIGURE, {0, 0, 0, 0, 0, 0}}, {COMMAND_SHUTDOWN, {0, 0, 0, 0, 0, 1}}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    for (int busy = 0; busy < BUSY; busy++) {
      get_busy((busy_t)busy);
      command_t command = command_of(rows[i].kind);
      command.preset = PRESET_FAST;
      robot_state_t before = robot.state;
      bool done = take(command) == PILOT_TAKEN;
      cr_assert_eq(done, rows[i].taken[busy], "%s while %d: %s", command_name(rows[i].kind), busy,
                   answer.why);
      if (!done) cr_assert(answer.why[0] && robot.state == before);
    }
}

Test(pilot, the_mode_stays_while_something_is_under_way) {
  for (int busy = 0; busy < BUSY_LATCHED; busy++) {
    get_busy((busy_t)busy);
    cr_assert_eq(pilot_set_mode(pilot(), MODE_MANUAL).verdict, PILOT_CONFLICT);
  }
  get_busy(BUSY_LATCHED);
  cr_assert_eq(pilot_set_mode(pilot(), MODE_MANUAL).verdict, PILOT_TAKEN);
}

Test(pilot, semi_pauses_a_move_and_ends_a_docking_when_let_go) {
  commands.mode = MODE_SEMI;
  (void)take(move(10.0, 0.5));
  for (int i = 0; i < 10; i++) {
    run_for(200);
    cr_assert_eq(pilot_jog(pilot(), 0.1, false, 300, &fine, now_ns).verdict, PILOT_TAKEN);
  }
  cr_assert_eq(robot.state, ROBOT_MOVE);
  run_for(310);
  cr_assert_eq(robot.state, ROBOT_PAUSED);
  set_up();
  commands.mode = MODE_SEMI;
  dock_m = 1.0;
  (void)take(command_of(COMMAND_DOCK));
  (void)pilot_dock_answer(pilot(), true, 0.5, 0.1, &input, now_ns);
  cr_assert(run(4000));
  cr_assert_eq(commands.state, COMMAND_CANCELLED);
}

Test(pilot, a_latched_stop_cancels_and_nothing_is_resumed_after_it) {
  (void)take(move(10.0, 0.5));
  run_for(1000);
  (void)robot_latch(&robot, STOP_SOFTWARE, "enough", now_ns);
  cr_assert_eq(pilot_words(pilot()).enable, 0, "at once");
  tick();
  cr_assert_eq(commands.state, COMMAND_CANCELLED);
  cr_assert_str_eq(commands.detail, "enough");
  (void)robot_apply(&robot, ROBOT_RESET, &fine, now_ns, NULL, 0);
  (void)robot_apply(&robot, ROBOT_INIT_COMPLETE, &fine, now_ns, NULL, 0);
  run_for(1000);
  cr_assert_eq(robot.state, ROBOT_IDLE);
  cr_assert_eq(pilot_words(pilot()).enable, 0);
}
