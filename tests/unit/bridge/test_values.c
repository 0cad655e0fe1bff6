/* What is known of registers without asking the line. */
#include <criterion/criterion.h>

#include "values.h"

static values_t values;
static uint16_t words[2];
static uint64_t read_ns;

static void put(uint8_t line, uint8_t unit, uint16_t first, uint16_t count, const uint16_t *from,
                uint64_t now_ns) {
  values_put(&values, line, unit, registers_module_at(&PROFILE_OHT50, unit),
             (register_view_t){first, count, from}, now_ns);
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

Test(values, half_of_a_pair_does_not_touch_it) {
  const uint16_t pair[] = {0x86A0, 1}, half[] = {5};
  put(1, 4, 0x40, 2, pair, 100);
  cr_assert(get(1, 4, "travel_motor", "odometry_x"));
  cr_assert_eq(words[1], 1);
  put(1, 4, 0x40, 1, half, 200);
  cr_assert(get(1, 4, "travel_motor", "odometry_x"));
  cr_assert_eq(words[0], 0x86A0);
  cr_assert_eq(read_ns, 100);
}

Test(values, what_no_profile_names_takes_no_room) {
  static uint16_t many[125];
  const uint16_t word[] = {7};
  for (uint32_t i = 0; i < 200; i++)
    put(1, 3, (uint16_t)(0x1000 + i * 125), 125, many, 60);
  put(1, 3, 2, 1, word, 70);
  cr_assert_eq(values.refused, 0);
  cr_assert(get(1, 3, "safety", "zone"));
  cr_assert_eq(words[0], 7);
}

Test(values, what_does_not_fit_is_counted_and_the_rest_stays) {
  static uint16_t many[125];
  static register_row_t rows[125];
  const register_module_t large = {.rows = rows, .row_count = 125};
  const uint16_t word[] = {7};
  for (uint16_t i = 0; i < 125; i++)
    rows[i] = (register_row_t){.address = i, .words = 1};
  put(1, 3, 2, 1, word, 50);
  for (uint8_t unit = 1; unit <= 100; unit++)
    values_put(&values, 3, unit, &large, (register_view_t){0, 125, many}, 60);
  cr_assert_eq(values.refused, 100u * 125u + 1u - VALUES_MAX);
  cr_assert(get(1, 3, "safety", "zone"));
  cr_assert_eq(words[0], 7);
}
