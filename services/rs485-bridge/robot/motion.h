/* How the robot moves: from the travel module's odometry block, or integrated from the motors'
   speeds where there is none. Pure. */
#ifndef BRIDGE_MOTION_H
#define BRIDGE_MOTION_H

#include <stdbool.h>
#include <stdint.h>

typedef struct motion {
  double track_m;
  bool odometry; /* the block was there */
  double x_m, y_m, theta_rad, clock_s;
  double speed_mps, turn_radps;
  double path_m;       /* driven along the way since power-on, forward positive */
  bool known;          /* one reading at least */
  double wheel_mps[2]; /* signed, as last read */
  bool wheel_known[2];
  uint64_t integrated_ns;
} motion_t;

void motion_init(motion_t *motion, double track_m);
/* A latched odometry block. A clock that goes back is a module that started anew: speeds are
 * unknown, zero, for one reading. */
void motion_odometry(motion_t *motion, double x_m, double y_m, double theta_rad, double clock_s);
/* The speed of motor 0 (left) or 1 (right), signed. True when the pose was advanced by it. */
bool motion_wheel(motion_t *motion, int wheel, double speed_mps, uint64_t now_ns);

#endif
