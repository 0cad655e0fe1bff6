/* Recording sessions: sensor-processor starts and stops them, storage keeps them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "call.h"
#include "envelope.h"
#include "export.h"
#include "routes_readings.h"
#include "view_sessions.h"

enum { DEFAULT_LIMIT = 50 };

static const sys_empty_t NOTHING = {0};

/* ---- the one that records */

static void on_started(exchange_t *x, const void *reply) {
  http_session_t answer;

  view_session(reply, clock_wall_ns(), &answer);
  exchange_answer(x, &answer);
}

static void on_start(exchange_t *x) {
  exchange_call(x, REQUEST_SESSION_START, x->body, on_started, NULL);
}

static void on_status_reply(exchange_t *x, const void *reply) {
  http_session_status_t answer;

  view_session_status(reply, clock_wall_ns(), &answer);
  exchange_answer(x, &answer);
}

static void on_stop(exchange_t *x) {
  exchange_call(x, REQUEST_SESSION_STOP, &NOTHING, on_status_reply, NULL);
}

static void on_reset(exchange_t *x) {
  exchange_call(x, REQUEST_SESSION_RESET, &NOTHING, on_status_reply, NULL);
}

static void on_status(exchange_t *x) {
  exchange_call(x, REQUEST_SESSION_STATUS, &NOTHING, on_status_reply, NULL);
}

/* Its id, or NULL when there was none: then it is answered. */
static const char *current_session(exchange_t *x, const void *reply) {
  const session_status_t *status = reply;

  if (status->session.session[0]) return status->session.session;
  exchange_fail(x, GANTRY_E_NOT_FOUND, "NOTHING_RECORDED", "",
                "No session has been recorded; begin one with POST /api/v1/sessions/start.");
  return NULL;
}

/* ---- figures */

static void on_summary_reply(exchange_t *x, const void *reply) {
  http_session_summary_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  view_session_summary(reply, clock_wall_ns(), answer);
  exchange_answer(x, answer);
  free(answer);
}

static void on_one_reply(exchange_t *x, const void *reply) {
  const session_summary_t *summary = reply;
  http_session_row_t answer;

  view_session_row(&summary->row, clock_wall_ns(), &answer);
  exchange_answer(x, &answer);
}

static void ask_summary(exchange_t *x, const char *session, exchange_reply_fn on_reply) {
  session_key_t key = {0};

  snprintf(key.session, sizeof key.session, "%s", session);
  exchange_call(x, REQUEST_SESSION_SUMMARY, &key, on_reply, NULL);
}

static void on_summary_session(exchange_t *x, const void *reply) {
  const char *session = current_session(x, reply);

  if (session) ask_summary(x, session, on_summary_reply);
}

static void on_summary(exchange_t *x) {
  exchange_call(x, REQUEST_SESSION_STATUS, &NOTHING, on_summary_session, NULL);
}

static const char *named_session(const exchange_t *x) {
  const http_session_params_t *params = x->params;

  return params->session_id;
}

static void on_one_summary(exchange_t *x) {
  ask_summary(x, named_session(x), on_summary_reply);
}

static void on_one(exchange_t *x) {
  ask_summary(x, named_session(x), on_one_reply);
}

/* ---- what storage keeps */

static void on_rows(exchange_t *x, const void *reply) {
  const http_sessions_params_t *params = x->params;
  const session_list_t *list = reply;
  envelope_page_t page = {.limit = params->has_limit ? params->limit : DEFAULT_LIMIT,
                          .cursor = list->cursor,
                          .has_total = true,
                          .total = list->total};
  http_session_row_t row;

  envelope_list_begin(x);
  for (uint32_t i = 0; i < list->rows_count; i++) {
    view_session_row(&list->rows[i], clock_wall_ns(), &row);
    envelope_list_add(x, &row);
  }
  envelope_list_end(x, &page);
}

static void on_list(exchange_t *x) {
  const http_sessions_params_t *params = x->params;
  session_list_get_t get = {.has_state = params->has_status,
                            .state = params->status,
                            .has_name = params->has_name,
                            .has_from = params->has_start_time,
                            .from = params->start_time,
                            .has_to = params->has_end_time,
                            .to = params->end_time,
                            .limit = params->has_limit ? params->limit : DEFAULT_LIMIT,
                            .has_cursor = params->has_cursor};

  snprintf(get.name, sizeof get.name, "%s", params->name);
  snprintf(get.cursor, sizeof get.cursor, "%s", params->cursor);
  exchange_call(x, REQUEST_SESSION_LIST, &get, on_rows, NULL);
}

static void on_readings(exchange_t *x) {
  const http_session_readings_params_t *params = x->params;
  readings_filter_t filter = {.sensor = params->has_sensor_id ? params->sensor_id : NULL,
                              .type = params->has_sensor_type ? params->sensor_type : NULL,
                              .session = params->session_id,
                              .start_ns = params->has_start_time ? &params->start_time : NULL,
                              .end_ns = params->has_end_time ? &params->end_time : NULL,
                              .order = params->has_order ? params->order : STORE_ORDER_OLDEST_FIRST,
                              .limit = params->has_limit ? params->limit : 0,
                              .cursor = params->has_cursor ? params->cursor : NULL};

  readings_answer(x, &filter);
}

static void on_deleted(exchange_t *x, const void *reply) {
  (void)reply;
  exchange_begin(x);
  exchange_finish(x, 204, NULL);
}

static void on_delete(exchange_t *x) {
  session_key_t key = {0};

  snprintf(key.session, sizeof key.session, "%s", named_session(x));
  exchange_call(x, REQUEST_SESSION_DELETE, &key, on_deleted, NULL);
}

/* ---- files */

static void answer_file(exchange_t *x, const session_export_t *what) {
  export_file_t file = {0};

  view_export_name(what, file.name, sizeof file.name);
  export_answer(x, what, &file);
}

static void on_export(exchange_t *x) {
  const http_export_params_t *params = x->params;
  session_export_t what = {.format = params->has_format ? params->format : SESSION_FORMAT_CSV,
                           .has_sensor = params->has_sensor_id};

  snprintf(what.session, sizeof what.session, "%s", params->session_id);
  snprintf(what.sensor, sizeof what.sensor, "%s", params->sensor_id);
  answer_file(x, &what);
}

static void on_export_session(exchange_t *x, const void *reply) {
  const http_export_last_params_t *params = x->params;
  session_export_t what = {.format = SESSION_FORMAT_CSV, .has_sensor = params->has_sensor_id};
  const char *session = current_session(x, reply);

  if (!session) return;
  snprintf(what.session, sizeof what.session, "%s", session);
  snprintf(what.sensor, sizeof what.sensor, "%s", params->sensor_id);
  answer_file(x, &what);
}

static void on_export_last(exchange_t *x) {
  exchange_call(x, REQUEST_SESSION_STATUS, &NOTHING, on_export_session, NULL);
}

const call_route_t ROUTES_SESSIONS[] = {
    {ENDPOINT_SESSIONS_START, on_start},
    {ENDPOINT_SESSIONS_STOP, on_stop},
    {ENDPOINT_SESSIONS_RESET, on_reset},
    {ENDPOINT_SESSIONS_STATUS, on_status},
    {ENDPOINT_SESSIONS_SUMMARY, on_summary},
    {ENDPOINT_SESSIONS_EXPORT_LAST, on_export_last},
    {ENDPOINT_SESSIONS_LIST, on_list},
    {ENDPOINT_SESSIONS_ONE, on_one},
    {ENDPOINT_SESSIONS_ONE_SUMMARY, on_one_summary},
    {ENDPOINT_SESSIONS_READINGS, on_readings},
    {ENDPOINT_SESSIONS_EXPORT, on_export},
    {ENDPOINT_SESSIONS_DELETE, on_delete},
    {0, NULL},
};
