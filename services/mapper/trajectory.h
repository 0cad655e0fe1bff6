/* Trajectory: the path of a session, thinned as it grows so that it always fits. Pure. */
#ifndef MAPPER_TRAJECTORY_H
#define MAPPER_TRAJECTORY_H

#include <gantry/geom.h>
#include <stdint.h>

#define TRAJECTORY_MAX 4096

typedef struct trajectory_point {
  pose2_t pose;
  uint64_t wall_ns;
} trajectory_point_t;

/* Zeroed memory is empty. When full, every second point goes and from then on only every second,
   fourth, ... is kept: evenly spaced in number, first point always there. */
typedef struct trajectory {
  trajectory_point_t points[TRAJECTORY_MAX];
  uint32_t count;
  uint32_t shift; /* one of 2^shift points is kept */
  uint64_t total; /* points offered */
} trajectory_t;

void trajectory_clear(trajectory_t *trajectory);
void trajectory_add(trajectory_t *trajectory, pose2_t pose, uint64_t wall_ns);

#endif
