/* Token buckets. */
#include "limit.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define SECOND 1000000000ull

static limit_t limit;

static void set_up(void) {
  cr_assert_eq(limit_init(&limit, 60, 3, 16), GANTRY_OK);
}
static void tear_down(void) {
  limit_fini(&limit);
}

TestSuite(limit, .init = set_up, .fini = tear_down);

Test(limit, lets_a_burst_pass_and_then_refuses) {
  for (uint32_t i = 0; i < 3; i++) {
    limit_verdict_t verdict = limit_take(&limit, "10.0.0.1", SECOND);
    cr_expect(verdict.allowed);
    cr_expect_eq(verdict.remaining, 2 - i);
  }
  limit_verdict_t verdict = limit_take(&limit, "10.0.0.1", SECOND);

  cr_expect_not(verdict.allowed);
  cr_expect_eq(verdict.retry_s, 1);
}

Test(limit, refills_at_its_rate_up_to_the_burst) {
  for (int i = 0; i < 3; i++)
    cr_assert(limit_take(&limit, "a", SECOND).allowed);

  cr_expect_not(limit_take(&limit, "a", SECOND + SECOND / 2).allowed);
  cr_expect(limit_take(&limit, "a", 2 * SECOND + SECOND / 10).allowed);
  cr_expect_eq(limit_take(&limit, "a", 1000 * SECOND).remaining, 2);
}

Test(limit, fills_for_no_second_twice) {
  for (int i = 0; i < 3; i++)
    cr_assert(limit_take(&limit, "a", 10 * SECOND).allowed);

  cr_expect_not(limit_take(&limit, "a", 5 * SECOND).allowed, "a request that was begun earlier");
  cr_expect_not(limit_take(&limit, "a", 10 * SECOND).allowed);
  cr_expect(limit_take(&limit, "a", 11 * SECOND).allowed);
}

Test(limit, keeps_addresses_apart) {
  for (int i = 0; i < 3; i++)
    cr_assert(limit_take(&limit, "a", SECOND).allowed);

  cr_expect_not(limit_take(&limit, "a", SECOND).allowed);
  cr_expect(limit_take(&limit, "b", SECOND).allowed);
}

Test(limit, names_the_wait_of_a_slow_bucket) {
  limit_t slow;

  cr_assert_eq(limit_init(&slow, 2, 1, 16), GANTRY_OK);
  cr_assert(limit_take(&slow, "a", SECOND).allowed);
  cr_expect_eq(limit_take(&slow, "a", SECOND).retry_s, 30);
  limit_fini(&slow);
}

Test(limit, stays_bounded_under_a_flood_of_addresses) {
  char key[32];

  for (uint64_t i = 0; i < 100000; i++) {
    snprintf(key, sizeof key, "10.%d.%d.%d", (int)(i >> 16), (int)(i >> 8 & 255), (int)(i & 255));
    cr_assert(limit_take(&limit, key, SECOND + i).allowed);
  }
  cr_expect_eq(limit.capacity, 16);
}

Test(limit, survives_a_clock_at_zero_and_one_that_stands) {
  cr_expect(limit_take(&limit, "a", 0).allowed);
  cr_expect(limit_take(&limit, "a", 0).allowed);
  cr_expect(limit_take(&limit, "a", 0).allowed);
  cr_expect_not(limit_take(&limit, "a", 0).allowed);
}
