/* One grid takes over the cells of another, so that whoever follows its tiles (the distance field,
   patches on the wire) hears of those alone that differ. */
#include <gantry/slam/grid.h>

#include <stdlib.h>
#include <string.h>

#include "grid_tile.h"

/* Books that a tile's states become those of another one. */
static void note(grid_t *grid, grid_slot_t *slot, const uint64_t *occupied, const uint64_t *known) {
  grid_tile_t *tile = slot->tile;
  bool walls = memcmp(tile->occupied, occupied, sizeof tile->occupied) != 0;
  if (!walls && memcmp(tile->known, known, sizeof tile->known) == 0) return;
  if (!tile->dirty) grid->dirty_count++;
  tile->dirty = true;
  grid->revision++;
  if (walls) slot->occupied_revision = grid->revision;
}

static void exchange(grid_t *grid, grid_slot_t *slot, grid_slot_t *from) {
  grid_tile_t *old = slot->tile;
  note(grid, slot, from->tile->occupied, from->tile->known);
  grid->open_count += from->tile->cells != NULL;
  grid->open_count -= old->cells != NULL;
  slot->tile = from->tile;
  slot->tile->dirty = old->dirty;
  from->tile = old;
}

static void empty(grid_t *grid, grid_slot_t *slot) {
  static const uint64_t NONE[GRID_TILE_SIDE];
  grid_tile_t *tile = slot->tile;
  note(grid, slot, NONE, NONE);
  grid->open_count -= tile->cells != NULL;
  free(tile->cells);
  free(tile->packed);
  *tile = (grid_tile_t){.x = tile->x, .y = tile->y, .dirty = tile->dirty};
}

static void take_bounds(grid_t *grid, const grid_t *from, bool was_empty) {
  if (from->known_cells == 0) return;
  if (was_empty || from->min_x < grid->min_x) grid->min_x = from->min_x;
  if (was_empty || from->min_y < grid->min_y) grid->min_y = from->min_y;
  if (was_empty || from->max_x > grid->max_x) grid->max_x = from->max_x;
  if (was_empty || from->max_y > grid->max_y) grid->max_y = from->max_y;
}

/* Slots for the tiles of both: those that become empty stay, to be told. */
static gantry_err_t make_room(grid_t *grid, const grid_t *from) {
  uint32_t limit = grid->config.tile_limit;
  gantry_err_t err = GANTRY_OK;
  grid->config.tile_limit = limit + from->count;
  for (uint32_t i = 0; i < from->count && err == GANTRY_OK; i++) {
    grid_slot_t *slot = NULL;
    err = grid_slot_add(grid, from->slots[i].tile->x, from->slots[i].tile->y, &slot);
  }
  grid->config.tile_limit = limit;
  return err;
}

gantry_err_t grid_adopt(grid_t *grid, grid_t *from) {
  if (grid->config.resolution_m != from->config.resolution_m) return GANTRY_E_INVALID;
  GANTRY_TRY(make_room(grid, from));
  for (uint32_t i = 0; i < grid->count; i++) {
    const grid_tile_t *tile = grid->slots[i].tile;
    uint32_t found = tile_index_get(&from->index, tile->x, tile->y);
    if (found == TILE_NONE)
      empty(grid, &grid->slots[i]);
    else
      exchange(grid, &grid->slots[i], &from->slots[found]);
  }
  take_bounds(grid, from, grid->known_cells == 0);
  grid->known_cells = from->known_cells;
  grid_clear(from);
  return GANTRY_OK;
}
