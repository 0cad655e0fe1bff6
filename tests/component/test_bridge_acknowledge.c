/* A fault in the acknowledgement of a stop is never answered as success, is told, and is retried
   until the motors are read back off. On the simulator's transcript, by way of a liar on the line.
 */
#include "bridge_rig.h"
#include "line_frames.h"
#include "liar.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define STOP_1 "\"0410000100020400000000"
#define STOP_2 "\"0410001100020400000000"

static bridge_rig_t rig;
static liar_t liar;
static inbox_t *audits;
static gantry_fault_t fault;
static robot_safety_t stopped;

static void set_up(void) {
  char setting[96];
  liar_open(&liar);
  (void)snprintf(setting, sizeof setting, "rs485_port=%s", liar.pair.path);
  bridge_rig_open(&rig, setting);
  audits = harness_collect(rig.harness, "audit.");
  liar_join(&liar, rig.sim.rs485);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
}

static void tear_down(void) {
  liar_tell(&liar, LIAR_HONEST);
  bridge_rig_close(&rig);
  liar_close(&liar);
}

TestSuite(bridge_acknowledge, .init = set_up, .fini = tear_down, .timeout = 60);

static void drive(void) {
  cr_assert(bridge_rig_get_driving(&rig, 0.5, &fault), "%s", bridge_rig_safety(&rig)->detail);
  inbox_clear(audits);
}

static bool is_confirmed(void *arg) {
  (void)arg;
  const robot_safety_t *safety = bridge_rig_safety(&rig);
  return safety->phase == ROBOT_STOP_PHASE_CONFIRMED && safety->motors_off;
}

static unsigned successes(void) {
  unsigned count = 0;
  for (size_t i = 0; i < inbox_count(audits); i++) {
    const sys_audit_t *audit = inbox_body(audits, i);
    count += audit && strcmp(audit->action, "robot.estop") == 0 && audit->success;
  }
  return count;
}

/* Drives, asks for a stop, and while the fault lasts sees it refused and said again; then sees it
 * confirmed without being asked for again. */
static void expect_no_success(const char *words) {
  const robot_safety_t *safety;
  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_E_TIMEOUT, "%s: answered %d %s",
               words, (int)fault.err, fault.detail);
  cr_assert(bridge_rig_await_phase(&rig, ROBOT_STOP_PHASE_UNCONFIRMED, 1000), "%s", words);
  safety = bridge_rig_safety(&rig);
  cr_assert(safety->latched, "%s", words);
  cr_assert_not(safety->motors_off, "%s", words);
  unsigned before = bridge_rig_frames(&rig, STOP_1);
  harness_for(rig.harness, 400);
  cr_assert_gt(bridge_rig_frames(&rig, STOP_1), before, "%s: it is said again", words);
  cr_assert_eq(successes(), 0, "%s: nor is it recorded as one", words);
  cr_assert_neq(bridge_rig_reset(&rig, true, true, &fault), GANTRY_OK, "%s", words);
}

static void expect_recovery(void) {
  cr_assert(harness_until(rig.harness, is_confirmed, NULL, 5000));
  cr_assert(bridge_rig_is_off(&rig));
  cr_assert_gt(bridge_rig_frames(&rig, STOP_2), 0);
  cr_assert_eq(successes(), 1, "%u", successes());
  cr_assert(bridge_rig_await_reset(&rig, 5000, &fault), "%s", fault.detail);
}

static void check_lie(lie_t lie, const char *words) {
  drive();
  liar_tell(&liar, lie);
  expect_no_success(words);
  liar_tell(&liar, LIAR_HONEST);
  expect_recovery();
}

Test(bridge_acknowledge, for_another_register_is_none) {
  check_lie(LIAR_OTHER_ECHO, "an echo of another register");
}

Test(bridge_acknowledge, without_zero_read_back_is_none) {
  check_lie(LIAR_STILL_ON, "read back on");
}

Test(bridge_acknowledge, of_one_motor_is_not_that_of_both) {
  check_lie(LIAR_SECOND_MUTE, "the second motor mute");
}

Test(bridge_acknowledge, is_missed_when_only_the_echo_is_lost) {
  check_lie(LIAR_NO_ECHO, "no echo");
}

Test(bridge_acknowledge, is_missed_when_only_the_read_back_is_lost) {
  check_lie(LIAR_NO_READ_BACK, "no read-back");
}

Test(bridge_acknowledge, is_not_the_answer_to_something_else) {
  check_lie(LIAR_OLD_ANSWER, "a read's answer");
}

static void check_fault(const char *command) {
  drive();
  cr_assert_not_null(strstr(bridge_rig_ask(&rig, command), "\"ok\":true"), "%s", command);
  expect_no_success(command);
  (void)bridge_rig_ask(&rig, "fault 0x04 clear");
  expect_recovery();
}

Test(bridge_acknowledge, of_a_silent_module_is_none) {
  check_fault("fault 0x04 silent");
}

Test(bridge_acknowledge, by_an_exception_is_none) {
  check_fault("fault 0x04 exception 4");
}

Test(bridge_acknowledge, with_a_wrong_checksum_is_none) {
  check_fault("fault 0x04 crc 100%");
}

Test(bridge_acknowledge, of_garbage_is_none) {
  check_fault("fault 0x04 garbage");
}

Test(bridge_acknowledge, from_another_address_is_none) {
  check_fault("fault 0x04 alias 9");
}

Test(bridge_acknowledge, that_comes_too_late_is_none) {
  check_fault("fault 0x04 late 300ms");
}

typedef struct stop_starts {
  double ms[64];
  size_t count;
} stop_starts_t;

/* When the stop's first frame began on the line, each time since offset. */
static stop_starts_t stops_since(long offset) {
  char text[1024];
  stop_starts_t starts = {0};
  (void)line_frames_now(rig.harness, &rig.sim);
  FILE *file = fopen(rig.sim.transcript, "r");
  cr_assert_not_null(file);
  (void)fseek(file, offset, SEEK_SET);
  while (fgets(text, sizeof text, file) && starts.count < 64)
    if (strstr(text, STOP_1))
      starts.ms[starts.count++] = sim_process_number(text, "start_ns") / 1e6;
  (void)fclose(file);
  return starts;
}

Test(bridge_acknowledge, is_asked_for_again_at_once_while_the_first_rounds_are_spoiled) {
  robot_estop_t takes = {.reason = "test", .cause = ROBOT_CAUSE_SOFTWARE};
  unsigned soon = 0;
  drive();
  long offset = line_frames_now(rig.harness, &rig.sim);
  (void)bridge_rig_drive(&rig, 0.5, 500, &fault);
  liar_tell_for(&liar, LIAR_STILL_ON, 12);

  cr_assert_eq(harness_call(rig.harness, REQUEST_ROBOT_ESTOP, NULL, &takes, &stopped, 1000, &fault),
               GANTRY_OK, "%s", fault.detail);

  stop_starts_t starts = stops_since(offset);
  cr_assert_geq(starts.count, 6);
  for (size_t i = 1; i < starts.count; i++)
    soon += starts.ms[i] - starts.ms[i - 1] < 100.0;
  cr_assert_geq(soon, 4, "%u of %zu", soon, starts.count - 1);
}

Test(bridge_acknowledge, that_never_comes_leaves_the_line_to_the_others) {
  drive();
  long offset = line_frames_now(rig.harness, &rig.sim);
  (void)bridge_rig_ask(&rig, "fault 0x04 silent");
  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_E_TIMEOUT);
  harness_for(rig.harness, 500);

  /* Each round says it twice, and a poll of the safety module may come behind each. */
  size_t said = stops_since(offset).count;
  unsigned polls = line_frames_count(rig.harness, &rig.sim, offset, 3, 3, ANY);
  cr_assert_geq(said, 8);
  cr_assert_geq(4 * polls, said, "%u polls, %zu frames", polls, said);

  harness_for(rig.harness, 2000);
  offset = line_frames_now(rig.harness, &rig.sim);
  harness_for(rig.harness, 750);
  said = stops_since(offset).count;
  cr_assert(said >= 2 && said <= 22, "in a second: %zu", said);
}
