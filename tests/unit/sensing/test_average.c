/* The moving average. */
#include <criterion/criterion.h>

#include "average.h"

Test(average, averages_what_it_has_until_the_window_is_full) {
  average_t average;
  average_init(&average, 3);

  static const double GIVEN[] = {3, 6, 9, 12}, WANTED[] = {3, 4.5, 6, 9};

  for (int i = 0; i < 4; i++) {
    double mean = average_push(&average, GIVEN[i]);
    cr_assert_float_eq(mean, WANTED[i], 1e-12);
  }
}

Test(average, forgets_what_came_before_a_gap) {
  average_t average;
  average_init(&average, 5);
  average_push(&average, 100);

  average_clear(&average);

  double mean = average_push(&average, 1);
  cr_assert_float_eq(mean, 1, 1e-12);
}

Test(average, keeps_its_window_within_bounds) {
  average_t small, large;
  average_init(&small, 0);
  average_init(&large, 1000);

  cr_assert_eq(small.window, 1);
  cr_assert_eq(large.window, AVERAGE_WINDOW_MAX);
}
