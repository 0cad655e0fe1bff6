/* Who may write what. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "register_rules.h"

static int64_t raw;
static char why[160];

static register_verdict_t judge(const char *module, const char *name, register_wish_t wish) {
  const register_module_t *block = registers_module(&PROFILE_OHT50, module);
  return register_judge(block, registers_find(block, name), &wish, &raw, why, sizeof why);
}

static register_wish_t raw_of(int64_t number) {
  return (register_wish_t){.access = REGISTER_ADMIN, .safety = true, .raw = number};
}

static register_wish_t value_of(double number) {
  return (register_wish_t){
      .access = REGISTER_ADMIN, .safety = true, .scaled = true, .value = number};
}

Test(register_rules, a_value_becomes_the_nearest_raw_number) {
  cr_assert_eq(judge("safety", "zone_1", value_of(0.8)), REGISTER_FINE);
  cr_assert_eq(raw, 800);
  cr_assert_eq(judge("safety", "zone_1", value_of(0.79996)), REGISTER_FINE);
  cr_assert_eq(raw, 800);
  cr_assert_eq(judge("power", "charger_voltage_set", value_of(25.2)), REGISTER_FINE);
  cr_assert_eq(raw, 252);
}

Test(register_rules, what_is_only_read_is_not_written) {
  cr_assert_eq(judge("safety", "estop", raw_of(0)), REGISTER_READ_ONLY);
  cr_assert_str_eq(why, "estop is only read");
}

Test(register_rules, a_role_below_the_register_s_is_named) {
  register_wish_t wish = raw_of(5);
  wish.access = REGISTER_USER;
  cr_assert_eq(judge("travel_motor", "motor_1_step", wish), REGISTER_ROLE);
  cr_assert_not_null(strstr(why, "role admin"), "%s", why);
  cr_assert_eq(judge("travel_motor", "motor_1_input", wish), REGISTER_FINE);
}

Test(register_rules, safety_needs_its_own_role) {
  register_wish_t wish = raw_of(900);
  wish.safety = false;
  cr_assert_eq(judge("safety", "zone_1", wish), REGISTER_ROLE);
  cr_assert_not_null(strstr(why, "safety role"), "%s", why);
}

Test(register_rules, the_range_is_told_in_the_words_of_the_asker) {
  cr_assert_eq(judge("safety", "zone_1", raw_of(10001)), REGISTER_RANGE);
  cr_assert_str_eq(why, "zone_1 takes 0 to 10000");
  cr_assert_eq(judge("safety", "zone_1", value_of(-0.1)), REGISTER_RANGE);
  cr_assert_str_eq(why, "zone_1 takes 0 to 10 m");
  cr_assert_eq(judge("system", "baud_code", value_of(6.0)), REGISTER_RANGE);
  cr_assert_str_eq(why, "baud_code takes 1 to 5");
}

Test(register_rules, what_is_no_number_is_out_of_range) {
  cr_assert_eq(judge("safety", "zone_1", value_of(NAN)), REGISTER_RANGE);
  cr_assert_eq(judge("safety", "zone_1", value_of(INFINITY)), REGISTER_RANGE);
}

Test(register_rules, nobody_lets_the_safety_module_reset_itself) {
  cr_assert_eq(judge("safety", "auto_reset", raw_of(1)), REGISTER_RESERVED);
  cr_assert_not_null(strstr(why, "stays 0"), "%s", why);
  cr_assert_eq(judge("safety", "auto_reset", raw_of(0)), REGISTER_FINE);
}

Test(register_rules, not_even_where_a_profile_would_allow_it) {
  const register_module_t *safety = registers_module(&PROFILE_OHT50, "safety");
  register_row_t row = *registers_find(safety, "auto_reset");
  register_wish_t wish = raw_of(1);
  row.max = 1;
  cr_assert_eq(register_judge(safety, &row, &wish, &raw, why, sizeof why), REGISTER_RESERVED);
}

Test(register_rules, a_signed_register_takes_its_negative_numbers) {
  cr_assert_eq(judge("dock", "pose_x", value_of(-1.5)), REGISTER_FINE);
  cr_assert_eq(raw, -1500);
}
