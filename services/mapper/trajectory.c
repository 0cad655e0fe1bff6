/* Halves itself when full. */
#include "trajectory.h"

void trajectory_clear(trajectory_t *trajectory) {
  trajectory->count = 0;
  trajectory->shift = 0;
  trajectory->total = 0;
}

static void halve(trajectory_t *trajectory) {
  for (uint32_t i = 0, from = 0; i < TRAJECTORY_MAX / 2; i++, from += 2)
    trajectory->points[i] = trajectory->points[from];
  trajectory->count = TRAJECTORY_MAX / 2;
  trajectory->shift++;
}

void trajectory_add(trajectory_t *trajectory, pose2_t pose, uint64_t wall_ns) {
  uint64_t index = trajectory->total++;
  if (index & (((uint64_t)1 << trajectory->shift) - 1)) return;
  if (trajectory->count == TRAJECTORY_MAX) {
    halve(trajectory);
    if (index & (((uint64_t)1 << trajectory->shift) - 1)) return;
  }
  trajectory->points[trajectory->count++] = (trajectory_point_t){.pose = pose, .wall_ns = wall_ns};
}
