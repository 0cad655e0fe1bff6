/* The grid: counting, growing, bounds, dirty tiles, loading. */
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include <gantry/slam/grid.h>

static grid_t *grid;

static void setup(void) {
  grid_config_t config = grid_config_default();
  grid = grid_new(&config);
}

static void teardown(void) {
  grid_destroy(&grid);
}

TestSuite(grid, .init = setup, .fini = teardown);

Test(grid, refuses_a_configuration_out_of_bounds) {
  grid_config_t fine = {.resolution_m = 0.005, .tile_limit = 16, .min_hits = 1};
  grid_config_t absent = {.resolution_m = NAN, .tile_limit = 16, .min_hits = 1};
  grid_config_t none = {.resolution_m = 0.05, .tile_limit = 0, .min_hits = 1};
  grid_config_t hits = {.resolution_m = 0.05, .tile_limit = 16, .min_hits = 0};

  cr_assert_null(grid_new(&fine));
  cr_assert_null(grid_new(&absent));
  cr_assert_null(grid_new(&none));
  cr_assert_null(grid_new(&hits));
}

Test(grid, puts_negative_coordinates_into_the_cell_below) {
  grid_index_t cell = grid_cell_at(grid, -0.01, 0.06);

  cr_assert_eq(cell.x, -1);
  cr_assert_eq(cell.y, 1);
}

Test(grid, clamps_coordinates_that_are_no_cell) {
  cr_assert_eq(grid_cell_at(grid, 1e300, NAN).x, GRID_COORD_MAX);
  cr_assert_eq(grid_cell_at(grid, -INFINITY, NAN).x, -GRID_COORD_MAX);
  cr_assert_eq(grid_cell_at(grid, 0, NAN).y, 0);
}

Test(grid, knows_unknown_free_and_occupied) {
  grid_hit(grid, 3, -70);
  grid_visit(grid, 4, -70);

  cr_assert_eq(grid_state(grid, 3, -70), GRID_OCCUPIED);
  cr_assert_eq(grid_state(grid, 4, -70), GRID_FREE);
  cr_assert_eq(grid_state(grid, 5, -70), GRID_UNKNOWN);
  cr_assert_eq(grid_state(grid, 5000, 5000), GRID_UNKNOWN);
}

Test(grid, frees_a_cell_crossed_three_times_for_each_hit) {
  grid_hit(grid, 0, 0);
  for (int i = 0; i < 2; i++)
    grid_visit(grid, 0, 0);
  cr_assert_eq(grid_state(grid, 0, 0), GRID_OCCUPIED);

  grid_visit(grid, 0, 0);

  cr_assert_eq(grid_state(grid, 0, 0), GRID_FREE);
}

Test(grid, asks_for_the_fewest_hits_configured) {
  grid_config_t config = {.resolution_m = 0.05, .tile_limit = 4, .min_hits = 2};
  grid_t *strict = grid_new(&config);

  grid_hit(strict, 0, 0);
  int8_t after_one = grid_state(strict, 0, 0);
  grid_hit(strict, 0, 0);
  int8_t after_two = grid_state(strict, 0, 0);
  grid_destroy(&strict);

  cr_assert_eq(after_one, GRID_FREE);
  cr_assert_eq(after_two, GRID_OCCUPIED);
}

Test(grid, forgets_an_old_wall_in_the_end) {
  for (int i = 0; i < 100000; i++)
    grid_hit(grid, 0, 0);

  int crossings = 0;
  while (grid_state(grid, 0, 0) == GRID_OCCUPIED && crossings < 5000) {
    grid_visit(grid, 0, 0);
    crossings++;
  }

  cr_assert_leq(crossings, 1500);
  cr_assert_geq(crossings, 100);
}

Test(grid, has_no_bounds_before_the_first_cell) {
  grid_box_t box;

  cr_assert_not(grid_bounds(grid, &box));
  cr_assert_eq(box.width, 0);
  cr_assert_float_eq(grid_explored_fraction(grid), 0.0, 0);
}

Test(grid, bounds_every_known_cell) {
  grid_hit(grid, -100, 20);
  grid_visit(grid, 99, -30);
  grid_box_t box;

  cr_assert(grid_bounds(grid, &box));

  cr_assert_eq(box.min_x, -100);
  cr_assert_eq(box.min_y, -30);
  cr_assert_eq(box.width, 200);
  cr_assert_eq(box.height, 51);
  cr_assert_eq(grid_known_cells(grid), 2);
  cr_assert_float_eq(grid_explored_fraction(grid), 2.0 / (200 * 51), 1e-12);
}

Test(grid, exports_rows_from_the_lower_left) {
  grid_hit(grid, 1, 0);
  grid_visit(grid, 0, 1);
  int8_t cells[6];
  const int8_t expected[6] = {GRID_UNKNOWN, GRID_OCCUPIED, GRID_UNKNOWN,
                              GRID_FREE,    GRID_UNKNOWN,  GRID_UNKNOWN};

  gantry_err_t err = grid_export(grid, (grid_box_t){0, 0, 3, 2}, cells, 6);

  cr_assert_eq(err, GANTRY_OK);
  cr_assert_arr_eq(cells, expected, 6);
}

Test(grid, does_not_export_more_than_fits) {
  int8_t cells[6];

  cr_assert_eq(grid_export(grid, (grid_box_t){0, 0, 3, 3}, cells, 6), GANTRY_E_TOO_LARGE);
  cr_assert_eq(grid_export(grid, (grid_box_t){0, 0, UINT32_MAX, UINT32_MAX}, cells, 6),
               GANTRY_E_TOO_LARGE);
}

Test(grid, stops_at_the_tile_limit) {
  grid_config_t config = {.resolution_m = 0.05, .tile_limit = 2, .min_hits = 1};
  grid_t *small = grid_new(&config);

  gantry_err_t first = grid_hit(small, 0, 0);
  gantry_err_t second = grid_hit(small, 64, 0);
  gantry_err_t third = grid_hit(small, 128, 0);
  gantry_err_t existing = grid_hit(small, 1, 1);
  uint32_t tiles = grid_tile_count(small);
  grid_destroy(&small);

  cr_assert_eq(first, GANTRY_OK);
  cr_assert_eq(second, GANTRY_OK);
  cr_assert_eq(third, GANTRY_E_TOO_LARGE);
  cr_assert_eq(existing, GANTRY_OK);
  cr_assert_eq(tiles, 2);
}

Test(grid, has_no_cells_beyond_its_end) {
  cr_assert_eq(grid_hit(grid, GRID_COORD_MAX + GRID_TILE_SIDE, 0), GANTRY_E_TOO_LARGE);
  cr_assert_eq(grid_hit(grid, 0, INT32_MIN), GANTRY_E_TOO_LARGE);
}

Test(grid, finds_each_of_many_tiles_again) {
  for (int32_t tx = -20; tx < 20; tx++)
    for (int32_t ty = -20; ty < 20; ty++)
      grid_hit(grid, tx * GRID_TILE_SIDE, ty * GRID_TILE_SIDE + 5);

  cr_assert_eq(grid_tile_count(grid), 1600);
  for (int32_t tx = -20; tx < 20; tx++)
    for (int32_t ty = -20; ty < 20; ty++)
      cr_assert_eq(grid_state(grid, tx * GRID_TILE_SIDE, ty * GRID_TILE_SIDE + 5), GRID_OCCUPIED);
}

Test(grid, revises_only_when_a_state_changes) {
  grid_hit(grid, 0, 0);
  uint64_t before = grid_revision(grid);

  grid_hit(grid, 0, 0);
  uint64_t same = grid_revision(grid);
  grid_visit(grid, 1, 0);

  cr_assert_eq(same, before);
  cr_assert_gt(grid_revision(grid), before);
}

Test(grid, hands_out_each_dirty_tile_once) {
  grid_hit(grid, 0, 0);
  grid_hit(grid, 1, 0);
  grid_hit(grid, -1, 0);
  grid_index_t tile;

  cr_assert(grid_next_dirty(grid, &tile));
  cr_assert_eq(tile.x, 0);
  cr_assert(grid_next_dirty(grid, &tile));
  cr_assert_eq(tile.x, -1);
  cr_assert_not(grid_next_dirty(grid, &tile));
}

Test(grid, makes_a_tile_dirty_again_when_a_state_changes) {
  grid_index_t tile;
  grid_hit(grid, 0, 0);
  grid_next_dirty(grid, &tile);

  grid_hit(grid, 0, 0);
  bool unchanged = grid_next_dirty(grid, &tile);
  grid_visit(grid, 7, 7);

  cr_assert_not(unchanged);
  cr_assert(grid_next_dirty(grid, &tile));
}

Test(grid, reads_a_tile_by_its_index) {
  grid_bits_t bits;
  grid_hit(grid, -64, 1);
  grid_visit(grid, -63, 1);

  grid_read_bits(grid, (grid_index_t){-1, 0}, &bits);

  cr_assert_eq(bits.occupied[1], 1);
  cr_assert_eq(bits.known[1], 3);
  cr_assert_eq(bits.known[0], 0);
}

Test(grid, reads_an_absent_tile_as_unknown) {
  grid_bits_t bits;
  memset(&bits, 0xff, sizeof bits);

  grid_read_bits(grid, (grid_index_t){9, 9}, &bits);

  for (int row = 0; row < GRID_TILE_SIDE; row++)
    cr_assert_eq(bits.known[row] | bits.occupied[row], 0);
}

Test(grid, gives_back_the_rectangle_it_loaded) {
  const int8_t stored[6] = {1, 0, -1, -1, 100, 0};
  const int8_t states[6] = {1, 0, -1, -1, 1, 0};
  const grid_box_t box = {-2, 62, 3, 2};
  int8_t cells[6];

  cr_assert_eq(grid_load(grid, box, stored), GANTRY_OK);

  grid_export(grid, box, cells, 6);
  cr_assert_arr_eq(cells, states, 6);
  cr_assert_eq(grid_known_cells(grid), 4);
}

Test(grid, loads_over_what_it_knew) {
  const int8_t wall[3] = {1, 1, 1};
  const int8_t other[3] = {-1, 0, 1};
  int8_t cells[3];
  grid_load(grid, (grid_box_t){0, 0, 3, 1}, wall);
  uint64_t before = grid_revision(grid);

  grid_load(grid, (grid_box_t){0, 0, 3, 1}, other);

  grid_export(grid, (grid_box_t){0, 0, 3, 1}, cells, 3);
  cr_assert_arr_eq(cells, other, 3);
  cr_assert_eq(grid_known_cells(grid), 2);
  cr_assert_gt(grid_revision(grid), before);
}

Test(grid, lets_scans_overrule_a_loaded_cell) {
  const int8_t wall[1] = {1};
  grid_load(grid, (grid_box_t){0, 0, 1, 1}, wall);

  for (int i = 0; i < 48; i++)
    grid_visit(grid, 0, 0);

  cr_assert_eq(grid_state(grid, 0, 0), GRID_FREE);
}

Test(grid, refuses_to_load_a_box_beyond_its_end) {
  const int8_t cell[1] = {1};

  cr_assert_eq(grid_load(grid, (grid_box_t){INT32_MIN, 0, 1, 1}, cell), GANTRY_E_TOO_LARGE);
}

Test(grid, is_empty_after_clear) {
  grid_hit(grid, 0, 0);
  uint64_t generation = grid_generation(grid);
  grid_index_t tile;

  grid_clear(grid);

  cr_assert_eq(grid_state(grid, 0, 0), GRID_UNKNOWN);
  cr_assert_eq(grid_tile_count(grid), 0);
  cr_assert_not(grid_next_dirty(grid, &tile));
  cr_assert_neq(grid_generation(grid), generation);
}
