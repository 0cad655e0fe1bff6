/* Health, metrics, logging in. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(api_gateway_auth, .init = door_open_as_admin, .fini = door_close, .timeout = 30);

/* ---- system */

Test(api_gateway_auth, greets_in_json_and_shows_health_without_a_token) {
  door.token[0] = '\0';

  expect_route("GET", "/", NULL, ENDPOINT_ROOT);
  expect_route("GET", "/health/fast", NULL, ENDPOINT_HEALTH_FAST);
  answer_t health = expect_route("GET", "/health", NULL, ENDPOINT_HEALTH);
  expect_text(&health, "\"status\":\"degraded\"");
  expect_text(&health, "storage: not heard of yet");
}

/* Asks twenty times a second, within the limits, until word stands in the answer. */
static bool health_says(const char *word, uint32_t deadline_ms, answer_t *answer) {
  uint64_t end_ns = clock_mono_ns() + (uint64_t)deadline_ms * GANTRY_NS_PER_MS;

  while (clock_mono_ns() < end_ns) {
    *answer = door_request("GET", "/health", NULL);
    if (strstr(answer->body, word)) return true;
    harness_for(door.harness, 50);
  }
  return false;
}

static void say_healthy(harness_peer_t *peer, sys_status_t status) {
  sys_health_t health = {.status = status, .restarts = 3};

  snprintf(health.service, sizeof health.service, "%s", bus_service(peer->bus));
  cr_assert_eq(bus_publish(peer->bus, TOPIC_HEALTH, NULL, &health), GANTRY_OK);
}

static void say_all_healthy(void) {
  say_healthy(door.storage, SYS_STATUS_READY);
  say_healthy(door.bridge, SYS_STATUS_READY);
  say_healthy(door.sensors, SYS_STATUS_READY);
  say_healthy(door.localization, SYS_STATUS_READY);
  say_healthy(door.mapper, SYS_STATUS_READY);
}

Test(api_gateway_auth, is_healthy_once_all_six_say_so_and_names_the_one_that_leaves) {
  answer_t answer;
  door.token[0] = '\0';
  say_all_healthy();

  cr_assert(health_says("\"status\":\"healthy\"", 3000, &answer), "%s", answer.body);
  expect_text(&answer, "\"database\":\"healthy\"");
  expect_text(&answer, "\"restarts\":3");

  harness_leave(door.harness, &door.storage);
  cr_assert(health_says("\"status\":\"unhealthy\"", 5000, &answer), "%s", answer.body);
  cr_expect_eq(answer.status, 503);
  expect_text(&answer, "storage: silent for");
}

Test(api_gateway_auth, shows_metrics_and_its_own_description) {
  answer_t metrics = door_request("GET", "/metrics", NULL);
  cr_expect_eq(metrics.status, 200);
  expect_text(&metrics, "gantry_http_requests_total{service=\"api-gateway\"} ");
  expect_text(&metrics, "gantry_up{service=\"mapper\"} 0");

  answer_t openapi = door_request("GET", "/openapi.json", NULL);
  cr_expect_eq(openapi.status, 200);
  expect_text(&openapi, "\"openapi\"");
}

/* ---- authentication */

Test(api_gateway_auth, knows_who_is_logged_in_and_renews_the_token) {
  char body[1200];
  answer_t me = expect_route("GET", "/api/v1/auth/me", NULL, ENDPOINT_AUTH_ME);
  expect_text(&me, "\"username\":\"admin\"");
  expect_text(&me, "\"must_change_password\":true");

  snprintf(body, sizeof body, "{\"refresh_token\":\"%s\"}", door.refresh);
  expect_route("POST", "/api/v1/auth/refresh", body, ENDPOINT_AUTH_REFRESH);
  snprintf(body, sizeof body, "{\"refresh_token\":\"%s\"}", door.token);
  answer_t wrong = door_request("POST", "/api/v1/auth/refresh", body);
  cr_expect_eq(wrong.status, 401);
}

static int login_as(const char *user, const char *password) {
  char body[200];

  snprintf(body, sizeof body, "{\"username\":\"%s\",\"password\":\"%s\"}", user, password);
  return door_request("POST", "/api/v1/auth/login", body).status;
}

Test(api_gateway_auth, answers_wrong_passwords_and_unknown_users_alike) {
  answer_t wrong =
      door_request("POST", "/api/v1/auth/login", "{\"username\":\"admin\",\"password\":\"x\"}");
  cr_expect_eq(wrong.status, 401);
  expect_text(&wrong, "\"code\":\"AUTH_FAILED\"");
  cr_expect_not_null(strstr(wrong.head, "WWW-Authenticate: Bearer"));
  answer_t unknown =
      door_request("POST", "/api/v1/auth/login", "{\"email\":\"no@one\",\"password\":\"x\"}");
  cr_expect_eq(unknown.status, 401);
  expect_text(&unknown, "\"code\":\"AUTH_FAILED\"");
}

Test(api_gateway_auth, locks_a_user_after_five_failures) {
  for (int i = 0; i < 5; i++)
    cr_expect_eq(login_as("admin", "wrong"), 401);

  answer_t locked =
      door_request("POST", "/api/v1/auth/login", "{\"username\":\"admin\",\"password\":\"x\"}");

  cr_expect_eq(locked.status, 401);
  expect_text(&locked, "ACCOUNT_LOCKED");
  cr_expect_not_null(strstr(locked.head, "Retry-After: "));
}

Test(api_gateway_auth, lets_no_disabled_user_in) {
  door.users[0].active = false;

  cr_expect_eq(login_as("admin", "whatever"), 401);
}

Test(api_gateway_auth, changes_the_password_of_the_caller) {
  char path[128], first[64], body[300];
  snprintf(path, sizeof path, "%s/first-password", door.folder);
  FILE *file = fopen(path, "re");
  cr_assert_not_null(fgets(first, sizeof first, file));
  fclose(file);
  first[strcspn(first, "\n")] = '\0';

  snprintf(body, sizeof body,
           "{\"current_password\":\"%s\",\"new_password\":\"Brand new "
           "12345\",\"confirm_new_password\":\"%s\"}",
           first, "Brand old 12345");
  cr_expect_eq(door_request("POST", "/api/v1/auth/change-password", body).status, 400);
  cr_expect_eq(door_request("POST", "/api/v1/auth/change-password",
                            "{\"current_password\":\"x\",\"new_password\":\"nothing but small\","
                            "\"confirm_new_password\":\"nothing but small\"}")
                   .status,
               400);
  cr_expect_eq(door_request("POST", "/api/v1/auth/change-password",
                            "{\"current_password\":\"x\",\"new_password\":\"Brand new 12345\","
                            "\"confirm_new_password\":\"Brand new 12345\"}")
                   .status,
               401);
  snprintf(body, sizeof body,
           "{\"current_password\":\"%s\",\"new_password\":\"Brand new 12345\","
           "\"confirm_new_password\":\"Brand new 12345\"}",
           first);
  expect_route("POST", "/api/v1/auth/change-password", body, ENDPOINT_AUTH_CHANGE_PASSWORD);
  cr_expect_not(door.users[0].must_change);
  cr_expect_eq(login_as("admin", first), 401);
  cr_expect_eq(login_as("admin", "Brand new 12345"), 200);
}

/* A request on a connection of its own whose answer is not waited for yet. */
static int ask(const char *path, const char *token, const char *body) {
  char request[2048];
  int fd = door_connect();
  int len = snprintf(request, sizeof request,
                     "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                     "Content-Length: %zu\r\n\r\n%s",
                     path, token, strlen(body), body);

  door_send(fd, request, (size_t)len);
  return fd;
}

Test(api_gateway_auth, counts_every_failure_of_logins_at_once) {
  int fds[4];
  for (int i = 0; i < 4; i++)
    fds[i] = ask("/api/v1/auth/login", "", "{\"username\":\"admin\",\"password\":\"wrong\"}");

  for (int i = 0; i < 4; i++) {
    cr_expect_eq(door_answer(fds[i]).status, 401);
    close(fds[i]);
  }
  cr_expect_eq(door.users[0].failed, 4);
}

Test(api_gateway_auth, never_writes_an_old_password_back) {
  char change[300], login[200], hash[sizeof door.users[0].hash], *password = NULL;
  FILE *file;
  char path[128], first[64] = "";
  snprintf(path, sizeof path, "%s/first-password", door.folder);
  file = fopen(path, "r");
  cr_assert_not_null(file);
  password = fgets(first, sizeof first, file);
  fclose(file);
  cr_assert_not_null(password);
  first[strcspn(first, "\n")] = '\0';
  snprintf(change, sizeof change,
           "{\"current_password\":\"%s\",\"new_password\":\"Another1Password\","
           "\"confirm_new_password\":\"Another1Password\"}",
           first);
  snprintf(login, sizeof login, "{\"username\":\"admin\",\"password\":\"%s\"}", first);
  snprintf(hash, sizeof hash, "%s", door.users[0].hash);

  int changing = ask("/api/v1/auth/change-password", door.token, change);
  int logging_in[3];
  for (int i = 0; i < 3; i++)
    logging_in[i] = ask("/api/v1/auth/login", "", login);
  cr_expect_eq(door_answer(changing).status, 200);
  for (int i = 0; i < 3; i++) {
    cr_expect_neq(door_answer(logging_in[i]).status, 0);
    close(logging_in[i]);
  }
  close(changing);

  cr_expect_str_neq(door.users[0].hash, hash);
  cr_expect_eq(door_request("POST", "/api/v1/auth/login",
                            "{\"username\":\"admin\",\"password\":\"Another1Password\"}")
                   .status,
               200);
}
