/* Tile index: a hash from tile coordinates to a slot number, open addressing, linear probing;
   shared by the grid and its distance field. Entries are never removed one by one. */
#ifndef GANTRY_SLAM_TILE_INDEX_H
#define GANTRY_SLAM_TILE_INDEX_H

#include <stdint.h>

#include <gantry/err.h>

#define TILE_NONE UINT32_MAX

typedef struct tile_entry {
  int32_t x, y;
  uint32_t slot; /* TILE_NONE: the entry is empty */
} tile_entry_t;

typedef struct tile_index {
  tile_entry_t *entries; /* capacity of them, a power of two; NULL before the first put */
  uint32_t capacity;
  uint32_t count;
} tile_index_t;

/* Harmless on zeroed memory; leaves zeroed memory. */
void tile_index_fini(tile_index_t *index);
/* Empties it, keeps the memory. */
void tile_index_clear(tile_index_t *index);
/* Adds a tile that is not there yet. GANTRY_E_INTERNAL without memory. */
gantry_err_t tile_index_put(tile_index_t *index, int32_t x, int32_t y, uint32_t slot);

static inline uint32_t tile_index_hash(int32_t x, int32_t y) {
  uint64_t key = ((uint64_t)(uint32_t)x << 32) | (uint32_t)y;
  /* Fibonacci hashing (Knuth, TAOCP 3, 6.4): the high bits of the product are well mixed. */
  return (uint32_t)((key * 0x9E3779B97F4A7C15u) >> 32);
}

/* Slot of a tile, TILE_NONE when it is absent. */
static inline uint32_t tile_index_get(const tile_index_t *index, int32_t x, int32_t y) {
  if (!index->entries) return TILE_NONE;
  uint32_t mask = index->capacity - 1;
  for (uint32_t i = tile_index_hash(x, y) & mask;; i = (i + 1) & mask) {
    const tile_entry_t *entry = &index->entries[i];
    if (entry->slot == TILE_NONE || (entry->x == x && entry->y == y)) return entry->slot;
  }
}

#endif
