/* Requests between a tap's client and servers that the test plays. */
#include "harness.h"

#include <gantry/clock.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static harness_t *harness;
static harness_peer_t *bridge;

static void set_up(void) {
  harness = harness_new();
  bridge = harness_peer(harness, "rs485-bridge");
}

static void tear_down(void) {
  harness_destroy(&harness);
}

TestSuite(rpc, .init = set_up, .fini = tear_down, .timeout = 30);

static void on_drive(rpc_context_t *call, const void *takes, void *arg) {
  const robot_drive_t *drive = takes;
  robot_driving_t driving = {.setpoint = drive->speed, .hold_ms = drive->hold_ms};
  ++*(unsigned *)arg;
  rpc_reply(call, &driving);
}

Test(rpc, answers_a_request) {
  unsigned served = 0;
  robot_drive_t drive = {.speed = 0.25, .hold_ms = 300};
  robot_driving_t driving;
  gantry_fault_t fault;
  rpc_serve(bridge->server, REQUEST_ROBOT_DRIVE, on_drive, &served);

  gantry_err_t err = harness_call(harness, REQUEST_ROBOT_DRIVE, NULL, &drive, &driving, 0, &fault);

  cr_assert_eq(err, GANTRY_OK, "%s %s", fault.field, fault.detail);
  cr_assert_float_eq(driving.setpoint, 0.25, 1e-12);
  cr_assert_eq(served, 1);
}

typedef struct outcome {
  unsigned count;
  gantry_err_t err;
  gantry_fault_t fault;
} outcome_t;

static void on_outcome(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                       const sys_header_t *header, void *arg) {
  outcome_t *outcome = arg;
  (void)reply;
  (void)header;
  outcome->count++;
  outcome->err = err;
  outcome->fault = *fault;
}

static bool is_over(void *arg) {
  return ((outcome_t *)arg)->count > 0;
}

static bool is_one(void *arg) {
  return *(unsigned *)arg == 1;
}

static void on_drive_refused(rpc_context_t *call, const void *takes, void *arg) {
  gantry_fault_t fault;
  (void)takes;
  (void)arg;
  fault_set(&fault, GANTRY_E_CONFLICT, "speed", "the robot is in %s", "ESTOP");
  snprintf(fault.code, sizeof fault.code, "ROBOT_LATCHED");
  rpc_fail_fault(call, &fault);
}

Test(rpc, hands_an_error_with_its_field_to_the_caller) {
  robot_drive_t drive = {.speed = 0.25, .hold_ms = 300};
  gantry_fault_t fault;
  rpc_serve(bridge->server, REQUEST_ROBOT_DRIVE, on_drive_refused, NULL);

  gantry_err_t err = harness_call(harness, REQUEST_ROBOT_DRIVE, NULL, &drive, NULL, 0, &fault);

  cr_assert_eq(err, GANTRY_E_CONFLICT);
  cr_assert_str_eq(fault.code, "ROBOT_LATCHED");
  cr_assert_str_eq(fault.field, "speed");
  cr_assert_str_eq(fault.detail, "the robot is in ESTOP");
}

static void on_drive_kept(rpc_context_t *call, const void *takes, void *arg) {
  (void)takes;
  *(rpc_context_t **)arg = call;
}

static bool is_kept(void *arg) {
  return *(rpc_context_t **)arg != NULL;
}

Test(rpc, times_out_once_and_drops_the_late_answer) {
  rpc_context_t *kept = NULL;
  outcome_t outcome = {0};
  robot_drive_t drive = {.speed = 0.25, .hold_ms = 300};
  robot_driving_t driving = {0};
  rpc_serve(bridge->server, REQUEST_ROBOT_DRIVE, on_drive_kept, &kept);
  rpc_call(harness_client(harness), REQUEST_ROBOT_DRIVE, NULL, NULL, &drive, 500, on_outcome,
           &outcome);

  cr_assert(harness_until(harness, is_over, &outcome, 2000));
  cr_assert_eq(outcome.err, GANTRY_E_TIMEOUT);
  cr_assert(is_kept(&kept));
  cr_assert_eq(rpc_left_ms(kept), 0);
  rpc_reply(kept, &driving);
  harness_for(harness, 50);

  cr_assert_eq(outcome.count, 1);
  cr_assert_eq(bus_get_stats(bridge->bus).dropped, 1);
}

Test(rpc, answers_later_when_the_handler_keeps_the_call) {
  rpc_context_t *kept = NULL;
  outcome_t outcome = {0};
  robot_drive_t drive = {.speed = 0.25, .hold_ms = 300};
  robot_driving_t driving = {0};
  rpc_serve(bridge->server, REQUEST_ROBOT_DRIVE, on_drive_kept, &kept);
  rpc_call(harness_client(harness), REQUEST_ROBOT_DRIVE, NULL, NULL, &drive, 2000, on_outcome,
           &outcome);
  cr_assert(harness_until(harness, is_kept, &kept, 2000));
  cr_assert_gt(rpc_left_ms(kept), 1000);
  cr_assert_geq(clock_mono_ns(), rpc_arrived_ns(kept));

  rpc_reply(kept, &driving);

  cr_assert(harness_until(harness, is_over, &outcome, 2000));
  cr_assert_eq(outcome.err, GANTRY_OK);
}

static void on_ping(rpc_context_t *call, const void *takes, void *arg) {
  sys_pong_t pong = {.service = "mapper", .pid = 7};
  (void)takes;
  ++*(unsigned *)arg;
  rpc_reply(call, &pong);
}

Test(rpc, reaches_a_server_that_comes_before_the_deadline) {
  unsigned served = 0;
  outcome_t outcome = {0};
  sys_empty_t nothing = {0};
  rpc_call(harness_client(harness), REQUEST_SYS_PING, "mapper", NULL, &nothing, 2000, on_outcome,
           &outcome);
  harness_for(harness, 30);

  harness_peer_t *mapper = harness_peer(harness, "mapper");
  rpc_serve(mapper->server, REQUEST_SYS_PING, on_ping, &served);

  cr_assert(harness_until(harness, is_over, &outcome, 2500));
  cr_assert_eq(outcome.err, GANTRY_OK, "%s", outcome.fault.detail);
}

Test(rpc, names_a_request_that_nobody_serves) {
  robot_drive_t drive = {.speed = 0.25, .hold_ms = 300};
  gantry_fault_t fault;

  gantry_err_t err = harness_call(harness, REQUEST_ROBOT_DRIVE, NULL, &drive, NULL, 0, &fault);

  cr_assert_eq(err, GANTRY_E_NOT_IMPLEMENTED);
  cr_assert_str_eq(fault.field, "name");
}

Test(rpc, does_not_send_what_does_not_fit) {
  outcome_t outcome = {0};
  robot_drive_t drive = {.speed = 99, .hold_ms = 300};

  gantry_err_t err = rpc_call(harness_client(harness), REQUEST_ROBOT_DRIVE, NULL, NULL, &drive, 0,
                              on_outcome, &outcome);
  harness_for(harness, 20);

  cr_assert_eq(err, GANTRY_E_SCHEMA);
  cr_assert_eq(outcome.count, 0);
}

static void on_drive_broken(rpc_context_t *call, const void *takes, void *arg) {
  robot_driving_t driving = {.setpoint = 1.0 / 0.0};
  (void)takes;
  (void)arg;
  rpc_reply(call, &driving);
}

Test(rpc, calls_an_answer_that_does_not_fit_internal) {
  robot_drive_t drive = {.speed = 0.25, .hold_ms = 300};
  gantry_fault_t fault;
  rpc_serve(bridge->server, REQUEST_ROBOT_DRIVE, on_drive_broken, NULL);

  gantry_err_t err = harness_call(harness, REQUEST_ROBOT_DRIVE, NULL, &drive, NULL, 0, &fault);

  cr_assert_eq(err, GANTRY_E_INTERNAL);
  cr_assert_str_eq(fault.field, "setpoint");
}

static void on_estop(rpc_context_t *call, const void *takes, void *arg) {
  robot_safety_t safety = {.latched = true, .speed_factor = 0};
  (void)takes;
  snprintf((char *)arg, 51, "%s", rpc_actor(call));
  rpc_reply(call, &safety);
}

Test(rpc, stops_on_the_safety_lane_for_a_named_user) {
  char actor[51] = "";
  outcome_t outcome = {0};
  robot_estop_t estop = {.reason = "test"};
  rpc_serve(bridge->server, REQUEST_ROBOT_ESTOP, on_estop, actor);

  rpc_call_as(harness_client(harness), "anna", REQUEST_ROBOT_ESTOP, NULL, NULL, &estop, 1000,
              on_outcome, &outcome);

  cr_assert(harness_until(harness, is_over, &outcome, 2000));
  cr_assert_eq(outcome.err, GANTRY_OK, "%s", outcome.fault.detail);
  cr_assert_str_eq(actor, "anna");
}

Test(rpc, refuses_to_serve_for_another_service) {
  unsigned served = 0;

  cr_assert_eq(rpc_serve(bridge->server, REQUEST_MAP_START, on_drive, &served), GANTRY_E_INVALID);
}

Test(rpc, serves_one_request_once) {
  unsigned served = 0;
  rpc_serve(bridge->server, REQUEST_ROBOT_DRIVE, on_drive, &served);

  cr_assert_eq(rpc_serve(bridge->server, REQUEST_ROBOT_DRIVE, on_drive, &served), GANTRY_E_INVALID);
}

static bool are_all_over(void *arg) {
  return ((outcome_t *)arg)->count >= 256;
}

Test(rpc, bounds_what_is_outstanding) {
  outcome_t outcome = {0};
  sys_empty_t nothing = {0};
  rpc_client_t *client = harness_client(harness);
  for (int i = 0; i < 256; i++) {
    cr_assert_eq(
        rpc_call(client, REQUEST_SYS_PING, "mapper", NULL, &nothing, 500, on_outcome, &outcome),
        GANTRY_OK);
  }

  cr_assert_eq(
      rpc_call(client, REQUEST_SYS_PING, "mapper", NULL, &nothing, 500, on_outcome, &outcome),
      GANTRY_E_UNAVAILABLE);
  cr_assert(harness_until(harness, are_all_over, &outcome, 5000));
  harness_for(harness, 50);

  cr_assert_eq(outcome.count, 256);
}

/* With storage hung a robot still halts: an ordinary stop has no lane of its own. */
Test(rpc, asks_one_server_however_much_is_outstanding_at_another) {
  unsigned served = 0;
  static outcome_t pings; /* they outlive the test */
  sys_empty_t nothing = {0};
  robot_drive_t drive = {.speed = 0.25, .hold_ms = 300};
  rpc_client_t *client = harness_client(harness);
  rpc_serve(bridge->server, REQUEST_ROBOT_DRIVE, on_drive, &served);
  while (rpc_call(client, REQUEST_SYS_PING, "storage", NULL, &nothing, 5000, on_outcome, &pings) ==
         GANTRY_OK)
    continue;

  gantry_err_t err = harness_call(harness, REQUEST_ROBOT_DRIVE, NULL, &drive, NULL, 0, NULL);

  cr_assert_eq(err, GANTRY_OK);
  cr_expect_eq(pings.count, 0, "the others wait on");
}

Test(rpc, sends_a_stop_however_much_is_outstanding) {
  char actor[51] = "";
  static outcome_t pings; /* they outlive the test */
  outcome_t stops = {0};
  sys_empty_t nothing = {0};
  robot_estop_t estop = {.reason = "test"};
  rpc_client_t *client = harness_client(harness);
  rpc_serve(bridge->server, REQUEST_ROBOT_ESTOP, on_estop, actor);
  while (rpc_call(client, REQUEST_SYS_PING, "mapper", NULL, &nothing, 5000, on_outcome, &pings) ==
         GANTRY_OK)
    continue;

  for (unsigned i = 1; i <= 20; i++) {
    cr_assert_eq(
        rpc_call(client, REQUEST_ROBOT_ESTOP, NULL, NULL, &estop, 1000, on_outcome, &stops),
        GANTRY_OK);
    stops.count = 0;
    cr_assert(harness_until(harness, is_over, &stops, 2000));
    cr_assert_eq(stops.err, GANTRY_OK, "%s", stops.fault.detail);
  }
  cr_expect_eq(pings.count, 0, "the others wait on");
  cr_expect_eq(
      rpc_call(client, REQUEST_SYS_PING, "mapper", NULL, &nothing, 200, on_outcome, &pings),
      GANTRY_E_UNAVAILABLE);
}

Test(rpc, answers_open_calls_when_the_server_ends) {
  rpc_context_t *kept = NULL;
  outcome_t outcome = {0};
  robot_drive_t drive = {.speed = 0.25, .hold_ms = 300};
  rpc_serve(bridge->server, REQUEST_ROBOT_DRIVE, on_drive_kept, &kept);
  rpc_call(harness_client(harness), REQUEST_ROBOT_DRIVE, NULL, NULL, &drive, 5000, on_outcome,
           &outcome);
  cr_assert(harness_until(harness, is_kept, &kept, 2000));

  harness_leave(harness, &bridge);

  cr_assert(harness_until(harness, is_over, &outcome, 2000));
  cr_assert_eq(outcome.err, GANTRY_E_UNAVAILABLE);
}

Test(rpc, answers_open_calls_when_the_client_ends) {
  outcome_t outcome = {0};
  sys_empty_t nothing = {0};
  rpc_call(bridge->client, REQUEST_SYS_PING, "mapper", NULL, &nothing, 5000, on_outcome, &outcome);

  rpc_client_destroy(&bridge->client);

  cr_assert_eq(outcome.count, 1);
  cr_assert_eq(outcome.err, GANTRY_E_UNAVAILABLE);
}

Test(rpc, waits_for_an_answer_in_one_call) {
  unsigned served = 0;
  robot_drive_t drive = {.speed = -0.5, .hold_ms = 300};
  robot_driving_t driving = {0};
  gantry_fault_t fault;
  rpc_serve(bridge->server, REQUEST_ROBOT_DRIVE, on_drive, &served);
  drive.speed = 0.5;

  gantry_err_t err = rpc_call_wait(harness_client(harness), REQUEST_ROBOT_DRIVE, NULL, &drive, 1000,
                                   &driving, &fault);

  cr_assert_eq(err, GANTRY_OK, "%s", fault.detail);
  cr_assert_float_eq(driving.setpoint, 0.5, 1e-12);
}

static void on_wait_inside(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                           const sys_header_t *header, void *arg) {
  sys_empty_t nothing = {0};
  (void)err;
  (void)fault;
  (void)reply;
  (void)header;
  gantry_err_t inner =
      rpc_call_wait(harness_client(harness), REQUEST_SYS_PING, "mapper", &nothing, 500, NULL, NULL);
  *(unsigned *)arg = inner == GANTRY_E_CONFLICT;
}

Test(rpc, refuses_to_wait_inside_a_reply) {
  unsigned refused = 0;
  sys_empty_t nothing = {0};
  rpc_call(harness_client(harness), REQUEST_SYS_PING, "mapper", NULL, &nothing, 20, on_wait_inside,
           &refused);

  cr_assert(harness_until(harness, is_one, &refused, 2000));
}

Test(rpc, wants_a_name_for_a_request_that_everybody_serves) {
  sys_empty_t nothing = {0};

  cr_assert_eq(rpc_call(harness_client(harness), REQUEST_SYS_PING, NULL, NULL, &nothing, 0,
                        on_outcome, NULL),
               GANTRY_E_INVALID);
}

Test(rpc, connects_ahead_of_the_first_call) {
  char actor[51] = "";
  robot_estop_t estop = {.reason = "test"};
  rpc_serve(bridge->server, REQUEST_ROBOT_ESTOP, on_estop, actor);

  cr_assert_eq(rpc_connect(harness_client(harness), REQUEST_ROBOT_ESTOP, NULL), GANTRY_OK);
  harness_for(harness, 20);

  cr_assert_eq(harness_call(harness, REQUEST_ROBOT_ESTOP, NULL, &estop, NULL, 0, NULL), GANTRY_OK);
  cr_assert_eq(rpc_connect(harness_client(harness), REQUEST_SYS_PING, NULL), GANTRY_E_INVALID);
  cr_assert_eq(rpc_connect(harness_client(harness), REQUEST_SYS_PING,
                           "a-name-that-no-service-of-the-house-has"),
               GANTRY_E_INVALID);
}

Test(rpc, runs_out_of_lines_at_16) {
  char name[16];
  gantry_err_t err = GANTRY_OK;
  for (int i = 0; i < 16; i++) {
    snprintf(name, sizeof name, "service-%d", i);
    err = rpc_connect(harness_client(harness), REQUEST_SYS_PING, name);
    cr_assert_eq(err, GANTRY_OK);
  }

  err = rpc_connect(harness_client(harness), REQUEST_SYS_PING, "one-more");

  cr_assert_eq(err, GANTRY_E_UNAVAILABLE);
}
