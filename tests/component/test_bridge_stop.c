/* Stop, latch, dead man: asserted on the simulator's registers and transcript, not on the bridge's
 * word. */
#include "command_rig.h"

#include <gantry/clock.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "port.h"

static robot_safety_t stopped;

/* The bridge's calls of port_submit come here (--wrap): the port refuses so many of its orders. */
static unsigned refusals;
bool __real_port_submit(port_t *port, const job_t *job);
bool __wrap_port_submit(port_t *port, const job_t *job);
bool __wrap_port_submit(port_t *port, const job_t *job) {
  if (job->lane != JOB_SAFETY || refusals == 0) return __real_port_submit(port, job);
  refusals--;
  return false;
}

static void set_up(void) {
  bridge_rig_open(&rig, NULL);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 5000));
}

static void tear_down(void) {
  bridge_rig_close(&rig);
}

static void drive(void) {
  cr_assert(bridge_rig_get_driving(&rig, 0.5, &fault), "%s %s", fault.detail,
            bridge_rig_safety(&rig)->detail);
}

/* Drives until the dead man has let go; again when the robot was stopped meanwhile by itself. */
static void drive_until_let_go(void) {
  for (int attempt = 0; attempt < 3; attempt++) {
    drive();
    cr_assert(bridge_rig_await_setpoint(&rig, true, 1500));
    if (!bridge_rig_stopped_itself(&rig)) break;
  }
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 2000), "%s",
                     bridge_rig_safety(&rig)->detail);
}

static void put_obstacle_ahead(double distance_m) {
  const char *state = bridge_rig_ask(&rig, "state");
  char command[96];
  double x = sim_process_number(state, "x"), y = sim_process_number(state, "y");
  (void)snprintf(command, sizeof command, "obstacle add %.3f %.3f 0.2", x + distance_m, y);
  (void)bridge_rig_ask(&rig, command);
}

TestSuite(bridge_stop, .init = set_up, .fini = tear_down, .timeout = 40);

Test(bridge_stop, a_stop_is_on_both_motors_when_it_is_answered) {
  drive();
  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert(bridge_rig_is_off(&rig));
  cr_assert(stopped.latched);
  cr_assert(stopped.motors_off);
  cr_assert_eq(stopped.state, ROBOT_FSM_STATE_ESTOP);
  cr_assert(stopped.has_stop_ms && stopped.has_confirm_ms);
}

static bool holds_stop_alert(void *arg) {
  const sys_alerts_t *alerts = inbox_newest(arg, "alert.rs485-bridge");
  return alerts && alerts->alerts_count == 1 && strcmp(alerts->alerts[0].id, "STOP-LATCHED") == 0 &&
         alerts->alerts[0].severity == SYS_SEVERITY_CRITICAL;
}

static bool holds_no_alert(void *arg) {
  const sys_alerts_t *alerts = inbox_newest(arg, "alert.rs485-bridge");
  return alerts && alerts->alerts_count == 0;
}

Test(bridge_stop, a_latched_stop_is_an_alert_until_it_is_reset) {
  inbox_t *alerts = harness_collect(rig.harness, "alert.");
  (void)bridge_rig_stop(&rig, &stopped, &fault);
  cr_assert(harness_until(rig.harness, holds_stop_alert, alerts, 3000));

  cr_assert(bridge_rig_await_reset(&rig, 5000, &fault), "%s", fault.detail);

  cr_assert(harness_until(rig.harness, holds_no_alert, alerts, 3000));
}

Test(bridge_stop, nothing_is_enabled_after_a_stop) {
  for (int i = 0; i < 5; i++) {
    (void)bridge_rig_drive(&rig, 1.0, 500, &fault);
    (void)bridge_rig_stop(&rig, &stopped, &fault);
    cr_assert(bridge_rig_await_phase(&rig, ROBOT_STOP_PHASE_CONFIRMED, 5000));
    harness_for(rig.harness, 150);
    cr_assert(bridge_rig_is_off(&rig));
    cr_assert(bridge_rig_await_reset(&rig, 5000, &fault), "%s", fault.detail);
    cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 5000));
  }
}

Test(bridge_stop, a_latched_robot_does_not_drive) {
  (void)bridge_rig_stop(&rig, &stopped, &fault);
  cr_assert_eq(bridge_rig_drive(&rig, 0.5, 300, &fault), GANTRY_E_CONFLICT);
  cr_assert_not_null(strstr(fault.detail, "reset"));
  cr_assert(bridge_rig_is_off(&rig));
}

Test(bridge_stop, a_reset_wants_both_confirmations) {
  (void)bridge_rig_stop(&rig, &stopped, &fault);
  cr_assert_eq(bridge_rig_reset(&rig, false, true, &fault), GANTRY_E_REFUSED);
  cr_assert_str_eq(fault.field, "safe_confirm");
  cr_assert_eq(bridge_rig_reset(&rig, true, false, &fault), GANTRY_E_REFUSED);
  cr_assert_str_eq(fault.field, "location_ok");
  cr_assert(bridge_rig_await_reset(&rig, 5000, &fault), "%s", fault.detail);
}

Test(bridge_stop, the_hardware_input_latches_and_holds) {
  drive();
  (void)bridge_rig_ask(&rig, "estop on");
  const robot_safety_t *safety = bridge_rig_await(&rig, ROBOT_FSM_STATE_ESTOP, 1000);
  cr_assert_not_null(safety);
  cr_assert_eq(safety->cause, ROBOT_CAUSE_HARDWARE);
  harness_for(rig.harness, 200);
  cr_assert_eq(bridge_rig_reset(&rig, true, true, &fault), GANTRY_E_CONFLICT);
  (void)bridge_rig_ask(&rig, "estop off");
  harness_for(rig.harness, 200);
  cr_assert_eq(bridge_rig_safety(&rig)->latched, true, "it does not reset by itself");
  cr_assert(bridge_rig_await_reset(&rig, 5000, &fault), "%s", fault.detail);
}

static bool waits_for(void *arg) {
  const robot_status_t *said = inbox_newest(rig.robot, "robot.status");
  return said && strstr(said->waits_for, "stopped: ") && strstr(said->waits_for, arg);
}

Test(bridge_stop, an_unconfirmed_stop_is_never_a_success_and_is_retried) {
  drive();
  (void)bridge_rig_ask(&rig, "fault 0x04 silent");
  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_E_TIMEOUT);
  cr_assert(bridge_rig_await_phase(&rig, ROBOT_STOP_PHASE_UNCONFIRMED, 1000));
  cr_assert(harness_until(rig.harness, waits_for, "not read back off", 1000));
  (void)bridge_rig_ask(&rig, "fault 0x04 clear");
  cr_assert(bridge_rig_await_setpoint(&rig, true, 2000));
  cr_assert(harness_until(rig.harness, waits_for, "reset with a confirmation", 3000));
}

static bool is_confirmed(void *arg) {
  (void)arg;
  return bridge_rig_safety(&rig)->phase == ROBOT_STOP_PHASE_CONFIRMED;
}

Test(bridge_stop, is_retried_without_a_free_descriptor) {
  struct rlimit limit;
  (void)rpc_connect(harness_client(rig.harness), REQUEST_ROBOT_ESTOP, NULL);
  drive();
  (void)bridge_rig_ask(&rig, "fault 0x04 silent");
  getrlimit(RLIMIT_NOFILE, &limit);
  struct rlimit none = {.rlim_cur = 3, .rlim_max = limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  gantry_err_t err = bridge_rig_stop(&rig, &stopped, &fault);
  (void)bridge_rig_ask(&rig, "fault 0x04 clear");
  bool confirmed = harness_until(rig.harness, is_confirmed, NULL, 2000);
  setrlimit(RLIMIT_NOFILE, &limit);
  cr_assert_eq(err, GANTRY_E_TIMEOUT, "%s", fault.detail);
  cr_assert(confirmed);
}

Test(bridge_stop, the_latch_survives_a_restart) {
  (void)bridge_rig_stop(&rig, &stopped, &fault);
  bridge_rig_restart(&rig);
  const robot_safety_t *safety = bridge_rig_await(&rig, ROBOT_FSM_STATE_SAFE, 2000);
  cr_assert_not_null(safety);
  cr_assert_eq(safety->cause, ROBOT_CAUSE_SOFTWARE);
  cr_assert_eq(bridge_rig_drive(&rig, 0.5, 300, &fault), GANTRY_E_CONFLICT);
}

static bool has_event(void *arg) {
  inbox_t *events = arg;
  for (size_t i = 0; i < inbox_count(events); i++) {
    const sys_event_t *event = inbox_body(events, i);
    if (event && strcmp(event->id, "STOP-KEPT") == 0) return true;
  }
  return false;
}

Test(bridge_stop, a_restart_while_driving_starts_stopped) {
  drive();
  bridge_rig_restart(&rig);
  inbox_t *events = harness_collect(rig.harness, "event.");
  cr_assert(bridge_rig_await_setpoint(&rig, true, 1000));
  const robot_safety_t *safety = bridge_rig_await(&rig, ROBOT_FSM_STATE_SAFE, 2000);
  cr_assert_not_null(safety);
  cr_assert_eq(safety->cause, ROBOT_CAUSE_RESTART);
  cr_assert(harness_until(rig.harness, has_event, events, 5000), "and says so");
}

Test(bridge_stop, the_motors_are_off_when_the_bridge_ends) {
  drive();
  harness_close(rig.harness, &rig.run);
  cr_assert(bridge_rig_is_off(&rig));
}

static bool is_off(void *arg) {
  (void)arg;
  return bridge_rig_is_off(&rig);
}

Test(bridge_stop, the_dead_man_lets_go) {
  drive_until_let_go();
  cr_assert(harness_until(rig.harness, is_off, NULL, 1000)); /* the second motor is next */
}

/* For a second; false when modules that could not answer in time stopped the robot or a renewal. */
static bool renew(void) {
  for (int i = 0; i < 5 && !bridge_rig_stopped_itself(&rig); i++) {
    gantry_err_t err = bridge_rig_drive(&rig, 0.3, 400, &fault);
    if (err != GANTRY_OK && strstr(fault.detail, "a mandatory module is offline")) return false;
    cr_assert(err == GANTRY_OK || bridge_rig_stopped_itself(&rig), "%s", fault.detail);
    harness_for(rig.harness, 200);
  }
  return !bridge_rig_stopped_itself(&rig);
}

Test(bridge_stop, renewal_keeps_driving) {
  for (int attempt = 0; attempt < 3; attempt++) {
    cr_assert(bridge_rig_get_driving(&rig, 0.3, &fault), "%s", bridge_rig_safety(&rig)->detail);
    if (renew()) break;
  }
  cr_assert_neq(bridge_rig_register(&rig, 4, 0x0002), 0);
  cr_assert_eq(bridge_rig_register(&rig, 4, 0x0002), bridge_rig_register(&rig, 4, 0x0012));
  cr_assert_gt(sim_process_number(bridge_rig_ask(&rig, "state"), "travelled_m"), 0.05);
}

Test(bridge_stop, a_halt_brings_to_rest_without_a_latch) {
  robot_driving_t driving;
  drive();
  gantry_err_t err =
      harness_call(rig.harness, REQUEST_ROBOT_HALT, NULL, &(sys_empty_t){0}, &driving, 500, &fault);
  cr_assert_eq(err, GANTRY_OK);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 3000));
  cr_assert(bridge_rig_await_setpoint(&rig, true, 500));
  cr_assert_not(bridge_rig_safety(&rig)->latched);
}

Test(bridge_stop, an_obstacle_in_the_way_latches_while_driving) {
  drive();
  put_obstacle_ahead(0.9);
  const robot_safety_t *safety = bridge_rig_await(&rig, ROBOT_FSM_STATE_ESTOP, 1000);
  cr_assert_not_null(safety);
  cr_assert_eq(safety->cause, ROBOT_CAUSE_ZONE);
  cr_assert(bridge_rig_await_setpoint(&rig, true, 500));
}

static bool sees_an_obstacle(void *arg) {
  (void)arg;
  const robot_safety_t *safety = bridge_rig_safety(&rig);
  return safety && safety->zone == ROBOT_ZONE_CRITICAL;
}

Test(bridge_stop, a_standing_robot_is_not_latched_by_an_obstacle_but_does_not_drive_at_it) {
  put_obstacle_ahead(0.8);
  cr_assert(harness_until(rig.harness, sees_an_obstacle, NULL, 1000));
  cr_assert_not(bridge_rig_safety(&rig)->latched);
  cr_assert_eq(bridge_rig_drive(&rig, 0.5, 300, &fault), GANTRY_E_CONFLICT);
  cr_assert_str_eq(fault.field, "direction");
}

Test(bridge_stop, a_lost_safety_module_stops_a_moving_robot) {
  drive();
  (void)bridge_rig_ask(&rig, "fault 0x03 silent");
  const robot_safety_t *safety = bridge_rig_await(&rig, ROBOT_FSM_STATE_ESTOP, 2000);
  cr_assert_not_null(safety);
  cr_assert_eq(safety->cause, ROBOT_CAUSE_MODULE_LOSS);
  cr_assert(bridge_rig_await_setpoint(&rig, true, 1000));
}

Test(bridge_stop, a_robot_that_has_driven_is_ready_again_when_a_module_comes_back) {
  drive_until_let_go(); /* the motors stay enabled */

  (void)bridge_rig_ask(&rig, "fault 0x02 silent");
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_INIT, 5000));
  (void)bridge_rig_ask(&rig, "fault 0x02 clear");

  const robot_safety_t *safety = bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 8000);
  cr_assert_not_null(safety);
  cr_assert(safety->motors_off);
}

/* Disable-and-zero frames for motor 1. */
static unsigned stop_frames(void) {
  return bridge_rig_frames(&rig, "\"0410000100020400000000");
}

Test(bridge_stop, a_repeated_stop_is_written_again_and_has_times_of_its_own) {
  (void)bridge_rig_stop(&rig, &stopped, &fault);
  unsigned before = stop_frames();

  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK, "%s", fault.detail);

  cr_assert_gt(stop_frames(), before);
  cr_assert(stopped.has_stop_ms && stopped.has_confirm_ms);
  cr_assert_gt(stopped.stop_ms, 1.0, "%.1f ms", stopped.stop_ms);
  cr_assert_lt(stopped.stop_ms, stopped.confirm_ms);
  cr_assert_lt(stopped.confirm_ms, 100.0);
}

Test(bridge_stop, a_stop_during_a_retried_one_is_served_by_frames_of_its_own) {
  drive();
  (void)bridge_rig_ask(&rig, "fault 0x04 silent");
  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_E_TIMEOUT);
  (void)bridge_rig_ask(&rig, "fault 0x04 clear");

  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK, "%s", fault.detail);

  cr_assert(bridge_rig_is_off(&rig));
  cr_assert_lt(stopped.stop_ms, 140.0, "not counted from the first request: %.1f ms",
               stopped.stop_ms);
}

Test(bridge_stop, a_long_read_does_not_come_before_a_stop) {
  robot_registers_read_t takes = {.address = 4, .register_ = 0, .count = 9};
  robot_registers_t gives;
  drive();
  gantry_err_t err =
      harness_call(rig.harness, REQUEST_ROBOT_REGISTERS_READ, NULL, &takes, &gives, 500, &fault);
  cr_assert_eq(err, GANTRY_E_CONFLICT);
  cr_assert_str_eq(fault.field, "count");
}

Test(bridge_stop, an_obstacle_stops_however_slow_the_robot_is) {
  cr_assert(bridge_rig_get_driving(&rig, 0.01, &fault), "%s", bridge_rig_safety(&rig)->detail);
  put_obstacle_ahead(0.9);
  const robot_safety_t *safety = bridge_rig_await(&rig, ROBOT_FSM_STATE_ESTOP, 2000);
  cr_assert_not_null(safety);
  cr_assert_eq(safety->cause, ROBOT_CAUSE_ZONE);
}

Test(bridge_stop, a_port_without_room_for_orders_delays_a_stop_by_moments) {
  drive();
  refusals = 9; /* two rounds and a part of one */

  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK, "%s", fault.detail);

  cr_assert_eq(refusals, 0);
  cr_assert(bridge_rig_is_off(&rig));
}

TestSuite(docking_stop, .fini = tear_down, .timeout = 60);

Test(docking_stop, the_dock_module_hears_of_a_stop_behind_the_motors_though_these_find_no_room) {
  command_rig_open(NULL, "55");
  get_ready(ROBOT_MODE_AUTO);
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_DOCK), GANTRY_OK, "%s", fault.detail);
  cr_assert(bridge_rig_await_setpoint(&rig, false, 3000));
  uint64_t asked_ns = clock_mono_ns();
  refusals = 201; /* fifty rounds: some ticks of the loop */

  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK, "%s", fault.detail);

  cr_assert_eq(refusals, 0);
  harness_for(rig.harness, 300);
  uint64_t told_ns = first_frame_ns("\"050680030001", asked_ns);
  uint64_t off_ns[] = {first_frame_ns("\"0410000100020400000000", asked_ns),
                       first_frame_ns("\"0410001100020400000000", asked_ns)};
  cr_assert(off_ns[0] != 0 && off_ns[0] < told_ns);
  cr_assert(off_ns[1] != 0 && off_ns[1] < told_ns);
}
