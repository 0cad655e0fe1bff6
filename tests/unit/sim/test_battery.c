/* The battery drains with time and motion and charges at the dock. */
#include <criterion/criterion.h>

#include "battery.h"

Test(battery, drains_faster_while_driving) {
  battery_t standing, driving;
  battery_init(&standing, 1, 0.8);
  battery_init(&driving, 1, 0.8);
  for (int i = 0; i < 3600; i++) {
    battery_step(&standing, 1.0, 0.0, 0.0, 0.0);
    battery_step(&driving, 1.0, 1.0, 0.0, 0.0);
  }

  cr_assert_lt(battery_soc(&standing), 0.8);
  cr_assert_lt(battery_soc(&driving), battery_soc(&standing) - 0.05);
  cr_assert_gt(driving.temperature_c, standing.temperature_c);
}

Test(battery, gains_charge_while_charging) {
  battery_t battery;
  battery_init(&battery, 1, 0.5);

  battery_step(&battery, 3600.0, 0.0, 0.0, 5.0);

  cr_assert_gt(battery_soc(&battery), 0.65);
  cr_assert_gt(battery.current_a, 0.0);
}

Test(battery, stays_between_empty_and_full) {
  battery_t battery;
  battery_init(&battery, 1, 2.0);
  cr_assert_eq(battery_soc(&battery), 1.0);

  battery_step(&battery, 1e7, 1.0, 0.0, 0.0);

  cr_assert_eq(battery_soc(&battery), 0.0);
}

Test(battery, sums_its_cells_to_the_pack) {
  battery_t battery;
  double sum_v = 0.0;
  battery_init(&battery, 1, 0.85);
  for (int i = 0; i < BATTERY_CELLS; i++)
    sum_v += battery_cell_v(&battery, i);

  cr_assert_float_eq(battery_pack_v(&battery), sum_v, 1e-12);
  cr_assert_float_eq(sum_v, 24.1, 0.2);
}

Test(battery, sags_under_load) {
  battery_t battery;
  battery_init(&battery, 1, 0.85);
  double rest_v = battery_pack_v(&battery);

  battery_step(&battery, 0.01, 1.0, 1.0, 0.0);

  cr_assert_lt(battery_pack_v(&battery), rest_v);
}
