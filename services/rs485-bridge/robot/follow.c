/* The way to a distance, to a tag, to the dock. */
#include "follow.h"

#include <math.h>
#include <stdio.h>

#define NS_PER_S     1e-9
#define ANSWER_NS    UINT64_C(1500000000) /* for the dock module to take an order */
#define DOCK_LOST_NS UINT64_C(1500000000) /* without a reading of it */
#define LAG_S        0.025                /* from odometer to answer, and from here to the motors */
#define BRAKE_SHARE  0.8                  /* of the deceleration: the ramp's steps are coarse */
#define CREEP_MPS    0.05                 /* at the end of a way */
#define STEP_MPS     0.016 /* two counts of the motors: the last millimetres to the dock */
#define STANDS_MPS   0.01
#define DOCK_NEAR_M  0.001
#define RETURN_MPS   0.3

double follow_brake_mps(double left_m, double decel_mps2) {
  return sqrt(2.0 * BRAKE_SHARE * decel_mps2 * fmax(left_m, 0.0));
}

void follow_begin(commands_t *commands, int way, double speed_mps, double distance_m, double path_m,
                  uint32_t tags) {
  command_goal_t *goal = &commands->goal;
  *goal = (command_goal_t){.way = way,
                           .speed_mps = speed_mps,
                           .distance_m = distance_m,
                           .begun_path_m = path_m,
                           .tags = tags};
}

static double age_s(const pilot_input_t *input, uint64_t now_ns) {
  if (input->path_ns == 0 || now_ns <= input->path_ns) return LAG_S;
  return fmin((double)(now_ns - input->path_ns) * NS_PER_S, 0.2) + LAG_S;
}

static follow_step_t fail(commands_t *commands, const char *detail) {
  (void)snprintf(commands->detail, sizeof commands->detail, "%s", detail);
  return (follow_step_t){.end = FOLLOW_FAILED};
}

/* Towards a distance: as fast as can be braked, the last bit slowly, and there without a ramp. */
static follow_step_t follow_distance(const command_goal_t *goal, const pilot_input_t *input,
                                     double limit_mps, double decel_mps2, uint64_t now_ns) {
  double gone_m = goal->way * (input->path_m - goal->begun_path_m);
  double left_m =
      goal->distance_m - gone_m - fmax(0.0, goal->way * input->speed_mps) * age_s(input, now_ns);
  if (left_m <= 0.0) return (follow_step_t){.end = FOLLOW_THERE, .cut = true};
  double speed_mps = fmin(limit_mps, fmax(CREEP_MPS, follow_brake_mps(left_m, decel_mps2)));
  return (follow_step_t){.aim_mps = goal->way * speed_mps};
}

static follow_step_t follow_move(commands_t *commands, const pilot_input_t *input,
                                 double decel_mps2, uint64_t now_ns) {
  const command_goal_t *goal = &commands->goal;
  if (goal->distance_m < 0.0) return (follow_step_t){.aim_mps = goal->way * goal->speed_mps};
  double gone_m = goal->way * (input->path_m - goal->begun_path_m);
  commands->progress =
      goal->distance_m > 0.0 ? fmin(fmax(gone_m / goal->distance_m, 0.0), 1.0) : 1.0;
  return follow_distance(goal, input, goal->speed_mps, decel_mps2, now_ns);
}

/* The tag is first seen at the edge of its field, when the robot still runs: brake, and go back to
   the middle of where it was seen when that has led past it. */
static follow_step_t follow_home(commands_t *commands, const pilot_input_t *input,
                                 double setpoint_mps, double decel_mps2, uint64_t now_ns) {
  command_goal_t *goal = &commands->goal;
  if (goal->returns) {
    follow_step_t step = follow_distance(goal, input, RETURN_MPS, decel_mps2, now_ns);
    if (step.end == FOLLOW_THERE && !input->at_home)
      return fail(commands, "the home tag was run over and is not found again");
    return step;
  }
  if (input->at_home) {
    if (!goal->entered) goal->enter_path_m = input->path_m;
    goal->entered = true;
    goal->leave_path_m = input->path_m;
  }
  if (!goal->entered) {
    bool forward = input->tags != goal->tags;
    goal->tags = input->tags;
    return (follow_step_t){.end = forward ? FOLLOW_FORWARD : FOLLOW_GOES,
                           .aim_mps = goal->way * goal->speed_mps};
  }
  if (setpoint_mps != 0.0 || fabs(input->speed_mps) > STANDS_MPS) return (follow_step_t){0};
  if (input->at_home) return (follow_step_t){.end = FOLLOW_THERE};
  double middle_m = 0.5 * (goal->enter_path_m + goal->leave_path_m);
  goal->returns = true;
  goal->way = middle_m < input->path_m ? -1 : 1;
  goal->distance_m = fabs(middle_m - input->path_m);
  goal->begun_path_m = input->path_m;
  return (follow_step_t){0};
}

/* The module tells an unsigned distance ten times a second; the odometer fills the gaps and says on
   which side of the dock the robot is. */
static void take_distance(command_goal_t *goal, const pilot_input_t *input) {
  double left_m = goal->left_m - (input->path_m - goal->left_path_m);
  bool past = goal->left_ns != 0 && left_m < 0.0;
  goal->left_m = past ? -input->dock_distance_m : input->dock_distance_m;
  if (goal->left_ns == 0) goal->first_left_m = fmax(input->dock_distance_m, 0.001);
  goal->left_path_m = input->path_m;
  goal->left_ns = input->dock_ns;
}

static follow_step_t follow_dock(commands_t *commands, const pilot_input_t *input,
                                 double decel_mps2, uint64_t now_ns) {
  command_goal_t *goal = &commands->goal;
  bool fresh = input->dock_ns > goal->asked_ns;
  if (fresh && input->dock_ns != goal->left_ns) take_distance(goal, input);
  uint64_t heard_ns = fresh ? input->dock_ns : goal->asked_ns;
  if (now_ns > heard_ns && now_ns - heard_ns > DOCK_LOST_NS)
    return fail(commands, "the dock module has fallen silent");
  if (!fresh) return (follow_step_t){0};
  if (input->dock_status & DOCK_FAULT) return fail(commands, "the dock module reports a fault");
  if (input->dock_status & DOCK_DOCKED) return (follow_step_t){.end = FOLLOW_THERE, .cut = true};
  double left_m = goal->left_m - (input->path_m - goal->left_path_m);
  commands->progress = fmin(fmax(1.0 - fabs(left_m) / goal->first_left_m, 0.0), 1.0);
  if (fabs(left_m) <= DOCK_NEAR_M) return (follow_step_t){.cut = true};
  bool aligning = (input->dock_status & 0x06) != 0;
  double limit_mps = fmin(goal->speed_mps, aligning ? input->final_mps : input->approach_mps);
  double brake_mps = follow_brake_mps(0.3 * fabs(left_m), decel_mps2);
  return (follow_step_t){.aim_mps =
                             copysign(fmin(limit_mps, fmax(STEP_MPS, 0.5 * brake_mps)), left_m)};
}

follow_step_t follow_way(commands_t *commands, const pilot_input_t *input, double setpoint_mps,
                         double decel_mps2, uint64_t now_ns) {
  const command_goal_t *goal = &commands->goal;
  if (goal->waits) {
    if (now_ns > goal->asked_ns && now_ns - goal->asked_ns > ANSWER_NS)
      return fail(commands, "the dock module did not take the order");
    return (follow_step_t){0};
  }
  if (commands->kind == COMMAND_HOME)
    return follow_home(commands, input, setpoint_mps, decel_mps2, now_ns);
  if (commands->kind == COMMAND_DOCK) return follow_dock(commands, input, decel_mps2, now_ns);
  return follow_move(commands, input, decel_mps2, now_ns);
}
