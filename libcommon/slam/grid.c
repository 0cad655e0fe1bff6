/* The grid's tiles, counts and books: which cells are known and occupied, what changed, and how
   rectangles enter and leave it. */
#include <gantry/slam/grid.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grid_tile.h"

grid_config_t grid_config_default(void) {
  return (grid_config_t){.resolution_m = 0.05, .tile_limit = 4096, .min_hits = 1};
}

grid_t *grid_new(const grid_config_t *config) {
  if (!(config->resolution_m >= 0.01 && config->resolution_m <= 1.0)) return NULL;
  if (config->tile_limit < 1 || config->tile_limit > 65536) return NULL;
  if (config->min_hits < 1 || config->min_hits > GRID_MIN_HITS_MAX) return NULL;
  grid_t *grid = calloc(1, sizeof *grid);
  if (grid) grid->config = *config;
  return grid;
}

void grid_destroy(grid_t **self) {
  grid_t *grid = *self;
  if (!grid) return;
  grid_clear(grid);
  tile_index_fini(&grid->index);
  free(grid->slots);
  free(grid);
  *self = NULL;
}

void grid_tile_free(grid_tile_t *tile) {
  free(tile->cells);
  free(tile->packed);
  free(tile);
}

void grid_clear(grid_t *grid) {
  for (uint32_t i = 0; i < grid->count; i++)
    grid_tile_free(grid->slots[i].tile);
  tile_index_clear(&grid->index);
  grid->count = grid->open_count = 0;
  grid->dirty_count = 0;
  grid->dirty_cursor = 0;
  grid->known_cells = 0;
  grid->revision++;
  grid->generation++;
}

double grid_resolution_m(const grid_t *grid) {
  return grid->config.resolution_m;
}

uint64_t grid_revision(const grid_t *grid) {
  return grid->revision;
}

uint64_t grid_generation(const grid_t *grid) {
  return grid->generation;
}

uint32_t grid_tile_count(const grid_t *grid) {
  return grid->count;
}

uint64_t grid_known_cells(const grid_t *grid) {
  return grid->known_cells;
}

static int32_t cell_coordinate(double cells) {
  if (cells >= GRID_COORD_MAX) return GRID_COORD_MAX;
  if (cells <= -GRID_COORD_MAX) return -GRID_COORD_MAX;
  if (isnan(cells)) return 0;
  int32_t whole = (int32_t)cells;
  return whole - (cells < whole);
}

grid_index_t grid_cell_at(const grid_t *grid, double x_m, double y_m) {
  return (grid_index_t){.x = cell_coordinate(x_m / grid->config.resolution_m),
                        .y = cell_coordinate(y_m / grid->config.resolution_m)};
}

static gantry_err_t reserve_slot(grid_t *grid) {
  if (grid->count >= grid->config.tile_limit) return GANTRY_E_TOO_LARGE;
  if (grid->count < grid->capacity) return GANTRY_OK;
  uint32_t capacity = grid->capacity ? grid->capacity * 2 : 16;
  grid_slot_t *slots = realloc(grid->slots, capacity * sizeof *slots);
  if (!slots) return GANTRY_E_INTERNAL;
  grid->slots = slots;
  grid->capacity = capacity;
  return GANTRY_OK;
}

gantry_err_t grid_slot_add(grid_t *grid, int32_t tx, int32_t ty, grid_slot_t **out) {
  uint32_t found = tile_index_get(&grid->index, tx, ty);
  if (found != TILE_NONE) {
    *out = &grid->slots[found];
    return GANTRY_OK;
  }
  if (abs(tx) > GRID_COORD_MAX / GRID_TILE_SIDE || abs(ty) > GRID_COORD_MAX / GRID_TILE_SIDE)
    return GANTRY_E_TOO_LARGE;
  GANTRY_TRY(reserve_slot(grid));
  grid_tile_t *tile = calloc(1, sizeof *tile);
  if (!tile) return GANTRY_E_INTERNAL;
  if (tile_index_put(&grid->index, tx, ty, grid->count) != GANTRY_OK) {
    free(tile);
    return GANTRY_E_INTERNAL;
  }
  tile->x = tx;
  tile->y = ty;
  *out = &grid->slots[grid->count++];
  **out = (grid_slot_t){.tile = tile};
  return GANTRY_OK;
}

/* Packs what was not used since the last time. Without memory a tile stays as it is. */
static void pack_unused(grid_t *grid) {
  for (uint32_t i = 0; i < grid->count; i++) {
    grid_tile_t *tile = grid->slots[i].tile;
    bool used = tile->used;
    tile->used = false;
    if (used || !tile->cells || !(tile->packed = grid_pack(tile))) continue;
    free(tile->cells);
    tile->cells = NULL;
    grid->open_count--;
  }
}

static gantry_err_t open_tile(grid_t *grid, grid_tile_t *tile) {
  if (grid->open_count >= GRID_OPEN_MAX && ++grid->opened >= GRID_OPEN_MAX / 4) {
    grid->opened = 0;
    pack_unused(grid);
  }
  tile->cells = calloc(GRID_TILE_CELLS, sizeof *tile->cells);
  if (!tile->cells) return GANTRY_E_INTERNAL;
  if (tile->packed) grid_unpack(tile, tile->packed, tile->cells);
  free(tile->packed);
  tile->packed = NULL;
  grid->open_count++;
  return GANTRY_OK;
}

gantry_err_t grid_slot_ensure(grid_t *grid, int32_t tx, int32_t ty, grid_slot_t **out) {
  GANTRY_TRY(grid_slot_add(grid, tx, ty, out));
  grid_tile_t *tile = (*out)->tile;
  tile->used = true;
  return tile->cells ? GANTRY_OK : open_tile(grid, tile);
}

static void mark_dirty(grid_t *grid, grid_tile_t *tile) {
  if (!tile->dirty) grid->dirty_count++;
  tile->dirty = true;
  grid->revision++;
}

void grid_note_known(grid_t *grid, grid_slot_t *slot, uint32_t cell) {
  int32_t cx = slot->tile->x * GRID_TILE_SIDE + (int32_t)(cell & GRID_TILE_MASK);
  int32_t cy = slot->tile->y * GRID_TILE_SIDE + (int32_t)(cell >> GRID_TILE_SHIFT);
  slot->tile->known[cell >> GRID_TILE_SHIFT] |= (uint64_t)1 << (cell & GRID_TILE_MASK);
  if (grid->known_cells++ == 0) {
    grid->min_x = grid->max_x = cx;
    grid->min_y = grid->max_y = cy;
  }
  if (cx < grid->min_x) grid->min_x = cx;
  if (cx > grid->max_x) grid->max_x = cx;
  if (cy < grid->min_y) grid->min_y = cy;
  if (cy > grid->max_y) grid->max_y = cy;
  mark_dirty(grid, slot->tile);
}

void grid_note_occupied(grid_t *grid, grid_slot_t *slot, uint32_t cell, bool occupied) {
  uint64_t *row = &slot->tile->occupied[cell >> GRID_TILE_SHIFT];
  uint64_t bit = (uint64_t)1 << (cell & GRID_TILE_MASK);
  *row = occupied ? *row | bit : *row & ~bit;
  mark_dirty(grid, slot->tile);
  slot->occupied_revision = grid->revision;
}

static gantry_err_t count_cell(grid_t *grid, int32_t cx, int32_t cy, uint8_t hit) {
  grid_slot_t *slot = NULL;
  GANTRY_TRY(grid_slot_ensure(grid, cx >> GRID_TILE_SHIFT, cy >> GRID_TILE_SHIFT, &slot));
  grid_count(grid, slot, grid_cell_offset(cx, cy), hit);
  return GANTRY_OK;
}

gantry_err_t grid_hit(grid_t *grid, int32_t cx, int32_t cy) {
  return count_cell(grid, cx, cy, 1);
}

gantry_err_t grid_visit(grid_t *grid, int32_t cx, int32_t cy) {
  return count_cell(grid, cx, cy, 0);
}

static int8_t tile_state(const grid_tile_t *tile, uint32_t cell) {
  if (grid_tile_bit(tile->occupied, cell)) return GRID_OCCUPIED;
  return grid_tile_bit(tile->known, cell) ? GRID_FREE : GRID_UNKNOWN;
}

int8_t grid_state(const grid_t *grid, int32_t cx, int32_t cy) {
  uint32_t slot = tile_index_get(&grid->index, cx >> GRID_TILE_SHIFT, cy >> GRID_TILE_SHIFT);
  if (slot == TILE_NONE) return GRID_UNKNOWN;
  return tile_state(grid->slots[slot].tile, grid_cell_offset(cx, cy));
}

double grid_explored_fraction(const grid_t *grid) {
  grid_box_t box;
  if (!grid_bounds(grid, &box)) return 0.0;
  return (double)grid->known_cells / ((double)box.width * (double)box.height);
}

bool grid_bounds(const grid_t *grid, grid_box_t *out) {
  *out = (grid_box_t){0};
  if (grid->known_cells == 0) return false;
  *out = (grid_box_t){.min_x = grid->min_x,
                      .min_y = grid->min_y,
                      .width = (uint32_t)(grid->max_x - grid->min_x) + 1,
                      .height = (uint32_t)(grid->max_y - grid->min_y) + 1};
  return true;
}

/* True when [from, from + length) are coordinates of cells. */
static bool is_span(int32_t from, uint32_t length) {
  return from >= -GRID_COORD_MAX && (int64_t)from + length <= GRID_COORD_MAX;
}

/* Tile by tile. */
static void export_row(const grid_t *grid, int32_t cx, int32_t cy, uint32_t width, int8_t *cells) {
  while (width > 0) {
    uint32_t part = GRID_TILE_SIDE - ((uint32_t)cx & GRID_TILE_MASK);
    if (part > width) part = width;
    uint32_t slot = tile_index_get(&grid->index, cx >> GRID_TILE_SHIFT, cy >> GRID_TILE_SHIFT);
    uint32_t cell = grid_cell_offset(cx, cy);
    for (uint32_t i = 0; i < part; i++)
      cells[i] = slot == TILE_NONE ? GRID_UNKNOWN : tile_state(grid->slots[slot].tile, cell + i);
    cells += part;
    cx += (int32_t)part;
    width -= part;
  }
}

gantry_err_t grid_export(const grid_t *grid, grid_box_t box, int8_t *cells, size_t capacity) {
  if (box.width && box.height > capacity / box.width) return GANTRY_E_TOO_LARGE;
  if (!is_span(box.min_x, box.width) || !is_span(box.min_y, box.height)) return GANTRY_E_TOO_LARGE;
  for (uint32_t row = 0; row < box.height; row++)
    export_row(grid, box.min_x, box.min_y + (int32_t)row, box.width,
               cells + (size_t)row * box.width);
  return GANTRY_OK;
}

/* Sets one cell as if its counts had led there. A cell made unknown leaves the books of the known,
   not the bounds: they hold every cell ever known. */
static gantry_err_t load_cell(grid_t *grid, int32_t cx, int32_t cy, int8_t state) {
  if (grid_state(grid, cx, cy) == state) return GANTRY_OK;
  grid_slot_t *slot = NULL;
  GANTRY_TRY(grid_slot_ensure(grid, cx >> GRID_TILE_SHIFT, cy >> GRID_TILE_SHIFT, &slot));
  uint32_t cell = grid_cell_offset(cx, cy);
  grid_cell_t *counts = &slot->tile->cells[cell];
  bool was_known = counts->visits > 0;
  uint16_t least = grid->config.min_hits;
  uint8_t hits = least > GRID_LOADED_VISITS ? (uint8_t)least : GRID_LOADED_VISITS;
  *counts = (grid_cell_t){.hits = state == GRID_OCCUPIED ? hits : 0,
                          .visits = state == GRID_UNKNOWN ? 0 : hits};
  if (counts->visits && !was_known) grid_note_known(grid, slot, cell);
  if (!counts->visits && was_known) {
    grid->known_cells--;
    slot->tile->known[cell >> GRID_TILE_SHIFT] &= ~((uint64_t)1 << (cell & GRID_TILE_MASK));
    mark_dirty(grid, slot->tile);
  }
  bool occupied = state == GRID_OCCUPIED;
  if (occupied != grid_tile_bit(slot->tile->occupied, cell))
    grid_note_occupied(grid, slot, cell, occupied);
  if (was_known && counts->visits) mark_dirty(grid, slot->tile);
  return GANTRY_OK;
}

gantry_err_t grid_load(grid_t *grid, grid_box_t box, const int8_t *cells) {
  if (!is_span(box.min_x, box.width) || !is_span(box.min_y, box.height)) return GANTRY_E_TOO_LARGE;
  for (uint32_t row = 0; row < box.height; row++)
    for (uint32_t column = 0; column < box.width; column++) {
      int8_t value = cells[(size_t)row * box.width + column];
      int8_t state = value < 0 ? GRID_UNKNOWN : value > 0 ? GRID_OCCUPIED : GRID_FREE;
      GANTRY_TRY(load_cell(grid, box.min_x + (int32_t)column, box.min_y + (int32_t)row, state));
    }
  return GANTRY_OK;
}

bool grid_next_dirty(grid_t *grid, grid_index_t *tile) {
  if (grid->dirty_count == 0) return false;
  for (;;) {
    if (grid->dirty_cursor >= grid->count) grid->dirty_cursor = 0;
    grid_tile_t *candidate = grid->slots[grid->dirty_cursor++].tile;
    if (!candidate->dirty) continue;
    candidate->dirty = false;
    grid->dirty_count--;
    *tile = (grid_index_t){.x = candidate->x, .y = candidate->y};
    return true;
  }
}

void grid_read_bits(const grid_t *grid, grid_index_t tile, grid_bits_t *out) {
  uint32_t slot = tile_index_get(&grid->index, tile.x, tile.y);
  *out = (grid_bits_t){0};
  if (slot == TILE_NONE) return;
  memcpy(out->known, grid->slots[slot].tile->known, sizeof out->known);
  memcpy(out->occupied, grid->slots[slot].tile->occupied, sizeof out->occupied);
}
