/* The table of modules: who has a row. */
#include <criterion/criterion.h>

#include "modules.h"

static const uint64_t now_ns = UINT64_C(1000000000);
static modules_t modules;

static void set_up(void) {
  modules_init(&modules, &PROFILE_OHT50, 2, 5, true);
}

TestSuite(module_rows, .init = set_up);

Test(module_rows, nothing_has_a_row_where_nothing_is_expected) {
  modules_init(&modules, &PROFILE_OHT50, 2, 5, false);
  cr_assert_eq(modules.count, 0);
}

Test(module_rows, optional_modules_have_no_row_before_they_answer) {
  modules_init(&modules, &PROFILE_OHT50, 2, 200, true);
  cr_assert_eq(modules.count, 4);
}

Test(module_rows, nobody_unknown_can_be_quarantined) {
  cr_assert_not(modules_quarantine(&modules, 77, true, now_ns));
}

Test(module_rows, what_is_remembered_counts_as_unknown) {
  const module_seed_t seed = {
      .address = 9, .identified = true, .type = 9, .firmware = 0x0102, .letters = "RFID"};
  modules_seed(&modules, &seed);
  modules_restart(&modules, now_ns);
  cr_assert_eq(modules_at(&modules, 9)->state, MODULE_UNKNOWN);
  cr_assert_eq(modules_at(&modules, 9)->firmware, 0x0102);
  cr_assert_not(modules_at(&modules, 9)->mandatory);
}

Test(module_rows, a_full_table_takes_no_more) {
  for (unsigned i = 0; i < 100; i++)
    (void)modules_add(&modules, (uint8_t)(10 + i));
  cr_assert_eq(modules.count, MODULES_MAX);
  cr_assert_null(modules_add(&modules, 200));
  cr_assert_not_null(modules_add(&modules, 4), "one that is there needs no room");
  modules_remove(&modules, 3);
  cr_assert_eq(modules.count, MODULES_MAX - 1);
  cr_assert_null(modules_at(&modules, 3));
  cr_assert_not_null(modules_at(&modules, 4));
}
