/* Users as an administrator keeps them, over a real storage; reset tokens; the audit log. */
#include "door.h"
#include "storage.h"

#include <criterion/criterion.h>
#include <gantry/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char ADMIN[] = "Brand new 12345";
static char admin[1100];

static answer_t as_admin(const char *method, const char *path, const char *body) {
  return door_request_as(admin, method, path, body);
}

static void set_up(void) {
  static const char *const SETTINGS[] = {"login_per_min=1000", NULL};

  door_open_on(&STORAGE, SETTINGS);
  door_login();
  cr_assert_eq(door_change_password(door.password, ADMIN).status, 200);
  snprintf(admin, sizeof admin, "%s", door.token);
}

TestSuite(api_gateway_users, .init = set_up, .fini = door_close, .timeout = 30);

static void expect(answer_t answer, int status, const char *text) {
  cr_expect_eq(answer.status, status, "%d %s", answer.status, answer.body);
  cr_expect_not_null(strstr(answer.body, text), "%s in %s", text, answer.body);
}

/* Makes a user 2 of that role and logs him in; door.token is his. */
static void make_bert(const char *role) {
  char body[300];

  snprintf(body, sizeof body,
           "{\"username\":\"bert\",\"email\":\"bert@example.org\",\"full_name\":\"Bert B\","
           "\"password\":\"First words 1\",\"role\":\"%s\"}",
           role);
  answer_t made = as_admin("POST", "/api/v1/auth/users", body);
  cr_assert_eq(made.status, 201, "%s", made.body);
  cr_assert_not_null(strstr(made.body, "\"id\":2"), "%s", made.body);
  cr_assert_null(strstr(made.body, "$y$"));
  cr_assert_eq(door_login_as("bert", "First words 1").status, 200);
  cr_assert_eq(door_change_password("First words 1", "Second words 2").status, 200);
}

Test(api_gateway_users, makes_users_and_lists_them_by_page) {
  make_bert("operator");

  expect(as_admin("GET", "/api/v1/auth/users", NULL), 200, "\"total_count\":2");
  expect(as_admin("GET", "/api/v1/auth/users?page=2&limit=1", NULL), 200, "\"username\":\"bert\"");
  expect(as_admin("GET", "/api/v1/auth/users/2", NULL), 200, "\"role\":\"operator\"");
  expect(as_admin("GET", "/api/v1/auth/users/9", NULL), 404, "NOT_FOUND");
  expect(door_request("GET", "/api/v1/auth/users", NULL), 403, "users:read");
}

Test(api_gateway_users, registers_by_the_rules) {
  static const char *const WRONG[][3] = {
      {"{\"username\":\"b/b\",\"email\":\"b@x\",\"full_name\":\"Bb\",\"password\":\"First words "
       "1\","
       "\"confirm_password\":\"First words 1\"}",
       "422", "username"},
      {"{\"username\":\"bob\",\"email\":\"bob\",\"full_name\":\"Bb\",\"password\":\"First words "
       "1\","
       "\"confirm_password\":\"First words 1\"}",
       "422", "email"},
      {"{\"username\":\"bob\",\"email\":\"b@x\",\"full_name\":\"Bb\",\"password\":\"First words "
       "1\"}",
       "400", "confirm_password"},
      {"{\"username\":\"bob\",\"email\":\"b@x\",\"full_name\":\"Bb\",\"password\":\"no upper case "
       "1\","
       "\"confirm_password\":\"no upper case 1\"}",
       "400", "WEAK_PASSWORD"},
      {"{\"username\":\"bob\",\"email\":\"b@x\",\"full_name\":\"Bb\",\"password\":\"First words "
       "1\","
       "\"confirm_password\":\"First words 1\",\"role\":\"god\"}",
       "422", "role"},
      {"{\"username\":\"ADMIN\",\"email\":\"b@x\",\"full_name\":\"Bb\",\"password\":\"First words "
       "1\","
       "\"confirm_password\":\"First words 1\"}",
       "400", "ALREADY_EXISTS"},
  };

  for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
    answer_t answer = as_admin("POST", "/api/v1/auth/register", WRONG[i][0]);
    cr_expect_eq(answer.status,
                 (WRONG[i][1][0] - '0') * 100 + (WRONG[i][1][1] - '0') * 10 +
                     (WRONG[i][1][2] - '0'),
                 "%s", answer.body);
    cr_expect_not_null(strstr(answer.body, WRONG[i][2]), "%s in %s", WRONG[i][2], answer.body);
  }
  expect(as_admin("POST", "/api/v1/auth/register",
                  "{\"username\":\"bob\",\"email\":\"b@x\",\"full_name\":\"Bb\",\"password\":"
                  "\"First words 1\",\"confirm_password\":\"First words 1\",\"role\":"
                  "\"Administrator\"}"),
         201, "\"user_id\":2");
  expect(as_admin("GET", "/api/v1/auth/users/2", NULL), 200, "\"role\":\"admin\"");
}

Test(api_gateway_users, changes_a_role_for_open_tokens_and_closes_their_sockets) {
  int status = 0;
  uint8_t opcode = 0;
  make_bert("viewer");
  expect(door_request("POST", "/api/v1/robot/pause", NULL), 403, "robot:control");
  int fd = door_ws("/ws", door.token, &status);
  cr_assert_not_null(door_ws_expect(fd, "connection_established", NULL, 3000));

  expect(as_admin("PUT", "/api/v1/auth/users/2/role", "{\"role\":\"operator\"}"), 200, "operator");

  cr_expect_neq(door_request("POST", "/api/v1/robot/pause", NULL).status, 403);
  cr_expect_not_null(door_ws_expect(fd, "no such text", &opcode, 3000));
  cr_expect_eq(opcode, 8);
  close(fd);
}

Test(api_gateway_users, shuts_a_disabled_user_out_at_once) {
  make_bert("operator");
  char refresh[1200];
  snprintf(refresh, sizeof refresh, "{\"refresh_token\":\"%s\"}", door.refresh);

  expect(as_admin("PUT", "/api/v1/auth/users/2", "{\"is_active\":false}"), 200,
         "\"status\":\"disabled\"");

  expect(door_request("GET", "/api/v1/map/list", NULL), 401, "TOKEN_REVOKED");
  cr_expect_eq(door_request("POST", "/api/v1/auth/refresh", refresh).status, 401);
  expect(door_login_as("bert", "Second words 2"), 401, "AUTH_FAILED");
}

Test(api_gateway_users, shuts_a_deleted_user_out_and_keeps_the_last_administrator) {
  make_bert("operator");

  expect(as_admin("DELETE", "/api/v1/auth/users/2", NULL), 200, "bert is deleted");

  expect(door_request("GET", "/api/v1/map/list", NULL), 401, "TOKEN_REVOKED");
  expect(as_admin("DELETE", "/api/v1/auth/users/1", NULL), 409, "LAST_ADMIN");
  expect(as_admin("PUT", "/api/v1/auth/users/1", "{\"is_active\":false}"), 409, "LAST_ADMIN");
  expect(as_admin("PUT", "/api/v1/auth/users/1/role", "{\"role\":\"viewer\"}"), 409, "LAST_ADMIN");
  cr_expect_eq(as_admin("GET", "/api/v1/auth/me", NULL).status, 200);
}

Test(api_gateway_users, unlocks_a_user_and_sets_a_password_that_has_to_be_changed) {
  make_bert("viewer");
  for (int i = 0; i < 5; i++)
    cr_expect_eq(door_login_as("bert", "x").status, 401);
  expect(door_login_as("bert", "Second words 2"), 401, "ACCOUNT_LOCKED");
  expect(as_admin("GET", "/api/v1/auth/users/2", NULL), 200, "\"status\":\"locked\"");
  expect(as_admin("POST", "/api/v1/auth/users/2/unlock", NULL), 200, "\"status\":\"active\"");
  cr_expect_eq(door_login_as("bert", "Second words 2").status, 200);

  expect(as_admin("PUT", "/api/v1/auth/users/2", "{\"password\":\"Set by admin 3\"}"), 200,
         "\"must_change_password\":true");

  cr_expect_eq(door_request("GET", "/api/v1/auth/me", NULL).status, 401);
  expect(door_login_as("bert", "Set by admin 3"), 200, "\"must_change_password\":true");
}

Test(api_gateway_users, resets_a_password_by_a_token_that_holds_once) {
  char token[128], body[400];
  make_bert("viewer");
  expect(door_request_as("", "POST", "/api/v1/auth/forgot-password",
                         "{\"email\":\"bert@example.org\"}"),
         200, "If there is");
  expect(door_request_as("", "POST", "/api/v1/auth/forgot-password", "{\"email\":\"no@one\"}"), 200,
         "If there is");
  answer_t made = as_admin("POST", "/api/v1/auth/users/2/reset-token", NULL);
  expect(made, 201, "not shown again");
  cr_assert_eq(json_get_text(made.body, "reset_token", token, sizeof token), GANTRY_OK);
  snprintf(body, sizeof body,
           "{\"reset_token\":\"%s\",\"new_password\":\"Third words 33\","
           "\"confirm_new_password\":\"Third words 33\"}",
           token);

  expect(door_request_as("", "POST", "/api/v1/auth/reset-password", body), 200, "changed");
  cr_expect_eq(door_request("GET", "/api/v1/auth/me", NULL).status, 401);
  cr_expect_eq(door_login_as("bert", "Third words 33").status, 200);
  expect(door_request_as("", "POST", "/api/v1/auth/reset-password", body), 400, "RESET_TOKEN");
}

Test(api_gateway_users, writes_down_who_did_what_and_shows_it_to_administrators) {
  make_bert("viewer");
  as_admin("PUT", "/api/v1/auth/users/2/role", "{\"role\":\"operator\"}");
  answer_t audit = {0};

  for (int i = 0; i < 60; i++) {
    audit = as_admin("GET", "/api/v1/audit?action=auth_user_role", NULL);
    if (strstr(audit.body, "\"actor\":\"admin\"")) break;
    harness_for(door.harness, 50);
  }
  expect(audit, 200, "user bert, role operator");
  expect(audit, 200, "\"resource\":\"2\"");
  expect(as_admin("GET", "/api/v1/audit?limit=1", NULL), 200, "\"cursor\":");
  expect(as_admin("GET", "/api/v1/audit/verify", NULL), 200, "\"done\":true");
  expect(door_request("GET", "/api/v1/audit", NULL), 403, "audit:read");
}
