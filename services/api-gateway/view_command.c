/* Commands, mode and speeds in the shapes of the API. */
#include <math.h>
#include <stdio.h>

#include "view.h"

static double share_of(double value, double most) {
  return most > 0 ? fmin(value / most, 1) : 0;
}

bool view_status_known(const latest_t *latest, uint64_t now_ns) {
  return !latest_is_silent(&latest->status_at, now_ns, LATEST_STATE_MS);
}

bool view_limits_known(const latest_t *latest, uint64_t now_ns) {
  return !latest_is_silent(&latest->limits_at, now_ns, LATEST_STATE_MS);
}

bool view_command(const robot_status_t *status, http_command_row_t *out) {
  *out = (http_command_row_t){.id = status->command_id,
                              .command_type = status->command,
                              .status = status->command_state,
                              .has_progress = status->has_progress,
                              .progress = status->progress};
  snprintf(out->detail, sizeof out->detail, "%s", status->command_detail);
  return status->command_id != 0;
}

void view_speed(const robot_status_t *status, const robot_limits_t *limits,
                http_speed_answer_t *out) {
  *out = (http_speed_answer_t){
      .success = true,
      .preset = status->preset,
      .speed = status->speed_share,
      .acceleration = share_of(status->acceleration, limits->max_acceleration),
      .deceleration = share_of(status->deceleration, limits->max_deceleration),
      .speed_limit = status->speed_limit,
  };
}

/* Up the ramp, along, down the ramp; a short way is a triangle that never reaches the speed. */
double view_duration_s(const robot_status_t *status, double speed_mps, double distance_m) {
  double up = status->acceleration, down = status->deceleration;
  double speed = fmin(speed_mps, status->speed_limit);

  if (speed <= 0 || up <= 0 || down <= 0) return -1;
  double ramps_m = speed * speed * (0.5 / up + 0.5 / down);
  if (distance_m < ramps_m) return sqrt(2 * distance_m * (up + down) / (up * down));
  return distance_m / speed + speed * (0.5 / up + 0.5 / down);
}
