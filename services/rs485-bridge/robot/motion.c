/* Speed from two latched poses, or a pose from speeds. Differential drive: v = (l + r) / 2, w = (r
 * - l) / track. */
#include "motion.h"

#include <math.h>
#include <string.h>

#define PAUSE_MAX_S 1.0 /* beyond this nothing is assumed of the time between */

void motion_init(motion_t *motion, double track_m) {
  memset(motion, 0, sizeof *motion);
  motion->track_m = track_m;
}

void motion_odometry(motion_t *motion, double x_m, double y_m, double theta_rad, double clock_s) {
  double dt_s = clock_s - motion->clock_s;
  if (motion->odometry && dt_s > 0.0 && dt_s < PAUSE_MAX_S) {
    double middle = 0.5 * (theta_rad + motion->theta_rad);
    double dx_m = x_m - motion->x_m, dy_m = y_m - motion->y_m;
    double ahead_m = dx_m * cos(middle) + dy_m * sin(middle);
    motion->path_m += ahead_m;
    motion->speed_mps = ahead_m / dt_s;
    motion->turn_radps = (theta_rad - motion->theta_rad) / dt_s;
  } else if (dt_s != 0.0) {
    motion->speed_mps = 0.0;
    motion->turn_radps = 0.0;
  }
  motion->odometry = true;
  motion->known = true;
  motion->x_m = x_m;
  motion->y_m = y_m;
  motion->theta_rad = theta_rad;
  motion->clock_s = clock_s;
}

bool motion_wheel(motion_t *motion, int wheel, double speed_mps, uint64_t now_ns) {
  motion->wheel_mps[wheel] = speed_mps;
  motion->wheel_known[wheel] = true;
  if (motion->odometry || wheel != 1 || !motion->wheel_known[0]) return false;
  double dt_s = motion->integrated_ns ? (double)(now_ns - motion->integrated_ns) * 1e-9 : 0.0;
  motion->integrated_ns = now_ns;
  if (dt_s > PAUSE_MAX_S) dt_s = 0.0;
  motion->speed_mps = 0.5 * (motion->wheel_mps[0] + motion->wheel_mps[1]);
  motion->turn_radps = (motion->wheel_mps[1] - motion->wheel_mps[0]) / motion->track_m;
  double middle = motion->theta_rad + 0.5 * motion->turn_radps * dt_s;
  motion->path_m += motion->speed_mps * dt_s;
  motion->x_m += motion->speed_mps * dt_s * cos(middle);
  motion->y_m += motion->speed_mps * dt_s * sin(middle);
  motion->theta_rad += motion->turn_radps * dt_s;
  motion->clock_s += dt_s;
  motion->known = true;
  return true;
}
