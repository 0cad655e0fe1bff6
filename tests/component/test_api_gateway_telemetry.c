/* Telemetry at the door: records out of a played storage, values of a played bridge. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/json.h>
#include <stdio.h>
#include <string.h>

#define BASE "/api/v1/telemetry"

TestSuite(api_gateway_telemetry, .init = door_open_as_admin, .fini = door_close, .timeout = 30);

static answer_t expect(int status, const char *method, const char *path) {
  answer_t answer = door_request(method, path, NULL);

  cr_expect_eq(answer.status, status, "%s %s: %d %s", method, path, answer.status, answer.body);
  return answer;
}

static unsigned rows_of(const answer_t *answer) {
  unsigned count = 0;

  for (const char *at = answer->body; (at = strstr(at, "\"timestamp\"")); at++)
    count++;
  return count;
}

/* A record a second, newest first. */
enum { RECORDS = 60 };
static uint32_t records = RECORDS, records_a_page = 25, newest_s = 1000, records_read;
static const char RECORD[] = "{\"state\":\"move\",\"word\":\"moving\",\"mode\":\"auto\","
                             "\"latched\":false,\"zone\":\"none\",\"speed\":0.4,"
                             "\"setpoint\":0.5,\"charge\":0.75,\"docked\":false}";

static void on_readings(rpc_context_t *call, const void *takes, void *arg) {
  static store_readings_page_t page;
  const store_readings_get_t *get = takes;
  uint32_t from = 0;

  (void)arg;
  memset(&page, 0, sizeof page);
  cr_assert_str_eq(get->type, "telemetry", "another sensor of that name is none");
  cr_assert(!get->has_from || !get->has_to || get->from < get->to, "storage refuses that");
  if (get->has_to) from = newest_s + 1 - (uint32_t)(get->to / GANTRY_NS_PER_S);
  if (get->has_cursor) cr_assert_eq(sscanf(get->cursor, "%u", &from), 1);
  while (from < records && page.rows_count < get->limit && page.rows_count < records_a_page) {
    store_readings_row_t *row = &page.rows[page.rows_count++];
    snprintf(row->sensor, sizeof row->sensor, "robot");
    row->time = (uint64_t)(newest_s - from++) * GANTRY_NS_PER_S;
    row->has_data = true;
    row->data = (blob_t){.data = (const uint8_t *)RECORD, .len = sizeof RECORD - 1};
  }
  records_read += page.rows_count;
  if (from < records) snprintf(page.cursor, sizeof page.cursor, "%u", from);
  rpc_reply(call, &page);
}

Test(api_gateway_telemetry, history_is_what_storage_keeps) {
  stub_t *stub = door_stub(REQUEST_STORE_READINGS);
  stub->play = on_readings;

  answer_t answer = expect(200, "GET", BASE "/history?limit=2&start_time=1970-01-01T00:00:00Z");
  cr_expect_eq(rows_of(&answer), 2, "%s", answer.body);
  expect_text(
      &answer,
      "[{\"timestamp\":\"1970-01-01T00:16:40.000000Z\",\"robot_status\":\"moving\",\"mode\":"
      "\"auto\",\"motor_speed\":0.4,\"motor_setpoint\":0.5,\"safety_status\":\"normal\","
      "\"dock_status\":\"undocked\",\"battery_level\":75}");
  const store_readings_get_t *get = stub->takes;
  cr_expect_str_eq(get->sensor, "robot");
  cr_expect(get->has_from && get->from == 0 && get->limit == 2);
  answer = expect(200, "GET", BASE "/history?limit=1000");
  cr_expect_eq(rows_of(&answer), RECORDS);
}

Test(api_gateway_telemetry, history_is_thinned_by_interval_over_as_many_pages_as_it_takes) {
  door_stub(REQUEST_STORE_READINGS)->play = on_readings;

  answer_t answer = expect(200, "GET", BASE "/history?interval=10");
  cr_expect_eq(rows_of(&answer), 7, "1000, 999 to 990, ... 949 to 941: %s", answer.body);
  expect_text(&answer, "1970-01-01T00:16:39.000000Z");
  cr_expect_null(strstr(answer.body, "1970-01-01T00:16:38.000000Z"));
  cr_expect_eq(door_stub(REQUEST_STORE_READINGS)->count, 3);
}

/* A day and more: what lies between the records asked for is passed by. */
Test(api_gateway_telemetry, history_reads_little_more_than_it_gives) {
  door_stub(REQUEST_STORE_READINGS)->play = on_readings;
  records = 90000;
  records_a_page = 1000;
  newest_s = 1000000;

  answer_t answer = expect(200, "GET", BASE "/history?interval=600&limit=120");
  cr_expect_eq(rows_of(&answer), 120);
  cr_expect_lt(records_read, 400, "%u", records_read);
  answer = expect(200, "GET", BASE "/history?interval=600&limit=1000");
  cr_expect_eq(rows_of(&answer), 151, "all there are");
  answer = expect(200, "GET", BASE "/history?interval=600&start_time=1970-01-12T13:30:00Z");
  cr_expect_eq(rows_of(&answer), 2, "999600 and 999000 are the spans since: %s", answer.body);
}

Test(api_gateway_telemetry, history_without_records_is_empty_and_without_storage_unavailable) {
  door_stub(REQUEST_STORE_READINGS)->fail = GANTRY_E_NOT_FOUND;
  cr_expect_str_eq(expect(200, "GET", BASE "/history").body, "[]");
  door_stub(REQUEST_STORE_READINGS)->fail = GANTRY_E_UNAVAILABLE;
  expect(503, "GET", BASE "/history");
  expect(422, "GET", BASE "/history?limit=1001");
  expect(422, "GET", BASE "/history?interval=0");
  expect(422, "GET", BASE "/history?start_time=2026-01-02T00:00:00Z&end_time=2026-01-01T00:00:00Z");
}

Test(api_gateway_telemetry, summary_counts_what_is_kept) {
  store_state_t *state = door_stub(REQUEST_STORE_STATE)->reply;
  state->groups_count = 2;
  snprintf(state->groups[0].type, sizeof state->groups[0].type, "lidar");
  state->groups[0].readings = 100;
  snprintf(state->groups[1].type, sizeof state->groups[1].type, "telemetry");
  state->groups[1].readings = 42;
  state->groups[1].has_newest = true;
  state->groups[1].newest = 1000 * GANTRY_NS_PER_S;

  answer_t answer = expect(200, "GET", BASE "/summary");
  expect_text(&answer, "\"latest_timestamp\":\"1970-01-01T00:16:40.000000Z\"");
  expect_text(&answer, "\"total_records\":42,\"data_points\":142");
}

static char kept[512];

static void on_put(rpc_context_t *call, const void *takes, void *arg) {
  static store_setting_t setting;

  (void)arg;
  snprintf(kept, sizeof kept, "%.500s", ((const store_setting_put_t *)takes)->data);
  snprintf(setting.data, sizeof setting.data, "%s", kept);
  setting.info.version++;
  rpc_reply(call, &setting);
}

Test(api_gateway_telemetry, recorder_is_started_and_stopped_by_a_setting) {
  robot_in_force_t *in_force = door_stub(REQUEST_ROBOT_SETTINGS)->reply;
  in_force->telemetry_collected = true;
  in_force->samples = 9;
  in_force->telemetry_interval = 1000;
  door_stub(REQUEST_STORE_SETTING_GET)->fail = GANTRY_E_NOT_FOUND;
  door_stub(REQUEST_STORE_SETTING_PUT)->play = on_put;

  answer_t answer = expect(200, "POST", BASE "/collection/stop");
  expect_text(&answer, "not recorded from now on");
  cr_expect_str_eq(kept, "{\"telemetry_collected\":false}");
  answer = expect(200, "POST", BASE "/collection/start");
  expect_text(&answer, "already");
  cr_expect_str_eq(kept, "{\"telemetry_collected\":true}");
  answer = expect(200, "GET", BASE "/collection/stats");
  expect_text(&answer, "\"running\":true,\"interval_ms\":1000,\"records\":9,\"unkept\":0");
  door_stub(REQUEST_ROBOT_SETTINGS)->fail = GANTRY_E_UNAVAILABLE;
  expect(503, "GET", BASE "/collection/stats");
}

/* ---- out of memory */

static bool speed_is_known(void *arg) {
  (void)arg;
  return strstr(door_request("GET", BASE "/data/latest?source=motion", NULL).body, "0.25") != NULL;
}

Test(api_gateway_telemetry, newest_values_come_as_they_were_said) {
  robot_motion_t motion = {.speed = 0.25};
  cr_expect_str_eq(expect(200, "GET", BASE "/data/latest").body, "[]", "nothing was said yet");
  cr_assert(harness_heard(door.harness, door.bridge->bus, "robot.motion", 5000));
  bus_publish(door.bridge->bus, TOPIC_ROBOT_MOTION, NULL, &motion);
  cr_assert(door_until(speed_is_known, NULL, 5000));

  answer_t answer = expect(200, "GET", BASE "/data/latest?limit=5");
  expect_text(&answer, "[{\"source\":\"motion\",\"service\":\"rs485-bridge\",");
  expect_text(&answer, "\"speed\":0.25");
  expect(422, "GET", BASE "/data/latest?source=weather");
}

Test(api_gateway_telemetry, performance_tells_rates_as_they_are) {
  robot_motion_t motion = {.speed = 0.25};
  cr_assert(harness_heard(door.harness, door.bridge->bus, "robot.motion", 5000));
  for (int i = 0; i < 14; i++) {
    bus_publish(door.bridge->bus, TOPIC_ROBOT_MOTION, NULL, &motion);
    harness_for(door.harness, 100);
  }

  answer_t answer = expect(200, "GET", BASE "/performance");
  double rate_hz = 0;
  cr_assert_eq(sscanf(strstr(answer.body, "rate_hz"), "rate_hz\":%lf", &rate_hz), 1);
  cr_expect(rate_hz > 2 && rate_hz <= 10.5, "%g Hz", rate_hz);
  expect_text(&answer, "\"source\":\"power\",\"rate_hz\":0,\"expected_hz\":1}");
}

static bool has_scan(void *arg) {
  (void)arg;
  return door_request("GET", BASE "/lidar/scan", NULL).status == 200;
}

Test(api_gateway_telemetry, newest_sweep_comes_with_its_obstacles) {
  static sensor_scan_t scan = {.sensor = "LIDAR_001", .seq = 7, .quality = 0.5};
  expect(503, "GET", BASE "/lidar/scan");
  for (uint32_t i = 0; i < 12; i++) { /* four far, no return, five near, two alone */
    scan.angles[i] = (float)i * 0.01f;
    scan.ranges[i] = i < 4 ? 3.0f : i == 4 ? 0.0f : i < 10 ? 1.0f : (float)i;
    scan.qualities[i] = 200;
  }
  scan.angles_count = scan.ranges_count = scan.qualities_count = 12;
  cr_assert(harness_heard(door.harness, door.sensors->bus, "sensor.scan.LIDAR_001", 5000));
  bus_publish(door.sensors->bus, TOPIC_SENSOR_SCAN, "LIDAR_001", &scan);
  cr_assert(door_until(has_scan, NULL, 5000));

  answer_t answer = expect(200, "GET", BASE "/lidar/scan");
  expect_text(&answer, "\"sensor_id\":\"LIDAR_001\"");
  expect_text(&answer, "\"obstacle_count\":2,\"scan_quality\":0.5");
  expect_text(&answer, "\"obstacles\":[{\"angle\":2.864788");
  expect_text(&answer, "\"distance\":1,\"width\":0.0399");
  expect_text(&answer, "\"points\":5}");
}
