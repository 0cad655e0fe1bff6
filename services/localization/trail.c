/* A ring of poses along the wheel's way. */
#include "trail.h"

#include <math.h>

void trail_clear(trail_t *trail) {
  trail->count = 0;
}

/* Index of the entry i steps before the newest. */
static uint32_t back(const trail_t *trail, uint32_t i) {
  return (trail->newest + TRAIL_CAPACITY - i) % TRAIL_CAPACITY;
}

void trail_push(trail_t *trail, double wheel_m, pose2_t pose) {
  if (trail->count > 0 && pose2_distance(trail->poses[trail->newest], pose) >
                              fabs(wheel_m - trail->wheel_m[trail->newest]) + TRAIL_JUMP_M)
    trail_clear(trail);
  uint32_t last = back(trail, 1);
  bool near = trail->count > 1 && fabs(wheel_m - trail->wheel_m[last]) < TRAIL_STEP_M;
  if (!near) trail->newest = (trail->newest + 1) % TRAIL_CAPACITY;
  if (!near && trail->count < TRAIL_CAPACITY) trail->count++;
  trail->poses[trail->newest] = pose;
  trail->wheel_m[trail->newest] = wheel_m;
}

bool trail_at(const trail_t *trail, double wheel_m, pose2_t *out) {
  for (uint32_t i = 1; i < trail->count; i++) {
    uint32_t from = back(trail, i), to = back(trail, i - 1);
    double step_m = trail->wheel_m[to] - trail->wheel_m[from];
    double share = step_m != 0 ? (wheel_m - trail->wheel_m[from]) / step_m : -1;
    if (!(share >= 0 && share <= 1)) continue;
    pose2_t way = pose2_between(trail->poses[from], trail->poses[to]);
    *out = pose2_compose(trail->poses[from],
                         (pose2_t){way.x * share, way.y * share, way.theta * share});
    return true;
  }
  return false;
}
