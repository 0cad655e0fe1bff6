/* One grid takes over the cells of another, so that whoever follows its tiles (the distance field,
   patches on the wire) hears of those alone that differ. */
#include <gantry/slam/grid.h>

#include <string.h>

#include "grid_tile.h"

static const grid_tile_t EMPTY;

/* True when a cell's state differs; *occupied: also one that is occupied in one of them. */
static bool differs(const grid_tile_t *a, const grid_tile_t *b, bool *occupied) {
  *occupied = memcmp(a->occupied, b->occupied, sizeof a->occupied) != 0;
  if (*occupied) return true;
  for (uint32_t cell = 0; cell < GRID_TILE_CELLS; cell++)
    if ((a->cells[cell].visits > 0) != (b->cells[cell].visits > 0)) return true;
  return false;
}

static void take_tile(grid_t *grid, grid_slot_t *slot, const grid_tile_t *from) {
  grid_tile_t *tile = slot->tile;
  bool occupied;
  if (differs(tile, from, &occupied)) {
    if (!tile->dirty) grid->dirty_count++;
    tile->dirty = true;
    grid->revision++;
    if (occupied) slot->occupied_revision = grid->revision;
  }
  memcpy(tile->occupied, from->occupied, sizeof tile->occupied);
  memcpy(tile->cells, from->cells, sizeof tile->cells);
}

static void take_bounds(grid_t *grid, const grid_t *from, bool was_empty) {
  if (from->known_cells == 0) return;
  if (was_empty || from->min_x < grid->min_x) grid->min_x = from->min_x;
  if (was_empty || from->min_y < grid->min_y) grid->min_y = from->min_y;
  if (was_empty || from->max_x > grid->max_x) grid->max_x = from->max_x;
  if (was_empty || from->max_y > grid->max_y) grid->max_y = from->max_y;
}

gantry_err_t grid_adopt(grid_t *grid, const grid_t *from) {
  if (grid->config.resolution_m != from->config.resolution_m) return GANTRY_E_INVALID;
  for (uint32_t i = 0; i < from->count; i++) {
    grid_slot_t *slot = NULL;
    GANTRY_TRY(grid_slot_ensure(grid, from->slots[i].tile->x, from->slots[i].tile->y, &slot));
  }
  for (uint32_t i = 0; i < grid->count; i++) {
    const grid_tile_t *tile = grid->slots[i].tile;
    uint32_t found = tile_index_get(&from->index, tile->x, tile->y);
    take_tile(grid, &grid->slots[i], found == TILE_NONE ? &EMPTY : from->slots[found].tile);
  }
  take_bounds(grid, from, grid->known_cells == 0);
  grid->known_cells = from->known_cells;
  return GANTRY_OK;
}
