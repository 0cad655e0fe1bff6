/* Points: one planar scan as Cartesian points in the robot frame, ready to match and to insert.
   Metres and radians. Pure; a value, nothing to free. */
#ifndef GANTRY_SLAM_POINTS_H
#define GANTRY_SLAM_POINTS_H

#include <stdint.h>

#include <gantry/geom.h>

#define POINTS_CAPACITY    2048
#define POINTS_RANGE_MAX_M 1000.0 /* whatever the gate says */

typedef struct points {
  uint32_t count;             /* points in x_m and y_m, at most POINTS_CAPACITY */
  uint32_t dropped;           /* rays outside the gate or beyond the capacity, not those thinned */
  float origin_x_m;           /* where the rays begin (the sensor), robot frame */
  float origin_y_m;           /* */
  float x_m[POINTS_CAPACITY]; /* robot frame */
  float y_m[POINTS_CAPACITY]; /* */
} points_t;

/* Which rays become points. */
typedef struct points_gate {
  double min_m;     /* shorter ranges are dropped (the robot itself, dust) */
  double max_m;     /* ranges at or beyond it are dropped */
  double spacing_m; /* a ray that ends closer than this to the last point kept is skipped */
} points_gate_t;

/* 0.05 m, 80 m, 0: every ray. */
points_gate_t points_gate_default(void);

/* Replaces the contents of points by the rays of a scan: ray i leaves the sensor at angle_rad[i]
   (sensor frame, counter-clockwise, 0 along the sensor's x) and ends after range_m[i]; 0, NaN,
   infinity and what lies outside the gate is no return. mount is the sensor's pose in the robot
   frame. Returns the number of points kept. */
uint32_t points_from_scan(points_t *points, const float *angle_rad, const float *range_m,
                          uint32_t ray_count, pose2_t mount, const points_gate_t *gate);

/* How far the farthest point, or where the rays begin, lies from the robot, m. */
double points_reach_m(const points_t *points);

#endif
