/* The sensor routes of the robot's own families: readings in and out, configuration, state. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#include "call.h"
#include "ingest_pool.h"
#include "envelope.h"
#include "view.h"

enum { DEFAULT_LIMIT = 100 };

static void answer_sensor(exchange_t *x, const char *sensor, uint64_t time_ns,
                          const char *message) {
  http_sensor_done_t done = {.success = true, .timestamp = time_ns};

  snprintf(done.sensor_id, sizeof done.sensor_id, "%s", sensor);
  snprintf(done.message, sizeof done.message, "%s", message);
  exchange_answer(x, &done);
}

/* ---- readings */

/* The family of what is given: one of the door's four by its name; with allow_extended_types a
   registered type, a number where `data` has a value. -1: neither. */
static int family_of(const gateway_t *gateway, const http_sensor_given_t *body) {
  size_t len = strlen(body->sensor_type);
  double value;

  if (desc_enum_value(&HTTP_SENSOR_TYPE_ENUM, body->sensor_type, len) >= 0)
    return desc_enum_value(&SENSOR_TYPE_ENUM, body->sensor_type, len);
  if (!gateway->extended_types) return -1;
  return json_get_number(body->data, "value", &value) == GANTRY_OK ? SENSOR_TYPE_VALUE
                                                                   : SENSOR_TYPE_OBJECT;
}

static void ingest(exchange_t *x, const http_sensor_given_t *body, sensor_type_t family) {
  static sensor_ingest_t ingest; /* 64 KiB: not to be cleared for each reading */

  ingest.type = family;
  ingest.quality = body->quality;
  snprintf(ingest.sensor, sizeof ingest.sensor, "%s", body->sensor_id);
  memcpy(ingest.data, body->data, strlen(body->data) + 1);
  ingest.has_code = family == SENSOR_TYPE_VALUE || family == SENSOR_TYPE_OBJECT;
  snprintf(ingest.code, sizeof ingest.code, "%s", ingest.has_code ? body->sensor_type : "");
  ingest_pool_add(x->gateway->readings, x, &ingest);
  free(x->body); /* 64 KiB, which the next request takes warm while this one waits for the disk */
  x->body = NULL;
}

static void on_data(exchange_t *x) {
  const http_sensor_given_t *body = x->body;
  int family;

  if (!exchange_is_object(x, "data", body->data)) return;
  family = family_of(x->gateway, body);
  if (family >= 0)
    ingest(x, body, (sensor_type_t)family);
  else
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "sensor_type",
                  "must be one of rfid, accelerometer, proximity, lidar; registered types need the "
                  "option allow_extended_types");
}

static void on_readings(exchange_t *x, const void *reply) {
  const http_sensor_data_params_t *params = x->params;
  const store_history_t *history = reply;
  http_sensor_readings_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  answer->success = true;
  answer->total_count = history->total;
  answer->data_count = history->rows_count;
  snprintf(answer->sensor_id, sizeof answer->sensor_id, "%s", params->sensor_id);
  for (uint32_t i = 0; i < history->rows_count; i++) {
    const sensor_reading_t *from = &history->rows[i].reading;
    http_sensor_reading_t *row = &answer->data[i];
    row->id = history->rows[i].id;
    row->sensor_type = from->type;
    snprintf(row->sensor_id, sizeof row->sensor_id, "%s", from->sensor);
    row->data = from->data;
    row->quality = from->quality;
    row->source = from->source;
    row->status = from->validity;
    row->timestamp = from->time;
  }
  exchange_answer(x, answer);
  free(answer);
}

static void on_history(exchange_t *x) {
  const http_sensor_data_params_t *params = x->params;
  store_history_get_t get = {.limit = params->has_limit ? params->limit : DEFAULT_LIMIT};

  snprintf(get.sensor, sizeof get.sensor, "%s", params->sensor_id);
  exchange_call(x, REQUEST_STORE_HISTORY, &get, on_readings, NULL);
}

/* ---- state */

static void on_status_one(exchange_t *x) {
  const http_sensor_params_t *params = x->params;
  const latest_sensor_t *sensor = latest_find_sensor(x->gateway->latest, params->sensor_id);
  http_sensor_status_t answer;

  if (!sensor) {
    exchange_fail(x, GANTRY_E_NOT_FOUND, NULL, "sensor_id",
                  "No sensor of that id has been heard of.");
    return;
  }
  view_sensor_status(sensor, clock_mono_ns(), &answer);
  exchange_answer(x, &answer);
}

static void on_status(exchange_t *x) {
  const latest_t *latest = x->gateway->latest;
  uint64_t now_ns = clock_mono_ns();

  envelope_list_begin(x);
  for (uint32_t i = 0; i < latest->sensor_count; i++) {
    http_sensor_status_t row;
    view_sensor_status(&latest->sensors[i], now_ns, &row);
    envelope_list_add(x, &row);
  }
  envelope_list_end(x, &(envelope_page_t){0});
}

/* ---- configuration */

static void on_configured(exchange_t *x, const void *reply) {
  const sensor_configure_t *configured = reply;

  answer_sensor(x, configured->sensor, clock_wall_ns(),
                "The configuration is stored and in force.");
}

static void on_configure(exchange_t *x) {
  const http_sensor_configure_t *body = x->body;
  sensor_configure_t configure;

  if (!exchange_is_object(x, "configuration", body->configuration)) return;
  if (body->has_calibration_data &&
      !exchange_is_object(x, "calibration_data", body->calibration_data)) {
    return;
  }
  memset(&configure, 0, sizeof configure);
  snprintf(configure.sensor, sizeof configure.sensor, "%s", body->sensor_id);
  configure.type = body->sensor_type;
  snprintf(configure.name, sizeof configure.name, "%s", body->name);
  configure.has_description = body->has_description;
  snprintf(configure.description, sizeof configure.description, "%s", body->description);
  snprintf(configure.configuration, sizeof configure.configuration, "%s", body->configuration);
  configure.has_calibration = body->has_calibration_data;
  snprintf(configure.calibration, sizeof configure.calibration, "%s", body->calibration_data);
  exchange_call(x, REQUEST_SENSOR_CONFIGURE, &configure, on_configured, NULL);
}

static void on_stored_config(exchange_t *x, const void *reply) {
  http_sensor_config_answer_t answer;

  memset(&answer, 0, sizeof answer);
  answer.success = true;
  view_sensor_config(reply, &answer.data);
  exchange_answer(x, &answer);
}

static void on_configuration(exchange_t *x) {
  const http_sensor_params_t *params = x->params;
  store_sensor_key_t key = {0};

  snprintf(key.sensor, sizeof key.sensor, "%s", params->sensor_id);
  exchange_call(x, REQUEST_STORE_SENSOR_GET, &key, on_stored_config, NULL);
}

/* ---- the list: configured ones, then those only heard of */

static void add_configured(const latest_t *latest, uint64_t now_ns,
                           const store_sensor_config_t *config, http_sensor_row_t *row) {
  const latest_sensor_t *heard = latest_find_sensor(latest, config->config.sensor);

  snprintf(row->sensor_id, sizeof row->sensor_id, "%s", config->config.sensor);
  row->type = config->config.type;
  snprintf(row->name, sizeof row->name, "%s", config->config.name);
  snprintf(row->description, sizeof row->description, "%s",
           config->config.has_description ? config->config.description : "");
  row->is_active = config->active;
  row->has_created_at = row->has_updated_at = true;
  row->created_at = config->created;
  row->updated_at = config->updated;
  if (!heard) return;
  http_sensor_status_t status;
  view_sensor_status(heard, now_ns, &status);
  row->status = status.status;
  row->health_score = status.health_score;
  row->has_last_reading_time = status.has_last_reading_time;
  row->last_reading_time = status.last_reading_time;
}

static void add_heard(const latest_sensor_t *heard, uint64_t now_ns, http_sensor_row_t *row) {
  http_sensor_status_t status;

  view_sensor_status(heard, now_ns, &status);
  snprintf(row->sensor_id, sizeof row->sensor_id, "%s", status.sensor_id);
  snprintf(row->name, sizeof row->name, "%s", status.sensor_id);
  row->type = status.sensor_type;
  row->is_active = true;
  row->status = status.status;
  row->health_score = status.health_score;
  row->has_last_reading_time = status.has_last_reading_time;
  row->last_reading_time = status.last_reading_time;
}

static bool is_listed(const http_sensor_list_t *list, const char *sensor) {
  for (uint32_t i = 0; i < list->sensors_count; i++) {
    if (!strcmp(list->sensors[i].sensor_id, sensor)) return true;
  }
  return false;
}

static void on_configs(exchange_t *x, const void *reply) {
  const store_sensor_configs_t *configs = reply;
  const latest_t *latest = x->gateway->latest;
  uint64_t now_ns = clock_mono_ns();
  http_sensor_list_t *list = calloc(1, sizeof *list);
  enum { ROOM = sizeof list->sensors / sizeof list->sensors[0] };

  if (!list) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  list->success = true;
  for (uint32_t i = 0; i < configs->sensors_count && list->sensors_count < ROOM; i++) {
    add_configured(latest, now_ns, &configs->sensors[i], &list->sensors[list->sensors_count++]);
  }
  for (uint32_t i = 0; i < latest->sensor_count && list->sensors_count < ROOM; i++) {
    if (is_listed(list, latest->sensors[i].status.sensor)) continue;
    add_heard(&latest->sensors[i], now_ns, &list->sensors[list->sensors_count++]);
  }
  list->total_count = list->sensors_count;
  exchange_answer(x, list);
  free(list);
}

static void on_list(exchange_t *x) {
  sys_empty_t nothing = {0};

  exchange_call(x, REQUEST_STORE_SENSOR_LIST, &nothing, on_configs, NULL);
}

const call_route_t ROUTES_SENSORS[] = {
    {ENDPOINT_SENSORS_DATA, on_data},
    {ENDPOINT_SENSORS_STATUS_ONE, on_status_one},
    {ENDPOINT_SENSORS_STATUS, on_status},
    {ENDPOINT_SENSORS_CONFIGURE, on_configure},
    {ENDPOINT_SENSORS_CONFIGURATION, on_configuration},
    {ENDPOINT_SENSORS_LIST, on_list},
    {ENDPOINT_SENSORS_HISTORY, on_history},
    {0, NULL},
};
