/* The distance field against distances computed the slow way. */
#include <math.h>

#include <criterion/criterion.h>

#include <gantry/slam/distance_field.h>

static grid_t *grid;
static distance_field_t *field;

static void setup(void) {
  grid_config_t config = grid_config_default();
  grid = grid_new(&config);
  field = distance_field_new(0.05, 0.5, 64);
}

static void teardown(void) {
  grid_destroy(&grid);
  distance_field_destroy(&field);
}

TestSuite(distance_field, .init = setup, .fini = teardown);

static double centre_m(int32_t cell) {
  return (cell + 0.5) * 0.05;
}

/* Distance of a cell to the nearest occupied one within 12 cells, m, truncated. */
static double slow_distance_m(int32_t cx, int32_t cy) {
  double nearest = 0.5;
  for (int32_t dy = -12; dy <= 12; dy++)
    for (int32_t dx = -12; dx <= 12; dx++)
      if (grid_state(grid, cx + dx, cy + dy) == GRID_OCCUPIED)
        nearest = fmin(nearest, 0.05 * hypot(dx, dy));
  return nearest;
}

static void assert_field_is_exact(int32_t low, int32_t high) {
  for (int32_t cy = low; cy <= high; cy++)
    for (int32_t cx = low; cx <= high; cx++) {
      double found = distance_field_at(field, centre_m(cx), centre_m(cy), NULL);
      cr_assert_float_eq(found, slow_distance_m(cx, cy), 0.0011, "cell %d %d", cx, cy);
    }
}

Test(distance_field, refuses_sizes_out_of_bounds) {
  cr_assert_null(distance_field_new(0.0, 0.5, 16));
  cr_assert_null(distance_field_new(0.05, 0.01, 16));
  cr_assert_null(distance_field_new(0.01, 0.5, 16));
  cr_assert_null(distance_field_new(0.05, 0.5, 0));
}

Test(distance_field, is_far_from_everything_when_empty) {
  double gradient[2] = {1, 1};

  cr_assert_float_eq(distance_field_at(field, 3.0, 4.0, gradient), 0.5, 1e-6);
  cr_assert_float_eq(gradient[0], 0.0, 0);
  cr_assert_float_eq(gradient[1], 0.0, 0);
}

Test(distance_field, is_far_where_there_are_no_cells) {
  cr_assert_float_eq(distance_field_at(field, NAN, 0.0, NULL), 0.5, 0);
  cr_assert_float_eq(distance_field_at(field, 0.0, 1e30, NULL), 0.5, 0);
}

Test(distance_field, knows_the_distance_to_one_obstacle) {
  grid_hit(grid, 10, 10);

  distance_field_update(field, grid);

  cr_assert_float_eq(distance_field_at(field, centre_m(10), centre_m(10), NULL), 0.0, 1e-6);
  cr_assert_float_eq(distance_field_at(field, centre_m(14), centre_m(13), NULL), 0.25, 0.0011);
}

Test(distance_field, is_exact_across_tile_corners) {
  grid_hit(grid, 63, 63);
  grid_hit(grid, 64, 60);
  grid_hit(grid, 70, 66);

  distance_field_update(field, grid);

  assert_field_is_exact(45, 85);
}

Test(distance_field, is_exact_below_zero) {
  grid_hit(grid, -1, -1);
  grid_hit(grid, 3, -7);

  distance_field_update(field, grid);

  assert_field_is_exact(-20, 20);
}

Test(distance_field, slopes_away_from_the_obstacle) {
  grid_hit(grid, 10, 10);
  distance_field_update(field, grid);
  double gradient[2];

  distance_field_at(field, centre_m(14), centre_m(10), gradient);
  cr_assert_float_eq(gradient[0], 1.0, 0.05);
  distance_field_at(field, centre_m(10), centre_m(6), gradient);
  cr_assert_float_eq(gradient[1], -1.0, 0.05);
}

Test(distance_field, interpolates_between_cells) {
  grid_hit(grid, 10, 10);
  distance_field_update(field, grid);

  double half = distance_field_at(field, centre_m(14) + 0.025, centre_m(10), NULL);

  cr_assert_float_eq(half, 0.225, 0.002);
}

Test(distance_field, takes_in_obstacles_that_come_later) {
  grid_hit(grid, 10, 10);
  distance_field_update(field, grid);
  grid_hit(grid, 15, 12);

  distance_field_update(field, grid);

  assert_field_is_exact(-5, 30);
}

Test(distance_field, lets_go_of_obstacles_that_vanish) {
  for (int32_t i = 55; i < 75; i++)
    grid_hit(grid, i, 64);
  grid_hit(grid, 64, 70);
  distance_field_update(field, grid);
  for (int i = 0; i < 3; i++)
    for (int32_t cx = 60; cx < 70; cx++)
      grid_visit(grid, cx, 64);

  distance_field_update(field, grid);

  cr_assert_eq(grid_state(grid, 64, 64), GRID_FREE);
  assert_field_is_exact(40, 90);
}

Test(distance_field, is_exact_after_many_changes) {
  uint32_t state = 7;
  for (int i = 0; i < 400; i++) {
    state = state * 1664525u + 1013904223u;
    int32_t cx = (int32_t)(state >> 8) % 60 + 34;
    int32_t cy = (int32_t)(state >> 16) % 60 + 34;
    if (grid_state(grid, cx, cy) == GRID_OCCUPIED)
      for (int n = 0; n < 4; n++)
        grid_visit(grid, cx, cy);
    else
      grid_hit(grid, cx, cy);
    if (i % 20 == 0) distance_field_update(field, grid);
  }

  distance_field_update(field, grid);

  assert_field_is_exact(20, 110);
}

Test(distance_field, starts_anew_with_a_cleared_grid) {
  grid_hit(grid, 10, 10);
  distance_field_update(field, grid);
  grid_clear(grid);
  grid_hit(grid, 40, 40);

  distance_field_update(field, grid);

  assert_field_is_exact(0, 55);
}

Test(distance_field, refuses_a_grid_of_another_resolution) {
  grid_config_t config = {.resolution_m = 0.1, .tile_limit = 4, .min_hits = 1};
  grid_t *coarse = grid_new(&config);

  gantry_err_t err = distance_field_update(field, coarse);
  grid_destroy(&coarse);

  cr_assert_eq(err, GANTRY_E_INVALID);
}

Test(distance_field, recovers_after_its_tile_limit) {
  distance_field_t *small = distance_field_new(0.05, 0.5, 1);
  grid_hit(grid, 0, 0);
  gantry_err_t full = distance_field_update(small, grid);
  grid_clear(grid);
  grid_hit(grid, 30, 30);

  gantry_err_t fits = distance_field_update(small, grid);
  double at_cell = distance_field_at(small, centre_m(30), centre_m(30), NULL);
  distance_field_destroy(&small);

  cr_assert_eq(full, GANTRY_E_TOO_LARGE);
  cr_assert_eq(fits, GANTRY_OK);
  cr_assert_float_eq(at_cell, 0.0, 1e-6);
}

Test(distance_field, tells_its_sizes) {
  cr_assert_float_eq(distance_field_resolution_m(field), 0.05, 0);
  cr_assert_float_eq(distance_field_truncation_m(field), 0.5, 0);
}
