/* Transitions as a table: an event that has no row for a state is refused there. */
#include "robot_state.h"

#include <stdio.h>
#include <string.h>

typedef struct transition {
  robot_state_t from;
  robot_event_t event;
  robot_state_t to;
} transition_t;

static const transition_t transitions[] = {
    {ROBOT_BOOT, ROBOT_BOOT_COMPLETE, ROBOT_INIT}, {ROBOT_INIT, ROBOT_INIT_COMPLETE, ROBOT_IDLE},
    {ROBOT_IDLE, ROBOT_DRIVE, ROBOT_MOVE},         {ROBOT_IDLE, ROBOT_LOST, ROBOT_INIT},
    {ROBOT_MOVE, ROBOT_DRIVE, ROBOT_MOVE},         {ROBOT_MOVE, ROBOT_STOPPED, ROBOT_IDLE},
    {ROBOT_DOCK, ROBOT_STOPPED, ROBOT_IDLE},       {ROBOT_PAUSED, ROBOT_STOPPED, ROBOT_IDLE},
    {ROBOT_CONFIG, ROBOT_STOPPED, ROBOT_IDLE},     {ROBOT_ESTOP, ROBOT_RESET, ROBOT_INIT},
    {ROBOT_FAULT, ROBOT_RESET, ROBOT_INIT},        {ROBOT_SAFE, ROBOT_RESET, ROBOT_INIT},
};

static const char *const state_names[ROBOT_STATES] = {"init",   "idle",   "move",     "dock",
                                                      "fault",  "estop",  "shutdown", "boot",
                                                      "paused", "config", "safe"};
static const char *const cause_names[STOP_CAUSES] = {
    "none", "hardware", "software", "network", "zone", "module_loss", "motor_fault", "restart"};

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

static void enter(robot_t *robot, robot_state_t state, uint64_t now_ns) {
  if (robot->state != state) robot->since_ns = now_ns;
  robot->state = state;
}

void robot_init(robot_t *robot, stop_cause_t latched_cause, const char *detail, uint64_t now_ns) {
  memset(robot, 0, sizeof *robot);
  robot->state = ROBOT_BOOT;
  robot->since_ns = now_ns;
  if (latched_cause != STOP_NONE) (void)robot_latch(robot, latched_cause, detail, now_ns);
}

bool robot_latch(robot_t *robot, stop_cause_t cause, const char *detail, uint64_t now_ns) {
  if (robot->latched) return false;
  robot->latched = true;
  robot->cause = cause;
  robot->latched_ns = now_ns;
  robot->trips++;
  (void)snprintf(robot->detail, sizeof robot->detail, "%s", detail);
  if (robot->state != ROBOT_SHUTDOWN)
    enter(robot, cause == STOP_MOTOR_FAULT ? ROBOT_FAULT : ROBOT_ESTOP, now_ns);
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
  return NULL;
}

static const char *refuse_drive(const robot_guards_t *guards) {
  if (guards->estop_input) return "the emergency stop input is active; release it first";
  if (!guards->safety_fresh) return "the safety module does not answer; restore it first";
  if (!guards->modules_online) return "a mandatory module is offline; restore it first";
  return NULL;
}

static const char *refuse(robot_event_t event, const robot_guards_t *guards) {
  if (event == ROBOT_RESET) return refuse_reset(guards);
  if (event == ROBOT_DRIVE) return refuse_drive(guards);
  if (event == ROBOT_INIT_COMPLETE && guards->blind) return "neither range sensors nor LiDAR see";
  if (event == ROBOT_INIT_COMPLETE)
    return guards->modules_online && guards->safety_fresh && !guards->estop_input
               ? NULL
               : "a mandatory module is missing or the emergency stop input is active";
  return NULL;
}

static const char *advice(robot_state_t state) {
  if (state == ROBOT_ESTOP) return "the stop is latched; reset it with a confirmation first";
  if (state == ROBOT_FAULT)
    return "a motor fault is latched; clear it and reset with a confirmation";
  if (state == ROBOT_INIT || state == ROBOT_BOOT)
    return "the robot is not ready: wait until every mandatory module answers";
  return "the present state does not allow it";
}

bool robot_apply(robot_t *robot, robot_event_t event, const robot_guards_t *guards, uint64_t now_ns,
                 char *why, size_t size) {
  const char *reason = NULL;
  for (size_t i = 0; i < sizeof transitions / sizeof transitions[0]; i++) {
    const transition_t *row = &transitions[i];
    if (row->from != robot->state || row->event != event) continue;
    reason = refuse(event, guards);
    if (!reason) {
      if (event == ROBOT_RESET) {
        robot->latched = false;
        robot->cause = STOP_NONE;
        robot->detail[0] = '\0';
      }
      enter(robot, row->to, now_ns);
      return true;
    }
  }
  if (!reason) reason = advice(robot->state);
  if (event == ROBOT_RESET && !robot->latched) reason = "no stop is latched";
  if (why) (void)snprintf(why, size, "%s", reason);
  return false;
}

bool robot_may_move(const robot_t *robot) {
  return !robot->latched && (robot->state == ROBOT_MOVE || robot->state == ROBOT_DOCK);
}
