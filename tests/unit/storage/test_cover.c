/* Spans cut into roll-ups and readings: whole, in order, and as coarse as the buckets allow. */
#include "cover.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define S  INT64_C(1000000)
#define HR (3600 * S)
#define DY (86400 * S)

static cover_part_t parts[COVER_PARTS_MAX];

Test(cover, takes_whole_days_in_the_middle_and_finer_tiers_at_the_edges) {
  size_t count = cover_span(DY - HR - 61 * S, 3 * DY + 2 * HR + 60 * S + 1, 86400, parts);

  static const cover_part_t expected[] = {
      {DY - HR - 61 * S, DY - HR - 60 * S, 0},
      {DY - HR - 60 * S, DY - HR, 60},
      {DY - HR, DY, 3600},
      {DY, 3 * DY, 86400},
      {3 * DY, 3 * DY + 2 * HR, 3600},
      {3 * DY + 2 * HR, 3 * DY + 2 * HR + 60 * S, 60},
      {3 * DY + 2 * HR + 60 * S, 3 * DY + 2 * HR + 60 * S + 1, 0}};
  cr_assert_eq(count, 7);
  for (size_t i = 0; i < count; i++) {
    cr_assert_eq(parts[i].from_us, expected[i].from_us, "%zu", i);
    cr_assert_eq(parts[i].to_us, expected[i].to_us, "%zu", i);
    cr_assert_eq(parts[i].tier_s, expected[i].tier_s, "%zu", i);
  }
}

Test(cover, reads_readings_where_no_tier_divides_the_bucket) {
  cr_assert_eq(cover_span(0, 10 * DY, 90, parts), 1);
  cr_assert_eq(parts[0].tier_s, 0);
  cr_assert_eq(cover_span(5, 5, 3600, parts), 0);
  cr_assert_eq(cover_span(0, 10 * DY, 120, parts), 1);
  cr_assert_eq(parts[0].tier_s, 60);
}

Test(cover, leaves_no_gap_and_no_overlap_whatever_the_span) {
  static const uint32_t BUCKETS[] = {1, 7, 60, 90, 300, 3600, 5400, 7200, 86400, 604800};
  srandom(3);
  for (unsigned i = 0; i < 100000; i++) {
    int64_t from_us = random() % (40 * DY) - 2 * DY, to_us = from_us + random() % (5 * DY);
    uint32_t bucket_s = BUCKETS[random() % 10];
    int64_t at_us = from_us;
    size_t count = cover_span(from_us, to_us, bucket_s, parts);
    cr_assert_leq(count, COVER_PARTS_MAX);
    for (size_t k = 0; k < count; k++) {
      cr_assert_eq(parts[k].from_us, at_us);
      cr_assert_gt(parts[k].to_us, at_us);
      at_us = parts[k].to_us;
      if (parts[k].tier_s == 0) continue;
      cr_assert_eq(bucket_s % (uint32_t)parts[k].tier_s, 0);
      cr_assert_eq(parts[k].from_us % (parts[k].tier_s * S), 0);
      cr_assert_eq(parts[k].to_us % (parts[k].tier_s * S), 0);
    }
    cr_assert_eq(at_us, to_us);
  }
}
