/* The WebSocket: who gets in, what is sent, what is refused. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int status;

static void set_up(void) {
  door_open();
  door_token(STORE_ROLE_VIEWER, 600, door.token, sizeof door.token);
}

TestSuite(api_gateway_ws, .init = set_up, .fini = door_close, .timeout = 40);

static void say(int fd, const char *text) {
  door_ws_send(fd, 1, text, strlen(text));
}

static const char *expect(int fd, const char *word) {
  const char *frame = door_ws_expect(fd, word, NULL, 3000);

  cr_assert_not_null(frame, "no frame with %s", word);
  cr_assert_not_null(strstr(frame, word), "%s", word);
  return frame;
}

static int open_socket(const char *path) {
  int fd = door_ws(path, door.token, &status);

  cr_assert_eq(status, 101);
  expect(fd, "connection_established");
  return fd;
}

Test(api_gateway_ws, lets_nobody_in_without_a_token) {
  cr_expect_eq(door_ws("/ws", "", &status), -1);
  cr_expect_eq(status, 401);
  cr_expect_eq(door_ws("/ws?token=x.y.z", "", &status), -1);
  cr_expect_eq(status, 401);
  cr_expect_eq(door_ws("/ws/else", door.token, &status), -1);
  cr_expect_eq(status, 404);
  cr_expect_eq(door_request("GET", "/ws", NULL).status, 426);
}

Test(api_gateway_ws, takes_the_token_from_the_query) {
  char path[1200];

  snprintf(path, sizeof path, "/ws?token=%s", door.token);
  int fd = door_ws(path, "", &status);

  cr_expect_eq(status, 101);
  close(fd);
}

Test(api_gateway_ws, answers_pings_and_names_bad_frames_without_closing) {
  int fd = open_socket("/ws");

  say(fd, "{\"type\":\"ping\"}");
  expect(fd, "\"type\":\"pong\"");
  say(fd, "nonsense");
  expect(fd, "\"code\":\"BAD_FRAME\"");
  say(fd, "{\"type\":\"fly\"}");
  expect(fd, "\"code\":\"UNKNOWN_TYPE\"");
  say(fd, "{\"type\":\"subscribe\",\"data\":{\"types\":[\"nothing\"]}}");
  expect(fd, "\"code\":\"BAD_SUBSCRIPTION\"");
  say(fd, "{\"type\":\"ping\"}");
  expect(fd, "\"type\":\"pong\"");
  close(fd);
}

Test(api_gateway_ws, sends_positions_with_trace_and_age) {
  loc_pose_t pose = {.x = 1.5, .confidence = 0.9, .source = SYS_SOURCE_SIMULATED};
  int fd = open_socket("/ws");
  cause_t cause = cause_new(clock_mono_ns());
  char trace[40];

  say(fd, "{\"type\":\"subscribe\",\"data\":{\"types\":[\"position\"]}}");
  expect(fd, "\"subscription_type\":\"position\"");
  cr_assert(harness_heard(door.harness, door.localization->bus, "loc.pose", 2000));
  bus_publish_from(door.localization->bus, &cause, TOPIC_LOC_POSE, NULL, &pose);

  snprintf(trace, sizeof trace, "\"trace\":\"%016llx\"", (unsigned long long)cause.trace);
  const char *frame = expect(fd, "\"type\":\"position\"");
  cr_expect_not_null(strstr(frame, "\"x\":1500"));
  cr_expect_not_null(strstr(frame, trace), "%s in %s", trace, frame);
  cr_expect_not_null(strstr(frame, "\"priority\":1,\"source\":\"localization\",\"seq\":1"));
  double age_ms = -1;
  cr_expect_eq(json_get_number(frame, "born_age_ms", &age_ms), GANTRY_OK);
  cr_expect(age_ms >= 0 && age_ms < 1000, "%g", age_ms);
  close(fd);
}

Test(api_gateway_ws, limits_positions_to_twenty_a_second) {
  loc_pose_t pose = {.confidence = 0.9};
  int fd = open_socket("/ws/map");
  unsigned frames = 0;
  cr_assert(harness_heard(door.harness, door.localization->bus, "loc.pose", 2000));

  uint64_t end_ns = clock_mono_ns() + GANTRY_NS_PER_S;
  while (clock_mono_ns() < end_ns) {
    bus_publish(door.localization->bus, TOPIC_LOC_POSE, NULL, &pose);
    frames += door_ws_expect(fd, "\"type\":\"position\"", NULL, 4) != NULL;
  }

  cr_expect(frames >= 10 && frames <= 23, "%u", frames);
  close(fd);
}

Test(api_gateway_ws, subscribes_by_path_and_tells_what_holds_now) {
  int fd = open_socket("/ws/status");

  expect(fd, "\"subscription_type\":\"status\"");
  const char *frame = expect(fd, "\"type\":\"status\"");
  cr_expect_not_null(strstr(frame, "\"robot_status\":\"offline\""));
  cr_expect_not_null(strstr(frame, "\"mapping_status\":\"unavailable\""));
  close(fd);
  fd = open_socket("/ws/telemetry");
  expect(fd, "\"type\":\"telemetry\"");
  expect(fd, "\"type\":\"telemetry\"");
  say(fd, "{\"type\":\"unsubscribe\",\"subscription_type\":\"telemetry\"}");
  expect(fd, "unsubscription_confirmed");
  cr_expect_null(door_ws_expect(fd, "\"type\":\"telemetry\"", NULL, 400));
  close(fd);
}

Test(api_gateway_ws, tells_a_latched_stop_at_once) {
  robot_safety_t safety = {
      .state = ROBOT_FSM_STATE_ESTOP, .latched = true, .cause = ROBOT_CAUSE_SOFTWARE};
  int fd = open_socket("/ws/status");
  expect(fd, "\"type\":\"status\"");

  cr_assert(harness_heard(door.harness, door.bridge->bus, "robot.safety", 2000));
  bus_publish(door.bridge->bus, TOPIC_ROBOT_SAFETY, NULL, &safety);

  const char *frame = expect(fd, "\"robot_status\":\"emergency_stop\"");
  cr_expect_not_null(strstr(frame, "\"latched\":true"));
  close(fd);
}

static void publish_alerts(uint32_t count) {
  sys_alerts_t *alerts = calloc(1, sizeof *alerts);

  snprintf(alerts->service, sizeof alerts->service, "rs485-bridge");
  alerts->alerts_count = count;
  for (uint32_t i = 0; i < count; i++) {
    snprintf(alerts->alerts[i].id, sizeof alerts->alerts[i].id, "MODULE-LOST");
    snprintf(alerts->alerts[i].subject, sizeof alerts->alerts[i].subject, "module-%u", i);
    snprintf(alerts->alerts[i].message, sizeof alerts->alerts[i].message, "module %u is silent", i);
    alerts->alerts[i].severity = SYS_SEVERITY_CRITICAL;
  }
  cr_assert_eq(bus_publish(door.bridge->bus, TOPIC_ALERT, NULL, alerts), GANTRY_OK);
  free(alerts);
}

Test(api_gateway_ws, tells_commands_lamps_and_the_search_as_they_change) {
  robot_status_t status_now = {.state = ROBOT_FSM_STATE_MOVE,
                               .mode = ROBOT_MODE_AUTO,
                               .command = ROBOT_COMMAND_KIND_MOVE,
                               .command_id = 4,
                               .command_state = ROBOT_COMMAND_STATE_RUNNING,
                               .has_progress = true,
                               .progress = 0.5};
  robot_led_t led = {.system = ROBOT_LED_PATTERN_FAST};
  robot_discovery_t search = {.state = ROBOT_DISCOVERY_STATE_RUNNING, .progress = 0.25};
  int fd = open_socket("/ws/status");
  const char *first = expect(fd, "\"type\":\"status\"");
  cr_expect_null(strstr(first, "activity"), "nothing is told, nothing is shown: %s", first);
  cr_assert(harness_heard(door.harness, door.bridge->bus, "robot.discovery", 2000));

  bus_publish(door.bridge->bus, TOPIC_ROBOT_LED, NULL, &led);
  bus_publish(door.bridge->bus, TOPIC_ROBOT_DISCOVERY, NULL, &search);
  bus_publish(door.bridge->bus, TOPIC_ROBOT_STATUS, NULL, &status_now);

  const char *frame = expect(fd, "\"activity\":{\"state\":\"move\"");
  cr_expect_not_null(strstr(frame, "\"mode\":\"auto\""), "%s", frame);
  cr_expect_not_null(strstr(frame, "\"progress\":0.5"), "%s", frame);
  cr_expect_not_null(strstr(frame, "\"system\":\"fast\""), "%s", frame);
  cr_expect_not_null(strstr(frame, "\"discovery\":{\"state\":\"running\",\"progress\":0.25"));
  close(fd);
}

Test(api_gateway_ws, tells_alerts_once_when_raised_and_when_over) {
  int fd = open_socket("/ws/alerts");
  expect(fd, "subscription_confirmed");
  cr_assert(harness_heard(door.harness, door.bridge->bus, "alert.rs485-bridge", 2000));

  publish_alerts(1);
  const char *frame = expect(fd, "module 0 is silent");
  cr_expect_not_null(strstr(frame, "\"level\":\"critical\""));
  publish_alerts(2);
  frame = expect(fd, "\"type\":\"alert\"");
  cr_expect_not_null(strstr(frame, "module 1 is silent"));
  publish_alerts(0);
  expect(fd, "Over: module 0 is silent");
  expect(fd, "Over: module 1 is silent");
  close(fd);
}

Test(api_gateway_ws, tells_a_newcomer_the_alerts_that_are_active) {
  cr_assert(harness_heard(door.harness, door.bridge->bus, "alert.rs485-bridge", 2000));
  publish_alerts(60);
  harness_for(door.harness, 50);

  int fd = open_socket("/ws");
  say(fd, "{\"type\":\"subscribe\",\"subscription_type\":\"alert\"}");

  expect(fd, "module 0 is silent");
  expect(fd, "module 59 is silent");
  close(fd);
}

Test(api_gateway_ws, sends_sensor_data_and_patches) {
  static const uint8_t RUNS[] = {0, 3, 1, 1};
  static sensor_scan_t scan = {.sensor = "LIDAR_001",
                               .quality = 0.9,
                               .angles_count = 1,
                               .ranges_count = 1,
                               .ranges = {2},
                               .qualities_count = 1,
                               .qualities = {60}};
  map_patch_t patch = {.map_id = "map_1",
                       .revision = 8,
                       .previous = 7,
                       .resolution = 0.05,
                       .width = 2,
                       .height = 2,
                       .cells = {.data = RUNS, .len = sizeof RUNS}};
  sensor_range_t range = {
      .sensor = "PROX_001", .type = SENSOR_TYPE_PROXIMITY, .range = 0.5, .valid = true};
  int fd = open_socket("/ws");
  say(fd, "{\"type\":\"subscribe\",\"data\":{\"types\":[\"sensor_data\",\"map_update\"]}}");
  expect(fd, "\"subscription_type\":\"map_update\"");
  cr_assert(harness_heard(door.harness, door.sensors->bus, "sensor.scan.LIDAR_001", 2000));
  cr_assert(harness_heard(door.harness, door.sensors->bus, "sensor.range.PROX_001", 2000));
  cr_assert(harness_heard(door.harness, door.mapper->bus, "map.patch", 2000));

  bus_publish(door.sensors->bus, TOPIC_SENSOR_SCAN, "LIDAR_001", &scan);
  const char *frame = expect(fd, "LIDAR_001");
  cr_expect_not_null(
      strstr(frame, "\"scan_data\":[{\"angle\":0.00,\"distance\":2000,\"quality\":60}]"));
  bus_publish(door.sensors->bus, TOPIC_SENSOR_RANGE, "PROX_001", &range);
  frame = expect(fd, "PROX_001");
  cr_expect_not_null(strstr(frame, "\"distance\":500"));
  bus_publish(door.mapper->bus, TOPIC_MAP_PATCH, NULL, &patch);
  frame = expect(fd, "\"type\":\"map_update\"");
  cr_expect_not_null(strstr(frame, "\"occupancy_grid\":[0,3,1,1]"));
  cr_expect_not_null(strstr(frame, "\"previous\":7"));
  close(fd);
}

Test(api_gateway_ws, sends_every_family_of_sensor) {
  sensor_imu_t imu = {.sensor = "ACCEL_001", .z = 9.81};
  sensor_value_t value = {.sensor = "T_001", .value = 21.5, .unit = "C"};
  sensor_tag_t tag = {.sensor = "RFID_001", .tag = "0A1B2C3D", .signal = 0.9};
  int fd = open_socket("/ws");
  say(fd, "{\"type\":\"subscribe\",\"data\":{\"type\":\"sensor_data\"}}");
  expect(fd, "subscription_confirmed");
  cr_assert(harness_heard(door.harness, door.sensors->bus, "sensor.tag.RFID_001", 2000));

  for (int i = 0; i < 200; i++) { /* more than the gateway has room for */
    snprintf(value.sensor, sizeof value.sensor, "T_%03d", 201 - i);
    bus_publish(door.sensors->bus, TOPIC_SENSOR_VALUE, value.sensor, &value);
  }
  expect(fd, "T_002");
  bus_publish(door.sensors->bus, TOPIC_SENSOR_IMU, "ACCEL_001", &imu);
  expect(fd, "\"z\":9.81");
  snprintf(value.sensor, sizeof value.sensor, "T_001");
  bus_publish(door.sensors->bus, TOPIC_SENSOR_VALUE, "T_001", &value);
  expect(fd, "\"value\":21.5");
  bus_publish(door.sensors->bus, TOPIC_SENSOR_TAG, "RFID_001", &tag);
  expect(fd, "\"rfid_id\":\"0A1B2C3D\"");
  close(fd);
}

Test(api_gateway_ws, tells_a_newcomer_a_position_that_stands_still) {
  loc_pose_t pose = {.x = 2, .confidence = 0.9};
  cause_t old = cause_new(clock_mono_ns() - GANTRY_NS_PER_S);
  cr_assert(harness_heard(door.harness, door.localization->bus, "loc.pose", 2000));
  bus_publish_from(door.localization->bus, &old, TOPIC_LOC_POSE, NULL, &pose);
  harness_for(door.harness, 50);

  int fd = open_socket("/ws/map");

  const char *frame = expect(fd, "\"type\":\"position\"");
  cr_expect_not_null(strstr(frame, "\"stale\":true"));
  close(fd);
}

Test(api_gateway_ws, closes_when_the_token_expires) {
  char token[1100];
  uint8_t opcode = 0;
  door_token(STORE_ROLE_VIEWER, 1, token, sizeof token);
  int fd = door_ws("/ws", token, &status);
  cr_assert_eq(status, 101);
  expect(fd, "connection_established");

  const char *frame = door_ws_expect(fd, "never said", &opcode, 5000);

  cr_assert_not_null(frame);
  cr_expect_eq(opcode, 8);
  cr_expect_eq((uint8_t)frame[0] << 8 | (uint8_t)frame[1], 4001);
  close(fd);
}

Test(api_gateway_ws, closes_on_a_frame_too_large) {
  static char text[20000];
  uint8_t opcode = 0;
  int fd = open_socket("/ws");

  memset(text, 'x', sizeof text);
  door_ws_send(fd, 1, text, sizeof text);

  const char *frame = door_ws_expect(fd, "never said", &opcode, 3000);
  cr_assert_not_null(frame);
  cr_expect_eq(opcode, 8);
  cr_expect_eq((uint8_t)frame[0] << 8 | (uint8_t)frame[1], 1009);
  close(fd);
}

Test(api_gateway_ws, allows_ten_connections_a_user) {
  int sockets[10];

  for (int i = 0; i < 10; i++)
    sockets[i] = open_socket("/ws");
  cr_expect_eq(door_ws("/ws", door.token, &status), -1);
  cr_expect_eq(status, 429);
  for (int i = 0; i < 10; i++)
    close(sockets[i]);
}

Test(api_gateway_ws, gives_a_machine_that_only_delivers_nothing_to_read) {
  char token[1100];
  door_token((store_role_t)STORE_ROLE_SERVICE, 600, token, sizeof token);
  int fd = door_ws("/ws", token, &status);

  say(fd, "{\"type\":\"subscribe\",\"data\":{\"types\":[\"status\"]}}");
  expect(fd, "INSUFFICIENT_PERMISSIONS");
  close(fd);
}

Test(api_gateway_ws, tells_what_a_session_records) {
  session_session_t begun = {.session = "s2", .state = SESSION_STATE_RECORDING};
  session_status_t counted = {.session = begun, .readings = 41};
  int fd = open_socket("/ws");
  say(fd, "{\"type\":\"subscribe\",\"data\":{\"types\":[\"session\"]}}");
  expect(fd, "\"subscription_type\":\"session\"");
  cr_assert(harness_heard(door.harness, door.sensors->bus, "session.changed", 2000));
  cr_assert(harness_heard(door.harness, door.sensors->bus, "session.status", 2000));

  bus_publish(door.sensors->bus, TOPIC_SESSION_CHANGED, NULL, &begun);
  const char *frame = expect(fd, "\"type\":\"session\"");
  cr_expect_not_null(strstr(frame, "\"recording\":true"), "%s", frame);
  bus_publish(door.sensors->bus, TOPIC_SESSION_STATUS, NULL, &counted);
  expect(fd, "\"total_readings\":41");

  int late = open_socket("/ws");
  say(late, "{\"type\":\"subscribe\",\"data\":{\"types\":[\"session\"]}}");
  expect(late, "\"total_readings\":41");
  close(late);
  close(fd);
}

Test(api_gateway_ws, shows_the_objects_that_come_by_the_batch) {
  static const char OBJECT[] = "{\"brightness\":7}";
  static sensor_readings_t batch = {.series_count = 1,
                                    .series = {{.sensor = "CAM_001", .type = "camera"}},
                                    .which_count = 1,
                                    .time_count = 1,
                                    .number_count = 1,
                                    .value_count = 1,
                                    .quality_count = 1,
                                    .quality = {1},
                                    .validity_count = 1,
                                    .which_objects_count = 1,
                                    .objects = {(const uint8_t *)OBJECT, sizeof OBJECT}};
  int fd = open_socket("/ws");
  say(fd, "{\"type\":\"subscribe\",\"data\":{\"types\":[\"sensor_data\"]}}");
  expect(fd, "\"subscription_type\":\"sensor_data\"");
  cr_assert(
      harness_heard(door.harness, door.sensors->bus, "sensor.readings.sensor-processor", 2000));

  bus_publish(door.sensors->bus, TOPIC_SENSOR_READINGS, "sensor-processor", &batch);

  const char *frame = expect(fd, "\"type\":\"sensor_data\"");
  cr_expect_not_null(strstr(frame, "\"data\":{\"brightness\":7}"), "%s", frame);
  cr_expect_not_null(strstr(frame, "\"code\":\"camera\""), "%s", frame);
  close(fd);
}
