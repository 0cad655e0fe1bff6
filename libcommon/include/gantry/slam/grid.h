/* Grid: an occupancy grid that grows with the world, in tiles of 64 x 64 cells found by a hash of
   their index. Every cell counts rays that ended in it (hits) and rays that crossed or ended in it
   (visits); it is occupied while hits / visits > 0.25 and hits >= min_hits. Counting instead of
   log-odds keeps walls thin: matching against a map that is not carved drifts by decimetres.

   Cell (cx, cy) covers [cx, cx + 1) x [cy, cy + 1) times the resolution, so world (0, 0) is the
   lower left corner of cell (0, 0). Tile (tx, ty) holds cells 64 tx .. 64 tx + 63. Rectangles are
   row-major from the lower left, as on the wire: cells[(cy - min_y) * width + (cx - min_x)].

   Memory: 1 KB a tile, and 8 KB for the counts of up to 1,300 tiles that rays came by lately;
   those of others are packed, a fifth to a half of that. Bounded by tile_limit. Not thread-safe;
   const functions may run together. */
#ifndef GANTRY_SLAM_GRID_H
#define GANTRY_SLAM_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gantry/err.h>
#include <gantry/geom.h>

#define GRID_TILE_SIDE  64
#define GRID_TILE_CELLS 4096      /* GRID_TILE_SIDE squared */
#define GRID_COORD_MAX  (1 << 28) /* cells beyond it do not exist: 13,000 km at 50 mm */

enum { GRID_UNKNOWN = -1, GRID_FREE = 0, GRID_OCCUPIED = 1 };

typedef struct grid grid_t;

typedef struct grid_config {
  double resolution_m; /* side of a cell, 0.01 .. 1 */
  uint32_t tile_limit; /* most tiles, 1 .. 65536 */
  uint16_t min_hits;   /* fewest hits of an occupied cell, 1 .. 100 */
} grid_config_t;

typedef struct grid_index {
  int32_t x, y; /* a cell or a tile, as the function says */
} grid_index_t;

typedef struct grid_box {
  int32_t min_x, min_y;   /* lower left cell */
  uint32_t width, height; /* cells */
} grid_box_t;

/* 0.05 m, 4096 tiles (36 MB, 42,000 square metres), 1 hit. */
grid_config_t grid_config_default(void);

/* An empty grid; NULL when the configuration is out of bounds or memory ran out. */
grid_t *grid_new(const grid_config_t *config);
void grid_destroy(grid_t **self);
/* Forgets every cell and starts a new generation; configuration stays, revision goes on. */
void grid_clear(grid_t *grid);

double grid_resolution_m(const grid_t *grid);
/* The cell that holds a point; coordinates are clamped to +-GRID_COORD_MAX, NaN to 0. */
grid_index_t grid_cell_at(const grid_t *grid, double x_m, double y_m);

/* Counts a ray that ended in the cell, or crossed it. Counts are halved together before they
   overflow, so an old map still learns. GANTRY_E_TOO_LARGE when a new tile would pass the limit (or
   the cell lies beyond GRID_COORD_MAX), GANTRY_E_INTERNAL when memory ran out; the grid is then
   unchanged. */
gantry_err_t grid_hit(grid_t *grid, int32_t cx, int32_t cy);
gantry_err_t grid_visit(grid_t *grid, int32_t cx, int32_t cy);

/* GRID_UNKNOWN, GRID_FREE or GRID_OCCUPIED. */
int8_t grid_state(const grid_t *grid, int32_t cx, int32_t cy);

/* Number that grows with every change of a cell's state, and that of grid_clear calls. */
uint64_t grid_revision(const grid_t *grid);
uint64_t grid_generation(const grid_t *grid);
uint32_t grid_tile_count(const grid_t *grid);
/* Cells that are not unknown. */
uint64_t grid_known_cells(const grid_t *grid);
/* Known cells over all cells of the bounding box, 0 .. 1; 0 for an empty grid. */
double grid_explored_fraction(const grid_t *grid);

/* The smallest box that holds every cell ever known; false (and an empty box) for an empty grid. */
bool grid_bounds(const grid_t *grid, grid_box_t *out);
/* Writes the states of a box into cells. GANTRY_E_TOO_LARGE when width * height > capacity. */
gantry_err_t grid_export(const grid_t *grid, grid_box_t box, int8_t *cells, size_t capacity);
/* Sets the states of a box from cells (-1, 0, other values below 0 count as unknown, above 0 as
   occupied), with counts that later scans can still overrule. Cells outside the box stay. Errors as
   grid_hit; what was set before the error stays. */
gantry_err_t grid_load(grid_t *grid, grid_box_t box, const int8_t *cells);

/* Takes over the cells of another grid of the same resolution, counts and all, and leaves that one
   empty; tiles it has not become unknown. Copies nothing: milliseconds for a large map. Dirty is
   what differs; the bounds only grow. The tiles of both together may be more than the limit, by as
   many as from has. GANTRY_E_INVALID when resolutions differ, GANTRY_E_TOO_LARGE or
   GANTRY_E_INTERNAL as grid_hit (no state has changed then). */
gantry_err_t grid_adopt(grid_t *grid, grid_t *from);

/* Takes the next tile with a cell whose state changed since the tile was last taken: writes its
   index, clears its flag, returns true; false when none is left. Goes round, so no tile starves. */
bool grid_next_dirty(grid_t *grid, grid_index_t *tile);
/* The 64 x 64 states of a tile as bits, row by row from the lower left, a row from the lowest bit;
   what is occupied is known, too; nothing is known when the tile is absent. */
typedef struct grid_bits {
  uint64_t known[GRID_TILE_SIDE], occupied[GRID_TILE_SIDE];
} grid_bits_t;
void grid_read_bits(const grid_t *grid, grid_index_t tile, grid_bits_t *out);

#endif
