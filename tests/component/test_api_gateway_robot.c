/* The stop, driving, newest values and their age. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(api_gateway_robot, .init = door_open_as_admin, .fini = door_close, .timeout = 30);

static void confirm_stops(void) {
  robot_safety_t *safety = door_stub(REQUEST_ROBOT_ESTOP)->reply;

  *safety = (robot_safety_t){.state = ROBOT_FSM_STATE_ESTOP,
                             .latched = true,
                             .motors_off = true,
                             .phase = ROBOT_STOP_PHASE_CONFIRMED,
                             .has_stop_ms = true,
                             .stop_ms = 8.2};
}

/* ---- stop */

Test(api_gateway_robot, stops_and_says_what_the_line_confirmed) {
  inbox_t *audits = harness_collect(door.harness, "audit.");
  confirm_stops();

  answer_t answer = door_request("POST", "/api/v1/robot/emergency-stop", "{\"reason\":\"smoke\"}");

  cr_assert_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"success\":true");
  expect_text(&answer, "\"stop_ms\":8.2");
  const robot_estop_t *asked = door_stub(REQUEST_ROBOT_ESTOP)->takes;
  cr_expect_str_eq(asked->reason, "smoke");
  cr_expect_eq(asked->cause, ROBOT_CAUSE_SOFTWARE);
  cr_assert(harness_collected(door.harness, audits, 1, 2000));
  const sys_audit_t *audit = inbox_body(audits, inbox_count(audits) - 1);
  cr_expect_str_eq(audit->actor, "admin");
  cr_expect_str_eq(audit->action, "robot_emergency_stop");
  cr_expect(audit->success);
}

Test(api_gateway_robot, stops_without_a_body_and_by_the_other_path) {
  confirm_stops();

  cr_expect_eq(door_request("POST", "/api/v1/robot/emergency-stop", NULL).status, 200);
  cr_expect_eq(door_request("POST", "/api/v1/safety/emergency-stop", "{}").status, 200);
  cr_expect_eq(door_stub(REQUEST_ROBOT_ESTOP)->count, 2);
}

Test(api_gateway_robot, stops_even_when_the_body_cannot_be_read) {
  static const char *const BODIES[] = {"{\"reason\": ", "[1]", "{\"reason\":7}", "stop!"};
  static const char CHUNKED[] = "POST /api/v1/robot/emergency-stop HTTP/1.1\r\nHost: x\r\n"
                                "Authorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "2\r\n{}\r\n0\r\n\r\n";
  char request[1500];
  confirm_stops();

  for (size_t i = 0; i < sizeof BODIES / sizeof BODIES[0]; i++) {
    answer_t answer = door_request("POST", "/api/v1/robot/emergency-stop", BODIES[i]);
    cr_expect_eq(answer.status, 200, "%s: %s", BODIES[i], answer.body);
    cr_expect_eq(door_stub(REQUEST_ROBOT_ESTOP)->count, i + 1);
  }
  int len = snprintf(request, sizeof request, CHUNKED, door.token);
  (void)door_raw(request, (size_t)len);
  cr_expect_eq(door_stub(REQUEST_ROBOT_ESTOP)->count, 5);
}

Test(api_gateway_robot, stops_once_for_an_explicitly_empty_body) {
  confirm_stops();

  cr_expect_eq(door_request("POST", "/api/v1/robot/emergency-stop", "").status, 200);
  harness_for(door.harness, 50);
  cr_expect_eq(door_stub(REQUEST_ROBOT_ESTOP)->count, 1);
}

Test(api_gateway_robot, never_calls_an_unconfirmed_stop_a_success) {
  robot_safety_t *safety = door_stub(REQUEST_ROBOT_ESTOP)->reply;
  *safety = (robot_safety_t){.latched = true, .motors_off = false};

  answer_t answer = door_request("POST", "/api/v1/robot/emergency-stop", NULL);
  cr_expect_eq(answer.status, 504);
  expect_text(&answer, "ESTOP_UNCONFIRMED");

  door_stub(REQUEST_ROBOT_ESTOP)->fail = GANTRY_E_DEVICE;
  answer = door_request("POST", "/api/v1/robot/emergency-stop", NULL);
  cr_expect_eq(answer.status, 504);
  expect_text(&answer, "\"success\":false");
}

Test(api_gateway_robot, answers_504_when_the_bridge_is_silent) {
  door_stub(REQUEST_ROBOT_ESTOP)->silent = true;

  uint64_t before_ns = clock_mono_ns();
  answer_t answer = door_request("POST", "/api/v1/robot/emergency-stop", NULL);

  cr_expect_eq(answer.status, 504, "%s", answer.body);
  expect_text(&answer, "ESTOP_UNCONFIRMED");
  cr_expect_lt(clock_age_ms(clock_mono_ns(), before_ns), 1000);
}

Test(api_gateway_robot, lets_every_role_stop_but_nobody_without_a_token) {
  char token[1100];
  confirm_stops();

  for (int role = 0; role < STORE_ROLE_COUNT; role++) {
    door_token((store_role_t)role, 60, token, sizeof token);
    cr_expect_eq(door_request_as(token, "POST", "/api/v1/robot/emergency-stop", NULL).status, 200);
  }
  cr_expect_eq(door_request_as("", "POST", "/api/v1/robot/emergency-stop", NULL).status, 401);
}

Test(api_gateway_robot, does_not_limit_stops) {
  confirm_stops();

  for (int i = 0; i < 150; i++)
    cr_assert_eq(door_request("POST", "/api/v1/robot/emergency-stop", NULL).status, 200);
}

Test(api_gateway_robot, leaves_the_stop_only_with_both_confirmations) {
  robot_safety_t *safety = door_stub(REQUEST_ROBOT_ESTOP_RESET)->reply;
  const char *path = "/api/v1/robot/emergency-stop/reset";

  cr_expect_eq(door_request("POST", path, NULL).status, 422);
  cr_expect_eq(door_request("POST", path, "{\"safe_confirm\":true,\"location_ok\":true}").status,
               422);
  answer_t answer =
      door_request("POST", path, "{\"safe_confirm\":true,\"location_ok\":false,\"reason\":\"x\"}");
  cr_expect_eq(answer.status, 400);
  expect_text(&answer, "\"field\":\"location_ok\"");
  cr_expect_eq(door_stub(REQUEST_ROBOT_ESTOP_RESET)->count, 0);
  cr_expect_eq(
      door_request("POST", path, "{\"safe_confirm\":true,\"location_ok\":true,\"reason\":\"x\"}")
          .status,
      200);
  safety->latched = true;
  cr_expect_eq(
      door_request("POST", path, "{\"safe_confirm\":true,\"location_ok\":true,\"reason\":\"x\"}")
          .status,
      409);
}

/* ---- driving */

Test(api_gateway_robot, jogs_while_renewed_and_passes_a_refusal_on) {
  robot_driving_t *driving = door_stub(REQUEST_ROBOT_DRIVE)->reply;
  const char *body = "{\"direction\":\"backward\",\"speed\":0.25,\"dead_man_ms\":300}";
  driving->setpoint = -0.5;
  driving->hold_ms = 300;

  answer_t answer = door_request("POST", "/api/v1/robot/jog", body);
  cr_expect_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"setpoint\":-0.5");
  cr_expect_eq(((robot_drive_t *)door_stub(REQUEST_ROBOT_DRIVE)->takes)->hold_ms, 300);

  door_stub(REQUEST_ROBOT_DRIVE)->fail = GANTRY_E_CONFLICT;
  snprintf(door_stub(REQUEST_ROBOT_DRIVE)->detail, 64, "a stop is latched");
  answer = door_request("POST", "/api/v1/robot/jog", body);
  cr_expect_eq(answer.status, 409);
  expect_text(&answer, "a stop is latched");

  cr_expect_eq(door_request("POST", "/api/v1/robot/jog",
                            "{\"direction\":\"up\",\"speed\":0.2,\"dead_man_ms\":300}")
                   .status,
               422);
  cr_expect_eq(door_request("POST", "/api/v1/robot/jog",
                            "{\"direction\":\"forward\",\"speed\":2,\"dead_man_ms\":300}")
                   .status,
               422);
  cr_expect_eq(door_request("POST", "/api/v1/robot/jog",
                            "{\"direction\":\"forward\",\"speed\":0.2,\"dead_man_ms\":900}")
                   .status,
               422);
  cr_expect_eq(door_request("POST", "/api/v1/robot/stop", NULL).status, 200);
}

/* ---- newest values */

static bool position_holds(void *arg) {
  const char *word = arg;
  answer_t answer = door_request("GET", "/api/v1/map/robot-position", NULL);

  return answer.status == 200 && strstr(answer.body, word);
}

/* A request steps the gateway itself, hence asked in a loop instead of door_until. */
static bool becomes(bool (*holds)(void *), void *arg, uint32_t deadline_ms) {
  uint64_t end_ns = clock_mono_ns() + (uint64_t)deadline_ms * GANTRY_NS_PER_MS;

  while (clock_mono_ns() < end_ns) {
    if (holds(arg)) return true;
    harness_for(door.harness, 20);
  }
  return false;
}

/* Said anew each time: on a loaded machine an answer may take longer than a pose is fresh. */
static void say_pose(const loc_pose_t *pose) {
  bus_publish(door.localization->bus, TOPIC_LOC_POSE, NULL, pose);
  harness_for(door.harness, 20);
}

static bool position_is_fresh(void *arg) {
  char fresh[] = "\"stale\":false";

  say_pose(arg);
  return position_holds(fresh);
}

Test(api_gateway_robot, shows_the_position_until_it_turns_stale_and_never_invents_one) {
  loc_pose_t pose = {
      .x = 1.5, .confidence = 0.9, .source = SYS_SOURCE_SIMULATED, .primary = LOC_METHOD_RFID};
  char stale[] = "\"stale\":true";

  answer_t answer = door_request("GET", "/api/v1/map/robot-position", NULL);
  cr_expect_eq(answer.status, 503);
  expect_text(&answer, "UNAVAILABLE");
  cr_expect_eq(door_request("GET", "/api/v1/localization/position", NULL).status, 503);
  cr_assert(harness_heard(door.harness, door.localization->bus, "loc.pose", 2000));

  cr_assert(becomes(position_is_fresh, &pose, 5000));
  say_pose(&pose);
  answer = door_request("GET", "/api/v1/localization/position", NULL);
  expect_text(&answer, "\"x\":1500");
  expect_text(&answer, "\"origin\":\"simulated\"");
  cr_assert(becomes(position_holds, stale, 2000));
}

static bool battery_known(void *arg) {
  (void)arg;
  return door_request("GET", "/api/v1/robot/battery", NULL).status == 200;
}

Test(api_gateway_robot, shows_battery_modules_and_position_only_as_heard) {
  robot_power_t power = {.charge = 0.815, .voltage = 24.5, .charging = ROBOT_CHARGE_CHARGING};
  robot_module_t module = {.address = 2,
                           .name = "power",
                           .requests = 4,
                           .failures = 1,
                           .status = ROBOT_MODULE_STATUS_HEALTHY};
  loc_pose_t pose = {
      .x = 1.5, .theta = 0.5, .covariance_count = 6, .covariance = {0.0009, 0, 0, 0.0016}};

  cr_expect_eq(door_request("GET", "/api/v1/robot/battery", NULL).status, 503);
  cr_expect_eq(door_request("GET", "/api/v1/robot/position", NULL).status, 503);
  cr_expect_eq(door_request("GET", "/api/v1/rs485/modules/2", NULL).status, 404);
  cr_expect_eq(door_request("GET", "/api/v1/rs485/modules/248", NULL).status, 422);
  cr_assert(harness_heard(door.harness, door.bridge->bus, "robot.power", 2000));
  cr_assert(harness_heard(door.harness, door.localization->bus, "loc.pose", 2000));
  bus_publish(door.bridge->bus, TOPIC_ROBOT_MODULE, "2", &module);
  bus_publish(door.bridge->bus, TOPIC_ROBOT_POWER, NULL, &power);
  cr_assert(becomes(battery_known, NULL, 2000));

  answer_t answer = door_request("GET", "/api/v1/robot/battery", NULL);
  expect_text(&answer, "\"battery_level\":82");
  expect_text(&answer, "\"charging_status\":\"charging\"");
  answer = door_request("GET", "/api/v1/rs485/modules", NULL);
  expect_text(&answer, "\"addr\":\"0x02\"");
  answer = door_request("GET", "/api/v1/rs485/modules/2", NULL);
  expect_text(&answer, "\"error_rate\":0.25");
  expect_text(&answer, "\"real_time\":{\"battery\":82,");
  say_pose(&pose);
  answer = door_request("GET", "/api/v1/robot/position", NULL);
  expect_text(&answer, "\"orientation\":28.64788975");
  expect_text(&answer, "\"accuracy\":0.05");
}

static bool telemetry_holds(void *arg) {
  return strstr(door_request("GET", "/api/v1/telemetry/current", NULL).body, arg) != NULL;
}

static bool telemetry_lacks(void *arg) {
  return !telemetry_holds(arg);
}

static void say_motion(void) {
  robot_motion_t motion = {.speed = 0.4};
  robot_safety_t safety = {.state = ROBOT_FSM_STATE_MOVE};
  bus_publish(door.bridge->bus, TOPIC_ROBOT_MOTION, NULL, &motion);
  bus_publish(door.bridge->bus, TOPIC_ROBOT_SAFETY, NULL, &safety);
  harness_for(door.harness, 20);
}

static bool telemetry_shows(void *arg) {
  say_motion();
  return telemetry_holds(arg);
}

Test(api_gateway_robot, leaves_out_of_telemetry_what_has_turned_stale) {
  char word[] = "\"motor_speed\":0.4";
  cr_assert(harness_heard(door.harness, door.bridge->bus, "robot.motion", 2000));

  cr_assert(becomes(telemetry_shows, word, 5000));
  say_motion();
  answer_t answer = door_request("GET", "/api/v1/robot/status", NULL);
  expect_text(&answer, "\"status\":\"moving\"");
  expect_text(&answer, "\"speed\":0.4");
  say_motion();
  answer = door_request("GET", "/api/v1/safety/status", NULL);
  expect_text(&answer, "\"status\":\"normal\"");
  cr_assert(becomes(telemetry_lacks, word, 2000));
}
