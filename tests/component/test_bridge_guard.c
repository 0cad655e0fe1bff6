/* What holds a move by command, and the latch where the disk does not take it. */
#include "bridge_rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bridge_rig_t rig;
static harness_peer_t *localization;
static gantry_fault_t fault;

static void tear_down(void) {
  bridge_rig_close(&rig);
}

TestSuite(bridge_guard, .fini = tear_down, .timeout = 60);

static void open_with(const char *one, const char *other) {
  bridge_rig_open_with(&rig, (const char *[]){one, other, NULL}, NULL);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
}

static void say_pose(loc_state_t state, double confidence) {
  loc_status_t status = {.state = state, .confidence = confidence};
  (void)bus_publish(localization->bus, TOPIC_LOC_STATUS, NULL, &status);
  harness_for(rig.harness, 100);
}

static gantry_err_t command(robot_command_kind_t kind) {
  robot_command_t takes = {.kind = kind, .has_speed = true, .speed = 0.3};
  robot_status_t gives;
  return harness_call(rig.harness, REQUEST_ROBOT_COMMAND, NULL, &takes, &gives, 1000, &fault);
}

static void set_mode(robot_mode_t mode) {
  robot_mode_set_t takes = {.mode = mode, .reason = "test"};
  robot_status_t gives;
  cr_assert_eq(harness_call(rig.harness, REQUEST_ROBOT_MODE, NULL, &takes, &gives, 1000, &fault),
               GANTRY_OK, "%s", fault.detail);
}

static bool is_asked_for_power(void *arg) {
  (void)arg;
  return inbox_newest(rig.robot, "robot.power") != NULL;
}

static void open_in_auto(const char *one, const char *other) {
  open_with(one, other);
  localization = harness_peer(rig.harness, "localization");
  cr_assert(harness_heard(rig.harness, localization->bus, "loc.status", 3000));
  set_mode(ROBOT_MODE_AUTO);
  cr_assert(harness_until(rig.harness, is_asked_for_power, NULL, 5000));
}

static void expect_refusal(const char *words) {
  cr_assert_eq(command(ROBOT_COMMAND_KIND_MOVE), GANTRY_E_CONFLICT, "%d", (int)fault.err);
  cr_assert_not_null(strstr(fault.detail, words), "%s", fault.detail);
  cr_assert(bridge_rig_is_off(&rig));
}

Test(bridge_guard, a_move_by_command_wants_a_pose) {
  open_in_auto("require_pose=true", NULL);
  expect_refusal("where it is");
  say_pose(LOC_STATE_TRACKING, 0.29);
  expect_refusal("where it is");
  say_pose(LOC_STATE_LOST, 0.9);
  expect_refusal("where it is");
  say_pose(LOC_STATE_TRACKING, 0.31);
  cr_assert_eq(command(ROBOT_COMMAND_KIND_MOVE), GANTRY_OK, "%s", fault.detail);
}

Test(bridge_guard, a_pose_that_is_not_renewed_is_lost) {
  open_in_auto("require_pose=true", NULL);
  say_pose(LOC_STATE_TRACKING, 0.9);
  harness_leave(rig.harness, &localization);
  harness_for(rig.harness, 3500);
  expect_refusal("where it is");
}

Test(bridge_guard, a_robot_without_localization_can_be_spared_the_pose) {
  open_in_auto("require_pose=false", NULL);
  cr_assert_eq(command(ROBOT_COMMAND_KIND_MOVE), GANTRY_OK, "%s", fault.detail);
}

Test(bridge_guard, a_jog_wants_neither_pose_nor_charge) {
  open_with("battery_min=0.99", NULL);
  cr_assert(bridge_rig_get_driving(&rig, 0.3, &fault), "%s", fault.detail);
}

Test(bridge_guard, a_move_by_command_wants_a_charged_battery) {
  open_in_auto("require_pose=false", "battery_min=0.99");
  expect_refusal("battery");
}

typedef struct health_wait {
  inbox_t *inbox;
  bool degraded;
} health_wait_t;

static bool has_health(void *arg) {
  const health_wait_t *wait = arg;
  const sys_health_t *health = inbox_newest(wait->inbox, "health.rs485-bridge");
  if (!health) return false;
  bool about = strstr(health->detail, "latch") != NULL;
  return wait->degraded ? health->status == SYS_STATUS_DEGRADED && about : !about;
}

Test(bridge_guard, a_latch_that_cannot_be_kept_degrades_the_health_until_it_can) {
  char folder[] = "/tmp/gantry-guard-XXXXXX", data[96], setting[128], path[128];
  cr_assert_not_null(mkdtemp(folder));
  (void)snprintf(data, sizeof data, "%s/missing/data", folder);
  (void)snprintf(setting, sizeof setting, "data=%s", data);
  open_with(setting, NULL);
  health_wait_t wait = {.inbox = harness_collect(rig.harness, "health."), .degraded = true};
  cr_assert(harness_until(rig.harness, has_health, &wait, 5000));

  (void)snprintf(path, sizeof path, "%s/missing", folder);
  cr_assert_eq(mkdir(path, 0700) | mkdir(data, 0700), 0);

  wait.degraded = false;
  cr_assert(harness_until(rig.harness, has_health, &wait, 5000));
  (void)snprintf(path, sizeof path, "%s/stop.latch", data);
  cr_assert_eq(access(path, F_OK), 0);
  (void)unlink(path);
  (void)snprintf(path, sizeof path, "%s/rs485-bridge.outbox", data);
  (void)unlink(path);
  (void)snprintf(path, sizeof path, "%s/rs485-bridge.running", data);
  (void)unlink(path);
  (void)rmdir(data);
  (void)snprintf(path, sizeof path, "%s/missing", folder);
  (void)rmdir(path);
  (void)rmdir(folder);
}
