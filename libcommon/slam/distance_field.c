/* Keeps the distance field in step with the grid by comparing occupied bits tile by tile: no event
   queue that could overflow, and a loaded or patched grid needs no special way in. */
#include <gantry/slam/distance_field.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "field_tile.h"

static void kernel_fill(distance_field_t *field) {
  memset(field->kernel, FIELD_FAR, sizeof field->kernel);
  memset(field->far, FIELD_FAR, sizeof field->far);
  for (int32_t dy = -field->reach; dy <= field->reach; dy++)
    for (int32_t dx = -field->reach; dx <= field->reach; dx++) {
      double distance_m = hypot(dx, dy) * field->resolution_m;
      long units = lround(distance_m / field->truncation_m * FIELD_FAR);
      if (units < FIELD_FAR)
        field->kernel[dy + field->reach][dx + FIELD_KERNEL_PAD] = (uint8_t)units;
    }
}

distance_field_t *distance_field_new(double resolution_m, double truncation_m,
                                     uint32_t tile_limit) {
  if (!(resolution_m > 0.0 && truncation_m >= resolution_m)) return NULL;
  if (truncation_m > FIELD_REACH_MAX * resolution_m || tile_limit < 1 || tile_limit > 262144)
    return NULL;
  distance_field_t *field = calloc(1, sizeof *field);
  if (!field) return NULL;
  field->resolution_m = resolution_m;
  field->truncation_m = truncation_m;
  field->reach = (int32_t)ceil(truncation_m / resolution_m);
  field->tile_limit = tile_limit;
  field->window = FIELD_EVERYWHERE;
  kernel_fill(field);
  return field;
}

static void field_clear(distance_field_t *field) {
  for (uint32_t i = 0; i < field->count; i++)
    free(field->slots[i].tile);
  tile_index_clear(&field->index);
  field->count = 0;
  field->window = FIELD_EVERYWHERE;
  field->synced_revision = 0;
  field->stale = false;
}

void distance_field_destroy(distance_field_t **self) {
  distance_field_t *field = *self;
  if (!field) return;
  field_clear(field);
  tile_index_fini(&field->index);
  free(field->slots);
  free(field);
  *self = NULL;
}

void distance_field_exchange(distance_field_t *field, distance_field_t *other, const grid_t *grid) {
  distance_field_t mine = *field;
  *field = *other;
  *other = mine;
  field->synced_revision = grid->revision;
  field->synced_generation = grid->generation;
  other->stale = true;
}

double distance_field_resolution_m(const distance_field_t *field) {
  return field->resolution_m;
}

size_t distance_field_bytes(const distance_field_t *field) {
  return sizeof *field + field->count * sizeof(field_tile_t);
}

double distance_field_truncation_m(const distance_field_t *field) {
  return field->truncation_m;
}

static gantry_err_t reserve_slot(distance_field_t *field) {
  if (field->count >= field->tile_limit) return GANTRY_E_TOO_LARGE;
  if (field->count < field->capacity) return GANTRY_OK;
  uint32_t capacity = field->capacity ? field->capacity * 2 : 16;
  field_slot_t *slots = realloc(field->slots, capacity * sizeof *slots);
  if (!slots) return GANTRY_E_INTERNAL;
  field->slots = slots;
  field->capacity = capacity;
  return GANTRY_OK;
}

static gantry_err_t ensure(distance_field_t *field, int32_t tx, int32_t ty, field_tile_t **out) {
  uint32_t found = tile_index_get(&field->index, tx, ty);
  if (found != TILE_NONE) {
    *out = field->slots[found].tile;
    return GANTRY_OK;
  }
  GANTRY_TRY(reserve_slot(field));
  field_tile_t *tile = calloc(1, sizeof *tile);
  if (!tile) return GANTRY_E_INTERNAL;
  if (tile_index_put(&field->index, tx, ty, field->count) != GANTRY_OK) {
    free(tile);
    return GANTRY_E_INTERNAL;
  }
  tile->x = tx;
  tile->y = ty;
  memset(tile->distance, FIELD_FAR, sizeof tile->distance);
  field->slots[field->count++] = (field_slot_t){.tile = tile};
  *out = tile;
  return GANTRY_OK;
}

/* Lowers 16 cells to a kernel's values. Through locals, which cannot overlap: compilers then make
   one vector minimum of the loop. */
static inline void lower_cells(uint8_t *cells, const uint8_t *kernel) {
  uint8_t now[FIELD_BLOCK];
  uint8_t new[FIELD_BLOCK];
  memcpy(now, cells, FIELD_BLOCK);
  memcpy(new, kernel, FIELD_BLOCK);
  for (int i = 0; i < FIELD_BLOCK; i++)
    now[i] = new[i] < now[i] ? new[i] : now[i];
  memcpy(cells, now, FIELD_BLOCK);
}

/* Lowers one block of a tile (its lower left cell is x0, y0) by an obstacle at (cx, cy). */
static inline void stamp_block(const distance_field_t *field, field_tile_t *tile, int32_t x0,
                               int32_t y0, int32_t cx, int32_t cy) {
  int32_t low = cy - field->reach > y0 ? cy - field->reach : y0;
  int32_t top = y0 + FIELD_BLOCK - 1;
  int32_t high = cy + field->reach < top ? cy + field->reach : top;
  int32_t column = x0 - cx + FIELD_KERNEL_PAD;
  for (int32_t y = low; y <= high; y++)
    lower_cells(&tile->distance[grid_cell_offset(x0, y)],
                &field->kernel[y - cy + field->reach][column]);
}

/* First cell of the block that holds a cell. */
static int32_t block_start(int32_t c) {
  return c & ~(FIELD_BLOCK - 1);
}

static gantry_err_t add_obstacle(distance_field_t *field, int32_t cx, int32_t cy) {
  int32_t reach = field->reach;
  for (int32_t y = block_start(cy - reach); y <= cy + reach; y += FIELD_BLOCK)
    for (int32_t x = block_start(cx - reach); x <= cx + reach; x += FIELD_BLOCK) {
      field_tile_t *tile = NULL;
      GANTRY_TRY(ensure(field, x >> GRID_TILE_SHIFT, y >> GRID_TILE_SHIFT, &tile));
      stamp_block(field, tile, x, y, cx, cy);
    }
  return GANTRY_OK;
}

/* True when some cell of the block may owe its distance to an obstacle at (cx, cy): only then does
   the obstacle's end change anything there. */
static bool block_depends(const distance_field_t *field, const field_tile_t *tile, int32_t x0,
                          int32_t y0, int32_t cx, int32_t cy) {
  int32_t low = cy - field->reach > y0 ? cy - field->reach : y0;
  int32_t high =
      cy + field->reach < y0 + FIELD_BLOCK - 1 ? cy + field->reach : y0 + FIELD_BLOCK - 1;
  int32_t column = x0 - cx + FIELD_KERNEL_PAD;
  for (int32_t y = low; y <= high; y++) {
    const uint8_t *kernel = &field->kernel[y - cy + field->reach][column];
    const uint8_t *row = &tile->distance[grid_cell_offset(x0, y)];
    uint8_t same = 0;
    for (int i = 0; i < FIELD_BLOCK; i++)
      same |= (uint8_t)(kernel[i] == row[i] && row[i] != FIELD_FAR);
    if (same) return true;
  }
  return false;
}

static bool remove_obstacle(distance_field_t *field, int32_t cx, int32_t cy) {
  int32_t reach = field->reach;
  bool any = false;
  for (int32_t y = block_start(cy - reach); y <= cy + reach; y += FIELD_BLOCK)
    for (int32_t x = block_start(cx - reach); x <= cx + reach; x += FIELD_BLOCK) {
      uint32_t slot = tile_index_get(&field->index, x >> GRID_TILE_SHIFT, y >> GRID_TILE_SHIFT);
      if (slot == TILE_NONE) continue;
      uint32_t block = ((uint32_t)y & GRID_TILE_MASK) / FIELD_BLOCK * 4 +
                       ((uint32_t)x & GRID_TILE_MASK) / FIELD_BLOCK;
      uint16_t bit = (uint16_t)(1u << block);
      if (field->slots[slot].dirty_blocks & bit) continue;
      if (!block_depends(field, field->slots[slot].tile, x, y, cx, cy)) continue;
      field->slots[slot].dirty_blocks |= bit;
      any = true;
    }
  return any;
}

/* Stamps into a block the obstacles that one tile has between rows and columns low .. high. */
static void stamp_from_tile(const distance_field_t *field, field_tile_t *target, int32_t x0,
                            int32_t y0, const field_tile_t *source) {
  int32_t base_x = source->x * GRID_TILE_SIDE;
  int32_t base_y = source->y * GRID_TILE_SIDE;
  int32_t low_x = x0 - field->reach - base_x;
  int32_t high_x = x0 + FIELD_BLOCK - 1 + field->reach - base_x;
  int32_t low_y = y0 - field->reach - base_y;
  int32_t high_y = y0 + FIELD_BLOCK - 1 + field->reach - base_y;
  uint64_t mask = UINT64_MAX;
  if (low_x > 0) mask &= UINT64_MAX << low_x;
  if (high_x < GRID_TILE_SIDE - 1) mask &= UINT64_MAX >> (GRID_TILE_SIDE - 1 - high_x);
  if (low_y < 0) low_y = 0;
  if (high_y > GRID_TILE_SIDE - 1) high_y = GRID_TILE_SIDE - 1;
  for (int32_t row = low_y; row <= high_y; row++)
    for (uint64_t bits = source->occupied[row] & mask; bits; bits &= bits - 1)
      stamp_block(field, target, x0, y0, base_x + __builtin_ctzll(bits), base_y + row);
}

static void rebuild_block(distance_field_t *field, field_tile_t *tile, uint32_t block) {
  int32_t x0 = tile->x * GRID_TILE_SIDE + (int32_t)(block % 4) * FIELD_BLOCK;
  int32_t y0 = tile->y * GRID_TILE_SIDE + (int32_t)(block / 4) * FIELD_BLOCK;
  for (int32_t y = y0; y < y0 + FIELD_BLOCK; y++)
    memset(&tile->distance[grid_cell_offset(x0, y)], FIELD_FAR, FIELD_BLOCK);
  int32_t first_tx = (x0 - field->reach) >> GRID_TILE_SHIFT;
  int32_t last_tx = (x0 + FIELD_BLOCK - 1 + field->reach) >> GRID_TILE_SHIFT;
  int32_t first_ty = (y0 - field->reach) >> GRID_TILE_SHIFT;
  int32_t last_ty = (y0 + FIELD_BLOCK - 1 + field->reach) >> GRID_TILE_SHIFT;
  for (int32_t ty = first_ty; ty <= last_ty; ty++)
    for (int32_t tx = first_tx; tx <= last_tx; tx++) {
      uint32_t slot = tile_index_get(&field->index, tx, ty);
      if (slot != TILE_NONE) stamp_from_tile(field, tile, x0, y0, field->slots[slot].tile);
    }
}

static void rebuild_dirty(distance_field_t *field) {
  for (uint32_t i = 0; i < field->count; i++) {
    for (uint32_t bits = field->slots[i].dirty_blocks; bits; bits &= bits - 1)
      rebuild_block(field, field->slots[i].tile, (uint32_t)__builtin_ctz(bits));
    field->slots[i].dirty_blocks = 0;
  }
}

/* Takes over one grid tile's occupied bits. */
static gantry_err_t follow_tile(distance_field_t *field, const grid_tile_t *from, bool *removed) {
  field_tile_t *tile = NULL;
  GANTRY_TRY(ensure(field, from->x, from->y, &tile));
  for (int32_t row = 0; row < GRID_TILE_SIDE; row++) {
    uint64_t now = from->occupied[row];
    uint64_t before = tile->occupied[row];
    int32_t cx = from->x * GRID_TILE_SIDE;
    int32_t cy = from->y * GRID_TILE_SIDE + row;
    tile->occupied[row] = now;
    for (uint64_t bits = now & ~before; bits; bits &= bits - 1)
      GANTRY_TRY(add_obstacle(field, cx + __builtin_ctzll(bits), cy));
    for (uint64_t bits = before & ~now; bits; bits &= bits - 1)
      if (remove_obstacle(field, cx + __builtin_ctzll(bits), cy)) *removed = true;
  }
  return GANTRY_OK;
}

gantry_err_t distance_field_update(distance_field_t *field, const grid_t *grid) {
  if (grid->config.resolution_m != field->resolution_m) return GANTRY_E_INVALID;
  if (field->stale || field->synced_generation != grid->generation) field_clear(field);
  field->synced_generation = grid->generation;

  field_window_t before = field->window;
  bool removed = field_window_moves(field, grid->count);
  if (removed) field_window_move(field);
  gantry_err_t err = GANTRY_OK;
  for (uint32_t i = 0; i < grid->count && err == GANTRY_OK; i++) {
    const grid_slot_t *slot = &grid->slots[i];
    if (!field_window_has(&field->window, slot->tile->x, slot->tile->y)) continue;
    if (slot->occupied_revision > field->synced_revision ||
        !field_window_has(&before, slot->tile->x, slot->tile->y))
      err = follow_tile(field, slot->tile, &removed);
  }
  if (removed) rebuild_dirty(field);
  field->synced_revision = grid->revision;
  field->stale = err != GANTRY_OK;
  return err;
}

static double byte_at(const distance_field_t *field, int32_t cx, int32_t cy) {
  return field_tile_bytes(field, cx >> GRID_TILE_SHIFT,
                          cy >> GRID_TILE_SHIFT)[grid_cell_offset(cx, cy)];
}

double distance_field_at(const distance_field_t *field, double x_m, double y_m,
                         double gradient[2]) {
  if (gradient) gradient[0] = gradient[1] = 0.0;
  double column = x_m / field->resolution_m - 0.5;
  double row = y_m / field->resolution_m - 0.5;
  if (!(fabs(column) < GRID_COORD_MAX && fabs(row) < GRID_COORD_MAX)) return field->truncation_m;

  int32_t cx = (int32_t)floor(column);
  int32_t cy = (int32_t)floor(row);
  double u = column - cx;
  double v = row - cy;
  double corner = byte_at(field, cx, cy);
  double lower = byte_at(field, cx + 1, cy) - corner;
  double left = byte_at(field, cx, cy + 1) - corner;
  double upper = byte_at(field, cx + 1, cy + 1) - byte_at(field, cx, cy + 1);
  double unit_m = field->truncation_m / FIELD_FAR;
  if (gradient) {
    gradient[0] = (lower + v * (upper - lower)) * unit_m / field->resolution_m;
    gradient[1] = (left + u * (upper - lower)) * unit_m / field->resolution_m;
  }
  return (corner + u * lower + v * left + u * v * (upper - lower)) * unit_m;
}
