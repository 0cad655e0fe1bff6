/* Inside of the distance field: its tiles and the look-up that the matcher does thousands of times
   a scan, with the last tile remembered. */
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

typedef struct field_tile {
  int32_t x, y;
  uint64_t occupied[GRID_TILE_SIDE]; /* the grid's bits, as of the last update */
  uint8_t distance[GRID_TILE_CELLS]; /* in units of truncation / 255 */
} field_tile_t;

typedef struct field_slot {
  field_tile_t *tile;
  uint16_t dirty_blocks; /* bit 4 * by + bx */
} field_slot_t;

struct distance_field {
  double resolution_m, truncation_m;
  int32_t reach; /* cells */
  uint32_t tile_limit;
  tile_index_t index;
  field_slot_t *slots;
  uint32_t count, capacity;
  bool stale; /* starts anew at the next update */
  uint64_t synced_revision, synced_generation;
  uint8_t kernel[2 * FIELD_REACH_MAX + 1][FIELD_KERNEL_ROW];
};

/* The tile looked up last; begin with FIELD_CURSOR_INIT. */
typedef struct field_cursor {
  int32_t x, y;
  const field_tile_t *tile; /* NULL: absent */
} field_cursor_t;

#define FIELD_CURSOR_INIT ((field_cursor_t){.x = INT32_MIN, .y = INT32_MIN, .tile = NULL})

static inline const field_tile_t *field_tile_at(const distance_field_t *field,
                                                field_cursor_t *cursor, int32_t tx, int32_t ty) {
  if (tx != cursor->x || ty != cursor->y) {
    uint32_t slot = tile_index_get(&field->index, tx, ty);
    *cursor = (field_cursor_t){
        .x = tx, .y = ty, .tile = slot == TILE_NONE ? NULL : field->slots[slot].tile};
  }
  return cursor->tile;
}

static inline uint8_t field_byte(const distance_field_t *field, field_cursor_t *cursor, int32_t cx,
                                 int32_t cy) {
  const field_tile_t *tile =
      field_tile_at(field, cursor, cx >> GRID_TILE_SHIFT, cy >> GRID_TILE_SHIFT);
  return tile ? tile->distance[grid_cell_offset(cx, cy)] : FIELD_FAR;
}

/* Distances of the four cells around a point: [0] lower left, [1] lower right, [2] upper left,
   [3] upper right, (cx, cy) the lower left one. */
static inline void field_corners(const distance_field_t *field, field_cursor_t *cursor, int32_t cx,
                                 int32_t cy, float out[4]) {
  if ((cx & GRID_TILE_MASK) != GRID_TILE_MASK && (cy & GRID_TILE_MASK) != GRID_TILE_MASK) {
    const field_tile_t *tile =
        field_tile_at(field, cursor, cx >> GRID_TILE_SHIFT, cy >> GRID_TILE_SHIFT);
    if (!tile) {
      out[0] = out[1] = out[2] = out[3] = FIELD_FAR;
      return;
    }
    const uint8_t *lower = &tile->distance[grid_cell_offset(cx, cy)];
    out[0] = lower[0];
    out[1] = lower[1];
    out[2] = lower[GRID_TILE_SIDE];
    out[3] = lower[GRID_TILE_SIDE + 1];
    return;
  }
  out[0] = field_byte(field, cursor, cx, cy);
  out[1] = field_byte(field, cursor, cx + 1, cy);
  out[2] = field_byte(field, cursor, cx, cy + 1);
  out[3] = field_byte(field, cursor, cx + 1, cy + 1);
}

/* Bilinear value and its slope a cell at (cx + u, cy + v), 0 <= u, v < 1, in bytes. */
static inline float field_sample(const distance_field_t *field, field_cursor_t *cursor, int32_t cx,
                                 int32_t cy, float u, float v, float *slope_x, float *slope_y) {
  float corner[4];
  field_corners(field, cursor, cx, cy, corner);
  float lower = corner[1] - corner[0];
  float upper = corner[3] - corner[2];
  float left = corner[2] - corner[0];
  float right = corner[3] - corner[1];
  *slope_x = lower + v * (upper - lower);
  *slope_y = left + u * (right - left);
  return corner[0] + u * lower + v * *slope_y;
}

#endif
