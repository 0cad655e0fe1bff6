/* Rules, from the gravest to the least. Each time is that of the robot's documents, or stands with
 * its reason in docs/safety.md. */
#include "supervisor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MS UINT64_C(1000000)

#define SAFETY_LOST_NS (150 * MS)
#define CHAIN_LOST_NS  (250 * MS) /* five of its polls: damage alone does not make that */
#define SAFETY_STANDING_NS                                                                         \
  (2000 * MS) /* standing, it is not ready meanwhile; this long is a loss */
#define TRAVEL_LOST_NS    (1000 * MS)
#define POWER_WARN_NS     (2000 * MS)
#define POWER_LOST_NS     (5000 * MS)
#define DOCK_WARN_NS      (1000 * MS)
#define IMU_STALE_NS      (100 * MS)
#define LIDAR_DOCK_NS     (150 * MS) /* one turn and a half */
#define SIGHT_STALE_NS    (300 * MS) /* three readings of ranges or LiDAR */
#define TAG_STALE_NS      (2000 * MS)
#define INPUTS_LOST_NS    (300 * MS)
#define BATTERY_STALE_NS  (5000 * MS)
#define POSE_STALE_NS     (3000 * MS) /* three of its messages */
#define SPEED_STALE_NS    (400 * MS)  /* less than RUNAWAY_NS: one bad reading is not enough */
#define STALL_NS          (2000 * MS)
#define STALL_MPS         0.1 /* told faster than this, */
#define STALL_SHARE       0.2 /* a robot moves at more than this share of it */
#define RUNAWAY_NS        (500 * MS)
#define RUNAWAY_SHARE     1.2  /* the outer wheel of a corner is faster than the robot */
#define RUNAWAY_MPS       0.15 /* and a small speed is measured coarsely */
#define STEP_MAX_S        0.2
#define MOTOR_FAULT_ESTOP 9 /* the drive's word for an open chain: no fault of its own */

static const char *const words[WARN_COUNT] = {
    [WARN_ESTOP] = "the emergency stop input is active",
    [WARN_INTERLOCK] = "an interlock is open",
    [WARN_AUTO_RESET] = "the safety module may reset itself",
    [WARN_SAFETY_SILENT] = "the safety module gives no valid answers",
    [WARN_TRAVEL_SILENT] = "the travel motor gives no valid answers",
    [WARN_POWER_SILENT] = "the power module gives no valid answers",
    [WARN_DOCK_SILENT] = "the dock module gives no valid answers: the pose suffers",
    [WARN_MOTOR_FAULT] = "a motor reports a fault",
    [WARN_RUNAWAY] = "faster than commanded",
    [WARN_IMU_STALE] = "the accelerometer gives no valid values: slowed, then stopped",
    [WARN_LIDAR_STALE] = "the LiDAR is silent: slowed, no docking",
    [WARN_LIDAR_BLIND] = "the LiDAR sees nothing, look at its lens: slowed, no docking",
    [WARN_RANGES_STALE] = "the range sensors are silent",
    [WARN_TAG_STALE] = "the tag reader is silent: the pose suffers",
    [WARN_BATTERY_LOW] = "the battery is too low for a move",
    [WARN_POSE_LOST] = "the pose is not known well enough for a move by command",
};

static const unsigned degrading =
    1u << WARN_IMU_STALE | 1u << WARN_LIDAR_STALE | 1u << WARN_LIDAR_BLIND;

static const char *const motor_faults[] = {
    "none",     "over-current", "over-voltage",   "under-voltage",  "over-temperature",
    "position", "velocity",     "communication",  "safety",         "emergency stop",
    "encoder",  "driver",       "position limit", "velocity limit", "acceleration limit",
    "time-out"};

void supervisor_init(supervisor_t *supervisor, const supervisor_cfg_t *cfg) {
  memset(supervisor, 0, sizeof *supervisor);
  supervisor->cfg = *cfg;
}

static bool is_fresh(const supervisor_input_t *input, supervised_t what, uint64_t now_ns,
                     uint64_t limit_ns) {
  uint64_t then_ns = input->seen_ns[what];
  return then_ns != 0 && (then_ns > now_ns || now_ns - then_ns <= limit_ns);
}

/* The module answers, and says of the chain. */
static bool is_safety_fresh(const supervisor_input_t *input, uint64_t now_ns) {
  return is_fresh(input, SUPERVISED_SAFETY, now_ns, SAFETY_LOST_NS) &&
         is_fresh(input, SUPERVISED_CHAIN, now_ns, CHAIN_LOST_NS);
}

/* Index of the motor with a fault of its own, -1 for none. */
static int faulty_motor(const supervisor_input_t *input) {
  for (int i = 0; i < 2; i++)
    if (input->motor_error[i] != 0 && input->motor_error[i] != MOTOR_FAULT_ESTOP) return i;
  return -1;
}

static bool is_battery_low(const supervisor_cfg_t *cfg, const supervisor_input_t *input,
                           uint64_t now_ns) {
  if (cfg->battery_min <= 0.0) return false;
  bool known = input->battery_known && is_fresh(input, SUPERVISED_POWER, now_ns, BATTERY_STALE_NS);
  return !known || input->battery < cfg->battery_min;
}

static bool is_pose_lost(const supervisor_cfg_t *cfg, const supervisor_input_t *input,
                         uint64_t now_ns) {
  if (!cfg->require_pose) return false;
  return !is_fresh(input, SUPERVISED_POSE, now_ns, POSE_STALE_NS) || input->pose < cfg->pose_min;
}

static bool is_interlocked(const supervisor_cfg_t *cfg, const supervisor_input_t *input,
                           uint64_t now_ns) {
  if (!cfg->interlocks) return false;
  return input->interlock_open || !is_fresh(input, SUPERVISED_INPUTS, now_ns, INPUTS_LOST_NS);
}

void supervisor_guard(const supervisor_t *supervisor, const supervisor_input_t *input,
                      uint64_t now_ns, robot_guards_t *guards) {
  const supervisor_cfg_t *cfg = &supervisor->cfg;
  guards->safety_fresh = is_safety_fresh(input, now_ns);
  guards->estop_input = input->estop;
  guards->motor_fault = faulty_motor(input) >= 0;
  guards->interlock = is_interlocked(cfg, input, now_ns);
  guards->auto_reset = input->auto_reset;
  guards->battery_low = is_battery_low(cfg, input, now_ns);
  guards->pose_lost = is_pose_lost(cfg, input, now_ns);
  guards->lidar_lost = !is_fresh(input, SUPERVISED_SIGHT, now_ns, LIDAR_DOCK_NS);
}

/* The speed that the robot may still have: that of the set-point, or of an earlier higher one less
 * what it has had time to lose. For each way of its own. */
static void follow_setpoint(supervisor_t *supervisor, double setpoint_mps, uint64_t now_ns) {
  double dt_s = supervisor->judged_ns ? (double)(now_ns - supervisor->judged_ns) * 1e-9 : 0.0;
  double lost_mps = supervisor->cfg.slowest_mps2 * fmin(dt_s, STEP_MAX_S);
  for (int way = 0; way < 2; way++) {
    double wanted_mps = fmax(0.0, way == 0 ? setpoint_mps : -setpoint_mps);
    double *allowed_mps = &supervisor->allowed_mps[way];
    *allowed_mps = fmax(fmin(wanted_mps, supervisor->cfg.max_mps), *allowed_mps - lost_mps);
  }
  supervisor->judged_ns = now_ns;
}

static bool is_too_fast(const supervisor_t *supervisor, const supervisor_input_t *input,
                        uint64_t now_ns) {
  for (int i = 0; i < SPEED_COUNT; i++) {
    if (input->speed_ns[i] == 0 || now_ns > input->speed_ns[i] + SPEED_STALE_NS) continue;
    double speed_mps = input->speed_mps[i];
    double allowed_mps = supervisor->allowed_mps[speed_mps < 0.0 ? 1 : 0];
    if (fabs(speed_mps) > RUNAWAY_SHARE * allowed_mps + RUNAWAY_MPS) return true;
  }
  return false;
}

/* True once it has lasted. */
static bool judge_speed(supervisor_t *supervisor, const supervisor_input_t *input,
                        uint64_t now_ns) {
  follow_setpoint(supervisor, input->setpoint_mps, now_ns);
  if (!is_too_fast(supervisor, input, now_ns))
    supervisor->runaway_ns = 0;
  else if (supervisor->runaway_ns == 0)
    supervisor->runaway_ns = now_ns;
  return supervisor->runaway_ns != 0 && now_ns - supervisor->runaway_ns >= RUNAWAY_NS;
}

/* Told to drive, and whatever was measured says that it does not: held fast, or measured no more.
 */
static bool is_standing(const supervisor_input_t *input, uint64_t now_ns) {
  double told_mps = fabs(input->setpoint_mps);
  bool measured = false;
  if (told_mps < STALL_MPS || !input->moving || input->docking) return false;
  for (int i = 0; i < SPEED_COUNT; i++) {
    if (input->speed_ns[i] == 0 || now_ns > input->speed_ns[i] + SPEED_STALE_NS) continue;
    if (fabs(input->speed_mps[i]) > STALL_SHARE * told_mps) return false;
    measured = true;
  }
  return measured;
}

/* True once it has lasted. */
static bool judge_stall(supervisor_t *supervisor, const supervisor_input_t *input,
                        uint64_t now_ns) {
  if (!is_standing(input, now_ns)) supervisor->moved_ns = now_ns;
  return now_ns - supervisor->moved_ns >= STALL_NS;
}

static unsigned find_warnings(const supervisor_t *supervisor, const supervisor_input_t *input,
                              bool runaway, uint64_t now_ns) {
  const supervisor_cfg_t *cfg = &supervisor->cfg;
  bool heard = is_safety_fresh(input, now_ns); /* else nothing is known of what it reads */
  bool turns = is_fresh(input, SUPERVISED_LIDAR, now_ns, SIGHT_STALE_NS);
  const bool holds[WARN_COUNT] = {
      [WARN_ESTOP] = input->estop,
      [WARN_INTERLOCK] = heard && is_interlocked(cfg, input, now_ns),
      [WARN_AUTO_RESET] = heard && input->auto_reset,
      [WARN_SAFETY_SILENT] = !heard,
      [WARN_TRAVEL_SILENT] = !is_fresh(input, SUPERVISED_TRAVEL, now_ns, TRAVEL_LOST_NS),
      [WARN_POWER_SILENT] = !is_fresh(input, SUPERVISED_POWER, now_ns, POWER_WARN_NS),
      [WARN_DOCK_SILENT] = !is_fresh(input, SUPERVISED_DOCK, now_ns, DOCK_WARN_NS),
      [WARN_MOTOR_FAULT] = faulty_motor(input) >= 0,
      [WARN_RUNAWAY] = runaway,
      [WARN_IMU_STALE] =
          cfg->imu_stop_ns != 0 && !is_fresh(input, SUPERVISED_IMU, now_ns, IMU_STALE_NS),
      [WARN_LIDAR_STALE] = !turns,
      [WARN_LIDAR_BLIND] = turns && !is_fresh(input, SUPERVISED_SIGHT, now_ns, SIGHT_STALE_NS),
      [WARN_RANGES_STALE] = !is_fresh(input, SUPERVISED_RANGES, now_ns, SIGHT_STALE_NS),
      [WARN_TAG_STALE] = !is_fresh(input, SUPERVISED_TAG, now_ns, TAG_STALE_NS),
      [WARN_BATTERY_LOW] = is_battery_low(cfg, input, now_ns),
      [WARN_POSE_LOST] = is_pose_lost(cfg, input, now_ns)};
  unsigned warnings = 0;
  for (unsigned i = 0; i < WARN_COUNT; i++)
    if (holds[i]) warnings |= 1u << i;
  return warnings;
}

static void stop(supervisor_verdict_t *verdict, stop_cause_t cause, const char *detail) {
  verdict->stop = cause;
  (void)snprintf(verdict->detail, sizeof verdict->detail, "%s", detail);
}

static void stop_for_motor(supervisor_verdict_t *verdict, const supervisor_input_t *input,
                           int motor) {
  verdict->stop = STOP_MOTOR_FAULT;
  (void)snprintf(verdict->detail, sizeof verdict->detail, "motor %d reports fault %u: %s",
                 motor + 1, input->motor_error[motor],
                 supervisor_motor_fault(input->motor_error[motor]));
}

static void stop_for_zone(supervisor_verdict_t *verdict, const supervisor_input_t *input) {
  verdict->stop = STOP_ZONE;
  if (input->zones.stop)
    (void)snprintf(verdict->detail, sizeof verdict->detail,
                   "an obstacle %.2f m away in the way of travel", input->zones.clearance_m);
  else
    (void)snprintf(verdict->detail, sizeof verdict->detail,
                   "an obstacle touches the robot, or nearly so");
}

/* Slowed for as long as is granted; a motion that began without the IMU is granted it too. */
static bool is_imu_lost(const supervisor_cfg_t *cfg, const supervisor_input_t *input,
                        uint64_t now_ns) {
  uint64_t heard_ns = input->seen_ns[SUPERVISED_IMU];
  uint64_t since_ns = heard_ns > input->moving_ns ? heard_ns : input->moving_ns;
  return cfg->imu_stop_ns != 0 && now_ns > since_ns && now_ns - since_ns > cfg->imu_stop_ns;
}

/* What a moving robot is stopped for. */
static void judge_motion(const supervisor_cfg_t *cfg, const supervisor_input_t *input,
                         uint64_t now_ns, supervisor_verdict_t *verdict) {
  bool touched = input->zones.stop || input->zones.contact || input->contact;
  if (!is_fresh(input, SUPERVISED_SAFETY, now_ns, SAFETY_LOST_NS))
    stop(verdict, STOP_MODULE_LOSS, "no valid answer from the safety module for 150 ms");
  else if (!is_fresh(input, SUPERVISED_CHAIN, now_ns, CHAIN_LOST_NS))
    stop(verdict, STOP_MODULE_LOSS, "the emergency stop input has not been read for 250 ms");
  else if (cfg->interlocks && input->interlock_open)
    stop(verdict, STOP_INTERLOCK, "a door, gate or light curtain is open");
  else if (touched && !cfg->reporting)
    stop_for_zone(verdict, input);
  else if (!is_fresh(input, SUPERVISED_TRAVEL, now_ns, TRAVEL_LOST_NS))
    stop(verdict, STOP_MODULE_LOSS, "no valid answer from the travel motor for 1 s");
  else if (is_interlocked(cfg, input, now_ns))
    stop(verdict, STOP_INTERLOCK, "the interlock inputs have not been read for 300 ms");
  else if (input->zones.blind && !cfg->reporting)
    stop(verdict, STOP_STALE, "neither range sensors nor LiDAR say what is in the way");
  else if (!is_fresh(input, SUPERVISED_POWER, now_ns, POWER_LOST_NS))
    stop(verdict, STOP_MODULE_LOSS, "no valid answer from the power module for 5 s");
  else if (is_imu_lost(cfg, input, now_ns))
    stop(verdict, STOP_STALE, "no valid values from the accelerometer for too long");
}

static void judge_stop(const supervisor_t *supervisor, const supervisor_input_t *input,
                       bool runaway, uint64_t now_ns, supervisor_verdict_t *verdict) {
  int motor = faulty_motor(input);
  if (input->may_worsen && motor >= 0) stop_for_motor(verdict, input, motor);
  if (input->latched) return;
  if (input->estop) stop(verdict, STOP_HARDWARE, "the emergency stop input is active");
  if (verdict->stop != STOP_NONE || !input->armed) return;
  if (motor >= 0)
    stop_for_motor(verdict, input, motor);
  else if (runaway)
    stop(verdict, STOP_MOTOR_FAULT, "the motors turn faster than they are told to");
  else if (input->moving)
    judge_motion(&supervisor->cfg, input, now_ns, verdict);
  else if (!is_fresh(input, SUPERVISED_SAFETY, now_ns, SAFETY_STANDING_NS))
    stop(verdict, STOP_MODULE_LOSS, "no valid answer from the safety module for 2 s");
  else if (!is_fresh(input, SUPERVISED_CHAIN, now_ns, SAFETY_STANDING_NS))
    stop(verdict, STOP_MODULE_LOSS, "the emergency stop input has not been read for 2 s");
}

supervisor_verdict_t supervisor_judge(supervisor_t *supervisor, const supervisor_input_t *input,
                                      uint64_t now_ns) {
  const supervisor_cfg_t *cfg = &supervisor->cfg;
  supervisor_verdict_t verdict = {.factor = input->zones.factor, .limit_mps = INFINITY};
  bool runaway = judge_speed(supervisor, input, now_ns);
  bool stalled = judge_stall(supervisor, input, now_ns);
  verdict.warnings = find_warnings(supervisor, input, runaway, now_ns);
  if (verdict.warnings & degrading) verdict.factor = fmin(verdict.factor, cfg->degraded_factor);
  if (input->docking && input->zones.crawl) verdict.limit_mps = cfg->dock_mps;
  verdict.pause = input->zones.pause && !input->docking;
  judge_stop(supervisor, input, runaway, now_ns, &verdict);
  if (stalled && input->armed && !input->latched && verdict.stop == STOP_NONE)
    stop(&verdict, STOP_MOTOR_FAULT, "the motors are told to turn, and no sensor sees them do it");
  if (!cfg->reporting) return verdict;
  verdict.factor = 1.0;
  verdict.limit_mps = INFINITY;
  verdict.pause = false;
  return verdict;
}

const char *supervisor_words(supervisor_warning_t warning) {
  return (unsigned)warning < WARN_COUNT ? words[warning] : "?";
}

void supervisor_describe(unsigned warnings, char *out, size_t size) {
  size_t len = 0;
  out[0] = '\0';
  for (unsigned i = 0; i < WARN_COUNT; i++) {
    if (!(warnings & 1u << i)) continue;
    size_t need = strlen(words[i]) + (len ? 2 : 0);
    if (len + need >= size) return;
    (void)snprintf(out + len, size - len, "%s%s", len ? "; " : "", words[i]);
    len += need;
  }
}

const char *supervisor_motor_fault(uint16_t code) {
  return code < sizeof motor_faults / sizeof motor_faults[0] ? motor_faults[code] : "unknown";
}
