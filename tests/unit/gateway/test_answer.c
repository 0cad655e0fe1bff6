/* Headers of answers, and bodies of errors. */
#include "answer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static buf_t out;

static void tear_down(void) {
  buf_fini(&out);
}

TestSuite(answer, .fini = tear_down);

static void put(void *arg, const char *name, const char *value) {
  (void)arg;
  buf_printf(&out, "%s: %s\r\n", name, value);
}

static const char *headers(const answer_head_t *head) {
  buf_reset(&out);
  answer_headers(head, put, NULL);
  return buf_text(&out);
}

Test(answer, says_what_the_body_is_and_which_request_it_answers) {
  const char *text =
      headers(&(answer_head_t){.status = 200, .type = "application/json", .request_id = 0xab});

  cr_expect_not_null(strstr(text, "Content-Type: application/json\r\n"));
  cr_expect_not_null(strstr(text, "X-Request-Id: 00000000000000ab\r\n"));
  cr_expect_not_null(strstr(text, "Cache-Control: no-store\r\n"));
}

Test(answer, carries_the_security_headers_always) {
  const char *text = headers(&(answer_head_t){.status = 404, .type = "application/json"});

  cr_expect_not_null(strstr(text, "X-Content-Type-Options: nosniff"));
  cr_expect_not_null(strstr(text, "X-Frame-Options: DENY"));
  cr_expect_not_null(strstr(text, "X-XSS-Protection: 1; mode=block"));
  cr_expect_not_null(strstr(text, "Referrer-Policy: strict-origin-when-cross-origin"));
  cr_expect_not_null(strstr(text, "Permissions-Policy: "));
}

Test(answer, says_what_a_refused_client_may_do) {
  cr_expect_not_null(
      strstr(headers(&(answer_head_t){.status = 401}), "WWW-Authenticate: Bearer\r\n"));
  cr_expect_not_null(
      strstr(headers(&(answer_head_t){.status = 405, .allow = "GET"}), "Allow: GET\r\n"));
  cr_expect_not_null(
      strstr(headers(&(answer_head_t){.status = 429, .retry_s = 7}), "Retry-After: 7\r\n"));
  cr_expect_not_null(strstr(headers(&(answer_head_t){.status = 426}), "Upgrade: websocket\r\n"));
  cr_expect_not_null(
      strstr(headers(&(answer_head_t){.status = 413, .close = true}), "Connection: close\r\n"));
}

Test(answer, echoes_an_allowed_origin_only) {
  const char *text =
      headers(&(answer_head_t){.status = 204, .origin = "http://a", .preflight = true});

  cr_expect_not_null(strstr(text, "Access-Control-Allow-Origin: http://a\r\n"));
  cr_expect_not_null(strstr(text, "Access-Control-Allow-Credentials: true\r\n"));
  cr_expect_not_null(strstr(text, "x-api"));
  text = headers(&(answer_head_t){.status = 200, .origin = "http://a"});
  cr_expect_not_null(
      strstr(text, "Access-Control-Expose-Headers: ETag, Retry-After, X-Request-Id"));
  cr_expect_null(strstr(headers(&(answer_head_t){.status = 200}), "Access-Control"));
}

Test(answer, varies_by_origin_whatever_may_be_kept) {
  const char *text = headers(&(answer_head_t){.status = 200, .revalidated = true});

  cr_expect_not_null(strstr(text, "Vary: Origin\r\n"));
  text = headers(&(answer_head_t){.status = 200, .cacheable = true});
  cr_expect_not_null(strstr(text, "Vary: Origin\r\n"));
}

Test(answer, takes_further_lines_apart) {
  const char *text =
      headers(&(answer_head_t){.status = 200, .extra = "ETag: \"a: b\"\r\nX-Empty: \r\n"});

  cr_expect_not_null(strstr(text, "\r\nETag: \"a: b\"\r\nX-Empty: \r\n"));
}

Test(answer, names_error_code_field_and_request) {
  gantry_fault_t fault;

  fault_set(&fault, GANTRY_E_SCHEMA, "map_name", "is missing");
  answer_error(&fault, NULL, 0, 0, 0xff, &out);

  cr_expect_str_eq(
      buf_text(&out),
      "{\"success\":false,\"error\":\"map_name: is missing\",\"detail\":\"map_name: is missing\","
      "\"code\":\"VALIDATION_ERROR\",\"details\":[{\"field\":\"map_name\",\"message\":\"is "
      "missing\"}],"
      "\"timestamp\":\"1970-01-01T00:00:00.000000Z\",\"request_id\":\"00000000000000ff\"}");
}

Test(answer, names_every_fault_with_what_came_but_no_secret) {
  json_fault_t faults[10] = {
      {.value = "5"}, {.value = "\"sonar\""}, {.value = "\"x\""}, {.value = ""}};
  static const char *const FIELDS[] = {"quality", "sensor_type", "new_password", "data"};

  for (size_t i = 0; i < 10; i++)
    fault_set(&faults[i].fault, GANTRY_E_SCHEMA, i < 4 ? FIELDS[i] : "more", "is wrong");
  answer_error(&faults[0].fault, faults, 10, 0, 0, &out);

  cr_expect_not_null(strstr(buf_text(&out), "\"error\":\"quality: is wrong\""));
  cr_expect_not_null(
      strstr(buf_text(&out),
             "[{\"field\":\"quality\",\"message\":\"is wrong\",\"value\":5},"
             "{\"field\":\"sensor_type\",\"message\":\"is wrong\",\"value\":\"sonar\"},"
             "{\"field\":\"new_password\",\"message\":\"is wrong\"},"
             "{\"field\":\"data\",\"message\":\"is wrong\"},{\"field\":\"more\","),
      "%s", buf_text(&out));
  size_t rows = 0;
  for (const char *at = buf_text(&out); (at = strstr(at, "\"field\"")); at++)
    rows++;
  cr_expect_eq(rows, 8);
}

Test(answer, leaves_a_sentence_as_it_is_and_never_says_nothing) {
  gantry_fault_t fault;

  fault_set(&fault, GANTRY_E_REFUSED, "speed", "The robot is busy.");
  snprintf(fault.code, sizeof fault.code, "ROBOT_BUSY");
  answer_error(&fault, NULL, 0, 0, 0, &out);
  cr_expect_not_null(strstr(buf_text(&out), "\"error\":\"The robot is busy.\""));
  cr_expect_not_null(strstr(buf_text(&out), "\"code\":\"ROBOT_BUSY\""));
  buf_reset(&out);
  answer_error(&(gantry_fault_t){.err = GANTRY_E_TIMEOUT}, NULL, 0, 0, 0, &out);
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
