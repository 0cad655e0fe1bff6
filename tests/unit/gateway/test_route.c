/* Which endpoint a method and a path mean, and what parameters become. */
#include "route.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <messages.h>

static uint32_t matched(http_method_t method, const char *path) {
  route_t route;

  route_match(method, path, &route);
  return route.found ? route.endpoint : ENDPOINT_COUNT;
}

Test(route, finds_every_endpoint_of_the_table_by_its_own_path) {
  for (uint32_t i = 0; i < CATALOGUE_ENDPOINT_COUNT; i++) {
    cr_assert_eq(matched(CATALOGUE_ENDPOINTS[i].method, CATALOGUE_ENDPOINTS[i].path), i, "%s",
                 CATALOGUE_ENDPOINTS[i].path);
  }
}

Test(route, prefers_the_literal_over_the_parameter) {
  cr_expect_eq(matched(HTTP_GET, "/api/v1/map/status"), (uint32_t)ENDPOINT_MAP_STATUS);
  cr_expect_eq(matched(HTTP_GET, "/api/v1/map/list"), (uint32_t)ENDPOINT_MAP_LIST);
  cr_expect_eq(matched(HTTP_GET, "/api/v1/map/map_0a1b2c3d"), (uint32_t)ENDPOINT_MAP_GET);
}

Test(route, keeps_literal_names_reserved_for_every_method) {
  route_t route;

  route_match(HTTP_DELETE, "/api/v1/map/status", &route);

  cr_expect_not(route.found);
  cr_expect_eq(route.allowed, 1u << HTTP_GET);
}

Test(route, hands_out_path_parameters) {
  route_t route;

  route_match(HTTP_POST, "/api/v1/map/load/map_1", &route);

  cr_assert(route.found);
  cr_expect_eq(route.parameter_count, 1);
  cr_expect_str_eq(route.parameters[0].name, "map_id");
  cr_expect_str_eq(route.parameters[0].value, "map_1");
}

Test(route, names_the_methods_a_known_path_allows) {
  route_t route;

  route_match(HTTP_PATCH, "/api/v1/map/map_1", &route);

  cr_expect_not(route.found);
  cr_expect_eq(route.allowed, 1u << HTTP_GET | 1u << HTTP_PUT | 1u << HTTP_DELETE);
}

Test(route, does_not_know_foreign_paths) {
  static const char *const PATHS[] = {"",
                                      "api",
                                      "/api/v1/map",
                                      "/api/v1/map/load/",
                                      "/api/v1/map/load/a/b",
                                      "//",
                                      "/api/v1/map/load//x",
                                      "/nothing"};

  for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
    route_t route;
    route_match(HTTP_POST, PATHS[i], &route);
    cr_expect_not(route.found, "%s", PATHS[i]);
  }
}

Test(route, ignores_a_trailing_slash) {
  cr_expect_eq(matched(HTTP_GET, "/health/"), (uint32_t)ENDPOINT_HEALTH);
}

Test(route, refuses_overlong_paths_and_values) {
  char path[2000] = "/api/v1/map/";

  memset(path + strlen(path), 'a', 300);
  cr_expect_eq(matched(HTTP_GET, path), (uint32_t)ENDPOINT_COUNT);
  memset(path + 12, 'a', sizeof path - 13);
  cr_expect_eq(matched(HTTP_GET, path), (uint32_t)ENDPOINT_COUNT);
}

Test(route, knows_methods_by_name) {
  http_method_t method;

  cr_expect(route_method_parse("DELETE", &method));
  cr_expect_eq(method, HTTP_DELETE);
  cr_expect_str_eq(route_method_name(method), "DELETE");
  cr_expect_not(route_method_parse("BREW", &method));
}

static char *params_of(http_method_t method, const char *path, const char *query, buf_t *out) {
  route_t route;

  route_match(method, path, &route);
  route_params_json(CATALOGUE_ENDPOINTS[route.endpoint].params, &route, query, out);
  return (char *)(uintptr_t)buf_text(out);
}

/* What is no JSON would spoil all parameters, and the answer could not name the one at fault. */
Test(route, keeps_what_json_has_no_number_for_apart) {
  static const char *const CASES[][2] = {
      {"limit=99999999999999999999\0", "\"99999999999999999999\""},
      {"limit=007\0", "7"},
      {"limit=-5\0", "-5"},
      {"limit=1e3\0", "\"1e3\""},
      {"limit=1.\0", "\"1.\""},
  };

  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    buf_t out = {0};
    char expected[96];
    snprintf(expected, sizeof expected, "{\"sensor_id\":\"x\",\"limit\":%s}", CASES[i][1]);
    cr_expect_str_eq(params_of(HTTP_GET, "/api/v1/sensors/data/x", CASES[i][0], &out), expected);
    buf_fini(&out);
  }
}

Test(route, writes_numbers_unquoted_and_everything_else_as_text) {
  buf_t out = {0};

  cr_expect_str_eq(params_of(HTTP_GET, "/api/v1/sensors/data/12", "limit=5\0", &out),
                   "{\"sensor_id\":\"12\",\"limit\":5}");
  buf_reset(&out);
  cr_expect_str_eq(params_of(HTTP_GET, "/api/v1/sensors/data/x", "limit=five\0", &out),
                   "{\"sensor_id\":\"x\",\"limit\":\"five\"}");
  buf_reset(&out);
  cr_expect_str_eq(params_of(HTTP_GET, "/api/v1/sensors/data/x", "other=1\0limit=1,2\0", &out),
                   "{\"sensor_id\":\"x\",\"limit\":\"1,2\"}");
  buf_fini(&out);
}

Test(route, lets_the_path_win_over_the_query) {
  buf_t out = {0};

  cr_expect_str_eq(params_of(HTTP_GET, "/api/v1/sensors/data/x", "sensor_id=evil\0", &out),
                   "{\"sensor_id\":\"x\"}");
  buf_fini(&out);
}

Test(route, escapes_what_would_break_out_of_the_text) {
  buf_t out = {0};

  cr_expect_str_eq(params_of(HTTP_GET, "/api/v1/sensors/data/a\"b", NULL, &out),
                   "{\"sensor_id\":\"a\\\"b\"}");
  buf_fini(&out);
}
