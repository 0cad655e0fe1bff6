/* Filters of one number, by their properties; tests/peer compares them with scipy and numpy. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "signal/filter.h"

static filter_t *filter;
static gantry_fault_t fault;
static bool outlier;

static void make(filter_rule_t rule) {
  filter = malloc(filter_size(&rule));
  cr_assert_eq(filter_init(filter, &rule, &fault), GANTRY_OK, "%s: %s", fault.field, fault.detail);
}

static double push(double value) {
  outlier = false;
  return filter_push(filter, value, &outlier);
}

static void drop(void) {
  free(filter);
  filter = NULL;
}

static const filter_rule_t KINDS[] = {
    {.kind = FILTER_MEAN, .window = 5},
    {.kind = FILTER_MEAN, .window = 1},
    {.kind = FILTER_MEDIAN, .window = 1},
    {.kind = FILTER_MEDIAN, .window = 8},
    {.kind = FILTER_EXPONENTIAL, .alpha = 0.3},
    {.kind = FILTER_HAMPEL, .window = 7, .threshold = 3},
    {.kind = FILTER_LOWPASS, .cutoff_hz = 2, .rate_hz = 50, .order = 4},
    {.kind = FILTER_LOWPASS, .cutoff_hz = 2, .rate_hz = 50, .order = 7},
    {.kind = FILTER_LOWPASS, .cutoff_hz = 0.001, .rate_hz = 999, .order = 8},
};
#define KIND_COUNT (sizeof KINDS / sizeof *KINDS)

Test(filter, leaves_a_constant_as_it_is) {
  static const double CONSTANTS[] = {0, 42, -1e-300, 1e300, 5e-324, -1.7e308};
  for (size_t k = 0; k < KIND_COUNT; k++)
    for (size_t c = 0; c < sizeof CONSTANTS / sizeof *CONSTANTS; c++) {
      make(KINDS[k]);
      for (int i = 0; i < 300; i++) {
        double value = push(CONSTANTS[c]);
        cr_assert(fabs(value - CONSTANTS[c]) <= 1e-14 * fabs(CONSTANTS[c]), "kind %zu: %g", k,
                  value);
        cr_assert_not(outlier);
      }
      drop();
    }
}

Test(filter, gives_the_first_value_unchanged_and_again_after_a_gap) {
  for (size_t k = 0; k < KIND_COUNT; k++) {
    make(KINDS[k]);
    cr_assert_eq(push(7), 7);
    push(9);
    push(-3);

    filter_clear(filter);

    cr_assert_eq(push(100), 100, "kind %zu", k);
    drop();
  }
}

Test(filter, stays_finite_whatever_comes) {
  static const double NASTY[] = {1.7e308, -1.7e308, 5e-324, 0, -0.0, 1e-310, 1.7e308, 1.7e308, -1};
  for (size_t k = 0; k < KIND_COUNT; k++) {
    make(KINDS[k]);
    for (int i = 0; i < 2000; i++)
      cr_assert(isfinite(push(NASTY[(i * 7 + i / 9) % 9])), "kind %zu", k);
    drop();
  }
}

Test(filter, comes_to_rest_after_a_step) {
  for (size_t k = 0; k + 1 < KIND_COUNT; k++) {
    make(KINDS[k]);
    for (int i = 0; i < 20; i++)
      push(0);
    double value = 0;
    for (int i = 0; i < 800; i++)
      value = push(10);
    cr_assert_float_eq(value, 10, 1e-9, "kind %zu: %.12g", k, value);
    drop();
  }
}

Test(filter, mean_looks_at_the_newest_window_only) {
  make((filter_rule_t){.kind = FILTER_MEAN, .window = 3});
  static const double GIVEN[] = {3, 6, 9, 12, 1e15, 1, 2, 3}, WANTED[] = {3, 4.5, 6, 9};

  for (int i = 0; i < 4; i++) {
    double mean = push(GIVEN[i]);
    cr_assert_float_eq(mean, WANTED[i], 1e-12);
  }
  for (int i = 4; i < 7; i++)
    push(GIVEN[i]);

  cr_assert_eq(push(3), 2); /* nothing is left of the great number */
  drop();
}

Test(filter, median_and_hampel_ride_over_one_spike) {
  for (int kind = 0; kind < 2; kind++) {
    make(
        (filter_rule_t){.kind = kind ? FILTER_HAMPEL : FILTER_MEDIAN, .window = 5, .threshold = 3});
    static const double GIVEN[] = {10, 11, 10, 12, 11, 200, 11, 10};
    for (int i = 0; i < 8; i++) {
      double value = push(GIVEN[i]);
      cr_assert_leq(value, 12);
      cr_assert_eq(outlier, kind == 1 && i == 5);
    }
    drop();
  }
}

Test(filter, hampel_lets_good_values_pass_unchanged) {
  make((filter_rule_t){.kind = FILTER_HAMPEL, .window = 9, .threshold = 3});
  for (int i = 0; i < 200; i++) {
    double given = 10 + sin(i) * 0.5;
    cr_assert_eq(push(given), given);
  }
  drop();
}

/* The median by sorting, as a witness. */
static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

Test(filter, median_equals_sorting_for_every_window) {
  for (uint32_t window = 1; window <= FILTER_WINDOW_MAX; window += window < 40 ? 1 : 43) {
    make((filter_rule_t){.kind = FILTER_MEDIAN, .window = window});
    double all[600];
    uint32_t seed = window;
    for (uint32_t i = 0; i < 600; i++) {
      seed = seed * 1664525u + 1013904223u;
      all[i] = (double)(seed >> 16 & 63) - 32; /* many equal ones */
      double sorted[FILTER_WINDOW_MAX];
      uint32_t count = i + 1 < window ? i + 1 : window;
      for (uint32_t k = 0; k < count; k++)
        sorted[k] = all[i - k];
      qsort(sorted, count, sizeof *sorted, by_value);
      double wanted = (sorted[count / 2] + sorted[(count - 1) / 2]) / 2;
      cr_assert_eq(push(all[i]), wanted, "window %u, value %u", window, i);
    }
    drop();
  }
}

Test(filter, lowpass_halves_the_power_at_its_cutoff) {
  for (uint32_t order = 1; order <= FILTER_ORDER_MAX; order++) {
    make((filter_rule_t){.kind = FILTER_LOWPASS, .cutoff_hz = 5, .rate_hz = 100, .order = order});
    double power = 0;
    for (int i = 0; i < 4000; i++) {
      double value = push(sin(2 * M_PI * 5 * i / 100));
      if (i >= 2000) power += value * value / 2000;
    }
    cr_assert_float_eq(power, 0.25, 1e-6, "order %u: %.9f", order, power);
    drop();
  }
}

Test(filter, refuses_what_it_cannot_do_and_names_the_field) {
  static const struct {
    filter_rule_t rule;
    const char *field;
  } WRONG[] = {
      {{.kind = FILTER_MEAN}, "window"},
      {{.kind = FILTER_MEDIAN, .window = 256}, "window"},
      {{.kind = FILTER_HAMPEL, .window = 5}, "threshold"},
      {{.kind = FILTER_HAMPEL, .window = 5, .threshold = NAN}, "threshold"},
      {{.kind = FILTER_HAMPEL, .window = 0, .threshold = 3}, "window"},
      {{.kind = FILTER_EXPONENTIAL}, "alpha"},
      {{.kind = FILTER_EXPONENTIAL, .alpha = 1.01}, "alpha"},
      {{.kind = FILTER_LOWPASS, .cutoff_hz = 5, .order = 2}, "rate"},
      {{.kind = FILTER_LOWPASS, .cutoff_hz = 5, .rate_hz = 10, .order = 2}, "cutoff"},
      {{.kind = FILTER_LOWPASS, .cutoff_hz = 1e-9, .rate_hz = 10, .order = 2}, "cutoff"},
      {{.kind = FILTER_LOWPASS, .cutoff_hz = NAN, .rate_hz = 10, .order = 2}, "cutoff"},
      {{.kind = FILTER_LOWPASS, .cutoff_hz = 1, .rate_hz = 10}, "order"},
      {{.kind = FILTER_LOWPASS, .cutoff_hz = 1, .rate_hz = 10, .order = 9}, "order"},
      {{.kind = (filter_kind_t)17}, "kind"},
  };
  for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
    filter = malloc(filter_size(&WRONG[i].rule));
    cr_assert_eq(filter_init(filter, &WRONG[i].rule, &fault), GANTRY_E_INVALID, "case %zu", i);
    cr_assert_str_eq(fault.field, WRONG[i].field, "case %zu", i);
    cr_assert_gt(strlen(fault.detail), 5);
    drop();
  }
}
