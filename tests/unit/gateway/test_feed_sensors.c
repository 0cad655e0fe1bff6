/* Payloads of sensor_data frames. */
#include "feed_sensors.h"

#include <criterion/criterion.h>
#include <string.h>

static buf_t json;
static http_ws_sensor_t out;

static void tear_down(void) {
  buf_fini(&json);
}

TestSuite(feed_sensors, .fini = tear_down);

static void expect_data(const char *text) {
  cr_expect_eq(out.data.len, strlen(text), "%.*s", (int)out.data.len, out.data.data);
  cr_expect_eq(memcmp(out.data.data, text, out.data.len), 0, "%.*s", (int)out.data.len,
               out.data.data);
}

Test(feed_sensors, writes_a_scan_in_degrees_and_millimetres_without_empty_rays) {
  static sensor_scan_t scan = {.sensor = "LIDAR_001",
                               .quality = 0.5,
                               .seq = 9,
                               .obstacles = 1,
                               .angles_count = 3,
                               .angles = {0, 1.5707964f, 3},
                               .ranges_count = 3,
                               .ranges = {1.25f, 0, 2},
                               .qualities_count = 3,
                               .qualities = {50, 0, 60}};

  feed_scan(&scan, &json, &out);

  expect_data(
      "{\"scan_data\":[{\"angle\":0.00,\"distance\":1250,\"quality\":50},"
      "{\"angle\":171.89,\"distance\":2000,\"quality\":60}],\"obstacle_count\":1,\"seq\":9}");
  cr_expect_eq(out.sensor_type, SENSOR_TYPE_LIDAR);
  cr_expect_str_eq(out.sensor_id, "LIDAR_001");
}

Test(feed_sensors, leaves_out_a_yaw_rate_that_nobody_measured) {
  sensor_imu_t imu = {.sensor = "ACCEL_001", .x = 0.5, .z = 9.81, .moving = true};

  feed_imu(&imu, &json, &out);
  expect_data("{\"x\":0.5,\"y\":0,\"z\":9.81,\"is_moving\":true}");
  imu.has_yaw_rate = true;
  imu.yaw_rate = 0.25;
  feed_imu(&imu, &json, &out);
  expect_data("{\"x\":0.5,\"y\":0,\"z\":9.81,\"yaw_rate\":0.25,\"is_moving\":true}");
}

Test(feed_sensors, gives_no_distance_without_a_return) {
  sensor_range_t range = {
      .sensor = "PROX_001", .type = SENSOR_TYPE_PROXIMITY, .range = 0.5, .valid = true};

  feed_range(&range, &json, &out);
  expect_data("{\"distance\":500,\"valid\":true,\"obstacle_detected\":false}");
  range.valid = false;
  feed_range(&range, &json, &out);
  expect_data("{\"valid\":false,\"obstacle_detected\":false}");
}

Test(feed_sensors, writes_values_and_tags) {
  sensor_value_t value = {.sensor = "T1", .value = 21.5, .unit = "C"};
  sensor_tag_t tag = {.sensor = "RFID_001", .tag = "0A1B2C3D", .signal = 0.75, .confidence = 0.5};

  feed_value(&value, &json, &out);
  expect_data("{\"value\":21.5,\"unit\":\"C\"}");
  feed_tag(&tag, &json, &out);
  expect_data("{\"rfid_id\":\"0A1B2C3D\",\"signal_strength\":0.75,\"position_confidence\":0.5}");
}

Test(feed_sensors, finds_the_objects_of_a_batch_that_have_no_topic_of_their_own) {
  static const char OBJECTS[] = "{\"scan\":1}\0{\"brightness\":7}\0{\"brightness\":8}";
  static sensor_readings_t batch = {
      .series_count = 3,
      .series = {{.sensor = "LIDAR_001", .type = "lidar"},
                 {.sensor = "CAM_001", .type = "camera", .session = "s1"},
                 {.sensor = "FORCE_001", .type = "force"}},
      .which_count = 4,
      .which = {0, 2, 1, 1},
      .time_count = 4,
      .time = {1, 2, 3, 4},
      .quality_count = 4,
      .quality = {1, 1, 0.5f, 1},
      .validity_count = 4,
      .validity = {0, 0, 1, 0},
      .which_objects_count = 3,
      .which_objects = {0, 2, 3},
      .objects = {.data = (const uint8_t *)OBJECTS, .len = sizeof OBJECTS}};
  feed_object_t object = {0};

  cr_assert(feed_next_object(&batch, &object));
  feed_object(&batch, &object, &out);
  expect_data("{\"brightness\":7}");
  cr_expect_str_eq(out.sensor_id, "CAM_001");
  cr_expect_str_eq(out.code, "camera");
  cr_expect_str_eq(out.session_id, "s1");
  cr_expect_eq(out.status, SENSOR_VALIDITY_WARNING);
  cr_expect_eq(out.timestamp, 3);
  cr_expect(feed_next_object(&batch, &object));
  cr_expect_not(feed_next_object(&batch, &object));

  object = (feed_object_t){0};
  batch.which_objects[0] = 900; /* a row that is not there */
  cr_expect_not(feed_next_object(&batch, &object));
}
