/* Tokens of machines, keys for others, and hostile tokens at the door, over a real storage. */
#include "door.h"
#include "storage.h"

#include <criterion/criterion.h>
#include <gantry/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void open_with(const char *algorithm) {
  char body[300], option[40];
  const char *const settings[] = {"login_per_min=1000", option, NULL};

  snprintf(option, sizeof option, "token_algorithm=%s", algorithm);
  door_open_on(&STORAGE, settings);
  door_login();
  snprintf(body, sizeof body,
           "{\"current_password\":\"%s\",\"new_password\":\"Brand new 12345\","
           "\"confirm_new_password\":\"Brand new 12345\"}",
           door.password);
  cr_assert_eq(door_request("POST", "/api/v1/auth/change-password", body).status, 200);
}

static void set_up(void) {
  open_with("EdDSA");
}

TestSuite(api_gateway_machines, .init = set_up, .fini = door_close, .timeout = 30);

static void expect(answer_t answer, int status, const char *text) {
  cr_expect_eq(answer.status, status, "%d %s", answer.status, answer.body);
  cr_expect_not_null(strstr(answer.body, text), "%s in %s", text, answer.body);
}

static bool knows(const char *token, int status) {
  for (int i = 0; i < 60; i++) {
    if (door_request_as(token, "POST", "/api/v1/sensors/data", "{}").status == status) return true;
    harness_for(door.harness, 50);
  }
  return false;
}

Test(api_gateway_machines, gives_a_machine_a_token_that_does_what_its_role_may) {
  char token[128];
  answer_t made = door_request("POST", "/api/v1/auth/service-tokens", "{\"name\":\"plc-hall-3\"}");
  expect(made, 201, "not shown again");
  cr_assert_eq(json_get_text(made.body, "token", token, sizeof token), GANTRY_OK);
  expect(door_request("POST", "/api/v1/auth/service-tokens", "{\"name\":\"plc-hall-3\"}"), 409,
         "revoke it first");

  cr_expect(knows(token, 422), "the token opens nothing");
  expect(door_request_as(token, "GET", "/api/v1/map/list", NULL), 403, "map:read");
  expect(door_request_as(token, "GET", "/api/v1/auth/me", NULL), 403, "machine");
  expect(door_request_as(token, "GET", "/api/v1/auth/sessions", NULL), 403, "machine");
  answer_t list = door_request("GET", "/api/v1/auth/service-tokens", NULL);
  expect(list, 200, "\"name\":\"plc-hall-3\"");
  cr_expect_null(strstr(list.body, token));

  const char *id = strstr(made.body, "\"id\":");
  char path[80];
  cr_assert_not_null(id);
  snprintf(path, sizeof path, "/api/v1/auth/service-tokens/%.*s", (int)strspn(id + 5, "0123456789"),
           id + 5);
  expect(door_request("DELETE", path, NULL), 200, "no longer");
  expect(door_request_as(token, "POST", "/api/v1/sensors/data", "{}"), 401, "TOKEN_REVOKED");
}

Test(api_gateway_machines, shows_its_public_key_and_accepts_none_of_another_kind) {
  /* {"alg":"none"}.{...}. and an HS256 header over the same claims */
  static const char *const HOSTILE[] = {
      "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
      "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZG1pbiJ9.AAAA", "gantry_unknown", "..",
      "."};

  expect(door_request_as("", "GET", "/.well-known/jwks.json", NULL), 200, "\"crv\":\"Ed25519\"");
  for (size_t i = 0; i < sizeof HOSTILE / sizeof HOSTILE[0]; i++)
    cr_expect_eq(door_request_as(HOSTILE[i], "GET", "/api/v1/auth/me", NULL).status, 401, "%s",
                 HOSTILE[i]);
  cr_expect_eq(door_request("GET", "/api/v1/auth/me", NULL).status, 200);
}

Test(api_gateway_machines, ends_a_session_by_its_number) {
  answer_t list = door_request("GET", "/api/v1/auth/users/1/sessions", NULL);
  const char *at = strstr(list.body, "\"session_id\":\"");
  char path[80];
  cr_assert_not_null(at, "%s", list.body);
  snprintf(path, sizeof path, "/api/v1/auth/sessions/%.16s", at + 14);

  expect(door_request("DELETE", "/api/v1/auth/sessions/00000000000000zz", NULL), 404, "session");
  expect(door_request("DELETE", path, NULL), 200, "ended");
  cr_expect_eq(door_request("GET", "/api/v1/auth/me", NULL).status, 401);
}
