/* At most so many a second. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include <gantry/thin.h>

#define MS 1000000ull

static thin_t thin;

static uint32_t passed(const char *key, double rate_hz, uint64_t period_ms, uint32_t count) {
  uint32_t sum = 0;
  for (uint64_t i = 0; i < count; i++)
    sum += thin_pass(&thin, key, rate_hz, 1000 * MS + i * period_ms * MS);
  return sum;
}

Test(thin, lets_one_a_second_pass) {
  cr_assert_eq(passed("scan", 1, 100, 100), 10);
}

Test(thin, lets_everything_slower_pass) {
  cr_assert_eq(passed("scan", 20, 51, 100), 100);
}

Test(thin, keeps_the_mean_rate_when_rows_come_unevenly) {
  uint32_t sum = 0;
  for (uint64_t i = 0; i < 1000; i++)
    sum += thin_pass(&thin, "pose", 10, (1000 + i * 30 + (i % 3) * 7) * MS);

  cr_assert(sum >= 298 && sum <= 301, "%u", sum);
}

Test(thin, lets_nothing_pass_at_no_rate) {
  cr_assert_eq(passed("scan", 0, 100, 10), 0);
}

Test(thin, lets_all_pass_at_an_infinite_rate) {
  cr_assert_eq(passed("tag", INFINITY, 0, 10), 10);
}

Test(thin, keeps_keys_apart) {
  cr_assert(thin_pass(&thin, "a", 1, 1000 * MS));
  cr_assert(thin_pass(&thin, "b", 1, 1000 * MS));
  cr_assert_not(thin_pass(&thin, "a", 1, 1001 * MS));
}

Test(thin, says_beforehand_what_would_pass) {
  cr_assert(thin_would_pass(&thin, "a", 1, 1000 * MS));
  cr_assert(thin_pass(&thin, "a", 1, 1000 * MS));
  cr_assert_not(thin_would_pass(&thin, "a", 1, 1001 * MS));
  cr_assert(thin_would_pass(&thin, "a", 1, 2000 * MS));
  cr_assert_not(thin_would_pass(&thin, "b", 0, 2000 * MS));
  cr_assert(thin_pass(&thin, "a", 1, 2000 * MS));
}

Test(thin, reuses_the_oldest_key_when_all_are_taken) {
  char key[16];
  for (int i = 0; i <= THIN_KEYS_MAX; i++) {
    snprintf(key, sizeof key, "k%d", i);
    cr_assert(thin_pass(&thin, key, 1, 1000 * MS));
  }

  cr_assert(thin_pass(&thin, "k0", 1, 1001 * MS));
  cr_assert_not(thin_pass(&thin, "k5", 1, 1001 * MS));
}
