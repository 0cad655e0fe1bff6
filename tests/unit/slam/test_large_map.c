/* What keeps large maps small must not be seen from outside: counts packed where no ray comes by,
   a distance field only where it is wanted, cells handed over instead of copied. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include <gantry/slam/distance_field.h>
#include <gantry/slam/raycast.h>

#include "grid_tile.h"

enum { SIDE = 40 }; /* tiles: more than stay open */

static uint32_t next(uint32_t *seed) {
  *seed = *seed * 1664525u + 1013904223u;
  return *seed >> 8;
}

static grid_t *new_grid(void) {
  grid_config_t config = grid_config_default();
  return grid_new(&config);
}

/* So many hits and visits in each tile; the tiles in turn (rounds of one event), or one by one. */
static void fill(grid_t *grid, uint32_t events, bool in_turn) {
  uint32_t rounds = in_turn ? events : 1, each = in_turn ? 1 : events;
  static uint32_t seeds[SIDE * SIDE];
  for (uint32_t i = 0; i < SIDE * SIDE; i++)
    seeds[i] = i + 1;
  for (uint32_t round = 0; round < rounds; round++)
    for (uint32_t i = 0; i < SIDE * SIDE; i++)
      for (uint32_t event = 0; event < each; event++) {
        uint32_t cell = next(&seeds[i]) % 97 * 41, kind = next(&seeds[i]);
        int32_t cx = (int32_t)(i % SIDE * GRID_TILE_SIDE + cell % GRID_TILE_SIDE);
        int32_t cy = (int32_t)(i / SIDE * GRID_TILE_SIDE + cell / GRID_TILE_SIDE);
        gantry_err_t err = kind % 3 == 0 ? grid_hit(grid, cx, cy) : grid_visit(grid, cx, cy);
        cr_assert_eq(err, GANTRY_OK);
      }
}

static void read_counts(const grid_tile_t *tile, grid_cell_t *cells) {
  memset(cells, 0, GRID_TILE_CELLS * sizeof *cells);
  if (tile->cells)
    memcpy(cells, tile->cells, GRID_TILE_CELLS * sizeof *cells);
  else if (tile->packed)
    grid_unpack(tile, tile->packed, cells);
}

static void assert_same_counts(const grid_t *a, const grid_t *b) {
  static grid_cell_t left[GRID_TILE_CELLS], right[GRID_TILE_CELLS];
  cr_assert_eq(a->count, b->count);
  cr_assert_eq(a->known_cells, b->known_cells);
  for (uint32_t i = 0; i < a->count; i++) {
    const grid_tile_t *tile = a->slots[i].tile;
    uint32_t slot = tile_index_get(&b->index, tile->x, tile->y);
    cr_assert_neq(slot, TILE_NONE);
    read_counts(tile, left);
    read_counts(b->slots[slot].tile, right);
    cr_assert_arr_eq(left, right, sizeof left);
    cr_assert_arr_eq(tile->occupied, b->slots[slot].tile->occupied, sizeof tile->occupied);
  }
}

Test(large_map, counts_on_where_its_tiles_were_packed) {
  grid_t *packed = new_grid(), *reference = new_grid();

  fill(packed, 60, true);
  fill(reference, 60, false);

  cr_assert_lt(packed->open_count, SIDE * SIDE);
  assert_same_counts(packed, reference);
  grid_destroy(&packed);
  grid_destroy(&reference);
}

Test(large_map, packs_every_count_and_gives_it_back) {
  grid_tile_t tile = {.cells = calloc(GRID_TILE_CELLS, sizeof(grid_cell_t))};
  static grid_cell_t back[GRID_TILE_CELLS];
  uint32_t seed = 7;
  for (uint32_t i = 0; i < GRID_TILE_CELLS; i++) {
    uint32_t row = i >> GRID_TILE_SHIFT, spread = 1u << row % 8; /* rows of every width */
    if (next(&seed) % 4 == 0) continue;
    tile.cells[i].visits = (uint8_t)(1 + next(&seed) % spread);
    if (row % 3 && next(&seed) % 5 == 0) tile.cells[i].hits = tile.cells[i].visits;
    tile.known[row] |= (uint64_t)1 << (i & GRID_TILE_MASK);
  }

  uint8_t *packed = grid_pack(&tile);
  grid_unpack(&tile, packed, back);

  cr_assert_arr_eq(back, tile.cells, sizeof back);
  free(packed);
  free(tile.cells);
}

Test(large_map, takes_over_another_grid_and_tells_only_what_differs) {
  grid_t *grid = new_grid(), *other = new_grid(), *reference = new_grid();
  grid_index_t tile;
  fill(grid, 3, false);
  fill(other, 3, false);
  fill(reference, 3, false);
  grid_visit(grid, -1, -1); /* in no other */
  for (uint32_t i = 0; i < 2; i++) {
    grid_hit(other, 3 * GRID_TILE_SIDE + 63, 5);
    grid_hit(reference, 3 * GRID_TILE_SIDE + 63, 5);
  }
  while (grid_next_dirty(grid, &tile))
    continue;

  cr_assert_eq(grid_adopt(grid, other), GANTRY_OK);

  cr_assert_eq(grid_tile_count(other), 0);
  cr_assert_eq(grid_known_cells(grid), grid_known_cells(reference));
  cr_assert_eq(grid_state(grid, -1, -1), GRID_UNKNOWN);
  uint32_t dirty = 0;
  for (; grid_next_dirty(grid, &tile); dirty++)
    cr_assert((tile.x == -1 && tile.y == -1) || (tile.x == 3 && tile.y == 0));
  cr_assert_eq(dirty, 2);
  grid_destroy(&grid);
  grid_destroy(&other);
  grid_destroy(&reference);
}

/* A full map that a closure shifts: the correction is told, so that it has to hold. */
Test(large_map, takes_over_as_many_tiles_elsewhere_when_it_is_full) {
  grid_config_t config = grid_config_default();
  config.tile_limit = 16;
  grid_t *grid = grid_new(&config);
  for (int32_t shift = 0; shift < 5; shift++) {
    grid_t *other = grid_new(&config);
    for (int32_t i = 0; i < 16; i++)
      cr_assert_eq(grid_hit(other, (16 * shift + i) * GRID_TILE_SIDE, 0), GANTRY_OK);

    gantry_err_t err = grid_adopt(grid, other);

    cr_expect_eq(err, shift < 2 ? GANTRY_OK : GANTRY_E_TOO_LARGE, "shift %d", shift);
    if (shift < 2) cr_expect_eq(grid_known_cells(grid), 16);
    grid_destroy(&other);
  }
  grid_destroy(&grid);
}

/* The robot goes about, walls come and go: near it both fields say the same. */
Test(large_map, has_the_distances_that_are_wanted) {
  grid_t *grid = new_grid();
  distance_field_t *whole = distance_field_new(0.05, 0.5, 8192);
  distance_field_t *near = distance_field_new(0.05, 0.5, 8192);
  uint32_t seed = 3;
  fill(grid, 4, false);
  for (uint32_t place = 0; place < 40; place++) {
    double x = next(&seed) % 12800 * 0.01, y = place % 4 ? 60.0 : next(&seed) % 12800 * 0.01;
    for (uint32_t i = 0; i < 2000; i++) {
      int32_t cx = (int32_t)(next(&seed) % (SIDE * GRID_TILE_SIDE));
      int32_t cy = (int32_t)(next(&seed) % (SIDE * GRID_TILE_SIDE));
      for (uint32_t times = 0; times < 5; times++) /* ends walls that were hit once */
        next(&seed) % 2 ? grid_visit(grid, cx, cy) : grid_hit(grid, cx, cy);
    }
    distance_field_focus(near, x, y, 6.0);
    cr_assert_eq(distance_field_update(near, grid), GANTRY_OK);
    cr_assert_eq(distance_field_update(whole, grid), GANTRY_OK);
    for (uint32_t i = 0; i < 3000; i++) {
      double px = x + next(&seed) % 1200 * 0.01 - 6, py = y + next(&seed) % 1200 * 0.01 - 6;
      cr_assert_eq(distance_field_at(near, px, py, NULL), distance_field_at(whole, px, py, NULL));
    }
    cr_assert_lt(distance_field_bytes(near), distance_field_bytes(whole) / 2);
  }
  distance_field_destroy(&whole);
  distance_field_destroy(&near);
  grid_destroy(&grid);
}
