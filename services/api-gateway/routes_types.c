/* How sensors are treated: registered types, the reasons behind scores, faults for simulators. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/json.h>

#include "call.h"
#include "envelope.h"
#include "version_tag.h"

static const char TYPE_RULE[] = "sensor.type_rule";

/* ---- types */

static void on_types_reply(exchange_t *x, const void *reply) {
  const sensor_type_list_t *list = reply;
  envelope_page_t page = {
      .limit = list->types_count, .has_total = true, .total = list->types_count};
  http_type_row_t row;

  envelope_list_begin(x);
  for (uint32_t i = 0; i < list->types_count; i++) {
    const sensor_type_entry_t *type = &list->types[i];
    row = (http_type_row_t){.sensor_type = type->family, .rule = type->rule};
    snprintf(row.code, sizeof row.code, "%s", type->code);
    envelope_list_add(x, &row);
  }
  envelope_list_end(x, &page);
}

static void on_types(exchange_t *x) {
  sys_empty_t nothing = {0};

  exchange_call(x, REQUEST_SENSOR_TYPES, &nothing, on_types_reply, NULL);
}

static void on_type_stored(exchange_t *x, const void *reply) {
  const http_type_params_t *params = x->params;
  const store_setting_t *setting = reply;
  http_type_stored_t stored = {.version = setting->info.version,
                               .updated_at = setting->info.created};

  version_tag_put(x, stored.version);
  snprintf(stored.code, sizeof stored.code, "%s", params->code);
  snprintf(stored.updated_by, sizeof stored.updated_by, "%s", setting->info.created_by);
  if (json_read(&SENSOR_TYPE_RULE_DESC, setting->data, strlen(setting->data), false, &stored.rule,
                NULL) == GANTRY_OK)
    exchange_answer(x, &stored);
  else
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "The stored type could not be read.");
}

static bool is_code(const char *text) {
  if (!islower((unsigned char)text[0])) return false;
  return text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static void on_type_put(exchange_t *x) {
  const http_type_params_t *params = x->params;
  store_setting_put_t put = {0};
  buf_t json = {.limit = sizeof put.data};

  if (!is_code(params->code)) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "code",
                  "has to begin with a small letter and hold small letters, digits and _ only");
    return;
  }
  snprintf(put.kind, sizeof put.kind, "%s", TYPE_RULE);
  snprintf(put.scope, sizeof put.scope, "%s", params->code);
  snprintf(put.comment, sizeof put.comment, "set by the API");
  if (json_write(&SENSOR_TYPE_RULE_DESC, x->body, &json) != GANTRY_OK ||
      json.len >= sizeof put.data)
    exchange_fail(x, GANTRY_E_TOO_LARGE, NULL, "fields", "The type is described too long.");
  else {
    snprintf(put.data, sizeof put.data, "%s", buf_text(&json));
    put.has_if_version = version_tag_asked(x, &put.if_version);
    exchange_call(x, REQUEST_STORE_SETTING_PUT, &put, on_type_stored, version_tag_failed);
  }
  buf_fini(&json);
}

/* ---- reasons */

static void explain(const sensor_explained_t *from, http_sensor_explained_t *out) {
  const sensor_status_t *status = &from->status;

  snprintf(out->sensor_id, sizeof out->sensor_id, "%s", status->sensor);
  out->sensor_type = status->type;
  out->has_code = status->has_code && status->code[0];
  snprintf(out->code, sizeof out->code, "%s", status->code);
  out->source = status->source;
  out->status = status->state;
  out->has_last_reading_time = status->has_last_reading;
  out->last_reading_time = status->last_reading;
  out->error_count = status->errors;
  out->warning_count = status->has_warnings ? status->warnings : 0;
  snprintf(out->last_error, sizeof out->last_error, "%s", status->last_error);
  snprintf(out->last_warning, sizeof out->last_warning, "%s", status->last_warning);
  out->quality_score = status->quality;
  out->health_score = status->health;
  out->quality_count = from->quality_count;
  memcpy(out->quality, from->quality, sizeof out->quality);
  out->health_count = from->health_count;
  memcpy(out->health, from->health, sizeof out->health);
  out->counts_count = from->counts_count;
  memcpy(out->counts, from->counts, sizeof out->counts);
  out->pipeline = from->pipeline;
  snprintf(out->calibration, sizeof out->calibration, "%s", from->calibration);
}

static void on_explained(exchange_t *x, const void *reply) {
  http_sensor_explained_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  explain(reply, answer);
  exchange_answer(x, answer);
  free(answer);
}

static void on_explain(exchange_t *x) {
  const http_sensor_params_t *params = x->params;
  sensor_sensor_key_t key = {0};

  snprintf(key.sensor, sizeof key.sensor, "%s", params->sensor_id);
  exchange_call(x, REQUEST_SENSOR_EXPLAIN, &key, on_explained, NULL);
}

/* ---- faults */

static void on_simulate(exchange_t *x) {
  exchange_call(x, REQUEST_SENSOR_SIMULATE, x->body, exchange_answer, NULL);
}

const call_route_t ROUTES_TYPES[] = {
    {ENDPOINT_SENSORS_TYPES, on_types},
    {ENDPOINT_SENSORS_TYPE_PUT, on_type_put},
    {ENDPOINT_SENSORS_EXPLAIN, on_explain},
    {ENDPOINT_SENSORS_SIMULATE, on_simulate},
    {0, NULL},
};
