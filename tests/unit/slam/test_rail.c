/* The rail: lengths, nearest places, directions through corners. */
#include <math.h>

#include <criterion/criterion.h>

#include <gantry/slam/rail.h>

static rail_t rail;

static const double SQUARE_X[] = {0, 10, 10, 0}, SQUARE_Y[] = {0, 0, 6, 6};

static void square(bool closed) {
  cr_assert_eq(rail_init(&rail, SQUARE_X, SQUARE_Y, 4, closed), GANTRY_OK);
}

Test(rail, knows_its_length_open_and_closed) {
  square(false);
  double open_m = rail_length_m(&rail);

  square(true);

  cr_assert_float_eq(open_m, 26, 1e-12);
  cr_assert_float_eq(rail_length_m(&rail), 32, 1e-12);
}

Test(rail, refuses_what_is_no_line) {
  static double many[RAIL_POINTS_MAX + 1];
  const double same[] = {1, 1, 1}, nan_x[] = {0, NAN}, zero[] = {0, 0};
  const double there_x[] = {0, 1, 0}, there_y[] = {0, 0, 0};

  cr_assert_eq(rail_init(&rail, SQUARE_X, SQUARE_Y, 1, false), GANTRY_E_INVALID);
  cr_assert_eq(rail_init(&rail, SQUARE_X, SQUARE_Y, 2, true), GANTRY_E_INVALID);
  cr_assert_eq(rail_init(&rail, same, same, 3, false), GANTRY_E_INVALID);
  cr_assert_eq(rail_init(&rail, nan_x, zero, 2, false), GANTRY_E_INVALID);
  cr_assert_eq(rail_init(&rail, many, many, RAIL_POINTS_MAX + 1, false), GANTRY_E_INVALID);
  cr_assert_eq(rail_init(&rail, there_x, there_y, 3, true), GANTRY_E_INVALID,
               "two different points enclose nothing");
}

Test(rail, takes_points_that_repeat) {
  const double x[] = {0, 0, 4, 4, 4, 0, 0}, y[] = {0, 0, 0, 3, 3, 3, 0};

  cr_assert_eq(rail_init(&rail, x, y, 7, true), GANTRY_OK);

  cr_assert_eq(rail.count, 4);
  cr_assert_float_eq(rail_length_m(&rail), 14, 1e-12);
}

Test(rail, finds_the_nearest_place_and_the_side) {
  square(true);

  rail_place_t left = rail_project(&rail, 4, 0.5, NAN), right = rail_project(&rail, 4, -0.5, NAN);
  rail_place_t last = rail_project(&rail, 0.25, 3, NAN);

  cr_assert_float_eq(left.s_m, 4, 1e-12);
  cr_assert_float_eq(left.across_m, 0.5, 1e-12);
  cr_assert_float_eq(left.theta_rad, 0, 1e-12);
  cr_assert_float_eq(right.across_m, -0.5, 1e-12);
  cr_assert_float_eq(last.s_m, 29, 1e-12);
  cr_assert_float_eq(last.theta_rad, -M_PI_2, 1e-12);
  cr_assert_float_eq(last.across_m, 0.25, 1e-12);
}

Test(rail, goes_round_when_closed_and_ends_when_open) {
  square(true);
  cr_assert_float_eq(rail_at(&rail, 33).pose.x, 1, 1e-12);
  cr_assert_float_eq(rail_at(&rail, -1).pose.y, 1, 1e-12);
  cr_assert_float_eq(rail_at(&rail, -1).s_m, 31, 1e-12);

  square(false);
  cr_assert_float_eq(rail_at(&rail, -5).s_m, 0, 1e-12);
  cr_assert_float_eq(rail_at(&rail, 99).s_m, 26, 1e-12);
  cr_assert_float_eq(rail_at(&rail, 99).pose.x, 0, 1e-12);
  cr_assert_float_eq(fabs(rail_at(&rail, 99).theta_rad), M_PI, 1e-12);
}

Test(rail, projects_what_it_places) {
  square(true);

  for (double s = 0.013; s < 32; s += 0.171) {
    rail_place_t at = rail_at(&rail, s);
    rail_place_t back = rail_project(&rail, at.pose.x, at.pose.y, NAN);
    cr_assert_float_eq(back.s_m, s, 1e-9);
    cr_assert_float_eq(back.across_m, 0, 1e-9);
    cr_assert_float_eq(back.theta_rad, at.theta_rad, 1e-9);
  }
}

Test(rail, turns_through_a_corner_without_a_step) {
  square(true);
  double before = rail_at(&rail, -0.001).theta_rad, worst = 0;

  for (double s = 0; s < 32; s += 0.001) {
    double theta = rail_at(&rail, s).theta_rad;
    worst = fmax(worst, fabs(wrap_rad(theta - before)));
    before = theta;
  }

  cr_assert_lt(worst, 0.01);
  cr_assert_float_eq(rail_at(&rail, 10).theta_rad, M_PI_4, 1e-9);
}

/* A quarter of a circle of 2 m drawn in eight chords, with straights at both ends. */
Test(rail, follows_the_direction_of_an_arc_drawn_in_chords) {
  double x[11] = {-6}, y[11] = {0};
  for (int i = 0; i <= 8; i++) {
    double angle = i * M_PI_2 / 8;
    x[i + 1] = 2 * sin(angle);
    y[i + 1] = 2 * (1 - cos(angle));
  }
  x[10] = 2;
  y[10] = 8;
  cr_assert_eq(rail_init(&rail, x, y, 11, false), GANTRY_OK);
  double worst = 0;

  for (double angle = 0; angle <= M_PI_2; angle += 0.01) {
    rail_place_t place = rail_project(&rail, 2 * sin(angle), 2 * (1 - cos(angle)), NAN);
    worst = fmax(worst, fabs(wrap_rad(place.theta_rad - angle)));
    cr_assert_lt(fabs(place.across_m), 0.01);
  }

  cr_assert_lt(worst, 0.06, "%.3f rad", worst);
  cr_assert_float_eq(rail_at(&rail, 3).theta_rad, 0, 1e-12, "the straight stays straight");
}

Test(rail, stays_on_its_branch_where_it_crosses_itself) {
  const double x[] = {0, 10, 10, 5, 5}, y[] = {0, 0, 5, 5, -5};
  cr_assert_eq(rail_init(&rail, x, y, 5, false), GANTRY_OK);

  rail_place_t along = rail_project(&rail, 5.01, 0.02, 4.9);
  rail_place_t down = rail_project(&rail, 5.02, 0.01, 24.9);

  cr_assert_float_eq(along.s_m, 5.01, 1e-9);
  cr_assert_float_eq(down.s_m, 24.99, 1e-9);
  cr_assert_float_eq(rail_project(&rail, 5.4, 0, 24.9).s_m, 5.4, 1e-9, "far is far");
}
