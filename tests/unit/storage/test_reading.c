/* Messages as rows, in the units of the published API. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reading.h"

static row_t row;

static void tear_down(void) {
  free(row.data);
  row = (row_t){0};
}

TestSuite(reading, .fini = tear_down);

Test(reading, has_a_sweep_in_millimetres_and_degrees) {
  sensor_scan_t *scan = calloc(1, sizeof *scan);
  scan->ranges_count = scan->angles_count = 2;
  scan->ranges[1] = 1.234f;
  scan->angles[1] = (float)(M_PI / 2);
  scan->obstacles = 3;
  scan->rejected = 1;

  cr_assert(reading_from_scan(&row, scan));

  free(scan);
  cr_assert_str_eq(row.data, "{\"scan_data\":[0,1234],\"angles\":[0.0,90.0],\"rejected\":1,"
                             "\"obstacle_count\":3}");
  cr_assert_str_eq(row.reading.type, "lidar");
}

Test(reading, takes_the_largest_sweep) {
  sensor_scan_t *scan = calloc(1, sizeof *scan);
  scan->ranges_count = scan->angles_count = 2048;
  for (int i = 0; i < 2048; i++) {
    scan->ranges[i] = 99.999f;
    scan->angles[i] = -6.2831f;
  }

  cr_assert(reading_from_scan(&row, scan));

  free(scan);
  cr_assert_lt(strlen(row.data), 65535);
}

Test(reading, has_an_acceleration_with_its_turn_rate) {
  sensor_imu_t imu = {.sensor = "ACCEL_001",
                      .x = 0.5,
                      .z = 9.81,
                      .has_yaw_rate = true,
                      .yaw_rate = 0.25,
                      .moving = true,
                      .quality = 0.9};

  cr_assert(reading_from_imu(&row, &imu));
  cr_assert_not_null(strstr(row.data, "\"x\":0.5"), "%s", (char *)row.data);
  cr_assert_not_null(strstr(row.data, "\"yaw_rate\":0.25"));
  cr_assert_not_null(strstr(row.data, "\"is_moving\":true"));
  cr_assert_str_eq(row.reading.sensor, "ACCEL_001");
}

Test(reading, has_a_distance_in_millimetres) {
  sensor_range_t range = {
      .type = SENSOR_TYPE_PROXIMITY, .range = 0.25, .valid = true, .quality = 0.5};

  cr_assert(reading_from_range(&row, &range));
  cr_assert_not_null(strstr(row.data, "\"distance\":250"), "%s", (char *)row.data);
  cr_assert_str_eq(row.reading.type, "proximity");
  cr_assert_float_eq(row.reading.value, 0.25, 1e-12);
}

Test(reading, has_no_distance_without_a_return) {
  sensor_range_t range = {.type = SENSOR_TYPE_RANGE, .range = 0, .valid = false};

  cr_assert(reading_from_range(&row, &range));
  cr_assert_null(strstr(row.data, "distance"));
  cr_assert_not(row.reading.has_value);
}

Test(reading, has_a_bare_value_without_json) {
  sensor_value_t value = {.sensor = "VOLT", .value = 24.5, .unit = "V"};

  cr_assert(reading_from_value(&row, &value));
  cr_assert_null(row.data);
  cr_assert(row.reading.has_value);
  cr_assert_str_eq(row.reading.unit, "V");
}

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
