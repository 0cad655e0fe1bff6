/* One line a tag and minute, and none of the others forgotten. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "refusals.h"

#define SECOND UINT64_C(1000000000)

static refusals_t refusals;

Test(refusals, the_first_is_said_at_once_and_the_others_once_a_minute_with_their_count) {
  cr_assert_eq(refusals_note(&refusals, "5C3A1107", SECOND), 1);
  for (uint64_t i = 0; i < 599; i++)
    cr_assert_eq(refusals_note(&refusals, "5C3A1107", SECOND + i * SECOND / 10), 0);
  cr_assert_eq(refusals_note(&refusals, "5C3A1107", 61 * SECOND - 1), 0, "not yet a minute");
  cr_assert_eq(refusals_note(&refusals, "5C3A1107", 61 * SECOND), 601);
  cr_assert_eq(refusals_note(&refusals, "5C3A1107", 62 * SECOND), 0);
}

Test(refusals, each_tag_has_a_line_of_its_own) {
  cr_assert_eq(refusals_note(&refusals, "5C3A1107", SECOND), 1);
  cr_assert_eq(refusals_note(&refusals, "5C3A1108", SECOND), 1);
  cr_assert_eq(refusals_note(&refusals, "5C3A1107", 2 * SECOND), 0);
  cr_assert_eq(refusals_note(&refusals, "5C3A1108", 2 * SECOND), 0);
}

Test(refusals, of_more_tags_than_it_remembers_it_forgets_the_one_said_longest_ago) {
  char tag[16];
  for (uint64_t i = 0; i <= REFUSALS_TAGS; i++) {
    (void)snprintf(tag, sizeof tag, "%08X", (unsigned)i);
    cr_assert_eq(refusals_note(&refusals, tag, (i + 1) * SECOND), 1);
  }
  cr_assert_eq(refusals_note(&refusals, "00000001", 20 * SECOND), 0, "still known");
  cr_assert_eq(refusals_note(&refusals, "00000000", 20 * SECOND), 1, "forgotten");
}
