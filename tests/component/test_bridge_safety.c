/* The supervisor at work: what stops, slows or holds the robot, on the simulator's registers and
 * transcript. */
#include "bridge_rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define STOP_1 "\"0410000100020400000000"
#define STOP_2 "\"0410001100020400000000"

static bridge_rig_t rig;
static inbox_t *audits, *events;
static gantry_fault_t fault;
static robot_safety_t stopped;

static void set_up(void) {
  static const char *const settings[] = {"interlock_inputs=2", "interlock_closed=0",
                                         "stop_relays_on=2", "stop_relays_off=1", NULL};
  bridge_rig_open_with(&rig, settings, NULL);
  audits = harness_collect(rig.harness, "audit.");
  events = harness_collect(rig.harness, "event.");
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
}

static void tear_down(void) {
  bridge_rig_close(&rig);
}

TestSuite(bridge_safety, .init = set_up, .fini = tear_down, .timeout = 60);

static bool is_idle(void *arg) {
  (void)arg;
  return bridge_rig_safety(&rig)->state == ROBOT_FSM_STATE_IDLE;
}

/* A machine that stood still for longer than the safety module may be silent has stopped the robot;
 * it begins again. */
static void get_ready(void) {
  if (!bridge_rig_safety(&rig)->latched) return;
  cr_assert(bridge_rig_await_reset(&rig, 5000, &fault), "%s", fault.detail);
  cr_assert(harness_until(rig.harness, is_idle, NULL, 5000));
}

/* Drives for that long; false when a stop was latched. */
static bool drive_for(uint32_t ms) {
  for (uint32_t i = 0; i < ms / 100 && !bridge_rig_safety(&rig)->latched; i++) {
    (void)bridge_rig_drive(&rig, 0.5, 500, &fault);
    harness_for(rig.harness, 100);
  }
  return !bridge_rig_safety(&rig)->latched;
}

/* The same, and when that was in vain, twice again. */
static bool drives_for(uint32_t ms) {
  for (int attempt = 0; attempt < 3; attempt++) {
    get_ready();
    if (drive_for(ms)) return true;
  }
  return false;
}

static void drive(void) {
  cr_assert(drives_for(300), "%s", bridge_rig_safety(&rig)->detail);
  cr_assert(bridge_rig_await_setpoint(&rig, false, 2000), "%s", bridge_rig_safety(&rig)->detail);
}

/* A stop of that cause, written to both motors. */
static const robot_safety_t *expect_stop(robot_cause_t cause, robot_fsm_state_t state) {
  const robot_safety_t *safety = bridge_rig_await(&rig, state, 2000);
  cr_assert_not_null(safety, "not stopped; %s", bridge_rig_safety(&rig)->detail);
  cr_assert_eq(safety->cause, cause, "%s", safety->detail);
  cr_assert(bridge_rig_await_setpoint(&rig, true, 1000));
  cr_assert_gt(bridge_rig_frames(&rig, STOP_1), 0);
  cr_assert_gt(bridge_rig_frames(&rig, STOP_2), 0);
  return bridge_rig_safety(&rig);
}

typedef struct wanted {
  inbox_t *inbox;
  const char *id, *words;
} wanted_t;

static bool has_event(void *arg) {
  const wanted_t *wanted = arg;
  for (size_t i = 0; i < inbox_count(wanted->inbox); i++) {
    const sys_event_t *event = inbox_body(wanted->inbox, i);
    if (event && strcmp(event->id, wanted->id) == 0 && strstr(event->message, wanted->words))
      return true;
  }
  return false;
}

static void expect_event(const char *id, const char *words) {
  wanted_t wanted = {.inbox = events, .id = id, .words = words};
  cr_assert(harness_until(rig.harness, has_event, &wanted, 10000), "%s %s", id, words);
}

static bool has_audit(void *arg) {
  const wanted_t *wanted = arg;
  for (size_t i = 0; i < inbox_count(wanted->inbox); i++) {
    const sys_audit_t *audit = inbox_body(wanted->inbox, i);
    if (audit && strcmp(audit->action, wanted->id) == 0 && audit->success &&
        strstr(audit->detail, wanted->words))
      return true;
  }
  return false;
}

static void put_obstacle_ahead(double distance_m) {
  const char *state = bridge_rig_ask(&rig, "state");
  char command[96];
  double x = sim_process_number(state, "x"), y = sim_process_number(state, "y");
  (void)snprintf(command, sizeof command, "obstacle add %.3f %.3f 0.2", x + distance_m, y);
  (void)bridge_rig_ask(&rig, command);
}

Test(bridge_safety, a_trip_is_recorded_with_its_times_its_speed_and_its_place) {
  wanted_t wanted = {
      .inbox = audits, .id = "robot.estop", .words = "zone; first acknowledged frame "};
  drive();
  put_obstacle_ahead(0.9);
  (void)expect_stop(ROBOT_CAUSE_ZONE, ROBOT_FSM_STATE_ESTOP);
  cr_assert(harness_until(rig.harness, has_audit, &wanted, 2000));
  wanted.words = "zone critical, odometry ";
  cr_assert(has_audit(&wanted));
  wanted.words = "m/s";
  cr_assert(has_audit(&wanted));
  expect_event("STOP-LATCHED", "an obstacle ");
}

Test(bridge_safety, an_open_door_stops_and_holds_until_it_is_closed) {
  drive();
  (void)bridge_rig_ask(&rig, "door open");
  (void)expect_stop(ROBOT_CAUSE_INTERLOCK, ROBOT_FSM_STATE_ESTOP);
  cr_assert_eq(bridge_rig_reset(&rig, true, true, &fault), GANTRY_E_CONFLICT);
  cr_assert_not_null(strstr(fault.detail, "interlock"), "%s", fault.detail);
  (void)bridge_rig_ask(&rig, "door closed");
  harness_for(rig.harness, 500);
  cr_assert(bridge_rig_safety(&rig)->latched, "closing it resets nothing");
  cr_assert_eq(bridge_rig_reset(&rig, true, true, &fault), GANTRY_OK, "%s", fault.detail);
}

Test(bridge_safety, a_standing_robot_is_not_latched_by_the_door_but_does_not_drive) {
  (void)bridge_rig_ask(&rig, "door open");
  harness_for(rig.harness, 500);
  cr_assert_not(bridge_rig_safety(&rig)->latched);
  cr_assert_eq(bridge_rig_drive(&rig, 0.5, 300, &fault), GANTRY_E_CONFLICT);
  cr_assert(bridge_rig_is_off(&rig));
}

Test(bridge_safety, a_silent_accelerometer_slows_and_then_stops) {
  drive();
  (void)bridge_rig_ask(&rig, "imu fail");
  cr_assert(drives_for(800), "%s", bridge_rig_safety(&rig)->detail);
  cr_assert_float_eq(bridge_rig_safety(&rig)->speed_factor, 0.5, 1e-9);
  (void)drive_for(4000);
  (void)expect_stop(ROBOT_CAUSE_STALE_DATA, ROBOT_FSM_STATE_ESTOP);
  expect_event("ROBOT-WARNING", "accelerometer");
}

Test(bridge_safety, an_accelerometer_whose_values_stand_still_is_none) {
  drive();
  (void)bridge_rig_ask(&rig, "imu freeze");
  (void)drive_for(12000);
  (void)expect_stop(ROBOT_CAUSE_STALE_DATA, ROBOT_FSM_STATE_ESTOP);
  expect_event("IMU-FROZEN", "stand still");
}

Test(bridge_safety, a_travel_module_that_refuses_everything_stops_a_moving_robot) {
  drive();
  (void)bridge_rig_ask(&rig, "fault 0x04 exception 6");
  (void)drive_for(4000);
  wanted_t wanted = {.inbox = events, .id = "STOP-LATCHED", .words = "travel motor"};
  cr_assert(harness_until(rig.harness, has_event, &wanted, 3000));
  (void)bridge_rig_ask(&rig, "fault 0x04 clear");
  (void)expect_stop(ROBOT_CAUSE_MODULE_LOSS, ROBOT_FSM_STATE_ESTOP);
}

Test(bridge_safety, a_travel_module_that_says_nothing_but_zeros_stops_a_moving_robot) {
  drive();
  (void)bridge_rig_ask(&rig, "fault 0x04 zeros");
  (void)drive_for(6000);
  wanted_t wanted = {.inbox = events, .id = "STOP-LATCHED", .words = "no sensor sees"};
  cr_assert(harness_until(rig.harness, has_event, &wanted, 3000));
}

static bool is_slowed(void *arg) {
  (void)arg;
  return bridge_rig_safety(&rig)->speed_factor <= 0.5;
}

Test(bridge_safety, without_the_lidar_the_robot_drives_slowly_by_its_range_sensors) {
  (void)bridge_rig_ask(&rig, "lidar stop");
  cr_assert(harness_until(rig.harness, is_slowed, NULL, 3000));
  cr_assert(drives_for(1500), "%s", bridge_rig_safety(&rig)->detail);
  cr_assert_leq(bridge_rig_register(&rig, 4, 0x0002), 32, "half of half a metre a second");
}

Test(bridge_safety, with_the_lidars_lens_covered_it_drives_as_slowly_and_says_where_to_look) {
  (void)bridge_rig_ask(&rig, "lidar blind");
  cr_assert(harness_until(rig.harness, is_slowed, NULL, 3000));
  cr_assert(drives_for(1500), "%s", bridge_rig_safety(&rig)->detail);
  cr_assert_leq(bridge_rig_register(&rig, 4, 0x0002), 32, "half of half a metre a second");
  expect_event("ROBOT-WARNING", "lens");
  (void)bridge_rig_ask(&rig, "lidar clear");
  expect_event("ROBOT-WARNING-OVER", "lens");
}

Test(bridge_safety, a_motor_fault_stops_and_has_its_name) {
  drive();
  (void)bridge_rig_ask(&rig, "motor 4 1 fault 4");
  const robot_safety_t *safety = expect_stop(ROBOT_CAUSE_MOTOR_FAULT, ROBOT_FSM_STATE_FAULT);
  cr_assert_str_eq(safety->detail, "motor 1 reports fault 4: over-temperature");
  cr_assert_eq(bridge_rig_reset(&rig, true, true, &fault), GANTRY_E_CONFLICT);
}

Test(bridge_safety, a_fault_that_is_found_after_a_stop_makes_it_a_fault) {
  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(stopped.state, ROBOT_FSM_STATE_ESTOP);
  (void)bridge_rig_ask(&rig, "motor 4 2 fault 6");
  const robot_safety_t *safety = bridge_rig_await(&rig, ROBOT_FSM_STATE_FAULT, 3000);
  cr_assert_not_null(safety);
  cr_assert_eq(safety->cause, ROBOT_CAUSE_MOTOR_FAULT);
  (void)bridge_rig_ask(&rig, "motor 4 2 clear");
  cr_assert(bridge_rig_await_reset(&rig, 5000, &fault), "%s", fault.detail);
}

Test(bridge_safety, motors_that_turn_when_told_to_stand_are_stopped) {
  static const char *const commands[] = {"set 4 0x0007 1", "set 4 0x0017 1",  "set 4 0x0001 1",
                                         "set 4 0x0011 1", "set 4 0x0002 60", "set 4 0x0012 60"};
  harness_for(rig.harness, 500); /* it has told them to stand, and tells them no more */
  for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
    cr_assert_not_null(strstr(bridge_rig_ask(&rig, commands[i]), "\"ok\":true"), "%s", commands[i]);
  const robot_safety_t *safety = bridge_rig_await(&rig, ROBOT_FSM_STATE_FAULT, 4000);
  cr_assert_not_null(safety, "%s", bridge_rig_ask(&rig, "state"));
  cr_assert_eq(safety->cause, ROBOT_CAUSE_MOTOR_FAULT);
  cr_assert(bridge_rig_await_setpoint(&rig, true, 1000));
}

Test(bridge_safety, what_is_heard_again_resets_nothing) {
  drive();
  (void)bridge_rig_ask(&rig, "fault 0x03 silent");
  (void)expect_stop(ROBOT_CAUSE_MODULE_LOSS, ROBOT_FSM_STATE_ESTOP);
  (void)bridge_rig_ask(&rig, "fault 0x03 clear");
  harness_for(rig.harness, 1500);
  cr_assert(bridge_rig_safety(&rig)->latched);
  cr_assert(bridge_rig_is_off(&rig));
}

Test(bridge_safety, damaged_answers_do_not_stop_a_moving_robot) {
  static const char *const commands[] = {"fault 0x02 crc 5%", "fault 0x03 crc 5%",
                                         "fault 0x04 crc 5%", "fault 0x05 crc 5%"};
  for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
    (void)bridge_rig_ask(&rig, commands[i]);
  cr_assert(drives_for(6000), "%s", bridge_rig_safety(&rig)->detail);
  cr_assert_gt(sim_process_number(bridge_rig_ask(&rig, "state"), "travelled_m"), 1.0);
}

static bool relays_are(void *arg) {
  const unsigned *wanted = arg;
  return bridge_rig_register(&rig, 3, 0x0031) == wanted[0] &&
         bridge_rig_register(&rig, 3, 0x0032) == wanted[1];
}

Test(bridge_safety, relays_take_part_in_a_stop_and_in_its_reset) {
  (void)bridge_rig_ask(&rig, "set 3 0x0031 1");
  (void)bridge_rig_stop(&rig, &stopped, &fault);
  cr_assert(harness_until(rig.harness, relays_are, &(unsigned[]){0, 1}, 3000));
  cr_assert(bridge_rig_await_reset(&rig, 3000, &fault), "%s", fault.detail);
  cr_assert(harness_until(rig.harness, relays_are, &(unsigned[]){1, 0}, 3000));
}

Test(bridge_safety, relays_switch_though_the_motors_do_not_answer) {
  (void)bridge_rig_ask(&rig, "set 3 0x0031 1");
  (void)bridge_rig_ask(&rig, "fault 0x04 silent");
  cr_assert_neq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK);
  cr_assert(harness_until(rig.harness, relays_are, &(unsigned[]){0, 1}, 10000));
}

Test(bridge_safety, a_module_that_resets_itself_keeps_the_robot_from_being_ready) {
  const char *answer = bridge_rig_ask(&rig, "set 3 0x0052 1");
  cr_assert_not_null(strstr(answer, "\"ok\":true"), "%s", answer);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_INIT, 10000));
  expect_event("AUTO-RESET-ON", "0x0052");
  cr_assert_eq(bridge_rig_drive(&rig, 0.5, 300, &fault), GANTRY_E_CONFLICT);
  (void)bridge_rig_ask(&rig, "set 3 0x0052 0");
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
}

Test(bridge_safety, a_stop_with_the_line_gone_is_no_success_and_comes_first_when_it_is_back) {
  drive();
  (void)bridge_rig_ask(&rig, "unplug rs485");
  cr_assert_neq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK);
  cr_assert(bridge_rig_safety(&rig)->latched);
  cr_assert_not(bridge_rig_safety(&rig)->motors_off);
  unsigned before = bridge_rig_frames(&rig, STOP_1);
  (void)bridge_rig_ask(&rig, "plug rs485");
  cr_assert(bridge_rig_await_setpoint(&rig, true, 3000));
  cr_assert_gt(bridge_rig_frames(&rig, STOP_1), before);
}

Test(bridge_safety, a_line_that_closes_stops_a_moving_robot_at_once) {
  drive();
  (void)bridge_rig_ask(&rig, "unplug rs485");
  const robot_safety_t *safety = bridge_rig_await(&rig, ROBOT_FSM_STATE_ESTOP, 2000);
  cr_assert_not_null(safety);
  cr_assert_not_null(strstr(safety->detail, "line has closed"), "%s", safety->detail);
  (void)bridge_rig_ask(&rig, "plug rs485");
  cr_assert(bridge_rig_await_setpoint(&rig, true, 3000));
}

static void on_outcome(gantry_err_t err, const gantry_fault_t *why, const void *reply,
                       const sys_header_t *header, void *arg) {
  gantry_err_t *outcome = arg;
  (void)why;
  (void)reply;
  (void)header;
  *outcome = err;
}

/* The loop sleeps through the request's time. */
Test(bridge_safety, an_expired_request_is_never_executed) {
  robot_drive_t takes = {.direction = ROBOT_DIRECTION_FORWARD, .speed = 0.5, .hold_ms = 500};
  gantry_err_t outcome = GANTRY_OK;
  drive();
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 3000)); /* connected, at rest */
  cr_assert(bridge_rig_await_setpoint(&rig, true, 2000));
  unsigned before = bridge_rig_frames(&rig, "\"04100001000204000100");
  (void)rpc_call(harness_client(rig.harness), REQUEST_ROBOT_DRIVE, NULL, NULL, &takes, 30,
                 on_outcome, &outcome);
  int64_t end_ms = sim_process_now_ms() + 100;
  while (sim_process_now_ms() < end_ms)
    (void)bridge_rig_ask(&rig, "seed");
  harness_for(rig.harness, 500);
  cr_assert_neq(outcome, GANTRY_OK);
  cr_assert_eq(bridge_rig_frames(&rig, "\"04100001000204000100"), before);
  cr_assert(bridge_rig_is_off(&rig));
}
