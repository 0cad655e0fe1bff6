/* The matcher in a world whose ranges are exact. */
#include <math.h>

#include <criterion/criterion.h>

#include <gantry/slam/distance_field.h>
#include <gantry/slam/match.h>
#include <gantry/slam/raycast.h>

#include "world.h"

static grid_t *grid;
static distance_field_t *field;
static match_config_t config;
static points_t points;

static void setup(void) {
  grid_config_t grid_config = grid_config_default();
  config = match_config_default();
  grid = grid_new(&grid_config);
  field = distance_field_new(0.05, 0.5, 256);
  for (int i = 0; i < 5; i++) {
    pose2_t pose = {.x = -1.5 + i, .y = 0.3 * i - 0.5, .theta = 0.1 * i};
    world_scan(pose, 720, &points);
    raycast_insert(grid, pose, &points);
  }
  distance_field_update(field, grid);
}

static void teardown(void) {
  grid_destroy(&grid);
  distance_field_destroy(&field);
}

TestSuite(match, .init = setup, .fini = teardown);

static void assert_pose(pose2_t found, pose2_t truth, double tolerance_m, double tolerance_rad) {
  cr_assert_lt(pose2_distance(found, truth), tolerance_m, "%.4f m off",
               pose2_distance(found, truth));
  cr_assert_lt(fabs(wrap_rad(found.theta - truth.theta)), tolerance_rad, "%.5f rad off",
               fabs(wrap_rad(found.theta - truth.theta)));
}

Test(match, recovers_the_pose_to_a_centimetre) {
  const pose2_t offsets[] = {{0.1, 0.0, 0.0}, {-0.08, 0.1, 0.05}, {0.0, -0.12, -0.08},
                             {0.1, 0.1, 0.1}, {0.0, 0.0, 0.12},   {-0.15, 0.0, 0.0}};
  pose2_t truth = {.x = 0.4, .y = 0.2, .theta = 0.3};
  world_scan(truth, 360, &points);

  for (unsigned i = 0; i < sizeof offsets / sizeof *offsets; i++) {
    match_result_t result;
    pose2_t guess = pose2_compose(truth, offsets[i]);

    cr_assert_eq(match_scan(field, &points, guess, &config, &result), GANTRY_OK);

    assert_pose(result.pose, truth, 0.01, 0.004);
    cr_assert_gt(result.inlier_fraction, 0.95);
    cr_assert_lt(result.mean_residual_m, 0.03);
    cr_assert(result.converged);
    cr_assert_not(result.rescued);
  }
}

Test(match, turns_across_pi) {
  pose2_t truth = {.x = 0.4, .y = 0.2, .theta = M_PI - 0.01};
  pose2_t guess = {.x = 0.45, .y = 0.15, .theta = -M_PI + 0.05};
  world_scan(truth, 360, &points);
  match_result_t result;

  match_scan(field, &points, guess, &config, &result);

  assert_pose(result.pose, truth, 0.01, 0.004);
}

Test(match, is_rescued_from_a_far_guess) {
  pose2_t truth = {.x = 0.4, .y = 0.2, .theta = 0.3};
  pose2_t guess = {.x = 0.05, .y = -0.15, .theta = -0.7};
  world_scan(truth, 360, &points);
  match_result_t result;
  config.rescue_reach_rad = 1.2;

  match_scan(field, &points, guess, &config, &result);

  assert_pose(result.pose, truth, 0.01, 0.004);
  cr_assert(result.rescued);
}

Test(match, does_not_search_when_rescue_is_off) {
  pose2_t truth = {.x = 0.4, .y = 0.2, .theta = 0.3};
  pose2_t guess = {.x = 0.05, .y = -0.15, .theta = -0.7};
  world_scan(truth, 360, &points);
  match_result_t result;
  config.rescue_reach_rad = 1.2;
  config.rescue_residual_m = 0.0;

  match_scan(field, &points, guess, &config, &result);

  cr_assert_not(result.rescued);
  cr_assert_gt(pose2_distance(result.pose, truth), 0.1);
}

Test(match, does_not_search_without_a_step) {
  world_scan((pose2_t){.x = 0.4, .y = 0.2, .theta = 0.3}, 360, &points);
  match_result_t result;
  config.rescue_step_rad = 0.0;

  match_scan(field, &points, (pose2_t){.x = 0.05, .y = -0.15, .theta = -0.7}, &config, &result);

  cr_assert_not(result.rescued);
}

Test(match, tells_a_scan_of_another_place_from_a_fit) {
  for (uint32_t i = 0; i < 100; i++) {
    points.x_m[i] = 0.3f * (float)cos(i * 0.0628);
    points.y_m[i] = 0.3f * (float)sin(i * 0.0628);
  }
  points.count = 100;
  match_result_t result;

  cr_assert_eq(match_scan(field, &points, (pose2_t){-1.0, 0.2, 0}, &config, &result), GANTRY_OK);

  cr_assert_lt(result.inlier_fraction, 0.5);
}

Test(match, stays_put_where_nothing_is_near) {
  pose2_t guess = {.x = 500.0, .y = 500.0, .theta = 1.0};
  world_scan((pose2_t){0}, 90, &points);
  match_result_t result;

  match_scan(field, &points, guess, &config, &result);

  assert_pose(result.pose, guess, 1e-9, 1e-9);
  cr_assert_float_eq(result.inlier_fraction, 0.0, 0);
  cr_assert_float_eq(result.mean_residual_m, 0.5, 1e-4);
}

Test(match, refuses_too_few_points) {
  points.count = MATCH_POINTS_MIN - 1;
  match_result_t result;

  cr_assert_eq(match_scan(field, &points, (pose2_t){0}, &config, &result), GANTRY_E_UNAVAILABLE);
}

Test(match, refuses_a_guess_that_is_no_pose) {
  world_scan((pose2_t){0}, 90, &points);
  match_result_t result;

  cr_assert_eq(match_scan(field, &points, (pose2_t){NAN, 0, 0}, &config, &result),
               GANTRY_E_INVALID);
  cr_assert_eq(match_scan(field, &points, (pose2_t){0, 0, INFINITY}, &config, &result),
               GANTRY_E_INVALID);
  cr_assert_eq(match_score(field, &points, (pose2_t){1e20, 0, 0}, &config, &result),
               GANTRY_E_INVALID);
}

Test(match, scores_without_moving) {
  pose2_t truth = {.x = 0.4, .y = 0.2, .theta = 0.3};
  pose2_t off = {.x = 0.6, .y = 0.2, .theta = 0.3};
  world_scan(truth, 360, &points);
  match_result_t at_truth, at_off;

  match_score(field, &points, truth, &config, &at_truth);
  match_score(field, &points, off, &config, &at_off);

  assert_pose(at_off.pose, off, 1e-12, 1e-12);
  cr_assert_lt(at_truth.mean_residual_m, at_off.mean_residual_m);
}

Test(match, is_sure_of_its_pose_in_a_room) {
  pose2_t truth = {.x = 0.4, .y = 0.2, .theta = 0.3};
  world_scan(truth, 360, &points);
  match_result_t result;
  double covariance[9];

  match_scan(field, &points, truth, &config, &result);
  match_covariance(&result, covariance);

  cr_assert_geq(covariance[0], 1e-4);
  cr_assert_lt(covariance[0], 4e-4);
  cr_assert_lt(covariance[4], 4e-4);
  cr_assert_lt(covariance[8], 1e-4);
  cr_assert_float_eq(covariance[1], covariance[3], 1e-12);
}

Test(match, is_unsure_along_a_corridor) {
  grid_clear(grid);
  for (int32_t cx = -200; cx < 200; cx++) {
    grid_hit(grid, cx, -20);
    grid_hit(grid, cx, 20);
  }
  distance_field_update(field, grid);
  points.count = 0;
  for (int i = 0; i < 100; i++) {
    points.x_m[points.count] = -2.5f + 0.05f * (float)i;
    points.y_m[points.count++] = i % 2 ? 1.025f : -0.975f;
  }
  match_result_t result;
  double covariance[9];

  match_scan(field, &points, (pose2_t){.x = 0.3, .y = 0.05}, &config, &result);
  match_covariance(&result, covariance);

  cr_assert_float_eq(result.pose.y, 0.0, 0.01);
  cr_assert_float_eq(result.pose.x, 0.3, 0.02);
  cr_assert_gt(covariance[0], 0.1);
  cr_assert_lt(covariance[4], 0.001);
}
