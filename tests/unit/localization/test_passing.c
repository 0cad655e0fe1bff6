/* Passing a tag: where its middle was. */
#include <math.h>

#include <criterion/criterion.h>

#include "passing.h"

#define MS       UINT64_C(1000000)
#define RADIUS_M 0.2

static passing_t passing;
static pass_t pass;

static void setup(void) {
  passing = (passing_t){0};
}

TestSuite(passing, .init = setup);

/* Sightings each 100 ms, the wheel standing at those places. */
static void see(const double *wheel_m, int count) {
  for (int i = 0; i < count; i++)
    passing_seen(&passing, "A", (uint64_t)(i + 1) * 100 * MS, wheel_m[i], 0.9, RADIUS_M, &pass);
}

Test(passing, is_over_the_tag_half_way_between_first_and_last_sighting) {
  see((const double[]){5.82, 5.87, 5.92, 5.97, 6.02, 6.07, 6.12, 6.17}, 8);
  cr_assert_not(passing_tick(&passing, 1000 * MS, RADIUS_M, &pass), "it may be seen again");

  cr_assert(passing_tick(&passing, 1200 * MS, RADIUS_M, &pass));

  cr_assert_str_eq(pass.tag, "A");
  cr_assert_float_eq(pass.wheel_m, 5.995, 1e-12);
  cr_assert_float_eq(pass.sigma_m, 0.05 / sqrt(12), 1e-9);
  cr_assert_not(passing_tick(&passing, 9000 * MS, RADIUS_M, &pass), "told once");
}

Test(passing, ends_with_the_next_tag_too) {
  see((const double[]){5.85, 6.0, 6.15}, 3);

  cr_assert(passing_seen(&passing, "B", 400 * MS, 6.3, 0.9, RADIUS_M, &pass));

  cr_assert_str_eq(pass.tag, "A");
  cr_assert_float_eq(pass.wheel_m, 6.0, 1e-12);
}

Test(passing, says_nothing_of_a_robot_that_stood_over_the_tag) {
  see((const double[]){6, 6, 6, 6}, 4);

  cr_assert_not(passing_tick(&passing, 9000 * MS, RADIUS_M, &pass));
}

Test(passing, says_nothing_of_a_robot_that_turned_back) {
  see((const double[]){5.85, 6.0, 6.1, 6.0, 5.85}, 5);
  cr_assert_not(passing_tick(&passing, 9000 * MS, RADIUS_M, &pass));
}

Test(passing, holds_backwards_as_well) {
  see((const double[]){-5.85, -6.0, -6.15}, 3);

  cr_assert(passing_tick(&passing, 9000 * MS, RADIUS_M, &pass));

  cr_assert_float_eq(pass.wheel_m, -6.0, 1e-12);
}

Test(passing, waits_longer_for_a_reader_that_is_slow) {
  passing_seen(&passing, "A", 1000 * MS, 5.85, 0.9, RADIUS_M, &pass);
  passing_seen(&passing, "A", 2000 * MS, 6.15, 0.9, RADIUS_M, &pass);

  cr_assert_not(passing_tick(&passing, 4000 * MS, RADIUS_M, &pass));
  cr_assert(passing_tick(&passing, 4600 * MS, RADIUS_M, &pass));
}

/* Whatever the moments of the readings: a signal that falls off with the square of the distance. */
Test(passing, takes_the_middle_of_a_signal_that_rises_and_falls) {
  for (double phase_m = 0; phase_m < 0.05; phase_m += 0.01) {
    setup();
    uint64_t time_ns = MS;
    for (double x = 5.8 + phase_m; x < 6.2; x += 0.05, time_ns += 100 * MS) {
      double share = (x - 6) / RADIUS_M;
      passing_seen(&passing, "A", time_ns, x, 1 - 0.45 * share * share, RADIUS_M, &pass);
    }
    cr_assert(passing_tick(&passing, 9000 * MS, RADIUS_M, &pass));
    cr_assert_float_eq(pass.wheel_m, 6, 0.01, "%.1f mm", 1e3 * (pass.wheel_m - 6));
  }
}
