/* Corridors: what a scan cannot see, and what the match then leaves to the guess. */
#include <math.h>

#include <criterion/criterion.h>

#include <gantry/slam/distance_field.h>
#include <gantry/slam/match.h>
#include <gantry/slam/raycast.h>

#include "corridor.h"

static points_t points;

/* 180 beams between walls 1.02 m to either side, turned by turn_rad; end_m: a wall across, or 0. */
static void look(double turn_rad, double end_m) {
  float angle[180], range[180];
  for (int i = 0; i < 180; i++) {
    double along = (i - 89.5) * M_PI / 180.0;
    double side_m = 1.02 / fmax(fabs(sin(along)), 1e-6);
    double across_m = end_m > 0.0 ? end_m / cos(along) : INFINITY;
    angle[i] = (float)(along + turn_rad);
    range[i] = (float)fmin(side_m, across_m);
  }
  points_gate_t gate = {.min_m = 0.05, .max_m = 30.0};
  points_from_scan(&points, angle, range, 180, (pose2_t){0}, &gate);
}

Test(corridor, is_seen_along_its_walls) {
  double along_rad;
  look(0.4, 0.0);
  cr_assert(corridor_seen(&points, &along_rad));
  cr_assert_float_eq(along_rad, 0.4, 0.01);
}

Test(corridor, is_none_where_its_end_is_near) {
  double along_rad;
  look(0.4, 2.0);
  cr_assert_not(corridor_seen(&points, &along_rad));
}

Test(corridor, is_none_in_a_scan_of_few_points) {
  double along_rad;
  look(0.0, 0.0);
  points.count = 12;
  cr_assert_not(corridor_seen(&points, &along_rad));
}

/* The map holds one scan, whose far points stand metres apart: the same beams end at the same
   places of the scan half a cell on, and would hold the robot back. */
Test(corridor, leaves_the_way_along_to_the_guess) {
  grid_config_t grid_config = grid_config_default();
  grid_t *grid = grid_new(&grid_config);
  distance_field_t *field = distance_field_new(0.05, 0.5, 1000);
  match_config_t config = match_config_default();
  match_result_t match;
  look(0.0, 0.0);
  cr_assert_eq(raycast_insert(grid, (pose2_t){0}, &points), GANTRY_OK);
  cr_assert_eq(distance_field_update(field, grid), GANTRY_OK);

  cr_assert_eq(match_scan(field, &points, (pose2_t){0.1, 0.05, 0.01}, &config, &match), GANTRY_OK);

  cr_assert_gt(match.pose.x, 0.03, "held back to %.3f", match.pose.x);
  cr_assert_float_eq(match.pose.y, 0.0, 0.02);
  double covariance[9];
  match_covariance(&match, covariance);
  cr_assert_gt(covariance[0], 0.25);
  cr_assert_lt(covariance[4], 0.01);
  grid_destroy(&grid);
  distance_field_destroy(&field);
}
