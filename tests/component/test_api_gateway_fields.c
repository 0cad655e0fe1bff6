/* What a refusal names: a field that the client has sent, also where a service calls it otherwise.
 */
#include "door.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(api_gateway_fields, .init = door_open_as_admin, .fini = door_close, .timeout = 30);

/* A request at the door, the service's request behind it, the field that the service names, and the
   one that the client has to read; NULL: none. */
typedef struct refusal {
  const char *method, *path, *body;
  const request_t *request;
  gantry_err_t err;
  const char *field, *told;
} refusal_t;

static const refusal_t *refusal;

static void on_refused(rpc_context_t *call, const void *takes, void *arg) {
  (void)takes;
  (void)arg;
  rpc_fail(call, refusal->err, refusal->field, "does not do; %s", "see there");
}

static void expect_named(const refusal_t *expected) {
  char told[128];
  refusal = expected;
  door_stub(refusal->request)->play = on_refused;

  answer_t answer = door_request(refusal->method, refusal->path, refusal->body);

  cr_expect_eq(answer.status, gantry_err_http(refusal->err), "%s: %d %s", refusal->path,
               answer.status, answer.body);
  snprintf(told, sizeof told, "\"details\":[{\"field\":\"%s\"", refusal->told);
  if (refusal->told[0])
    expect_text(&answer, told);
  else
    cr_expect_null(strstr(answer.body, "\"field\""), "%s", answer.body);
}

Test(api_gateway_fields, are_those_of_the_clients_body) {
  static const char setting[] =
      "{\"config_key\":\"weights\",\"config_value\":{\"rfid\":7},\"config_type\":\"fusion\"}";
  static const char sensor[] =
      "{\"sensor_id\":\"IMU_1\",\"sensor_type\":\"accelerometer\",\"name\":"
      "\"i\",\"configuration\":{},\"calibration_data\":{\"matrix\":[1]}}";
  const char *config = "/api/v1/localization/config", *configure = "/api/v1/sensors/configure",
             *calibrate = "/api/v1/sensors/calibrate/IMU_1";
  const refusal_t refusals[] = {
      {"POST", config, setting, REQUEST_LOC_CONFIG_SET, GANTRY_E_INVALID, "value.rfid",
       "config_value.rfid"},
      {"POST", config, setting, REQUEST_LOC_CONFIG_SET, GANTRY_E_INVALID, "value.sensors[0].x_m",
       "config_value.sensors[0].x_m"},
      {"POST", config, setting, REQUEST_LOC_CONFIG_SET, GANTRY_E_INVALID, "value", "config_value"},
      {"POST", config, setting, REQUEST_LOC_CONFIG_SET, GANTRY_E_CONFLICT, "key", "config_key"},
      {"POST", configure, sensor, REQUEST_SENSOR_CONFIGURE, GANTRY_E_INVALID, "calibration.matrix",
       "calibration_data.matrix"},
      {"POST", configure, sensor, REQUEST_SENSOR_CONFIGURE, GANTRY_E_INVALID,
       "configuration.a[2].b", "configuration.a[2].b"},
      {"POST", calibrate, "{\"scale\":0}", REQUEST_SENSOR_CALIBRATE, GANTRY_E_INVALID,
       "calibration.scale", "scale"},
      {"POST", calibrate, "{\"scale\":0}", REQUEST_SENSOR_CALIBRATE, GANTRY_E_INVALID,
       "calibration", ""},
  };

  for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
    expect_named(&refusals[i]);
}

Test(api_gateway_fields, are_those_of_the_clients_query) {
  expect_named(
      &(refusal_t){"GET", "/api/v1/sensors/readings/aggregated?sensor_id=X&interval_seconds=1",
                   NULL, REQUEST_STORE_AGGREGATE, GANTRY_E_INVALID, "bucket", "interval_seconds"});
}

Test(api_gateway_fields, are_none_where_the_route_itself_is_refused) {
  static const char *const PATHS[] = {"ping", "reset", "quarantine"};
  char path[64];

  for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
    snprintf(path, sizeof path, "/api/v1/rs485/modules/5/%s", PATHS[i]);
    expect_named(
        &(refusal_t){"POST", path, NULL, REQUEST_ROBOT_MODULE_DO, GANTRY_E_CONFLICT, "act", ""});
    expect_named(&(refusal_t){"POST", path, NULL, REQUEST_ROBOT_MODULE_DO, GANTRY_E_NOT_FOUND,
                              "address", "address"});
  }
  expect_named(&(refusal_t){"POST", "/api/v1/rs485/discovery/start", NULL, REQUEST_ROBOT_DISCOVERY,
                            GANTRY_E_CONFLICT, "action", ""});
}
