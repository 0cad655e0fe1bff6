/* Commands, mode, speeds and limits at the door, with a played bridge behind it. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <string.h>

TestSuite(api_gateway_command, .init = door_open_as_admin, .fini = door_close, .timeout = 30);

static const robot_command_t *commanded(void) {
  return door_stub(REQUEST_ROBOT_COMMAND)->takes;
}

static robot_status_t *plays(robot_command_kind_t kind, robot_command_state_t state) {
  robot_status_t *status = door_stub(REQUEST_ROBOT_COMMAND)->reply;

  *status = (robot_status_t){.state = ROBOT_FSM_STATE_MOVE,
                             .command = kind,
                             .command_id = 7,
                             .command_state = state,
                             .speed_share = 0.5,
                             .speed_limit = 2,
                             .acceleration = 0.5,
                             .deceleration = 1};
  return status;
}

/* The bridge tells its status until the gateway has heard it. */
static void tell(const robot_status_t *status, const char *path, const char *word) {
  uint64_t end_ns = clock_mono_ns() + 5 * GANTRY_NS_PER_S;

  cr_assert(harness_heard(door.harness, door.bridge->bus, "robot.status", 5000));
  while (clock_mono_ns() < end_ns) {
    bus_publish(door.bridge->bus, TOPIC_ROBOT_STATUS, NULL, status);
    harness_for(door.harness, 20);
    if (strstr(door_request("GET", path, NULL).body, word)) return;
  }
  cr_assert(false, "%s never said %s", path, word);
}

static const robot_limits_t LIMITS = {.max_speed = 1,
                                      .max_acceleration = 1,
                                      .max_deceleration = 2,
                                      .zone_stop = 0.5,
                                      .zone_slow = 1,
                                      .battery_min = 0.2,
                                      .dead_man_ms = 500,
                                      .emergency_speed = 0.1};

/* The bridge tells its limits; nobody may ask for them. */
static void tell_limits(void) {
  uint64_t end_ns = clock_mono_ns() + 5 * GANTRY_NS_PER_S;

  cr_assert(harness_heard(door.harness, door.bridge->bus, "robot.limits", 5000));
  do {
    cr_assert_lt(clock_mono_ns(), end_ns);
    bus_publish(door.bridge->bus, TOPIC_ROBOT_LIMITS, NULL, &LIMITS);
    harness_for(door.harness, 20);
  } while (door_request("GET", "/api/v1/robot/configuration", NULL).status != 200);
  door_stub(REQUEST_ROBOT_LIMITS)->fail = GANTRY_E_INTERNAL;
  door_stub(REQUEST_ROBOT_STATUS)->fail = GANTRY_E_INTERNAL;
}

/* ---- commands */

Test(api_gateway_command, hands_a_command_over_with_its_parameters) {
  plays(ROBOT_COMMAND_KIND_MOVE, ROBOT_COMMAND_STATE_RUNNING);
  const char *body = "{\"command_type\":\"move\",\"parameters\":{\"direction\":\"backward\","
                     "\"speed\":0.25,\"distance\":0.5},\"priority\":3,\"timeout\":2.5}";

  answer_t answer = door_request("POST", "/api/v1/robot/control", body);

  cr_assert_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"success\":true");
  expect_text(&answer, "\"command\":{\"id\":7,\"command_type\":\"move\"");
  expect_text(&answer, "\"priority\":3");
  expect_text(&answer, "\"status\":\"running\"");
  cr_expect_eq(commanded()->kind, ROBOT_COMMAND_KIND_MOVE);
  cr_expect_eq(commanded()->direction, ROBOT_DIRECTION_BACKWARD);
  cr_expect_float_eq(commanded()->speed, 0.25, 1e-12);
  cr_expect_float_eq(commanded()->distance, 0.5, 1e-12);
  cr_expect_eq(commanded()->timeout_ms, 2500);
  cr_expect_str_eq(door_stub(REQUEST_ROBOT_COMMAND)->actor, "admin");
}

Test(api_gateway_command, knows_each_command_under_both_paths) {
  static const struct {
    const char *name;
    robot_command_kind_t kind;
  } COMMANDS[] = {
      {"move", ROBOT_COMMAND_KIND_MOVE},   {"stop", ROBOT_COMMAND_KIND_STOP},
      {"pause", ROBOT_COMMAND_KIND_PAUSE}, {"resume", ROBOT_COMMAND_KIND_RESUME},
      {"reset", ROBOT_COMMAND_KIND_RESET}, {"home", ROBOT_COMMAND_KIND_HOME},
      {"dock", ROBOT_COMMAND_KIND_DOCK},   {"undock", ROBOT_COMMAND_KIND_UNDOCK},
  };
  char body[64];

  for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++) {
    snprintf(body, sizeof body, "{\"command_type\":\"%s\"}", COMMANDS[i].name);
    cr_expect_eq(door_request("POST", "/api/v1/robot/command", body).status, 200);
    cr_expect_eq(commanded()->kind, COMMANDS[i].kind, "%s", COMMANDS[i].name);
    cr_expect_not(commanded()->has_timeout_ms || commanded()->has_speed);
  }
}

Test(api_gateway_command, passes_a_refusal_on_with_the_bridges_sentence) {
  static const struct {
    gantry_err_t err;
    int status;
  } REFUSALS[] = {{GANTRY_E_CONFLICT, 409},
                  {GANTRY_E_REFUSED, 400},
                  {GANTRY_E_UNAVAILABLE, 503},
                  {GANTRY_E_DEVICE, 503}};
  stub_t *stub = door_stub(REQUEST_ROBOT_COMMAND);

  snprintf(stub->detail, sizeof stub->detail, "nothing is paused");
  for (size_t i = 0; i < sizeof REFUSALS / sizeof REFUSALS[0]; i++) {
    stub->fail = REFUSALS[i].err;
    answer_t answer = door_request("POST", "/api/v1/robot/resume", NULL);
    cr_expect_eq(answer.status, REFUSALS[i].status, "%s", answer.body);
    expect_text(&answer, "nothing is paused");
  }
}

Test(api_gateway_command, never_calls_a_failed_command_a_success) {
  robot_status_t *status = plays(ROBOT_COMMAND_KIND_DOCK, ROBOT_COMMAND_STATE_FAILED);
  snprintf(status->command_detail, sizeof status->command_detail, "no station in sight");

  answer_t answer = door_request("POST", "/api/v1/robot/control", "{\"command_type\":\"dock\"}");

  expect_text(&answer, "\"success\":false");
  expect_text(&answer, "dock has failed: no station in sight");
}

Test(api_gateway_command, answers_504_when_the_bridge_is_silent) {
  door_stub(REQUEST_ROBOT_COMMAND)->silent = true;

  cr_expect_eq(door_request("POST", "/api/v1/robot/pause", NULL).status, 504);
}

Test(api_gateway_command, shows_the_last_command_once_there_was_one) {
  robot_status_t status = {.state = ROBOT_FSM_STATE_IDLE, .mode = ROBOT_MODE_SEMI};

  cr_expect_eq(door_request("GET", "/api/v1/robot/last-command", NULL).status, 503);
  cr_expect_eq(door_request("GET", "/api/v1/robot/mode", NULL).status, 503);
  tell(&status, "/api/v1/robot/last-command", "Nothing was commanded yet.");
  status.command = ROBOT_COMMAND_KIND_MOVE;
  status.command_id = 3;
  status.command_state = ROBOT_COMMAND_STATE_RUNNING;
  status.has_progress = true;
  status.progress = 0.5;
  snprintf(status.waits_for, sizeof status.waits_for, "a pose");
  tell(&status, "/api/v1/robot/last-command", "\"id\":3");

  answer_t answer = door_request("GET", "/api/v1/robot/last-command", NULL);
  expect_text(&answer, "\"status\":\"running\"");
  expect_text(&answer, "\"progress\":0.5");
  answer = door_request("GET", "/api/v1/robot/mode", NULL);
  expect_text(&answer, "\"mode\":\"semi\"");
  answer = door_request("GET", "/api/v1/robot/status", NULL);
  expect_text(&answer, "\"mode\":\"semi\"");
  expect_text(&answer, "\"last_command\":\"move\"");
  expect_text(&answer, "\"waits_for\":\"a pose\"");
  expect_text(&answer, "\"updated_at\":\"2");
}

/* ---- movements */

Test(api_gateway_command, moves_as_path_and_query_say) {
  plays(ROBOT_COMMAND_KIND_MOVE, ROBOT_COMMAND_STATE_RUNNING);
  tell_limits();

  answer_t answer = door_request("POST", "/api/v1/robot/move?direction=backward&speed=0.3", NULL);
  cr_assert_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"direction\":\"backward\",\"speed\":0.3");
  cr_expect_null(strstr(answer.body, "estimated_duration"));
  cr_expect_eq(commanded()->direction, ROBOT_DIRECTION_BACKWARD);
  cr_expect_not(commanded()->has_distance);

  answer = door_request("POST", "/api/v1/robot/move/forward?distance=3", NULL);
  /* 0.5 m/s: 0.25 m up, 0.125 m down in 1 s and 0.5 s, the rest of 2.625 m takes 5.25 s */
  expect_text(&answer, "\"estimated_duration\":6.75");
  expect_text(&answer, "\"direction\":\"forward\"");
  cr_expect_eq(commanded()->direction, ROBOT_DIRECTION_FORWARD);
  cr_expect_not(commanded()->has_speed);
  answer = door_request("POST", "/api/v1/robot/move/backward?speed=0.1", NULL);
  expect_text(&answer, "\"direction\":\"backward\"");
  answer = door_request("POST", "/api/v1/robot/move/stop", NULL);
  expect_text(&answer, "\"direction\":\"stop\",\"speed\":0");
  cr_expect_eq(door_stub(REQUEST_ROBOT_HALT)->count, 1);
}

Test(api_gateway_command, says_no_duration_while_the_limits_are_not_known) {
  plays(ROBOT_COMMAND_KIND_MOVE, ROBOT_COMMAND_STATE_RUNNING);

  answer_t answer = door_request("POST", "/api/v1/robot/move/forward?distance=3", NULL);

  cr_expect_eq(answer.status, 200, "%s", answer.body);
  cr_expect_null(strstr(answer.body, "estimated_duration"));
}

Test(api_gateway_command, lifts_in_percent_and_says_what_is_missing) {
  plays(ROBOT_COMMAND_KIND_CARGO_UP, ROBOT_COMMAND_STATE_RUNNING);

  answer_t answer = door_request("POST", "/api/v1/robot/cargo/up?position=40", NULL);
  cr_expect_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"direction\":\"up\",\"position\":40");
  cr_expect_float_eq(commanded()->position, 0.4, 1e-12);

  door_stub(REQUEST_ROBOT_COMMAND)->fail = GANTRY_E_UNAVAILABLE;
  snprintf(door_stub(REQUEST_ROBOT_COMMAND)->detail, 64, "there is no lifter module");
  answer = door_request("POST", "/api/v1/robot/cargo/down", NULL);
  cr_expect_eq(answer.status, 503);
  expect_text(&answer, "there is no lifter module");
  cr_expect_eq(commanded()->kind, ROBOT_COMMAND_KIND_CARGO_DOWN);
}

/* ---- mode, speeds, limits */

Test(api_gateway_command, changes_the_mode_and_forces_none) {
  robot_status_t *status = door_stub(REQUEST_ROBOT_MODE)->reply;
  const char *path = "/api/v1/robot/mode";
  status->mode = ROBOT_MODE_MAINTENANCE;

  answer_t answer = door_request("POST", path, "{\"mode\":\"maintenance\",\"reason\":\"oil\"}");
  cr_expect_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"current_mode\":\"maintenance\"");
  cr_expect_null(strstr(answer.body, "previous_mode"));
  const robot_mode_set_t *set = door_stub(REQUEST_ROBOT_MODE)->takes;
  cr_expect_str_eq(set->reason, "oil");

  answer = door_request("POST", path, "{\"mode\":\"auto\",\"force\":true}");
  cr_expect_eq(answer.status, 400);
  expect_text(&answer, "\"field\":\"force\"");
  cr_expect_eq(door_stub(REQUEST_ROBOT_MODE)->count, 1);
  tell(&(robot_status_t){.mode = ROBOT_MODE_SEMI}, path, "semi");
  answer = door_request("POST", path, "{\"mode\":\"maintenance\"}");
  expect_text(&answer, "\"previous_mode\":\"semi\"");
}

Test(api_gateway_command, sets_speeds_as_shares_and_by_name) {
  plays(ROBOT_COMMAND_KIND_SPEED, ROBOT_COMMAND_STATE_DONE);
  tell_limits();
  cr_expect_eq(door_request("GET", "/api/v1/robot/speed", NULL).status, 503, "not told yet");
  tell(&(robot_status_t){.speed_share = 0.25,
                         .preset = ROBOT_PRESET_SLOW,
                         .acceleration = 0.4,
                         .deceleration = 0.4},
       "/api/v1/robot/speed", "\"preset\":\"slow\",\"speed\":0.25,\"acceleration\":0.4,");

  answer_t answer = door_request("POST", "/api/v1/robot/speed",
                                 "{\"speed\":0.5,\"acceleration\":0.5,\"deceleration\":0.5}");
  cr_expect_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"speed\":0.5,\"acceleration\":0.5,\"deceleration\":0.5");
  cr_expect_float_eq(commanded()->acceleration, 0.5, 1e-12);
  answer = door_request("GET", "/api/v1/robot/speed", NULL);
  expect_text(&answer, "\"speed\":0.5,\"acceleration\":0.5,");
  cr_expect_eq(door_stub(REQUEST_ROBOT_STATUS)->count + door_stub(REQUEST_ROBOT_LIMITS)->count, 0,
               "newest values come out of memory");
  answer = door_request("POST", "/api/v1/robot/speed/preset", "{\"preset\":\"fast\"}");
  cr_expect_eq(answer.status, 200, "%s", answer.body);
  cr_expect_eq(commanded()->kind, ROBOT_COMMAND_KIND_PRESET);
  cr_expect_eq(commanded()->preset, ROBOT_PRESET_FAST);
}

Test(api_gateway_command, asks_for_limits_it_has_not_heard_once_a_speed_is_set) {
  plays(ROBOT_COMMAND_KIND_SPEED, ROBOT_COMMAND_STATE_DONE);
  *(robot_limits_t *)door_stub(REQUEST_ROBOT_LIMITS)->reply = LIMITS;

  answer_t answer = door_request("POST", "/api/v1/robot/speed", "{\"speed\":0.5}");

  cr_assert_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"speed\":0.5,\"acceleration\":0.5,\"deceleration\":0.5");
  cr_expect_eq(door_stub(REQUEST_ROBOT_LIMITS)->count, 1);
}

Test(api_gateway_command, shows_the_limits_that_the_bridge_keeps) {
  cr_expect_eq(door_request("GET", "/api/v1/robot/configuration", NULL).status, 503,
               "not told yet");
  tell_limits();

  answer_t answer = door_request("GET", "/api/v1/robot/configuration", NULL);

  cr_assert_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"max_speed\":1,\"max_acceleration\":1,\"max_deceleration\":2");
  expect_text(&answer, "\"safety_distance\":0.5");
  expect_text(&answer, "\"emergency_stop_timeout\":150");
  expect_text(&answer, "\"battery_warning_threshold\":20");
  cr_expect_eq(door_stub(REQUEST_ROBOT_LIMITS)->count, 0);
}

Test(api_gateway_command, resets_with_what_was_confirmed) {
  plays(ROBOT_COMMAND_KIND_RESET, ROBOT_COMMAND_STATE_DONE);

  cr_expect_eq(door_request("POST", "/api/v1/robot/reset", NULL).status, 200);
  cr_expect_not(commanded()->has_safe_confirm || commanded()->has_location_ok);
  cr_expect_eq(door_request("POST", "/api/v1/robot/reset", "{\"safe_confirm\":true}").status, 200);
  cr_expect(commanded()->safe_confirm);
  cr_expect_eq(commanded()->kind, ROBOT_COMMAND_KIND_RESET);
}

/* ---- refusals at the door */

Test(api_gateway_command, names_the_field_that_is_wrong) {
  static const struct {
    const char *path, *body, *field;
  } WRONG[] = {
      {"/api/v1/robot/control", "{}", "command_type"},
      {"/api/v1/robot/control", "{\"command_type\":\"fly\"}", "command_type"},
      {"/api/v1/robot/control", "{\"command_type\":\"move\",\"parameters\":{\"speed\":2}}",
       "parameters.speed"},
      {"/api/v1/robot/control", "{\"command_type\":\"move\",\"parameters\":7}", "parameters"},
      {"/api/v1/robot/control", "{\"command_type\":\"move\",\"priority\":11}", "priority"},
      {"/api/v1/robot/control", "{\"command_type\":\"move\",\"timeout\":-1}", "timeout"},
      {"/api/v1/robot/move", NULL, "direction"},
      {"/api/v1/robot/move?direction=up", NULL, "direction"},
      {"/api/v1/robot/move?direction=forward&speed=1.1", NULL, "speed"},
      {"/api/v1/robot/move/forward?speed=-0.1", NULL, "speed"},
      {"/api/v1/robot/move/backward?distance=far", NULL, "distance"},
      {"/api/v1/robot/cargo/up?position=101", NULL, "position"},
      {"/api/v1/robot/mode", "{\"mode\":\"fast\"}", "mode"},
      {"/api/v1/robot/speed", "{\"acceleration\":0.5}", "speed"},
      {"/api/v1/robot/speed", "{\"speed\":1.5}", "speed"},
      {"/api/v1/robot/speed/preset", "{\"preset\":\"custom\"}", "preset"},
      {"/api/v1/robot/reset", "{\"safe_confirm\":\"yes\"}", "safe_confirm"},
  };

  for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
    char field[64];
    answer_t answer = door_request("POST", WRONG[i].path, WRONG[i].body);
    cr_expect_eq(answer.status, 422, "%s %s: %s", WRONG[i].path, WRONG[i].body ? WRONG[i].body : "",
                 answer.body);
    snprintf(field, sizeof field, "\"field\":\"%s\"", WRONG[i].field);
    expect_text(&answer, field);
  }
  cr_expect_eq(door_stub(REQUEST_ROBOT_COMMAND)->count, 0);
}

Test(api_gateway_command, lets_viewers_look_but_not_command) {
  static const char *const PATHS[] = {
      "/api/v1/robot/control",   "/api/v1/robot/command",      "/api/v1/robot/move",
      "/api/v1/robot/mode",      "/api/v1/robot/move/forward", "/api/v1/robot/move/backward",
      "/api/v1/robot/move/stop", "/api/v1/robot/cargo/up",     "/api/v1/robot/cargo/down",
      "/api/v1/robot/speed",     "/api/v1/robot/speed/preset", "/api/v1/robot/pause",
      "/api/v1/robot/resume",    "/api/v1/robot/reset"};
  char viewer[1100];

  door_token(STORE_ROLE_VIEWER, 60, viewer, sizeof viewer);
  for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
    cr_expect_eq(door_request_as(viewer, "POST", PATHS[i], "{}").status, 403, "%s", PATHS[i]);
    cr_expect_eq(door_request_as("", "POST", PATHS[i], "{}").status, 401, "%s", PATHS[i]);
  }
  tell_limits();
  tell(&(robot_status_t){.speed_share = 1}, "/api/v1/robot/speed", "\"preset\"");
  cr_expect_eq(door_request_as(viewer, "GET", "/api/v1/robot/configuration", NULL).status, 200);
  cr_expect_eq(door_request_as(viewer, "GET", "/api/v1/robot/speed", NULL).status, 200);
}
