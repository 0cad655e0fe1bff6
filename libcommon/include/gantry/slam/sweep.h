/* Sweep: the scan of a scanner that turns while the robot moves. Its rays are taken one after the
   other; straightened, they are as if all were taken from where the robot was in the middle of the
   turn. Metres and radians. Pure; a value. */
#ifndef GANTRY_SLAM_SWEEP_H
#define GANTRY_SLAM_SWEEP_H

#include <stdint.h>

#include <gantry/geom.h>

#define SWEEP_TURN_S_MAX 1.0 /* a slower turn is a broken one */

typedef struct sweep {
  double turn_s;                /* first ray to last */
  double from_rad;              /* direction of the first, sensor frame */
  double by_rad;                /* from there to the last; negative: clockwise */
  double speed_mps, turn_radps; /* of the robot, taken as constant over the turn */
} sweep_t;

/* Writes count straightened rays to angle_out and range_out, which may be the inputs. mount is the
   sensor's pose in the robot frame. A range of 0 or one that is not finite stays. What is not known
   (turn_s or by_rad 0, a turn slower than SWEEP_TURN_S_MAX, values that are not finite) leaves all
   rays as they are. */
void sweep_straighten(const sweep_t *sweep, pose2_t mount, const float *angle_rad,
                      const float *range_m, uint32_t count, float *angle_out, float *range_out);

#endif
