/* The bridge on a simulator. */
#include "bridge_rig.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bridge.h"

typedef struct wanted {
  bridge_rig_t *rig;
  robot_fsm_state_t state;
  robot_stop_phase_t phase;
  bool zero;
} wanted_t;

#define SETTINGS_MAX  8
#define ARGUMENTS_MAX 12

static char extra_settings[SETTINGS_MAX][192]; /* kept for a restart */

static void open_bridge(bridge_rig_t *rig) {
  char rs485[128], lidar[128], data[128];
  (void)snprintf(rs485, sizeof rs485, "rs485_port=%s", rig->sim.rs485);
  (void)snprintf(lidar, sizeof lidar, "lidar_port=%s", rig->sim.lidar);
  (void)snprintf(data, sizeof data, "data=%s", rig->data);
  const char *settings[5 + SETTINGS_MAX] = {rs485, lidar, data, "source=simulated"};
  for (size_t i = 0; i < SETTINGS_MAX && extra_settings[i][0]; i++)
    settings[4 + i] = extra_settings[i];
  rig->run = harness_open(rig->harness, &RS485_BRIDGE, settings);
}

/* The bridge lives in the test's own thread here. As in a process of its own it goes first, where
   the kernel allows it: starved, it would stop the robot, as is its duty. */
static void go_first(void) {
  const struct sched_param priority = {.sched_priority = 1};
  (void)pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority);
}

static void open_harness(bridge_rig_t *rig) {
  rig->harness = harness_new();
  rig->robot = harness_collect(rig->harness, "robot.");
  open_bridge(rig);
}

void bridge_rig_open(bridge_rig_t *rig, const char *extra) {
  bridge_rig_open_with(rig, (const char *[]){extra, NULL}, NULL);
}

void bridge_rig_open_with(bridge_rig_t *rig, const char *const *settings,
                          const char *const *arguments) {
  memset(rig, 0, sizeof *rig);
  memset(extra_settings, 0, sizeof extra_settings);
  for (size_t i = 0; settings && settings[i] && i < SETTINGS_MAX; i++)
    (void)snprintf(extra_settings[i], sizeof extra_settings[i], "%s", settings[i]);
  /* A device is on time whatever else the machine does; a late one would look like a fault. */
  const char *all[2 + ARGUMENTS_MAX] = {"--realtime"};
  for (size_t i = 0; arguments && arguments[i] && i < ARGUMENTS_MAX; i++)
    all[1 + i] = arguments[i];
  sim_process_start(&rig->sim, all);
  go_first();
  (void)snprintf(rig->data, sizeof rig->data, "%s/data", rig->sim.folder);
  open_harness(rig);
}

void bridge_rig_close(bridge_rig_t *rig) {
  char path[128];
  harness_destroy(&rig->harness);
  static const char *const files[] = {"stop.latch", "modules.list", "modules.list.bad",
                                      "rs485-bridge.outbox", "rs485-bridge.running"};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    (void)snprintf(path, sizeof path, "%s/%s", rig->data, files[i]);
    (void)unlink(path);
  }
  (void)rmdir(rig->data);
  sim_process_stop(&rig->sim);
}

void bridge_rig_restart(bridge_rig_t *rig) {
  harness_destroy(&rig->harness); /* the tap too: over inproc nobody connects again */
  open_harness(rig);
}

const robot_safety_t *bridge_rig_safety(bridge_rig_t *rig) {
  return inbox_newest(rig->robot, "robot.safety");
}

static bool is_in_state(void *arg) {
  const wanted_t *wanted = arg;
  const robot_safety_t *safety = bridge_rig_safety(wanted->rig);
  return safety && safety->state == wanted->state;
}

const robot_safety_t *bridge_rig_await(bridge_rig_t *rig, robot_fsm_state_t state, uint32_t ms) {
  wanted_t wanted = {.rig = rig, .state = state};
  return harness_until(rig->harness, is_in_state, &wanted, ms) ? bridge_rig_safety(rig) : NULL;
}

static bool is_in_phase(void *arg) {
  const wanted_t *wanted = arg;
  const robot_safety_t *safety = bridge_rig_safety(wanted->rig);
  return safety && safety->phase == wanted->phase;
}

bool bridge_rig_await_phase(bridge_rig_t *rig, robot_stop_phase_t phase, uint32_t ms) {
  wanted_t wanted = {.rig = rig, .phase = phase};
  return harness_until(rig->harness, is_in_phase, &wanted, ms);
}

const char *bridge_rig_ask(bridge_rig_t *rig, const char *command) {
  return sim_process_ask(&rig->sim, command);
}

unsigned bridge_rig_register(bridge_rig_t *rig, unsigned unit, unsigned address) {
  char command[48];
  (void)snprintf(command, sizeof command, "reg 0x%02x 0x%04x", unit, address);
  return (unsigned)sim_process_number(sim_process_ask(&rig->sim, command), "value");
}

bool bridge_rig_is_off(bridge_rig_t *rig) {
  static const unsigned addresses[] = {0x0001, 0x0002, 0x0011, 0x0012};
  for (size_t i = 0; i < 4; i++)
    if (bridge_rig_register(rig, 4, addresses[i]) != 0) return false;
  return true;
}

static bool has_setpoint(void *arg) {
  const wanted_t *wanted = arg;
  return (bridge_rig_register(wanted->rig, 4, 0x0002) == 0) == wanted->zero;
}

bool bridge_rig_await_setpoint(bridge_rig_t *rig, bool zero, uint32_t ms) {
  wanted_t wanted = {.rig = rig, .zero = zero};
  return harness_until(rig->harness, has_setpoint, &wanted, ms);
}

gantry_err_t bridge_rig_drive(bridge_rig_t *rig, double speed, uint32_t hold_ms,
                              gantry_fault_t *fault) {
  robot_drive_t takes = {.direction = ROBOT_DIRECTION_FORWARD, .speed = speed, .hold_ms = hold_ms};
  robot_driving_t gives;
  return harness_call(rig->harness, REQUEST_ROBOT_DRIVE, NULL, &takes, &gives, 1000, fault);
}

gantry_err_t bridge_rig_stop(bridge_rig_t *rig, robot_safety_t *out, gantry_fault_t *fault) {
  robot_estop_t takes = {.reason = "test", .cause = ROBOT_CAUSE_SOFTWARE};
  return harness_call(rig->harness, REQUEST_ROBOT_ESTOP, NULL, &takes, out, 150, fault);
}

gantry_err_t bridge_rig_reset(bridge_rig_t *rig, bool safe, bool location, gantry_fault_t *fault) {
  robot_estop_reset_t takes = {.safe_confirm = safe, .location_ok = location, .reason = "test"};
  robot_safety_t gives;
  return harness_call(rig->harness, REQUEST_ROBOT_ESTOP_RESET, NULL, &takes, &gives, 500, fault);
}

typedef struct wanted_reset {
  bridge_rig_t *rig;
  gantry_fault_t *fault;
} wanted_reset_t;

static bool is_reset(void *arg) {
  const wanted_reset_t *wanted = arg;
  return bridge_rig_reset(wanted->rig, true, true, wanted->fault) == GANTRY_OK;
}

bool bridge_rig_await_reset(bridge_rig_t *rig, uint32_t ms, gantry_fault_t *fault) {
  return harness_until(rig->harness, is_reset, &(wanted_reset_t){rig, fault}, ms);
}

bool bridge_rig_stopped_itself(bridge_rig_t *rig) {
  const robot_safety_t *safety = bridge_rig_safety(rig);
  return safety->latched && safety->cause == ROBOT_CAUSE_MODULE_LOSS &&
         strstr(safety->detail, "safety module for 150 ms");
}

bool bridge_rig_get_driving(bridge_rig_t *rig, double speed, gantry_fault_t *fault) {
  for (int attempt = 0; attempt < 3; attempt++) {
    bool latched = bridge_rig_safety(rig)->latched;
    if (latched && !bridge_rig_await_reset(rig, 5000, fault)) return false;
    if ((latched || attempt > 0) && !bridge_rig_await(rig, ROBOT_FSM_STATE_IDLE, 5000))
      return false;
    (void)bridge_rig_drive(rig, speed, 500, fault);
    bool drives = bridge_rig_await_setpoint(rig, false, 1000);
    if (!bridge_rig_safety(rig)->latched && drives) return true;
    if (bridge_rig_safety(rig)->latched && !bridge_rig_stopped_itself(rig)) return false;
  }
  return false;
}

unsigned bridge_rig_frames(bridge_rig_t *rig, const char *hex) {
  char text[1024];
  unsigned count = 0;
  harness_for(rig->harness, 250); /* it is written each 100 ms */
  FILE *file = fopen(rig->sim.transcript, "r");
  while (file && fgets(text, sizeof text, file))
    count += strstr(text, hex) != NULL;
  if (file) (void)fclose(file);
  return count;
}

typedef struct wanted_module {
  bridge_rig_t *rig;
  const char *topic;
  robot_module_status_t status;
} wanted_module_t;

static bool has_status(void *arg) {
  const wanted_module_t *wanted = arg;
  const robot_module_t *module = inbox_newest(wanted->rig->robot, wanted->topic);
  return module && module->status == wanted->status;
}

bool bridge_rig_await_module(bridge_rig_t *rig, const char *topic, robot_module_status_t status,
                             uint32_t ms) {
  wanted_module_t wanted = {.rig = rig, .topic = topic, .status = status};
  return harness_until(rig->harness, has_status, &wanted, ms);
}
