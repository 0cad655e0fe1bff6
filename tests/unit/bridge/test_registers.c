/* The generated profile and the numbers behind raw words. */
#include <criterion/criterion.h>

#include "registers.h"

static const register_row_t *row_of(const char *module, const char *name) {
  return registers_find(registers_module(&PROFILE_OHT50, module), name);
}

Test(registers, a_profile_is_found_by_name) {
  cr_assert_eq(registers_profile("oht50"), &PROFILE_OHT50);
  cr_assert_null(registers_profile("oht51"));
}

Test(registers, a_module_is_found_by_its_address) {
  cr_assert_str_eq(registers_module_at(&PROFILE_OHT50, 4)->name, "travel_motor");
  cr_assert_null(registers_module_at(&PROFILE_OHT50, 9));
  cr_assert_null(registers_module_at(&PROFILE_OHT50, 0));
}

Test(registers, what_the_profile_lacks_is_null) {
  cr_assert_null(row_of("power", "warp_drive"));
  cr_assert_null(row_of("galley", "pack_voltage"));
}

Test(registers, a_row_carries_its_rules) {
  const register_row_t *row = row_of("travel_motor", "motor_1_enable");
  cr_assert_eq(row->address, 1);
  cr_assert_eq(row->max, 1);
  cr_assert_eq(row->access, REGISTER_ADMIN);
  cr_assert_eq(row->flags, REGISTER_READ | REGISTER_WRITE | REGISTER_SAFETY);
}

Test(registers, a_row_knows_the_poll_that_reads_it) {
  int poll = row_of("safety", "estop")->poll;
  cr_assert_str_eq(PROFILE_OHT50.polls[poll].name, "safety");
  cr_assert_eq(row_of("safety", "adc_1")->poll, -1);
}

Test(registers, a_value_is_scaled_to_si) {
  const uint16_t words[] = {252, 0xFFEC, 850};
  register_view_t view = {.first = 0, .count = 3, .values = words};
  cr_assert_float_eq(registers_value(row_of("power", "pack_voltage"), view), 25.2, 1e-9);
  cr_assert_float_eq(registers_value(row_of("power", "pack_current"), view), -2.0, 1e-9);
  cr_assert_float_eq(registers_value(row_of("power", "charge"), view), 0.85, 1e-9);
}

Test(registers, two_words_have_the_low_one_first) {
  const uint16_t words[] = {0xFFFF, 0xFFFF, 0x86A0, 0x0001, 0, 0, 0x1234, 0x8000};
  register_view_t view = {.first = 0x40, .count = 8, .values = words};
  cr_assert_eq(registers_raw(row_of("travel_motor", "odometry_x"), view), -1);
  cr_assert_float_eq(registers_value(row_of("travel_motor", "odometry_y"), view), 10.0, 1e-9);
  cr_assert_eq(registers_raw(row_of("travel_motor", "odometry_clock"), view), 0x80001234);
}

Test(registers, half_of_a_pair_is_absent) {
  const uint16_t words[] = {1};
  register_view_t view = {.first = 0x40, .count = 1, .values = words};
  cr_assert_not(registers_has(row_of("travel_motor", "odometry_x"), view));
  cr_assert_eq(registers_raw(row_of("travel_motor", "odometry_x"), view), 0);
  cr_assert_float_eq(registers_value(row_of("travel_motor", "odometry_x"), view), 0.0, 0.0);
}

Test(registers, a_view_before_the_register_does_not_hold_it) {
  const uint16_t words[] = {1, 2};
  register_view_t view = {.first = 0x10, .count = 2, .values = words};
  cr_assert_not(registers_has(row_of("safety", "estop"), view));
  cr_assert_not(registers_has(NULL, view));
}
