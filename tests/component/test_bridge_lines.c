/* Several lines in one bridge, asserted on the simulators' transcripts of bytes. */
#include "bridge_rig.h"
#include "line_frames.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bridge_rig_t rig;
static sim_process_t second;
static gantry_fault_t fault;

static void await_idle(void) {
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 10000));
}

static void set_up(void) {
  bridge_rig_open(&rig, NULL);
  await_idle();
}

static void tear_down(void) {
  bridge_rig_close(&rig);
}

TestSuite(bridge_line, .init = set_up, .fini = tear_down, .timeout = 60);

static gantry_err_t module_do(unsigned address, unsigned port, robot_module_act_t act,
                              robot_module_t *out) {
  robot_module_do_t order = {.address = (uint8_t)address, .port = (uint8_t)port, .act = act};
  order.has_port = port != 0;
  return harness_call(rig.harness, REQUEST_ROBOT_MODULE_DO, NULL, &order, out, 1000, &fault);
}

static const robot_line_t *line_of(robot_lines_t *out, unsigned number) {
  cr_assert_eq(
      harness_call(rig.harness, REQUEST_ROBOT_LINES, NULL, &(sys_empty_t){0}, out, 1000, &fault),
      GANTRY_OK);
  cr_assert_geq(out->lines_count, number);
  return &out->lines[number - 1];
}

Test(bridge_line, a_line_says_how_busy_it_is) {
  robot_lines_t out;
  harness_for(rig.harness, 1000);
  (void)bridge_rig_ask(&rig, "line clear");
  harness_for(rig.harness, 3000);
  const robot_line_t *line = line_of(&out, 1);
  const char *state = bridge_rig_ask(&rig, "state");
  double wire = sim_process_number(state, "utilisation");
  double rate = sim_process_number(state, "requests") / 3.0;
  cr_assert(line->open);
  cr_assert_eq(out.lines_count, 1);
  cr_assert_eq(line->online, 4);
  cr_assert_float_eq(line->load, 0.74, 0.1, "the plan's arithmetic: %.2f", line->load);
  cr_assert_float_eq(line->utilisation, wire, 0.25, "%.2f, on the wire %.2f", line->utilisation,
                     wire);
  cr_assert_float_eq(line->transactions, rate, 0.35 * rate);
  cr_assert_gt(line->response_p95_ms, 2.0);
  cr_assert_lt(line->response_p95_ms, 100.0);
}

/* An odometry block that is refused is asked for again after 5 s. */
Test(bridge_line, motors_read_in_place_of_odometry_are_read_as_planned_once_it_is_back) {
  (void)bridge_rig_ask(&rig, "fault 4 exception 2");
  harness_for(rig.harness, 1000);
  (void)bridge_rig_ask(&rig, "fault 4 clear");
  harness_for(rig.harness, 7000);
  long offset = line_frames_now(rig.harness, &rig.sim);
  harness_for(rig.harness, 2000);
  unsigned odometry = line_frames_count(rig.harness, &rig.sim, offset, 4, 3, 0x0040);
  unsigned motor = line_frames_count(rig.harness, &rig.sim, offset, 4, 3, 0x0005);
  cr_assert_gt(odometry, 20, "%u", odometry);
  cr_assert_lt(motor, odometry / 2, "5 Hz and 20 Hz: %u and %u", motor, odometry);
}

static void await_second(void) {
  cr_assert(
      bridge_rig_await_module(&rig, "robot.module.2-0x0b", ROBOT_MODULE_STATUS_HEALTHY, 20000));
}

static void begin_two(void) {
  static const char *const arguments[] = {"--realtime", "--modules", "6,11", NULL};
  char extra[192];
  sim_process_start(&second, arguments);
  (void)snprintf(extra, sizeof extra, "more_ports=%s,first=2,last=12", second.rs485);
  bridge_rig_open(&rig, extra);
  await_idle();
  await_second();
}

static void end_two(void) {
  bridge_rig_close(&rig);
  sim_process_stop(&second);
}

TestSuite(bridge_lines, .init = begin_two, .fini = end_two, .timeout = 90);

Test(bridge_lines, a_second_line_has_modules_of_its_own) {
  const robot_module_t *module = inbox_newest(rig.robot, "robot.module.2-0x0b");
  robot_lines_t out;
  robot_module_t pinged;
  cr_assert(module->has_port);
  cr_assert_eq(module->port, 2);
  cr_assert_not(module->mandatory);
  cr_assert_eq(module->address, 11);
  cr_assert_eq(line_of(&out, 2)->port, 2);
  cr_assert_geq(line_of(&out, 2)->online, 1);
  long offset = line_frames_now(rig.harness, &second);
  cr_assert_eq(module_do(11, 2, ROBOT_MODULE_ACT_PING, &pinged), GANTRY_OK, "%s", fault.detail);
  cr_assert_geq(line_frames_count(rig.harness, &second, offset, 11, 3, ANY), 1);
  cr_assert_eq(line_frames_count(rig.harness, &rig.sim, 0, 11, ANY, ANY), 0,
               "nothing of it on the first line");
}

static bool second_is_closed(void *arg) {
  return !line_of(arg, 2)->open;
}

static bool second_is_open(void *arg) {
  return line_of(arg, 2)->open;
}

/* A busy machine may hold the first line up in one span; what the second does to it comes in each.
 */
#define SPANS    4u
#define WORST_MS 150.0

/* The safety polls of the first line while the second is unplugged and plugged in again. */
static line_gap_t unplug_second(void) {
  robot_lines_t out;
  line_gap_t gap = {.unit = 3, .first = 0x0000};
  long offset = line_frames_now(rig.harness, &rig.sim);
  (void)sim_process_ask(&second, "unplug rs485");
  cr_assert(harness_until(rig.harness, second_is_closed, &out, 5000));
  harness_for(rig.harness, 2000);
  (void)sim_process_ask(&second, "plug rs485");
  cr_assert(harness_until(rig.harness, second_is_open, &out, 5000));
  await_second();
  line_frames_gap(rig.harness, &rig.sim, offset, &gap);
  return gap;
}

Test(bridge_lines, an_unplugged_line_disturbs_no_other) {
  robot_lines_t out;
  unsigned turns = 0;
  double worst_ms = WORST_MS;
  for (; turns < SPANS && worst_ms >= WORST_MS; turns++)
    worst_ms = unplug_second().worst_ms;
  cr_assert_lt(worst_ms, WORST_MS, "%.1f ms", worst_ms);
  cr_assert_eq(line_of(&out, 2)->reopened, turns);
  cr_assert_eq(line_of(&out, 1)->reopened, 0);
  cr_assert_eq(bridge_rig_safety(&rig)->state, ROBOT_FSM_STATE_IDLE);
}

static line_gap_t kill_second(void) {
  line_gap_t gap = {.unit = 3, .first = 0x0000};
  long offset = line_frames_now(rig.harness, &rig.sim);
  (void)sim_process_ask(&second, "world stop");
  harness_for(rig.harness, 3000);
  line_frames_gap(rig.harness, &rig.sim, offset, &gap);
  return gap;
}

Test(bridge_lines, a_dead_line_disturbs_no_other) {
  line_gap_t gap = kill_second();
  for (unsigned turns = 1; turns < SPANS && (gap.worst_ms >= WORST_MS || gap.count < 58); turns++) {
    (void)sim_process_ask(&second, "world start");
    await_second();
    gap = kill_second();
  }
  cr_assert_lt(gap.worst_ms, WORST_MS, "%.1f ms", gap.worst_ms);
  cr_assert_geq(gap.count, 58, "20 Hz over 3 s: %u", gap.count);
  cr_assert_eq(bridge_rig_safety(&rig)->latched, false);
}

static char device[64]; /* the line's pty */

/* No descriptor of this process, which the bridge lives in, is the line's pty any more. */
static bool device_is_closed(double ignored) {
  (void)ignored;
  DIR *folder = opendir("/proc/self/fd");
  bool open = false;
  for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
    char target[64] = "";
    ssize_t len = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
    open |= len > 0 && strncmp(target, device, strlen(device)) == 0;
  }
  (void)closedir(folder);
  return !open;
}

static bool mailbox_is_full(double since) {
  return sim_process_number(bridge_rig_ask(&rig, "state"), "answers") >= since + 330.0;
}

/* Looks again and again while the loop stands still: nothing here steps the harness. */
static void stand_still_until(bool (*is)(double), double arg) {
  int64_t until_ms = sim_process_now_ms() + 20000;
  while (!is(arg)) {
    cr_assert_lt(sim_process_now_ms(), until_ms);
    (void)poll(NULL, 0, 10);
  }
}

static bool line_is_told_closed(void *arg) {
  (void)arg;
  const robot_line_t *said = inbox_newest(rig.robot, "robot.line.1");
  return said && !said->open;
}

Test(bridge_line, a_loop_that_stood_still_learns_that_the_device_has_gone_and_come) {
  robot_safety_t stopped;
  cr_assert_gt(readlink(rig.sim.rs485, device, sizeof device - 1), 0);
  stand_still_until(mailbox_is_full, sim_process_number(bridge_rig_ask(&rig, "state"), "answers"));

  (void)bridge_rig_ask(&rig, "unplug rs485");
  stand_still_until(device_is_closed, 0.0);

  cr_assert(harness_until(rig.harness, line_is_told_closed, NULL, 5000));
  (void)bridge_rig_ask(&rig, "plug rs485");
  await_idle();
  cr_assert_eq(bridge_rig_stop(&rig, &stopped, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert(bridge_rig_is_off(&rig));
}
