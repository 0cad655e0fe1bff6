/* The guide: a wheel's way along a rail. */
#include <math.h>

#include <criterion/criterion.h>

#include "guide.h"

static rail_t rail;
static guide_t guide;

/* 20 x 10 m, run counter-clockwise from the lower left. */
static void setup(void) {
  const double x[] = {0, 20, 20, 0}, y[] = {0, 0, 10, 10};
  cr_assert_eq(rail_init(&rail, x, y, 4, true), GANTRY_OK);
  guide_init(&guide);
}

TestSuite(guide, .init = setup);

static void begin(pose2_t pose) {
  guide_place(&guide, &rail, pose);
  guide_odometry(&guide, &rail, (pose2_t){0}, true);
}

Test(guide, lays_the_wheels_way_along_the_rail_round_its_corners) {
  begin((pose2_t){18, 0, 0});

  for (int i = 1; i <= 40; i++)
    guide_odometry(&guide, &rail, (pose2_t){0.1 * i, 0, 0}, false);

  cr_assert_float_eq(guide.s_m, 22, 1e-9);
  cr_assert_float_eq(guide.pose.x, 2, 1e-6);
  cr_assert_float_eq(guide.pose.y, 2, 1e-6);
  cr_assert_float_eq(guide.pose.theta, M_PI_2, 1e-9);
}

Test(guide, does_not_ask_the_wheels_which_way_they_turned) {
  begin((pose2_t){2, 0, 0});

  pose2_t odometry = {0};
  for (int i = 1; i <= 50; i++) {
    odometry = pose2_compose(odometry, (pose2_t){0.1, 0, 0.02});
    guide_odometry(&guide, &rail, odometry, false);
  }

  cr_assert_float_eq(guide.pose.x, 5, 1e-9);
  cr_assert_float_eq(guide.pose.theta, 0, 1e-9);
}

Test(guide, keeps_which_way_the_robot_hangs) {
  begin((pose2_t){8, 0, M_PI});

  guide_odometry(&guide, &rail, (pose2_t){1, 0, 0}, false);

  cr_assert_eq(guide.sense, -1);
  cr_assert_float_eq(guide.s_m, 7, 1e-9);
  cr_assert_float_eq(fabs(guide_pose(&guide, &rail, guide.s_m).theta), M_PI, 1e-9);
}

Test(guide, hides_no_leap_of_the_odometry) {
  begin((pose2_t){2, 0, 0});

  pose2_t out = guide_odometry(&guide, &rail, (pose2_t){60, 7, 0}, false);

  cr_assert_float_eq(out.x, 60, 1e-9);
  cr_assert_float_eq(guide.s_m, 2, 1e-9);
}

Test(guide, passes_the_odometry_on_where_there_is_no_rail) {
  guide_place(&guide, NULL, (pose2_t){0});
  guide_odometry(&guide, NULL, (pose2_t){1, 1, 0}, true);

  pose2_t out = guide_odometry(&guide, NULL, (pose2_t){1.5, 1.2, 0.3}, false);

  cr_assert_float_eq(out.x, 1.5, 1e-12);
  cr_assert_float_eq(out.y, 1.2, 1e-12);
  cr_assert_float_eq(out.theta, 0.3, 1e-12);
}

Test(guide, knows_what_may_hang_on_a_rail) {
  cr_assert(guide_may_be(&rail, (pose2_t){5, 0.2, 0.1}));
  cr_assert(guide_may_be(&rail, (pose2_t){5, 0.2, M_PI}));
  cr_assert_not(guide_may_be(&rail, (pose2_t){5, 0.2, M_PI_2}));
  cr_assert_not(guide_may_be(&rail, (pose2_t){5, 2, 0}));
}

Test(guide, says_how_far_ahead_the_robot_is_of_its_place) {
  begin((pose2_t){8, 0, 0});
  for (int i = 1; i <= 10; i++)
    guide_odometry(&guide, &rail, (pose2_t){0.1 * i, 0, 0}, false);

  cr_assert_float_eq(guide.s_m, 9, 1e-9);
  cr_assert_float_eq(guide_ahead(&guide, &rail, 8.7, 0.5, 1), 0.2, 1e-9);
  cr_assert_float_eq(guide_ahead(&guide, &rail, 59.5, 0.5, 1), -9, 1e-9, "the shorter way round");
  cr_assert_float_eq(guide_ahead(&guide, &rail, 8.7, 0.5, 0.9), 0.15, 1e-9);
}
