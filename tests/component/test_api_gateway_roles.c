/* Every role at every route of the catalogue: let through, or 403. What a role may do is written
   here once more, from the specification's words, and not taken from the gateway's table. */
#include "door.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void set_up(void) {
  static const char *const SETTINGS[] = {
      "rate_per_min=1000000",         "rate_burst=1000000",
      "robot_per_min=1000000",        "telemetry_per_min=1000000",
      "login_per_min=1000000",        "monitoring_per_min=1000000",
      "connections_per_address=4096", NULL};

  door_open_with(SETTINGS);
}

TestSuite(api_gateway_roles, .init = set_up, .fini = door_close, .timeout = 60);

static bool stands_in(const char *const *list, const char *word) {
  for (; *list; list++)
    if (!strcmp(*list, word)) return true;
  return false;
}

/* viewer: reads all but the audit log and users. operator: that, and drives, maps, records,
   acknowledges, stops. fleet_admin: that, and writes vehicles, fleets, configs. service: delivers
   telemetry and readings. admin: all. */
static bool may(store_role_t role, const char *permission) {
  static const char *const OPERATES[] = {"dashboard:write",  "robot:control",
                                         "robot:emergency",  "telemetry:write",
                                         "safety:emergency", "safety:acknowledge",
                                         "system:control",   "map:write",
                                         "map:control",      "sensors:write",
                                         "sensors:capture",  "localization:write",
                                         "sessions:control", NULL};
  static const char *const FLEETS[] = {"vehicles:write", "fleets:write", "configs:write", NULL};
  static const char *const DELIVERS[] = {"telemetry:write", "sensors:write", NULL};
  const char *action = strchr(permission, ':');
  bool reads = action && !strcmp(action, ":read") && strncmp(permission, "audit:", 6) != 0 &&
               strncmp(permission, "users:", 6) != 0;

  if (!strcmp(permission, "public") || !strcmp(permission, "authenticated")) return true;
  switch (role) {
  case STORE_ROLE_ADMIN:
    return true;
  case STORE_ROLE_SERVICE:
    return stands_in(DELIVERS, permission);
  case STORE_ROLE_FLEET_ADMIN:
    return reads || stands_in(OPERATES, permission) || stands_in(FLEETS, permission);
  case STORE_ROLE_OPERATOR:
    return reads || stands_in(OPERATES, permission);
  default:
    return reads;
  }
}

/* The route's path with a number in place of each parameter. */
static void fill_path(const char *pattern, char *out, size_t size) {
  size_t len = 0;

  for (; *pattern && len + 2 < size; pattern++) {
    if (*pattern != '{') {
      out[len++] = *pattern;
      continue;
    }
    out[len++] = '1';
    pattern = strchr(pattern, '}');
  }
  out[len] = '\0';
}

static void walk(store_role_t role) {
  static const char *const METHODS[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
  char token[1100], path[256];
  unsigned refused = 0;

  door_token(role, 600, token, sizeof token);
  for (uint32_t i = 0; i < CATALOGUE_ENDPOINT_COUNT; i++) {
    const endpoint_t *endpoint = &CATALOGUE_ENDPOINTS[i];
    fill_path(endpoint->path, path, sizeof path);
    bool allowed = may(role, endpoint->permission);
    if (allowed && role == STORE_ROLE_ADMIN && !strcmp(endpoint->permission, "public")) continue;
    answer_t answer = door_request_as(token, METHODS[endpoint->method], path, NULL);
    if (allowed)
      cr_expect(answer.status != 403 && answer.status != 401 && answer.status != 0,
                "role %d, %s %s: %d %s", (int)role, METHODS[endpoint->method], path, answer.status,
                answer.status ? answer.body : "");
    else
      cr_expect_eq(answer.status, 403, "role %d, %s %s: %d", (int)role, METHODS[endpoint->method],
                   path, answer.status);
    refused += answer.status == 403;
  }
  cr_expect(role == STORE_ROLE_ADMIN ? refused == 0 : refused > 10, "role %d: %u", (int)role,
            refused);
}

Test(api_gateway_roles, lets_viewers_read) {
  walk(STORE_ROLE_VIEWER);
}

Test(api_gateway_roles, lets_operators_drive_and_map) {
  walk(STORE_ROLE_OPERATOR);
}

Test(api_gateway_roles, lets_fleet_admins_do_what_operators_do) {
  walk(STORE_ROLE_FLEET_ADMIN);
}

Test(api_gateway_roles, lets_machines_deliver) {
  walk(STORE_ROLE_SERVICE);
}

Test(api_gateway_roles, lets_administrators_do_everything) {
  walk(STORE_ROLE_ADMIN);
}

Test(api_gateway_roles, lets_nobody_without_a_token_beyond_what_is_public) {
  static const char *const METHODS[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
  char path[256];

  for (uint32_t i = 0; i < CATALOGUE_ENDPOINT_COUNT; i++) {
    const endpoint_t *endpoint = &CATALOGUE_ENDPOINTS[i];
    if (!strcmp(endpoint->permission, "public")) continue;
    fill_path(endpoint->path, path, sizeof path);
    cr_expect_eq(door_request_as("", METHODS[endpoint->method], path, NULL).status, 401, "%s",
                 path);
  }
}
