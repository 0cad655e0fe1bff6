/* What the supervisor is told: stamps of what was heard, the registers that only it reads, what
 * localization says of itself. And what it warns of, said. */
#include "bridge_internal.h"

#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#define AUTO_RESET_NS    (5000 * (uint64_t)GANTRY_NS_PER_MS)
#define INPUTS_NS        (50 * (uint64_t)GANTRY_NS_PER_MS)
#define WARNING_LASTS_NS (1000 * (uint64_t)GANTRY_NS_PER_MS) /* a shorter one is only shown */
#define HOLD_STILL_NS    (500 * (uint64_t)GANTRY_NS_PER_MS)
#define ILLEGAL_ADDRESS  2

static double real(const bridge_t *bridge, const char *key) {
  return config_real(bridge->service->config, key);
}

static void on_loc_status(const frame_t *frame, const void *body, void *arg) {
  bridge_t *bridge = arg;
  const loc_status_t *status = body;
  (void)frame;
  bool located = status->state == LOC_STATE_TRACKING || status->state == LOC_STATE_DEAD_RECKONING;
  bridge->watch.input.pose = located ? status->confidence : 0.0;
  bridge->watch.input.seen_ns[SUPERVISED_POSE] = clock_mono_ns();
}

/* A profile without the register has modules that cannot reset themselves by it. */
static bool may_reset_itself(const bridge_t *bridge) {
  return registers_find(registers_module(bridge->profile, "safety"), "auto_reset") != NULL;
}

gantry_err_t bridge_watch_start(bridge_t *bridge) {
  const config_t *config = bridge->service->config;
  bool has_imu = bridge->readings.rows[READING_ACCEL_X] != NULL;
  supervisor_cfg_t cfg = {
      .max_mps = real(bridge, "max_speed"),
      .slowest_mps2 = real(bridge, "deceleration") * 0.5,
      .degraded_factor = real(bridge, "degraded_factor"),
      .dock_mps = real(bridge, "dock_speed"),
      .battery_min = real(bridge, "battery_min"),
      .pose_min = real(bridge, "pose_min"),
      .require_pose = config_bool(config, "require_pose"),
      .interlocks = config_int(config, "interlock_inputs") != 0,
      .reporting = bridge->reporting,
      .imu_stop_ns = has_imu ? (uint64_t)config_int(config, "imu_stop_ms") * GANTRY_NS_PER_MS : 0};
  supervisor_init(&bridge->watch.supervisor, &cfg);
  bridge->watch.input.auto_reset = may_reset_itself(bridge); /* until the module has denied it */
  return bus_subscribe(bridge->service->bus, TOPIC_LOC_STATUS, NULL, 0, on_loc_status, bridge);
}

static bool in_motion(const bridge_t *bridge) {
  robot_state_t state = bridge->robot.state;
  return state == ROBOT_MOVE || state == ROBOT_DOCK || state == ROBOT_PAUSED;
}

supervisor_input_t bridge_watch_input(const bridge_t *bridge, uint64_t now_ns) {
  supervisor_input_t input = bridge->watch.input;
  const motion_t *motion = &bridge->motion;
  int way = bridge_motion_sign(bridge);
  input.seen_ns[SUPERVISED_SAFETY] = bridge_told_ns(bridge, "safety");
  input.seen_ns[SUPERVISED_TRAVEL] = bridge_told_ns(bridge, "travel_motor");
  input.seen_ns[SUPERVISED_POWER] = bridge_told_ns(bridge, "power");
  input.seen_ns[SUPERVISED_DOCK] = bridge_told_ns(bridge, "dock");
  input.seen_ns[SUPERVISED_LIDAR] = bridge->zones.turn_ns;
  input.seen_ns[SUPERVISED_SIGHT] = bridge->zones.lidar_ns;
  input.seen_ns[SUPERVISED_RANGES] = bridge->zones.range_ns;
  input.latched = bridge->robot.latched;
  input.may_worsen = bridge->robot.state == ROBOT_ESTOP || bridge->robot.state == ROBOT_SAFE;
  input.armed = bridge->was_ready;
  input.moving = in_motion(bridge);
  input.moving_ns = bridge->robot.since_ns;
  input.docking = bridge->robot.state == ROBOT_DOCK;
  input.estop = bridge->estop_input;
  input.zones = zones_judge(&bridge->zones, way, now_ns, ZONES_FRESH_NS);
  input.contact = bridge->module_zone == ZONE_CRITICAL && way != 0 && !input.zones.excused;
  memcpy(input.motor_error, bridge->motor_error, sizeof input.motor_error);
  input.setpoint_mps = bridge->drive.setpoint_mps;
  input.speed_mps[SPEED_ODOMETRY] = motion->speed_mps;
  input.speed_mps[SPEED_MOTOR_1] = motion->wheel_mps[0];
  input.speed_mps[SPEED_MOTOR_2] = motion->wheel_mps[1];
  input.battery_known = bridge->power.known & POWER_BATTERY;
  input.battery = bridge->power.charge;
  return input;
}

void bridge_describe(const bridge_t *bridge, char *out, size_t size) {
  static const char lost[] = "the latch cannot be kept on the disk";
  supervisor_describe(bridge->watch.verdict.warnings, out, size);
  size_t len = strlen(out);
  if (bridge->latch_lost && len + sizeof lost + 2 <= size)
    (void)snprintf(out + len, size - len, "%s%s", len ? "; " : "", lost);
}

/* The registers that only the supervisor reads; most: how many may be read together with it. One
 * request of each kind is on its way at a time; one that was lost is repeated with the next period.
 */
static void ask(bridge_t *bridge, unsigned index, const char *name, uint16_t most,
                uint64_t period_ns, uint64_t now_ns) {
  uint64_t *asked_ns = &bridge->watch.asked_ns[index];
  const module_row_t *safety = bridge_module(bridge, "safety");
  const register_row_t *row = registers_find(registers_module(bridge->profile, "safety"), name);
  if (!row || !bridge->port || !safety || safety->state != MODULE_ONLINE) return;
  if (*asked_ns != 0 && now_ns - *asked_ns < period_ns) return;
  job_t job = bridge_register_job(TAG_WATCH + index, safety->address, row, LINE_READ_HOLDING, 0);
  job.least = 1;
  job.most = most;
  if (port_submit(bridge->port, &job)) *asked_ns = now_ns;
}

static void on_auto_reset(bridge_t *bridge, const port_result_t *result) {
  /* A module without the register cannot reset itself by it. Read together with the next one, the
   * exception may be that one's. */
  bool absent = result->outcome == RTU_EXCEPTION && result->exception == ILLEGAL_ADDRESS &&
                result->job.count == 1;
  if (result->outcome != RTU_OK && !absent) return;
  bool on = !absent && result->values[0] != 0;
  bool news = on && !bridge->watch.auto_reset_said;
  bridge->watch.input.auto_reset = on;
  bridge->watch.auto_reset_said = on;
  if (!news) return;
  log_error("AUTO-RESET-ON", "the safety module resets itself: its register 0x0052 is %u",
            result->values[0]);
  bridge_event(bridge, "AUTO-RESET-ON", SYS_CATEGORY_STATE, SYS_SEVERITY_CRITICAL, "safety",
               "the safety module would end a stop by itself; the robot stays where it is until 0 "
               "is written to its auto_reset (0x0052)");
}

static void on_inputs(bridge_t *bridge, const port_result_t *result) {
  const config_t *config = bridge->service->config;
  if (result->outcome != RTU_OK) return;
  unsigned watched = (unsigned)config_int(config, "interlock_inputs");
  unsigned closed = (unsigned)config_int(config, "interlock_closed");
  bridge->watch.input.interlock_open = ((result->values[0] ^ closed) & watched) != 0;
  bridge->watch.input.seen_ns[SUPERVISED_INPUTS] = result->last_byte_ns;
}

void bridge_on_watch_result(bridge_t *bridge, const port_result_t *result) {
  if (result->job.tag == TAG_WATCH + WATCH_AUTO_RESET) on_auto_reset(bridge, result);
  if (result->job.tag == TAG_WATCH + WATCH_INPUTS) on_inputs(bridge, result);
}

void bridge_watch_module(bridge_t *bridge) {
  memset(bridge->watch.asked_ns, 0, sizeof bridge->watch.asked_ns);
  bridge->watch.input.auto_reset = may_reset_itself(bridge); /* it may have come back another */
}

/* A warning that lasts is an event; its end is one too. */
static void say_warning(bridge_t *bridge, unsigned index, bool on) {
  static const char *const ids[2] = {"ROBOT-WARNING-OVER", "ROBOT-WARNING"};
  char text[160];
  (void)snprintf(text, sizeof text, "%s%s",
                 on ? "" : "over: ", supervisor_words((supervisor_warning_t)index));
  if (on)
    log_warn(ids[1], "%s", text);
  else
    log_info(ids[0], "%s", text);
  bridge_event(bridge, ids[on], SYS_CATEGORY_STATE, on ? SYS_SEVERITY_WARNING : SYS_SEVERITY_INFO,
               "robot", text);
}

static void say_warnings(bridge_t *bridge, unsigned warnings, uint64_t now_ns) {
  bridge_watch_t *watch = &bridge->watch;
  for (unsigned i = 0; i < WARN_COUNT; i++) {
    bool holds = warnings & 1u << i, said = watch->said & 1u << i;
    if (holds == said) {
      watch->changed_ns[i] = 0;
    } else if (watch->changed_ns[i] == 0) {
      watch->changed_ns[i] = now_ns;
    } else if (now_ns - watch->changed_ns[i] >= WARNING_LASTS_NS) {
      watch->changed_ns[i] = 0;
      watch->said ^= 1u << i;
      say_warning(bridge, i, holds);
    }
  }
}

/* Motors that turn after a stop are told again. */
static void hold_still(bridge_t *bridge, unsigned warnings, uint64_t now_ns) {
  if (!(warnings & 1u << WARN_RUNAWAY) || !bridge->robot.latched || bridge->stop.active) return;
  if (now_ns - bridge->watch.held_ns < HOLD_STILL_NS) return;
  bridge->watch.held_ns = now_ns;
  log_error("MOTORS-TURN", "the motors turn although the stop is latched; told again");
  bridge_verify_off(bridge);
}

supervisor_verdict_t bridge_watch(bridge_t *bridge, uint64_t now_ns) {
  bridge->zones.docking = bridge->robot.state == ROBOT_DOCK;
  ask(bridge, WATCH_AUTO_RESET, "auto_reset", 2, AUTO_RESET_NS, now_ns);
  if (bridge->watch.supervisor.cfg.interlocks)
    ask(bridge, WATCH_INPUTS, "inputs", 5, INPUTS_NS, now_ns);
  supervisor_input_t input = bridge_watch_input(bridge, now_ns);
  supervisor_verdict_t verdict = supervisor_judge(&bridge->watch.supervisor, &input, now_ns);
  bridge->watch.verdict = verdict;
  bridge->watch.zones = input.zones;
  if (bridge->was_ready) say_warnings(bridge, verdict.warnings, now_ns);
  bridge_switch_relays(bridge, now_ns);
  hold_still(bridge, verdict.warnings, now_ns);
  return verdict;
}
