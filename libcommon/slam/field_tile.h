/* Inside of the distance field: its tiles and the look-up that the matcher does thousands of times
   a scan, with the tiles at hand remembered. */
#ifndef GANTRY_SLAM_FIELD_TILE_H
#define GANTRY_SLAM_FIELD_TILE_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/slam/distance_field.h>

#include "grid_tile.h"
#include "tile_index.h"

#define FIELD_FAR        255 /* byte of a cell at the truncation or beyond */
#define FIELD_BLOCK      16  /* side of the block that is rebuilt, and of one vector operation */
#define FIELD_REACH_MAX  31
#define FIELD_KERNEL_PAD 48 /* column of the obstacle in a kernel row; FAR on both sides */
#define FIELD_KERNEL_ROW 128
#define FIELD_VIEW_SIDE  16

typedef struct field_tile {
  int32_t x, y;
  uint64_t occupied[GRID_TILE_SIDE]; /* the grid's bits, as of the last update */
  uint8_t distance[GRID_TILE_CELLS]; /* in units of truncation / 255 */
} field_tile_t;

typedef struct field_slot {
  field_tile_t *tile;
  uint16_t dirty_blocks; /* bit 4 * by + bx */
} field_slot_t;

/* Tiles, corners inclusive. */
typedef struct field_window {
  int32_t min_x, min_y, max_x, max_y;
} field_window_t;

#define FIELD_EVERYWHERE ((field_window_t){INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX})

struct distance_field {
  double resolution_m, truncation_m;
  int32_t reach; /* cells */
  uint32_t tile_limit;
  tile_index_t index;
  field_slot_t *slots;
  uint32_t count, capacity;
  bool stale; /* starts anew at the next update */
  uint64_t synced_revision, synced_generation;
  bool focused;          /* the window may be narrowed */
  field_window_t wanted; /* with a ring of tiles around, whose walls reach into it */
  field_window_t window; /* the grid's tiles outside are not followed */
  uint8_t kernel[2 * FIELD_REACH_MAX + 1][FIELD_KERNEL_ROW];
  uint8_t far[GRID_TILE_CELLS]; /* stands for every tile there is not */
};

static inline const uint8_t *field_tile_bytes(const distance_field_t *field, int32_t tx,
                                              int32_t ty) {
  uint32_t slot = tile_index_get(&field->index, tx, ty);
  return slot == TILE_NONE ? field->far : field->slots[slot].tile->distance;
}

static inline bool field_window_has(const field_window_t *window, int32_t tx, int32_t ty) {
  return tx >= window->min_x && tx <= window->max_x && ty >= window->min_y && ty <= window->max_y;
}

/* field_window.c: whether another window is wanted, for a grid of so many tiles; moves it there and
   forgets what lies outside; blocks that are to be built anew are dirty then, and what is new in
   it is not followed yet. */
bool field_window_moves(const distance_field_t *field, uint32_t grid_tiles);
void field_window_move(distance_field_t *field);

/* The tiles looked up lately: as many as a scan sees lie side by side in it without a clash. Holds
   until the field changes. */
typedef struct field_view {
  const distance_field_t *field;
  struct {
    int32_t x, y;
    const uint8_t *bytes;
  } tiles[FIELD_VIEW_SIDE * FIELD_VIEW_SIDE];
} field_view_t;

static inline void field_view_init(field_view_t *view, const distance_field_t *field) {
  view->field = field;
  for (uint32_t i = 0; i < FIELD_VIEW_SIDE * FIELD_VIEW_SIDE; i++)
    view->tiles[i].x = INT32_MIN;
}

/* The byte of cell (cx, cy) within its tile's bytes; the rest of the tile lies around it. */
static inline const uint8_t *field_cell(field_view_t *view, int32_t cx, int32_t cy) {
  int32_t tx = cx >> GRID_TILE_SHIFT;
  int32_t ty = cy >> GRID_TILE_SHIFT;
  uint32_t at = ((uint32_t)ty % FIELD_VIEW_SIDE) * FIELD_VIEW_SIDE + (uint32_t)tx % FIELD_VIEW_SIDE;
  if (view->tiles[at].x != tx || view->tiles[at].y != ty) {
    view->tiles[at].x = tx;
    view->tiles[at].y = ty;
    view->tiles[at].bytes = field_tile_bytes(view->field, tx, ty);
  }
  return view->tiles[at].bytes + grid_cell_offset(cx, cy);
}

static inline uint32_t field_pack(uint32_t lower_left, uint32_t lower_right, uint32_t upper_left,
                                  uint32_t upper_right) {
  return lower_left | lower_right << 8 | upper_left << 16 | upper_right << 24;
}

/* Distances of the four cells around a point, (cx, cy) the lower left one, from the lowest byte:
   lower left, lower right, upper left, upper right. */
static inline uint32_t field_corners(field_view_t *view, int32_t cx, int32_t cy) {
  const uint8_t *cell = field_cell(view, cx, cy);
  if ((cx & GRID_TILE_MASK) != GRID_TILE_MASK && (cy & GRID_TILE_MASK) != GRID_TILE_MASK)
    return field_pack(cell[0], cell[1], cell[GRID_TILE_SIDE], cell[GRID_TILE_SIDE + 1]);
  return field_pack(*cell, *field_cell(view, cx + 1, cy), *field_cell(view, cx, cy + 1),
                    *field_cell(view, cx + 1, cy + 1));
}

#endif
