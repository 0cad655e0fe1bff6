/* Levels of a filling disk. */
#include <criterion/criterion.h>

#include "disk_guard.h"

static disk_guard_t guard;

static void set_up(void) {
  guard = (disk_guard_t){.limits = {.warning = 85, .purge = 92, .read_only = 97}};
}

TestSuite(disk_guard, .init = set_up);

Test(disk_guard, rises_at_its_limits) {
  static const struct {
    double used;
    disk_level_t level;
  } ROWS[] = {{84.9, DISK_OK},      {85, DISK_WARNING},   {91.9, DISK_WARNING}, {92, DISK_PURGING},
              {96.9, DISK_PURGING}, {97, DISK_READ_ONLY}, {100, DISK_READ_ONLY}};
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
    cr_expect_eq(disk_guard_note(&guard, ROWS[i].used, 0), ROWS[i].level, "%g", ROWS[i].used);
}

Test(disk_guard, falls_only_a_margin_below_a_limit) {
  static const struct {
    double used;
    disk_level_t level;
  } ROWS[] = {{98, DISK_READ_ONLY}, {95, DISK_READ_ONLY}, {94.9, DISK_PURGING}, {90, DISK_PURGING},
              {89.9, DISK_WARNING}, {83, DISK_WARNING},   {82.9, DISK_OK}};
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
    cr_expect_eq(disk_guard_note(&guard, ROWS[i].used, 0), ROWS[i].level, "%g", ROWS[i].used);
}

Test(disk_guard, jumps_over_levels) {
  cr_assert_eq(disk_guard_note(&guard, 99, 0), DISK_READ_ONLY);
  cr_assert_eq(disk_guard_note(&guard, 10, 0), DISK_OK);
}

Test(disk_guard, tries_again_some_time_after_a_write_found_no_room) {
  disk_guard_full(&guard, 1000);

  cr_assert_eq(guard.level, DISK_READ_ONLY);
  cr_assert_eq(disk_guard_note(&guard, 10, 1000 + DISK_RETRY_NS - 1), DISK_READ_ONLY);
  cr_assert_eq(disk_guard_note(&guard, 10, 1000 + DISK_RETRY_NS), DISK_OK);
}
