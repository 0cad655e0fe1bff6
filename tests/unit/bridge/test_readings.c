/* Values by meaning. */
#include <criterion/criterion.h>

#include "readings.h"

Test(readings, the_default_profile_has_every_one) {
  readings_t readings;
  readings_init(&readings, &PROFILE_OHT50);
  for (size_t i = 0; i < READING_COUNT; i++)
    cr_assert_not_null(readings.rows[i], "reading %zu", i);
}

Test(readings, what_the_view_holds_is_told) {
  readings_t readings;
  const uint16_t words[] = {1, 1, 4};
  register_view_t view = {.first = 0, .count = 3, .values = words};
  double value = 0.0;
  readings_init(&readings, &PROFILE_OHT50);

  cr_assert(readings_get(&readings, READING_ZONE, view, &value));
  cr_assert_float_eq(value, 4.0, 0.0);
  cr_assert(readings_has(&readings, READING_ESTOP, view));
}

Test(readings, what_the_view_lacks_leaves_the_value_alone) {
  readings_t readings;
  const uint16_t words[] = {1};
  register_view_t view = {.first = 0, .count = 1, .values = words};
  double value = 7.0;
  readings_init(&readings, &PROFILE_OHT50);

  cr_assert_not(readings_get(&readings, READING_ZONE, view, &value));
  cr_assert_float_eq(value, 7.0, 0.0);
}

Test(readings, a_profile_without_the_register_has_none) {
  static const register_module_t modules[] = {{.name = "safety", .address = 3}};
  const register_profile_t bare = {.name = "bare", .modules = modules, .module_count = 1};
  readings_t readings;
  const uint16_t words[] = {1, 1};
  register_view_t view = {.first = 0, .count = 2, .values = words};

  readings_init(&readings, &bare);

  cr_assert_not(readings_has(&readings, READING_ESTOP, view));
}
