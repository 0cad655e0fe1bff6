/* The growing half of the tile index: insertion and memory. */
#include "tile_index.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

static void place(tile_index_t *index, tile_entry_t entry) {
  uint32_t mask = index->capacity - 1;
  uint32_t i = tile_index_hash(entry.x, entry.y) & mask;
  while (index->entries[i].slot != TILE_NONE)
    i = (i + 1) & mask;
  index->entries[i] = entry;
}

static gantry_err_t grow(tile_index_t *index) {
  tile_index_t bigger = {.capacity = index->capacity ? index->capacity * 2 : FIRST_CAPACITY,
                         .count = index->count};
  bigger.entries = malloc(bigger.capacity * sizeof *bigger.entries);
  if (!bigger.entries) return GANTRY_E_INTERNAL;
  for (uint32_t i = 0; i < bigger.capacity; i++)
    bigger.entries[i].slot = TILE_NONE;
  for (uint32_t i = 0; i < index->capacity; i++)
    if (index->entries[i].slot != TILE_NONE) place(&bigger, index->entries[i]);
  free(index->entries);
  *index = bigger;
  return GANTRY_OK;
}

void tile_index_fini(tile_index_t *index) {
  free(index->entries);
  memset(index, 0, sizeof *index);
}

void tile_index_clear(tile_index_t *index) {
  for (uint32_t i = 0; i < index->capacity; i++)
    index->entries[i].slot = TILE_NONE;
  index->count = 0;
}

gantry_err_t tile_index_put(tile_index_t *index, int32_t x, int32_t y, uint32_t slot) {
  if (index->count * 2 >= index->capacity) GANTRY_TRY(grow(index));
  place(index, (tile_entry_t){.x = x, .y = y, .slot = slot});
  index->count++;
  return GANTRY_OK;
}
