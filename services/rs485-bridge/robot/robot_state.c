/* Transitions as a table: an event that has no row for a state is refused there. */
#include "robot_state.h"

#include <stdio.h>
#include <string.h>

#define NS_PER_MS UINT64_C(1000000)
#define ENDING_MS 5000u /* for the way down to zero; then it is cut */

typedef struct transition {
  robot_state_t from;
  robot_event_t event;
  robot_state_t to;
  bool ending; /* the set-point goes to zero, then ROBOT_STOPPED leads on */
} transition_t;

static const transition_t transitions[] = {
    {ROBOT_BOOT, ROBOT_BOOT_COMPLETE, ROBOT_INIT, false},
    {ROBOT_BOOT, ROBOT_TIMEOUT, ROBOT_INIT, false},
    {ROBOT_INIT, ROBOT_INIT_COMPLETE, ROBOT_IDLE, false},
    {ROBOT_INIT, ROBOT_TIMEOUT, ROBOT_INIT, false},
    {ROBOT_IDLE, ROBOT_DRIVE, ROBOT_MOVE, false},
    {ROBOT_IDLE, ROBOT_APPROACH, ROBOT_DOCK, false},
    {ROBOT_IDLE, ROBOT_CONFIGURE, ROBOT_CONFIG, false},
    {ROBOT_IDLE, ROBOT_LOST, ROBOT_INIT, false},
    {ROBOT_IDLE, ROBOT_SHUT_DOWN, ROBOT_SHUTDOWN, false},
    {ROBOT_MOVE, ROBOT_DRIVE, ROBOT_MOVE, false},
    {ROBOT_MOVE, ROBOT_APPROACH, ROBOT_DOCK, false},
    {ROBOT_MOVE, ROBOT_PAUSE, ROBOT_PAUSED, false},
    {ROBOT_MOVE, ROBOT_HALT, ROBOT_MOVE, true},
    {ROBOT_MOVE, ROBOT_TIMEOUT, ROBOT_MOVE, true},
    {ROBOT_MOVE, ROBOT_STOPPED, ROBOT_IDLE, false},
    {ROBOT_DOCK, ROBOT_DRIVE, ROBOT_MOVE, false},
    {ROBOT_DOCK, ROBOT_HALT, ROBOT_DOCK, true},
    {ROBOT_DOCK, ROBOT_TIMEOUT, ROBOT_DOCK, true},
    {ROBOT_DOCK, ROBOT_STOPPED, ROBOT_IDLE, false},
    {ROBOT_PAUSED, ROBOT_RESUME, ROBOT_MOVE, false},
    {ROBOT_PAUSED, ROBOT_HALT, ROBOT_PAUSED, true},
    {ROBOT_PAUSED, ROBOT_TIMEOUT, ROBOT_PAUSED, true},
    {ROBOT_PAUSED, ROBOT_STOPPED, ROBOT_IDLE, false},
    {ROBOT_CONFIG, ROBOT_CONFIGURED, ROBOT_IDLE, false},
    {ROBOT_CONFIG, ROBOT_TIMEOUT, ROBOT_IDLE, false},
    {ROBOT_ESTOP, ROBOT_RESET, ROBOT_INIT, false},
    {ROBOT_ESTOP, ROBOT_SHUT_DOWN, ROBOT_SHUTDOWN, false},
    {ROBOT_FAULT, ROBOT_RESET, ROBOT_INIT, false},
    {ROBOT_FAULT, ROBOT_SHUT_DOWN, ROBOT_SHUTDOWN, false},
    {ROBOT_SAFE, ROBOT_RESET, ROBOT_INIT, false},
};

static const uint32_t timeouts_ms[ROBOT_STATES] = {
    [ROBOT_BOOT] = 10000, [ROBOT_INIT] = 5000,    [ROBOT_MOVE] = 30000,
    [ROBOT_DOCK] = 15000, [ROBOT_PAUSED] = 60000, [ROBOT_CONFIG] = 10000};

static const char *const state_names[ROBOT_STATES] = {"init",   "idle",   "move",     "dock",
                                                      "fault",  "estop",  "shutdown", "boot",
                                                      "paused", "config", "safe"};
static const char *const cause_names[STOP_CAUSES] = {
    "none",        "hardware", "software",   "network",   "zone", "module_loss",
    "motor_fault", "restart",  "stale_data", "interlock", "dock", "config"};

const char *robot_state_name(robot_state_t state) {
  return (unsigned)state < ROBOT_STATES ? state_names[state] : "?";
}

const char *stop_cause_name(stop_cause_t cause) {
  return (unsigned)cause < STOP_CAUSES ? cause_names[cause] : "?";
}

stop_cause_t stop_cause_parse(const char *name) {
  for (unsigned i = 0; i < STOP_CAUSES; i++)
    if (strcmp(cause_names[i], name) == 0) return (stop_cause_t)i;
  return STOP_NONE;
}

static uint64_t deadline(uint32_t timeout_ms, uint64_t now_ns) {
  return timeout_ms ? now_ns + timeout_ms * NS_PER_MS : 0;
}

static void enter(robot_t *robot, robot_state_t state, bool ending, uint64_t now_ns) {
  if (robot->state != state) robot->since_ns = now_ns;
  robot->overdue = false;
  robot->ending = ending;
  robot->state = state;
  robot->deadline_ns = deadline(ending ? ENDING_MS : robot->timeout_ms[state], now_ns);
}

void robot_init(robot_t *robot, stop_cause_t latched_cause, const char *detail, uint64_t now_ns) {
  memset(robot, 0, sizeof *robot);
  memcpy(robot->timeout_ms, timeouts_ms, sizeof timeouts_ms);
  enter(robot, ROBOT_BOOT, false, now_ns);
  robot->since_ns = now_ns;
  if (latched_cause == STOP_NONE) return;
  (void)robot_latch(robot, latched_cause, detail, now_ns);
  enter(robot, ROBOT_SAFE, false, now_ns);
}

void robot_set_timeout(robot_t *robot, robot_state_t state, uint32_t timeout_ms) {
  if (timeouts_ms[state] && timeout_ms) robot->timeout_ms[state] = timeout_ms;
}

void robot_extend(robot_t *robot, uint64_t now_ns) {
  if (!robot->ending) robot->deadline_ns = deadline(robot->timeout_ms[robot->state], now_ns);
}

static bool is_fault(stop_cause_t cause) {
  return cause == STOP_MOTOR_FAULT || cause == STOP_CONFIG;
}

bool robot_latch(robot_t *robot, stop_cause_t cause, const char *detail, uint64_t now_ns) {
  bool worse = is_fault(cause) && (robot->state == ROBOT_ESTOP || robot->state == ROBOT_SAFE);
  if (robot->latched && !worse) return false;
  if (!robot->latched) {
    robot->latched_ns = now_ns;
    robot->trips++;
  }
  robot->latched = true;
  robot->cause = cause;
  (void)snprintf(robot->detail, sizeof robot->detail, "%s", detail);
  if (robot->state != ROBOT_SHUTDOWN)
    enter(robot, is_fault(cause) ? ROBOT_FAULT : ROBOT_ESTOP, false, now_ns);
  return true;
}

static const char *refuse_reset(const robot_guards_t *guards) {
  if (!guards->safe_confirm) return "confirm with safe_confirm that it is safe to go on";
  if (!guards->location_ok)
    return "confirm with location_ok that the robot is where it believes to be";
  if (!guards->safety_fresh) return "the safety module does not answer; restore it, then reset";
  if (guards->estop_input)
    return "the emergency stop input is still active; release it, then reset";
  if (!guards->motors_off) return "the motors are not yet read back off; wait, then reset";
  if (guards->motor_fault) return "a motor still reports a fault; clear it, then reset";
  if (guards->interlock) return "an interlock is still open; close it, then reset";
  return NULL;
}

static const char *refuse_begin(const robot_guards_t *guards) {
  if (guards->estop_input) return "the emergency stop input is active; release it first";
  if (!guards->safety_fresh) return "the safety module does not answer; restore it first";
  if (!guards->modules_online) return "a mandatory module is offline; restore it first";
  if (guards->motor_fault) return "a motor reports a fault; clear it first";
  if (guards->auto_reset)
    return "the safety module may reset itself; write 0 to its auto_reset (0x0052) first";
  if (guards->interlock) return "an interlock is open; close it first";
  return NULL;
}

static const char *refuse_unkept(const robot_guards_t *guards) {
  if (!guards->latch_lost) return NULL;
  return "a stop could not be kept on the disk; make the data folder writable first";
}

static const char *refuse_drive(const robot_guards_t *guards, bool stands) {
  const char *reason = refuse_begin(guards);
  if (reason) return reason;
  if (stands && refuse_unkept(guards)) return refuse_unkept(guards);
  if (stands && guards->battery_low)
    return "the battery is too low to move, or its charge is not known; charge it first";
  if (stands && guards->pose_lost)
    return "the robot does not know well enough where it is; locate it first";
  if (stands && guards->blind)
    return "neither range sensors nor LiDAR say what is in the way; restore one of them";
  return NULL;
}

static const char *refuse_approach(const robot_guards_t *guards) {
  const char *reason = refuse_begin(guards);
  if (reason) return reason;
  if (guards->lidar_lost)
    return "no docking without the LiDAR; restore it, or clean its lens, first";
  return refuse_unkept(guards);
}

static const char *refuse_ready(const robot_guards_t *guards) {
  const char *reason = refuse_begin(guards);
  if (reason) return reason;
  if (guards->blind) return "neither range sensors nor LiDAR see; restore one of them";
  return guards->motors_off ? NULL : "the motors are not yet read back off";
}

static const char *refuse(const robot_t *robot, robot_event_t event, const robot_guards_t *guards) {
  switch (event) {
  case ROBOT_RESET:
    return refuse_reset(guards);
  case ROBOT_INIT_COMPLETE:
    return refuse_ready(guards);
  case ROBOT_DRIVE:
    if (robot->ending && robot->state != ROBOT_MOVE) return "the robot is still stopping; wait";
    return refuse_drive(guards, robot->state != ROBOT_MOVE);
  case ROBOT_RESUME:
    if (robot->ending) return "the robot is stopping; nothing is left to resume";
    return refuse_drive(guards, true);
  case ROBOT_APPROACH:
    return refuse_approach(guards);
  case ROBOT_PAUSE:
    return robot->ending ? "the robot is stopping already" : NULL;
  case ROBOT_STOPPED:
    return robot->ending ? NULL : "nothing asks the robot to stop";
  case ROBOT_CONFIGURE:
    return refuse_begin(guards);
  default:
    return NULL;
  }
}

static const char *advice(const robot_t *robot, robot_event_t event) {
  if (event == ROBOT_RESET && !robot->latched) return "no stop is latched";
  if (event == ROBOT_PAUSE && !robot->latched)
    return "only a move can be paused, and none is under way";
  if (event == ROBOT_RESUME && !robot->latched) return "nothing is paused";
  switch (robot->state) {
  case ROBOT_ESTOP:
    return "the stop is latched; reset it with a confirmation first";
  case ROBOT_SAFE:
    return "a stop is kept from before the restart; reset it with a confirmation first";
  case ROBOT_FAULT:
    return "a fault is latched; clear it and reset with a confirmation";
  case ROBOT_INIT:
  case ROBOT_BOOT:
    return "the robot is not ready: wait until every mandatory module answers";
  case ROBOT_SHUTDOWN:
    return "the robot is shut down; restart the bridge";
  case ROBOT_PAUSED:
    return "the robot is paused; resume or stop it first";
  case ROBOT_CONFIG:
    return "the robot is being configured; end that with configured first";
  case ROBOT_DOCK:
    return "the robot is docking; stop it first";
  default:
    return "the present state does not allow it";
  }
}

static const transition_t *find(robot_state_t from, robot_event_t event) {
  for (size_t i = 0; i < sizeof transitions / sizeof transitions[0]; i++)
    if (transitions[i].from == from && transitions[i].event == event) return &transitions[i];
  return NULL;
}

bool robot_apply(robot_t *robot, robot_event_t event, const robot_guards_t *guards, uint64_t now_ns,
                 char *why, size_t size) {
  const transition_t *row = event == ROBOT_TIMEOUT ? NULL : find(robot->state, event);
  const char *reason = row ? refuse(robot, event, guards) : advice(robot, event);
  if (reason) {
    if (why) (void)snprintf(why, size, "%s", reason);
    return false;
  }
  if (event == ROBOT_HALT && robot->ending) return true; /* its time does not begin anew */
  if (event == ROBOT_RESET) {
    robot->latched = false;
    robot->cause = STOP_NONE;
    robot->detail[0] = '\0';
  }
  enter(robot, row->to, row->ending, now_ns);
  return true;
}

bool robot_expire(robot_t *robot, uint64_t now_ns) {
  if (robot->deadline_ns == 0 || now_ns < robot->deadline_ns) return false;
  const transition_t *row = find(robot->state, ROBOT_TIMEOUT);
  if (!row) return false;
  if (robot->ending) { /* the way down has lasted too long */
    enter(robot, ROBOT_IDLE, false, now_ns);
    return true;
  }
  bool waits = row->to == robot->state && !row->ending;
  enter(robot, row->to, row->ending, now_ns);
  if (waits) {
    robot->overdue = true;
    robot->deadline_ns = 0; /* said once */
  }
  return true;
}

bool robot_may_move(const robot_t *robot) {
  return !robot->latched &&
         (robot->state == ROBOT_MOVE || robot->state == ROBOT_DOCK || robot->state == ROBOT_PAUSED);
}

bool robot_may_drive(const robot_t *robot) {
  return robot_may_move(robot) && !robot->ending && robot->state != ROBOT_PAUSED;
}
