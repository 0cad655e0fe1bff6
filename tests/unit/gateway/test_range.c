/* Ranges and entity tags. */
#include "range.h"

#include <criterion/criterion.h>

typedef struct range_row {
  const char *text;
  range_verdict_t verdict;
  uint64_t from, last;
} range_row_t;

Test(range, reads_what_clients_ask_for_against_a_hundred_bytes) {
  static const range_row_t ROWS[] = {
      {"bytes=0-9", RANGE_PART, 0, 9},
      {"bytes=90-", RANGE_PART, 90, 99},
      {"bytes=90-500", RANGE_PART, 90, 99},
      {"bytes=-10", RANGE_PART, 90, 99},
      {"bytes=-500", RANGE_PART, 0, 99},
      {"bytes=99-99", RANGE_PART, 99, 99},
      {"bytes=100-", RANGE_BEHIND, 100, 0},
      {"bytes=99999999999999999999999-", RANGE_BEHIND, UINT64_MAX, 0},
      {"bytes=-0", RANGE_BEHIND, 0, 0},
      {"bytes=9-0", RANGE_WHOLE, 9, 0},
      {"bytes=0-1,5-6", RANGE_WHOLE, 0, 0},
      {"lines=0-1", RANGE_WHOLE, 0, 0},
      {"bytes=a-b", RANGE_WHOLE, 0, 0},
      {"bytes=1", RANGE_WHOLE, 1, 0},
      {"bytes=1-2x", RANGE_WHOLE, 1, 0},
      {"", RANGE_WHOLE, 0, 0},
  };

  for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
    range_t range;
    cr_expect_eq(range_read(ROWS[i].text, 100, &range), ROWS[i].verdict, "%s", ROWS[i].text);
    if (ROWS[i].verdict != RANGE_PART) continue;
    cr_expect_eq(range.from, ROWS[i].from, "%s", ROWS[i].text);
    cr_expect_eq(range.last, ROWS[i].last, "%s", ROWS[i].text);
  }
}

Test(range, has_no_part_of_nothing) {
  range_t range;

  cr_expect_eq(range_read("bytes=0-", 0, &range), RANGE_BEHIND);
  cr_expect_eq(range_read("bytes=-5", 0, &range), RANGE_BEHIND);
}

Test(range, compares_tags_strongly_for_parts_and_weakly_for_the_whole) {
  cr_expect(range_tag_matches("\"a1\"", "a1", false));
  cr_expect(range_tag_matches("\"b\", \"a1\"", "a1", true));
  cr_expect(range_tag_matches("W/\"a1\"", "a1", true));
  cr_expect(range_tag_matches("*", "a1", true));
  cr_expect_not(range_tag_matches("W/\"a1\"", "a1", false));
  cr_expect_not(range_tag_matches("*", "a1", false));
  cr_expect_not(range_tag_matches("\"a\"", "a1", true));
  cr_expect_not(range_tag_matches("Wed, 21 Oct 2015 07:28:00 GMT", "a1", false));
  cr_expect_not(range_tag_matches("\"a1", "a1", true));
  cr_expect_not(range_tag_matches("", "a1", true));
}
