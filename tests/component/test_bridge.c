/* The bridge against the plant simulator: what it publishes, and what it does when modules fall
 * silent. */
#include "bridge_rig.h"

#include <gantry/clock.h>

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static bridge_rig_t rig;
static gantry_fault_t fault;

static void set_up(void) {
  bridge_rig_open(&rig, NULL);
}

static void tear_down(void) {
  bridge_rig_close(&rig);
}

TestSuite(bridge, .init = set_up, .fini = tear_down, .timeout = 40);

Test(bridge, becomes_ready_when_all_modules_answer) {
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 5000));
  cr_assert(bridge_rig_safety(&rig)->motors_off);
}

Test(bridge, every_reading_appears) {
  static const char *const topics[] = {"raw.scan.LIDAR_001",  "raw.imu.ACCEL_001",
                                       "raw.range.RANGE_001", "raw.range.RANGE_004",
                                       "raw.range.PROX_002",  "raw.tag.RFID_001"};
  for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
    inbox_t *inbox = harness_collect(rig.harness, topics[i]);
    cr_assert(harness_collected(rig.harness, inbox, 1, 5000), "%s", topics[i]);
  }
}

Test(bridge, a_scan_is_a_whole_turn_with_its_birth_and_trace) {
  inbox_t *inbox = harness_collect(rig.harness, "raw.scan.");
  cr_assert(harness_collected(rig.harness, inbox, 2, 5000));
  const raw_scan_t *scan = inbox_body(inbox, 1);
  const frame_t *frame = inbox_frame(inbox, 1);
  cr_assert_eq(scan->ranges_count, 500);
  cr_assert_eq(scan->source, SYS_SOURCE_SIMULATED);
  cr_assert_float_eq((double)scan->turn_s, 0.1, 0.03);
  cr_assert_neq(frame->header.trace, 0);
  cr_assert_leq(frame->header.born, frame->header.mono);
}

Test(bridge, gravity_is_9_8_metres_per_second_squared) {
  inbox_t *inbox = harness_collect(rig.harness, "raw.imu.");
  cr_assert(harness_collected(rig.harness, inbox, 1, 5000));
  const raw_imu_t *imu = inbox_body(inbox, 0);
  cr_assert_float_eq(imu->z, 9.8, 0.3);
}

Test(bridge, power_is_told_in_volts_and_shares) {
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 5000));
  inbox_t *inbox = harness_collect(rig.harness, "robot.power");
  cr_assert(harness_collected(rig.harness, inbox, 1, 5000));
  const robot_power_t *power = inbox_body(inbox, 0);
  cr_assert_float_eq(power->charge, 0.85, 0.02);
  cr_assert_eq(power->cells_count, 6);
  double sum = 0.0;
  for (uint32_t i = 0; i < 6; i++)
    sum += power->cells[i];
  cr_assert_float_eq(power->voltage, sum, 0.3);
}

Test(bridge, modules_say_who_they_are) {
  robot_modules_t *modules = calloc(1, sizeof *modules);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 5000));
  gantry_err_t err = harness_call(rig.harness, REQUEST_ROBOT_MODULES, NULL, &(sys_empty_t){0},
                                  modules, 1000, &fault);
  cr_assert_eq(err, GANTRY_OK);
  cr_assert_eq(modules->modules_count, 4);
  cr_assert_str_eq(modules->modules[2].name, "travel_motor");
  cr_assert_eq(modules->modules[2].device_id, 4);
  cr_assert_eq(modules->modules[2].status, ROBOT_MODULE_STATUS_HEALTHY);
  cr_assert_str_eq(modules->modules[2].firmware, "1.1");
  free(modules);
}

Test(bridge, a_discovery_finds_them_again) {
  robot_modules_t *modules = calloc(1, sizeof *modules);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 5000));
  gantry_err_t err = harness_call(rig.harness, REQUEST_ROBOT_DISCOVER, NULL, &(sys_empty_t){0},
                                  modules, 5000, &fault);
  cr_assert_eq(err, GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(modules->modules_count, 4);
  free(modules);
}

Test(bridge, registers_are_read_on_request) {
  robot_registers_t registers;
  robot_registers_read_t takes = {.address = 5, .register_ = 0x7002, .count = 3};
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 5000));
  gantry_err_t err = harness_call(rig.harness, REQUEST_ROBOT_REGISTERS_READ, NULL, &takes,
                                  &registers, 1000, &fault);
  cr_assert_eq(err, GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(registers.values_count, 3);
  cr_assert_eq(registers.values[0], bridge_rig_register(&rig, 5, 0x7002));
}

Test(bridge, a_register_that_is_not_there_is_not_found) {
  robot_registers_t registers;
  robot_registers_read_t takes = {.address = 5, .register_ = 0x1234, .count = 1};
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 5000));
  gantry_err_t err = harness_call(rig.harness, REQUEST_ROBOT_REGISTERS_READ, NULL, &takes,
                                  &registers, 1000, &fault);
  cr_assert_eq(err, GANTRY_E_NOT_FOUND);
}

/* Over two seconds; state is what the simulator counted. */
static bool keeps_its_rates(const char **state) {
  (void)bridge_rig_ask(&rig, "line clear");
  harness_for(rig.harness, 2000);
  *state = bridge_rig_ask(&rig, "state");
  return sim_process_number(*state, "collisions") == 0 &&
         sim_process_number(*state, "requests") >= 0.9 * 2 * 111 &&
         fabs(sim_process_number(*state, "utilisation") - 0.73) <= 0.08;
}

/* A machine that holds the bridge or the simulator up may spoil a span, a fault of the line's
   master would spoil every one. */
Test(bridge, the_line_keeps_its_rates_without_collisions) {
  const char *state = "";
  bool keeps = false;
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 5000));
  for (int span = 0; span < 4 && !keeps; span++)
    keeps = keeps_its_rates(&state);
  cr_assert(keeps, "%s", state);
}

typedef struct silence {
  const char *topic;
} silence_t;

static bool dock_is_gone(void *arg) {
  (void)arg;
  const robot_module_t *module = inbox_newest(rig.robot, "robot.module.dock");
  return module && module->status >= ROBOT_MODULE_STATUS_LOST;
}

static bool dock_is_back(void *arg) {
  (void)arg;
  const robot_module_t *module = inbox_newest(rig.robot, "robot.module.dock");
  return module && module->status == ROBOT_MODULE_STATUS_HEALTHY;
}

Test(bridge, a_silent_module_stops_only_its_own_streams) {
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 5000));
  (void)bridge_rig_ask(&rig, "fault 0x05 silent");
  cr_assert(harness_until(rig.harness, dock_is_gone, NULL, 5000));
  inbox_t *imu = harness_collect(rig.harness, "raw.imu.");
  inbox_t *range = harness_collect(rig.harness, "raw.range.RANGE_001");

  harness_for(rig.harness, 2000);

  cr_assert_eq(inbox_count(imu), 0, "a silent module has nothing to say");
  cr_assert_geq(inbox_count(range), 12, "the others go on, ten times a second");
  cr_assert_eq(bridge_rig_safety(&rig)->latched, false);
}

Test(bridge, a_module_that_comes_back_is_found) {
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 5000));
  (void)bridge_rig_ask(&rig, "fault 0x05 silent");
  cr_assert(harness_until(rig.harness, dock_is_gone, NULL, 5000));
  (void)bridge_rig_ask(&rig, "fault 0x05 clear");
  cr_assert(harness_until(rig.harness, dock_is_back, NULL, 8000));
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 3000));
}

Test(bridge, damaged_answers_take_no_module_away) {
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 5000));
  (void)bridge_rig_ask(&rig, "fault 0x05 crc 5%");
  (void)bridge_rig_ask(&rig, "fault 0x03 crc 5%");
  harness_for(rig.harness, 2000);
  cr_assert_eq(bridge_rig_safety(&rig)->state, ROBOT_FSM_STATE_IDLE);
}

Test(bridge, an_unplugged_line_is_opened_again) {
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 5000));
  (void)bridge_rig_ask(&rig, "unplug rs485");
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_INIT, 3000));
  (void)bridge_rig_ask(&rig, "plug rs485");
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 3000));
}

Test(bridge, a_lidar_that_stops_says_nothing_and_comes_back) {
  inbox_t *scans = harness_collect(rig.harness, "raw.scan.");
  cr_assert(harness_collected(rig.harness, scans, 1, 5000));
  (void)bridge_rig_ask(&rig, "lidar stop");
  harness_for(rig.harness, 300);
  inbox_clear(scans);
  harness_for(rig.harness, 500);
  cr_assert_eq(inbox_count(scans), 0);
  (void)bridge_rig_ask(&rig, "lidar start");
  cr_assert(harness_collected(rig.harness, scans, 1, 8000));
}
