/* Envelopes. */
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
  cr_expect_eq(ws_path_types("/ws/alerts", &known), 1u << WS_ALERT | 1u << WS_ACTIVE_ALERTS_UPDATE);
  cr_expect(known);
  cr_expect_eq(ws_path_types("/ws/monitoring", &known), 1u << WS_STATUS | 1u << WS_ALERT);
  cr_expect_eq(ws_path_types("/ws/rs485", &known), 1u << WS_RS485);
  cr_expect_eq(ws_path_types("/ws/logs", &known), 1u << WS_LOG);
  cr_expect_eq(ws_path_types("/ws/else", &known), 0);
  cr_expect_not(known);
}
