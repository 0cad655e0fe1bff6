/* Inside of the matcher: what the points of a scan at one pose say together. Four points at a time
   in the compiler's own vectors: SSE2 and NEON are in every machine's base set, so there is nothing
   to dispatch and every machine adds in the same order. */
#ifndef GANTRY_SLAM_MATCH_SUMS_H
#define GANTRY_SLAM_MATCH_SUMS_H

#include <stdint.h>

#include <gantry/geom.h>
#include <gantry/slam/points.h>

#include "field_tile.h"

/* A pose split into whole cells and the rest, so that floats keep their precision far from the
   world's origin. */
typedef struct match_frame {
  int32_t cell_x, cell_y;
  float x, y; /* rest, cells, shifted to cell centres */
  float c, s; /* cosine and sine over the resolution: m to cells */
} match_frame_t;

/* Sums over the points; residuals and Jacobians in m. */
typedef struct match_sums {
  float xx, xy, xt, yy, yt, tt; /* w J'J, upper triangle */
  float x, y, t;                /* w J' r */
  float weight, weighted_square;
  float residual;
  uint32_t inliers;
} match_sums_t;

match_frame_t match_frame_of(const distance_field_t *field, pose2_t pose);

/* The sums at a pose under a Cauchy kernel of this scale; inliers lie within inlier_m. */
match_sums_t match_sums_at(field_view_t *view, const points_t *points, pose2_t pose,
                           double cauchy_m, double inlier_m);

#endif
