/* What is known of registers without asking the line. */
#include <criterion/criterion.h>

#include "values.h"

static values_t values;
static uint16_t words[2];
static uint64_t read_ns;

static void put(uint8_t line, uint8_t unit, uint16_t first, uint16_t count, const uint16_t *from,
                uint64_t now_ns) {
  values_put(&values, line, unit, (register_view_t){first, count, from}, now_ns);
}

static bool get(uint8_t line, uint8_t unit, const char *module, const char *name) {
  return values_get(&values, line, unit,
                    registers_find(registers_module(&PROFILE_OHT50, module), name), words,
                    &read_ns);
}

Test(values, what_was_never_read_is_not_known) {
  cr_assert_not(get(1, 3, "safety", "zone"));
}

Test(values, the_newest_word_and_its_time_are_kept) {
  const uint16_t first[] = {1, 0, 2}, second[] = {1, 1, 3};
  put(1, 3, 0, 3, first, 100);
  put(1, 3, 0, 3, second, 200);
  cr_assert(get(1, 3, "safety", "zone"));
  cr_assert_eq(words[0], 3);
  cr_assert_eq(read_ns, 200);
}

Test(values, lines_and_units_are_told_apart) {
  const uint16_t one[] = {1}, other[] = {2};
  put(1, 3, 2, 1, one, 100);
  put(2, 3, 2, 1, other, 100);
  cr_assert(get(1, 3, "safety", "zone"));
  cr_assert_eq(words[0], 1);
  cr_assert(get(2, 3, "safety", "zone"));
  cr_assert_eq(words[0], 2);
  cr_assert_not(get(1, 4, "safety", "zone"));
}

Test(values, a_pair_is_known_only_from_one_read) {
  const uint16_t pair[] = {0x86A0, 1}, half[] = {5};
  put(1, 4, 0x40, 2, pair, 100);
  cr_assert(get(1, 4, "travel_motor", "odometry_x"));
  cr_assert_eq(words[1], 1);
  put(1, 4, 0x40, 1, half, 200);
  cr_assert_not(get(1, 4, "travel_motor", "odometry_x"));
}

Test(values, what_does_not_fit_is_counted_and_the_rest_stays) {
  static uint16_t many[125];
  const uint16_t word[] = {7};
  put(1, 3, 2, 1, word, 50);
  for (uint16_t i = 0; i < 100; i++)
    put(3, 9, (uint16_t)(i * 125), 125, many, 60);
  cr_assert_eq(values.refused, 100u * 125u + 1u - VALUES_MAX);
  cr_assert(get(1, 3, "safety", "zone"));
  cr_assert_eq(words[0], 7);
}
