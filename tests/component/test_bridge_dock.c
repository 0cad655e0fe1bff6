/* The robot at the simulated dock: brought there by a command, and away again. */
#include "bridge_rig.h"

#include <criterion/criterion.h>

#define DOCKED_MS 25000

static bool is_docked(void *arg) {
  return bridge_rig_register(arg, 5, 0x7304) == 1;
}

static bool has_left(void *arg) {
  return bridge_rig_register(arg, 5, 0x7005) == 0;
}

static gantry_err_t command(bridge_rig_t *rig, robot_command_kind_t kind, gantry_fault_t *fault) {
  robot_command_t takes = {.kind = kind};
  robot_status_t gives;
  return harness_call(rig->harness, REQUEST_ROBOT_COMMAND, NULL, &takes, &gives, 1000, fault);
}

static gantry_err_t set_mode(bridge_rig_t *rig, robot_mode_t mode, gantry_fault_t *fault) {
  robot_mode_set_t takes = {.mode = mode, .reason = "test"};
  robot_status_t gives;
  return harness_call(rig->harness, REQUEST_ROBOT_MODE, NULL, &takes, &gives, 1000, fault);
}

Test(bridge_dock, brings_the_robot_to_the_dock_and_away_again) {
  bridge_rig_t rig;
  gantry_fault_t fault = {0};
  bridge_rig_open(&rig, NULL);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
  (void)bridge_rig_ask(&rig, "place 57.7");
  cr_assert_eq(set_mode(&rig, ROBOT_MODE_AUTO, &fault), GANTRY_OK, "%s", fault.detail);

  cr_assert_eq(command(&rig, ROBOT_COMMAND_KIND_DOCK, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert(harness_until(rig.harness, is_docked, &rig, DOCKED_MS), "%s",
            bridge_rig_ask(&rig, "state"));
  cr_assert_leq(bridge_rig_register(&rig, 5, 0x7006), 2);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 5000));
  cr_assert_eq(command(&rig, ROBOT_COMMAND_KIND_UNDOCK, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert(harness_until(rig.harness, has_left, &rig, DOCKED_MS), "%s",
            bridge_rig_ask(&rig, "state"));

  cr_assert_eq(bridge_rig_register(&rig, 5, 0x9007), 1);
  cr_assert_eq(bridge_rig_register(&rig, 5, 0x9008), 0);
  bridge_rig_close(&rig);
}
