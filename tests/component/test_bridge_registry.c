/* Search and registry, asserted on the simulators' transcripts of bytes. */
#include "bridge.h"
#include "bridge_rig.h"
#include "line_frames.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bridge_rig_t rig;
static inbox_t *events;
static gantry_fault_t fault;

static void begin(const char *extra) {
  bridge_rig_open(&rig, extra);
  events = harness_collect(rig.harness, "event.");
}

static void await_idle(void) {
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
}

static void set_up(void) {
  begin(NULL);
  await_idle();
}

static void tear_down(void) {
  bridge_rig_close(&rig);
}

TestSuite(bridge_registry, .init = set_up, .fini = tear_down, .timeout = 90);

static gantry_err_t discovery(robot_discovery_action_t action, int first, int last,
                              robot_discovery_t *out) {
  robot_discovery_set_t set = {.action = action,
                               .has_first = first > 0,
                               .first = (uint8_t)first,
                               .has_last = last > 0,
                               .last = (uint8_t)last};
  return harness_call(rig.harness, REQUEST_ROBOT_DISCOVERY, NULL, &set, out, 1000, &fault);
}

static gantry_err_t module_do(unsigned address, unsigned port, robot_module_act_t act,
                              robot_module_t *out) {
  robot_module_do_t order = {.address = (uint8_t)address, .port = (uint8_t)port, .act = act};
  order.has_port = port != 0;
  return harness_call(rig.harness, REQUEST_ROBOT_MODULE_DO, NULL, &order, out, 1000, &fault);
}

static bool search_is_over(void *arg) {
  robot_discovery_t *out = arg;
  cr_assert_eq(discovery(ROBOT_DISCOVERY_ACTION_STATUS, 0, 0, out), GANTRY_OK);
  return out->state != ROBOT_DISCOVERY_STATE_RUNNING;
}

static bool has_event(void *arg) {
  const char *id = arg;
  for (size_t i = 0; i < inbox_count(events); i++) {
    const sys_event_t *event = inbox_body(events, i);
    if (event && strcmp(event->id, id) == 0) return true;
  }
  return false;
}

static bool await_event(const char *id, uint32_t ms) {
  return harness_until(rig.harness, has_event, (void *)id, ms);
}

Test(bridge_registry, a_search_with_dead_addresses_ends_in_five_seconds) {
  robot_discovery_t out;
  cr_assert(harness_until(rig.harness, search_is_over, &out, 10000));
  (void)bridge_rig_ask(&rig, "module 5 off");
  (void)bridge_rig_ask(&rig, "module 2 off");
  int64_t begun_ms = sim_process_now_ms();

  cr_assert_eq(discovery(ROBOT_DISCOVERY_ACTION_START, 0, 0, &out), GANTRY_OK, "%s", fault.detail);
  cr_assert(harness_until(rig.harness, search_is_over, &out, 10000));

  cr_assert_lt(sim_process_now_ms() - begun_ms, 5000);
  cr_assert_eq(out.state, ROBOT_DISCOVERY_STATE_DONE);
  cr_assert_eq(out.found, 2);
  cr_assert_float_eq(out.progress, 1.0, 1e-9);
}

/* Four seconds of a search among addresses where nobody is, and the safety polls meanwhile. */
static line_gap_t search_widely(void) {
  robot_discovery_t out;
  line_gap_t gap = {.unit = 3, .first = 0x0000, .strangers = 190};
  cr_assert_eq(discovery(ROBOT_DISCOVERY_ACTION_START, 190, 247, &out), GANTRY_OK);
  long offset = line_frames_now(rig.harness, &rig.sim);
  harness_for(rig.harness, 4000);
  cr_assert_eq(discovery(ROBOT_DISCOVERY_ACTION_STATUS, 0, 0, &out), GANTRY_OK);
  line_frames_gap(rig.harness, &rig.sim, offset, &gap);
  cr_assert_eq(out.state, ROBOT_DISCOVERY_STATE_RUNNING);
  cr_assert_gt(out.progress, 0.1);
  cr_assert_leq(gap.worst_between, 2, "questions of 20 ms before a safety poll: %u",
                gap.worst_between);
  return gap;
}

static bool is_starved(const line_gap_t *gap) {
  return gap->count < 75 || gap->worst_ms >= 200.0;
}

/* The order is judged in each search; the time in one of four, for the machine may take some. */
Test(bridge_registry, a_wide_search_starves_no_poll) {
  robot_discovery_t out;
  cr_assert(harness_until(rig.harness, search_is_over, &out, 10000));
  line_gap_t gap = search_widely();
  unsigned asked = line_frames_count(rig.harness, &rig.sim, 0, 191, 3, ANY);
  cr_assert_eq(asked, 6, "three attempts of two questions: %u", asked);
  for (int again = 0; again < 3 && is_starved(&gap); again++) {
    cr_assert_eq(discovery(ROBOT_DISCOVERY_ACTION_STOP, 0, 0, &out), GANTRY_OK);
    gap = search_widely();
  }

  cr_assert_not(is_starved(&gap), "%u polls in 4 s of 20 Hz, %.1f ms apart", gap.count,
                gap.worst_ms);
  cr_assert_eq(bridge_rig_safety(&rig)->state, ROBOT_FSM_STATE_IDLE);
}

Test(bridge_registry, a_search_is_paused_resumed_and_stopped) {
  robot_discovery_t out;
  cr_assert(harness_until(rig.harness, search_is_over, &out, 10000));
  cr_assert_eq(discovery(ROBOT_DISCOVERY_ACTION_START, 100, 150, &out), GANTRY_OK);
  cr_assert_eq(out.state, ROBOT_DISCOVERY_STATE_RUNNING);
  cr_assert_eq(discovery(ROBOT_DISCOVERY_ACTION_START, 0, 0, &out), GANTRY_E_CONFLICT);
  harness_for(rig.harness, 500);
  cr_assert_eq(discovery(ROBOT_DISCOVERY_ACTION_PAUSE, 0, 0, &out), GANTRY_OK);
  cr_assert_eq(out.state, ROBOT_DISCOVERY_STATE_PAUSED);
  harness_for(rig.harness, 250);
  long offset = line_frames_now(rig.harness, &rig.sim);
  harness_for(rig.harness, 1000);
  unsigned all = line_frames_count(rig.harness, &rig.sim, offset, ANY, ANY, ANY);
  unsigned strangers = 0;
  for (unsigned unit = 100; unit <= 110; unit++)
    strangers += line_frames_count(rig.harness, &rig.sim, offset, unit, 3, ANY) > 0;
  cr_assert_eq(strangers, 0);
  cr_assert_gt(all, 50, "the polls go on");

  cr_assert_eq(discovery(ROBOT_DISCOVERY_ACTION_RESUME, 0, 0, &out), GANTRY_OK);
  cr_assert_eq(out.state, ROBOT_DISCOVERY_STATE_RUNNING);
  cr_assert_eq(discovery(ROBOT_DISCOVERY_ACTION_STOP, 0, 0, &out), GANTRY_OK);
  cr_assert_eq(out.state, ROBOT_DISCOVERY_STATE_STOPPED);
}

Test(bridge_registry, a_range_the_wrong_way_round_is_refused) {
  robot_discovery_t out;
  cr_assert(harness_until(rig.harness, search_is_over, &out, 10000));
  cr_assert_eq(discovery(ROBOT_DISCOVERY_ACTION_START, 9, 8, &out), GANTRY_E_INVALID);
  robot_discovery_set_t set = {
      .action = ROBOT_DISCOVERY_ACTION_STATUS, .has_port = true, .port = 7};
  cr_assert_eq(harness_call(rig.harness, REQUEST_ROBOT_DISCOVERY, NULL, &set, &out, 1000, &fault),
               GANTRY_E_INVALID);
}

Test(bridge_registry, modules_that_come_are_events) {
  cr_assert(await_event("MODULE-DISCOVERED", 3000));
  cr_assert(await_event("MODULE-ONLINE", 3000));
  cr_assert(await_event("MODULE-REGISTERED", 3000));
}

/* Of the dock module. */
static bool holds_offline_alert(void *arg) {
  const sys_alerts_t *alerts = inbox_newest(arg, "alert.rs485-bridge");
  for (uint32_t i = 0; alerts && i < alerts->alerts_count; i++)
    if (strcmp(alerts->alerts[i].id, "MODULE-OFFLINE") == 0 &&
        strstr(alerts->alerts[i].message, "0x05"))
      return true;
  return false;
}

static bool holds_none(void *arg) {
  return inbox_newest(arg, "alert.rs485-bridge") && !holds_offline_alert(arg);
}

Test(bridge_registry, a_module_that_goes_is_an_event_and_a_glitch_is_none) {
  inbox_t *alerts = harness_collect(rig.harness, "alert.");
  inbox_clear(events);
  (void)bridge_rig_ask(&rig, "fault 5 lost 2%");
  harness_for(rig.harness, 3000);
  cr_assert_not(has_event((void *)"MODULE-OFFLINE"));
  (void)bridge_rig_ask(&rig, "fault 5 clear");
  (void)bridge_rig_ask(&rig, "fault 5 silent");
  cr_assert(await_event("MODULE-OFFLINE", 3000));
  cr_assert(harness_until(rig.harness, holds_offline_alert, alerts, 3000));
  cr_assert(await_event("MODULE-ABSENT", 40000));
  (void)bridge_rig_ask(&rig, "fault 5 clear");
  cr_assert(harness_until(rig.harness, holds_none, alerts, 20000));
}

Test(bridge_registry, another_address_claimed_is_a_conflict_that_names_both) {
  robot_discovery_t out;
  cr_assert(harness_until(rig.harness, search_is_over, &out, 10000));
  (void)bridge_rig_ask(&rig, "conflict 5 4");
  cr_assert_eq(discovery(ROBOT_DISCOVERY_ACTION_START, 0, 0, &out), GANTRY_OK);
  cr_assert(await_event("MODULE-CONFLICT", 5000));
  cr_assert(bridge_rig_await_module(&rig, "robot.module.dock", ROBOT_MODULE_STATUS_CONFLICT, 5000));
  const robot_module_t *module = inbox_newest(rig.robot, "robot.module.dock");
  cr_assert_eq(module->address, 5);
  cr_assert(module->has_conflict);
  cr_assert_eq(module->conflict, 4);
  cr_assert(harness_until(rig.harness, search_is_over, &out, 10000));
  cr_assert_eq(out.conflicts_count, 1);
  cr_assert_eq(out.conflicts[0], 5);
}

Test(bridge_registry, a_module_that_runs_is_asked_again_who_it_is) {
  (void)bridge_rig_ask(&rig, "conflict 5 4");
  (void)bridge_rig_ask(&rig, "firmware 2 0x0207");
  cr_assert(await_event("MODULE-CONFLICT", 20000));
  cr_assert(await_event("MODULE-CHANGED", 20000));
  (void)bridge_rig_ask(&rig, "conflict 5 5");
  cr_assert(await_event("MODULE-CONFLICT-OVER", 20000));
  cr_assert_not(has_event((void *)"MODULE-OFFLINE"));
}

static bool waits_for_the_type(void *arg) {
  (void)arg;
  const robot_status_t *status = inbox_newest(rig.robot, "robot.status");
  return status && !status->ready && strstr(status->waits_for, "type 5");
}

Test(bridge_registry,
     a_module_of_another_type_in_a_mandatory_ones_place_keeps_the_robot_from_moving) {
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
  (void)bridge_rig_ask(&rig, "set 3 0x0104 5");
  cr_assert(await_event("MODULE-CHANGED", 20000));
  cr_assert(harness_until(rig.harness, waits_for_the_type, NULL, 3000));
  (void)bridge_rig_ask(&rig, "set 3 0x0104 3");
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 20000));
}

Test(bridge_registry, a_ping_is_a_probe_on_the_line) {
  robot_module_t out;
  robot_discovery_t search;
  cr_assert(harness_until(rig.harness, search_is_over, &search, 10000));
  long offset = line_frames_now(rig.harness, &rig.sim);
  cr_assert_eq(module_do(5, 0, ROBOT_MODULE_ACT_PING, &out), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(out.address, 5);
  cr_assert_eq(line_frames_count(rig.harness, &rig.sim, offset, 5, 3, 0x0100), 1);
}

Test(bridge_registry, a_ping_without_an_answer_is_a_timeout) {
  robot_module_t out;
  (void)bridge_rig_ask(&rig, "fault 5 silent");
  cr_assert_eq(module_do(5, 0, ROBOT_MODULE_ACT_PING, &out), GANTRY_E_TIMEOUT);
  cr_assert_eq(module_do(77, 0, ROBOT_MODULE_ACT_PING, &out), GANTRY_E_NOT_FOUND);
  cr_assert_eq(module_do(5, 3, ROBOT_MODULE_ACT_PING, &out), GANTRY_E_NOT_FOUND);
}

Test(bridge_registry, a_reset_is_written_once) {
  robot_module_t out;
  long offset = line_frames_now(rig.harness, &rig.sim);
  cr_assert_eq(module_do(2, 0, ROBOT_MODULE_ACT_RESET, &out), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(line_frames_count(rig.harness, &rig.sim, offset, 2, 6, 0x0109), 1);
  (void)bridge_rig_ask(&rig, "fault 2 silent");
  offset = line_frames_now(rig.harness, &rig.sim);
  cr_assert_neq(module_do(2, 0, ROBOT_MODULE_ACT_RESET, &out), GANTRY_OK);
  cr_assert_leq(line_frames_count(rig.harness, &rig.sim, offset, 2, 6, 0x0109), 1);
}

Test(bridge_registry, a_reset_waits_until_the_robot_stands) {
  robot_module_t out;
  cr_assert_eq(bridge_rig_drive(&rig, 0.5, 500, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(module_do(2, 0, ROBOT_MODULE_ACT_RESET, &out), GANTRY_E_CONFLICT);
  cr_assert_eq(module_do(5, 0, ROBOT_MODULE_ACT_QUARANTINE, &out), GANTRY_E_CONFLICT);
}

static bool is_quiet(void *arg) {
  long *offset = arg;
  long before = *offset;
  *offset = line_frames_now(rig.harness, &rig.sim);
  return line_frames_count(rig.harness, &rig.sim, before, 5, ANY, ANY) == 0;
}

Test(bridge_registry, a_quarantined_module_is_left_alone_until_released) {
  robot_module_t out;
  robot_status_t status;
  cr_assert_eq(module_do(5, 0, ROBOT_MODULE_ACT_QUARANTINE, &out), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(out.status, ROBOT_MODULE_STATUS_QUARANTINED);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_INIT, 5000));
  long offset = line_frames_now(rig.harness, &rig.sim);
  cr_assert(harness_until(rig.harness, is_quiet, &offset, 5000));
  harness_for(rig.harness, 3000);
  cr_assert_eq(line_frames_count(rig.harness, &rig.sim, offset, 5, ANY, ANY), 0);
  cr_assert_eq(module_do(5, 0, ROBOT_MODULE_ACT_PING, &out), GANTRY_E_CONFLICT);
  cr_assert_eq(harness_call(rig.harness, REQUEST_ROBOT_STATUS, NULL, &(sys_empty_t){0}, &status,
                            1000, &fault),
               GANTRY_OK);
  cr_assert_not_null(strstr(status.waits_for, "quarantined"), "%s", status.waits_for);

  cr_assert_eq(module_do(5, 0, ROBOT_MODULE_ACT_RELEASE, &out), GANTRY_OK, "%s", fault.detail);

  await_idle();
}

static void restart(void) {
  bridge_rig_restart(&rig);
  events = harness_collect(rig.harness, "event.");
}

Test(bridge_registry, a_quarantine_survives_a_restart) {
  robot_module_t out;
  cr_assert_eq(module_do(5, 0, ROBOT_MODULE_ACT_QUARANTINE, &out), GANTRY_OK, "%s", fault.detail);
  restart();
  long offset = line_frames_now(rig.harness, &rig.sim);
  cr_assert(
      bridge_rig_await_module(&rig, "robot.module.dock", ROBOT_MODULE_STATUS_QUARANTINED, 5000));
  cr_assert(bridge_rig_await_module(&rig, "robot.module.power", ROBOT_MODULE_STATUS_HEALTHY, 5000));
  harness_for(rig.harness, 1500);
  cr_assert_eq(line_frames_count(rig.harness, &rig.sim, offset, 5, ANY, ANY), 0);
  cr_assert_neq(bridge_rig_safety(&rig)->state, ROBOT_FSM_STATE_IDLE);
  cr_assert_eq(module_do(5, 0, ROBOT_MODULE_ACT_RELEASE, &out), GANTRY_OK, "%s", fault.detail);
  await_idle();
}

Test(bridge_registry, a_firmware_changed_while_the_bridge_was_away_is_an_event) {
  cr_assert(await_event("MODULE-REGISTERED", 3000));
  harness_for(rig.harness, 500);
  (void)bridge_rig_ask(&rig, "firmware 2 0x0207");
  restart();
  cr_assert(await_event("MODULE-CHANGED", 5000));
  cr_assert_not(has_event((void *)"MODULE-REGISTERED"), "all of them are known");
  cr_assert_not(has_event((void *)"MODULE-DISCOVERED"));
}

Test(bridge_registry, a_torn_registry_is_set_aside) {
  char path[192];
  (void)snprintf(path, sizeof path, "%s/modules.list", rig.data);
  harness_destroy(&rig.harness);
  cr_assert_eq(truncate(path, 60), 0);
  bridge_rig_restart(&rig);
  events = harness_collect(rig.harness, "event.");
  await_idle();
  (void)snprintf(path, sizeof path, "%s/modules.list.bad", rig.data);
  cr_assert_eq(access(path, R_OK), 0);
}

Test(bridge_search, is_told_of_where_no_line_is_named, .timeout = 30) {
  harness_t *harness = harness_new();
  inbox_t *told = harness_collect(harness, "robot.discovery");
  (void)harness_open(harness, &RS485_BRIDGE, NULL);

  cr_assert(harness_collected(harness, told, 1, 5000));

  const robot_discovery_t *search = inbox_newest(told, "robot.discovery");
  cr_expect_eq(search->state, ROBOT_DISCOVERY_STATE_IDLE);
  cr_expect_not_null(strstr(search->detail, "no line"), "%s", search->detail);
  harness_destroy(&harness);
}
