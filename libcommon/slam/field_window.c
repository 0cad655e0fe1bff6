/* Keeps the distance field of a large map to where it is wanted: its tiles hold half of what the
   cells do, and a robot looks up no others than those it sees. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "field_tile.h"

/* Grids up to so many tiles are followed as a whole; of larger ones so many around what is wanted.
 */
enum { WHOLE_TILES = 1024, SPARE_TILES = 4, ALL_BLOCKS = 0xFFFF };

static int32_t tile_at(const distance_field_t *field, double m) {
  double tile = floor(m / (field->resolution_m * GRID_TILE_SIDE));
  const int32_t most = GRID_COORD_MAX / GRID_TILE_SIDE;
  return (int32_t)fmax(-most, fmin(most, tile));
}

static bool covers(const field_window_t *window, const field_window_t *part) {
  return field_window_has(window, part->min_x, part->min_y) &&
         field_window_has(window, part->max_x, part->max_y);
}

bool distance_field_focus(distance_field_t *field, double x_m, double y_m, double reach_m) {
  field->focused = true;
  field->wanted = (field_window_t){.min_x = tile_at(field, x_m - reach_m) - 1,
                                   .min_y = tile_at(field, y_m - reach_m) - 1,
                                   .max_x = tile_at(field, x_m + reach_m) + 1,
                                   .max_y = tile_at(field, y_m + reach_m) + 1};
  return !covers(&field->window, &field->wanted);
}

bool field_window_moves(const distance_field_t *field, uint32_t grid_tiles) {
  if (!field->focused || grid_tiles <= WHOLE_TILES) return false;
  bool whole = field->window.min_x == INT32_MIN;
  return whole || !covers(&field->window, &field->wanted);
}

static field_window_t grown(field_window_t window, int32_t tiles) {
  return (field_window_t){window.min_x - tiles, window.min_y - tiles, window.max_x + tiles,
                          window.max_y + tiles};
}

/* A tile's walls are followed no longer: what they had lowered around is built anew. */
static void disown(distance_field_t *field, field_tile_t *tile) {
  memset(tile->occupied, 0, sizeof tile->occupied);
  for (int32_t y = tile->y - 1; y <= tile->y + 1; y++)
    for (int32_t x = tile->x - 1; x <= tile->x + 1; x++) {
      uint32_t slot = tile_index_get(&field->index, x, y);
      if (slot != TILE_NONE) field->slots[slot].dirty_blocks = ALL_BLOCKS;
    }
}

/* Tiles beside the window are kept, too: the walls in it reach there. */
void field_window_move(distance_field_t *field) {
  field_window_t now = grown(field->wanted, SPARE_TILES), kept = grown(now, 1);
  uint32_t count = 0;
  field->window = now;
  for (uint32_t i = 0; i < field->count; i++) {
    field_tile_t *tile = field->slots[i].tile;
    if (!field_window_has(&now, tile->x, tile->y)) disown(field, tile);
  }
  tile_index_clear(&field->index);
  for (uint32_t i = 0; i < field->count; i++) {
    field_slot_t slot = field->slots[i];
    if (field_window_has(&kept, slot.tile->x, slot.tile->y) &&
        tile_index_put(&field->index, slot.tile->x, slot.tile->y, count) == GANTRY_OK)
      field->slots[count++] = slot;
    else
      free(slot.tile);
  }
  field->count = count;
}
