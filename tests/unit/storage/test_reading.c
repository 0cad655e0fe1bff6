/* States of the robot as rows. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "reading.h"

static row_t row;

static void tear_down(void) {
  free(row.data);
  row = (row_t){0};
}

TestSuite(reading, .fini = tear_down);

Test(reading, has_the_state_of_the_battery) {
  robot_power_t power = {.voltage = 25.5, .charge = 0.75};

  cr_assert(reading_from_power(&row, &power));
  cr_assert_not_null(strstr(row.data, "\"voltage\":25.5"), "%s", (char *)row.data);
  cr_assert_float_eq(row.reading.value, 0.75, 1e-12);
}

Test(reading, has_the_state_of_a_module) {
  robot_module_t module = {.address = 4, .name = "travel_motor", .health = 98};

  cr_assert(reading_from_module(&row, &module));
  cr_assert_str_eq(row.reading.sensor, "robot.module.4");
  cr_assert_not_null(strstr(row.data, "\"travel_motor\""));
}
