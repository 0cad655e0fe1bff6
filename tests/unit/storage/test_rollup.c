/* Buckets, and sets of them, against sums made the plain way. */
#include "rollup.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define US_PER_S INT64_C(1000000)

Test(rollup, begins_buckets_at_the_epoch_in_both_directions) {
  cr_assert_eq(rollup_start_us(59999999, 60), 0);
  cr_assert_eq(rollup_start_us(60000000, 60), 60000000);
  cr_assert_eq(rollup_start_us(-1, 60), -60000000);
  cr_assert_eq(rollup_start_us(-60000000, 60), -60000000);
  cr_assert_eq(rollup_start_us(1767225600000000, 86400), 1767225600000000);
}

Test(rollup, takes_values_in_any_order) {
  rollup_t rollup = {0};

  rollup_add(&rollup, 20, 3.0);
  rollup_add(&rollup, 10, -1.0);
  rollup_add(&rollup, 30, 2.0);

  cr_assert_eq(rollup.rows, 3);
  cr_assert_eq(rollup.sum, 4.0);
  cr_assert_eq(rollup.sum2, 14.0);
  cr_assert_eq(rollup.min, -1.0);
  cr_assert_eq(rollup.max, 3.0);
  cr_assert_eq(rollup.first, -1.0);
  cr_assert_eq(rollup.last, 2.0);
  cr_assert_eq(rollup.first_us, 10);
  cr_assert_eq(rollup.last_us, 30);
}

Test(rollup, merges_into_what_one_would_have_come_to) {
  rollup_t all = {0}, even = {0}, odd = {0};
  for (int i = 0; i < 100; i++) {
    double value = (i * 37) % 100;
    rollup_add(&all, i, value);
    rollup_add(i % 2 ? &odd : &even, i, value);
  }

  rollup_merge(&odd, &even);
  rollup_merge(&odd, &(rollup_t){0});

  cr_assert_eq(odd.rows, all.rows);
  cr_assert_eq(odd.sum, all.sum);
  cr_assert_eq(odd.sum2, all.sum2);
  cr_assert_eq(odd.min, all.min);
  cr_assert_eq(odd.max, all.max);
  cr_assert_eq(odd.first, all.first);
  cr_assert_eq(odd.last, all.last);
}

static const rollup_t *find(const rollup_t *rollups, size_t count, int64_t series, int64_t start_us,
                            int32_t tier_s) {
  for (size_t i = 0; i < count; i++)
    if (rollups[i].series == series && rollups[i].start_us == start_us &&
        rollups[i].tier_s == tier_s)
      return &rollups[i];
  return NULL;
}

Test(rollup, makes_hours_and_days_of_minutes) {
  rollup_set_t *set = rollup_set_new(200);
  size_t count;
  for (int64_t minute = 0; minute < 90; minute++) {
    cr_assert(rollup_set_add(set, 1, minute * 60 * US_PER_S, 1.0));
    cr_assert(rollup_set_add(set, 2, minute * 60 * US_PER_S + 1, (double)minute));
  }

  const rollup_t *rollups = rollup_set_all(set, &count);

  cr_assert_eq(count, 2 * (90 + 2 + 1));
  cr_assert_eq(find(rollups, count, 1, 0, 3600)->rows, 60);
  cr_assert_eq(find(rollups, count, 1, 3600 * US_PER_S, 3600)->rows, 30);
  cr_assert_eq(find(rollups, count, 2, 0, 86400)->sum, 89.0 * 90.0 / 2.0);
  cr_assert_eq(find(rollups, count, 2, 0, 86400)->last, 89.0);
  rollup_set_destroy(&set);
}

Test(rollup, goes_on_after_it_was_read_and_after_it_was_cleared) {
  rollup_set_t *set = rollup_set_new(10);
  size_t count;
  cr_assert(rollup_set_add(set, 1, 0, 1.0));
  (void)rollup_set_all(set, &count);
  cr_assert(rollup_set_add(set, 1, 1, 2.0));
  const rollup_t *rollups = rollup_set_all(set, &count);
  cr_assert_eq(count, 3);
  cr_assert_eq(find(rollups, count, 1, 0, 86400)->rows, 2);

  rollup_set_clear(set);
  (void)rollup_set_all(set, &count);
  cr_assert_eq(count, 0);
  cr_assert(rollup_set_add(set, 1, 0, 5.0));
  rollups = rollup_set_all(set, &count);
  cr_assert_eq(find(rollups, count, 1, 0, 60)->sum, 5.0);
  rollup_set_destroy(&set);
}

Test(rollup, says_when_it_is_full_and_still_takes_buckets_it_has) {
  rollup_set_t *set = rollup_set_new(3);
  for (int64_t minute = 0; minute < 3; minute++)
    cr_assert(rollup_set_add(set, 1, minute * 60 * US_PER_S, 1.0));

  cr_assert_not(rollup_set_add(set, 1, 3 * 60 * US_PER_S, 1.0));
  cr_assert(rollup_set_add(set, 1, 60 * US_PER_S, 1.0));
  rollup_set_destroy(&set);
}
