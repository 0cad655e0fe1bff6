/* A line closed and opened by order, and a module that starts anew by itself. */
#include "bridge_rig.h"
#include "line_frames.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <string.h>

#define STOP_1   "\"0410000100020400000000"
#define STOP_2   "\"0410001100020400000000"
#define IDENTITY "\"03030100" /* the safety module's: asked when a line has opened */

static bridge_rig_t rig;
static gantry_fault_t fault;

static void set_up(void) {
  bridge_rig_open(&rig, NULL);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
}

static void tear_down(void) {
  bridge_rig_close(&rig);
}

TestSuite(bridge_restart, .init = set_up, .fini = tear_down, .timeout = 60);

static gantry_err_t restart(unsigned number) {
  robot_line_of_t takes = {.has_port = number != 0, .port = (uint8_t)number};
  sys_empty_t gives;
  return harness_call(rig.harness, REQUEST_ROBOT_LINE_RESTART, NULL, &takes, &gives, 5000, &fault);
}

static unsigned times_reopened(void) {
  robot_lines_t lines;
  cr_assert_eq(
      harness_call(rig.harness, REQUEST_ROBOT_LINES, NULL, &(sys_empty_t){0}, &lines, 1000, &fault),
      GANTRY_OK);
  return (unsigned)lines.lines[0].reopened;
}

/* Which request since offset is the first that holds hex; -1: none. */
static int place_of(long offset, const char *hex) {
  char text[1024];
  int place = 0, found = -1;
  FILE *file = fopen(rig.sim.transcript, "r");
  cr_assert_not_null(file);
  (void)fseek(file, offset, SEEK_SET);
  while (found < 0 && fgets(text, sizeof text, file)) {
    if (!strstr(text, "\"dir\":\"request\"")) continue;
    if (strstr(text, hex)) found = place;
    place++;
  }
  (void)fclose(file);
  return found;
}

static bool is_searched(void *arg) {
  (void)arg;
  const robot_discovery_t *search = inbox_newest(rig.robot, "robot.discovery");
  return search && search->state == ROBOT_DISCOVERY_STATE_DONE;
}

static bool drives(void *arg) {
  (void)arg;
  return bridge_rig_drive(&rig, 0.2, 300, &fault) == GANTRY_OK;
}

Test(bridge_restart, a_line_restarted_at_rest_begins_with_the_stop_and_latches_nothing) {
  cr_assert(harness_until(rig.harness, is_searched, NULL, 20000)); /* all are identified */
  long offset = line_frames_now(rig.harness, &rig.sim);
  cr_assert_eq(times_reopened(), 0);

  cr_assert_eq(restart(0), GANTRY_OK, "%s", fault.detail);

  cr_assert_eq(times_reopened(), 1);
  cr_assert(harness_until(rig.harness, drives, NULL, 10000), "%s", fault.detail);
  cr_assert_not(bridge_rig_safety(&rig)->latched, "%s", bridge_rig_safety(&rig)->detail);
  (void)line_frames_now(rig.harness, &rig.sim);
  int first = place_of(offset, STOP_1), second = place_of(offset, STOP_2);
  int identity = place_of(offset, IDENTITY);
  cr_assert_geq(first, 0);
  cr_assert_gt(second, first); /* with the first once more between them, where its answer is late */
  cr_assert_gt(identity, second, "whom it finds is asked for behind them");
}

Test(bridge_restart, can_be_done_again) {
  for (unsigned i = 1; i <= 3; i++) {
    cr_assert_eq(restart(1), GANTRY_OK, "%s", fault.detail);
    cr_assert_eq(times_reopened(), i);
  }
}

Test(bridge_restart, is_refused_while_the_robot_moves) {
  cr_assert_eq(bridge_rig_drive(&rig, 0.3, 500, &fault), GANTRY_OK, "%s", fault.detail);

  cr_assert_eq(restart(1), GANTRY_E_CONFLICT);

  cr_assert_str_eq(fault.detail, "the robot moves; halt it first");
  cr_assert_eq(times_reopened(), 0);
}

Test(bridge_restart, of_a_line_that_is_not_there_is_refused) {
  cr_assert_eq(restart(9), GANTRY_E_NOT_FOUND);
  cr_assert_str_eq(fault.field, "port");
  cr_assert_not_null(strstr(fault.detail, "no line 9"), "%s", fault.detail);
}

static bool is_closed(void *arg) {
  robot_lines_t *lines = arg;
  return harness_call(rig.harness, REQUEST_ROBOT_LINES, NULL, &(sys_empty_t){0}, lines, 1000,
                      &fault) == GANTRY_OK &&
         !lines->lines[0].open;
}

Test(bridge_restart, of_a_line_that_is_gone_says_that_it_is_tried_by_itself) {
  robot_lines_t lines;
  (void)bridge_rig_ask(&rig, "unplug rs485");
  cr_assert(harness_until(rig.harness, is_closed, &lines, 10000));

  cr_assert_eq(restart(1), GANTRY_E_UNAVAILABLE);

  cr_assert_not_null(strstr(fault.detail, "tried again by itself"), "%s", fault.detail);
  (void)bridge_rig_ask(&rig, "plug rs485");
  cr_assert(harness_until(rig.harness, drives, NULL, 20000), "%s", fault.detail);
  cr_assert_eq(times_reopened(), 1);
}

/* Renews the drive and says whether the robot was stopped. */
static bool stops_while_driven(void *arg) {
  uint64_t *renewed_ns = arg, now_ns = clock_mono_ns();
  if (now_ns - *renewed_ns > 150 * (uint64_t)GANTRY_NS_PER_MS) {
    (void)bridge_rig_drive(&rig, 0.3, 500, &fault);
    *renewed_ns = now_ns;
  }
  return bridge_rig_safety(&rig)->latched;
}

static bool goes_full_speed(void *arg) {
  if (bridge_rig_stopped_itself(&rig)) (void)bridge_rig_reset(&rig, true, true, &fault);
  (void)stops_while_driven(arg);
  return sim_process_number(bridge_rig_ask(&rig, "state"), "speed_mps") > 0.29;
}

/* Too short for a module that is lost: only that nothing moves tells of it. */
Test(bridge_restart, of_a_travel_module_while_driving_ends_in_a_fault_with_the_motors_off) {
  uint64_t renewed_ns = 0;
  for (int attempt = 0; attempt < 3; attempt++) {
    cr_assert(harness_until(rig.harness, goes_full_speed, &renewed_ns, 10000));
    harness_for(rig.harness, 300); /* the set-point has been written for the last time */

    (void)bridge_rig_ask(&rig, "module 0x04 off");
    (void)bridge_rig_ask(&rig, "module 0x04 on");
    cr_assert_eq(bridge_rig_register(&rig, 4, 0x0001), 0, "its enable is lost");

    cr_assert(harness_until(rig.harness, stops_while_driven, &renewed_ns, 10000));
    if (!bridge_rig_stopped_itself(&rig)) break;
  }
  const robot_safety_t *safety = bridge_rig_safety(&rig);
  cr_assert_eq(safety->state, ROBOT_FSM_STATE_FAULT);
  cr_assert_eq(safety->cause, ROBOT_CAUSE_MOTOR_FAULT);
  cr_assert_not_null(strstr(safety->detail, "no sensor sees"), "%s", safety->detail);
  cr_assert(bridge_rig_is_off(&rig));
}
