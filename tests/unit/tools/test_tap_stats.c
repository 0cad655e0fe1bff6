/* What the tap counts. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tap_stats.h"

static tap_stats_t stats;

static void open_stats(void) {
  cr_assert(tap_stats_init(&stats));
}

static void close_stats(void) {
  tap_stats_fini(&stats);
}

TestSuite(tap_stats, .init = open_stats, .fini = close_stats);

Test(tap_stats, counts_messages_and_bytes_a_topic) {
  tap_stats_add(&stats, "loc.pose", 1, 1, 100, 2.0);
  tap_stats_add(&stats, "loc.pose", 1, 2, 50, 4.0);
  tap_stats_add(&stats, "map.status", 1, 1, 10, 1.0);

  cr_assert_eq(stats.count, 2);
  cr_assert_eq(stats.topics[0].messages, 2);
  cr_assert_eq(stats.topics[0].bytes, 150);
}

Test(tap_stats, a_hole_in_the_sequence_is_a_gap) {
  tap_stats_add(&stats, "loc.pose", 1, 5, 1, 0.0);
  tap_stats_add(&stats, "loc.pose", 1, 9, 1, 0.0);

  cr_assert_eq(stats.topics[0].gaps, 3);
}

Test(tap_stats, a_restarted_producer_is_no_gap) {
  tap_stats_add(&stats, "loc.pose", 1, 500, 1, 0.0);
  tap_stats_add(&stats, "loc.pose", 2, 1, 1, 0.0);

  cr_assert_eq(stats.topics[0].gaps, 0);
}

Test(tap_stats, percentiles_come_from_the_newest_ages) {
  for (uint64_t i = 0; i < 2 * TAP_STATS_AGES; i++) {
    double age_ms = i < TAP_STATS_AGES ? 1000.0 : (double)(i % 100);
    tap_stats_add(&stats, "loc.pose", 1, i, 1, age_ms);
  }

  cr_assert_float_eq(tap_topic_age(&stats.topics[0], 0.5), 49.0, 2.0);
  cr_assert_float_eq(tap_topic_age(&stats.topics[0], 1.0), 99.0, 1e-6);
}

Test(tap_stats, topics_beyond_the_table_are_counted_together) {
  char name[32];
  for (int i = 0; i < TAP_STATS_TOPICS + 7; i++) {
    snprintf(name, sizeof name, "topic.%d", i);
    tap_stats_add(&stats, name, 1, 1, 1, 0.0);
  }

  cr_assert_eq(stats.count, TAP_STATS_TOPICS);
  cr_assert_eq(stats.untracked, 7);
}

Test(tap_stats, prints_rates_over_the_period) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  for (uint64_t i = 0; i < 20; i++)
    tap_stats_add(&stats, "loc.pose", 1, i, 1024, 3.0);

  tap_stats_print(&stats, 2.0, out);
  fclose(out);

  cr_assert_not_null(strstr(text, "loc.pose"));
  cr_assert_not_null(strstr(text, "   10.00     10.00"), "%s", text);
  free(text);
}
