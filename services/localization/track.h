/* Track: the newest poses, and statistics over all since the last reset. Pure. */
#ifndef LOC_TRACK_H
#define LOC_TRACK_H

#include <stdint.h>

#include "fusion.h"

#define TRACK_CAPACITY 100

typedef struct track_point {
  fusion_pose_t pose;
  uint64_t wall_ns;
} track_point_t;

typedef struct track {
  track_point_t points[TRACK_CAPACITY];
  uint32_t count, next;
  uint64_t poses; /* since the last reset */
  double confidence_sum;
  uint64_t usage[FUSION_METHOD_COUNT]; /* poses each method was the base of */
} track_t;

void track_reset(track_t *track);
void track_push(track_t *track, const fusion_pose_t *pose, uint64_t wall_ns);
/* The i-th newest; NULL beyond count. */
const track_point_t *track_at(const track_t *track, uint32_t i);
/* Mean confidence of all poses; 0 without one. */
double track_confidence(const track_t *track);

#endif
