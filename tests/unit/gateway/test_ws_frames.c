/* Envelopes and commands. */
#include "ws_frames.h"

#include <criterion/criterion.h>
#include <string.h>

Test(ws_frames, wraps_a_value_in_its_envelope) {
  http_done_t done = {.success = true, .message = "x"};
  ws_envelope_t envelope = {.type = WS_POSITION,
                            .source = "localization",
                            .seq = 7,
                            .trace = 0xab,
                            .age_ms = 1.5,
                            .born_ns = 12};
  buf_t scratch = {0};

  ws_frame_t *frame = ws_frame_new(&envelope, &HTTP_DONE_DESC, &done, "", &scratch);

  cr_assert_not_null(frame);
  const char *expected =
      "{\"type\":\"position\",\"data\":{\"success\":true,\"message\":\"x\",\"timestamp\":"
      "\"1970-01-01T00:00:00.000000Z\"},\"timestamp\":\"1970-01-01T00:00:00.000000Z\","
      "\"priority\":1,\"source\":\"localization\",\"seq\":7,\"trace\":\"00000000000000ab\","
      "\"born_age_ms\":1.500,\"born_ns\":12}";
  cr_expect_eq(frame->len, strlen(expected));
  cr_expect_eq(memcmp(frame->bytes + WS_HEADROOM, expected, frame->len), 0);
  ws_frame_release(frame);
  buf_fini(&scratch);
}

Test(ws_frames, makes_no_frame_that_does_not_fit) {
  http_done_t done = {.success = true};
  ws_envelope_t envelope = {.type = WS_STATUS, .source = "x", .age_ms = -1};
  buf_t scratch = {.limit = 10};

  cr_expect_null(ws_frame_new(&envelope, &HTTP_DONE_DESC, &done, "", &scratch));
  buf_fini(&scratch);
}

Test(ws_frames, knows_types_by_name) {
  for (int i = 0; i < WS_TYPE_COUNT; i++) {
    cr_expect_eq(ws_type_parse(ws_type_name((ws_type_t)i)), (ws_type_t)i);
    cr_expect_not_null(strstr(ws_type_permission((ws_type_t)i), ":read"));
  }
  cr_expect_eq(ws_type_parse("nothing"), WS_TYPE_COUNT);
  cr_expect_str_eq(ws_type_name(WS_CONTROL), "control");
}

Test(ws_frames, subscribes_by_path) {
  bool known;

  cr_expect_eq(ws_path_types("/ws", &known), 0);
  cr_expect(known);
  cr_expect_eq(ws_path_types("/ws/alerts", &known), 1u << WS_ALERT);
  cr_expect(known);
  cr_expect_eq(ws_path_types("/ws/monitoring", &known), 1u << WS_STATUS | 1u << WS_ALERT);
  cr_expect_eq(ws_path_types("/ws/else", &known), 0);
  cr_expect_not(known);
}

static gantry_err_t parse(const char *text, ws_command_t *command, gantry_fault_t *fault) {
  return ws_command_parse(text, strlen(text), command, fault);
}

Test(ws_frames, reads_the_three_shapes_of_a_subscription) {
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

Test(ws_frames, reads_pings_and_unsubscriptions) {
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

Test(ws_frames, says_what_is_wrong_with_a_bad_frame) {
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
      {"{\"type\":\"unsubscribe\",\"subscription_type\":\"x\"}", "BAD_SUBSCRIPTION"}};

  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    ws_command_t command;
    gantry_fault_t fault;
    cr_expect_eq(parse(BAD[i].text, &command, &fault), GANTRY_E_SCHEMA, "%s", BAD[i].text);
    cr_expect_str_eq(fault.code, BAD[i].code, "%s", BAD[i].text);
  }
}
