/* Back end: what happens to keyframes behind the front end. Every keyframe is placed a second time
   against the last few alone, so that the chain knows nothing of older places and its drift stays
   visible; submaps are pieces of that chain. Keyframes are then looked for in old submaps, what
   holds becomes a closure in the pose graph, and the graph is solved. Pure; run by one thread at a
   time (slam.c sees to that). */
#ifndef GANTRY_SLAM_BACK_END_H
#define GANTRY_SLAM_BACK_END_H

#include <gantry/slam/distance_field.h>
#include <gantry/slam/pose_graph.h>
#include <gantry/slam/search.h>
#include <gantry/slam/slam.h>

#include "keyframe.h"

/* A stretch of the chain: keyframes first .. first + 2 submap_length - 1, half shared with the next
   one. Its map lies in the chain's frame and is drawn when it is asked for. */
typedef struct submap {
  distance_field_t *field; /* NULL: not drawn now */
  search_map_t *search;    /* NULL: not wanted yet */
  size_t bytes;
  uint64_t used; /* clock of the last use */
} submap_t;

typedef struct back_end {
  slam_config_t config;
  match_config_t match;
  pose_graph_t *graph; /* node i is keyframe i */
  const keyframe_t **keyframes;
  pose2_t *steps;       /* from the keyframe before, as the front end saw it */
  pose2_t *chain;       /* placed against the last few alone */
  const pose2_t *front; /* of all keyframes while it runs, by the front end; NULL: unknown */
  double *path_m;       /* travelled along the chain */
  uint32_t count, placed, searched, capacity;
  grid_t *recent; /* of the chain: keyframes recent_first .. placed - 1 */
  distance_field_t *recent_field;
  uint32_t recent_first;
  submap_t *submaps;
  uint32_t submap_capacity, submaps_drawn;
  uint64_t clock;
  double closed_path_m; /* where the last closure was accepted */
  slam_closure_t *closures;
  uint32_t *closure_edges; /* in the graph; UINT32_MAX: none */
  uint32_t closure_count, closure_capacity;
  uint32_t unsolved; /* closures accepted since the last solve */
  bool solve_wanted; /* one of them contradicts the graph, or they are many */
  slam_counts_t counts;
  points_t points; /* scratch */
} back_end_t;

back_end_t *back_end_new(const slam_config_t *config);
void back_end_destroy(back_end_t **self);
/* Takes a keyframe (borrowed) and the way to it from the last one. */
gantry_err_t back_end_append(back_end_t *end, const keyframe_t *keyframe, pose2_t pose,
                             pose2_t step);
/* Places, searches and solves what was appended since; last: solves though it would not pay yet.
 * *moved: poses have changed by a solve. */
gantry_err_t back_end_run(back_end_t *end, bool last, bool *moved);

/* chain.c: places keyframe end->placed and ties it to the graph. */
gantry_err_t chain_place(back_end_t *end);
/* The same for one whose place in the chain is known; then, after the last, the recent map. */
gantry_err_t chain_restore(back_end_t *end, pose2_t place);
gantry_err_t chain_resume(back_end_t *end);
/* submap.c */
gantry_err_t submap_draw(back_end_t *end, uint32_t index, submap_t **out);
/* Builds the pyramid of a submap that is drawn. */
gantry_err_t submap_prepare_search(back_end_t *end, uint32_t index);
void submap_forget_all(back_end_t *end);
/* closure.c: looks for a keyframe in old submaps. */
gantry_err_t closure_search(back_end_t *end, uint32_t keyframe);
gantry_err_t closure_restore(back_end_t *end, const slam_closure_t *closure);
/* After a solve: closures that the kernel left no say. */
void closure_review(back_end_t *end);

/* Inverse covariance with the axes turned by -turn_rad. */
void information_of(const double covariance[9], double turn_rad, double out[9]);

#endif
