/* Which numbers of a producer have come. */
#include <criterion/criterion.h>

#include "numbers.h"

static numbers_t numbers;

/* Judges and notes a reading that is taken unless it is repeated. */
static numbers_verdict_t come(uint64_t number, uint64_t time_ns) {
  numbers_verdict_t verdict = numbers_judge(&numbers, number, time_ns);
  numbers_note(&numbers, verdict, number, time_ns, true);
  return verdict;
}

Test(numbers, count_on) {
  cr_assert_eq(come(17, 1), NUMBERS_NEXT);
  cr_assert_eq(come(18, 2), NUMBERS_NEXT);
  cr_assert_eq(come(18, 3), NUMBERS_REPEATED);
  cr_assert_eq(come(20, 4), NUMBERS_SKIPPED);
  cr_assert_eq(come(19, 3), NUMBERS_BEHIND);
  cr_assert_eq(come(19, 3), NUMBERS_REPEATED);
  cr_assert_eq(come(21, 5), NUMBERS_NEXT);
}

Test(numbers, know_every_one_in_the_window_and_none_twice) {
  for (uint64_t i = 1; i <= 3 * NUMBERS_WINDOW; i++)
    if (i % 3) come(i, i);

  uint64_t greatest = numbers.greatest;
  for (uint64_t i = greatest - NUMBERS_WINDOW + 1; i <= greatest; i++)
    cr_assert_eq(numbers_judge(&numbers, i, i), i % 3 ? NUMBERS_REPEATED : NUMBERS_BEHIND,
                 "number %lu", (unsigned long)i);
  cr_assert_eq(numbers_judge(&numbers, greatest - NUMBERS_WINDOW, 1), NUMBERS_REPEATED);
}

Test(numbers, forget_the_old_ones_after_a_leap) {
  come(5, 1);
  come(5 + NUMBERS_WINDOW, 2);

  cr_assert_eq(come(6 + NUMBERS_WINDOW, 3), NUMBERS_NEXT);
  cr_assert_eq(come(6, 1), NUMBERS_REPEATED); /* too old to tell */
  cr_assert_eq(come(200, 2), NUMBERS_BEHIND);
}

Test(numbers, begin_anew_with_a_producer_that_does) {
  for (uint64_t i = 1; i <= 100; i++)
    come(i, i);

  cr_assert_eq(come(1, 101), NUMBERS_ANEW);

  cr_assert_eq(come(2, 102), NUMBERS_NEXT);
  cr_assert_eq(come(1, 101), NUMBERS_REPEATED);
}

Test(numbers, a_refused_reading_came_but_may_come_again) {
  come(1, 1);
  numbers_note(&numbers, numbers_judge(&numbers, 2, 2), 2, 2, false);

  cr_assert_eq(numbers_judge(&numbers, 3, 3), NUMBERS_NEXT);
  cr_assert_eq(come(2, 2), NUMBERS_BEHIND);
}

Test(numbers, a_refused_reading_does_not_begin_the_count_anew) {
  for (uint64_t i = 1; i <= 10; i++)
    come(i, i);

  numbers_note(&numbers, numbers_judge(&numbers, 1, 50), 1, 50, false);

  cr_assert_eq(come(10, 10), NUMBERS_REPEATED);
  cr_assert_eq(come(11, 51), NUMBERS_NEXT);
}

Test(numbers, stand_the_greatest_there_is) {
  come(1, 1);
  cr_assert_eq(come(UINT64_MAX, 2), NUMBERS_SKIPPED);
  cr_assert_eq(come(UINT64_MAX, 2), NUMBERS_REPEATED);
  cr_assert_eq(come(2, 3), NUMBERS_ANEW);
}
