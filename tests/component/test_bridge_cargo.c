/* The lifter against the plant simulator: told, stopped, and not mistaken for another. */
#include "command_rig.h"

#include <criterion/criterion.h>
#include <string.h>

static void tear_down(void) {
  bridge_rig_close(&rig);
}

TestSuite(cargo, .fini = tear_down, .timeout = 60);

Test(cargo, cargo_needs_a_lifter) {
  command_rig_open(NULL, "1");
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_CARGO_UP), GANTRY_E_UNAVAILABLE);
  cr_assert_not_null(strstr(fault.detail, "lifter"), "%s", fault.detail);
}

static bool lifter_answers(void *arg) {
  (void)arg;
  const robot_module_t *module = inbox_newest(rig.robot, "robot.module.lifter");
  return module && module->status == ROBOT_MODULE_STATUS_HEALTHY;
}

static bool lifter_is_there(void *arg) {
  return bridge_rig_register(&rig, 6, 0x0003) == *(unsigned *)arg;
}

Test(cargo, a_lifter_goes_where_it_is_told_and_a_stop_takes_its_enable) {
  const char *settings[] = {"last_address=6", NULL};
  const char *arguments[] = {"--modules", "2,3,4,5,6", NULL};
  unsigned half = 500;
  robot_safety_t stopped;
  bridge_rig_open_with(&rig, settings, arguments);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
  cr_assert(harness_until(rig.harness, lifter_answers, NULL, 10000));
  robot_command_t up = {.kind = ROBOT_COMMAND_KIND_CARGO_UP, .has_position = true, .position = 0.5};

  cr_assert_eq(ask(up), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(status.command_state, ROBOT_COMMAND_STATE_DONE);
  cr_assert(harness_until(rig.harness, lifter_is_there, &half, 8000));
  cr_assert_eq(bridge_rig_register(&rig, 6, 0x0001), 1);
  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK, "%s", fault.detail);
  harness_for(rig.harness, 300);

  cr_assert_eq(bridge_rig_register(&rig, 6, 0x0001), 0);
  cr_assert_eq(ask(up), GANTRY_E_CONFLICT);
}

static bool is_let_go(void *arg) {
  (void)arg;
  return bridge_rig_register(&rig, 6, 0x0001) == 0;
}

static bool has_been_told_off(void *arg) {
  (void)arg;
  return frames_with("\"060600010000") > 0;
}

Test(cargo, a_lifter_that_does_not_hear_a_stop_is_told_again) {
  const char *settings[] = {"last_address=6", NULL};
  const char *arguments[] = {"--modules", "2,3,4,5,6", NULL};
  robot_safety_t stopped;
  bridge_rig_open_with(&rig, settings, arguments);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
  cr_assert(harness_until(rig.harness, lifter_answers, NULL, 10000));
  cr_assert_eq(ask_kind(ROBOT_COMMAND_KIND_CARGO_UP), GANTRY_OK, "%s", fault.detail);

  (void)bridge_rig_ask(&rig, "fault 6 silent");
  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert(harness_until(rig.harness, has_been_told_off, NULL, 5000));
  harness_for(rig.harness, 200); /* with its repetition */
  cr_assert_not(is_let_go(NULL), "a silent module takes nothing");
  (void)bridge_rig_ask(&rig, "fault 6 clear");

  cr_assert(harness_until(rig.harness, is_let_go, NULL, 5000));
}

/* Refused while one is under way, which is as good. */
static void keep_searching(void) {
  robot_discovery_set_t set = {.action = ROBOT_DISCOVERY_ACTION_START};
  robot_discovery_t search;
  (void)harness_call(rig.harness, REQUEST_ROBOT_DISCOVERY, NULL, &set, &search, 500, &fault);
}

Test(cargo, a_silent_address_that_a_search_asks_does_not_answer_for_the_lifter) {
  const char *settings[] = {"last_address=17", NULL};
  const char *arguments[] = {"--modules", "2,3,4,5,6", NULL};
  bridge_rig_open_with(&rig, settings, arguments);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
  cr_assert(harness_until(rig.harness, lifter_answers, NULL, 10000));

  /* One that the line really failed, on a busy machine, casts doubt on the next ones: a few may. */
  unsigned failed = 0;
  for (int i = 0; i < 60; i++) {
    keep_searching();
    robot_command_t to = {
        .kind = ROBOT_COMMAND_KIND_CARGO_UP, .has_position = true, .position = i % 2 ? 0.5 : 0.6};
    bool taken = ask(to) == GANTRY_OK;
    if (taken)
      cr_assert_eq(bridge_rig_register(&rig, 6, 0x0002), i % 2 ? 500 : 600);
    else
      failed++;
  }
  cr_assert_leq(failed, 6, "%u of 60 orders, at last: %s", failed, fault.detail);
}
