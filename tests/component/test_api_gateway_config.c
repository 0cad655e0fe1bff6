/* The owner's settings at the door. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/json.h>
#include <stdio.h>
#include <string.h>

static const char SYSTEM[] = "/api/v1/config/system";

static store_setting_t kept; /* of the played storage; version 0: none */
static uint32_t quicker;     /* others who change it between a read and its put */

static void on_get(rpc_context_t *call, const void *takes, void *arg) {
  const store_setting_key_t *key = takes;

  (void)arg;
  if (kept.info.version && !strcmp(key->kind, kept.info.kind))
    rpc_reply(call, &kept);
  else
    rpc_fail(call, GANTRY_E_NOT_FOUND, "kind", "no such setting");
}

static void on_put(rpc_context_t *call, const void *takes, void *arg) {
  const store_setting_put_t *put = takes;

  (void)arg;
  snprintf(kept.info.kind, sizeof kept.info.kind, "%s", put->kind);
  if (quicker) {
    quicker--;
    kept.info.version++;
    snprintf(kept.data, sizeof kept.data, "{\"telemetry_interval\":%u00}", kept.info.version);
  }
  if (put->has_if_version && put->if_version != kept.info.version) {
    gantry_fault_t fault = {.err = GANTRY_E_CONFLICT, .code = "VERSION_CHANGED"};
    rpc_fail_fault(call, &fault);
    return;
  }
  snprintf(kept.info.created_by, sizeof kept.info.created_by, "%s", rpc_actor(call));
  snprintf(kept.data, sizeof kept.data, "%s", put->data);
  kept.info.version++;
  kept.info.created = 1000 * GANTRY_NS_PER_S;
  rpc_reply(call, &kept);
}

static robot_in_force_t *bridge(void) {
  return door_stub(REQUEST_ROBOT_SETTINGS)->reply;
}

static void begin(void) {
  door_open_as_admin();
  door_stub(REQUEST_STORE_SETTING_GET)->play = on_get;
  door_stub(REQUEST_STORE_SETTING_PUT)->play = on_put;
  *bridge() = (robot_in_force_t){.max_speed = 1,
                                 .configured_speed = 1,
                                 .battery_min = 0.15,
                                 .telemetry_interval = 1000,
                                 .telemetry_collected = true,
                                 .samples = 7};
}

TestSuite(api_gateway_config, .init = begin, .fini = door_close, .timeout = 30);

static answer_t expect(int status, const char *method, const char *path, const char *body) {
  answer_t answer = door_request(method, path, body);

  cr_expect_eq(answer.status, status, "%s %s %s: %d %s", method, path, body ? body : "",
               answer.status, answer.body);
  return answer;
}

Test(api_gateway_config, shows_what_is_obeyed) {
  answer_t answer = expect(200, "GET", SYSTEM, NULL);

  expect_text(&answer, "\"robot_speed_limit\":1,");
  expect_text(&answer, "\"telemetry_interval\":1000,");
  expect_text(&answer, "\"max_battery_discharge\":15,");
  expect_text(&answer, "\"safety_temperature_threshold\":60,");
  expect_text(&answer, "\"version\":0");
  cr_expect_null(strstr(answer.body, "pending"));

  door_stub(REQUEST_ROBOT_SETTINGS)->fail = GANTRY_E_UNAVAILABLE;
  answer = expect(200, "GET", SYSTEM, NULL);
  cr_expect_null(strstr(answer.body, "robot_speed_limit"), "nobody tells it");
  expect_text(&answer, "rs485-bridge does not answer");
}

Test(api_gateway_config, keeps_a_change_as_a_new_version_over_what_was_there) {
  answer_t answer = expect(200, "PUT", SYSTEM,
                           "{\"robot_speed_limit\":0.8,\"emergency_stop_timeout\":300,"
                           "\"telemetry_interval\":500,\"safety_temperature_threshold\":50,"
                           "\"max_battery_discharge\":20}");
  expect_text(&answer, "\"version\":1,\"updated_by\":\"admin\"");
  expect_text(&answer, "\"pending\":\"rs485-bridge obeys version 0\"");
  cr_expect_str_eq(kept.data, "{\"robot_speed_limit\":0.8,\"emergency_stop_timeout\":300,"
                              "\"telemetry_interval\":500,\"safety_temperature_threshold\":50,"
                              "\"max_battery_discharge\":20}");

  bridge()->version = 2;
  answer = expect(200, "PATCH", SYSTEM, "{\"robot_speed_limit\":0.5}");
  expect_text(&answer, "\"version\":2");
  cr_expect_null(strstr(answer.body, "pending"));
  cr_expect_not_null(strstr(kept.data, "\"robot_speed_limit\":0.5,\"emergency_stop_timeout\":300"));
}

Test(api_gateway_config, refuses_what_cannot_be_obeyed_by_name) {
  static const struct {
    int status;
    const char *body, *field;
  } WRONG[] = {{400, "{\"robot_speed_limit\":0}", "robot_speed_limit"},
               {400, "{\"telemetry_interval\":-5}", "telemetry_interval"},
               {422, "{\"telemetry_interval\":5}", "telemetry_interval"},
               {422, "{\"robot_speed_limit\":1.5}", "option max_speed"},
               {422, "{\"emergency_stop_timeout\":10}", "emergency_stop_timeout"},
               {422, "{\"max_battery_discharge\":100}", "max_battery_discharge"},
               {422, "{}", "at least one"}};
  for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
    answer_t answer = expect(WRONG[i].status, "PATCH", SYSTEM, WRONG[i].body);
    expect_text(&answer, WRONG[i].field);
  }
  expect(422, "PUT", SYSTEM, "{\"robot_speed_limit\":0.8}");
  cr_expect_eq(kept.info.version, 0);
  door_stub(REQUEST_ROBOT_SETTINGS)->fail = GANTRY_E_UNAVAILABLE;
  expect(503, "PATCH", SYSTEM, "{\"robot_speed_limit\":0.5}");
  cr_expect_eq(kept.info.version, 0);
}

Test(api_gateway_config, are_obeyed_by_the_gateway_itself) {
  robot_power_t power = {.temperature = 45};
  cr_assert(harness_heard(door.harness, door.bridge->bus, "robot.power", 5000));
  bus_publish(door.bridge->bus, TOPIC_ROBOT_POWER, NULL, &power);
  harness_for(door.harness, 50);
  answer_t answer = expect(200, "GET", "/api/v1/safety/status", NULL);
  expect_text(&answer, "\"temperature_normal\":true");

  expect(200, "PATCH", SYSTEM,
         "{\"safety_temperature_threshold\":40,\"emergency_stop_timeout\":400}");
  bus_publish(door.bridge->bus, TOPIC_ROBOT_POWER, NULL, &power);
  harness_for(door.harness, 50);
  answer = expect(200, "GET", "/api/v1/safety/status", NULL);
  expect_text(&answer, "\"temperature_normal\":false");

  door_stub(REQUEST_ROBOT_ESTOP)->silent = true;
  uint64_t began_ns = clock_mono_ns();
  expect(504, "POST", "/api/v1/robot/emergency-stop", NULL);
  double took_ms = clock_age_ms(clock_mono_ns(), began_ns);
  cr_expect(took_ms >= 395, "%.1f ms, its own time-out would be 150", took_ms);
}

static bool hears_of_version_5(void *arg) {
  (void)arg;
  return strstr(door_request("GET", SYSTEM, NULL).body, "\"version\":5") != NULL;
}

Test(api_gateway_config, hears_of_changes_that_others_have_made) {
  store_changed_t changed = {.table = STORE_TABLE_SETTINGS, .key = "robot.settings"};
  snprintf(kept.info.kind, sizeof kept.info.kind, "robot.settings");
  snprintf(kept.data, sizeof kept.data, "{\"safety_temperature_threshold\":33}");
  kept.info.version = 5;
  cr_assert(harness_heard(door.harness, door.storage->bus, "store.changed", 5000));
  bus_publish(door.storage->bus, TOPIC_STORE_CHANGED, NULL, &changed);

  cr_assert(door_until(hears_of_version_5, NULL, 5000));
  answer_t answer = expect(200, "GET", SYSTEM, NULL);
  expect_text(&answer, "\"safety_temperature_threshold\":33");
}

Test(api_gateway_config, are_shown_together_and_compared) {
  uint64_t end_ns = clock_mono_ns() + 5 * GANTRY_NS_PER_S;
  robot_limits_t limits = {.zone_stop = 0.5};
  answer_t answer = expect(200, "GET", "/api/v1/config/current", NULL);
  cr_expect_null(strstr(answer.body, "zone_stop"), "not told yet");
  cr_assert(harness_heard(door.harness, door.bridge->bus, "robot.limits", 5000));
  do {
    cr_assert_lt(clock_mono_ns(), end_ns);
    bus_publish(door.bridge->bus, TOPIC_ROBOT_LIMITS, NULL, &limits);
    harness_for(door.harness, 20);
    answer = expect(200, "GET", "/api/v1/config/current", NULL);
  } while (!strstr(answer.body, "zone_stop"));
  expect_text(&answer, "\"zone_stop\":0.5");
  expect_text(&answer, "\"rate_per_min\":1000");
  expect_text(&answer, "\"system\":{\"robot_speed_limit\":1");
  cr_expect_null(strstr(answer.body, "\"retention\""), "none was set");

  answer = expect(200, "GET", "/api/v1/config/validation", NULL);
  expect_text(&answer, "\"data\":{\"valid\":true");
  bridge()->unkept = 3;
  bridge()->version = 4;
  answer = expect(200, "GET", "/api/v1/config/validation", NULL);
  expect_text(&answer, "\"data\":{\"valid\":false");
  expect_text(&answer, "version 0 is kept, rs485-bridge obeys version 4");
  expect_text(&answer, "3 of them not kept");
}

/* ---- two owners at once */

/* With a header more. */
static answer_t change_if(const char *tag, const char *body) {
  char token[1200];

  snprintf(token, sizeof token, "%s\r\nIf-Match: %s", door.token, tag);
  return door_request_as(token, "PATCH", SYSTEM, body);
}

Test(api_gateway_config, changes_only_the_version_that_was_read) {
  static const char FAST[] = "{\"robot_speed_limit\":0.5}";
  answer_t answer = expect(200, "GET", SYSTEM, NULL);
  cr_expect_not_null(strstr(answer.head, "ETag: \"v0\""), "%s", answer.head);

  answer = change_if("\"v0\"", FAST);
  cr_expect_eq(answer.status, 200, "%s", answer.body);
  cr_expect_null(strstr(answer.head, "ETag"), "it shows version 0 still: %s", answer.head);
  bridge()->version = 1;
  answer = expect(200, "GET", SYSTEM, NULL);
  cr_expect_not_null(strstr(answer.head, "ETag: \"v1\""), "%s", answer.head);
  static const char *const OTHERS[] = {"\"v0\"", "\"v2\"", "W/\"v1\"", "\"v\"", "v1", "\"v01x\""};
  for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
    answer = change_if(OTHERS[i], FAST);
    cr_expect_eq(answer.status, 412, "%s: %s", OTHERS[i], answer.body);
    expect_text(&answer, "VERSION_CHANGED");
    expect_text(&answer, "version 1 by now");
  }
  cr_expect_eq(change_if("*", FAST).status, 200);
  cr_expect_eq(kept.info.version, 2);

  quicker = 1;
  cr_expect_eq(change_if("\"v2\"", FAST).status, 412);
  cr_expect_eq(kept.info.version, 3);
}

Test(api_gateway_config, knows_what_is_kept_once_a_change_was_refused) {
  snprintf(kept.info.kind, sizeof kept.info.kind, "robot.settings");
  snprintf(kept.data, sizeof kept.data, "{\"safety_temperature_threshold\":33}");
  kept.info.version = 5;
  cr_expect_eq(change_if("\"v0\"", "{\"robot_speed_limit\":0.5}").status, 412);
  answer_t answer = expect(200, "GET", SYSTEM, NULL);
  expect_text(&answer, "\"safety_temperature_threshold\":33");
  expect_text(&answer, "\"version\":5");

  kept.info.version = 0;
  cr_expect_eq(change_if("\"v5\"", "{\"robot_speed_limit\":0.5}").status, 412);
  answer = expect(200, "GET", SYSTEM, NULL);
  expect_text(&answer, "\"safety_temperature_threshold\":60");
  cr_expect_not_null(strstr(answer.head, "ETag: \"v0\""), "%s", answer.head);
}

Test(api_gateway_config, loses_no_change_of_another_owner) {
  quicker = 2;

  expect(200, "PATCH", SYSTEM, "{\"robot_speed_limit\":0.5}");

  cr_expect_str_eq(kept.data, "{\"robot_speed_limit\":0.5,\"telemetry_interval\":200}");
  cr_expect_eq(kept.info.version, 3);
  quicker = 100;
  expect(409, "PATCH", SYSTEM, "{\"robot_speed_limit\":0.5}");
}
