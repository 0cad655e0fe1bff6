/* The moving average. */
#include <criterion/criterion.h>

#include "filter.h"

Test(filter, averages_what_it_has_until_the_window_is_full) {
  filter_t filter;
  filter_init(&filter, 3);

  static const double GIVEN[] = {3, 6, 9, 12}, WANTED[] = {3, 4.5, 6, 9};

  for (int i = 0; i < 4; i++) {
    double mean = filter_push(&filter, GIVEN[i]);
    cr_assert_float_eq(mean, WANTED[i], 1e-12);
  }
}

Test(filter, forgets_what_came_before_a_gap) {
  filter_t filter;
  filter_init(&filter, 5);
  filter_push(&filter, 100);

  filter_clear(&filter);

  double mean = filter_push(&filter, 1);
  cr_assert_float_eq(mean, 1, 1e-12);
}

Test(filter, keeps_its_window_within_bounds) {
  filter_t small, large;
  filter_init(&small, 0);
  filter_init(&large, 1000);

  cr_assert_eq(small.window, 1);
  cr_assert_eq(large.window, FILTER_WINDOW_MAX);
}
