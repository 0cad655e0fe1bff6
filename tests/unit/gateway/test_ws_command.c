/* What clients say. */
#include "ws_command.h"

#include <criterion/criterion.h>
#include <string.h>

static gantry_err_t parse(const char *text, ws_command_t *command, gantry_fault_t *fault) {
  return ws_command_parse(text, strlen(text), command, fault);
}

Test(ws_command, reads_the_three_shapes_of_a_subscription) {
  static const char *const TEXTS[] = {
      "{\"type\":\"subscribe\",\"data\":{\"type\":\"position\"}}",
      "{\"type\":\"subscribe\",\"subscription_type\":\"position\"}",
      "{\"type\":\"subscribe\",\"data\":{\"types\":[\"position\"]}}"};

  for (int i = 0; i < 3; i++) {
    ws_command_t command;
    gantry_fault_t fault;
    cr_assert_eq(parse(TEXTS[i], &command, &fault), GANTRY_OK, "%s", TEXTS[i]);
    cr_expect_eq(command.wish, WS_SUBSCRIBE);
    cr_expect_eq(command.types, 1u << WS_POSITION);
  }
}

Test(ws_command, reads_pings_and_unsubscriptions) {
  ws_command_t command;
  gantry_fault_t fault;

  cr_assert_eq(parse("{\"type\":\"ping\",\"more\":1}", &command, &fault), GANTRY_OK);
  cr_expect_eq(command.wish, WS_PING);
  cr_assert_eq(parse("{\"type\":\"unsubscribe\",\"data\":{\"types\":[\"alert\",\"status\"]}}",
                     &command, &fault),
               GANTRY_OK);
  cr_expect_eq(command.wish, WS_UNSUBSCRIBE);
  cr_expect_eq(command.types, 1u << WS_ALERT | 1u << WS_STATUS);
}

typedef struct bad {
  const char *text, *code;
} bad_t;

Test(ws_command, says_what_is_wrong_with_a_bad_frame) {
  static const bad_t BAD[] = {
      {"", "BAD_FRAME"},
      {"nonsense", "BAD_FRAME"},
      {"[1]", "BAD_FRAME"},
      {"{}", "BAD_FRAME"},
      {"{\"type\":5}", "BAD_FRAME"},
      {"{\"type\":\"fly\"}", "UNKNOWN_TYPE"},
      {"{\"type\":\"subscribe\"}", "BAD_SUBSCRIPTION"},
      {"{\"type\":\"subscribe\",\"data\":7}", "BAD_SUBSCRIPTION"},
      {"{\"type\":\"subscribe\",\"data\":{\"types\":\"x\"}}", "BAD_SUBSCRIPTION"},
      {"{\"type\":\"subscribe\",\"data\":{\"types\":[\"x\"]}}", "BAD_SUBSCRIPTION"},
      {"{\"type\":\"subscribe\",\"data\":{\"type\":\"x\"}}", "BAD_SUBSCRIPTION"},
      {"{\"type\":\"unsubscribe\",\"subscription_type\":\"x\"}", "BAD_SUBSCRIPTION"},
      {"{\"type\":\"subscribe\",\"data\":{\"type\":\"status\",\"max_hz\":0}}", "BAD_SUBSCRIPTION"},
      {"{\"type\":\"set_log_level\"}", "BAD_ARGUMENT"},
      {"{\"type\":\"set_log_level\",\"level\":\"loud\"}", "BAD_ARGUMENT"},
      {"{\"type\":\"get_recent_logs\",\"data\":{\"limit\":0}}", "BAD_ARGUMENT"},
      {"{\"type\":\"robot_control\"}", "BAD_ARGUMENT"},
      {"{\"type\":\"resume\",\"data\":{\"seq\":-1}}", "BAD_ARGUMENT"}};

  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    ws_command_t command;
    gantry_fault_t fault;
    cr_expect_eq(parse(BAD[i].text, &command, &fault), GANTRY_E_SCHEMA, "%s", BAD[i].text);
    cr_expect_str_eq(fault.code, BAD[i].code, "%s", BAD[i].text);
  }
}

static ws_command_t read_good(const char *text) {
  ws_command_t command;
  gantry_fault_t fault;

  cr_assert_eq(parse(text, &command, &fault), GANTRY_OK, "%s", text);
  return command;
}

Test(ws_command, takes_arguments_beside_the_type_or_in_data) {
  ws_command_t a =
      read_good("{\"type\":\"robot_control\",\"command\":\"move\",\"parameters\":{\"x\":1}}");
  ws_command_t b = read_good(
      "{\"type\":\"robot_control\",\"data\":{\"command\":\"move\",\"parameters\":{\"x\":1}}}");

  cr_expect_str_eq(a.body, "{\"command_type\":\"move\",\"parameters\":{\"x\":1}}");
  cr_expect_str_eq(b.body, a.body);
  cr_expect_str_eq(read_good("{\"type\":\"robot_control\",\"command\":\"a\\\"b\"}").body,
                   "{\"command_type\":\"a\\\"b\",\"parameters\":{}}");
}

Test(ws_command, knows_what_ends_a_movement) {
  cr_expect(read_good("{\"type\":\"robot_control\",\"command\":\"stop\"}").ends_movement);
  cr_expect(
      read_good("{\"type\":\"robot_control\",\"data\":{\"command\":\"pause\"}}").ends_movement);
  cr_expect_not(read_good("{\"type\":\"robot_control\",\"command\":\"move\"}").ends_movement);
}

Test(ws_command, reads_levels_as_people_say_them) {
  cr_expect_eq(read_good("{\"type\":\"set_log_level\",\"level\":\"WARNING\"}").level,
               SYS_LOG_LEVEL_WARN);
  cr_expect_eq(read_good("{\"type\":\"set_log_level\",\"data\":{\"level\":\"info\"}}").level,
               SYS_LOG_LEVEL_INFO);
  ws_command_t logs =
      read_good("{\"type\":\"get_recent_logs\",\"data\":{\"level\":\"error\",\"limit\":7}}");
  cr_expect_eq(logs.limit, 7);
  cr_expect(logs.has_level && logs.level == SYS_LOG_LEVEL_ERROR);
  cr_expect_not(read_good("{\"type\":\"get_recent_logs\"}").has_level);
}

Test(ws_command, reads_rates_and_numbers) {
  cr_expect_eq(
      read_good("{\"type\":\"subscribe\",\"data\":{\"type\":\"status\",\"max_hz\":2.5}}").max_hz,
      2.5);
  cr_expect_lt(read_good("{\"type\":\"subscribe\",\"data\":{\"type\":\"status\"}}").max_hz, 0);
  ws_command_t resume = read_good(
      "{\"type\":\"resume\",\"data\":{\"type\":\"alert\",\"seq\":41,\"instance\":\"00ff\"}}");
  cr_expect_eq(resume.seq, 41);
  cr_expect_str_eq(resume.instance, "00ff");
  cr_expect_str_eq(read_good("{\"type\":\"start_mapping\",\"data\":{\"map_name\":\"hall\"}}").body,
                   "{\"map_name\":\"hall\"}");
}
