/* Percentiles of the last ten seconds. */
#include "recent.h"

#include <criterion/criterion.h>

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

static recent_t recent;

static double share(uint64_t now_ns, double part) {
  double ms = -1;

  return recent_share(&recent, now_ns, part, &ms) ? ms : -1;
}

Test(recent, knows_nothing_when_nothing_happened) {
  cr_expect_float_eq(share(S, 0.5), -1, 0);
}

Test(recent, finds_percentiles_within_an_eighth) {
  for (uint64_t i = 1; i <= 1000; i++)
    recent_add(&recent, 5 * S, i * MS);

  cr_expect_eq(recent_count(&recent, 5 * S), 1000);
  cr_expect_float_eq(share(5 * S, 0.50), 500, 500 / 8.0);
  cr_expect_float_eq(share(5 * S, 0.95), 950, 950 / 8.0);
  cr_expect_float_eq(share(5 * S, 0.99), 990, 990 / 8.0);
}

Test(recent, forgets_what_is_ten_seconds_old_second_by_second) {
  recent_add(&recent, 100 * S, 500 * MS);
  recent_add(&recent, 105 * S, 1 * MS);

  cr_expect_eq(recent_count(&recent, 109 * S), 2);
  cr_expect_eq(recent_count(&recent, 110 * S), 1);
  cr_expect_lt(share(110 * S, 0.95), 2);
  cr_expect_eq(recent_count(&recent, 500 * S), 0);
}

Test(recent, keeps_what_is_shorter_and_longer_than_its_buckets) {
  recent_add(&recent, S, 0);
  recent_add(&recent, S, UINT64_MAX / 2);

  cr_expect_lt(share(S, 0.5), 0.002);
  cr_expect_gt(share(S, 1.0), 100000);
}
