/* What a stranger may send: refused with words, and the next one served as before. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void tear_down(void) {
  door_close();
}

TestSuite(api_gateway_http, .fini = tear_down, .timeout = 40);

static void open_plain(void) {
  door_open();
  door_token(STORE_ROLE_ADMIN, 600, door.token, sizeof door.token);
}

static void open_unlimited(void) {
  door_open_with((const char *[]){"rate_per_min=1000000", "rate_burst=1000000",
                                  "login_per_min=1000000", NULL});
  door_token(STORE_ROLE_ADMIN, 600, door.token, sizeof door.token);
}

Test(api_gateway_http, refuses_bad_tokens, .init = open_plain) {
  static const char *const TOKENS[] = {"", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."};
  char expired[1100];

  for (size_t i = 0; i < sizeof TOKENS / sizeof TOKENS[0]; i++) {
    answer_t answer = door_request_as(TOKENS[i], "GET", "/api/v1/map/list", NULL);
    cr_expect_eq(answer.status, 401, "%s", TOKENS[i]);
    cr_expect_not_null(strstr(answer.head, "WWW-Authenticate: Bearer\r\n"));
  }
  door_token(STORE_ROLE_ADMIN, 0, expired, sizeof expired);
  answer_t answer = door_request_as(expired, "GET", "/api/v1/map/list", NULL);
  cr_expect_eq(answer.status, 401);
  cr_expect_not_null(strstr(answer.body, "expired"));
  cr_expect_not_null(strstr(answer.body, "INVALID_TOKEN"));
}

static bool viewer_may(const endpoint_t *endpoint) {
  const char *permission = endpoint->permission;

  return strstr(permission, ":read") || !strcmp(permission, "public") ||
         !strcmp(permission, "authenticated");
}

Test(api_gateway_http, forbids_a_viewer_every_change, .init = open_unlimited) {
  char token[1100], path[256];
  door_token(STORE_ROLE_VIEWER, 600, token, sizeof token);

  for (uint32_t i = 0; i < CATALOGUE_ENDPOINT_COUNT; i++) {
    static const char *const METHODS[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    const endpoint_t *endpoint = &CATALOGUE_ENDPOINTS[i];
    if (viewer_may(endpoint)) continue;
    snprintf(path, sizeof path, "%s", endpoint->path);
    for (char *brace = path; (brace = strpbrk(brace, "{}"));)
      *brace = 'x';
    answer_t answer = door_request_as(token, METHODS[endpoint->method], path, "{}");
    cr_expect_eq(answer.status, 403, "%s: %d", endpoint->id, answer.status);
    cr_expect_not_null(strstr(answer.body, "INSUFFICIENT_PERMISSIONS"));
  }
}

Test(api_gateway_http, asks_every_protected_route_for_a_token, .init = open_unlimited) {
  for (uint32_t i = 0; i < CATALOGUE_ENDPOINT_COUNT; i++) {
    static const char *const METHODS[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    const endpoint_t *endpoint = &CATALOGUE_ENDPOINTS[i];
    if (!strcmp(endpoint->permission, "public")) continue;
    answer_t answer = door_request_as("", METHODS[endpoint->method], endpoint->path, "{}");
    cr_expect_eq(answer.status, 401, "%s: %d", endpoint->id, answer.status);
  }
}

Test(api_gateway_http, has_a_handler_for_every_route_or_says_501, .init = open_unlimited) {
  for (uint32_t i = 0; i < CATALOGUE_ENDPOINT_COUNT; i++) {
    static const char *const METHODS[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    const endpoint_t *endpoint = &CATALOGUE_ENDPOINTS[i];
    char path[300];
    snprintf(path, sizeof path, "%s?map_id=x", endpoint->path);
    for (char *brace = path; (brace = strpbrk(brace, "{}"));)
      *brace = 'x';
    answer_t answer =
        door_request(METHODS[endpoint->method], path, endpoint->method == HTTP_GET ? NULL : "{}");
    cr_expect_eq(answer.status == 501, !endpoint->built, "%s: %d", endpoint->id, answer.status);
    cr_expect_neq(answer.status, 0, "%s", endpoint->id);
    if (endpoint->built) continue;
    cr_expect_not_null(strstr(answer.body, "\"code\":\"NOT_IMPLEMENTED\""), "%s", answer.body);
    cr_expect_not_null(strstr(answer.body, endpoint->doc), "%s", answer.body);
  }
}

Test(api_gateway_http, says_which_methods_a_path_knows, .init = open_plain) {
  answer_t answer = door_request("DELETE", "/api/v1/map/status", NULL);
  cr_expect_eq(answer.status, 405);
  cr_expect_not_null(strstr(answer.head, "Allow: GET\r\n"));
  answer = door_request("GET", "/api/v1/nothing", NULL);
  cr_expect_eq(answer.status, 404);
  cr_expect_not_null(strstr(answer.body, "\"code\":\"NOT_FOUND\""));
}

Test(api_gateway_http, serves_one_request_behind_the_other_on_a_connection, .init = open_plain) {
  static const char GET[] = "GET /health/fast HTTP/1.1\r\nHost: x\r\n\r\n";
  static const char LAST[] = "GET /health/fast HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  int fd = door_connect();

  for (int i = 0; i < 3; i++) {
    door_send(fd, GET, sizeof GET - 1);
    answer_t answer = door_answer(fd);
    cr_expect_eq(answer.status, 200);
    cr_expect_null(strstr(answer.head, "Connection: close\r\n"));
  }
  door_send(fd, LAST, sizeof LAST - 1);
  cr_expect_eq(door_answer(fd).status, 200);
  cr_expect_eq(door_answer(fd).status, 0, "closed as it was asked to");
  close(fd);
}

Test(api_gateway_http, reads_a_body_before_it_refuses, .init = open_plain) {
  char request[5000];
  int fd = door_connect();

  snprintf(
      request, sizeof request,
      "POST /api/v1/map/start-mapping HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n%04000d",
      0);
  door_send(fd, request, strlen(request));
  cr_expect_eq(door_answer(fd).status, 401);
  close(fd);
}

Test(api_gateway_http, refuses_bodies_it_does_not_want_to_read, .init = open_plain) {
  static const char TOO_LONG[] =
      "POST /api/v1/sensors/data HTTP/1.1\r\nHost: x\r\nContent-Length: 10485761\r\n\r\n";
  static const char WORD[] =
      "POST /api/v1/sensors/data HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n";

  answer_t answer = door_raw(TOO_LONG, sizeof TOO_LONG - 1);
  cr_expect_eq(answer.status, 413);
  cr_expect_not_null(strstr(answer.body, "TOO_LARGE"));
  cr_expect_eq(door_raw(WORD, sizeof WORD - 1).status, 400);
}

Test(api_gateway_http, survives_what_is_no_http, .init = open_plain) {
  static const char *const NOISE[] = {"\r\n\r\n",
                                      "GET\r\n\r\n",
                                      "GET \r\n\r\n",
                                      "GET ?x=%\r\nHost: x\r\n\r\n",
                                      "GET  HTTP/1.1\r\nHost: x\r\n\r\n",
                                      "POST * HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
                                      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
                                      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                      "GET / HTTP/9.9\r\n\r\n",
                                      "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n",
                                      "BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n"};

  for (size_t i = 0; i < sizeof NOISE / sizeof NOISE[0]; i++) {
    int fd = door_connect();
    door_send(fd, NOISE[i], strlen(NOISE[i]));
    harness_for(door.harness, 5);
    close(fd);
    cr_assert_eq(door_request("GET", "/health/fast", NULL).status, 200, "after noise %zu", i);
  }
}

Test(api_gateway_http, finishes_a_request_whose_client_has_gone, .init = open_plain) {
  char request[2048];
  int fd = door_connect();

  door_stub(REQUEST_STORE_MAP_LIST)->silent = true;
  snprintf(request, sizeof request,
           "GET /api/v1/map/list HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n",
           door.token);
  door_send(fd, request, strlen(request));
  for (int i = 0; i < 20; i++) {
    harness_for(door.harness, 2);
  }
  cr_expect_eq(door_stub(REQUEST_STORE_MAP_LIST)->count, 1);
  close(fd);
  cr_expect_eq(door_request("GET", "/health/fast", NULL).status, 200);
}

/* Leaves a request of the door's own under way: nobody answers it any more. */
static int leave_waiting(const char *method, const char *path, const char *body) {
  char request[2048];
  int fd = door_connect();

  snprintf(request, sizeof request,
           "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n%s",
           method, path, door.token, strlen(body), body);
  door_send(fd, request, strlen(request));
  for (int i = 0; i < 10; i++) {
    harness_for(door.harness, 2);
  }
  return fd;
}

Test(api_gateway_http, ends_while_services_still_owe_answers, .init = open_plain) {
  door_stub(REQUEST_STORE_MAP_LIST)->silent = true;
  int one = leave_waiting("GET", "/api/v1/map/list", "");
  cr_expect_eq(door_stub(REQUEST_STORE_MAP_LIST)->count, 1);
  int two =
      leave_waiting("POST", "/api/v1/auth/login", "{\"username\":\"nobody\",\"password\":\"x\"}");

  harness_close(door.harness, &door.run);

  cr_expect_null(door.run);
  close(one);
  close(two);
}

Test(api_gateway_http, audits_a_change_whose_client_has_gone, .init = open_plain) {
  inbox_t *audits = harness_collect(door.harness, "audit.");
  snprintf(((store_tag_key_t *)door_stub(REQUEST_STORE_TAG_DELETE)->reply)->tag, 20, "X");
  char request[2048];
  int fd = door_connect();
  snprintf(request, sizeof request,
           "DELETE /api/v1/localization/rfid-tags/X HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
           "%s\r\n\r\n",
           door.token);
  door_send(fd, request, strlen(request));
  close(fd);

  for (int i = 0; i < 500 && inbox_count(audits) == 0; i++) {
    harness_for(door.harness, 2);
  }

  const sys_audit_t *audit = inbox_body(audits, 0);
  cr_assert_not_null(audit);
  cr_expect_str_eq(audit->action, "tags_delete");
  cr_expect_str_eq(audit->resource, "X");
  cr_expect_str_eq(audit->actor, "someone");
}

Test(api_gateway_http, audits_names_that_are_no_text, .init = open_plain) {
  inbox_t *audits = harness_collect(door.harness, "audit.");

  cr_expect_neq(door_request("DELETE", "/api/v1/localization/rfid-tags/a%ff", NULL).status, 0);

  cr_assert(harness_collected(door.harness, audits, 1, 1000));
  cr_expect_str_eq(((const sys_audit_t *)inbox_body(audits, 0))->resource, "a?");
}

Test(api_gateway_http, limits_an_address_and_says_when_to_come_again, .init = open_plain) {
  answer_t answer = {0};

  for (int i = 0; i < 2000 && answer.status != 429; i++)
    answer = door_request("GET", "/health/fast", NULL);

  cr_expect_eq(answer.status, 429);
  cr_expect_not_null(strstr(answer.head, "Retry-After: 1\r\n"));
  cr_expect_not_null(strstr(answer.body, "RATE_LIMITED"));
}

Test(api_gateway_http, limits_logins_harder, .init = open_plain) {
  answer_t answer = {0};
  int tries = 0;

  for (; tries < 20 && answer.status != 429; tries++)
    answer =
        door_request("POST", "/api/v1/auth/login", "{\"username\":\"nobody\",\"password\":\"x\"}");

  cr_expect_eq(answer.status, 429);
  cr_expect_eq(tries, 11);
}

static answer_t ask_from(const char *method, const char *origin) {
  char request[300];

  snprintf(request, sizeof request, "%s /health/fast HTTP/1.1\r\nHost: x\r\nOrigin: %s\r\n\r\n",
           method, origin);
  return door_raw(request, strlen(request));
}

Test(api_gateway_http, echoes_known_origins_only, .init = open_plain) {
  answer_t answer = ask_from("OPTIONS", "http://localhost:5173");
  cr_expect_eq(answer.status, 204);
  cr_expect_not_null(strstr(answer.head, "Access-Control-Allow-Origin: http://localhost:5173\r\n"));
  cr_expect_not_null(strstr(answer.head, "authorization, content-type, x-api"));
  answer = ask_from("GET", "http://evil.example");
  cr_expect_eq(answer.status, 200);
  cr_expect_null(strstr(answer.head, "Access-Control"));
}

Test(api_gateway_http, answers_head_without_a_body, .init = open_plain) {
  static const char HEAD[] = "HEAD /health/fast HTTP/1.1\r\nHost: x\r\n\r\n";
  int fd = door_connect();

  door_send(fd, HEAD, sizeof HEAD - 1);
  cr_expect(door_head_only(fd, "HTTP/1.1 200 OK"));
  close(fd);
}

static void open_with_pages(void) {
  char root[256];

  snprintf(root, sizeof root, "web_root=%s", door_web_root());
  door_open_with((const char *[]){root, NULL});
}

Test(api_gateway_http, serves_pages_with_a_policy, .init = open_with_pages) {
  static const char HTML[] = "GET / HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n";

  answer_t answer = door_raw(HTML, sizeof HTML - 1);
  cr_expect_eq(answer.status, 200);
  cr_expect_not_null(strstr(answer.head, "Content-Type: text/html"));
  cr_expect_not_null(strstr(answer.head, "Content-Security-Policy: default-src 'self'"));
  answer = door_request("GET", "/docs", NULL);
  cr_expect_eq(answer.status, 200);
  cr_expect_not_null(strstr(answer.body, "swagger-ui"));
  cr_expect_null(strstr(answer.body, "onclick"));
  answer = door_request("GET", "/vendor/swagger-ui/swagger-ui-bundle.js", NULL);
  cr_expect_eq(answer.status, 200);
  cr_expect_gt(answer.body_len, 1000000);
}

Test(api_gateway_http, serves_nothing_beside_the_pages, .init = open_with_pages) {
  static const char *const PATHS[] = {"/../../etc/passwd",
                                      "/..%2f..%2fetc/passwd",
                                      "/%2e%2e/meson.build",
                                      "/app/../../meson.build",
                                      "/missing.html",
                                      "/vendor/",
                                      "/app"};

  for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++)
    cr_expect_eq(door_request("GET", PATHS[i], NULL).status, 404, "%s", PATHS[i]);
}

Test(api_gateway_http, has_no_pages_without_a_folder_of_them, .init = open_plain) {
  static const char HTML[] = "GET / HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n";

  cr_expect_eq(door_raw(HTML, sizeof HTML - 1).status, 404);
  cr_expect_eq(door_request("GET", "/docs", NULL).status, 404);
}
