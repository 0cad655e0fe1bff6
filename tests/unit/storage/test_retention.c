/* Ages and the rhythm of deletion. */
#include <criterion/criterion.h>

#include "retention.h"

Test(retention, cuts_off_by_age) {
  cr_assert_eq(retention_cutoff_us(1, 100 * 86400000000u), 99 * 86400000000u);
  cr_assert_eq(retention_cutoff_us(30, 86400000000u), 0);
}

Test(retention, begins_a_minute_after_the_start) {
  retention_clock_t clock = retention_clock_init(5000);

  cr_assert_not(retention_clock_due(&clock, 64999));
  cr_assert(retention_clock_due(&clock, 65000));
}

Test(retention, goes_on_in_steps_while_there_is_something_to_delete) {
  retention_clock_t clock = retention_clock_init(0);

  retention_clock_note(&clock, 60000, 500);

  cr_assert(retention_clock_due(&clock, 60100));
}

Test(retention, rests_a_day_when_nothing_is_left) {
  retention_clock_t clock = retention_clock_init(0);

  retention_clock_note(&clock, 60000, 0);

  cr_assert_not(retention_clock_due(&clock, 60000 + 86399999));
  cr_assert(retention_clock_due(&clock, 60000 + 86400000));
}
