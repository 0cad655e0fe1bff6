/* Inside of a search under way: its points, its lattice of poses, its list of boxes. */
#ifndef GANTRY_SLAM_SEARCH_RUN_H
#define GANTRY_SLAM_SEARCH_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/slam/search.h>

#include "search_map.h"

#define SEARCH_POINTS_MAX  96        /* more say nothing new: scans are thinned evenly */
#define SEARCH_VECTOR      16        /* bytes that are added at once */
#define SEARCH_WAITING_MAX (1 << 18) /* boxes in the list: 2 MB at most */
#define SEARCH_LEAVES_MAX  (1 << 13) /* poses that may be places */

typedef struct search_cell {
  int32_t x, y; /* of search_map_t.near, may lie outside */
} search_cell_t;

/* A box of shifts at one heading. */
typedef struct search_node {
  uint16_t bound;
  uint16_t heading;
  uint16_t column, row; /* in boxes */
} search_node_t;

/* The best pose of a box at one heading. */
typedef struct search_leaf {
  uint32_t sum;
  uint32_t heading;
  int32_t x, y; /* shift, cells */
} search_leaf_t;

/* Poses are a lattice: headings by shifts of whole cells. */
typedef struct search_run {
  const search_map_t *map;
  float x_m[SEARCH_POINTS_MAX], y_m[SEARCH_POINTS_MAX]; /* of the scan, thinned */
  uint32_t point_count;
  double reach_m;             /* of the farthest point */
  double spread_m;            /* root mean square of the points' ranges */
  double x0_m, y0_m;          /* position of shift (0, 0) */
  int32_t shifts_x, shifts_y; /* */
  double first_rad, step_rad; /* of the headings */
  uint32_t headings;
  search_cell_t *cells;          /* point_count a heading: where the points lie for shift (0, 0) */
  uint32_t columns, rows, pitch; /* of an image, in boxes; from row to row */
  uint8_t *bytes;                /* image of up to 17 points */
  uint16_t *image;               /* bounds of all boxes at one heading */
  uint16_t *row_best;            /* of each row of the image */
  search_node_t *waiting;
  uint32_t waiting_count;
  search_leaf_t *leaves;
  uint32_t leaf_count;
  uint32_t lost;  /* sum of the best leaf dropped because the list was full */
  uint32_t best;  /* sum of the best pose so far */
  uint32_t floor; /* sums not above it are of no interest */
  double keep;    /* poses above this share of the best are of interest */
  uint64_t visited;
} search_run_t;

/* Chooses points and lattice. GANTRY_E_UNAVAILABLE when no point is usable, GANTRY_E_NOT_FOUND when
   no pose of the window meets the map, GANTRY_E_INTERNAL without memory. */
gantry_err_t search_run_init(search_run_t *run, const search_map_t *map, const points_t *points,
                             const search_window_t *window);
void search_run_fini(search_run_t *run);
pose2_t search_run_pose(const search_run_t *run, const search_leaf_t *leaf);

/* Fills run->image and run->row_best with the bounds of all boxes at a heading. */
void search_bounds(search_run_t *run, uint32_t heading);

#endif
