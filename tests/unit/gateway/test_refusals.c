/* What strangers are refused, counted for the audit log. */
#include "refusals.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static refusals_t refusals;
static sys_audit_t told;

static bool note(const char *key) {
  sys_audit_t row = {.actor = "unknown", .address = "10.0.0.1", .detail = "answered 401"};

  snprintf(row.action, sizeof row.action, "%s", key);
  return refusals_is_first(&refusals, key, &row);
}

Test(refusals, writes_the_first_of_a_kind_and_counts_the_rest) {
  cr_expect(note("login"));
  cr_expect_not(note("login"));
  cr_expect(note("other"));
  cr_expect_not(note("login"));

  cr_assert(refusals_next(&refusals, &told));
  cr_expect_str_eq(told.action, "login");
  cr_expect_str_eq(told.address, "10.0.0.1");
  cr_expect_str_eq(told.detail, "answered 401; and 2 more like it within 60 s");
  cr_expect_not(refusals_next(&refusals, &told), "of the other there was one");
}

Test(refusals, begins_anew_with_each_window) {
  cr_expect(note("login"));
  cr_expect_not(refusals_next(&refusals, &told));

  cr_expect(note("login"));
  cr_expect_not(refusals_next(&refusals, &told));
}

Test(refusals, counts_together_what_it_has_no_room_for) {
  char key[16];
  for (int i = 0; i < REFUSALS_MAX + 5; i++) {
    snprintf(key, sizeof key, "%d", i);
    cr_expect_eq(refusals_is_crowded(&refusals), i >= REFUSALS_MAX / 2);
    cr_expect_eq(note(key), i < REFUSALS_MAX);
  }

  cr_assert(refusals_next(&refusals, &told));
  cr_expect_not_null(strstr(told.detail, "5 more were refused"), "%s", told.detail);
  cr_expect_not(refusals_next(&refusals, &told));
  cr_expect_not(refusals_is_crowded(&refusals));
  cr_expect(note("0"));
}

Test(refusals, tells_keys_that_are_too_long_by_what_fits) {
  char key[400];
  memset(key, 'k', sizeof key - 1);
  key[sizeof key - 1] = '\0';

  cr_expect(note(key));
  key[sizeof key - 2] = 'x';
  cr_expect_not(note(key));
}
