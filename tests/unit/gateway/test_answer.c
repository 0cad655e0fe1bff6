/* Whole answers. */
#include "answer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static buf_t out;

static void tear_down(void) {
  buf_fini(&out);
}

TestSuite(answer, .fini = tear_down);

static const char *finish(const answer_head_t *head, const char *body) {
  size_t start;

  answer_begin(&out);
  buf_put_text(&out, body);
  cr_assert_eq(answer_finish(&out, head, &start), GANTRY_OK);
  cr_assert_geq(start, 32);
  return buf_text(&out) + start;
}

Test(answer, puts_head_and_body_into_one_piece) {
  const char *text =
      finish(&(answer_head_t){.status = 200, .type = "application/json", .request_id = 0xab}, "{}");

  cr_expect_eq(strncmp(text, "HTTP/1.1 200 OK\r\n", 17), 0);
  cr_expect_not_null(strstr(text, "\r\nContent-Length: 2\r\n"));
  cr_expect_not_null(strstr(text, "\r\nX-Request-Id: 00000000000000ab\r\n"));
  cr_expect_str_eq(strstr(text, "\r\n\r\n"), "\r\n\r\n{}");
}

Test(answer, carries_the_security_headers_always) {
  const char *text = finish(&(answer_head_t){.status = 404, .type = "application/json"}, "{}");

  cr_expect_not_null(strstr(text, "X-Content-Type-Options: nosniff"));
  cr_expect_not_null(strstr(text, "X-Frame-Options: DENY"));
  cr_expect_not_null(strstr(text, "X-XSS-Protection: 1; mode=block"));
  cr_expect_not_null(strstr(text, "Referrer-Policy: strict-origin-when-cross-origin"));
  cr_expect_not_null(strstr(text, "Permissions-Policy: "));
}

Test(answer, says_what_a_refused_client_may_do) {
  cr_expect_not_null(
      strstr(finish(&(answer_head_t){.status = 401}, ""), "WWW-Authenticate: Bearer\r\n"));
  cr_expect_not_null(
      strstr(finish(&(answer_head_t){.status = 405, .allow = "GET"}, ""), "Allow: GET\r\n"));
  cr_expect_not_null(
      strstr(finish(&(answer_head_t){.status = 429, .retry_s = 7}, ""), "Retry-After: 7\r\n"));
  cr_expect_not_null(strstr(finish(&(answer_head_t){.status = 426}, ""), "Upgrade: websocket\r\n"));
  cr_expect_not_null(
      strstr(finish(&(answer_head_t){.status = 413, .close = true}, ""), "Connection: close\r\n"));
}

Test(answer, echoes_an_allowed_origin_only) {
  const char *text =
      finish(&(answer_head_t){.status = 204, .origin = "http://a", .preflight = true}, "");

  cr_expect_not_null(strstr(text, "Access-Control-Allow-Origin: http://a\r\n"));
  cr_expect_not_null(strstr(text, "Access-Control-Allow-Credentials: true\r\n"));
  cr_expect_not_null(strstr(text, "x-api"));
  cr_expect_null(strstr(text, "Content-Length"));
  cr_expect_null(strstr(finish(&(answer_head_t){.status = 200}, ""), "Access-Control"));
}

Test(answer, keeps_the_length_but_not_the_body_for_head) {
  const char *text =
      finish(&(answer_head_t){.status = 200, .type = "text/plain", .head_only = true}, "12345");

  cr_expect_not_null(strstr(text, "Content-Length: 5\r\n"));
  cr_expect_str_eq(strstr(text, "\r\n\r\n"), "\r\n\r\n");
}

Test(answer, refuses_heads_and_bodies_that_do_not_fit) {
  static char policy[4000];
  size_t start;

  memset(policy, 'x', sizeof policy - 1);
  answer_begin(&out);
  cr_expect_eq(answer_finish(&out, &(answer_head_t){.status = 200, .csp = policy}, &start),
               GANTRY_E_TOO_LARGE);
  out.failed = true;
  cr_expect_eq(answer_finish(&out, &(answer_head_t){.status = 200}, &start), GANTRY_E_TOO_LARGE);
}

Test(answer, names_error_code_field_and_request) {
  gantry_fault_t fault;

  fault_set(&fault, GANTRY_E_SCHEMA, "map_name", "is missing");
  answer_error(&fault, 0, 0xff, &out);

  cr_expect_str_eq(
      buf_text(&out),
      "{\"success\":false,\"error\":\"map_name: is missing\",\"detail\":\"map_name: is missing\","
      "\"code\":\"VALIDATION_ERROR\",\"details\":[{\"field\":\"map_name\",\"message\":\"is "
      "missing\"}],"
      "\"timestamp\":\"1970-01-01T00:00:00.000000Z\",\"request_id\":\"00000000000000ff\"}");
}

Test(answer, leaves_a_sentence_as_it_is_and_never_says_nothing) {
  gantry_fault_t fault;

  fault_set(&fault, GANTRY_E_REFUSED, "speed", "The robot is busy.");
  snprintf(fault.code, sizeof fault.code, "ROBOT_BUSY");
  answer_error(&fault, 0, 0, &out);
  cr_expect_not_null(strstr(buf_text(&out), "\"error\":\"The robot is busy.\""));
  cr_expect_not_null(strstr(buf_text(&out), "\"code\":\"ROBOT_BUSY\""));
  buf_reset(&out);
  answer_error(&(gantry_fault_t){.err = GANTRY_E_TIMEOUT}, 0, 0, &out);
  cr_expect_not_null(strstr(buf_text(&out), "\"error\":\"timeout\""));
}

Test(answer, matches_origins_whole) {
  const char *list = "http://localhost:3000, http://b";

  cr_expect(answer_origin_allowed(list, "http://localhost:3000"));
  cr_expect(answer_origin_allowed(list, "http://b"));
  cr_expect_not(answer_origin_allowed(list, "http://localhost:300"));
  cr_expect_not(answer_origin_allowed(list, "http://localhost:30000"));
  cr_expect_not(answer_origin_allowed(list, ""));
  cr_expect_not(answer_origin_allowed("", "http://b"));
  cr_expect_not(answer_origin_allowed("*", "http://b"));
}

Test(answer, has_a_phrase_for_every_status_it_gives) {
  for (int err = 0; err < GANTRY_ERR_COUNT; err++) {
    cr_expect_str_neq(answer_reason(gantry_err_http((gantry_err_t)err)), "Unknown");
  }
  cr_expect_str_eq(answer_reason(599), "Unknown");
}
