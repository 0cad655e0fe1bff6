/* The search against brute force over the same lattice of poses, and in rooms. */
#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include <gantry/slam/distance_field.h>
#include <gantry/slam/match.h>
#include <gantry/slam/raycast.h>
#include <gantry/slam/search.h>

#include "search_run.h"
#include "world.h"

static grid_t *grid;
static search_map_t *map;
static points_t points;
static uint32_t seed;

static void setup(void) {
  grid_config_t config = grid_config_default();
  grid = grid_new(&config);
  seed = 1;
}

static void teardown(void) {
  search_map_destroy(&map);
  grid_destroy(&grid);
}

TestSuite(search, .init = setup, .fini = teardown);

/* Uniform in [low, high); Numerical Recipes' linear congruence. */
static double draw(double low, double high) {
  seed = seed * 1664525u + 1013904223u;
  return low + (high - low) * (seed >> 8) / 16777216.0;
}

static search_map_t *map_of_all(void) {
  grid_box_t box;
  cr_assert(grid_bounds(grid, &box));
  return search_map_new(grid, box);
}

static void draw_map(uint32_t walls) {
  grid_clear(grid);
  for (uint32_t i = 0; i < walls; i++) {
    double x = draw(-4, 4), y = draw(-4, 4), theta = draw(-M_PI, M_PI), length = draw(0.2, 3);
    for (uint32_t k = 0; k * 0.03 < length; k++) {
      grid_index_t cell = grid_cell_at(grid, x + 0.03 * k * cos(theta), y + 0.03 * k * sin(theta));
      grid_hit(grid, cell.x, cell.y);
    }
  }
}

static void draw_points(uint32_t count, double reach_m) {
  points.count = count;
  for (uint32_t i = 0; i < count; i++) {
    points.x_m[i] = (float)draw(-reach_m, reach_m);
    points.y_m[i] = (float)draw(-reach_m, reach_m);
  }
}

static search_window_t draw_window(void) {
  return (search_window_t){.centre = {draw(-5, 5), draw(-5, 5), draw(-M_PI, M_PI)},
                           .reach_x_m = draw(0, 3),
                           .reach_y_m = draw(0, 3),
                           .reach_rad = draw(0, 1) < 0.3 ? 4.0 : draw(0, 1)};
}

/* Sum of nearness at one pose of the lattice, straight from its definition. */
static uint32_t sum_at(const search_run_t *run, uint32_t heading, int32_t x, int32_t y) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < run->point_count; i++) {
    search_cell_t cell = run->cells[heading * run->point_count + i];
    cell.x += x;
    cell.y += y;
    if (cell.x < 0 || cell.y < 0 || cell.x >= map->width || cell.y >= map->height) continue;
    sum += map->near[cell.y * map->width + cell.x];
  }
  return sum;
}

static bool is_elsewhere(pose2_t a, pose2_t b, double distance_m, double turn_rad) {
  return pose2_distance(a, b) >= distance_m || fabs(wrap_rad(a.theta - b.theta)) >= turn_rad;
}

/* Best score of all poses that lie distance_m or turn_rad from `from`; of all when it is NULL. */
static double brute_force(const search_window_t *window, const pose2_t *from, double distance_m,
                          double turn_rad) {
  search_run_t run;
  uint32_t best = 0;
  if (search_run_init(&run, map, &points, window) == GANTRY_OK)
    for (uint32_t k = 0; k < run.headings; k++)
      for (int32_t y = 0; y < run.shifts_y; y++)
        for (int32_t x = 0; x < run.shifts_x; x++) {
          search_leaf_t leaf = {.heading = k, .x = x, .y = y};
          if (from && !is_elsewhere(search_run_pose(&run, &leaf), *from, distance_m, turn_rad))
            continue;
          uint32_t sum = sum_at(&run, k, x, y);
          if (sum > best) best = sum;
        }
  double score = (double)best / (SEARCH_NEAR_MAX * fmax(run.point_count, 1));
  search_run_fini(&run);
  return score;
}

Test(search, finds_what_brute_force_finds) {
  for (int round = 0; round < 25; round++) {
    draw_map(1 + (uint32_t)draw(0, 12));
    search_map_destroy(&map);
    map = map_of_all();
    draw_points(10 + (uint32_t)draw(0, 40), draw(0.5, 6));
    search_window_t window = draw_window();
    search_result_t result;

    gantry_err_t err = search_best(map, &points, &window, 0.0, &result);

    double best = brute_force(&window, NULL, 0, 0);
    cr_assert_eq(err, best > 0.0 ? GANTRY_OK : GANTRY_E_NOT_FOUND, "round %d", round);
    cr_assert_float_eq(result.score, best, 1e-9, "round %d: %.4f, there is %.4f", round,
                       result.score, best);
  }
}

Test(search, never_understates_the_second_place) {
  for (int round = 0; round < 12; round++) {
    draw_map(6);
    search_map_destroy(&map);
    map = map_of_all();
    draw_points(20, 3);
    search_window_t window = draw_window();
    window.reach_x_m = window.reach_y_m = 2;
    search_result_t result;
    if (search_best(map, &points, &window, 0.1, &result) != GANTRY_OK) continue;

    /* Of a box of shifts only the best pose is known, hence the slack between near and far. */
    double near = brute_force(&window, &result.pose, 0.99, 0.348);
    double far = brute_force(&window, &result.pose, 1.6, 0.45);

    cr_assert_geq(result.second_score, far - 1e-9, "round %d", round);
    cr_assert_leq(result.second_score, fmax(fmax(near, SEARCH_RIVAL * result.score), 0.1) + 1e-9);
  }
}

Test(search, stays_inside_its_window) {
  draw_map(12);
  map = map_of_all();
  draw_points(30, 3);
  for (int round = 0; round < 50; round++) {
    search_window_t window = draw_window();
    search_result_t result;
    if (search_best(map, &points, &window, 0.0, &result) != GANTRY_OK) continue;

    cr_assert_leq(fabs(result.pose.x - window.centre.x), window.reach_x_m + 1e-6);
    cr_assert_leq(fabs(result.pose.y - window.centre.y), window.reach_y_m + 1e-6);
    cr_assert_leq(fabs(wrap_rad(result.pose.theta - window.centre.theta)), window.reach_rad + 1e-6);
  }
}

static void draw_room(void) {
  for (int i = 0; i < 5; i++) {
    pose2_t pose = {.x = -1.5 + i, .y = 0.3 * i - 0.5, .theta = 0.1 * i};
    world_scan(pose, 720, &points);
    raycast_insert(grid, pose, &points);
  }
  map = map_of_all();
}

static const search_window_t ANYWHERE = {
    .centre = {1, 1, 0}, .reach_x_m = 6, .reach_y_m = 5, .reach_rad = 4};

Test(search, finds_a_robot_that_does_not_know_where_it_is) {
  draw_room();
  for (int round = 0; round < 20; round++) {
    pose2_t truth = {draw(-0.5, 2), draw(0, 1.5), draw(-M_PI, M_PI)};
    world_scan(truth, round % 2 ? 2000 : 120, &points);
    search_result_t result;

    cr_assert_eq(search_best(map, &points, &ANYWHERE, 0.5, &result), GANTRY_OK);

    cr_assert_lt(pose2_distance(result.pose, truth), 0.1, "round %d", round);
    cr_assert_lt(fabs(wrap_rad(result.pose.theta - truth.theta)), 0.03, "round %d", round);
    cr_assert_gt(result.score, 0.7);
    cr_assert_gt(result.visited, 0);
  }
}

Test(search, gives_the_same_answer_twice) {
  draw_room();
  world_scan((pose2_t){0.4, 0.2, 2.0}, 360, &points);
  search_result_t first, again;

  search_best(map, &points, &ANYWHERE, 0.3, &first);
  search_best(map, &points, &ANYWHERE, 0.3, &again);

  cr_assert_float_eq(first.pose.x, again.pose.x, 0);
  cr_assert_float_eq(first.pose.y, again.pose.y, 0);
  cr_assert_float_eq(first.pose.theta, again.pose.theta, 0);
  cr_assert_float_eq(first.second_score, again.second_score, 0);
  cr_assert_eq(first.visited, again.visited);
}

/* An empty room of 6 x 4 m: it looks the same when turned by half a circle. */
static void draw_rectangle(void) {
  for (int32_t x = -60; x <= 60; x++) {
    grid_hit(grid, x, -40);
    grid_hit(grid, x, 40);
  }
  for (int32_t y = -40; y <= 40; y++) {
    grid_hit(grid, -60, y);
    grid_hit(grid, 60, y);
  }
  map = map_of_all();
  points.count = 0;
  for (int i = 0; i <= 40; i++) {
    float y = -2.0f + 0.1f * (float)i;
    points.x_m[points.count] = 2.0f;
    points.y_m[points.count++] = y;
    points.x_m[points.count] = -4.0f;
    points.y_m[points.count++] = y;
  }
}

Test(search, sees_that_a_symmetric_room_has_two_answers) {
  draw_rectangle();
  search_result_t result;

  cr_assert_eq(search_best(map, &points, &ANYWHERE, 0.5, &result), GANTRY_OK);

  cr_assert_gt(result.score, 0.95);
  cr_assert_gt(result.second_score, 0.95 * result.score);
}

Test(search, lists_both_places_of_a_symmetric_room) {
  draw_rectangle();
  search_place_t places[4];
  size_t count;

  search_places(map, &points, &ANYWHERE, 0.5, 0.95, places, 4, &count, NULL);

  cr_assert_eq(count, 2);
  cr_assert_float_eq(fabs(places[0].pose.x), 1.0, 0.11);
  cr_assert_float_eq(fabs(wrap_rad(places[0].pose.theta - places[1].pose.theta)), M_PI, 0.03);
}

Test(search, takes_one_point_repeated) {
  draw_room();
  points.count = 50;
  for (uint32_t i = 0; i < points.count; i++)
    points.x_m[i] = points.y_m[i] = 1.0f;
  search_result_t result;

  cr_assert_eq(search_best(map, &points, &ANYWHERE, 0.5, &result), GANTRY_OK);

  cr_assert_float_eq(result.score, 1.0, 1e-9);
  cr_assert_float_eq(result.second_score, 1.0, 1e-9);
}

Test(search, has_no_map_without_obstacles) {
  grid_visit(grid, 0, 0);
  grid_hit(grid, 100, 100);

  cr_assert_null(search_map_new(grid, (grid_box_t){0, 0, 64, 64}));
  cr_assert_null(search_map_new(grid, (grid_box_t){0}));
  map = search_map_new(grid, (grid_box_t){0, 0, 101, 101});
  cr_assert_not_null(map);
  cr_assert_lt(search_map_bytes(map), 4000);
}

Test(search, knows_when_there_is_nothing) {
  draw_room();
  world_scan((pose2_t){0.4, 0.2, 0.3}, 360, &points);
  search_window_t far = {.centre = {500, 0, 0}, .reach_x_m = 5, .reach_y_m = 5, .reach_rad = 4};
  search_window_t corner = {.centre = {4.5, 4, 0}, .reach_x_m = 0.2, .reach_y_m = 0.2};
  search_result_t result;

  cr_assert_eq(search_best(map, &points, &far, 0.0, &result), GANTRY_E_NOT_FOUND);
  cr_assert_eq(search_best(map, &points, &corner, 0.6, &result), GANTRY_E_NOT_FOUND);
  cr_assert_float_eq(result.score, 0.0, 0);
}

Test(search, refuses_what_is_no_window_and_no_scan) {
  draw_room();
  search_window_t window = ANYWHERE;
  search_result_t result;

  window.centre.x = NAN;
  cr_assert_eq(search_best(map, &points, &window, 0.5, &result), GANTRY_E_INVALID);
  window = ANYWHERE;
  window.reach_y_m = INFINITY;
  cr_assert_eq(search_best(map, &points, &window, 0.5, &result), GANTRY_E_INVALID);
  window.reach_y_m = -1;
  cr_assert_eq(search_best(map, &points, &window, 0.5, &result), GANTRY_E_INVALID);
  points.count = MATCH_POINTS_MIN - 1;
  cr_assert_eq(search_best(map, &points, &ANYWHERE, 0.5, &result), GANTRY_E_UNAVAILABLE);
}
