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
