/* Each return is carried from the robot's frame at its own moment into that at the middle of the
   turn, along an arc, and told as a ray again. */
#include <gantry/slam/sweep.h>

#include <math.h>
#include <stdbool.h>

static bool is_known(const sweep_t *sweep) {
  return sweep->turn_s > 0 && sweep->turn_s <= SWEEP_TURN_S_MAX && isfinite(sweep->by_rad) &&
         sweep->by_rad != 0 && isfinite(sweep->from_rad) && isfinite(sweep->speed_mps) &&
         isfinite(sweep->turn_radps);
}

/* Which share of the turn had passed when the scanner looked there, 0 to 1. A direction it never
   looked at counts for the nearer end. */
static double share_of(const sweep_t *sweep, double angle_rad) {
  double by = fabs(sweep->by_rad);
  double turned = sweep->by_rad > 0 ? angle_rad - sweep->from_rad : sweep->from_rad - angle_rad;
  turned -= 2 * M_PI * floor(turned / (2 * M_PI));
  if (turned > by) return turned - by < 2 * M_PI - turned ? 1.0 : 0.0;
  return turned / by;
}

/* The robot dt_s from the middle of the turn, as seen from there. */
static pose2_t robot_at(const sweep_t *sweep, double dt_s) {
  double way_m = sweep->speed_mps * dt_s, turned = sweep->turn_radps * dt_s;
  return (pose2_t){way_m * cos(turned / 2), way_m * sin(turned / 2), turned};
}

void sweep_straighten(const sweep_t *sweep, pose2_t mount, const float *angle_rad,
                      const float *range_m, uint32_t count, float *angle_out, float *range_out) {
  pose2_t back = pose2_inverse(mount);
  bool known = is_known(sweep);
  for (uint32_t i = 0; i < count; i++) {
    double angle = angle_rad[i], range = range_m[i];
    angle_out[i] = angle_rad[i];
    range_out[i] = range_m[i];
    if (!known || range == 0 || !isfinite(range) || !isfinite(angle)) continue;
    double dt_s = (share_of(sweep, angle) - 0.5) * sweep->turn_s;
    pose2_t sensor = pose2_compose(back, pose2_compose(robot_at(sweep, dt_s), mount));
    double x = sensor.x + range * cos(sensor.theta + angle);
    double y = sensor.y + range * sin(sensor.theta + angle);
    angle_out[i] = (float)atan2(y, x);
    range_out[i] = (float)hypot(x, y);
  }
}
