/* The dashboard's figures: each from the one who knows, left out while he is silent. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <string.h>

#define BASE "/api/v1/dashboard"

TestSuite(api_gateway_dashboard, .init = door_open_as_admin, .fini = door_close, .timeout = 30);

static answer_t expect_ok(const char *path) {
  answer_t answer = door_request("GET", path, NULL);

  cr_expect_eq(answer.status, 200, "%s: %d %s", path, answer.status, answer.body);
  return answer;
}

static void expect_none(const answer_t *answer, const char *text) {
  cr_expect_null(strstr(answer->body, text), "%s in %s", text, answer->body);
}

static void fill_storage(void) {
  store_state_t *state = door_stub(REQUEST_STORE_STATE)->reply;
  store_user_list_t *users = door_stub(REQUEST_STORE_USER_LIST)->reply;
  store_alerts_t *alerts = door_stub(REQUEST_STORE_ALERTS)->reply;
  state->database_bytes = 123456;
  state->has_backup_last = true;
  state->backup_last = 1000 * GANTRY_NS_PER_S;
  users->total = 3;
  users->users_count = 3;
  for (uint32_t i = 0; i < 3; i++)
    snprintf(users->users[i].username, sizeof users->users[i].username, "user%u", i);
  users->users[0].active = users->users[2].active = true;
  alerts->total = 17;
}

Test(api_gateway_dashboard, summary_has_what_storage_knows_and_asks_it_once) {
  fill_storage();

  for (int i = 0; i < 3; i++) {
    answer_t answer = expect_ok(BASE "/summary");
    expect_text(&answer, "\"total_alerts\":17,\"active_alerts\":0,\"critical_alerts\":0");
    expect_text(&answer, "\"total_users\":3,\"active_users\":2");
    expect_text(&answer, "\"last_backup\":\"1970-01-01T00:16:40.000000Z\"");
    expect_text(&answer, "\"database_size\":123456");
    expect_text(&answer, "\"memory_usage\":");
  }
  cr_expect_eq(door_stub(REQUEST_STORE_STATE)->count, 1);
}

Test(api_gateway_dashboard, summary_leaves_out_what_nobody_tells) {
  door_stub(REQUEST_STORE_STATE)->fail = GANTRY_E_UNAVAILABLE;
  door_stub(REQUEST_STORE_USER_LIST)->fail = GANTRY_E_UNAVAILABLE;
  door_stub(REQUEST_STORE_ALERTS)->fail = GANTRY_E_UNAVAILABLE;

  answer_t answer = expect_ok(BASE "/summary");
  expect_text(&answer, "\"safety_state\":\"UNAVAILABLE\"");
  expect_text(&answer, "\"emergency_status\":\"Unknown (FW offline)\"");
  expect_text(&answer, "\"obstacles_present\":null");
  static const char *const UNKNOWN[] = {"total_users", "database_size", "last_backup",
                                        "total_alerts", "battery_level"};
  for (size_t i = 0; i < sizeof UNKNOWN / sizeof UNKNOWN[0]; i++)
    expect_none(&answer, UNKNOWN[i]);
}

static const char *wanted;

static bool is_safety(void *arg) {
  (void)arg;
  return strstr(door_request("GET", BASE "/safety", NULL).body, wanted) != NULL;
}

static void expect_safety(const robot_safety_t *safety, const char *text) {
  cr_assert(harness_heard(door.harness, door.bridge->bus, "robot.safety", 5000));
  bus_publish(door.bridge->bus, TOPIC_ROBOT_SAFETY, NULL, safety);
  wanted = text;
  cr_expect(door_until(is_safety, NULL, 3000), "%s", text);
}

Test(api_gateway_dashboard, safety_is_what_the_bridge_says) {
  expect_safety(&(robot_safety_t){.state = ROBOT_FSM_STATE_IDLE, .speed_factor = 1},
                "{\"safety_state\":\"SAFE\",\"emergency_status\":\"Normal\",\"obstacles_present\":"
                "false,\"active_alerts_count\":0}");
  expect_safety(&(robot_safety_t){.state = ROBOT_FSM_STATE_MOVE, .zone = ROBOT_ZONE_CAUTION},
                "{\"safety_state\":\"WARNING\",\"emergency_status\":\"Normal\","
                "\"obstacles_present\":true");
  expect_safety(&(robot_safety_t){.state = ROBOT_FSM_STATE_ESTOP, .latched = true},
                "{\"safety_state\":\"EMERGENCY\",\"emergency_status\":\"E-STOP\"");
}

Test(api_gateway_dashboard, stats_count_what_is_there) {
  robot_module_t module = {.address = 2, .status = ROBOT_MODULE_STATUS_HEALTHY};
  fill_storage();
  cr_assert(harness_heard(door.harness, door.bridge->bus, "robot.module.2", 5000));
  bus_publish(door.bridge->bus, TOPIC_ROBOT_MODULE, "2", &module);
  harness_for(door.harness, 100);
  door_request("GET", "/api/v1/nothing", NULL);

  answer_t answer = expect_ok(BASE "/stats");
  expect_text(&answer, "\"database_size\":123456");
  expect_text(&answer, "\"client_errors\":1,\"server_errors\":0");
  expect_text(&answer, "\"modules_total\":1,\"modules_answering\":1");
}

Test(api_gateway_dashboard, performance_is_a_series_and_now) {
  answer_t answer = expect_ok(BASE "/performance?hours=2");

  expect_text(&answer, "{\"hours\":2,\"data\":[");
  expect_text(&answer, "\"current\":{\"timestamp\":");
  cr_expect_eq(door_request("GET", BASE "/performance?hours=169", NULL).status, 422);
}

static bool is_connected(void *arg) {
  (void)arg;
  return strstr(door_request("GET", "/api/v1/network/health", NULL).body,
                "\"firmware_connected\":true") != NULL;
}

Test(api_gateway_dashboard, network_tells_of_the_link_to_the_robot) {
  robot_module_t module = {.address = 2,
                           .status = ROBOT_MODULE_STATUS_HEALTHY,
                           .has_last_seen = true,
                           .last_seen = 1000 * GANTRY_NS_PER_S};
  robot_line_t line = {.port = 1, .failures = 12};
  sys_health_t health = {.status = SYS_STATUS_READY, .uptime = 99};
  answer_t answer = expect_ok("/api/v1/network/health");
  expect_text(&answer, "\"status\":\"unhealthy\",\"service\":\"rs485-bridge\"");
  expect_text(&answer, "\"error\":\"rs485-bridge is silent\"");

  cr_assert(harness_heard(door.harness, door.bridge->bus, "robot.line.1", 5000));
  cr_assert(harness_heard(door.harness, door.bridge->bus, "health.rs485-bridge", 5000));
  snprintf(health.service, sizeof health.service, "rs485-bridge");
  bus_publish(door.bridge->bus, TOPIC_HEALTH, NULL, &health);
  bus_publish(door.bridge->bus, TOPIC_ROBOT_LINE, "1", &line);
  bus_publish(door.bridge->bus, TOPIC_ROBOT_MODULE, "2", &module);
  cr_assert(door_until(is_connected, NULL, 3000));

  answer = expect_ok("/api/v1/network/health");
  expect_text(&answer, "\"status\":\"healthy\"");
  expect_text(&answer,
              "\"connection_errors\":12,\"last_heartbeat\":\"1970-01-01T00:16:40.000000Z\","
              "\"uptime_seconds\":99");
  expect_text(&answer, "\"error\":null");
}
