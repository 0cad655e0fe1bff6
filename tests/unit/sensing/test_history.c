/* The newest readings of one sensor. */
#include <criterion/criterion.h>

#include "history.h"

static history_t history;

static void teardown(void) {
  history_fini(&history);
}

TestSuite(history, .fini = teardown);

static void add(uint64_t number) {
  history_add(&history, &(history_row_t){.number = number});
}

Test(history, gives_the_newest_oldest_first) {
  cr_assert_eq(history_resize(&history, 3), GANTRY_OK);
  for (uint64_t i = 1; i <= 5; i++)
    add(i);

  cr_assert_eq(history.count, 3);
  cr_assert_eq(history_at(&history, 3, 0)->number, 3);
  cr_assert_eq(history_at(&history, 3, 2)->number, 5);
  cr_assert_eq(history_at(&history, 2, 0)->number, 4);
}

Test(history, gives_what_there_is_before_it_is_full) {
  cr_assert_eq(history_resize(&history, 10), GANTRY_OK);
  add(1);
  add(2);

  cr_assert_eq(history.count, 2);
  cr_assert_eq(history_at(&history, 2, 0)->number, 1);
}

Test(history, keeps_its_rows_while_its_size_stays) {
  cr_assert_eq(history_resize(&history, 4), GANTRY_OK);
  add(1);

  cr_assert_eq(history_resize(&history, 4), GANTRY_OK);
  cr_assert_eq(history.count, 1);
  cr_assert_eq(history_resize(&history, 5), GANTRY_OK);
  cr_assert_eq(history.count, 0);
}

Test(history, holds_nothing_without_room) {
  add(1);

  cr_assert_eq(history.count, 0);
}
