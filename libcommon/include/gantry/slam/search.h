/* Search: finds a scan in a map without a good guess, by branch and bound on a pyramid of maxima
   (Hess, Kohler, Rapp, Andor 2016): the best pose of a lattice over the window, whole cells and
   headings 0.25 to 2 degrees apart by the reach of the scan, is found, or it is known that none
   scores enough. For loop closures in a submap and for a robot that does
   not know where it is. Building is separate from searching, so that a pyramid is kept; a search
   only reads, so that several threads may search one pyramid. Pure. */
#ifndef GANTRY_SLAM_SEARCH_H
#define GANTRY_SLAM_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gantry/err.h>
#include <gantry/geom.h>
#include <gantry/slam/grid.h>
#include <gantry/slam/points.h>

typedef struct search_map search_map_t;

typedef struct search_window {
  pose2_t centre;
  double reach_x_m, reach_y_m; /* each way, map frame */
  double reach_rad;            /* each way; pi and more: any heading */
} search_window_t;

typedef struct search_result {
  pose2_t pose;
  double score;        /* share of the points that hit the map, softly: 0 .. 1 */
  double second_score; /* of the best place elsewhere: how unique the pose is; see below */
  uint64_t visited;    /* poses and boxes of poses scored */
} search_result_t;

/* One of several places a scan may have been taken at. */
typedef struct search_place {
  pose2_t pose;
  double score; /* as search_result_t.score */
} search_place_t;

/* Rivals below this share of the best score are not looked for. */
#define SEARCH_RIVAL 0.95

/* A pyramid over a box of a grid's occupied cells. NULL when the box is empty or without memory. */
search_map_t *search_map_new(const grid_t *grid, grid_box_t box);
void search_map_destroy(search_map_t **self);
size_t search_map_bytes(const search_map_t *map);

/* The best pose of the window whose score is at least score_min; refine it with match_scan, or ask
   search_match.h. GANTRY_E_NOT_FOUND when there is none, GANTRY_E_UNAVAILABLE with fewer than
   MATCH_POINTS_MIN points, GANTRY_E_INVALID for a window that is not finite or a score_min below 0,
   GANTRY_E_INTERNAL without memory. A place elsewhere is 1 m or 20 degrees away; when none there
   scores more than SEARCH_RIVAL of the best, second_score says that instead: it is never too small
   by more than the width of a box of shifts (0.4 m) makes. */
gantry_err_t search_best(const search_map_t *map, const points_t *points,
                         const search_window_t *window, double score_min, search_result_t *out);

/* The best poses of up to `capacity` places, best first: poses 1 m or 20 degrees apart from every
   better one, that score at least score_min and `keep` (0 .. 1) of the best. The smaller keep, the
   longer it takes. count and visited (may be NULL) are always set. Errors as search_best. */
gantry_err_t search_places(const search_map_t *map, const points_t *points,
                           const search_window_t *window, double score_min, double keep,
                           search_place_t *out, size_t capacity, size_t *count, uint64_t *visited);

#endif
