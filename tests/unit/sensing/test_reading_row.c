/* Messages as rows, in the units of the published API. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reading_row.h"

static recorder_row_t row;
static buf_t json;

static void tear_down(void) {
  buf_fini(&json);
  row = (recorder_row_t){0};
}

TestSuite(reading_row, .fini = tear_down);

Test(reading_row, has_a_sweep_in_millimetres_and_degrees) {
  sensor_scan_t *scan = calloc(1, sizeof *scan);
  scan->ranges_count = scan->angles_count = 2;
  scan->ranges[1] = 1.234f;
  scan->angles[1] = (float)(M_PI / 2);
  scan->obstacles = 3;
  scan->rejected = 1;

  cr_assert(reading_row_scan(scan, &json, &row));

  free(scan);
  const char *text = buf_text(&json);
  cr_assert_str_eq(text, "{\"scan_data\":[0,1234],\"angles\":[0.0,90.0],\"rejected\":1,"
                         "\"obstacle_count\":3}");
  cr_assert_str_eq(row.code, "lidar");
}

Test(reading_row, takes_the_largest_sweep) {
  sensor_scan_t *scan = calloc(1, sizeof *scan);
  scan->ranges_count = scan->angles_count = 2048;
  for (int i = 0; i < 2048; i++) {
    scan->ranges[i] = 99.999f;
    scan->angles[i] = -6.2831f;
  }

  cr_assert(reading_row_scan(scan, &json, &row));

  free(scan);
  cr_assert_leq(row.json_len, 65535);
}

Test(reading_row, has_an_acceleration_with_its_turn_rate) {
  sensor_imu_t imu = {.sensor = "ACCEL_001",
                      .x = 0.5,
                      .z = 9.81,
                      .has_yaw_rate = true,
                      .yaw_rate = 0.25,
                      .moving = true,
                      .quality = 0.9};

  cr_assert(reading_row_imu(&imu, &json, &row));
  cr_assert_not_null(strstr(buf_text(&json), "\"x\":0.5"), "%s", buf_text(&json));
  cr_assert_not_null(strstr(buf_text(&json), "\"yaw_rate\":0.25"));
  cr_assert_not_null(strstr(buf_text(&json), "\"is_moving\":true"));
  cr_assert_str_eq(row.sensor, "ACCEL_001");
}

Test(reading_row, has_a_distance_in_millimetres) {
  sensor_range_t range = {
      .type = SENSOR_TYPE_PROXIMITY, .range = 0.25, .valid = true, .quality = 0.5};

  cr_assert(reading_row_range(&range, &json, &row));
  cr_assert_not_null(strstr(buf_text(&json), "\"distance\":250"), "%s", buf_text(&json));
  cr_assert_str_eq(row.code, "proximity");
  cr_assert_float_eq(row.value, 0.25, 1e-12);
}

Test(reading_row, has_no_distance_without_a_return) {
  sensor_range_t range = {.type = SENSOR_TYPE_RANGE, .range = 0, .valid = false};

  cr_assert(reading_row_range(&range, &json, &row));
  cr_assert_null(strstr(buf_text(&json), "distance"));
  cr_assert_not(row.has_value);
}

Test(reading_row, has_a_bare_value_without_json) {
  sensor_value_t value = {.sensor = "VOLT", .value = 24.5, .unit = "V"};

  reading_row_value(&value, "voltage", &row);

  cr_assert_null(row.json);
  cr_assert_str_eq(row.code, "voltage");
  cr_assert(row.has_value);
  cr_assert_str_eq(row.unit, "V");
}
