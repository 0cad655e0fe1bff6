/* By what name, on whose behalf, how often and in what coding the door is asked. */
#include "door.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(api_gateway_names, .fini = door_close, .timeout = 40);

static void open_with(const char *const *settings) {
  door_open_with(settings);
  door_token(STORE_ROLE_ADMIN, 600, door.token, sizeof door.token);
}

static void open_plain(void) {
  open_with((const char *[]){"allowed_hosts=robot.lan *.halls.lan", NULL});
}

static answer_t ask(const char *line, const char *headers) {
  char request[2048];
  int len = snprintf(request, sizeof request,
                     "%s HTTP/1.1\r\nAuthorization: Bearer %s\r\nContent-Length: 0\r\n%s\r\n", line,
                     door.token, headers);

  return door_raw(request, (size_t)len);
}

/* ---- names */

Test(api_gateway_names, answers_by_its_own_names_only, .init = open_plain) {
  cr_expect_eq(ask("GET /health/fast", "Host: localhost:8000\r\n").status, 200);
  cr_expect_eq(ask("GET /health/fast", "Host: 10.1.2.3\r\n").status, 200);
  cr_expect_eq(ask("GET /health/fast", "Host: robot.lan\r\n").status, 200);
  cr_expect_eq(ask("GET /health/fast", "Host: a.halls.lan:80\r\n").status, 200);
  answer_t answer = ask("GET /health/fast", "Host: evil.example\r\n");
  cr_expect_eq(answer.status, 421);
  cr_expect_not_null(strstr(answer.body, "allowed_hosts"));
  cr_expect_eq(ask("OPTIONS /health/fast", "Host: evil.example\r\n").status, 421);
  cr_expect_eq(ask("GET /ws", "Host: evil.example\r\nUpgrade: websocket\r\n").status, 421);
  cr_expect_eq(ask("POST /api/v1/robot/mode", "Host: evil.example\r\n").status, 421);
}

Test(api_gateway_names, wants_a_name_of_all_but_a_stop, .init = open_plain) {
  answer_t answer = ask("GET /health/fast", "");
  cr_expect_eq(answer.status, 400);
  cr_expect_not_null(strstr(answer.body, "\"code\":\"BAD_REQUEST\""), "%s", answer.body);
  cr_expect_eq(ask("OPTIONS /health/fast", "").status, 400);
  (void)ask("POST /api/v1/robot/emergency-stop", "");
  cr_expect_eq(door_stub(REQUEST_ROBOT_ESTOP)->count, 1);
}

Test(api_gateway_names, refuses_no_stop_for_its_name, .init = open_plain) {
  (void)ask("POST /api/v1/robot/emergency-stop", "Host: evil.example\r\n");
  cr_expect_geq(door_stub(REQUEST_ROBOT_ESTOP)->count, 1);
}

/* ---- proxies */

static void open_narrow(void) {
  open_with(
      (const char *[]){"rate_per_min=1", "rate_burst=2", "trusted_proxies=127.0.0.0/8", NULL});
}

static int from(const char *headers) {
  char text[200];

  snprintf(text, sizeof text, "Host: localhost\r\n%s", headers);
  return ask("GET /health/fast", text).status;
}

Test(api_gateway_names, counts_the_client_in_front_of_a_trusted_proxy, .init = open_narrow) {
  cr_expect_eq(from("X-Forwarded-For: 1.1.1.1\r\n"), 200);
  cr_expect_eq(from("X-Forwarded-For: 6.6.6.6, 1.1.1.1\r\n"), 200);
  cr_expect_eq(from("X-Forwarded-For: 7.7.7.7, 1.1.1.1, 127.0.0.2\r\n"), 429);
  cr_expect_eq(from("X-Forwarded-For: 2.2.2.2\r\n"), 200);
  answer_t answer = ask("GET /health/fast", "Host: localhost\r\nX-Forwarded-For: 3.3.3.3\r\n"
                                            "X-Forwarded-Proto: https\r\n");
  cr_expect_not_null(strstr(answer.head, "Strict-Transport-Security: "));
}

static void open_alone(void) {
  open_with((const char *[]){"rate_per_min=1", "rate_burst=2", NULL});
}

Test(api_gateway_names, believes_no_stranger_who_claims_to_be_a_proxy, .init = open_alone) {
  cr_expect_eq(from("X-Forwarded-For: 1.1.1.1\r\n"), 200);
  cr_expect_eq(from("X-Forwarded-For: 1.1.1.2\r\n"), 200);
  cr_expect_eq(from("X-Forwarded-For: 1.1.1.3\r\nX-Forwarded-Proto: https\r\n"), 429);
}

/* ---- how often */

Test(api_gateway_names, lets_no_stranger_fill_the_audit_log, .init = open_alone) {
  inbox_t *audits = harness_collect(door.harness, "audit.");
  static const char STOP[] = "/api/v1/robot/emergency-stop";

  for (int i = 0; i < 5; i++)
    cr_expect_eq(door_request_as("x", "POST", STOP, NULL).status, i < 2 ? 401 : 429);
  cr_expect_eq(door_request("POST", "/api/v1/robot/mode", "{}").status, 429);
  cr_expect_neq(door_request("POST", STOP, NULL).status, 429, "who may stop is not limited");
  for (int i = 0; i < 500 && inbox_count(audits) < 2; i++)
    harness_for(door.harness, 2);
  harness_for(door.harness, 20);
  cr_expect_eq(inbox_count(audits), 2, "a stranger, the second is counted, and the stop");
}

static void open_rates(void) {
  open_with((const char *[]){"rate_per_min=1000000", "rate_burst=1000000", "robot_per_min=3",
                             "monitoring_per_min=2", NULL});
}

static int set_mode(const char *token) {
  return door_request_as(token, "POST", "/api/v1/robot/mode", "{}").status;
}

Test(api_gateway_names, limits_commands_of_a_user_and_no_stop, .init = open_rates) {
  char other[1100];

  door_token(STORE_ROLE_OPERATOR, 600, other, sizeof other);
  for (int i = 0; i < 3; i++)
    cr_expect_eq(set_mode(door.token), 422);
  answer_t answer = door_request("POST", "/api/v1/robot/mode", "{}");
  cr_expect_eq(answer.status, 429);
  const char *again = strstr(answer.head, "Retry-After: ");
  long again_s = again ? strtol(again + strlen("Retry-After: "), NULL, 10) : 0;
  cr_expect(again_s >= 10 && again_s <= 20, "%s", answer.head); /* 20 s, less what passed */
  cr_expect_not_null(strstr(answer.head, "X-RateLimit-Limit: 3\r\n"));
  for (int i = 0; i < 5; i++) {
    cr_expect_neq(door_request("POST", "/api/v1/robot/stop", "{}").status, 429);
    cr_expect_neq(door_request("POST", "/api/v1/robot/emergency-stop", NULL).status, 429);
  }
  cr_expect_neq(door_request("GET", "/api/v1/robot/mode", NULL).status, 429, "reading is free");
}

Test(api_gateway_names, limits_each_group_by_itself, .init = open_rates) {
  int statuses[3];

  for (int i = 0; i < 3; i++)
    statuses[i] = door_request("GET", "/api/v1/monitoring/alerts", NULL).status;
  cr_expect_neq(statuses[0], 429);
  cr_expect_neq(statuses[1], 429);
  cr_expect_eq(statuses[2], 429);
  cr_expect_eq(set_mode(door.token), 422);
}

static void open_few(void) {
  open_with((const char *[]){"rate_per_min=1", "rate_burst=2", NULL});
}

Test(api_gateway_names, limits_the_sockets_that_an_address_opens, .init = open_few) {
  int status;

  for (int i = 0; i < 2; i++)
    close(door_ws("/ws", door.token, &status));
  cr_expect_eq(status, 101);
  cr_expect_eq(door_ws("/ws", door.token, &status), -1);
  cr_expect_eq(status, 429);
  cr_expect_eq(ask("GET /health/fast", "Host: x\r\n").status, 200, "its requests are others");
}

/* ---- coding and tags */

static void open_pages(void) {
  static char root[300];

  snprintf(root, sizeof root, "web_root=%s", door_web_root());
  open_with((const char *[]){root, NULL});
}

static void etag_of(const answer_t *answer, char *out, size_t size) {
  const char *at = strstr(answer->head, "ETag: ");

  cr_assert_not_null(at);
  snprintf(out, size, "%.*s", (int)strcspn(at + 6, "\r"), at + 6);
}

Test(api_gateway_names, sends_a_page_once_to_who_keeps_it, .init = open_pages) {
  char tag[64], headers[200];

  answer_t answer = ask("GET /docs", "Host: localhost\r\n");
  cr_assert_eq(answer.status, 200);
  cr_expect_not_null(strstr(answer.head, "Cache-Control: no-cache\r\n"));
  etag_of(&answer, tag, sizeof tag);
  snprintf(headers, sizeof headers, "Host: localhost\r\nIf-None-Match: \"x\", %s\r\n", tag);
  answer = ask("GET /docs", headers);
  cr_expect_eq(answer.status, 304);
  cr_expect_null(strstr(answer.head, "Content-Length: 0\r\n"), "the page has bytes");
  cr_expect_eq(ask("GET /docs", "Host: localhost\r\nIf-None-Match: \"x\"\r\n").status, 200);
}

Test(api_gateway_names, compresses_for_who_takes_it, .init = open_pages) {
  answer_t answer = ask("GET /index.html", "Host: localhost\r\n");
  size_t plain = answer.body_len;

  cr_expect_null(strstr(answer.head, "Content-Encoding"));
  cr_expect_not_null(strstr(answer.head, "Vary: Accept-Encoding\r\n"));
  answer = ask("GET /index.html", "Host: localhost\r\nAccept-Encoding: br, gzip\r\n");
  cr_expect_not_null(strstr(answer.head, "Content-Encoding: gzip\r\n"));
  cr_expect_lt(answer.body_len, plain);
  cr_expect_eq((uint8_t)answer.body[0], 0x1f);
  cr_expect_eq((uint8_t)answer.body[1], 0x8b);
  answer = ask("GET /health/fast", "Host: localhost\r\nAccept-Encoding: gzip\r\n");
  cr_expect_null(strstr(answer.head, "Content-Encoding"), "too little to be worth it");
}
