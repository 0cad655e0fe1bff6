/* Play: how far a scan may be shifted along what it sees least. */
#include <math.h>

#include <criterion/criterion.h>

#include <gantry/slam/distance_field.h>
#include <gantry/slam/match.h>
#include <gantry/slam/raycast.h>

#include "play.h"

static const double TURN_RAD = 0.4; /* of the corridor in the map */

static points_t points;
static distance_field_t *field;

static void add(double x, double y) {
  cr_assert_lt(points.count, POINTS_CAPACITY);
  points.x_m[points.count] = (float)x;
  points.y_m[points.count++] = (float)y;
}

/* What is seen from x_m of a corridor 2 m wide and 12 m long around the origin, reach_m to either
   side, a wall after the other as a turning beam would: posts stand 0.3 m into it every post_m (0:
   none), and it ends when it has an end. */
static void look(double x_m, double reach_m, double post_m, bool ends) {
  points = (points_t){0};
  for (int side = -1; side <= 1; side += 2)
    for (int i = -120; i <= 120; i++) {
      double x = 0.05 * i - x_m;
      if (fabs(x) > reach_m) continue;
      add(x, side);
      bool post = post_m > 0.0 && fabs(remainder(0.05 * i, post_m)) < 0.01;
      bool end = ends && i == 120;
      for (double y = end ? 0.0 : 0.7; (post || end) && y <= 1.0; y += 0.03)
        add(x, side * y);
    }
}

static void draw(double post_m, bool ends) {
  grid_config_t config = grid_config_default();
  grid_t *grid = grid_new(&config);
  for (double x_m = -5.75; x_m < 6.0; x_m += 0.5) {
    pose2_t pose = {x_m * cos(TURN_RAD), x_m * sin(TURN_RAD), TURN_RAD};
    look(x_m, 1.0, post_m, ends);
    cr_assert_eq(raycast_insert(grid, pose, &points), GANTRY_OK);
  }
  field = distance_field_new(0.05, 0.5, 1000);
  cr_assert_eq(distance_field_update(field, grid), GANTRY_OK);
  grid_destroy(&grid);
}

static play_t play_at(double x_m, double reach_m) {
  match_config_t config = match_config_default();
  match_result_t match;
  pose2_t pose = {x_m * cos(TURN_RAD), x_m * sin(TURN_RAD), TURN_RAD};
  cr_assert_eq(match_score(field, &points, pose, &config, &match), GANTRY_OK);
  play_t play = play_of(field, &points, &match, reach_m);
  distance_field_destroy(&field);
  return play;
}

Test(play, reaches_as_far_as_it_is_looked_for_between_bare_walls) {
  draw(0.0, false);
  look(0.0, 3.0, 0.0, false);
  play_t play = play_at(0.0, 2.0);
  cr_assert_float_eq(play.far_m, 2.0, 0.05, "%.2f", play.far_m);
  cr_assert_float_eq(fabs(play.axis_x * cos(TURN_RAD) + play.axis_y * sin(TURN_RAD)), 1.0, 0.002);
}

Test(play, is_none_where_a_wall_ends_the_corridor) {
  draw(0.0, true);
  look(4.0, 3.0, 0.0, true);
  play_t play = play_at(4.0, 1.5);
  cr_assert_leq(play.far_m, 0.15, "%.2f", play.far_m);
}

Test(play, is_seen_at_the_next_post_where_posts_repeat) {
  draw(1.0, false);
  look(0.0, 3.0, 1.0, false);
  play_t play = play_at(0.0, 1.5);
  cr_assert_float_eq(play.far_m, 1.0, 0.15, "%.2f", play.far_m);
}

/* A row of short walls on either side, one in two metres: between two fits no point meets any of
   them, and no direction is better than another. */
static void look_at_dashes(double x_m) {
  points = (points_t){0};
  for (int side = -1; side <= 1; side += 2)
    for (int dash = -6; dash <= 6; dash += 2)
      for (int i = -5; i <= 5; i++)
        if (fabs(dash - x_m) < 5.0) add(dash + 0.03 * i - x_m, side);
}

Test(play, is_seen_beyond_a_stretch_where_nothing_fits) {
  grid_config_t config = grid_config_default();
  grid_t *grid = grid_new(&config);
  for (int i = -4; i <= 4; i++) {
    pose2_t pose = {i * cos(TURN_RAD), i * sin(TURN_RAD), TURN_RAD};
    look_at_dashes(i);
    cr_assert_eq(raycast_insert(grid, pose, &points), GANTRY_OK);
  }
  field = distance_field_new(0.05, 0.5, 1000);
  cr_assert_eq(distance_field_update(field, grid), GANTRY_OK);
  grid_destroy(&grid);
  look_at_dashes(0.0);
  play_t play = play_at(0.0, 2.5);
  cr_assert_float_eq(play.far_m, 2.0, 0.15, "%.2f", play.far_m);
}

Test(play, widens_a_covariance_along_its_axis_alone) {
  double covariance[9] = {[0] = 0.01, [4] = 0.01, [8] = 0.001};
  play_t play = {.far_m = 2.0, .axis_x = 0.6, .axis_y = 0.8};
  play_add(&play, covariance);
  double along = 0.36 * covariance[0] + 0.96 * covariance[1] + 0.64 * covariance[4];
  double across = 0.64 * covariance[0] - 0.96 * covariance[1] + 0.36 * covariance[4];
  cr_assert_float_eq(along, 4.01, 1e-9);
  cr_assert_float_eq(across, 0.01, 1e-9);
  cr_assert_eq(covariance[1], covariance[3]);
  cr_assert_eq(covariance[8], 0.001);
}
