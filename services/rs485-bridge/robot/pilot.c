/* The pilot's ticks: time-outs, obstacles, the way of a command, the ramp and what ends with it. */
#include "pilot.h"

#include <math.h>
#include <stdio.h>

#define MARGIN_M  0.1  /* kept between where braking ends and where the stop zone begins */
#define CREEP_MPS 0.05 /* towards what is seen ahead, until the pause */

static const robot_guards_t none = {0};

static bool is_running(pilot_t pilot) {
  return pilot.commands->state == COMMAND_RUNNING;
}

/* The end of what is under way: down to zero, and then this outcome. */
static unsigned halt(pilot_t pilot, command_state_t outcome, const char *detail, uint64_t now_ns) {
  bool undone = pilot.robot->state == ROBOT_DOCK && outcome != COMMAND_DONE;
  (void)robot_apply(pilot.robot, ROBOT_HALT, &none, now_ns, NULL, 0);
  drive_halt(pilot.drive);
  if (is_running(pilot)) {
    pilot.commands->outcome = outcome;
    if (detail) (void)snprintf(pilot.commands->detail, sizeof pilot.commands->detail, "%s", detail);
  }
  return ACT_CHANGED | ACT_SOON | (undone ? ACT_DOCK_STOP : 0u);
}

/* The command record follows when the robot has come to stand, or has been put to stand. */
static void settle(pilot_t pilot) {
  if (is_running(pilot)) commands_end(pilot.commands, pilot.commands->outcome, NULL);
}

static unsigned expire(pilot_t pilot, uint64_t now_ns) {
  robot_state_t was = pilot.robot->state;
  uint32_t timeout_ms = pilot.robot->timeout_ms[was];
  char detail[96];
  if (!robot_expire(pilot.robot, now_ns)) return 0;
  (void)snprintf(detail, sizeof detail, "%s lasted longer than %.0f s", robot_state_name(was),
                 timeout_ms * 1e-3);
  if (pilot.robot->ending) return halt(pilot, COMMAND_FAILED, detail, now_ns);
  if (was == ROBOT_CONFIG && is_running(pilot)) {
    pilot.commands->outcome = COMMAND_FAILED;
    (void)snprintf(pilot.commands->detail, sizeof pilot.commands->detail, "%s", detail);
  }
  if (pilot.robot->state != ROBOT_IDLE) return ACT_CHANGED;
  drive_cut(pilot.drive); /* the way down has lasted too long, or nothing moved */
  settle(pilot);
  return ACT_CHANGED | ACT_CUT;
}

static bool is_overdue(pilot_t pilot, uint64_t now_ns) {
  uint64_t deadline_ns = pilot.commands->deadline_ns;
  bool under_way = robot_may_move(pilot.robot) || pilot.robot->state == ROBOT_CONFIG;
  return is_running(pilot) && under_way && !pilot.robot->ending && deadline_ns != 0 &&
         now_ns >= deadline_ns;
}

/* The command's own time counts from its beginning, also while it is paused. */
static unsigned give_up(pilot_t pilot, uint64_t now_ns) {
  static const char why[] = "the command's own time-out has passed";
  if (pilot.robot->state != ROBOT_CONFIG) return halt(pilot, COMMAND_FAILED, why, now_ns);
  (void)robot_apply(pilot.robot, ROBOT_CONFIGURED, &none, now_ns, NULL, 0);
  commands_end(pilot.commands, COMMAND_FAILED, why);
  return ACT_CHANGED;
}

static unsigned pause_move(pilot_t pilot, const char *detail, uint64_t now_ns) {
  if (!robot_apply(pilot.robot, ROBOT_PAUSE, &none, now_ns, NULL, 0)) return 0;
  drive_halt(pilot.drive);
  (void)snprintf(pilot.commands->detail, sizeof pilot.commands->detail, "%s", detail);
  return ACT_CHANGED | ACT_SOON;
}

/* Fast enough only to brake ahead of the stop zone. */
static double ahead_mps(pilot_t pilot, const pilot_input_t *input) {
  if (pilot.robot->state != ROBOT_MOVE || input->clearance_m < 0.0) return INFINITY;
  double room_m = input->clearance_m - pilot.cfg->stop_m - MARGIN_M;
  return fmax(CREEP_MPS, follow_brake_mps(room_m, pilot.drive->decel_mps2));
}

static unsigned follow(pilot_t pilot, const pilot_input_t *input, uint64_t now_ns) {
  commands_t *commands = pilot.commands;
  char detail[96];
  if (mode_is_held(commands->mode) && now_ns >= commands->hold_ns) {
    if (pilot.robot->state == ROBOT_DOCK)
      return halt(pilot, COMMAND_CANCELLED, "the dead man let go", now_ns);
    return pause_move(pilot, "the dead man let go; resume while it is held", now_ns);
  }
  if (input->near && pilot.robot->state == ROBOT_MOVE && !commands->goal.waits) {
    (void)snprintf(detail, sizeof detail, "an obstacle %.2f m away; clear it, then resume",
                   fmax(input->clearance_m, 0.0));
    return pause_move(pilot, detail, now_ns);
  }
  follow_step_t step =
      follow_way(commands, input, pilot.drive->setpoint_mps, pilot.drive->decel_mps2, now_ns);
  if (step.end == FOLLOW_FORWARD) robot_extend(pilot.robot, now_ns);
  if (step.end == FOLLOW_FAILED) return halt(pilot, COMMAND_FAILED, NULL, now_ns);
  bool slow = fabs(pilot.drive->setpoint_mps) <= 2.0 * CREEP_MPS;
  if (step.cut && slow && pilot.drive->setpoint_mps != 0.0) {
    drive_cut(pilot.drive);
    if (step.end != FOLLOW_THERE) return ACT_SOON;
  }
  if (step.end == FOLLOW_THERE) return halt(pilot, COMMAND_DONE, NULL, now_ns);
  double limit_mps = ahead_mps(pilot, input);
  drive_aim(pilot.drive, fmin(fmax(step.aim_mps, -limit_mps), limit_mps));
  return 0;
}

unsigned pilot_step(pilot_t pilot, const pilot_input_t *input, uint64_t now_ns) {
  commands_t *commands = pilot.commands;
  /* However gently it was told to slow down, what is to stand stops as fast as settings allow. */
  double decel_share = robot_may_drive(pilot.robot) ? commands->decel_share : 1.0;
  drive_set_limits(pilot.drive, commands->accel_share, decel_share, pilot_limit_mps(pilot));
  if (pilot.robot->latched) {
    drive_cut(pilot.drive);
    if (!is_running(pilot)) return 0;
    commands_end(commands, COMMAND_CANCELLED, pilot.robot->detail);
    return ACT_CHANGED;
  }
  unsigned acts = expire(pilot, now_ns);
  if (is_overdue(pilot, now_ns)) acts |= give_up(pilot, now_ns);
  if (!is_running(pilot) || !robot_may_drive(pilot.robot)) return acts;
  return acts | follow(pilot, input, now_ns);
}

unsigned pilot_ramp(pilot_t pilot, double factor, uint64_t now_ns) {
  if (pilot.robot->latched) return 0;
  drive_end_t end = drive_step(pilot.drive, factor, now_ns);
  bool jogs = pilot.robot->state == ROBOT_MOVE && !is_running(pilot);
  if (end == DRIVE_GOES) return 0;
  if (end == DRIVE_LET_GO || jogs)
    (void)robot_apply(pilot.robot, ROBOT_HALT, &none, now_ns, NULL, 0);
  if (!robot_apply(pilot.robot, ROBOT_STOPPED, &none, now_ns, NULL, 0)) return 0;
  settle(pilot);
  return ACT_CHANGED | (end == DRIVE_LET_GO ? ACT_CUT : 0u);
}

drive_words_t pilot_words(pilot_t pilot) {
  return robot_may_move(pilot.robot) ? drive_get_words(pilot.drive) : (drive_words_t){0};
}

double pilot_limit_mps(pilot_t pilot) {
  return commands_limit_mps(pilot.commands, !is_running(pilot));
}

unsigned pilot_dock_answer(pilot_t pilot, bool taken, double back_m, double back_mps,
                           const pilot_input_t *input, uint64_t now_ns) {
  command_goal_t *goal = &pilot.commands->goal;
  const robot_t *robot = pilot.robot;
  if (!is_running(pilot) || !goal->waits || !robot_may_move(robot) || robot->ending) return 0;
  if (!taken) return halt(pilot, COMMAND_FAILED, "the dock module did not take the order", now_ns);
  goal->waits = false;
  goal->asked_ns = now_ns; /* what it said before does not count */
  goal->begun_path_m = input->path_m;
  if (pilot.commands->kind != COMMAND_UNDOCK) return 0;
  goal->distance_m = back_m;
  goal->speed_mps = fmin(goal->speed_mps, back_mps);
  return 0;
}
