/* The robot's original API, line by line as its clients expect it: every route is there, none
   answers as if it knew something while nothing is heard and nobody answers. The list is that of
   the specification, not of the catalogue. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/catalogue.h>
#include <stdio.h>
#include <string.h>

#include "route.h"

#define API "/api/v1"

/* What a request comes to while every neighbour is silent. */
typedef struct expected {
  const char *method, *path; /* {names} as in the specification */
  int status;
  const char *body; /* sent */
  const char *word; /* has to stand in the answer, NULL: nothing in particular */
} expected_t;

static const char SCAN[] = "{\"sensor_type\":\"lidar\",\"sensor_id\":\"LIDAR_001\",\"data\":"
                           "{\"scan_data\":[{\"angle\":0,\"distance\":1000}]},\"quality\":1}";
static const char SENSOR[] = "{\"sensor_id\":\"RFID_001\",\"sensor_type\":\"rfid\",\"name\":\"r\","
                             "\"configuration\":{}}";
static const char UPDATE[] = "{\"sensor_type\":\"rfid\",\"sensor_id\":\"RFID_001\","
                             "\"position_data\":{\"x\":0,\"y\":0,\"theta\":0}}";
static const char SETTING[] = "{\"config_key\":\"fusion\",\"config_value\":{},"
                              "\"config_type\":\"fusion\"}";
static const char REGISTERS[] = "{\"registers\":[{\"name\":\"speed\",\"value\":1}]}";
static const char RESET[] = "{\"safe_confirm\":true,\"location_ok\":true,\"reason\":\"r\"}";
static const char SYSTEM[] = "{\"robot_speed_limit\":0.5,\"emergency_stop_timeout\":100,"
                             "\"telemetry_interval\":1000,\"safety_temperature_threshold\":60,"
                             "\"max_battery_discharge\":20}";

static const expected_t MAP_AND_SENSORS[] = {
    {"POST", API "/map/start-mapping", 503, "{\"map_name\":\"m\"}", NULL},
    {"POST", API "/map/stop-mapping", 503, NULL, NULL},
    {"GET", API "/map/status", 503, NULL, NULL},
    {"GET", API "/map/current", 503, NULL, NULL},
    {"POST", API "/map/load/{map_id}", 503, NULL, NULL},
    {"GET", API "/map/robot-position", 503, NULL, NULL},
    {"GET", API "/map/occupancy-grid", 503, NULL, NULL},
    {"GET", API "/map/trajectory", 503, NULL, NULL},
    {"GET", API "/map/list", 503, NULL, NULL},
    {"DELETE", API "/map/{map_id}", 503, NULL, NULL},
    {"PUT", API "/map/{map_id}", 503, "{\"name\":\"n\"}", NULL},
    {"POST", API "/map/update-and-localize?map_id=m", 503, NULL, NULL},
    {"GET", API "/map/{map_id}", 503, NULL, NULL},
    {"POST", API "/sensors/data", 503, SCAN, NULL},
    {"GET", API "/sensors/status/{sensor_id}", 404, NULL, NULL},
    {"GET", API "/sensors/status", 200, NULL, "[]"},
    {"POST", API "/sensors/configure", 503, SENSOR, NULL},
    {"GET", API "/sensors/configure/{sensor_id}", 503, NULL, NULL},
    {"GET", API "/sensors/list", 503, NULL, NULL},
    {"GET", API "/sensors/data/{sensor_id}?limit=100", 503, NULL, NULL},
    {"POST", API "/sensors/calibrate/{sensor_id}", 503, "{}", NULL},
    {"GET", API "/localization/position", 503, NULL, NULL},
    {"POST", API "/localization/position/update", 503, UPDATE, NULL},
    {"GET", API "/localization/history?limit=50", 503, NULL, NULL},
    {"GET", API "/localization/stats", 503, NULL, NULL},
    {"POST", API "/localization/config", 503, SETTING, NULL},
    {"GET", API "/localization/config/{key}", 503, NULL, NULL},
    {"GET", API "/localization/config", 503, NULL, NULL},
    {"DELETE", API "/localization/config/{key}", 503, NULL, NULL},
    {"POST", API "/localization/reset", 503, NULL, NULL},
    {"GET", API "/localization/rfid-tags", 503, NULL, NULL},
};

static const expected_t ROBOT_AND_SAFETY[] = {
    {"GET", API "/robot/status", 200, NULL, "\"status\":\"offline\""},
    {"POST", API "/robot/control", 503, "{\"command_type\":\"stop\"}", NULL},
    {"POST", API "/robot/command", 503, "{\"command_type\":\"stop\"}", NULL},
    {"POST", API "/robot/emergency-stop", 503, NULL, "NOT confirmed"},
    {"POST", API "/robot/move?direction=forward&speed=0.1", 503, NULL, NULL},
    {"POST", API "/robot/stop", 503, NULL, NULL},
    {"GET", API "/robot/last-command", 503, NULL, NULL},
    {"POST", API "/robot/mode", 503, "{\"mode\":\"auto\"}", NULL},
    {"GET", API "/robot/mode", 503, NULL, NULL},
    {"POST", API "/robot/move/forward?speed=0.1", 503, NULL, NULL},
    {"POST", API "/robot/move/backward?speed=0.1", 503, NULL, NULL},
    {"POST", API "/robot/move/stop", 503, NULL, NULL},
    {"POST", API "/robot/cargo/up?position=10", 503, NULL, NULL},
    {"POST", API "/robot/cargo/down?position=10", 503, NULL, NULL},
    {"POST", API "/robot/speed", 503, "{\"speed\":0.5}", NULL},
    {"GET", API "/robot/speed", 503, NULL, NULL},
    {"POST", API "/robot/speed/preset", 503, "{\"preset\":\"slow\"}", NULL},
    {"POST", API "/robot/pause", 503, NULL, NULL},
    {"POST", API "/robot/reset", 503, RESET, NULL},
    {"GET", API "/robot/position", 503, NULL, NULL},
    {"GET", API "/robot/configuration", 503, NULL, NULL},
    {"GET", API "/robot/battery", 503, NULL, "MODULE_OFFLINE"},
    {"POST", API "/robot/resume", 503, NULL, NULL},
    {"POST", API "/robot/emergency-stop/reset", 503, RESET, NULL},
    {"POST", API "/robot/jog", 503, "{\"direction\":\"forward\",\"speed\":0.1,\"dead_man_ms\":100}",
     NULL},
    {"GET", API "/safety/status", 200, NULL, "\"status\":\"unavailable\""},
    {"POST", API "/safety/emergency-stop", 503, NULL, "NOT confirmed"},
    {"POST", API "/safety/emergency", 503, NULL, "NOT confirmed"},
    {"GET", API "/safety/alerts?limit=50", 503, NULL, NULL},
    {"POST", API "/safety/alerts/{id}/acknowledge", 503, NULL, NULL},
    {"GET", API "/telemetry/current", 200, NULL, "\"robot_status\":\"offline\""},
    {"GET", API "/telemetry/history", 503, NULL, NULL},
    {"GET", API "/telemetry/summary", 503, NULL, NULL},
    {"GET", API "/telemetry/modules", 200, NULL, "[]"},
    {"GET", API "/telemetry/modules/{id}", 503, NULL, NULL},
    {"POST", API "/telemetry/collection/start", 503, NULL, NULL},
    {"POST", API "/telemetry/collection/stop", 503, NULL, NULL},
    {"GET", API "/telemetry/collection/stats", 503, NULL, NULL},
    {"GET", API "/telemetry/data/latest", 200, NULL, "[]"},
    {"GET", API "/telemetry/lidar/scan", 503, NULL, "MODULE_OFFLINE"},
    {"GET", API "/telemetry/performance", 200, NULL, "\"source\":\"motion\",\"rate_hz\":0,"},
    {"GET", API "/telemetry/firmware-status", 200, NULL, "false"},
    {"GET", API "/config/current", 200, NULL, "rs485-bridge does not answer"},
    {"GET", API "/config/system", 200, NULL, "rs485-bridge does not answer"},
    {"PUT", API "/config/system", 503, SYSTEM, NULL},
    {"PATCH", API "/config/system", 503, "{\"telemetry_interval\":500}", NULL},
    {"GET", API "/config/firmware", 200, NULL, "\"modules\":[]"},
    {"POST", API "/config/firmware/restart", 503, NULL, NULL},
    {"GET", API "/config/validation", 200, NULL, "\"valid\":false"},
};

static const expected_t REST[] = {
    {"GET", "/health", 200, NULL, "starting"},
    {"GET", "/health/fast", 200, NULL, NULL},
    {"GET", "/", 200, NULL, "\"services\":{\"database\":"},
    {"GET", API "/health/", 200, NULL, "starting"},
    {"GET", API "/health/detailed", 200, NULL, "starting"},
    {"GET", API "/health/metrics", 200, NULL, NULL},
    {"GET", API "/health/status", 200, NULL, NULL},
    {"GET", "/metrics", 200, NULL, NULL},
    {"GET", API "/monitoring/health", 200, NULL, NULL},
    {"GET", API "/monitoring/metrics", 200, NULL, NULL},
    {"GET", API "/monitoring/metrics/history?hours=1", 200, NULL, NULL},
    {"GET", API "/monitoring/performance/summary", 200, NULL, NULL},
    {"GET", API "/monitoring/alerts/active", 200, NULL, "\"total_count\":0"},
    {"GET", API "/monitoring/alerts/by-level/{level}", 503, NULL, NULL},
    {"GET", API "/monitoring/status", 200, NULL, NULL},
    {"GET", API "/monitoring/performance", 200, NULL, NULL},
    {"GET", API "/monitoring/current", 200, NULL, NULL},
    {"GET", API "/monitoring/alerts", 503, NULL, NULL},
    {"GET", API "/monitoring/logs?level=info&limit=5", 200, NULL, "\"logs\":["},
    {"POST", API "/monitoring/alerts/{id}/acknowledge", 503, NULL, NULL},
    {"POST", API "/monitoring/alerts/{id}/resolve", 503, NULL, NULL},
    {"DELETE", API "/monitoring/alerts/clear-resolved", 503, NULL, NULL},
    {"GET", API "/rs485/modules", 200, NULL, "[]"},
    {"GET", API "/rs485/modules/{address}", 404, NULL, NULL},
    {"GET", API "/rs485/bus/health", 200, NULL, "\"offline\""},
    {"POST", API "/rs485/bus/restart", 503, "{\"action\":\"restart\"}", NULL},
    {"POST", API "/rs485/discovery/start", 503, NULL, NULL},
    {"GET", API "/rs485/discovery/status", 503, NULL, NULL},
    {"GET", API "/rs485/discovery/results", 503, NULL, NULL},
    {"POST", API "/rs485/modules/{address}/ping", 503, NULL, NULL},
    {"POST", API "/rs485/modules/{address}/reset", 503, NULL, NULL},
    {"POST", API "/rs485/modules/{address}/quarantine", 503, NULL, NULL},
    {"POST", API "/rs485/modules/{address}/configure", 503, REGISTERS, NULL},
    {"GET", API "/rs485/modules/{address}/telemetry", 503, NULL, NULL},
    {"POST", API "/rs485/modules/{address}/telemetry", 503,
     "{\"register_address\":\"0x0000\",\"value\":1}", NULL},
    {"POST", API "/rs485/modules/start-scan", 503, NULL, NULL},
    {"POST", API "/rs485/modules/stop-scan", 503, NULL, NULL},
    {"POST", API "/rs485/modules/pause-scan", 503, NULL, NULL},
    {"POST", API "/rs485/modules/resume-scan", 503, NULL, NULL},
    {"POST", API "/system/backup", 503, NULL, NULL},
    {"GET", API "/system/backup", 503, NULL, NULL},
    {"GET", API "/rs485/scan-status", 503, NULL, NULL},
    {"GET", API "/rs485/health", 200, NULL, NULL},
    {"GET", API "/dashboard/summary", 200, NULL, "\"safety_state\":\"UNAVAILABLE\""},
    {"GET", API "/dashboard/alerts?page=1&page_size=10", 503, NULL, NULL},
    {"POST", API "/dashboard/alerts/{id}/acknowledge", 503, NULL, NULL},
    {"POST", API "/dashboard/alerts/{id}/resolve", 503, NULL, NULL},
    {"GET", API "/dashboard/logs?limit=5&level=info&page=1", 200, NULL, "\"logs\":["},
    {"GET", API "/dashboard/performance?hours=1", 200, NULL, NULL},
    {"GET", API "/dashboard/stats", 200, NULL, "\"modules_total\":0"},
    {"GET", API "/dashboard/safety", 200, NULL, "Unknown (FW offline)"},
    {"GET", API "/network/health", 200, NULL, "\"error\":"},
};

/* What has a service part, and is asked for elsewhere: other answers than a silent neighbour's. */
static const expected_t ACCOUNTS[] = {
    {"POST", API "/auth/login", 0, NULL, NULL},
    {"POST", API "/auth/register", 0, NULL, NULL},
    {"GET", API "/auth/me", 0, NULL, NULL},
    {"POST", API "/auth/logout", 0, NULL, NULL},
    {"POST", API "/auth/refresh", 0, NULL, NULL},
    {"POST", API "/auth/forgot-password", 0, NULL, NULL},
    {"POST", API "/auth/reset-password", 0, NULL, NULL},
    {"POST", API "/auth/change-password", 0, NULL, NULL},
    {"GET", API "/auth/users", 0, NULL, NULL},
    {"POST", API "/auth/users", 0, NULL, NULL},
    {"PUT", API "/auth/users/{id}", 0, NULL, NULL},
    {"DELETE", API "/auth/users/{id}", 0, NULL, NULL},
    {"PUT", API "/auth/users/{id}/role", 0, NULL, NULL},
    {"POST", API "/auth/users/{id}/unlock", 0, NULL, NULL},
};

static void begin(void) {
  door_open_with((const char *const[]){"rate_per_min=1000000", "rate_burst=100000",
                                       "robot_per_min=100000", "telemetry_per_min=100000",
                                       "monitoring_per_min=100000", NULL});
  door_login();
}

TestSuite(api_gateway_spec, .init = begin, .fini = door_close, .timeout = 40);

/* ---- every route is there */

/* Whether the two paths differ at most in the names between braces and in a last slash. */
static bool same_path(const char *wanted, const char *there) {
  for (; *wanted && *wanted != '?'; wanted++, there++) {
    if (*wanted == '{' && *there == '{') {
      wanted = strchr(wanted, '}');
      there = strchr(there, '}');
    } else if (*wanted != *there) {
      return *wanted == '/' && (wanted[1] == '\0' || wanted[1] == '?') && !*there;
    }
  }
  return !*there;
}

static const endpoint_t *find(const expected_t *route) {
  for (uint32_t i = 0; i < CATALOGUE_ENDPOINT_COUNT; i++) {
    const endpoint_t *endpoint = &CATALOGUE_ENDPOINTS[i];
    if (!strcmp(route_method_name(endpoint->method), route->method) &&
        same_path(route->path, endpoint->path))
      return endpoint;
  }
  return NULL;
}

static void expect_built(const expected_t *routes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const endpoint_t *endpoint = find(&routes[i]);
    cr_expect_not_null(endpoint, "%s %s is absent", routes[i].method, routes[i].path);
    if (endpoint) cr_expect(endpoint->built, "%s %s is 501", routes[i].method, routes[i].path);
  }
}

#define EACH(list) list, sizeof(list) / sizeof(list)[0]

Test(api_gateway_spec, names_no_route_that_is_absent_or_not_built) {
  expect_built(EACH(MAP_AND_SENSORS));
  expect_built(EACH(ROBOT_AND_SAFETY));
  expect_built(EACH(REST));
  expect_built(EACH(ACCOUNTS));
}

/* ---- none knows what nobody tells */

static void without_names(const char *path, char *out, size_t size) {
  size_t len = 0;

  for (; *path && len + 8 < size; path++) {
    if (*path != '{') {
      out[len++] = *path;
      continue;
    }
    len +=
        (size_t)snprintf(out + len, size - len, "%s", !strncmp(path, "{level}", 7) ? "error" : "7");
    path = strchr(path, '}');
  }
  out[len] = '\0';
}

static void silence(void) {
  for (uint32_t i = 0; i < CATALOGUE_REQUEST_COUNT; i++) {
    const request_t *request = &CATALOGUE_REQUESTS[i];
    if (strcmp(request->server, "*") != 0) door_stub(request)->fail = GANTRY_E_UNAVAILABLE;
  }
}

static void expect_honest(const expected_t *routes, size_t count) {
  char path[128];

  silence();
  for (size_t i = 0; i < count; i++) {
    const expected_t *route = &routes[i];
    without_names(route->path, path, sizeof path);
    answer_t answer = door_request(route->method, path, route->body);
    cr_expect_eq(answer.status, route->status, "%s %s: %d, not %d: %.300s", route->method, path,
                 answer.status, route->status, answer.body);
    if (route->word)
      cr_expect_not_null(strstr(answer.body, route->word), "%s %s lacks %s: %.600s", route->method,
                         path, route->word, answer.body);
  }
}

Test(api_gateway_spec, answers_honestly_of_maps_and_sensors_while_nobody_does) {
  expect_honest(EACH(MAP_AND_SENSORS));
}

Test(api_gateway_spec, answers_honestly_of_the_robot_while_nobody_does) {
  expect_honest(EACH(ROBOT_AND_SAFETY));
}

Test(api_gateway_spec, answers_honestly_of_all_else_while_nobody_does) {
  expect_honest(EACH(REST));
}
