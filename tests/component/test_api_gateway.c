/* Every route, asked over a socket, answered out of what its neighbours say. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(api_gateway, .init = door_open_as_admin, .fini = door_close, .timeout = 30);

static void fill_info(map_info_t *info) {
  snprintf(info->map_id, sizeof info->map_id, "map_0a1b2c3d");
  snprintf(info->name, sizeof info->name, "hall");
  snprintf(info->metadata, sizeof info->metadata, "{}");
  info->resolution = 0.05;
  info->width = 3;
  info->height = 2;
}

/* ---- map */

Test(api_gateway, begins_and_ends_a_mapping_session) {
  map_started_t *started = door_stub(REQUEST_MAP_START)->reply;
  map_stopped_t *stopped = door_stub(REQUEST_MAP_STOP)->reply;
  snprintf(started->session_id, sizeof started->session_id, "session_00000001");
  stopped->scans = 17;

  answer_t answer = expect_route("POST", "/api/v1/map/start-mapping", "{\"map_name\":\"hall\"}",
                                 ENDPOINT_MAP_START_MAPPING);
  expect_text(&answer, "session_00000001");
  const map_start_t *asked = door_stub(REQUEST_MAP_START)->takes;
  cr_expect_float_eq(asked->resolution, 0.05, 1e-12);
  cr_expect_eq(asked->width, 1000);
  cr_expect_str_eq(door_stub(REQUEST_MAP_START)->actor, "admin");

  answer = expect_route("POST", "/api/v1/map/stop-mapping", NULL, ENDPOINT_MAP_STOP_MAPPING);
  expect_text(&answer, "\"total_scans\":17");
}

Test(api_gateway, hands_a_refusal_on_with_its_reason) {
  door_stub(REQUEST_MAP_START)->fail = GANTRY_E_REFUSED;
  snprintf(door_stub(REQUEST_MAP_START)->detail, 64, "a session runs already");

  answer_t answer = door_request("POST", "/api/v1/map/start-mapping", "{\"map_name\":\"hall\"}");

  cr_expect_eq(answer.status, 400);
  expect_text(&answer, "a session runs already");
}

Test(api_gateway, shows_maps_in_millimetres) {
  store_maps_t *maps = door_stub(REQUEST_STORE_MAP_LIST)->reply;
  maps->maps_count = 1;
  maps->total = 1;
  fill_info(&maps->maps[0]);
  fill_info(door_stub(REQUEST_MAP_INFO)->reply);
  fill_info(door_stub(REQUEST_MAP_LOAD)->reply);
  fill_info(door_stub(REQUEST_STORE_MAP_UPDATE)->reply);

  answer_t answer = expect_route("GET", "/api/v1/map/list", NULL, ENDPOINT_MAP_LIST);
  expect_text(&answer, "\"resolution\":50");
  expect_route("GET", "/api/v1/map/current", NULL, ENDPOINT_MAP_CURRENT);
  expect_route("POST", "/api/v1/map/load/map_0a1b2c3d", NULL, ENDPOINT_MAP_LOAD);
  expect_route("PUT", "/api/v1/map/map_0a1b2c3d", "{\"name\":\"new\"}", ENDPOINT_MAP_UPDATE);
  cr_expect_str_eq(((store_map_update_t *)door_stub(REQUEST_STORE_MAP_UPDATE)->takes)->name, "new");
  cr_expect_eq(door_request("PUT", "/api/v1/map/map_0a1b2c3d", "{}").status, 422);
  cr_expect_eq(door_request("PUT", "/api/v1/map/map_0a1b2c3d", "{\"metadata\":5}").status, 422);
  expect_route("POST", "/api/v1/map/update-and-localize?map_id=map_0a1b2c3d", NULL,
               ENDPOINT_MAP_UPDATE_AND_LOCALIZE);
}

Test(api_gateway, shows_cells_as_rows) {
  static const uint8_t RUNS[] = {255, 2, 0, 3, 1, 1};
  map_grid_t *grid = door_stub(REQUEST_MAP_GET)->reply;
  fill_info(&grid->info);
  grid->cells = (blob_t){.data = RUNS, .len = sizeof RUNS};
  *(map_grid_t *)door_stub(REQUEST_STORE_MAP_GET)->reply = *grid;

  answer_t answer = door_request("GET", "/api/v1/map/occupancy-grid", NULL);
  cr_expect_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"data\":[[-1,-1,0],[0,0,1]]");
  answer = door_request("GET", "/api/v1/map/map_0a1b2c3d", NULL);
  cr_expect_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"data\":[[-1,-1,0],[0,0,1]]");
  expect_text(&answer, "\"name\":\"hall\"");

  grid->info.width = 4;
  cr_expect_eq(door_request("GET", "/api/v1/map/occupancy-grid", NULL).status, 500);
}

Test(api_gateway, shows_the_path_of_the_session) {
  map_trajectory_t *path = door_stub(REQUEST_MAP_TRAJECTORY)->reply;
  path->points_count = 2;
  path->points[1].x = 0.5f;
  path->total = 40;

  answer_t answer = expect_route("GET", "/api/v1/map/trajectory", NULL, ENDPOINT_MAP_TRAJECTORY);

  expect_text(&answer, "\"x\":500");
  expect_text(&answer, "\"total_points\":40");
}

static bool map_status_is_known(void *arg) {
  *(int *)arg = door_request("GET", "/api/v1/map/status", NULL).status;
  return *(int *)arg == 200;
}

Test(api_gateway, deletes_no_map_that_is_in_use) {
  map_status_t status = {.mapping = true, .map_id = "map_0a1b2c3d", .session_id = "session_1"};
  map_key_t *deleted = door_stub(REQUEST_STORE_MAP_DELETE)->reply;
  int seen = 0;
  snprintf(deleted->map_id, sizeof deleted->map_id, "map_else");
  cr_expect_eq(door_request("GET", "/api/v1/map/status", NULL).status, 503);
  cr_assert(harness_heard(door.harness, door.mapper->bus, "map.status", 2000));
  bus_publish(door.mapper->bus, TOPIC_MAP_STATUS, NULL, &status);
  for (int i = 0; i < 50 && seen != 200; i++)
    (void)map_status_is_known(&seen);

  expect_route("GET", "/api/v1/map/status", NULL, ENDPOINT_MAP_STATUS);
  cr_expect_eq(door_request("DELETE", "/api/v1/map/map_0a1b2c3d", NULL).status, 409);
  expect_route("DELETE", "/api/v1/map/map_else", NULL, ENDPOINT_MAP_DELETE);
}

/* ---- sensors */

Test(api_gateway, takes_readings_in) {
  const sensor_ingest_t *ingest = door_takes_readings();

  expect_route("POST", "/api/v1/sensors/data",
               "{\"sensor_type\":\"rfid\",\"sensor_id\":\"RFID_001\",\"data\":{\"rfid_id\":\"X\"},"
               "\"quality\":0.9}",
               ENDPOINT_SENSORS_DATA);

  cr_expect_eq(ingest->type, SENSOR_TYPE_RFID);
  cr_expect_str_eq(ingest->data, "{\"rfid_id\":\"X\"}");
}

Test(api_gateway, names_the_field_of_a_bad_reading) {
  static const char *const BAD[][2] = {
      {"{\"sensor_type\":\"rfid\",\"sensor_id\":\"A\",\"data\":{}}", "\"field\":\"quality\""},
      {"{\"sensor_type\":\"rfid\",\"sensor_id\":\"A\",\"data\":{},\"quality\":1.5}",
       "\"field\":\"quality\""},
      {"{\"sensor_type\":\"rfid\",\"sensor_id\":\"A\",\"data\":{},\"quality\":\"high\"}",
       "\"field\":\"quality\""},
      {"{\"sensor_type\":\"sonar\",\"sensor_id\":\"A\",\"data\":{},\"quality\":1}",
       "\"field\":\"sensor_type\""},
      {"{\"sensor_type\":\"rfid\",\"sensor_id\":\"\",\"data\":{},\"quality\":1}",
       "\"field\":\"sensor_id\""},
      {"{\"sensor_type\":\"rfid\",\"sensor_id\":\"A\",\"data\":[1],\"quality\":1}",
       "\"field\":\"data\""},
      {"{\"sensor_type\":\"rfid\"", "VALIDATION_ERROR"},
      {"[]", "VALIDATION_ERROR"},
      {"", "VALIDATION_ERROR"},
  };

  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    answer_t answer = door_request("POST", "/api/v1/sensors/data", BAD[i][0]);
    cr_expect_eq(answer.status, 422, "%s: %d", BAD[i][0], answer.status);
    expect_text(&answer, BAD[i][1]);
  }
  cr_expect_eq(door_stub(REQUEST_SENSOR_INGEST)->count, 0);
}

Test(api_gateway, names_every_fault_of_a_body_and_of_a_query) {
  answer_t answer = door_request("POST", "/api/v1/sensors/data",
                                 "{\"sensor_type\":true,\"sensor_id\":7,\"quality\":5}");

  cr_expect_eq(answer.status, 422);
  expect_text(&answer, "{\"field\":\"sensor_type\",");
  expect_text(&answer, "\"value\":true}");
  expect_text(&answer, "{\"field\":\"sensor_id\",\"message\":\"must be text\",\"value\":7}");
  expect_text(&answer, "{\"field\":\"data\",\"message\":\"is missing\"}");
  expect_text(&answer, "\"message\":\"must be 0 to 1, is 5\",\"value\":5}");
  answer = door_request("GET", "/api/v1/dashboard/logs?limit=0&page=none", NULL);
  cr_expect_eq(answer.status, 422);
  expect_text(&answer, "\"field\":\"limit\"");
  expect_text(&answer, "\"field\":\"page\"");
}

Test(api_gateway, configures_and_calibrates_sensors) {
  sensor_configure_t *configured = door_stub(REQUEST_SENSOR_CONFIGURE)->reply;
  sensor_calibrated_t *calibrated = door_stub(REQUEST_SENSOR_CALIBRATE)->reply;
  snprintf(configured->sensor, sizeof configured->sensor, "PROX_001");
  snprintf(configured->name, sizeof configured->name, "front");
  snprintf(configured->configuration, sizeof configured->configuration, "{}");
  snprintf(calibrated->sensor, sizeof calibrated->sensor, "PROX_001");
  snprintf(calibrated->calibration, sizeof calibrated->calibration, "{\"offset\":0.02}");
  const char *body = "{\"sensor_id\":\"PROX_001\",\"sensor_type\":\"proximity\",\"name\":\"front\","
                     "\"configuration\":{\"limit\":1},\"calibration_data\":{}}";

  expect_route("POST", "/api/v1/sensors/configure", body, ENDPOINT_SENSORS_CONFIGURE);
  cr_expect_eq(
      door_request(
          "POST", "/api/v1/sensors/configure",
          "{\"sensor_id\":\"P\",\"sensor_type\":\"proximity\",\"name\":\"f\",\"configuration\":[]}")
          .status,
      422);
  expect_route("POST", "/api/v1/sensors/calibrate/PROX_001", "{\"offset\":0.02}",
               ENDPOINT_SENSORS_CALIBRATE);
  cr_expect_str_eq(((sensor_calibrate_t *)door_stub(REQUEST_SENSOR_CALIBRATE)->takes)->calibration,
                   "{\"offset\":0.02}");
  cr_expect_eq(
      door_request("POST", "/api/v1/sensors/calibrate/PROX_001", "{\"a\":1},\"b\":{}").status, 422);
}

static void fill_config(store_sensor_config_t *config, const char *sensor) {
  config->active = true;
  snprintf(config->config.sensor, sizeof config->config.sensor, "%s", sensor);
  snprintf(config->config.name, sizeof config->config.name, "front");
  snprintf(config->config.configuration, sizeof config->config.configuration, "{}");
}

Test(api_gateway, lists_configured_sensors_with_those_only_heard_of) {
  store_sensor_configs_t *configs = door_stub(REQUEST_STORE_SENSOR_LIST)->reply;
  sensor_status_t status = {
      .sensor = "LIDAR_001", .type = SENSOR_TYPE_LIDAR, .state = SENSOR_STATE_ONLINE};
  configs->sensors_count = 1;
  fill_config(&configs->sensors[0], "PROX_001");
  fill_config(door_stub(REQUEST_STORE_SENSOR_GET)->reply, "PROX_001");
  cr_assert(harness_heard(door.harness, door.sensors->bus, "sensor.status.LIDAR_001", 2000));
  bus_publish(door.sensors->bus, TOPIC_SENSOR_STATUS, "LIDAR_001", &status);
  for (int i = 0;
       i < 50 && door_request("GET", "/api/v1/sensors/status/LIDAR_001", NULL).status != 200; i++) {
  }

  expect_route("GET", "/api/v1/sensors/status/LIDAR_001", NULL, ENDPOINT_SENSORS_STATUS_ONE);
  cr_expect_eq(door_request("GET", "/api/v1/sensors/status/NONE", NULL).status, 404);
  answer_t answer = expect_route("GET", "/api/v1/sensors/list", NULL, ENDPOINT_SENSORS_LIST);
  expect_text(&answer, "\"total_count\":2");
  expect_text(&answer, "\"status\":\"online\"");
  answer = door_request("GET", "/api/v1/sensors/status", NULL);
  cr_expect_eq(answer.body[0], '[');
  expect_text(&answer, "LIDAR_001");
  expect_route("GET", "/api/v1/sensors/configure/PROX_001", NULL, ENDPOINT_SENSORS_CONFIGURATION);
}

Test(api_gateway, reads_stored_readings) {
  static const char DATA[] = "{\"value\":1}";
  store_history_t *history = door_stub(REQUEST_STORE_HISTORY)->reply;
  history->rows_count = 1;
  history->total = 12;
  history->rows[0].id = 5;
  snprintf(history->rows[0].reading.sensor, 20, "PROX_001");
  history->rows[0].reading.data = (blob_t){.data = (const uint8_t *)DATA, .len = sizeof DATA - 1};

  answer_t answer = door_request("GET", "/api/v1/sensors/data/PROX_001?limit=7", NULL);

  cr_expect_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"data\":{\"value\":1}");
  expect_text(&answer, "\"total_count\":12");
  cr_expect_eq(((store_history_get_t *)door_stub(REQUEST_STORE_HISTORY)->takes)->limit, 7);
  cr_expect_eq(door_request("GET", "/api/v1/sensors/data/PROX_001?limit=0", NULL).status, 422);
  cr_expect_eq(door_request("GET", "/api/v1/sensors/data/PROX_001?limit=many", NULL).status, 422);
}

/* ---- localization */

Test(api_gateway, hands_positions_to_localization_in_metres) {
  expect_route("POST", "/api/v1/localization/position/update",
               "{\"sensor_type\":\"lidar\",\"sensor_id\":\"L\",\"position_data\":{\"x\":1500,\"y\":"
               "0,\"theta\":1}}",
               ENDPOINT_LOCALIZATION_POSITION_UPDATE);

  const loc_set_pose_t *pose = door_stub(REQUEST_LOC_SET_POSE)->takes;
  cr_expect_float_eq(pose->x, 1.5, 1e-12);
  cr_expect_eq(pose->method, LOC_METHOD_LIDAR);
  cr_expect_float_eq(pose->confidence, 0.8, 1e-12);
}

Test(api_gateway, shows_history_and_statistics) {
  loc_history_t *history = door_stub(REQUEST_LOC_HISTORY)->reply;
  loc_stats_t *stats = door_stub(REQUEST_LOC_STATS)->reply;
  history->poses_count = 2;
  history->total = 2;
  history->poses[0].pose.x = 1;
  stats->poses = 40;
  stats->usage_count = 1;
  stats->usage[0] = (loc_usage_t){.method = LOC_METHOD_RFID, .count = 4};
  stats->has_pose = true;

  answer_t answer = expect_route("GET", "/api/v1/localization/history?limit=2", NULL,
                                 ENDPOINT_LOCALIZATION_HISTORY);
  expect_text(&answer, "\"limit\":2");
  answer = expect_route("GET", "/api/v1/localization/stats", NULL, ENDPOINT_LOCALIZATION_STATS);
  expect_text(&answer, "\"sensor_usage\":{\"rfid\":4}");
  expect_text(&answer, "\"total_positions\":40");
  expect_route("POST", "/api/v1/localization/reset", NULL, ENDPOINT_LOCALIZATION_RESET);
}

static void fill_setting(loc_config_row_t *row) {
  snprintf(row->key, sizeof row->key, "weights");
  snprintf(row->value, sizeof row->value, "{\"rfid\":0.4}");
  row->type = LOC_CONFIG_TYPE_FUSION;
}

Test(api_gateway, keeps_settings) {
  store_configs_t *configs = door_stub(REQUEST_STORE_CONFIG_LIST)->reply;
  fill_setting(door_stub(REQUEST_LOC_CONFIG_SET)->reply);
  fill_setting(door_stub(REQUEST_LOC_CONFIG_DELETE)->reply);
  fill_setting(door_stub(REQUEST_STORE_CONFIG_GET)->reply);
  fill_setting(&configs->configs[configs->configs_count++]);

  expect_route(
      "POST", "/api/v1/localization/config",
      "{\"config_key\":\"weights\",\"config_value\":{\"rfid\":0.4},\"config_type\":\"fusion\"}",
      ENDPOINT_LOCALIZATION_CONFIG_SET);
  answer_t answer = expect_route("GET", "/api/v1/localization/config/weights", NULL,
                                 ENDPOINT_LOCALIZATION_CONFIG_GET);
  expect_text(&answer, "\"config_value\":{\"rfid\":0.4}");
  expect_route("GET", "/api/v1/localization/config", NULL, ENDPOINT_LOCALIZATION_CONFIG_LIST);
  expect_route("DELETE", "/api/v1/localization/config/weights", NULL,
               ENDPOINT_LOCALIZATION_CONFIG_DELETE);
  cr_expect_eq(door_request("POST", "/api/v1/localization/config",
                            "{\"config_key\":\"w\",\"config_value\":3,\"config_type\":\"fusion\"}")
                   .status,
               422);
}

Test(api_gateway, keeps_tags_in_millimetres) {
  store_tags_t *tags = door_stub(REQUEST_STORE_TAGS)->reply;
  tags->tags_count = 1;
  snprintf(tags->tags[0].tag, 20, "0A1B2C3D");
  tags->tags[0].x = 2;
  snprintf(((store_tag_t *)door_stub(REQUEST_STORE_TAG_PUT)->reply)->tag, 20, "0A1B2C3D");
  snprintf(((store_tag_key_t *)door_stub(REQUEST_STORE_TAG_DELETE)->reply)->tag, 20, "0A1B2C3D");

  answer_t answer = expect_route("GET", "/api/v1/localization/rfid-tags", NULL, ENDPOINT_TAGS_LIST);
  expect_text(&answer, "\"x\":2000");
  expect_route("POST", "/api/v1/localization/rfid-tags",
               "{\"tag_id\":\"0A1B2C3D\",\"x\":2000,\"y\":-5}", ENDPOINT_TAGS_PUT);
  const store_tag_t *put = door_stub(REQUEST_STORE_TAG_PUT)->takes;
  cr_expect_float_eq(put->y, -0.005, 1e-12);
  cr_expect(put->active);
  expect_route("DELETE", "/api/v1/localization/rfid-tags/0A1B2C3D", NULL, ENDPOINT_TAGS_DELETE);
}
