/* Building of what a search reads: nearness stamped around every occupied cell, its maxima over
   windows, and the maxima sorted by phase into planes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grid_tile.h"
#include "search_map.h"

enum { STAMP_REACH_MAX = 6, STAMP_SIDE_MAX = 2 * STAMP_REACH_MAX + 1, SIDE_MAX = 1 << 16 };

/* Nearness falls with the distance as a Gauss bell of this width: as wide as a map cell and the
   noise of a scan together, and as the step between two headings moves a far point. */
static const double NEAR_SIGMA_M = 0.08;

/* Corners of the occupied cells, inclusive. */
typedef struct extent {
  int32_t min_x, min_y, max_x, max_y;
} extent_t;

typedef void (*visit_fn)(int32_t cx, int32_t cy, void *arg);

static bool in_box(grid_box_t box, int32_t cx, int32_t cy) {
  return cx >= box.min_x && cy >= box.min_y && (int64_t)cx < (int64_t)box.min_x + box.width &&
         (int64_t)cy < (int64_t)box.min_y + box.height;
}

static bool tile_meets(grid_box_t box, const grid_tile_t *tile) {
  int64_t x = (int64_t)tile->x * GRID_TILE_SIDE;
  int64_t y = (int64_t)tile->y * GRID_TILE_SIDE;
  return x + GRID_TILE_SIDE > box.min_x && x < (int64_t)box.min_x + box.width &&
         y + GRID_TILE_SIDE > box.min_y && y < (int64_t)box.min_y + box.height;
}

static void visit_occupied(const grid_t *grid, grid_box_t box, visit_fn visit, void *arg) {
  for (uint32_t i = 0; i < grid->count; i++) {
    const grid_tile_t *tile = grid->slots[i].tile;
    if (!tile_meets(box, tile)) continue;
    for (int32_t row = 0; row < GRID_TILE_SIDE; row++)
      for (uint64_t bits = tile->occupied[row]; bits; bits &= bits - 1) {
        int32_t cx = tile->x * GRID_TILE_SIDE + __builtin_ctzll(bits);
        int32_t cy = tile->y * GRID_TILE_SIDE + row;
        if (in_box(box, cx, cy)) visit(cx, cy, arg);
      }
  }
}

static void widen(int32_t cx, int32_t cy, void *arg) {
  extent_t *extent = arg;
  if (cx < extent->min_x) extent->min_x = cx;
  if (cy < extent->min_y) extent->min_y = cy;
  if (cx > extent->max_x) extent->max_x = cx;
  if (cy > extent->max_y) extent->max_y = cy;
}

typedef struct stamp {
  search_map_t *map;
  int32_t reach;
  uint8_t cells[STAMP_SIDE_MAX][STAMP_SIDE_MAX];
} stamp_t;

static void stamp_init(stamp_t *stamp, search_map_t *map) {
  double sigma = fmax(NEAR_SIGMA_M / map->resolution_m, 0.5);
  *stamp = (stamp_t){.map = map, .reach = (int32_t)fmin(ceil(2.6 * sigma), STAMP_REACH_MAX)};
  for (int32_t y = -stamp->reach; y <= stamp->reach; y++)
    for (int32_t x = -stamp->reach; x <= stamp->reach; x++)
      stamp->cells[y + stamp->reach][x + stamp->reach] =
          (uint8_t)lround(SEARCH_NEAR_MAX * exp(-0.5 * (x * x + y * y) / (sigma * sigma)));
}

static inline uint8_t larger(uint8_t a, uint8_t b) {
  return a > b ? a : b;
}

static void put_stamp(int32_t cx, int32_t cy, void *arg) {
  const stamp_t *stamp = arg;
  const search_map_t *map = stamp->map;
  int32_t side = 2 * stamp->reach + 1;
  uint8_t *corner = map->near + (size_t)(cy - map->min_y - stamp->reach) * (size_t)map->width +
                    (cx - map->min_x - stamp->reach);
  for (int32_t y = 0; y < side; y++) {
    uint8_t *row = corner + (size_t)y * (size_t)map->width;
    for (int32_t x = 0; x < side; x++)
      row[x] = larger(row[x], stamp->cells[y][x]);
  }
}

/* Largest nearness of every 2 x 2 cells. */
static void halve(const search_map_t *map, uint8_t *half) {
  for (int32_t y = 0; y < map->height / 2; y++) {
    const uint8_t *lower = map->near + (size_t)(2 * y) * (size_t)map->width;
    const uint8_t *upper = lower + map->width;
    for (size_t x = 0; x < (size_t)map->width / 2; x++)
      *half++ =
          larger(larger(lower[2 * x], lower[2 * x + 1]), larger(upper[2 * x], upper[2 * x + 1]));
  }
}

/* values[i] = the largest of values[i], values[i + step] .. (count of them); beyond the end is 0.
   Rows run into each other, but each ends with the margin's zeros, wider than any window. */
static void slide(uint8_t *values, size_t size, size_t step, uint32_t count) {
  for (size_t i = 0; i < size; i++)
    for (size_t k = 1; k < count && i + k * step < size; k++)
      values[i] = larger(values[i], values[i + k * step]);
}

static void sort_planes(search_map_t *map, const uint8_t *wide) {
  size_t plane = (size_t)map->columns * (size_t)map->rows;
  size_t columns = (size_t)map->columns;
  for (size_t y = 0; y < (size_t)map->height / 2; y++)
    for (size_t x = 0; x < 4 * columns; x++)
      map->coarse[(y % 4 * 4 + x % 4) * plane + y / 4 * columns + x / 4] = *wide++;
}

static bool build_maxima(search_map_t *map) {
  size_t width = (size_t)map->width / 2;
  size_t size = width * (size_t)map->height / 2;
  uint8_t *wide = malloc(size);
  if (!wide) return false;
  halve(map, map->fine);
  slide(map->fine, size, 1, SEARCH_FINE_WINDOW / 2);
  slide(map->fine, size, width, SEARCH_FINE_WINDOW / 2);
  /* Two fine windows, half a box apart, make a coarse one. */
  memcpy(wide, map->fine, size);
  slide(wide, size, SEARCH_BOX / 4, 2);
  slide(wide, size, SEARCH_BOX / 4 * width, 2);
  sort_planes(map, wide);
  free(wide);
  return true;
}

static bool place(search_map_t *map, const extent_t *extent) {
  int64_t width = (int64_t)extent->max_x - extent->min_x + 1 + 2 * (int64_t)SEARCH_MARGIN;
  int64_t height = (int64_t)extent->max_y - extent->min_y + 1 + 2 * (int64_t)SEARCH_MARGIN;
  if (width > SIDE_MAX || height > SIDE_MAX) return false;
  map->min_x = extent->min_x - SEARCH_MARGIN;
  map->min_y = extent->min_y - SEARCH_MARGIN;
  map->columns = (int32_t)((width + SEARCH_BOX - 1) / SEARCH_BOX);
  map->rows = (int32_t)((height + SEARCH_BOX - 1) / SEARCH_BOX);
  map->width = map->columns * SEARCH_BOX;
  map->height = map->rows * SEARCH_BOX;
  size_t cells = (size_t)map->width * (size_t)map->height;
  map->bytes = sizeof *map + cells + cells / 4 + cells / 4 + SEARCH_SLACK;
  map->near = calloc(cells, 1);
  map->fine = malloc(cells / 4);
  map->coarse = calloc(cells / 4 + SEARCH_SLACK, 1);
  return map->near && map->fine && map->coarse;
}

search_map_t *search_map_new(const grid_t *grid, grid_box_t box) {
  extent_t extent = {INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN};
  visit_occupied(grid, box, widen, &extent);
  if (extent.min_x > extent.max_x) return NULL;
  search_map_t *map = calloc(1, sizeof *map);
  if (!map) return NULL;
  map->resolution_m = grid_resolution_m(grid);
  bool built = place(map, &extent);
  if (built) {
    stamp_t stamp;
    stamp_init(&stamp, map);
    visit_occupied(grid, box, put_stamp, &stamp);
    built = build_maxima(map);
  }
  if (!built) search_map_destroy(&map);
  return map;
}

void search_map_destroy(search_map_t **self) {
  if (!*self) return;
  free((*self)->near);
  free((*self)->fine);
  free((*self)->coarse);
  free(*self);
  *self = NULL;
}

size_t search_map_bytes(const search_map_t *map) {
  return map->bytes;
}
