/* A model check: millions of random events through state machine, commands and drive together, as
   the glue would raise them, against what must never happen. Everything that an invariant rests on
   is kept here a second time, so that a broken rule is not checked by itself. The seed is printed;
   GANTRY_SEED gives another. */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pilot.h"

#define EVENTS_TOTAL 1500000u
#define MS           UINT64_C(1000000)
#define ENDING       (5000 * MS)

static const drive_cfg_t drive_cfg = {
    .max_mps = 1.0, .full_scale_mps = 2.0, .accel_mps2 = 0.5, .decel_mps2 = 0.5};
static const pilot_cfg_t pilot_cfg = {.has_home = true, .stop_m = 0.5, .dead_man_ms = 500};
static const uint64_t limits_ms[ROBOT_STATES] = {
    [ROBOT_BOOT] = 10000, [ROBOT_INIT] = 5000,    [ROBOT_MOVE] = 30000,
    [ROBOT_DOCK] = 15000, [ROBOT_PAUSED] = 60000, [ROBOT_CONFIG] = 10000};
static const robot_guards_t fine = {.modules_online = true,
                                    .safety_fresh = true,
                                    .motors_off = true,
                                    .safe_confirm = true,
                                    .location_ok = true};

/* What the world knows besides the cores. */
typedef struct world {
  robot_t robot;
  drive_t drive;
  commands_t commands;
  pilot_input_t input;
  robot_guards_t guards;
  uint64_t now_ns;
  uint64_t since_ns;  /* of the state, or of what has come forward in it */
  uint64_t ending_ns; /* 0: not on its way to zero */
  uint64_t held_ns;   /* the dead man holds until then */
  bool stopped;       /* a stop is latched, as whoever latched it knows; kept on the disk */
  double speed_mps;   /* that the motors were told last: what is too fast gets no faster */
  bool by_hand;       /* the motion under way is a jog */
  bool reset;         /* this event was a reset that was taken */
} world_t;

typedef struct census {
  uint64_t entered[ROBOT_STATES], commands[COMMANDS], expired, trips, resets, restarts, jogs;
} census_t;

static world_t world;
static census_t census;
static uint64_t generator;

static uint32_t any(uint32_t below) {
  generator = generator * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(generator >> 33) % below;
}

static bool one_in(uint32_t n) {
  return any(n) == 0;
}

static double share(void) {
  return any(1001) * 1e-3;
}

static pilot_t pilot(void) {
  return (pilot_t){&pilot_cfg, &world.robot, &world.drive, &world.commands};
}

static bool is_latched_state(robot_state_t state) {
  return state == ROBOT_ESTOP || state == ROBOT_FAULT || state == ROBOT_SAFE;
}

static bool is_motion(robot_state_t state) {
  return state == ROBOT_MOVE || state == ROBOT_DOCK || state == ROBOT_PAUSED;
}

static robot_guards_t random_guards(void) {
  robot_guards_t guards = fine;
  if (!one_in(4)) return guards;
  bool *const flags[] = {&guards.modules_online, &guards.estop_input,  &guards.safety_fresh,
                         &guards.motors_off,     &guards.blind,        &guards.motor_fault,
                         &guards.interlock,      &guards.battery_low,  &guards.pose_lost,
                         &guards.lidar_lost,     &guards.safe_confirm, &guards.location_ok};
  bool *flag = flags[any(sizeof flags / sizeof flags[0])];
  *flag = !*flag;
  return guards;
}

static void random_input(void) {
  pilot_input_t *input = &world.input;
  double speed_mps = one_in(3) ? input->speed_mps : world.drive.setpoint_mps;
  input->path_m += speed_mps * 0.02;
  input->speed_mps = speed_mps;
  input->path_ns = world.now_ns;
  input->at_home = one_in(50);
  input->near = one_in(60);
  input->clearance_m = one_in(3) ? 5.0 * share() : -1.0;
  input->dock_status = one_in(20) ? DOCK_DOCKED : one_in(200) ? DOCK_FAULT : (uint16_t)any(8);
  input->dock_distance_m = share();
  input->approach_mps = 0.1;
  input->final_mps = 0.05;
  if (!one_in(8)) input->dock_ns = world.now_ns;
}

static void pass_time(void) {
  if (one_in(2000))
    world.now_ns += any(80000) * MS;
  else if (one_in(4))
    world.now_ns += any(120) * MS;
}

static void give_command(void) {
  static const double speeds[] = {-1.0, 0.0, 0.25, 1.0};
  command_t command = {.kind = (command_kind_t)any(COMMANDS),
                       .backward = one_in(2),
                       .speed = speeds[any(4)],
                       .distance_m = one_in(2) ? 20.0 * share() : -1.0,
                       .acceleration = speeds[any(4)],
                       .deceleration = speeds[any(4)],
                       .preset = (preset_t)any(PRESETS),
                       .timeout_ms = one_in(4) ? any(20000) : 0};
  robot_state_t before = world.robot.state;
  double setpoint_mps = world.drive.setpoint_mps;
  pilot_answer_t answer = pilot_take(pilot(), &command, &world.guards, &world.input, world.now_ns);
  if (answer.verdict != PILOT_TAKEN) {
    cr_assert(answer.why[0], "a refusal of %s says why", command_name(command.kind));
    cr_assert_eq(world.robot.state, before);
    cr_assert_float_eq(world.drive.setpoint_mps, setpoint_mps, 0.0);
    return;
  }
  census.commands[command.kind]++;
  if (command.kind == COMMAND_RESUME)
    cr_assert_neq(world.commands.kind, COMMAND_STOP, "resumes what was stopped");
  bool begins = world.robot.state != before || command.kind == COMMAND_UNDOCK;
  if (!begins || !(world.robot.state == ROBOT_MOVE || world.robot.state == ROBOT_DOCK)) return;
  const robot_guards_t *guards = &world.guards;
  bool emergency = world.commands.mode == MODE_EMERGENCY;
  cr_assert(guards->modules_online && guards->safety_fresh && !guards->estop_input &&
                !guards->motor_fault && !guards->interlock,
            "%s began against a guard", command_name(command.kind));
  if (world.robot.state == ROBOT_DOCK) cr_assert_not(guards->lidar_lost, "docks without LiDAR");
  if (world.robot.state == ROBOT_MOVE)
    cr_assert(!guards->blind && (!guards->battery_low || emergency));
  cr_assert_neq(world.commands.mode, MODE_MANUAL, "manual moves by hand alone");
  cr_assert_neq(world.commands.mode, MODE_MAINTENANCE);
  world.by_hand = false;
  world.since_ns = world.now_ns;
  world.held_ns = world.now_ns + pilot_cfg.dead_man_ms * MS;
}

static void jog(void) {
  uint32_t hold_ms = 20 + any(481);
  bool ran = world.commands.state == COMMAND_RUNNING && is_motion(world.robot.state);
  pilot_answer_t answer =
      pilot_jog(pilot(), share(), one_in(2), hold_ms, &world.guards, world.now_ns);
  if (answer.verdict != PILOT_TAKEN) return;
  census.jogs++;
  cr_assert_neq(world.commands.mode, MODE_AUTO, "auto knows no jog");
  if (ran && world.commands.state == COMMAND_RUNNING) {
    world.held_ns = world.now_ns + hold_ms * MS;
    return;
  }
  world.by_hand = true;
  world.since_ns = world.now_ns;
}

static void latch(void) {
  stop_cause_t cause = (stop_cause_t)(1 + any(STOP_CAUSES - 1));
  (void)robot_latch(&world.robot, cause, "because", world.now_ns);
  world.stopped = true;
  census.trips++;
}

static void reset(void) {
  const robot_guards_t *guards = &world.guards;
  if (!robot_apply(&world.robot, ROBOT_RESET, guards, world.now_ns, NULL, 0)) return;
  cr_assert(guards->safe_confirm && guards->location_ok && guards->motors_off &&
                !guards->estop_input && guards->safety_fresh && !guards->motor_fault &&
                !guards->interlock,
            "reset against a guard");
  cr_assert(world.stopped, "reset without a stop");
  world.stopped = false;
  world.reset = true;
  census.resets++;
}

/* The bridge ends, crashed or not, and begins again; what the glue keeps on the disk is a latched
   stop, or a drive that was under way. */
static void restart(void) {
  bool moved = is_motion(world.robot.state);
  world.stopped = world.stopped || moved;
  robot_init(&world.robot, world.stopped ? STOP_RESTART : STOP_NONE, "kept", world.now_ns);
  drive_init(&world.drive, &drive_cfg);
  commands_init(&world.commands, drive_cfg.max_mps);
  census.restarts++;
  cr_assert_eq(world.robot.state, world.stopped ? ROBOT_SAFE : ROBOT_BOOT);
}

static void step(void) {
  random_input();
  if (one_in(30)) {
    world.input.tags++;
    if (world.commands.kind == COMMAND_HOME && world.commands.state == COMMAND_RUNNING)
      world.since_ns = world.now_ns;
  }
  robot_state_t before = world.robot.state;
  bool ending = world.robot.ending;
  (void)pilot_step(pilot(), &world.input, world.now_ns);
  if (before != world.robot.state || ending != world.robot.ending) census.expired++;
  bool waits = mode_is_held(world.commands.mode) && world.commands.state == COMMAND_RUNNING;
  if (waits && world.now_ns >= world.held_ns)
    cr_assert(world.robot.state == ROBOT_PAUSED || world.robot.ending || !is_motion(before),
              "a command goes on without its dead man");
}

static void ramp(void) {
  bool down = world.robot.ending || world.robot.state == ROBOT_PAUSED;
  double before_mps = world.drive.setpoint_mps;
  (void)pilot_ramp(pilot(), share(), world.now_ns);
  if (down) cr_assert(fabs(world.drive.setpoint_mps) <= fabs(before_mps), "faster on the way down");
}

static void one_event(void) {
  world.reset = false;
  pass_time();
  world.guards = random_guards();
  switch (any(16)) {
  case 0:
  case 1:
    give_command();
    break;
  case 2:
  case 3:
    jog();
    break;
  case 4:
    (void)robot_apply(&world.robot, (robot_event_t)any(2), &world.guards, world.now_ns, NULL, 0);
    break;
  case 5:
    if (one_in(40)) latch();
    if (one_in(60))
      (void)robot_apply(&world.robot, ROBOT_LOST, &world.guards, world.now_ns, NULL, 0);
    break;
  case 6:
    if (one_in(2)) reset();
    break;
  case 7:
    if (one_in(20)) (void)pilot_set_mode(pilot(), (mode_id_t)any(MODES));
    (void)pilot_dock_answer(pilot(), !one_in(10), share(), 0.1, &world.input, world.now_ns);
    break;
  case 8:
    if (one_in(world.robot.state == ROBOT_SHUTDOWN ? 4 : 2000)) restart();
    break;
  case 9:
  case 10:
  case 11:
    ramp();
    break;
  default:
    step();
    break;
  }
}

/* The motors are off wherever nothing may move, slow where the mode says so, and the latch is what
   whoever latched it knows. */
static void check_motors(void) {
  drive_words_t words = pilot_words(pilot());
  robot_state_t state = world.robot.state;
  if (!is_motion(state))
    cr_assert(words.enable == 0 && words.speed == 0, "motors on in %s", robot_state_name(state));
  double speed_mps = words.speed / 255.0 * drive_cfg.full_scale_mps;
  double most_mps = drive_cfg.max_mps;
  if (world.commands.mode == MODE_MAINTENANCE) most_mps = 0.25;
  if (world.commands.mode == MODE_EMERGENCY) most_mps = world.by_hand ? 0.1 : 0.5;
  cr_assert_leq(speed_mps, fmax(most_mps + 0.004, world.speed_mps), "%.3f m/s in mode %s",
                speed_mps, mode_name(world.commands.mode));
  world.speed_mps = speed_mps;
  if (state == ROBOT_IDLE) cr_assert(drive_rests(&world.drive), "idle with a set-point");
}

static void check_latch(bool was_latched) {
  robot_state_t state = world.robot.state;
  cr_assert_eq(world.robot.latched, world.stopped, "the latch is lost, or came from nowhere");
  if (state != ROBOT_SHUTDOWN) cr_assert_eq(is_latched_state(state), world.robot.latched);
  if (world.robot.latched) cr_assert_neq(world.robot.cause, STOP_NONE);
  if (was_latched && !world.robot.latched) cr_assert(world.reset, "unlatched without a reset");
}

/* Called after a step: what has lasted too long is over, or on its way to zero. */
static void check_time(void) {
  robot_state_t state = world.robot.state;
  uint64_t limit_ns = limits_ms[state] * MS;
  if (limit_ns == 0) return;
  if (world.robot.ending)
    cr_assert_lt(world.now_ns - world.ending_ns, ENDING, "%s does not end",
                 robot_state_name(state));
  else if (state == ROBOT_INIT)
    cr_assert(world.robot.overdue || world.now_ns - world.since_ns < limit_ns, "INIT not overdue");
  else
    cr_assert_lt(world.now_ns - world.since_ns, limit_ns, "%s lasts", robot_state_name(state));
}

static void check_record(void) {
  if (world.commands.state == COMMAND_RUNNING)
    cr_assert(is_motion(world.robot.state) || world.robot.state == ROBOT_CONFIG ||
                  world.robot.latched || world.robot.state == ROBOT_BOOT,
              "%s runs in %s", command_name(world.commands.kind),
              robot_state_name(world.robot.state));
}

/* From wherever it is, with everything in order, the robot comes to IDLE; out of SHUTDOWN by a
   restart. */
static void check_exit(void) {
  world_t kept = world;
  static const robot_event_t helpful[] = {ROBOT_BOOT_COMPLETE, ROBOT_INIT_COMPLETE, ROBOT_HALT,
                                          ROBOT_CONFIGURED, ROBOT_RESET};
  if (world.robot.state == ROBOT_SHUTDOWN) restart();
  world.input.near = false;
  for (int i = 0; i < 200 && world.robot.state != ROBOT_IDLE; i++) {
    for (size_t e = 0; e < sizeof helpful / sizeof helpful[0]; e++)
      (void)robot_apply(&world.robot, helpful[e], &fine, world.now_ns, NULL, 0);
    world.now_ns += 100 * MS;
    (void)pilot_step(pilot(), &world.input, world.now_ns);
    (void)pilot_ramp(pilot(), 1.0, world.now_ns);
  }
  cr_assert_eq(world.robot.state, ROBOT_IDLE, "no way out of %s",
               robot_state_name(kept.robot.state));
  world = kept;
}

static void note(robot_state_t before, bool was_ending) {
  robot_state_t state = world.robot.state;
  if (state != before) {
    census.entered[state]++;
    world.since_ns = world.now_ns;
    if (census.entered[state] < 200) check_exit();
  }
  if (!world.robot.ending) world.ending_ns = 0;
  if (world.robot.ending && (!was_ending || state != before)) world.ending_ns = world.now_ns;
}

static uint64_t seed_of(void) {
  const char *text = getenv("GANTRY_SEED");
  return text ? strtoull(text, NULL, 10) : 20240517;
}

/* Of the process that reports, whose output is seen. */
ReportHook(PRE_ALL)(struct criterion_test_set *tests) {
  (void)tests;
  /* To standard error: nothing may precede the version line of TAP. */
  (void)fprintf(stderr, "# seed %llu, %u events\n", (unsigned long long)seed_of(), EVENTS_TOTAL);
}

Test(pilot_model, a_million_random_events_keep_every_invariant, .timeout = 60) {
  generator = seed_of();
  world = (world_t){.now_ns = MS};
  restart();
  world.commands.mode = MODE_AUTO;

  for (uint32_t i = 0; i < EVENTS_TOTAL; i++) {
    robot_state_t before = world.robot.state;
    bool was_latched = world.robot.latched, was_ending = world.robot.ending;
    one_event();
    note(before, was_ending);
    check_motors();
    check_latch(was_latched);
    before = world.robot.state;
    was_ending = world.robot.ending;
    (void)pilot_step(pilot(), &world.input, world.now_ns);
    note(before, was_ending);
    check_motors();
    check_time();
    check_record();
    if (one_in(1000)) check_exit();
  }

  for (int state = 0; state < ROBOT_STATES; state++)
    cr_assert_gt(census.entered[state], 50, "%s was reached %llu times",
                 robot_state_name((robot_state_t)state), (unsigned long long)census.entered[state]);
  for (int kind = COMMAND_MOVE; kind < COMMANDS; kind++)
    if (kind != COMMAND_RESET && kind != COMMAND_CARGO_UP && kind != COMMAND_CARGO_DOWN)
      cr_assert_gt(census.commands[kind], 20, "%s was taken %llu times",
                   command_name((command_kind_t)kind), (unsigned long long)census.commands[kind]);
  cr_assert_gt(census.resets, 1000);
  cr_assert_gt(census.jogs, 1000);
}
