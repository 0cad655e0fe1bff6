/* The way of one number: refusals, what is odd about a reading, score. */
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include "signal/chain.h"

#define MS UINT64_C(1000000)

static chain_t *chain;
static chain_verdict_t verdict;
static gantry_fault_t fault;
static uint64_t now_ns, number, counts[CHAIN_FLAG_COUNT];

static chain_rule_t plain(void) {
  return (chain_rule_t){.factor = 1, .scale = 1, .min = -INFINITY, .max = INFINITY, .noise = 1};
}

static void make(chain_rule_t rule) {
  cr_assert_eq(chain_new(&rule, &chain, &fault), GANTRY_OK, "%s: %s", fault.field, fault.detail);
  now_ns = 1000 * MS;
  number = 0;
}

/* The next reading, 100 ms after the one before; gives its flags. */
static uint32_t push(double value) {
  now_ns += 100 * MS;
  chain_push(chain, value, now_ns, ++number, 1, &verdict);
  for (int i = 0; i < CHAIN_FLAG_COUNT; i++)
    counts[i] += verdict.flags >> i & 1;
  return verdict.flags;
}

static void drop(void) {
  chain_destroy(&chain);
}

TestSuite(chain, .fini = drop);

Test(chain, converts_then_calibrates_then_filters) {
  chain_rule_t rule = plain();
  rule.factor = 1000; /* kN to N */
  rule.shift = 1;
  rule.scale = 2;
  rule.offset = -3;
  rule.filters[0] = (filter_rule_t){.kind = FILTER_MEAN, .window = 2};
  rule.filter_count = 1;
  make(rule);

  push(0.01);
  push(0.02);

  cr_assert_float_eq(verdict.raw, 2 * (20 + 1) - 3, 1e-9);
  cr_assert_float_eq(verdict.value, (19 + 39) / 2.0, 1e-9);
}

Test(chain, refuses_what_is_no_number_or_out_of_bounds) {
  chain_rule_t rule = plain();
  rule.min = -10;
  rule.max = 10;
  make(rule);
  static const struct {
    double value;
    uint32_t flags;
  } CASES[] = {{10, 0},
               {10.000001, 1 << CHAIN_ABOVE},
               {-10, 0},
               {-10.000001, 1 << CHAIN_BELOW},
               {NAN, 1 << CHAIN_NOT_FINITE},
               {INFINITY, 1 << CHAIN_NOT_FINITE | 1 << CHAIN_ABOVE},
               {-INFINITY, 1 << CHAIN_NOT_FINITE | 1 << CHAIN_BELOW}};

  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    cr_assert_eq(push(CASES[i].value), CASES[i].flags, "case %zu", i);
    cr_assert_eq(verdict.refused, CASES[i].flags != 0);
  }
  cr_assert_eq(counts[CHAIN_NOT_FINITE], 3);
  cr_assert_eq(counts[CHAIN_ABOVE], 2);
  cr_assert_eq(counts[CHAIN_BELOW], 2);
}

Test(chain, refuses_what_overflows_on_its_way) {
  chain_rule_t rule = plain();
  rule.factor = 1e10;
  make(rule);

  cr_assert_eq(push(1e300), 1 << CHAIN_NOT_FINITE);
}

Test(chain, a_refused_reading_leaves_no_trace_in_the_values) {
  chain_rule_t rule = plain();
  rule.max = 100;
  rule.max_rate = 50;
  rule.filters[0] = (filter_rule_t){.kind = FILTER_MEAN, .window = 3};
  rule.filter_count = 1;
  make(rule);
  push(3);

  push(1e6);
  push(NAN);
  uint32_t flags = push(6);

  cr_assert_eq(flags, 0); /* neither jump nor gap */
  cr_assert_float_eq(verdict.value, 4.5, 1e-12);
}

Test(chain, refuses_a_number_that_came_before) {
  make(plain());
  for (int i = 0; i < 1000; i++)
    cr_assert_eq(push(i), 0);

  for (uint64_t i = 1; i <= 1000; i++) {
    chain_push(chain, (double)i, 1000 * MS + i * 100 * MS, i, 1, &verdict);
    cr_assert_eq(verdict.flags, 1 << CHAIN_REPEATED);
    cr_assert(verdict.refused);
  }
  cr_assert_eq(push(0), 0); /* and goes on with the next */

  chain_forget_numbers(chain);
  chain_push(chain, 1, now_ns, 1, 1, &verdict);
  cr_assert_not(verdict.refused);
}

Test(chain, takes_a_count_that_begins_anew) {
  make(plain());
  for (int i = 0; i < 20; i++)
    push(i);

  number = 0;

  for (int i = 0; i < 40; i++)
    cr_assert_eq(push(i), 0, "number %lu", (unsigned long)number);
  cr_assert_float_eq(verdict.terms.completeness, 1, 1e-12);
}

Test(chain, takes_readings_without_numbers) {
  make(plain());
  for (int i = 0; i < 10; i++) {
    chain_push(chain, i, now_ns += 100 * MS, 0, 1, &verdict);
    cr_assert_eq(verdict.flags, 0);
  }
  cr_assert_float_eq(verdict.quality, 1, 1e-12);
}

Test(chain, a_refused_value_may_be_sent_again_corrected) {
  chain_rule_t rule = plain();
  rule.max = 10;
  make(rule);
  push(5);
  push(11);

  chain_push(chain, 1.1, now_ns, number, 1, &verdict);

  cr_assert_not(verdict.refused);
}

Test(chain, tells_of_absent_numbers_once_and_scores_them) {
  make(plain());
  for (int i = 0; i < 10; i++)
    push(i);
  number += 10;

  cr_assert_eq(push(0), 1 << CHAIN_GAP);
  cr_assert_float_eq(verdict.terms.completeness, 11.0 / 21, 1e-12);
  cr_assert_eq(push(0), 0);
  for (int i = 0; i < 32; i++)
    push(0);
  cr_assert_float_eq(verdict.terms.completeness, 1, 1e-12);
}

Test(chain, takes_late_ones_that_fill_a_gap) {
  make(plain());
  push(1);
  number = 2; /* 2 is on its way */
  push(3);

  chain_push(chain, 2, now_ns - 50 * MS, 2, 1, &verdict);

  cr_assert_eq(verdict.flags, 1 << CHAIN_TIME_BACK);
  cr_assert_float_eq(verdict.terms.completeness, 1, 1e-12);
}

Test(chain, scores_readings_that_come_too_seldom) {
  chain_rule_t rule = plain();
  rule.expected_hz = 20;
  make(rule);
  for (int i = 0; i < 40; i++)
    push(i); /* at 10 Hz */

  cr_assert_float_eq(verdict.terms.completeness, 32 / (31 * 2 + 1.0), 1e-12);
}

Test(chain, counts_a_pause_among_what_is_due) {
  chain_rule_t rule = plain();
  rule.expected_hz = 10;
  rule.gap_s = 0.25;
  make(rule);
  for (int i = 0; i < 10; i++)
    push(i);

  now_ns += 900 * MS;
  push(10);

  cr_assert_float_eq(verdict.terms.completeness, 11.0 / 20, 1e-12);
  for (int i = 0; i < 32; i++)
    push(i);
  cr_assert_float_eq(verdict.terms.completeness, 1, 1e-12);
}

Test(chain, does_not_mind_a_rate_a_little_low) {
  chain_rule_t rule = plain();
  rule.expected_hz = 10.05;
  make(rule);
  for (int i = 0; i < 40; i++)
    push(i);

  cr_assert_float_eq(verdict.terms.completeness, 1, 1e-12);
}

Test(chain, warns_of_changes_faster_than_can_be) {
  chain_rule_t rule = plain();
  rule.max_rate = 100; /* 10 in 100 ms */
  make(rule);

  cr_assert_eq(push(0), 0);
  cr_assert_eq(push(9.99), 0);
  cr_assert_eq(push(20.1), 1 << CHAIN_JUMP);
  cr_assert_float_eq(verdict.terms.base, 0.5, 1e-12);
  cr_assert_not(verdict.refused);
  cr_assert_eq(push(20.1), 0);
}

Test(chain, grants_half_a_period_to_readings_that_come_in_a_heap) {
  chain_rule_t rule = plain();
  rule.max_rate = 100;
  rule.expected_hz = 10;
  make(rule);
  push(0);

  chain_push(chain, 4, now_ns + MS, 2, 1, &verdict);
  cr_assert_eq(verdict.flags, 0);
  chain_push(chain, 10, now_ns + 2 * MS, 3, 1, &verdict);
  cr_assert_eq(verdict.flags, 1 << CHAIN_JUMP);
}

Test(chain, judges_no_rate_when_time_goes_back_or_stands) {
  chain_rule_t rule = plain();
  rule.max_rate = 1;
  make(rule);
  push(0);

  chain_push(chain, 1000, now_ns, 2, 1, &verdict);
  cr_assert_eq(verdict.flags, 0);
  chain_push(chain, 0, now_ns - 500 * MS, 3, 1, &verdict);
  cr_assert_eq(verdict.flags, 1 << CHAIN_TIME_BACK);
  chain_push(chain, 0, now_ns - 400 * MS, 4, 1, &verdict);
  cr_assert_eq(verdict.flags, 0); /* said once, not until the old time is reached */
}

Test(chain, warns_when_nothing_changes_any_more) {
  chain_rule_t rule = plain();
  rule.stuck_s = 1;
  make(rule);

  int first = 0;
  for (int i = 1; i <= 30 && first == 0; i++)
    if (push(7) & 1 << CHAIN_STUCK) first = i;

  cr_assert_eq(first, 12); /* more than 1 s after the first */
  cr_assert_float_eq(verdict.terms.base, 0.5, 1e-12);
  cr_assert_eq(push(7.0001), 0);
  cr_assert_eq(push(7.0001), 0);
}

Test(chain, needs_five_readings_to_call_a_slow_sensor_stuck) {
  chain_rule_t rule = plain();
  rule.stuck_s = 0.15;
  make(rule);

  for (int i = 0; i < 4; i++)
    cr_assert_eq(push(7), 0);
  cr_assert_eq(push(7), 1 << CHAIN_STUCK);
}

Test(chain, tells_of_late_readings_and_begins_anew_after_a_pause) {
  chain_rule_t rule = plain();
  rule.late_s = 0.15;
  rule.gap_s = 1;
  rule.max_rate = 10;
  rule.filters[0] = (filter_rule_t){.kind = FILTER_MEAN, .window = 5};
  rule.filter_count = 1;
  make(rule);
  push(0);
  push(0);

  now_ns += 100 * MS;
  cr_assert_eq(push(1), 1 << CHAIN_LATE);
  cr_assert_float_eq(verdict.value, 1.0 / 3, 1e-12);

  now_ns += 1000 * MS;
  cr_assert_eq(push(50), 1 << CHAIN_LATE);
  cr_assert_eq(verdict.value, 50);
}

Test(chain, says_which_readings_a_hampel_filter_replaced) {
  chain_rule_t rule = plain();
  rule.filters[0] = (filter_rule_t){.kind = FILTER_HAMPEL, .window = 7, .threshold = 3};
  rule.filters[1] = (filter_rule_t){.kind = FILTER_EXPONENTIAL, .alpha = 0.5};
  rule.filter_count = 2;
  make(rule);
  for (int i = 0; i < 20; i++)
    cr_assert_eq(push(10 + sin(i)), 0);

  cr_assert_eq(push(99), 1 << CHAIN_OUTLIER);
  cr_assert_leq(verdict.value, 11);
  cr_assert_float_eq(verdict.raw, 99, 1e-12);
  cr_assert_float_eq(verdict.terms.base, 0.5, 1e-12);
  cr_assert_eq(counts[CHAIN_OUTLIER], 1);
}

Test(chain, is_half_as_consistent_one_noise_off_the_filtered_value) {
  chain_rule_t rule = plain();
  rule.noise = 2;
  rule.filters[0] = (filter_rule_t){.kind = FILTER_MEAN, .window = 2};
  rule.filter_count = 1;
  make(rule);
  push(0);

  push(4); /* filtered: 2 */

  cr_assert_float_eq(verdict.terms.consistency, (1 + 0.5) / 2, 1e-12);
  cr_assert_float_eq(verdict.quality, 0.6 + 0.2 + 0.2 * 0.75, 1e-12);
}

Test(chain, scores_what_the_sender_says) {
  make(plain());
  static const double BASES[] = {1, 0.5, 0, -3, 7, NAN}, WANTED[] = {1, 0.5, 0, 0, 1, 0};
  for (int i = 0; i < 6; i++) {
    chain_push(chain, 1, now_ns += 100 * MS, 0, BASES[i], &verdict);
    cr_assert_float_eq(verdict.quality, 0.6 * WANTED[i] + 0.4, 1e-12);
  }
}

Test(chain, a_new_calibration_forgets_values_but_not_numbers) {
  chain_rule_t rule = plain();
  rule.max_rate = 1;
  rule.filters[0] = (filter_rule_t){.kind = FILTER_MEAN, .window = 5};
  rule.filter_count = 1;
  make(rule);
  push(1);

  chain_calibrate(chain, 10, 5);

  chain_push(chain, 1, now_ns, number, 1, &verdict);
  cr_assert_eq(verdict.flags, 1 << CHAIN_REPEATED);
  cr_assert_eq(push(1), 0);
  cr_assert_eq(verdict.value, 15);
}

Test(chain, refuses_a_wrong_rule_and_names_the_field) {
  chain_rule_t rules[14];
  for (int i = 0; i < 14; i++)
    rules[i] = plain();
  rules[0].factor = 0;
  rules[1].scale = NAN;
  rules[2].offset = INFINITY;
  rules[3].min = 2, rules[3].max = 1;
  rules[4].min = NAN;
  rules[5].max_rate = -1;
  rules[6].stuck_s = NAN;
  rules[7].late_s = -1;
  rules[8].expected_hz = INFINITY;
  rules[9].noise = 0;
  rules[10].gap_s = -1;
  rules[11].filter_count = 5;
  rules[12].filter_count = 1, rules[12].filters[0].kind = FILTER_MEAN;
  rules[13].filter_count = 2, rules[13].filters[0] = (filter_rule_t){.window = 3},
  rules[13].filters[1] =
      (filter_rule_t){.kind = FILTER_LOWPASS, .order = 2, .cutoff_hz = 6, .rate_hz = 10};
  static const char *const FIELDS[14] = {
      "unit", "scale",       "offset", "min", "min",     "max_rate",          "stuck",
      "late", "expected_hz", "noise",  "gap", "filters", "filters[0].window", "filters[1].cutoff"};
  for (int i = 0; i < 14; i++) {
    fault = (gantry_fault_t){0};
    cr_assert_eq(chain_new(&rules[i], &chain, &fault), GANTRY_E_INVALID, "case %d", i);
    cr_assert_null(chain);
    cr_assert_str_eq(fault.field, FIELDS[i]);
    cr_assert_gt(strlen(fault.detail), 3);
    cr_assert_eq(chain_new(&rules[i], &chain, NULL), GANTRY_E_INVALID);
  }
}

Test(chain, names_each_flag) {
  for (int i = 0; i < CHAIN_FLAG_COUNT; i++)
    cr_assert_not_null(chain_flag_name((chain_flag_t)i));
  cr_assert_str_eq(chain_flag_name(CHAIN_OUTLIER), "outlier");
}
