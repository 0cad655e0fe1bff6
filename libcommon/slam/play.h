/* Play: how far a scan may be shifted, along the axis it sees least, before it fits noticeably
   worse. A match's Hessian tells only how sharp its own place is; between bare walls, or where
   doors repeat, one a metre on is as good. Pure. */
#ifndef GANTRY_SLAM_PLAY_H
#define GANTRY_SLAM_PLAY_H

#include <gantry/slam/match.h>

typedef struct play {
  double far_m;          /* the farther end of it; 0: none */
  double axis_x, axis_y; /* from end to end, field's frame */
} play_t;

/* match: where points were placed in field. Looks reach_m to either side. */
play_t play_of(const distance_field_t *field, const points_t *points, const match_result_t *match,
               double reach_m);
/* Adds it, as one sigma, to the covariance of the place. */
void play_add(const play_t *play, double covariance[9]);

#endif
