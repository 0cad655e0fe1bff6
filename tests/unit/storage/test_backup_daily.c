/* When a daily backup is due. */
#include <criterion/criterion.h>

#include "backup_daily.h"

#define DAY_S  86400u
#define HOUR_S 3600u

Test(backup_daily, is_due_from_its_hour_on_until_it_was_made) {
  uint64_t day_s = 100 * DAY_S;

  cr_assert_not(backup_is_due(day_s + 2 * HOUR_S, 3, day_s - 20 * HOUR_S));
  cr_assert(backup_is_due(day_s + 3 * HOUR_S, 3, day_s - 20 * HOUR_S));
  cr_assert_not(backup_is_due(day_s + 4 * HOUR_S, 3, day_s + 3 * HOUR_S + 5));
}

Test(backup_daily, makes_up_for_an_hour_at_which_the_machine_was_off) {
  cr_assert(backup_is_due(100 * DAY_S, 3, 98 * DAY_S));
  cr_assert(backup_is_due(100 * DAY_S, 3, 0));
}

Test(backup_daily, is_never_due_without_an_hour) {
  cr_assert_not(backup_is_due(100 * DAY_S, -1, 0));
}

Test(backup_daily, says_when_the_next_one_is_due) {
  uint64_t day_s = 100 * DAY_S;

  cr_assert_eq(backup_next_s(day_s + 4 * HOUR_S, 3, day_s + 3 * HOUR_S), day_s + 27 * HOUR_S);
  cr_assert_eq(backup_next_s(day_s + 4 * HOUR_S, 3, 0), day_s + 4 * HOUR_S);
}

Test(backup_daily, reads_its_time_from_a_name_and_passes_over_others) {
  cr_assert_eq(backup_stamp_s("gantry-19700102T000001Z.db", "db"), DAY_S + 1);
  cr_assert_eq(backup_stamp_s("gantry-19700102T000001Z.dump", "db"), 0);
  cr_assert_eq(backup_stamp_s("gantry-19700102T000001Z.db.manifest", "db"), 0);
  cr_assert_eq(backup_stamp_s("notes.db", "db"), 0);
}
