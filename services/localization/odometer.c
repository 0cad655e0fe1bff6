/* Interpolation along the odometry's path. */
#include "odometer.h"

#include <string.h>

void odometer_clear(odometer_t *odometer) {
  memset(odometer, 0, sizeof *odometer);
}

/* Index of the reading i steps before the newest. */
static uint32_t back(const odometer_t *odometer, uint32_t i) {
  return (odometer->newest + ODOMETER_CAPACITY - i) % ODOMETER_CAPACITY;
}

bool odometer_push(odometer_t *odometer, uint64_t time_ns, pose2_t pose) {
  if (odometer->count > 0 && time_ns <= odometer->times_ns[odometer->newest]) return false;
  odometer->newest = (odometer->newest + 1) % ODOMETER_CAPACITY;
  odometer->poses[odometer->newest] = pose;
  odometer->times_ns[odometer->newest] = time_ns;
  if (odometer->count < ODOMETER_CAPACITY) odometer->count++;
  return true;
}

uint64_t odometer_newest_ns(const odometer_t *odometer) {
  return odometer->count > 0 ? odometer->times_ns[odometer->newest] : 0;
}

/* from moved along its way to `to` by a share, which may exceed 1. */
static pose2_t along(pose2_t from, pose2_t to, double share) {
  pose2_t way = pose2_between(from, to);
  return pose2_compose(from, (pose2_t){way.x * share, way.y * share, way.theta * share});
}

/* The speed is taken over at least ODOMETER_BASE_NS: readings may arrive in bursts, and the time
   between two of a burst says nothing about the way between them. */
static pose2_t ahead(const odometer_t *odometer, uint64_t time_ns) {
  uint32_t last = odometer->newest;
  uint64_t last_ns = odometer->times_ns[last], ahead_ns = time_ns - last_ns;
  if (ahead_ns > ODOMETER_AHEAD_NS) ahead_ns = ODOMETER_AHEAD_NS;
  for (uint32_t i = 1; i < odometer->count; i++) {
    uint32_t base = back(odometer, i);
    uint64_t span_ns = last_ns - odometer->times_ns[base];
    if (span_ns < ODOMETER_BASE_NS) continue;
    if (span_ns > ODOMETER_STEP_NS) break;
    return along(odometer->poses[base], odometer->poses[last],
                 1 + (double)ahead_ns / (double)span_ns);
  }
  return odometer->poses[last];
}

bool odometer_at(const odometer_t *odometer, uint64_t time_ns, pose2_t *out) {
  if (odometer->count == 0) return false;
  if (time_ns >= odometer->times_ns[odometer->newest]) {
    *out = ahead(odometer, time_ns);
    return true;
  }
  for (uint32_t i = 1; i < odometer->count; i++) {
    uint32_t older = back(odometer, i), newer = back(odometer, i - 1);
    if (time_ns < odometer->times_ns[older]) continue;
    uint64_t step_ns = odometer->times_ns[newer] - odometer->times_ns[older];
    double share = (double)(time_ns - odometer->times_ns[older]) / (double)step_ns;
    *out = along(odometer->poses[older], odometer->poses[newer], share);
    return true;
  }
  *out = odometer->poses[back(odometer, odometer->count - 1)];
  return true;
}
