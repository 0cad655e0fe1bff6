/* Inside of the search's map: how near an obstacle every cell is, and the maxima over boxes. */
#ifndef GANTRY_SLAM_SEARCH_MAP_H
#define GANTRY_SLAM_SEARCH_MAP_H

#include <stddef.h>
#include <stdint.h>

#include <gantry/slam/search.h>

/* Nearness of one cell: 15 in an occupied cell, 0 where none is near. Four bits, so that 17 points
   add up in a byte and a vector register holds as many sums as it has bytes. */
#define SEARCH_NEAR_MAX   15
#define SEARCH_NEAR_GROUP 17
/* Boxes of shifts: 8 x 8 cells, so that a row of one is a 64-bit word of nearness. */
#define SEARCH_BOX 8
/* A fine cell is the maximum over this many cells each way: half a box, rounded up to whole pairs
   because windows stand at even cells only. */
#define SEARCH_FINE_WINDOW 6
/* Cells without nearness around the obstacles. */
#define SEARCH_MARGIN 16
/* Bytes behind the planes that may be read. */
#define SEARCH_SLACK 16

struct search_map {
  double resolution_m;
  int32_t min_x, min_y;  /* cell of the grid at near[0] */
  int32_t width, height; /* of near, multiples of SEARCH_BOX */
  int32_t columns, rows; /* of one coarse plane: width and height in boxes */
  size_t bytes;
  uint8_t *near; /* row-major */
  uint8_t *fine; /* windows that begin at cell (2 i, 2 j), row-major: width / 2 a row */
  /* Windows of a box: of the four fine ones of its quarters, 10 cells each way. Those that begin at
     cell (8 column + 2 px, 8 row + 2 py) lie in plane py * 4 + px, row-major: for one point, the
     windows of all boxes are then side by side. */
  uint8_t *coarse;
};

static inline const uint8_t *search_map_plane(const search_map_t *map, int32_t x, int32_t y) {
  int32_t plane = (y & (SEARCH_BOX - 1)) / 2 * (SEARCH_BOX / 2) + (x & (SEARCH_BOX - 1)) / 2;
  return map->coarse + (size_t)plane * (size_t)map->columns * (size_t)map->rows;
}

/* Maximum over the window at a cell inside the map. */
static inline uint8_t search_map_coarse(const search_map_t *map, uint32_t x, uint32_t y) {
  return search_map_plane(map, (int32_t)x,
                          (int32_t)y)[y / SEARCH_BOX * (uint32_t)map->columns + x / SEARCH_BOX];
}

#endif
