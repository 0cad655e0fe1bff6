/* History ring and counters. */
#include "track.h"

#include <string.h>

void track_reset(track_t *track) {
  memset(track, 0, sizeof *track);
}

void track_push(track_t *track, const fusion_pose_t *pose, uint64_t wall_ns) {
  track->points[track->next] = (track_point_t){.pose = *pose, .wall_ns = wall_ns};
  track->next = (track->next + 1) % TRACK_CAPACITY;
  if (track->count < TRACK_CAPACITY) track->count++;
  track->poses++;
  track->confidence_sum += pose->confidence;
  for (int i = 0; i < FUSION_METHOD_COUNT; i++)
    track->usage[i] += pose->used[i];
}

const track_point_t *track_at(const track_t *track, uint32_t i) {
  if (i >= track->count) return NULL;
  return &track->points[(track->next + TRACK_CAPACITY - 1 - i) % TRACK_CAPACITY];
}

double track_confidence(const track_t *track) {
  return track->poses > 0 ? track->confidence_sum / (double)track->poses : 0;
}
