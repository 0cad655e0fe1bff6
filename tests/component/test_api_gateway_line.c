/* Lines, search for modules and what their registers say at the door, with a played bridge behind
   it. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <string.h>

TestSuite(api_gateway_line, .init = door_open_as_admin, .fini = door_close, .timeout = 30);

static const robot_module_t MODULES[] = {
    {.address = 2,
     .name = "power",
     .firmware = "1.4",
     .status = ROBOT_MODULE_STATUS_HEALTHY,
     .mandatory = true},
    {.address = 3,
     .name = "safety",
     .status = ROBOT_MODULE_STATUS_OFFLINE,
     .has_conflict = true,
     .conflict = 9},
    {.address = 3,
     .name = "spare",
     .status = ROBOT_MODULE_STATUS_HEALTHY,
     .has_port = true,
     .port = 2},
};
static const robot_line_t LINES[] = {
    {.port = 1, .open = true, .requests = 300, .failures = 30, .transactions = 60},
    {.port = 2, .open = true, .requests = 100, .failures = 0, .transactions = 40},
};

static void tell_all(void) {
  for (size_t i = 0; i < 3; i++)
    bus_publish(door.bridge->bus, TOPIC_ROBOT_MODULE, i == 0 ? "2" : (i == 1 ? "3" : "2-3"),
                &MODULES[i]);
  for (size_t i = 0; i < 2; i++)
    bus_publish(door.bridge->bus, TOPIC_ROBOT_LINE, i ? "2" : "1", &LINES[i]);
  bus_publish(door.bridge->bus, TOPIC_ROBOT_DISCOVERY, NULL,
              &(robot_discovery_t){.detail = "all lines"});
}

/* Tells the whole line until the gateway's answer holds word. */
static answer_t until_told(const char *path, const char *word) {
  uint64_t end_ns = clock_mono_ns() + 5 * GANTRY_NS_PER_S;
  answer_t answer = {0};

  cr_assert(harness_heard(door.harness, door.bridge->bus, "robot.line.1", 5000));
  while (clock_mono_ns() < end_ns) {
    tell_all();
    harness_for(door.harness, 20);
    answer = door_request("GET", path, NULL);
    if (strstr(answer.body, word)) return answer;
  }
  cr_assert(false, "%s never said %s but %s", path, word, answer.body);
  return answer;
}

/* ---- lines */

Test(api_gateway_line, sums_the_lines_up_and_names_the_worst) {
  answer_t answer = door_request("GET", "/api/v1/rs485/bus/health", NULL);
  expect_text(&answer, "\"status\":\"offline\"");
  cr_expect_null(strstr(answer.body, "error_rate"), "%s", answer.body);

  answer = until_told("/api/v1/rs485/bus/health", "\"total_modules\":3,\"active_modules\":2");

  expect_text(&answer, "\"status\":\"warning\"");
  expect_text(&answer, "\"error_rate\":0.075");
  expect_text(&answer, "\"throughput\":100");
  expect_text(&answer, "\"failed_modules\":1");
  cr_expect_null(strstr(answer.body, "last_scan"));
}

Test(api_gateway_line, tells_modules_of_two_lines_apart) {
  answer_t answer = until_told("/api/v1/rs485/modules", "\"name\":\"spare\"");

  expect_text(&answer, "\"name\":\"safety\"");
  cr_expect(strstr(answer.body, "\"conflict\":9") && strstr(answer.body, "\"port\":2"));
  answer = door_request("GET", "/api/v1/rs485/modules/3", NULL);
  expect_text(&answer, "\"name\":\"safety\"");
  answer = door_request("GET", "/api/v1/rs485/modules/3?port=2", NULL);
  cr_expect(strstr(answer.body, "spare") && !strstr(answer.body, "safety"), "%s", answer.body);
  cr_expect_eq(door_request("GET", "/api/v1/rs485/modules/2?port=2", NULL).status, 404);
}

Test(api_gateway_line, shows_firmware_and_the_link_to_it) {
  answer_t answer = door_request("GET", "/api/v1/telemetry/firmware-status", NULL);
  expect_text(&answer, "\"connected\":false");
  answer = until_told("/api/v1/config/firmware", "\"firmware\":\"1.4\"");
  expect_text(&answer, "\"online\":true");
  answer = until_told("/api/v1/telemetry/firmware-status", "\"modules_total\":3");
  expect_text(&answer, "\"modules_online\":2");
  expect_text(&answer, "\"connection_errors\":30");
  answer = door_request("GET", "/api/v1/rs485/health", NULL);
  cr_expect_eq(answer.status, 200);
  expect_text(&answer, "\"name\":\"rs485-bridge\"");
}

Test(api_gateway_line, restarts_a_line_but_forces_nothing) {
  stub_t *stub = door_stub(REQUEST_ROBOT_LINE_RESTART);
  const char *path = "/api/v1/rs485/bus/restart";

  answer_t answer = door_request("POST", path, NULL);
  cr_expect_eq(answer.status, 200);
  cr_expect_not_null(strstr(answer.body, "\"data\":{\"status\":"), "%s", answer.body);
  cr_expect_eq(door_request("POST", path, "{\"action\":\"restart\",\"port\":2}").status, 200);
  cr_expect_eq(((robot_line_of_t *)stub->takes)->port, 2);
  cr_expect_eq(door_request("POST", "/api/v1/config/firmware/restart", NULL).status, 200);
  cr_expect_eq(door_request("POST", path, "{\"force\":true}").status, 400);
  cr_expect_eq(door_request("POST", path, "{\"action\":\"burn\"}").status, 422);
  cr_expect_eq(stub->count, 3);
  stub->fail = GANTRY_E_CONFLICT;
  cr_expect_eq(door_request("POST", path, NULL).status, 409);
}

/* ---- search */

Test(api_gateway_line, steers_the_search_and_says_how_far_it_is) {
  static const struct {
    const char *method, *path;
    robot_discovery_action_t action;
  } STEPS[] = {
      {"POST", "/api/v1/rs485/discovery/start", ROBOT_DISCOVERY_ACTION_START},
      {"GET", "/api/v1/rs485/discovery/status", ROBOT_DISCOVERY_ACTION_STATUS},
      {"POST", "/api/v1/rs485/modules/start-scan", ROBOT_DISCOVERY_ACTION_START},
      {"POST", "/api/v1/rs485/modules/pause-scan", ROBOT_DISCOVERY_ACTION_PAUSE},
      {"POST", "/api/v1/rs485/modules/resume-scan", ROBOT_DISCOVERY_ACTION_RESUME},
      {"POST", "/api/v1/rs485/modules/stop-scan", ROBOT_DISCOVERY_ACTION_STOP},
      {"GET", "/api/v1/rs485/modules/scan-status", ROBOT_DISCOVERY_ACTION_STATUS},
      {"GET", "/api/v1/rs485/scan-status", ROBOT_DISCOVERY_ACTION_STATUS},
  };
  stub_t *stub = door_stub(REQUEST_ROBOT_DISCOVERY);
  *(robot_discovery_t *)stub->reply = (robot_discovery_t){.state = ROBOT_DISCOVERY_STATE_PAUSED,
                                                          .progress = 0.25,
                                                          .found = 4,
                                                          .conflicts = {5},
                                                          .conflicts_count = 1,
                                                          .detail = "waits"};
  unsigned asked = 0;

  for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++) {
    answer_t answer = door_request(STEPS[i].method, STEPS[i].path, NULL);
    cr_expect_eq(answer.status, 200, "%s: %s", STEPS[i].path, answer.body);
    expect_text(&answer, "\"data\":{\"state\":\"paused\",\"is_running\":true,\"progress\":25,"
                         "\"status_message\":\"waits\",\"modules_found\":4,\"conflicts\":[5]");
    if (STEPS[i].action == ROBOT_DISCOVERY_ACTION_STATUS)
      cr_expect_eq(stub->count, asked, "%s comes out of memory", STEPS[i].path);
    else
      cr_expect_eq(((robot_discovery_set_t *)stub->takes)->action, STEPS[i].action);
    asked = stub->count;
  }
}

Test(api_gateway_line, searches_only_where_it_is_told_to) {
  stub_t *stub = door_stub(REQUEST_ROBOT_DISCOVERY);
  const char *path = "/api/v1/rs485/discovery/start";

  ((robot_discovery_t *)stub->reply)->found = 7;
  (void)until_told("/api/v1/rs485/scan-status", "all lines");
  answer_t answer = door_request("POST", path, "{\"first\":2,\"last\":9,\"port\":1}");
  expect_text(&answer, "\"modules_found\":7");
  answer = door_request("GET", "/api/v1/rs485/scan-status", NULL);
  expect_text(&answer, "all lines");
  const robot_discovery_set_t *set = stub->takes;
  cr_expect(set->has_first && set->first == 2 && set->has_last && set->last == 9 && set->port == 1);
  answer = door_request("POST", path, "{\"first\":9,\"last\":2}");
  cr_expect_eq(answer.status, 422);
  expect_text(&answer, "\"field\":\"first\"");
  cr_expect_eq(door_request("POST", path, "{\"last\":248}").status, 422);
  cr_expect_eq(door_request("POST", path, "{\"first\":0}").status, 422);
  stub->fail = GANTRY_E_CONFLICT;
  snprintf(stub->detail, sizeof stub->detail, "the robot moves");
  answer = door_request("POST", path, NULL);
  cr_expect_eq(answer.status, 409);
  expect_text(&answer, "the robot moves");
}

Test(api_gateway_line, lists_what_the_search_has_found) {
  robot_modules_t *modules = door_stub(REQUEST_ROBOT_MODULES)->reply;
  modules->modules_count = 2;
  modules->modules[0] = MODULES[0];
  modules->modules[1] = MODULES[1];

  answer_t answer = door_request("GET", "/api/v1/rs485/discovery/results", NULL);

  expect_text(&answer, "{\"address\":2,\"addr\":\"0x02\",\"name\":\"power\",\"type\":\"0x0000\","
                       "\"port\":1,\"found\":true,\"conflict\":false");
  expect_text(&answer, "\"found\":false,\"conflict\":true");
}

/* ---- modules */

Test(api_gateway_line, does_to_a_module_what_is_asked) {
  static const struct {
    const char *path, *body;
    robot_module_act_t act;
  } ACTS[] = {
      {"/api/v1/rs485/modules/5/ping", NULL, ROBOT_MODULE_ACT_PING},
      {"/api/v1/rs485/modules/5/reset", NULL, ROBOT_MODULE_ACT_RESET},
      {"/api/v1/rs485/modules/5/quarantine", NULL, ROBOT_MODULE_ACT_QUARANTINE},
      {"/api/v1/rs485/modules/5/quarantine", "{\"quarantined\":false}", ROBOT_MODULE_ACT_RELEASE},
  };
  stub_t *stub = door_stub(REQUEST_ROBOT_MODULE_DO);
  *(robot_module_t *)stub->reply = (robot_module_t){
      .address = 5, .name = "dock", .status = ROBOT_MODULE_STATUS_HEALTHY, .response_ms = 4.5};

  for (size_t i = 0; i < sizeof ACTS / sizeof ACTS[0]; i++) {
    answer_t answer = door_request("POST", ACTS[i].path, ACTS[i].body);
    const robot_module_do_t *asked = stub->takes;
    cr_expect_eq(answer.status, 200, "%s", answer.body);
    cr_expect_eq(asked->act, ACTS[i].act, "%s", ACTS[i].path);
    cr_expect_eq(asked->address, 5);
    expect_text(&answer, "\"response_time\":4.5");
  }
  stub->fail = GANTRY_E_NOT_FOUND;
  cr_expect_eq(door_request("POST", "/api/v1/rs485/modules/77/ping", NULL).status, 404);
  stub->fail = GANTRY_E_TIMEOUT;
  cr_expect_eq(door_request("POST", "/api/v1/rs485/modules/5/ping", NULL).status, 504);
  cr_expect_eq(door_request("POST", "/api/v1/rs485/modules/0/ping", NULL).status, 422);
  cr_expect_eq(door_request("POST", "/api/v1/rs485/modules/two/ping", NULL).status, 422);
}

/* ---- registers */

static void play_registers(void) {
  robot_register_values_t *values = door_stub(REQUEST_ROBOT_REGISTERS)->reply;

  *values = (robot_register_values_t){.address = 2, .port = 1, .module = "power"};
  values->values_count = 3;
  values->values[0] = (robot_register_value_t){.name = "pack_voltage",
                                               .unit = "V",
                                               .readable = true,
                                               .has_raw = true,
                                               .raw = 245,
                                               .has_value = true,
                                               .value = 24.5,
                                               .has_age = true,
                                               .age = 0.25};
  values->values[1] = (robot_register_value_t){.name = "reset_error",
                                               .register_ = 0x0109,
                                               .access = ROBOT_REGISTER_ACCESS_ADMIN,
                                               .writable = true};
  values->values[2] = (robot_register_value_t){.name = "limit",
                                               .register_ = 0x7002,
                                               .readable = true,
                                               .writable = true,
                                               .safety = true,
                                               .has_max = true,
                                               .max = 10,
                                               .has_value = true,
                                               .value = 12};
}

Test(api_gateway_line, shows_the_registers_of_a_module) {
  play_registers();

  answer_t answer = door_request("GET", "/api/v1/rs485/modules/2/telemetry", NULL);

  cr_assert_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"data\":{\"module_addr\":\"0x02\",\"module_name\":\"power\"");
  expect_text(&answer, "{\"address\":\"0x0000\",\"name\":\"pack_voltage\",\"value\":24.5,"
                       "\"raw\":245,\"unit\":\"V\",\"mode\":\"R\",\"access\":\"user\","
                       "\"safety\":false,\"age\":0.25}");
  expect_text(&answer, "\"mode\":\"W\",\"access\":\"admin\"");
  expect_text(&answer, "\"mode\":\"RW\"");
  expect_text(&answer, "\"safety\":true,\"status\":\"critical\",\"max\":10");
  expect_text(&answer, "\"last_updated\":\"2");
  door_stub(REQUEST_ROBOT_REGISTERS)->fail = GANTRY_E_NOT_FOUND;
  cr_expect_eq(door_request("GET", "/api/v1/rs485/modules/9/telemetry", NULL).status, 404);
}

Test(api_gateway_line, gathers_the_newest_values_of_those_that_answer) {
  play_registers();
  answer_t answer = door_request("GET", "/api/v1/telemetry/modules", NULL);
  expect_text(&answer, "\"total_count\":0");

  answer = until_told("/api/v1/telemetry/modules", "\"total_count\":2");

  cr_expect_null(strstr(answer.body, "reset_error"));
  answer = door_request("GET", "/api/v1/telemetry/modules/2", NULL);
  cr_expect_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"module_name\":\"power\"");
  cr_expect_eq(door_request("GET", "/api/v1/telemetry/modules/0", NULL).status, 422);
  door_stub(REQUEST_ROBOT_REGISTERS)->fail = GANTRY_E_NOT_FOUND;
  expect_text(&(answer_t){.body = door_request("GET", "/api/v1/telemetry/modules", NULL).body},
              "\"total_count\":0");
  door_stub(REQUEST_ROBOT_REGISTERS)->fail = GANTRY_E_UNAVAILABLE;
  cr_expect_eq(door_request("GET", "/api/v1/telemetry/modules", NULL).status, 503);
}

/* ---- roles */

Test(api_gateway_line, keeps_lines_and_registers_to_those_who_may) {
  static const struct {
    const char *method, *path;
    int viewer, operator, admin;
  } DOORS[] = {
      {"GET", "/api/v1/rs485/bus/health", 200, 200, 200},
      {"GET", "/api/v1/rs485/scan-status", 200, 200, 200},
      {"GET", "/api/v1/rs485/modules/2/telemetry", 200, 200, 200},
      {"GET", "/api/v1/telemetry/modules", 200, 200, 200},
      {"GET", "/api/v1/config/firmware", 200, 200, 200},
      {"POST", "/api/v1/rs485/discovery/start", 403, 200, 200},
      {"POST", "/api/v1/rs485/modules/stop-scan", 403, 200, 200},
      {"POST", "/api/v1/rs485/modules/2/ping", 403, 200, 200},
      {"POST", "/api/v1/rs485/modules/2/reset", 403, 200, 200},
      {"POST", "/api/v1/rs485/modules/2/quarantine", 403, 200, 200},
      {"POST", "/api/v1/rs485/modules/2/telemetry", 403, 403, 422},
      {"POST", "/api/v1/rs485/modules/2/configure", 403, 403, 422},
  };
  char viewer[1100], operator[1100];

  play_registers();
  (void)until_told("/api/v1/rs485/scan-status", "all lines");
  *(robot_module_t *)door_stub(REQUEST_ROBOT_MODULE_DO)->reply = MODULES[0];
  door_token(STORE_ROLE_VIEWER, 60, viewer, sizeof viewer);
  door_token(STORE_ROLE_OPERATOR, 60, operator, sizeof operator);
  for (size_t i = 0; i < sizeof DOORS / sizeof DOORS[0]; i++) {
    const char *body = strcmp(DOORS[i].method, "POST") ? NULL : "{}";
    const char *tokens[] = {viewer, operator, door.token, ""};
    const int expected[] = {DOORS[i].viewer, DOORS[i].operator, DOORS[i].admin, 401};
    for (size_t t = 0; t < 4; t++) {
      answer_t answer = door_request_as(tokens[t], DOORS[i].method, DOORS[i].path, body);
      cr_expect_eq(answer.status, expected[t], "%s as %zu: %d %s", DOORS[i].path, t, answer.status,
                   answer.body);
    }
  }
}
