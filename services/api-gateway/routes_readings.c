/* Readings of any type: stored ones out, batches in, their sums, and what rules have found. */
#include "routes_readings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "call.h"
#include "envelope.h"
#include "view_readings.h"

enum { READINGS_LIMIT = 100, FINDINGS_LIMIT = 50, INTERVAL_S = 60 };

#define HOUR_NS (3600 * GANTRY_NS_PER_S)

/* ---- stored readings */

static uint32_t limit_of(uint32_t limit) {
  return limit ? limit : READINGS_LIMIT;
}

static void add_rows(exchange_t *x, const store_readings_row_t *rows, uint32_t count) {
  http_reading_t row;

  for (uint32_t i = 0; i < count; i++) {
    view_reading(&rows[i], &row);
    envelope_list_add(x, &row);
  }
}

static void on_page(exchange_t *x, const void *reply) {
  const store_readings_page_t *rows = reply;
  const uint32_t *limit = (const void *)x->scratch.data;
  envelope_page_t page = {.limit = *limit, .cursor = rows->cursor};

  envelope_list_begin(x);
  add_rows(x, rows->rows, rows->rows_count);
  envelope_list_end(x, &page);
}

/* A filter that nothing fits is no fault. */
static void answer_none(exchange_t *x, const void *reply) {
  const uint32_t *limit = (const void *)x->scratch.data;
  envelope_page_t page = {.limit = *limit};

  (void)reply;
  envelope_list_begin(x);
  envelope_list_end(x, &page);
}

/* Storage knows no sensor, type or session of that name among readings; a session may be empty. */
static void on_no_readings(exchange_t *x, const gantry_fault_t *fault) {
  if (fault->err != GANTRY_E_NOT_FOUND) {
    exchange_fail_fault(x, fault);
  } else if (x->endpoint_id == ENDPOINT_SESSIONS_READINGS) {
    const http_session_readings_params_t *params = x->params;
    session_key_t key = {0};
    snprintf(key.session, sizeof key.session, "%s", params->session_id);
    exchange_call(x, REQUEST_SESSION_SUMMARY, &key, answer_none, NULL);
  } else {
    answer_none(x, NULL);
  }
}

static bool keep_limit(exchange_t *x, uint32_t limit) {
  buf_reset(&x->scratch);
  buf_put(&x->scratch, &limit, sizeof limit);
  if (buf_err(&x->scratch) == GANTRY_OK) return true;
  exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
  return false;
}

static void copy_text(const char *from, bool *has, char *to, size_t size) {
  *has = from != NULL;
  snprintf(to, size, "%s", from ? from : "");
}

void readings_answer(exchange_t *x, const readings_filter_t *filter) {
  store_readings_get_t get = {.has_from = filter->start_ns != NULL,
                              .has_to = filter->end_ns != NULL,
                              .has_order = true,
                              .order = filter->order,
                              .limit = limit_of(filter->limit)};

  if (filter->start_ns) get.from = *filter->start_ns;
  if (filter->end_ns) get.to = *filter->end_ns;
  copy_text(filter->sensor, &get.has_sensor, get.sensor, sizeof get.sensor);
  copy_text(filter->type, &get.has_type, get.type, sizeof get.type);
  copy_text(filter->session, &get.has_session, get.session, sizeof get.session);
  copy_text(filter->cursor, &get.has_cursor, get.cursor, sizeof get.cursor);
  if (keep_limit(x, get.limit))
    exchange_call(x, REQUEST_STORE_READINGS, &get, on_page, on_no_readings);
}

static void on_readings(exchange_t *x) {
  const http_readings_params_t *params = x->params;
  readings_filter_t filter = {.sensor = params->has_sensor_id ? params->sensor_id : NULL,
                              .type = params->has_sensor_type ? params->sensor_type : NULL,
                              .session = params->has_session_id ? params->session_id : NULL,
                              .start_ns = params->has_start_time ? &params->start_time : NULL,
                              .end_ns = params->has_end_time ? &params->end_time : NULL,
                              .order = params->has_order ? params->order : STORE_ORDER_NEWEST_FIRST,
                              .limit = params->has_limit ? params->limit : 0,
                              .cursor = params->has_cursor ? params->cursor : NULL};

  readings_answer(x, &filter);
}

static void on_latest_reply(exchange_t *x, const void *reply) {
  const store_latest_t *latest = reply;
  envelope_page_t page = {
      .limit = latest->rows_count, .has_total = true, .total = latest->rows_count};

  envelope_list_begin(x);
  add_rows(x, latest->rows, latest->rows_count);
  envelope_list_end(x, &page);
}

static void ask_latest(exchange_t *x, const char *sensor, const char *type,
                       exchange_reply_fn on_reply, exchange_failed_fn on_failed) {
  store_latest_get_t get = {0};

  copy_text(sensor, &get.has_sensor, get.sensor, sizeof get.sensor);
  copy_text(type, &get.has_type, get.type, sizeof get.type);
  exchange_call(x, REQUEST_STORE_LATEST, &get, on_reply, on_failed);
}

static void on_latest(exchange_t *x) {
  const http_latest_params_t *params = x->params;

  if (!keep_limit(x, 0)) return;
  ask_latest(x, params->has_sensor_id ? params->sensor_id : NULL,
             params->has_sensor_type ? params->sensor_type : NULL, on_latest_reply, on_no_readings);
}

/* ---- sums */

static void on_sums(exchange_t *x, const void *reply) {
  const store_aggregate_get_t *asked = (const void *)x->scratch.data;
  http_aggregated_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  view_aggregated(reply, answer);
  answer->start_time = asked->from;
  answer->end_time = asked->to;
  exchange_answer(x, answer);
  free(answer);
}

static void ask_sums(exchange_t *x, const char *sensor) {
  const http_aggregated_params_t *params = x->params;
  uint64_t now_ns = clock_wall_ns();
  uint64_t back_ns = (params->has_hours_back ? params->hours_back : 1) * HOUR_NS;
  store_aggregate_get_t get = {.to = params->has_end_time ? params->end_time : now_ns,
                               .bucket = params->has_interval_seconds ? params->interval_seconds
                                                                      : INTERVAL_S};

  get.from = params->has_start_time ? params->start_time : get.to > back_ns ? get.to - back_ns : 0;
  if (get.from >= get.to) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "start_time", "has to lie before end_time");
    return;
  }
  snprintf(get.sensor, sizeof get.sensor, "%s", sensor);
  buf_reset(&x->scratch);
  buf_put(&x->scratch, &get, sizeof get);
  if (buf_err(&x->scratch) == GANTRY_OK)
    exchange_call(x, REQUEST_STORE_AGGREGATE, &get, on_sums, NULL);
  else
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
}

/* The type is as good as an id where one sensor has it. */
static void on_sensors_of_type(exchange_t *x, const void *reply) {
  const http_aggregated_params_t *params = x->params;
  const store_latest_t *latest = reply;

  if (latest->rows_count == 1)
    ask_sums(x, latest->rows[0].sensor);
  else if (!latest->rows_count)
    exchange_fail(x, GANTRY_E_NOT_FOUND, NULL, "sensor_type", "No sensor of type %s has readings.",
                  params->sensor_type);
  else
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "sensor_type",
                  "%u sensors are of type %s; name one by sensor_id", latest->rows_count,
                  params->sensor_type);
}

static void on_aggregated(exchange_t *x) {
  const http_aggregated_params_t *params = x->params;

  if (params->has_hours_back && params->has_start_time)
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "hours_back", "goes without start_time: give one");
  else if (params->has_sensor_id)
    ask_sums(x, params->sensor_id);
  else if (params->has_sensor_type)
    ask_latest(x, NULL, params->sensor_type, on_sensors_of_type, NULL);
  else
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "sensor_id", "is missing; or give sensor_type");
}

/* ---- findings */

static uint32_t findings_limit(const http_findings_params_t *params) {
  return params->has_limit ? params->limit : FINDINGS_LIMIT;
}

static void on_findings(exchange_t *x, const void *reply) {
  const store_events_t *events = reply;
  envelope_page_t page = {.limit = findings_limit(x->params),
                          .cursor = events->has_cursor ? events->cursor : ""};
  http_finding_t row;

  envelope_list_begin(x);
  for (uint32_t i = 0; i < events->rows_count; i++) {
    view_finding(&events->rows[i], &row);
    envelope_list_add(x, &row);
  }
  envelope_list_end(x, &page);
}

static void on_validation(exchange_t *x) {
  const http_findings_params_t *params = x->params;
  store_events_get_t get = {.limit = findings_limit(params),
                            .has_category = true,
                            .category = SYS_CATEGORY_VALIDATION,
                            .has_severity = params->has_severity,
                            .severity = params->severity,
                            .has_subject = params->has_sensor_id,
                            .has_from = params->has_start_time,
                            .from = params->start_time,
                            .has_to = params->has_end_time,
                            .to = params->end_time,
                            .has_cursor = params->has_cursor};

  snprintf(get.subject, sizeof get.subject, "%s", params->sensor_id);
  snprintf(get.cursor, sizeof get.cursor, "%s", params->cursor);
  exchange_call(x, REQUEST_STORE_EVENTS, &get, on_findings, NULL);
}

/* ---- batches in */

static void on_taken(exchange_t *x, const void *reply) {
  const sensor_taken_t *taken = reply;
  http_readings_taken_t answer = {
      .accepted = taken->accepted, .refused = taken->refused, .repeated = taken->repeated};

  snprintf(answer.session_id, sizeof answer.session_id, "%s", taken->session);
  snprintf(answer.fault, sizeof answer.fault, "%s", taken->fault);
  exchange_answer(x, &answer);
}

static void on_batch(exchange_t *x) {
  sensor_readings_t *batch = calloc(1, sizeof *batch);
  gantry_fault_t fault = {0};

  if (!batch)
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
  else if (view_batch(x->body, &x->scratch, batch, &fault) != GANTRY_OK)
    exchange_fail_fault(x, &fault);
  else
    exchange_call(x, REQUEST_SENSOR_INGEST_BATCH, batch, on_taken, NULL);
  free(batch);
}

const call_route_t ROUTES_READINGS[] = {
    {ENDPOINT_SENSORS_READINGS, on_readings},
    {ENDPOINT_SENSORS_READINGS_PUT, on_batch},
    {ENDPOINT_SENSORS_READINGS_LATEST, on_latest},
    {ENDPOINT_SENSORS_READINGS_AGGREGATED, on_aggregated},
    {ENDPOINT_SENSORS_VALIDATION, on_validation},
    {0, NULL},
};
