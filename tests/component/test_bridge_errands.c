/* Home, dock, cargo, configuration and restart against the plant simulator. */
#include "command_rig.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <string.h>

static void tear_down(void) {
  bridge_rig_close(&rig);
}

TestSuite(errands, .fini = tear_down, .timeout = 60);

Test(errands, home_needs_a_tag) {
  command_rig_open(NULL, "1");
  get_ready(ROBOT_MODE_AUTO);
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_HOME), GANTRY_E_CONFLICT);
  cr_assert_not_null(strstr(fault.detail, "home_tag"), "%s", fault.detail);
}

Test(errands, home_ends_where_the_tag_is) {
  command_rig_open("home_tag=5c3a1107", "1");
  get_ready(ROBOT_MODE_AUTO);
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_HOME), GANTRY_OK, "%s", fault.detail);
  const robot_status_t *end = await_end(30000);
  cr_assert_eq(end->command_state, ROBOT_COMMAND_STATE_DONE, "%s", end->command_detail);
  await_standing();
  cr_assert_float_eq(place_m(), 4.0, 0.2, "at %.3f m", place_m());
}

static bool sees_no_lidar(void *arg) {
  (void)arg;
  const robot_status_t *said = inbox_newest(rig.robot, "robot.status");
  return said && strstr(said->degraded, "LiDAR");
}

Test(errands, no_docking_without_the_lidar) {
  command_rig_open(NULL, "57.5");
  get_ready(ROBOT_MODE_AUTO);
  (void)bridge_rig_ask(&rig, "lidar stop");
  cr_assert(harness_until(rig.harness, sees_no_lidar, NULL, 5000));
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_DOCK), GANTRY_E_CONFLICT);
  cr_assert_not_null(strstr(fault.detail, "LiDAR"), "%s", fault.detail);
}

static bool is_taken(void *arg) {
  return ask_kind(*(robot_command_kind_t *)arg) == GANTRY_OK;
}

static bool sees_a_covered_lens(void *arg) {
  (void)arg;
  const robot_status_t *said = inbox_newest(rig.robot, "robot.status");
  return said && strstr(said->degraded, "lens");
}

static bool health_tells_of_the_lens(void *arg) {
  const sys_health_t *health = inbox_newest(arg, "health.rs485-bridge");
  return health && health->status == SYS_STATUS_DEGRADED && strstr(health->detail, "lens");
}

static bool health_is_good(void *arg) {
  const sys_health_t *health = inbox_newest(arg, "health.rs485-bridge");
  return health && health->status == SYS_STATUS_READY;
}

Test(errands, no_docking_with_the_lidars_lens_covered_until_it_sees_again) {
  command_rig_open(NULL, "57.5");
  inbox_t *health = harness_collect(rig.harness, "health.");
  get_ready(ROBOT_MODE_AUTO);
  (void)bridge_rig_ask(&rig, "lidar blind");
  cr_assert(harness_until(rig.harness, sees_a_covered_lens, NULL, 5000));
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_DOCK), GANTRY_E_CONFLICT);
  cr_assert_not_null(strstr(fault.detail, "lens"), "%s", fault.detail);
  cr_assert(harness_until(rig.harness, health_tells_of_the_lens, health, 5000));
  (void)bridge_rig_ask(&rig, "lidar clear");
  cr_assert(
      harness_until(rig.harness, is_taken, &(robot_command_kind_t){ROBOT_COMMAND_KIND_DOCK}, 5000),
      "%s", fault.detail);
  cr_assert(harness_until(rig.harness, health_is_good, health, 5000));
}

Test(errands, an_empty_hall_may_be_allowed) {
  command_rig_open("lidar_empty_ok=true", "57.5");
  get_ready(ROBOT_MODE_AUTO);
  (void)bridge_rig_ask(&rig, "lidar blind");
  harness_for(rig.harness, 600);
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_DOCK), GANTRY_OK, "%s", fault.detail);
}

Test(errands, docks_within_the_modules_accuracy_and_undocks_backward) {
  command_rig_open(NULL, "57.7");
  get_ready(ROBOT_MODE_AUTO);

  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_DOCK), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(status.state, ROBOT_FSM_STATE_DOCK);
  const robot_status_t *end = await_end(20000);
  cr_assert_eq(end->command_state, ROBOT_COMMAND_STATE_DONE, "%s", end->command_detail);
  cr_assert(end->docked);
  await_standing();
  cr_assert_float_eq(place_m(), 58.0, 0.005, "at %.4f m", place_m());
  cr_assert(bridge_rig_is_off(&rig));
  cr_assert_eq(frames_with("\"040680010001"), 0);
  cr_assert_geq(frames_with("\"050680010001"), 1, "the module was told to dock");

  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_UNDOCK), GANTRY_OK, "%s", fault.detail);
  end = await_end(20000);
  cr_assert_eq(end->command_state, ROBOT_COMMAND_STATE_DONE, "%s", end->command_detail);
  await_standing();
  cr_assert_float_eq(place_m(), 57.5, 0.015, "at %.4f m", place_m());
}

Test(errands, a_docking_that_takes_too_long_fails_and_the_motors_are_off) {
  command_rig_open("dock_timeout=1", "55");
  get_ready(ROBOT_MODE_AUTO);
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_DOCK), GANTRY_OK, "%s", fault.detail);
  const robot_status_t *end = await_end(10000);
  cr_assert_eq(end->command_state, ROBOT_COMMAND_STATE_FAILED);
  cr_assert(bridge_rig_await_setpoint(&rig, true, 1000));
  cr_assert_geq(frames_with("\"050680020001"), 1, "the module was told to stop docking");
}

Test(errands, a_dock_module_that_fails_ends_the_docking) {
  command_rig_open(NULL, "57.5");
  get_ready(ROBOT_MODE_AUTO);
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_DOCK), GANTRY_OK, "%s", fault.detail);
  cr_assert(bridge_rig_await_setpoint(&rig, false, 3000));
  (void)bridge_rig_ask(&rig, "dock fault 1");
  const robot_status_t *end = await_end(5000);
  cr_assert_eq(end->command_state, ROBOT_COMMAND_STATE_FAILED);
  cr_assert_not_null(strstr(end->command_detail, "fault"), "%s", end->command_detail);
  cr_assert(bridge_rig_await_setpoint(&rig, true, 2000));
}

#define MOTOR_1_OFF "\"0410000100020400000000"
#define MOTOR_2_OFF "\"0410001100020400000000"
#define DOCK_ESTOP  "\"050680030001"
#define DOCK_END    "\"050680020001"
#define DOCK_STATUS 0x7005

static void start_docking(const char *setting) {
  command_rig_open(setting, "55");
  get_ready(ROBOT_MODE_AUTO);
  /* On a busy machine a turn of the LiDAR may come too late for the first try. */
  cr_assert(
      harness_until(rig.harness, is_taken, &(robot_command_kind_t){ROBOT_COMMAND_KIND_DOCK}, 5000),
      "%s", fault.detail);
  cr_assert(bridge_rig_await_setpoint(&rig, false, 3000));
}

static bool has_status(void *arg) {
  return bridge_rig_register(&rig, 5, DOCK_STATUS) == *(unsigned *)arg;
}

static bool has_frame(void *arg) {
  return frames_with(arg) > 0;
}

Test(errands, a_stop_while_docking_stops_the_dock_module_too_after_the_motors) {
  robot_safety_t stopped;
  start_docking(NULL);
  uint64_t asked_ns = clock_mono_ns();

  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK, "%s", fault.detail);

  cr_assert(harness_until(rig.harness, has_status, &(unsigned){0x80}, 3000));
  uint64_t told_ns = first_frame_ns(DOCK_ESTOP, asked_ns);
  uint64_t off_ns[] = {first_frame_ns(MOTOR_1_OFF, asked_ns),
                       first_frame_ns(MOTOR_2_OFF, asked_ns)};
  cr_assert(off_ns[0] != 0 && off_ns[0] < told_ns);
  cr_assert(off_ns[1] != 0 && off_ns[1] < told_ns);
  unsigned told = frames_with(DOCK_ESTOP);
  cr_assert_geq(told, 2, "request and acknowledgement");
  harness_for(rig.harness, 1000);
  cr_assert_eq(frames_with(DOCK_ESTOP), told, "and no more");
  cr_assert_eq(frames_with(DOCK_END), 0, "which would let a docked robot go");

  cr_assert(bridge_rig_await_reset(&rig, 3000, &fault), "%s", fault.detail);
  get_ready(ROBOT_MODE_AUTO);
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_DOCK), GANTRY_OK, "%s", fault.detail);
  cr_assert(bridge_rig_await_setpoint(&rig, false, 3000), "its emergency stop was cleared");
}

static bool docks(void *arg) {
  (void)arg;
  const robot_status_t *said = inbox_newest(rig.robot, "robot.status");
  return said && said->state == ROBOT_FSM_STATE_DOCK && (said->dock_status & 0x07);
}

Test(errands, a_docking_may_begin_again_before_the_module_has_said_that_it_was_stopped) {
  robot_safety_t stopped;
  start_docking(NULL);
  for (int i = 0; i < 5; i++) {
    cr_assert(harness_until(rig.harness, docks, NULL, 3000), "%s", fault.detail);
    cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK, "%s", fault.detail);
    harness_for(rig.harness, 20 * (uint32_t)i); /* before, while and after it is told */
    cr_assert(bridge_rig_await_reset(&rig, 3000, &fault), "%s", fault.detail);
    cr_assert(harness_until(rig.harness, is_taken, &(robot_command_kind_t){ROBOT_COMMAND_KIND_DOCK},
                            2000),
              "%s", fault.detail);
    harness_for(rig.harness, 150);
    const robot_status_t *said = inbox_newest(rig.robot, "robot.status");
    cr_assert_eq(said->state, ROBOT_FSM_STATE_DOCK, "turn %d: %s", i, said->command_detail);
  }
}

Test(errands, a_dock_module_that_does_not_hear_a_stop_is_told_until_it_has) {
  robot_safety_t stopped;
  start_docking(NULL);
  (void)bridge_rig_ask(&rig, "fault 5 silent");
  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert(harness_until(rig.harness, has_frame, DOCK_ESTOP, 3000));
  cr_assert_neq(bridge_rig_register(&rig, 5, DOCK_STATUS), 0x80);

  (void)bridge_rig_ask(&rig, "fault 5 clear");

  cr_assert(harness_until(rig.harness, has_status, &(unsigned){0x80}, 3000));
}

Test(errands, a_reset_ends_the_telling) {
  robot_safety_t stopped;
  start_docking(NULL);
  (void)bridge_rig_ask(&rig, "fault 5 silent");
  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert(harness_until(rig.harness, has_frame, DOCK_ESTOP, 3000));

  cr_assert(bridge_rig_await_reset(&rig, 3000, &fault), "%s", fault.detail);

  harness_for(rig.harness, 300); /* what was on its way */
  unsigned told = frames_with(DOCK_ESTOP);
  harness_for(rig.harness, 1000);
  cr_assert_eq(frames_with(DOCK_ESTOP), told);
}

Test(errands, a_dock_module_is_stopped_though_the_motors_do_not_answer) {
  start_docking(NULL);
  (void)bridge_rig_ask(&rig, "fault 4 silent");
  uint64_t asked_ns = clock_mono_ns();
  robot_safety_t stopped;
  cr_assert_neq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK);
  cr_assert(harness_until(rig.harness, has_status, &(unsigned){0x80}, 3000));
  cr_assert_lt(first_frame_ns(MOTOR_1_OFF, asked_ns), first_frame_ns(DOCK_ESTOP, asked_ns));
}

Test(errands, the_end_of_a_docking_is_told_until_the_module_has_it) {
  start_docking(NULL);
  (void)bridge_rig_ask(&rig, "fault 5 silent");
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_STOP), GANTRY_OK, "%s", fault.detail);
  cr_assert(harness_until(rig.harness, has_frame, DOCK_END, 3000));
  harness_for(rig.harness, 300); /* with its repetition */
  cr_assert_neq(bridge_rig_register(&rig, 5, DOCK_STATUS), 0);
  (void)bridge_rig_ask(&rig, "fault 5 clear");
  cr_assert(harness_until(rig.harness, has_status, &(unsigned){0}, 3000));
}

static bool rests(void *arg) {
  (void)arg;
  return (bridge_rig_register(&rig, 5, DOCK_STATUS) & 0x07) == 0;
}

Test(errands, an_end_of_a_docking_that_a_stop_overtakes_is_not_lost) {
  robot_safety_t stopped;
  start_docking(NULL);
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_STOP), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert(harness_until(rig.harness, rests, NULL, 3000));
}

Test(errands, a_restart_while_docking_stops_the_dock_module) {
  start_docking(NULL);
  bridge_rig_restart(&rig);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_SAFE, 3000));
  cr_assert(harness_until(rig.harness, has_status, &(unsigned){0x80}, 5000));
}

Test(errands, a_restart_during_a_command_starts_in_safe_with_the_motors_off) {
  command_rig_open(NULL, "1");
  get_ready(ROBOT_MODE_AUTO);
  cr_assert_eq(ask(move(5.0, 0.4)), GANTRY_OK, "%s", fault.detail);
  cr_assert(bridge_rig_await_setpoint(&rig, false, 2000));

  bridge_rig_restart(&rig);

  const robot_safety_t *safety = bridge_rig_await(&rig, ROBOT_FSM_STATE_SAFE, 3000);
  cr_assert_not_null(safety);
  cr_assert_eq(safety->cause, ROBOT_CAUSE_RESTART);
  cr_assert(safety->detail[0]);
  cr_assert(bridge_rig_await_setpoint(&rig, true, 2000));
  await_standing();
  cr_assert_eq(ask(move(1.0, 0.4)), GANTRY_E_CONFLICT);
}

Test(errands, shut_down_takes_no_order_any_more) {
  command_rig_open(NULL, "1");
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_SHUTDOWN), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(status.state, ROBOT_FSM_STATE_SHUTDOWN);
  cr_assert_eq(bridge_rig_drive(&rig, 0.2, 300, &fault), GANTRY_E_CONFLICT);
  cr_assert_not_null(strstr(fault.detail, "restart"), "%s", fault.detail);
}

Test(errands, maintenance_configures) {
  command_rig_open(NULL, "1");
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_CONFIGURE), GANTRY_E_CONFLICT, "not in manual");
  get_ready(ROBOT_MODE_MAINTENANCE);
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_CONFIGURE), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(status.state, ROBOT_FSM_STATE_CONFIG);
  cr_assert_eq(bridge_rig_drive(&rig, 0.2, 300, &fault), GANTRY_E_CONFLICT);
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_CONFIGURED), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(status.state, ROBOT_FSM_STATE_IDLE);
}

static gantry_err_t write_approach_speed(void) {
  robot_register_write_t write = {.address = 5,
                                  .has_name = true,
                                  .name = "approach_speed",
                                  .has_value = true,
                                  .value = 0.12,
                                  .access = ROBOT_REGISTER_ACCESS_ADMIN};
  robot_register_value_t written;
  return harness_call(rig.harness, REQUEST_ROBOT_REGISTER_WRITE, NULL, &write, &written, 1500,
                      &fault);
}

Test(errands, a_setting_that_may_not_have_been_taken_is_a_fault_while_configuring) {
  command_rig_open(NULL, "1");
  get_ready(ROBOT_MODE_MAINTENANCE);
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_CONFIGURE), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(write_approach_speed(), GANTRY_OK, "%s", fault.detail);
  (void)bridge_rig_ask(&rig, "fault 0x05 silent");

  cr_assert_neq(write_approach_speed(), GANTRY_OK);

  const robot_safety_t *safety = bridge_rig_await(&rig, ROBOT_FSM_STATE_FAULT, 3000);
  cr_assert_not_null(safety);
  cr_assert_eq(safety->cause, ROBOT_CAUSE_CONFIG);
}

Test(errands, registers_are_not_written_by_hand_while_commands_may_move) {
  command_rig_open(NULL, "1");
  get_ready(ROBOT_MODE_AUTO);
  cr_assert_eq(write_approach_speed(), GANTRY_E_CONFLICT);
  cr_assert_not_null(strstr(fault.detail, "mode auto"), "%s", fault.detail);
}
