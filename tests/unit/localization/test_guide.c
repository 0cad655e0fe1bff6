/* The guide: a wheel's way along a rail, and the wheel's scale from tag to tag. */
#include <math.h>

#include <criterion/criterion.h>

#include "guide.h"
#include "passing.h"

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

Test(guide, learns_that_a_wheel_overstates_by_one_percent) {
  begin((pose2_t){0.5, 0, 0});
  for (int i = 1; i <= 15; i++)
    guide_mark(&guide, &rail, fmod(4.0 * i, 60), 1.01 * 4 * i + (i % 2 ? 0.008 : -0.008), 0.01);

  cr_assert_float_eq(guide.scale, 1 / 1.01, 0.001);
}

Test(guide, learns_nothing_from_a_tag_that_stands_elsewhere) {
  begin((pose2_t){0.5, 0, 0});
  for (int i = 1; i <= 5; i++)
    guide_mark(&guide, &rail, 4.0 * i, 4.0 * i, 0.01);
  double before = guide.scale;

  guide_mark(&guide, &rail, 27, 24, 0.01);

  cr_assert_float_eq(guide.scale, before, 1e-9);
}

/* Uniform in 0 .. 1, the same each run. */
static double chance(void) {
  static uint64_t state = 1;
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (double)(state >> 33) / (double)(1u << 31);
}

/* Tags every 4 m read within 0.2 m ten times a second, a wheel that overstates by 1 %: after half a
   lap the place is known to some 15 mm. */
Test(guide, holds_the_place_with_tags_and_wheel_alone) {
  passing_t passing = {0};
  pass_t pass;
  double truth_m = 1, sum = 0;
  int count = 0;
  uint64_t time_ns = 1;
  begin((pose2_t){1, 0, 0});

  for (int i = 0; truth_m < 121; i++, time_ns += 50000000) {
    truth_m += 0.5 * 0.05;
    guide_odometry(&guide, &rail, (pose2_t){1.01 * (truth_m - 1), 0, 0}, false);
    double tag_m = 4 * round(truth_m / 4);
    bool ended = passing_tick(&passing, time_ns, 0.2, &pass);
    if (i % 2 == 0 && fabs(truth_m + 0.01 * chance() - tag_m) < 0.2) {
      char name[8] = {'T', (char)('A' + (int)fmod(tag_m / 4, 15)), 0};
      passing_seen(&passing, name, time_ns, guide.wheel_m, 0.9, 0.2, &pass);
    }
    if (ended) {
      double s_m = 4.0 * (pass.tag[1] - 'A');
      guide.s_m += 0.8 * guide_ahead(&guide, &rail, s_m, pass.wheel_m);
      guide_mark(&guide, &rail, s_m, pass.wheel_m, pass.sigma_m);
    }
    double off_m = guide.s_m - fmod(truth_m, 60);
    off_m -= 60 * round(off_m / 60);
    if (truth_m > 31) {
      sum += off_m * off_m;
      count++;
    }
  }

  cr_assert_lt(sqrt(sum / count), 0.02, "%.1f mm", 1e3 * sqrt(sum / count));
  cr_assert_float_eq(guide.scale, 1 / 1.01, 0.002);
}
