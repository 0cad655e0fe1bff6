/* Limits with hysteresis. */
#include "threshold.h"

#include <criterion/criterion.h>
#include <math.h>

/* The states after each value: 1 raised, 0 not. */
static void expect_states(threshold_t threshold, const double *values, const char *states) {
  for (size_t i = 0; states[i]; i++) {
    bool before = threshold.raised;
    bool changed = threshold_feed(&threshold, values[i]);
    cr_expect_eq(threshold.raised, states[i] == '1', "after value %zu", i);
    cr_expect_eq(changed, before != threshold.raised);
  }
}

Test(threshold, is_raised_by_what_stays_over_it_and_not_by_a_peak) {
  static const double VALUES[] = {81, 70, 81, 81, 81, 81};

  expect_states((threshold_t){.limit = 80, .hold = 3}, VALUES, "000011");
}

Test(threshold, is_not_crossed_by_its_very_value) {
  static const double VALUES[] = {80, 80};

  expect_states((threshold_t){.limit = 80, .hold = 1}, VALUES, "00");
}

Test(threshold, clears_only_well_below) {
  static const double VALUES[] = {81, 79, 73, 72, 79, 81};

  expect_states((threshold_t){.limit = 80, .hold = 1}, VALUES, "111001");
}

Test(threshold, holds_as_long_for_clearing) {
  static const double VALUES[] = {99, 99, 10, 99, 10, 10};

  expect_states((threshold_t){.limit = 80, .hold = 2}, VALUES, "011110");
}

Test(threshold, takes_what_is_not_known_for_fine) {
  const double VALUES[] = {NAN, 99, NAN};

  expect_states((threshold_t){.limit = 80, .hold = 1}, VALUES, "010");
}
