/* Rays: what carving leaves behind, what casting finds. */
#include <math.h>

#include <criterion/criterion.h>

#include <gantry/slam/raycast.h>

static grid_t *grid;

static void setup(void) {
  grid_config_t config = grid_config_default();
  grid = grid_new(&config);
}

static void teardown(void) {
  grid_destroy(&grid);
}

TestSuite(raycast, .init = setup, .fini = teardown);

Test(raycast, frees_the_way_and_occupies_the_end) {
  raycast_carve(grid, 0.025, 0.025, 0.525, 0.025);

  for (int32_t cx = 0; cx < 10; cx++)
    cr_assert_eq(grid_state(grid, cx, 0), GRID_FREE);
  cr_assert_eq(grid_state(grid, 10, 0), GRID_OCCUPIED);
  cr_assert_eq(grid_known_cells(grid), 11);
}

Test(raycast, does_not_wear_away_the_cell_before_the_end) {
  grid_hit(grid, 9, 0);

  for (int i = 0; i < 20; i++)
    raycast_carve(grid, 0.025, 0.025, 0.525, 0.025);

  cr_assert_eq(grid_state(grid, 9, 0), GRID_OCCUPIED);
}

Test(raycast, goes_every_way_and_leaves_no_gap) {
  for (int turn = 0; turn < 16; turn++) {
    double angle = 2 * M_PI * turn / 16 + 0.1;

    grid_clear(grid);
    raycast_carve(grid, 0.025, 0.025, 0.025 + 4 * cos(angle), 0.025 + 4 * sin(angle));

    grid_index_t end = grid_cell_at(grid, 0.025 + 4 * cos(angle), 0.025 + 4 * sin(angle));
    int cells = abs(end.x) > abs(end.y) ? abs(end.x) : abs(end.y);
    cr_assert_eq(grid_state(grid, end.x, end.y), GRID_OCCUPIED);
    cr_assert_eq(grid_known_cells(grid), cells + 1, "turn %d", turn);
  }
}

Test(raycast, crosses_tiles) {
  raycast_carve(grid, -5.025, 0.025, 5.025, 0.025);

  for (int32_t cx = -101; cx < 100; cx++)
    cr_assert_eq(grid_state(grid, cx, 0), GRID_FREE);
  cr_assert_eq(grid_state(grid, 100, 0), GRID_OCCUPIED);
}

Test(raycast, refuses_rays_that_are_no_measurement) {
  cr_assert_eq(raycast_carve(grid, NAN, 0, 1, 0), GANTRY_E_INVALID);
  cr_assert_eq(raycast_carve(grid, 0, 0, INFINITY, 0), GANTRY_E_INVALID);
  cr_assert_eq(raycast_carve(grid, 0, 0, 0, 1e6), GANTRY_E_INVALID);
  cr_assert_eq(grid_known_cells(grid), 0);
}

Test(raycast, reports_the_tile_limit) {
  grid_config_t config = {.resolution_m = 0.05, .tile_limit = 1, .min_hits = 1};
  grid_t *small = grid_new(&config);

  gantry_err_t err = raycast_carve(small, 0.025, 0.025, 6.0, 0.025);
  grid_destroy(&small);

  cr_assert_eq(err, GANTRY_E_TOO_LARGE);
}

Test(raycast, inserts_a_scan_from_where_the_sensor_is) {
  points_t points = {.count = 1, .origin_x_m = 0.5f, .x_m = {2.0f}, .y_m = {0.0f}};
  pose2_t pose = {.x = 1.025, .y = 1.025, .theta = M_PI / 2};

  gantry_err_t err = raycast_insert(grid, pose, &points);

  cr_assert_eq(err, GANTRY_OK);
  cr_assert_eq(grid_state(grid, 20, 60), GRID_OCCUPIED);
  cr_assert_eq(grid_state(grid, 20, 31), GRID_FREE);
  cr_assert_eq(grid_state(grid, 20, 25), GRID_UNKNOWN);
}

Test(raycast, passes_an_insertion_error_on) {
  points_t points = {.count = 1, .x_m = {NAN}, .y_m = {0.0f}};

  cr_assert_eq(raycast_insert(grid, (pose2_t){0}, &points), GANTRY_E_INVALID);
}

Test(raycast, measures_to_the_first_occupied_cell) {
  grid_hit(grid, 40, 0);
  grid_hit(grid, 50, 0);
  double range_m = 0.0;

  bool found = raycast_range(grid, (pose2_t){.x = 0.025, .y = 0.025}, 4.0, &range_m);

  cr_assert(found);
  cr_assert_float_eq(range_m, 2.0, 1e-9);
}

Test(raycast, finds_nothing_beyond_its_reach) {
  grid_hit(grid, 40, 0);
  double range_m = 0.0;

  cr_assert_not(raycast_range(grid, (pose2_t){.x = 0.025, .y = 0.025}, 1.9, &range_m));
  cr_assert_not(raycast_range(grid, (pose2_t){.y = 1.0}, 4.0, &range_m));
  cr_assert_not(raycast_range(grid, (pose2_t){.x = NAN}, 4.0, &range_m));
}
