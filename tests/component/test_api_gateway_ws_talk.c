/* What is said over a WebSocket: requests, log lines, lines and modules, rates, what was missed. */
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
  door_token(STORE_ROLE_ADMIN, 600, door.token, sizeof door.token);
}

static void set_up_packed(void) {
  door_open_with((const char *[]){"ws_deflate=true", NULL});
  door_token(STORE_ROLE_ADMIN, 600, door.token, sizeof door.token);
}

TestSuite(api_gateway_ws_talk, .init = set_up, .fini = door_close, .timeout = 40);

static void say(int fd, const char *text) {
  door_ws_send(fd, 1, text, strlen(text));
}

static const char *expect(int fd, const char *word) {
  const char *frame = door_ws_expect(fd, word, NULL, 3000);

  cr_assert_not_null(frame, "no frame with %s", word);
  return frame;
}

static void expect_both(int fd, const char *word, const char *other) {
  const char *frame = expect(fd, word);

  cr_expect_not_null(strstr(frame, other), "%s in %s", other, frame);
}

static int open_as(store_role_t role, const char *path) {
  char token[1100];

  door_token(role, 600, token, sizeof token);
  int fd = door_ws(path, token, &status);
  cr_assert_eq(status, 101);
  expect(fd, "connection_established");
  return fd;
}

/* ---- requests */

Test(api_gateway_ws_talk, starts_a_map_for_those_who_may) {
  map_started_t *started = door_stub(REQUEST_MAP_START)->reply;
  snprintf(started->map_id, sizeof started->map_id, "map_0000beef");
  int viewer = open_as(STORE_ROLE_VIEWER, "/ws/map"), admin = open_as(STORE_ROLE_ADMIN, "/ws/map");

  say(viewer, "{\"type\":\"start_mapping\",\"data\":{\"map_name\":\"hall\"}}");
  expect_both(viewer, "\"type\":\"map_error\"", "INSUFFICIENT_PERMISSIONS");
  cr_expect_eq(door_stub(REQUEST_MAP_START)->count, 0);
  say(admin, "{\"type\":\"start_mapping\",\"data\":{\"map_name\":\"\"}}");
  expect_both(admin, "\"type\":\"map_error\"", "map_name");
  say(admin, "{\"type\":\"start_mapping\",\"data\":{\"map_name\":\"hall\"}}");
  expect_both(admin, "\"type\":\"mapping_started\"", "map_0000beef");

  const map_start_t *takes = door_stub(REQUEST_MAP_START)->takes;
  cr_expect_str_eq(takes->name, "hall");
  close(viewer);
  close(admin);
}

Test(api_gateway_ws_talk, hands_commands_to_the_robot_in_the_callers_name) {
  stub_t *stub = door_stub(REQUEST_ROBOT_COMMAND);
  robot_status_t *reply = stub->reply;
  reply->command_id = 7;
  int viewer = open_as(STORE_ROLE_VIEWER, "/ws"), admin = open_as(STORE_ROLE_ADMIN, "/ws");

  say(viewer, "{\"type\":\"robot_control\",\"command\":\"dock\"}");
  expect_both(viewer, "\"type\":\"robot_control_response\"", "INSUFFICIENT_PERMISSIONS");
  say(admin, "{\"type\":\"robot_control\",\"command\":\"fly\"}");
  expect_both(admin, "\"type\":\"robot_control_response\"", "command_type");
  say(admin, "{\"type\":\"robot_control\",\"data\":{\"command\":\"dock\"}}");
  expect_both(admin, "\"type\":\"robot_control_response\"", "\"success\":true");

  cr_expect_eq(stub->count, 1);
  cr_expect_str_neq(stub->actor, "service:api-gateway");
  close(viewer);
  close(admin);
}

Test(api_gateway_ws_talk, outlives_a_client_that_asks_and_goes) {
  door_stub(REQUEST_ROBOT_COMMAND)->silent = true;
  int fd = open_as(STORE_ROLE_ADMIN, "/ws");

  for (int i = 0; i < 5; i++)
    say(fd, "{\"type\":\"robot_control\",\"command\":\"dock\"}");
  expect_both(fd, "\"type\":\"error\"", "BUSY");
  close(fd);
  harness_for(door.harness, 100);

  cr_expect_eq(door_request("GET", "/health/fast", NULL).status, 200);
}

/* ---- log lines */

static void write_line(sys_log_level_t level, const char *text) {
  sys_log_line_t line = {.time = 1000 * GANTRY_NS_PER_S, .level = level};

  snprintf(line.id, sizeof line.id, "TEST");
  snprintf(line.message, sizeof line.message, "%s", text);
  cr_assert_eq(bus_publish(door.mapper->bus, TOPIC_LOG, NULL, &line), GANTRY_OK);
}

Test(api_gateway_ws_talk, sends_log_lines_from_the_level_that_a_client_wants) {
  cr_assert(harness_heard(door.harness, door.mapper->bus, "log.mapper", 5000));
  int fd = open_as(STORE_ROLE_ADMIN, "/ws/logs");
  expect(fd, "\"subscription_type\":\"log\"");

  write_line(SYS_LOG_LEVEL_INFO, "a quiet line");
  write_line(SYS_LOG_LEVEL_WARN, "a loud line");
  const char *frame = expect(fd, "line\"");
  cr_expect_not_null(strstr(frame, "a loud line"), "%s", frame);
  cr_expect_not_null(strstr(frame, "\"type\":\"log\""));
  say(fd, "{\"type\":\"set_log_level\",\"level\":\"INFO\"}");
  expect_both(fd, "log_level_set", "\"level\":\"info\"");
  write_line(SYS_LOG_LEVEL_INFO, "another quiet line");
  expect(fd, "another quiet line");
  say(fd, "{\"type\":\"get_recent_logs\",\"data\":{\"level\":\"warn\",\"limit\":5}}");
  frame = expect(fd, "\"type\":\"recent_logs\"");
  cr_expect_not_null(strstr(frame, "a loud line"), "%s", frame);
  cr_expect_null(strstr(frame, "quiet"), "%s", frame);
  close(fd);
}

/* ---- lines and modules */

static void tell_module(robot_module_status_t state) {
  robot_module_t module = {.address = 2, .name = "power", .status = state};

  cr_assert_eq(bus_publish(door.bridge->bus, TOPIC_ROBOT_MODULE, "2", &module), GANTRY_OK);
}

Test(api_gateway_ws_talk, tells_what_hangs_on_the_lines_and_what_changes) {
  robot_discovery_t discovery = {.state = ROBOT_DISCOVERY_STATE_RUNNING, .progress = 0.1};
  cr_assert(harness_heard(door.harness, door.bridge->bus, "robot.module.2", 5000));
  cr_assert(harness_heard(door.harness, door.bridge->bus, "robot.discovery", 5000));
  int fd = open_as(STORE_ROLE_ADMIN, "/ws/rs485");
  expect_both(fd, "\"type\":\"rs485_initial\"", "\"bus_health\":{\"status\":\"");

  tell_module(ROBOT_MODULE_STATUS_HEALTHY);
  expect_both(fd, "\"type\":\"module_status_change\"", "\"name\":\"power\"");
  tell_module(ROBOT_MODULE_STATUS_LOST);
  expect_both(fd, "\"type\":\"module_status_change\"", "\"previous\":\"healthy\"");
  bus_publish(door.bridge->bus, TOPIC_ROBOT_DISCOVERY, NULL, &discovery);
  expect_both(fd, "\"type\":\"scan_status_change\"", "\"is_running\":true");
  discovery.progress = 0.5;
  bus_publish(door.bridge->bus, TOPIC_ROBOT_DISCOVERY, NULL, &discovery);
  expect_both(fd, "\"type\":\"discovery_progress\"", "\"progress\":50");
  say(fd, "{\"type\":\"get_modules\"}");
  expect_both(fd, "\"type\":\"rs485_modules\"", "\"name\":\"power\"");
  expect(fd, "\"type\":\"telemetry_update\"");
  close(fd);
}

/* ---- first frames of the paths */

Test(api_gateway_ws_talk, greets_each_path_with_what_holds_there) {
  static const char *const ROWS[][2] = {{"/ws/telemetry", "\"type\":\"telemetry_update\""},
                                        {"/ws/status", "\"type\":\"status_update\""},
                                        {"/ws/monitoring", "\"type\":\"system_health\""},
                                        {"/ws/alerts", "\"type\":\"active_alerts_update\""},
                                        {"/ws/map", "Nothing is heard of the mapper"}};

  for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
    int fd = open_as(STORE_ROLE_ADMIN, ROWS[i][0]);
    expect(fd, ROWS[i][1]);
    close(fd);
  }
}

/* ---- rates */

Test(api_gateway_ws_talk, sends_no_more_positions_than_a_client_wants) {
  loc_pose_t pose = {.confidence = 0.9};
  unsigned frames = 0;
  int fd = open_as(STORE_ROLE_ADMIN, "/ws");
  say(fd, "{\"type\":\"subscribe\",\"data\":{\"types\":[\"position\"],\"max_hz\":4}}");
  expect(fd, "\"subscription_type\":\"position\"");
  cr_assert(harness_heard(door.harness, door.localization->bus, "loc.pose", 2000));

  uint64_t end_ns = clock_mono_ns() + GANTRY_NS_PER_S;
  while (clock_mono_ns() < end_ns) {
    bus_publish(door.localization->bus, TOPIC_LOC_POSE, NULL, &pose);
    frames += door_ws_expect(fd, "\"type\":\"position\"", NULL, 20) != NULL;
  }

  cr_expect(frames >= 2 && frames <= 5, "%u frames", frames);
  say(fd, "{\"type\":\"subscribe\",\"data\":{\"type\":\"alert\",\"max_hz\":4}}");
  expect(fd, "\"code\":\"BAD_SUBSCRIPTION\"");
  close(fd);
}

/* ---- what was missed */

static void raise_alerts(uint32_t count) {
  sys_alerts_t *alerts = calloc(1, sizeof *alerts);

  snprintf(alerts->service, sizeof alerts->service, "mapper");
  for (alerts->alerts_count = 0; alerts->alerts_count < count; alerts->alerts_count++) {
    sys_alert_entry_t *entry = &alerts->alerts[alerts->alerts_count];
    snprintf(entry->id, sizeof entry->id, "ALERT-%u", alerts->alerts_count);
    snprintf(entry->message, sizeof entry->message, "number %u", alerts->alerts_count);
    entry->raised = 1000 * GANTRY_NS_PER_S;
  }
  bus_publish(door.mapper->bus, TOPIC_ALERT, NULL, alerts);
  free(alerts);
}

Test(api_gateway_ws_talk, sends_again_the_alerts_that_were_missed) {
  char instance[40] = "", path[80];
  double seq = 0;
  cr_assert(harness_heard(door.harness, door.mapper->bus, "alert.mapper", 2000));
  int fd = door_ws("/ws", door.token, &status);
  const char *frame = expect(fd, "connection_established");
  const char *at = strstr(frame, "\"instance\":\"");
  cr_assert_not_null(at, "%s", frame);
  snprintf(instance, sizeof instance, "%.16s", at + 12);
  say(fd, "{\"type\":\"subscribe\",\"data\":{\"type\":\"alert\"}}");
  expect(fd, "\"subscription_type\":\"alert\"");
  raise_alerts(1);
  frame = expect(fd, "number 0");
  cr_assert_eq(json_get_number(frame, "seq", &seq), GANTRY_OK);
  close(fd);

  raise_alerts(3);
  harness_for(door.harness, 100);
  snprintf(path, sizeof path, "/ws?resume=%.0f&instance=%s", seq, instance);
  fd = door_ws(path, door.token, &status);
  expect_both(fd, "\"type\":\"alert\"", "number 1");
  expect_both(fd, "\"type\":\"alert\"", "number 2");
  expect_both(fd, "\"type\":\"resumed\"", "\"told\":2,\"missed\":0,\"other_instance\":false");
  say(fd, "{\"type\":\"resume\",\"data\":{\"type\":\"alert\",\"seq\":1,\"instance\":\"0\"}}");
  expect_both(fd, "\"type\":\"resumed\"", "\"told\":0,\"missed\":0,\"other_instance\":true");
  say(fd, "{\"type\":\"resume\",\"data\":{\"type\":\"position\",\"seq\":1}}");
  expect(fd, "\"code\":\"BAD_ARGUMENT\"");
  close(fd);
}

/* ---- the upgrade */

static answer_t upgrade(int fd, const char *headers) {
  char request[4096];

  snprintf(request, sizeof request,
           "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
           headers);
  door_send(fd, request, strlen(request));
  return door_answer(fd);
}

Test(api_gateway_ws_talk, takes_the_token_among_the_protocols_and_answers_one_of_them) {
  char headers[1400];
  int fd = door_connect();
  snprintf(headers, sizeof headers, "Sec-WebSocket-Protocol: gantry, %s\r\n", door.token);
  answer_t answer = upgrade(fd, headers);
  cr_expect_eq(answer.status, 101);
  cr_expect_not_null(strcasestr(answer.head, "Sec-WebSocket-Protocol: gantry\r\n"));
  expect(fd, "connection_established");
  close(fd);

  fd = door_connect();
  snprintf(headers, sizeof headers, "Sec-WebSocket-Protocol: %s\r\n", door.token);
  answer = upgrade(fd, headers);
  cr_expect_eq(answer.status, 101);
  cr_expect_not_null(strstr(answer.head, door.token));
  close(fd);
}

Test(api_gateway_ws_talk, refuses_pages_of_strangers) {
  char headers[1400];
  int fd = door_connect();

  snprintf(headers, sizeof headers, "Origin: http://evil.example\r\nAuthorization: Bearer %s\r\n",
           door.token);
  answer_t answer = upgrade(fd, headers);
  cr_expect_eq(answer.status, 403);
  cr_expect(strstr(answer.body, "cors_origins") != NULL, "%s", answer.body);
  close(fd);
  fd = door_connect();
  snprintf(headers, sizeof headers, "Origin: http://localhost:3000\r\nAuthorization: Bearer %s\r\n",
           door.token);
  cr_expect_eq(upgrade(fd, headers).status, 101);
  close(fd);
}

Test(api_gateway_ws_talk, says_why_a_socket_is_refused) {
  char headers[1400], token[1100];
  int fd = door_connect(), fds[10];

  door_token(STORE_ROLE_VIEWER, 0, token, sizeof token);
  snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", token);
  answer_t answer = upgrade(fd, headers);
  cr_expect_eq(answer.status, 401);
  cr_expect(strstr(answer.body, "expired") != NULL, "%s", answer.body);
  close(fd);
  for (int i = 0; i < 10; i++)
    fds[i] = door_ws("/ws", door.token, &status);
  fd = door_connect();
  snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", door.token);
  answer = upgrade(fd, headers);
  cr_expect_eq(answer.status, 429);
  cr_expect(strstr(answer.head, "Retry-After: 1\r\n") != NULL, "%s", answer.head);
  close(fd);
  for (int i = 0; i < 10; i++)
    close(fds[i]);
}

Test(api_gateway_ws_talk, closes_on_a_frame_without_a_mask) {
  uint8_t opcode = 0;
  int fd = open_as(STORE_ROLE_ADMIN, "/ws");

  door_send(fd, "\x81\x02{}", 4);

  const char *frame = door_ws_expect(fd, "never said", &opcode, 3000);
  cr_assert_not_null(frame);
  cr_expect_eq(opcode, 8);
  cr_expect_eq((uint8_t)frame[0] << 8 | (uint8_t)frame[1], 1002);
  close(fd);
}

Test(api_gateway_ws_talk, closes_on_more_than_two_hundred_messages_a_second) {
  uint8_t opcode = 0;
  int fd = open_as(STORE_ROLE_VIEWER, "/ws");

  for (int i = 0; i < 750; i++) { /* too many at once, three times: a second ends within one */
    say(fd, "{\"type\":\"ping\"}");
    if (i % 250 == 249) harness_for(door.harness, 150);
  }

  const char *frame = door_ws_expect(fd, "never said", &opcode, 3000);
  cr_assert_not_null(frame);
  cr_expect_eq(opcode, 8);
  cr_expect_eq((uint8_t)frame[0] << 8 | (uint8_t)frame[1], 1013);
  close(fd);
}

TestSuite(api_gateway_ws_packed, .init = set_up_packed, .fini = door_close, .timeout = 40);

Test(api_gateway_ws_packed, compresses_for_those_who_offer_it) {
  char headers[1400];
  uint8_t opcode = 0;
  int fd = door_connect();
  snprintf(headers, sizeof headers,
           "Sec-WebSocket-Extensions: permessage-deflate\r\nAuthorization: Bearer %s\r\n",
           door.token);
  answer_t answer = upgrade(fd, headers);
  cr_assert_eq(answer.status, 101);
  cr_expect_not_null(strcasestr(answer.head, "permessage-deflate; server_no_context_takeover"));

  const char *frame = door_ws_expect(fd, NULL, &opcode, 3000);
  cr_assert_not_null(frame);
  cr_expect_eq(opcode, 1);
  cr_expect_null(strstr(frame, "connection_established"), "it is not plain text");
  close(fd);
  fd = open_as(STORE_ROLE_ADMIN, "/ws"); /* the others read plain text */
  close(fd);
}

static bool is_unheard(void *arg) {
  (void)arg;
  return !bus_is_heard(door.sensors->bus, "sensor.range.PROX_001") &&
         !bus_is_heard(door.sensors->bus, "sensor.readings.sensor-processor");
}

Test(api_gateway_ws_talk, hears_readings_only_while_somebody_wants_them) {
  sensor_range_t range = {.sensor = "PROX_001", .type = SENSOR_TYPE_RANGE, .valid = true};
  cr_assert(harness_heard(door.harness, door.sensors->bus, "sensor.scan.LIDAR_001", 2000));
  cr_assert(harness_until(door.harness, is_unheard, NULL, 2000));
  for (int i = 0; i < 2; i++) {
    int fd = open_as(STORE_ROLE_VIEWER, "/ws");
    say(fd, "{\"type\":\"subscribe\",\"data\":{\"type\":\"sensor_data\"}}");
    expect(fd, "subscription_confirmed");
    cr_assert(harness_heard(door.harness, door.sensors->bus, "sensor.range.PROX_001", 2000));
    bus_publish(door.sensors->bus, TOPIC_SENSOR_RANGE, "PROX_001", &range);
    expect(fd, "PROX_001");
    close(fd);
    cr_assert(harness_until(door.harness, is_unheard, NULL, 2000));
  }
  cr_expect(bus_is_heard(door.sensors->bus, "sensor.scan.LIDAR_001"));
}
