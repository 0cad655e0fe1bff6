/* Keyframe: a scan that went into the map, kept compactly (4 bytes a point) to be carved or matched
   again where it is known to have been by then. Never changes once made, so that threads may read
   it together. */
#ifndef GANTRY_SLAM_KEYFRAME_H
#define GANTRY_SLAM_KEYFRAME_H

#include <stddef.h>
#include <stdint.h>

#include <gantry/slam/points.h>

typedef struct keyframe {
  uint32_t scan;  /* which one of the drive's it was */
  uint32_t count; /* points */
  float unit_m;   /* of the coordinates: 1 mm, more when the farthest point needs it */
  float origin_x_m, origin_y_m;
  int16_t xy[]; /* count pairs, robot frame */
} keyframe_t;

/* Every stride-th point of a scan (1: all). NULL without memory. Free it with free. */
keyframe_t *keyframe_new(const points_t *points, uint32_t scan, uint32_t stride);
/* The same with every second point. */
keyframe_t *keyframe_halved(const keyframe_t *keyframe);
void keyframe_points(const keyframe_t *keyframe, points_t *out);
size_t keyframe_bytes(const keyframe_t *keyframe);

#endif
