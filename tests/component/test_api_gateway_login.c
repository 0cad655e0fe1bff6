/* Logging in, over a real storage: tokens, sessions, lockout, passwords. */
#include "door.h"
#include "storage.h"

#include <criterion/criterion.h>
#include <gantry/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char NEW[] = "Brand new 12345";

static void set_up(void) {
  static const char *const SETTINGS[] = {"login_per_min=1000", "refresh_grace_s=0", NULL};

  door_open_on(&STORAGE, SETTINGS);
  door_login();
}

/* Most tests begin behind the first change of the password. */
static void settle(void) {
  answer_t answer = door_change_password(door.password, NEW);

  cr_assert_eq(answer.status, 200, "%s", answer.body);
}

TestSuite(api_gateway_login, .init = set_up, .fini = door_close, .timeout = 30);

static void expect(answer_t answer, int status, const char *text) {
  cr_expect_eq(answer.status, status, "%d %s", answer.status, answer.body);
  cr_expect_not_null(strstr(answer.body, text), "%s in %s", text, answer.body);
}

static answer_t refresh(const char *token) {
  char body[1200];

  snprintf(body, sizeof body, "{\"refresh_token\":\"%s\"}", token);
  return door_request_as("", "POST", "/api/v1/auth/refresh", body);
}

static void keep(const answer_t *answer, const char *field, char out[1100]) {
  cr_assert_eq(json_get_text(answer->body, field, out, 1100), GANTRY_OK, "%s", answer->body);
}

/* ---- the first password */

Test(api_gateway_login, lets_a_first_password_do_nothing_but_be_changed) {
  expect(door_request("GET", "/api/v1/auth/me", NULL), 200, "\"must_change_password\":true");
  expect(door_request("GET", "/api/v1/map/list", NULL), 403, "PASSWORD_CHANGE_REQUIRED");
  expect(door_request("POST", "/api/v1/robot/move/stop", NULL), 403, "change-password");
  int status = 0;
  cr_expect_eq(door_ws("/ws", door.token, &status), -1);
  cr_expect_eq(status, 403);
  stub_t *stop = door_stub(REQUEST_ROBOT_ESTOP);
  cr_expect_neq(door_request("POST", "/api/v1/robot/emergency-stop", NULL).status, 403);
  cr_expect_eq(stop->count, 1);

  settle();

  expect(door_request("GET", "/api/v1/auth/me", NULL), 200, "\"must_change_password\":false");
  cr_expect_eq(door_request("GET", "/api/v1/map/list", NULL).status, 200);
}

Test(api_gateway_login, changes_a_password_by_its_rules) {
  expect(door_change_password("wrong", NEW), 401, "AUTH_FAILED");
  expect(door_change_password(door.password, "nothing but small"), 400, "WEAK_PASSWORD");
  expect(door_request("POST", "/api/v1/auth/change-password",
                      "{\"current_password\":\"x\",\"new_password\":\"Brand new 12345\","
                      "\"confirm_new_password\":\"Brand old 12345\"}"),
         400, "confirm_new_password");
  expect(door_change_password(door.password, door.password), 400, "PASSWORD_REUSED");
  settle();
  expect(door_change_password(NEW, door.password), 400, "PASSWORD_REUSED");
  cr_expect_eq(door_login_as("admin", door.password).status, 401);
  cr_expect_eq(door_login_as("admin", NEW).status, 200);
}

Test(api_gateway_login, ends_other_sessions_with_a_new_password) {
  char first[1100], first_refresh[1100];
  settle();
  snprintf(first, sizeof first, "%s", door.token);
  snprintf(first_refresh, sizeof first_refresh, "%s", door.refresh);
  cr_assert_eq(door_login_as("admin", NEW).status, 200);

  expect(door_change_password(NEW, "Another one 678"), 200, "ended");

  cr_expect_eq(door_request("GET", "/api/v1/auth/me", NULL).status, 200);
  expect(door_request_as(first, "GET", "/api/v1/auth/me", NULL), 401, "TOKEN_REVOKED");
  expect(refresh(first_refresh), 401, "TOKEN_REVOKED");
}

/* ---- login */

Test(api_gateway_login, answers_wrong_passwords_and_unknown_users_alike) {
  for (int i = 0; i < 5; i++) {
    expect(door_login_as("admin", "x"), 401, "AUTH_FAILED");
    expect(door_login_as("no@one", "x"), 401, "AUTH_FAILED");
  }
  answer_t known = door_login_as("admin", door.password);
  expect(known, 401, "ACCOUNT_LOCKED");
  cr_expect_not_null(strstr(known.head, "Retry-After: 1"));
  answer_t stranger = door_login_as("NO@one", "x");
  expect(stranger, 401, "ACCOUNT_LOCKED");
  cr_expect_not_null(strstr(stranger.head, "Retry-After: 1"));
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

Test(api_gateway_login, counts_every_failure_of_logins_at_once) {
  int fds[5];
  for (int i = 0; i < 5; i++)
    fds[i] = ask("/api/v1/auth/login", "", "{\"username\":\"admin\",\"password\":\"wrong\"}");

  for (int i = 0; i < 5; i++) {
    cr_expect_eq(door_answer(fds[i]).status, 401);
    close(fds[i]);
  }
  expect(door_login_as("admin", door.password), 401, "ACCOUNT_LOCKED");
}

Test(api_gateway_login, never_writes_an_old_password_back) {
  char change[300], login[200];
  snprintf(change, sizeof change,
           "{\"current_password\":\"%s\",\"new_password\":\"Another1Password\","
           "\"confirm_new_password\":\"Another1Password\"}",
           door.password);
  snprintf(login, sizeof login, "{\"username\":\"admin\",\"password\":\"%s\"}", door.password);

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

  cr_expect_eq(door_login_as("admin", door.password).status, 401);
  cr_expect_eq(door_login_as("admin", "Another1Password").status, 200);
}

Test(api_gateway_login, takes_a_bcrypt_hash_once_and_keeps_yescrypt) {
  store_user_t user = {.role = STORE_ROLE_VIEWER, .active = true, .username = "old"}, out;
  store_user_key_t key = {.name = "old"};
  gantry_fault_t fault;
  /* The crypt_blowfish test vector of "U*U". */
  snprintf(user.hash, sizeof user.hash,
           "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
  cr_assert_eq(harness_call(door.harness, REQUEST_STORE_USER_PUT, NULL, &user, &out, 2000, &fault),
               GANTRY_OK);

  cr_expect_eq(door_login_as("old", "U*U").status, 200);
  cr_assert_eq(harness_call(door.harness, REQUEST_STORE_USER_GET, NULL, &key, &out, 2000, &fault),
               GANTRY_OK);
  cr_expect_eq(strncmp(out.hash, "$y$", 3), 0, "%s", out.hash);
  cr_expect_eq(door_login_as("old", "U*U").status, 200);
}

Test(api_gateway_login, counts_guesses_at_the_present_password_like_logins) {
  settle();
  expect(door_change_password("wrong", "Another one 678"), 401, "AUTH_FAILED");
  expect(door_login_as("admin", "wrong"), 401, "AUTH_FAILED");
  for (int i = 0; i < 3; i++)
    expect(door_change_password("wrong", "Another one 678"), 401, "AUTH_FAILED");

  answer_t locked = door_change_password(NEW, "Another one 678");
  expect(locked, 401, "ACCOUNT_LOCKED");
  cr_expect_not_null(strstr(locked.head, "Retry-After: 1"), "%s", locked.head);
  expect(door_login_as("admin", NEW), 401, "ACCOUNT_LOCKED");
}

Test(api_gateway_login, takes_the_right_one_among_many_guesses_at_once_for_none) {
  char right[300];
  int fds[9];
  settle();
  snprintf(right, sizeof right,
           "{\"current_password\":\"%s\",\"new_password\":\"Another one 678\","
           "\"confirm_new_password\":\"Another one 678\"}",
           NEW);
  for (int i = 0; i < 8; i++)
    fds[i] = ask("/api/v1/auth/change-password", door.token,
                 "{\"current_password\":\"x\",\"new_password\":\"Another one 678\","
                 "\"confirm_new_password\":\"Another one 678\"}");
  fds[8] = ask("/api/v1/auth/change-password", door.token, right);

  for (int i = 0; i < 9; i++) {
    cr_expect_eq(door_answer(fds[i]).status, 401);
    close(fds[i]);
  }
}

/* ---- sessions */

Test(api_gateway_login, rotates_refresh_tokens_and_ends_a_session_whose_token_comes_twice) {
  char second[1100], access[1100];
  settle();
  answer_t renewed = refresh(door.refresh);
  cr_assert_eq(renewed.status, 200, "%s", renewed.body);
  keep(&renewed, "refresh_token", second);
  keep(&renewed, "access_token", access);
  cr_expect_eq(door_request_as(access, "GET", "/api/v1/auth/me", NULL).status, 200);

  expect(refresh(door.refresh), 401, "TOKEN_REPLAYED");

  expect(refresh(second), 401, "TOKEN_REVOKED");
  expect(door_request_as(access, "GET", "/api/v1/auth/me", NULL), 401, "TOKEN_REVOKED");
  expect(door_request("GET", "/api/v1/auth/me", NULL), 401, "TOKEN_REVOKED");
}

static void set_up_with_grace(void) {
  static const char *const SETTINGS[] = {"login_per_min=1000", NULL};

  door_open_on(&STORAGE, SETTINGS);
  door_login();
}

TestSuite(api_gateway_grace, .init = set_up_with_grace, .fini = door_close, .timeout = 30);

Test(api_gateway_grace, gives_two_tabs_the_same_successor) {
  char first[1100], second[1100], access[1100];
  answer_t answer = refresh(door.refresh);
  cr_assert_eq(answer.status, 200, "%s", answer.body);
  keep(&answer, "refresh_token", first);

  answer = refresh(door.refresh);

  cr_assert_eq(answer.status, 200, "%s", answer.body);
  keep(&answer, "refresh_token", second);
  keep(&answer, "access_token", access);
  cr_expect_str_eq(first, second);
  cr_expect_eq(door_request_as(access, "GET", "/api/v1/auth/me", NULL).status, 200);
  cr_expect_eq(refresh(second).status, 200);
  expect(refresh(door.refresh), 401, "TOKEN_REPLAYED");
  expect(refresh(second), 401, "TOKEN_REVOKED");
}

Test(api_gateway_login, knows_no_session_of_another_database) {
  store_session_refresh_t take = {.session = 12345};
  static store_session_refreshed_t refreshed;
  gantry_fault_t fault;

  cr_expect_eq(harness_call(door.harness, REQUEST_STORE_SESSION_REFRESH, NULL, &take, &refreshed,
                            2000, &fault),
               GANTRY_OK, "%s", fault.detail);
  cr_expect_eq(refreshed.verdict, STORE_REFRESH_VERDICT_UNKNOWN);
}

Test(api_gateway_login, takes_neither_kind_of_token_for_the_other) {
  settle();

  expect(refresh(door.token), 401, "another kind");
  expect(door_request_as(door.refresh, "GET", "/api/v1/auth/me", NULL), 401, "another kind");
}

Test(api_gateway_login, ends_a_session_at_logout_with_its_socket) {
  int status = 0;
  uint8_t opcode = 0;
  settle();
  int fd = door_ws("/ws", door.token, &status);
  cr_assert_geq(fd, 0, "%d", status);
  cr_assert_not_null(door_ws_expect(fd, "connection_established", NULL, 3000));

  expect(door_request("POST", "/api/v1/auth/logout", NULL), 200, "Logged out");

  expect(door_request("GET", "/api/v1/auth/me", NULL), 401, "TOKEN_REVOKED");
  expect(refresh(door.refresh), 401, "TOKEN_REVOKED");
  const char *code = door_ws_expect(fd, "no such text", &opcode, 3000);
  cr_assert_not_null(code);
  cr_expect_eq(opcode, 8);
  cr_expect_eq((uint8_t)code[0] << 8 | (uint8_t)code[1], 4001);
  close(fd);
}

Test(api_gateway_login, keeps_three_sessions_and_lists_them) {
  char first[1100];
  settle();
  snprintf(first, sizeof first, "%s", door.token);
  for (int i = 0; i < 3; i++)
    cr_assert_eq(door_login_as("admin", NEW).status, 200);

  answer_t list = door_request("GET", "/api/v1/auth/sessions", NULL);
  expect(list, 200, "\"total_count\":3");
  expect(list, 200, "\"current\":true");
  expect(door_request_as(first, "GET", "/api/v1/auth/me", NULL), 401, "TOKEN_REVOKED");
}

Test(api_gateway_login, hears_of_what_another_gateway_has_taken_back) {
  store_session_revoke_t revoke = {.user_id = 1, .reason = "by_admin"};
  store_count_t count = {0};
  gantry_fault_t fault;
  settle();
  cr_assert_eq(door_request("GET", "/api/v1/auth/me", NULL).status, 200);

  cr_assert_eq(
      harness_call(door.harness, REQUEST_STORE_SESSION_REVOKE, NULL, &revoke, &count, 2000, &fault),
      GANTRY_OK);
  cr_expect_eq(count.count, 1);

  int status = 200;
  for (int i = 0; i < 60 && status == 200; i++) {
    harness_for(door.harness, 50);
    status = door_request("GET", "/api/v1/auth/me", NULL).status;
  }
  cr_expect_eq(status, 401);
}
