/* The books of one module. */
#include <criterion/criterion.h>

#include "module_stats.h"

static module_stats_t stats;

static void count(rtu_outcome_t outcome, int times) {
  for (int i = 0; i < times; i++)
    module_stats_count(&stats, outcome, outcome == RTU_EXCEPTION ? 2 : 0, 2.0);
}

static void set_up(void) {
  stats = (module_stats_t){0};
}

TestSuite(module_stats, .init = set_up);

Test(module_stats, the_band_is_unknown_at_first) {
  count(RTU_TIMEOUT, 7);
  cr_assert_eq(module_stats_band(&stats, MODULE_BAND_UNKNOWN), MODULE_BAND_UNKNOWN);
}

typedef struct band_row {
  int bad; /* of 32 */
  module_band_t band;
} band_row_t;

Test(module_stats, the_band_is_the_nearest_score) {
  static const band_row_t rows[] = {{0, MODULE_BAND_EXCELLENT}, {3, MODULE_BAND_EXCELLENT},
                                    {4, MODULE_BAND_GOOD},      {9, MODULE_BAND_GOOD},
                                    {10, MODULE_BAND_FAIR},     {16, MODULE_BAND_FAIR},
                                    {17, MODULE_BAND_POOR},     {22, MODULE_BAND_POOR},
                                    {23, MODULE_BAND_CRITICAL}, {32, MODULE_BAND_CRITICAL}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    set_up();
    count(RTU_OK, 32 - rows[i].bad);
    count(RTU_TIMEOUT, rows[i].bad);
    cr_assert_eq(module_stats_band(&stats, MODULE_BAND_UNKNOWN), rows[i].band, "%d bad",
                 rows[i].bad);
  }
}

Test(module_stats, one_glitch_changes_no_band) {
  count(RTU_OK, 32);
  count(RTU_TIMEOUT, 1);
  cr_assert_eq(module_stats_band(&stats, MODULE_BAND_EXCELLENT), MODULE_BAND_EXCELLENT);
}

Test(module_stats, a_module_on_a_border_does_not_flicker) {
  count(RTU_OK, 28);
  count(RTU_DAMAGED, 4); /* 87.5 */
  cr_assert_eq(module_stats_band(&stats, MODULE_BAND_EXCELLENT), MODULE_BAND_EXCELLENT);
  cr_assert_eq(module_stats_band(&stats, MODULE_BAND_GOOD), MODULE_BAND_GOOD);
  set_up();
  count(RTU_OK, 29);
  count(RTU_DAMAGED, 3); /* 90.6 */
  cr_assert_eq(module_stats_band(&stats, MODULE_BAND_GOOD), MODULE_BAND_GOOD);
}

Test(module_stats, a_module_that_refuses_as_busy_does_badly) {
  count(RTU_EXCEPTION, 32); /* it has no such registers */
  cr_assert_eq(module_stats_band(&stats, MODULE_BAND_UNKNOWN), MODULE_BAND_EXCELLENT);
  for (int i = 0; i < 32; i++)
    module_stats_count(&stats, RTU_EXCEPTION, 6, 2.0);
  cr_assert_eq(module_stats_band(&stats, MODULE_BAND_UNKNOWN), MODULE_BAND_CRITICAL);
}

Test(module_stats, every_kind_of_failure_is_counted_as_its_own) {
  count(RTU_OK, 1);
  count(RTU_TIMEOUT, 2);
  count(RTU_DAMAGED, 3);
  count(RTU_EXCEPTION, 4);
  cr_assert_eq(stats.requests, 10);
  cr_assert_eq(stats.failures, 9);
  cr_assert_eq(stats.timeouts, 2);
  cr_assert_eq(stats.damaged, 3);
  cr_assert_eq(stats.exceptions, 4);
  cr_assert_eq(stats.response_count, 5, "an exception is an answer too");
}

static void judge(uint16_t first, uint16_t count_of, const uint16_t *values) {
  const register_module_t *safety = registers_module(&PROFILE_OHT50, "safety");
  module_stats_judge(&stats, safety,
                     (register_view_t){.first = first, .count = count_of, .values = values});
}

Test(module_stats, values_in_their_ranges_are_counted) {
  judge(0x0030, 1, (const uint16_t[]){15});
  cr_assert_eq(stats.in_range, 1);
  cr_assert_eq(stats.out_of_range, 0);
}

Test(module_stats, a_value_out_of_its_range_is_counted) {
  judge(0x0030, 1, (const uint16_t[]){16});
  cr_assert_eq(stats.in_range, 0);
  cr_assert_eq(stats.out_of_range, 1);
}

Test(module_stats, nothing_but_zeros_is_counted_and_taken) {
  judge(0x0010, 2, (const uint16_t[]){0, 0});
  judge(0x0010, 2, (const uint16_t[]){0, 1});
  cr_assert_eq(stats.zeros, 1);
  cr_assert_eq(stats.in_range, 2);
  cr_assert_not(stats.zeros_wrong);
}

Test(module_stats, zeros_are_wrong_where_a_register_cannot_be_0) {
  const register_module_t *power = registers_module(&PROFILE_OHT50, "power");
  const uint16_t flat[] = {0, 0}, charged[] = {3700, 3700};
  module_stats_judge(&stats, power, (register_view_t){0x0014, 2, charged});
  cr_assert_not(stats.zeros_wrong);
  module_stats_judge(&stats, power, (register_view_t){0x0014, 2, flat});
  cr_assert(stats.zeros_wrong);
}

Test(module_stats, of_an_unknown_module_only_zeros_are_counted) {
  module_stats_judge(&stats, NULL, (register_view_t){.count = 1, .values = (const uint16_t[]){0}});
  cr_assert_eq(stats.zeros, 1);
  cr_assert_eq(stats.in_range, 0);
}

Test(module_stats, ninety_five_of_a_hundred_were_not_slower) {
  for (int i = 1; i <= 100; i++)
    response_window_add(&stats.responses, 0.1 * i);
  cr_assert_float_eq(response_window_p95_ms(&stats.responses), 9.5, 0.011);
}

Test(module_stats, old_response_times_are_forgotten) {
  for (int i = 0; i < 50; i++)
    response_window_add(&stats.responses, 100.0);
  for (int i = 0; i < RESPONSES_MAX; i++)
    response_window_add(&stats.responses, 2.0);
  cr_assert_float_eq(response_window_p95_ms(&stats.responses), 2.0, 0.001);
}

Test(module_stats, no_response_time_is_zero_and_a_huge_one_is_bounded) {
  cr_assert_float_eq(response_window_p95_ms(&stats.responses), 0.0, 0.0);
  response_window_add(&stats.responses, 1e9);
  cr_assert_float_eq(response_window_p95_ms(&stats.responses), 655.35, 0.001);
  response_window_add(&stats.responses, -1.0);
}
