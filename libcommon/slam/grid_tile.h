/* Inside of the grid: its tiles and the counting of one cell, shared by grid.c and by the ray
   caster and distance field, which would lose half their speed behind a function call a cell. */
#ifndef GANTRY_SLAM_GRID_TILE_H
#define GANTRY_SLAM_GRID_TILE_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/slam/grid.h>

#include "tile_index.h"

#define GRID_TILE_SHIFT 6
#define GRID_TILE_MASK  (GRID_TILE_SIDE - 1)
/* Counts are halved here, so that two bytes hold a cell: a wall that goes away is forgotten after
   at most 800 crossings. */
#define GRID_VISITS_MAX   254
#define GRID_MIN_HITS_MAX 100 /* fewer than halving leaves a cell that is hit every time */
/* So many tiles, 10,000 square metres of them, keep their counts at hand before others are packed.
 */
#define GRID_OPEN_MAX 1024
/* Weight of a loaded cell: overruled by about as many scans as a robot takes passing by. */
#define GRID_LOADED_VISITS 16

typedef struct grid_cell {
  uint8_t hits, visits;
} grid_cell_t;

/* States are always at hand; counts, eight times as large, are packed where no ray has come by
   lately. */
typedef struct grid_tile {
  int32_t x, y;                      /* tile index */
  bool dirty;                        /* a state changed since grid_next_dirty took it */
  bool used;                         /* since the last look for tiles to pack */
  uint64_t occupied[GRID_TILE_SIDE]; /* bit cx of row cy */
  uint64_t known[GRID_TILE_SIDE];    /* visits > 0 */
  grid_cell_t *cells;                /* row-major; NULL: packed */
  uint8_t *packed;                   /* NULL with cells NULL: all counts are 0 */
} grid_tile_t;

typedef struct grid_slot {
  grid_tile_t *tile;
  uint64_t occupied_revision; /* grid revision at the last change of an occupied bit */
} grid_slot_t;

struct grid {
  grid_config_t config;
  tile_index_t index;
  grid_slot_t *slots; /* count used, capacity allocated, in order of creation */
  uint32_t count, capacity;
  uint32_t open_count; /* tiles whose counts are not packed */
  uint32_t opened;     /* since tiles were last packed */
  uint32_t dirty_count, dirty_cursor;
  uint64_t revision, generation, known_cells;
  int32_t min_x, min_y, max_x, max_y; /* bounds of the known cells, when there are any */
};

/* The slot of tile (tx, ty), created when absent; its counts may be packed. Errors as grid_hit. */
gantry_err_t grid_slot_add(grid_t *grid, int32_t tx, int32_t ty, grid_slot_t **out);
/* The same with its counts at hand, until the next call for another tile. */
gantry_err_t grid_slot_ensure(grid_t *grid, int32_t tx, int32_t ty, grid_slot_t **out);
void grid_tile_free(grid_tile_t *tile);
/* grid_pack.c: bytes for the counts of a tile, NULL without memory; and back. */
uint8_t *grid_pack(const grid_tile_t *tile);
void grid_unpack(const grid_tile_t *tile, const uint8_t *packed, grid_cell_t *cells);
/* Books that a cell of the slot changed its state; became_known when it was unknown before. */
void grid_note_known(grid_t *grid, grid_slot_t *slot, uint32_t cell);
void grid_note_occupied(grid_t *grid, grid_slot_t *slot, uint32_t cell, bool occupied);

static inline uint32_t grid_cell_offset(int32_t cx, int32_t cy) {
  return (((uint32_t)cy & GRID_TILE_MASK) << GRID_TILE_SHIFT) | ((uint32_t)cx & GRID_TILE_MASK);
}

static inline bool grid_cell_occupied(const grid_cell_t *cell, uint16_t min_hits) {
  return cell->hits >= min_hits && 4u * cell->hits > cell->visits;
}

static inline bool grid_tile_bit(const uint64_t bits[GRID_TILE_SIDE], uint32_t cell) {
  return (bits[cell >> GRID_TILE_SHIFT] >> (cell & GRID_TILE_MASK)) & 1u;
}

/* Counts a visit, and a hit when hit is 1, and books what that changes. */
static inline void grid_count(grid_t *grid, grid_slot_t *slot, uint32_t cell, uint8_t hit) {
  grid_cell_t *counts = &slot->tile->cells[cell];
  /* Nearly every call: one more ray through free space changes no state. */
  if (!hit && counts->hits == 0 && counts->visits > 0 && counts->visits < GRID_VISITS_MAX) {
    counts->visits++;
    return;
  }
  if (counts->visits == GRID_VISITS_MAX) {
    counts->visits /= 2;
    counts->hits /= 2;
  }
  counts->hits = (uint8_t)(counts->hits + hit);
  counts->visits++;
  if (counts->visits == 1) grid_note_known(grid, slot, cell);
  bool occupied = grid_cell_occupied(counts, grid->config.min_hits);
  if (occupied != grid_tile_bit(slot->tile->occupied, cell))
    grid_note_occupied(grid, slot, cell, occupied);
}

#endif
