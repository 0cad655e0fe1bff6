/* The generated profile and the numbers behind raw words. */
#include <criterion/criterion.h>
#include <string.h>

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
  cr_assert_null(registers_module_at(&PROFILE_OHT50, 99));
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

Test(registers, a_row_knows_its_class) {
  int poll_class = row_of("safety", "estop")->poll_class;
  cr_assert_str_eq(PROFILE_OHT50.classes[poll_class].name, "safety");
  cr_assert_eq(row_of("safety", "adc_1")->poll_class, REGISTER_UNPOLLED);
}

Test(registers, the_other_profile_has_the_other_scales) {
  const uint16_t charge[] = {85}, warmth[] = {255}, floor[] = {118};
  const register_module_t *power = registers_module(registers_profile("oht50-alt"), "power");
  cr_assert_float_eq(
      registers_value(registers_find(power, "charge"), (register_view_t){2, 1, charge}), 0.85,
      1e-9);
  cr_assert_float_eq(
      registers_value(registers_find(power, "temperature"), (register_view_t){8, 1, warmth}), 25.5,
      1e-9);
  cr_assert_float_eq(
      registers_value(registers_find(power, "voltage_floor"), (register_view_t){0x4D, 1, floor}),
      11.8, 1e-9);
}

Test(registers, a_command_is_marked) {
  cr_assert_eq(row_of("system", "reset_error")->flags, REGISTER_WRITE | REGISTER_ONCE);
}

Test(registers, letters_are_read_high_byte_first) {
  const uint16_t words[] = {0x5452, 0x564C}, strange[] = {0x5400, 0x564C};
  char text[REGISTERS_TEXT4];
  registers_text(row_of("system", "module_name"), (register_view_t){0xF8, 2, words}, text);
  cr_assert_str_eq(text, "TRVL");
  registers_text(row_of("system", "module_name"), (register_view_t){0xF8, 2, strange}, text);
  cr_assert_str_eq(text, "T?VL");
}

Test(registers, a_write_of_two_words_has_the_low_one_first) {
  uint16_t words[2];
  registers_words(row_of("travel_motor", "odometry_x"), -2, words);
  cr_assert_eq(words[0], 0xFFFE);
  cr_assert_eq(words[1], 0xFFFF);
}

Test(registers, only_what_the_bridge_has_no_message_for_is_published_by_itself) {
  char id[64];
  const register_module_t *air = registers_module(&PROFILE_OHT50, "environment");
  const register_module_t *power = registers_module(&PROFILE_OHT50, "power");
  register_row_t named = *registers_find(power, "rail_5v_voltage");
  named.sensor = "RAIL_5V";

  cr_assert(registers_sensor(air, registers_find(air, "humidity"), id, sizeof id));
  cr_assert_str_eq(id, "environment_humidity");
  cr_assert_not(registers_sensor(power, registers_find(power, "rail_5v_voltage"), id, sizeof id));
  cr_assert(registers_sensor(power, &named, id, sizeof id));
  cr_assert_str_eq(id, "RAIL_5V");
}

Test(registers, the_built_in_profiles_can_drive) {
  char why[200];
  cr_assert(registers_can_drive(&PROFILE_OHT50, why, sizeof why));
  cr_assert(registers_can_drive(&PROFILE_OHT50_ALT, why, sizeof why));
}

Test(registers, motors_that_nobody_hears_or_that_differ_cannot_drive) {
  char why[200];
  register_profile_t lame = PROFILE_OHT50;
  register_motor_t motors[2] = {PROFILE_OHT50.motors[0], PROFILE_OHT50.motors[1]};
  lame.motors = motors;
  motors[1].full_scale = 100;
  cr_assert_not(registers_can_drive(&lame, why, sizeof why));
  cr_assert_not_null(strstr(why, "full_scale differs"), "%s", why);
  motors[1].full_scale = motors[0].full_scale;
  motors[1].module = 1; /* power */
  cr_assert_not(registers_can_drive(&lame, why, sizeof why));
  cr_assert_not_null(strstr(why, "call it travel_motor"), "%s", why);
}

Test(registers, a_profile_without_estop_or_motors_cannot_drive) {
  register_profile_t lame = PROFILE_OHT50;
  char why[200];
  lame.motor_count = 0;
  cr_assert_not(registers_can_drive(&lame, why, sizeof why));
  cr_assert_not_null(strstr(why, "motor is missing"));
  lame = PROFILE_OHT50;
  register_module_t modules[8];
  memcpy(modules, PROFILE_OHT50.modules, sizeof modules);
  modules[1].row_count = 0; /* power */
  lame.modules = modules;
  cr_assert_not(registers_can_drive(&lame, why, sizeof why));
  cr_assert_not_null(strstr(why, "module.power: nothing of it is polled"), "%s", why);
  lame = PROFILE_OHT50;
  lame.module_count = 2; /* system and power */
  cr_assert_not(registers_can_drive(&lame, why, sizeof why));
  cr_assert_not_null(strstr(why, "module.safety.register.estop is missing"));
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
