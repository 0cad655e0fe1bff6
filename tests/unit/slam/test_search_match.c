/* Search and refinement together, in rooms. */
#include <math.h>

#include <criterion/criterion.h>

#include <gantry/slam/raycast.h>
#include <gantry/slam/search_match.h>

#include "world.h"

static grid_t *grid;
static distance_field_t *field;
static search_map_t *map;
static match_config_t config;
static points_t points;

static const search_window_t ANYWHERE = {
    .centre = {1, 1, 0}, .reach_x_m = 6, .reach_y_m = 5, .reach_rad = 4};

static void setup(void) {
  grid_config_t grid_config = grid_config_default();
  config = match_config_default();
  grid = grid_new(&grid_config);
  field = distance_field_new(0.05, 0.5, 256);
}

static void teardown(void) {
  search_map_destroy(&map);
  distance_field_destroy(&field);
  grid_destroy(&grid);
}

TestSuite(search_match, .init = setup, .fini = teardown);

static void finish_map(void) {
  grid_box_t box;
  grid_bounds(grid, &box);
  map = search_map_new(grid, box);
  distance_field_update(field, grid);
}

static void draw_world(void) {
  for (int i = 0; i < 5; i++) {
    pose2_t pose = {.x = -1.5 + i, .y = 0.3 * i - 0.5, .theta = 0.1 * i};
    world_scan(pose, 720, &points);
    raycast_insert(grid, pose, &points);
  }
  finish_map();
}

Test(search_match, places_a_lost_robot_to_a_centimetre) {
  draw_world();
  for (int round = 0; round < 12; round++) {
    pose2_t truth = {0.2 * round - 0.6, 0.1 * round, 0.52 * round - M_PI};
    world_scan(truth, 360, &points);
    search_match_t result;

    cr_assert_eq(search_and_match(map, field, &points, &ANYWHERE, 0.5, &config, &result),
                 GANTRY_OK);

    cr_assert_lt(pose2_distance(result.best.pose, truth), 0.01, "round %d", round);
    cr_assert_lt(fabs(wrap_rad(result.best.pose.theta - truth.theta)), 0.004, "round %d", round);
    cr_assert_gt(result.best.inlier_fraction, 0.95);
    cr_assert_not(result.has_runner_up);
  }
}

/* A room of 6 x 4 m that is the same turned by half a circle, but for a niche of two cells. */
static void draw_nearly_symmetric(void) {
  for (int32_t x = -60; x <= 60; x++) {
    grid_hit(grid, x, -40);
    grid_hit(grid, x, 40);
  }
  for (int32_t y = -40; y <= 40; y++) {
    grid_hit(grid, -60, y);
    grid_hit(grid, y >= 20 && y < 26 ? 62 : 60, y);
  }
  finish_map();
}

Test(search_match, lets_the_fine_fit_choose_between_twins) {
  draw_nearly_symmetric();
  points.count = 0;
  for (int i = 0; i <= 40; i++) {
    float y = -1.975f + 0.1f * (float)i;
    points.x_m[points.count] = y > 1.0f && y < 1.3f ? 3.125f : 3.025f;
    points.y_m[points.count++] = y;
    points.x_m[points.count] = -2.975f;
    points.y_m[points.count++] = y;
  }
  search_match_t result;

  cr_assert_eq(search_and_match(map, field, &points, &ANYWHERE, 0.5, &config, &result), GANTRY_OK);

  cr_assert_lt(fabs(result.best.pose.theta), 0.01);
  cr_assert_lt(hypot(result.best.pose.x, result.best.pose.y), 0.02);
  cr_assert(result.has_runner_up);
  cr_assert_gt(result.runner_up.mean_residual_m, result.best.mean_residual_m);
  cr_assert_gt(result.runner_up.inlier_fraction, 0.95);
  cr_assert_geq(result.places, 2);
}

Test(search_match, says_that_it_found_nothing) {
  draw_world();
  for (uint32_t i = 0; i < 100; i++) {
    points.x_m[i] = 0.3f * (float)cos(i * 0.0628);
    points.y_m[i] = 0.3f * (float)sin(i * 0.0628);
  }
  points.count = 100;
  search_match_t result;

  cr_assert_eq(search_and_match(map, field, &points, &ANYWHERE, 0.8, &config, &result),
               GANTRY_E_NOT_FOUND);

  cr_assert_eq(result.places, 0);
}
