/* Search match: where in a map a scan was taken, without a guess, to the centimetre. Searches the
   window for the places that look like it, refines each against the distance field, and lets the
   fine fit decide: the pyramid's score is of whole cells and may prefer the wrong one of two
   corridors by a hair. Pure. */
#ifndef GANTRY_SLAM_SEARCH_MATCH_H
#define GANTRY_SLAM_SEARCH_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/err.h>
#include <gantry/slam/distance_field.h>
#include <gantry/slam/match.h>
#include <gantry/slam/search.h>

#define SEARCH_MATCH_PLACES 8 /* most places refined */

typedef struct search_match {
  match_result_t best;      /* the place that fits best */
  match_result_t runner_up; /* the next best elsewhere, when there is one */
  bool has_runner_up;       /* false: no other place came near, the pose is unique */
  double score;             /* of best, as search_result_t.score */
  uint32_t places;          /* that were refined */
} search_match_t;

/* map and field of one grid. score_min as in search_best: 0.5 is a fair start, less where much has
   changed. Nearest fit by mean residual wins; judge it by best.inlier_fraction and
   best.mean_residual_m, and its uniqueness by those of runner_up. Errors as search_best. */
gantry_err_t search_and_match(const search_map_t *map, const distance_field_t *field,
                              const points_t *points, const search_window_t *window,
                              double score_min, const match_config_t *config, search_match_t *out);

#endif
