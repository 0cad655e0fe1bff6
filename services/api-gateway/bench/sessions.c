/* Sessions: sensor-processor starts and stops them, storage writes their CSV. */
#include "sessions.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <gantry/clock.h>

#include "export.h"

static const sys_empty_t NOTHING = {0};

static void on_started(exchange_t *x, const void *reply) {
  const session_session_t *session = reply;
  bench_started_t answer = {.status = "recording"};

  snprintf(answer.session_id, sizeof answer.session_id, "%s", session->session);
  shapes_local(session->started, answer.started_at);
  exchange_answer(x, &answer);
}

static void add_sensor(session_start_t *ask, const char *sensor) {
  enum { ROOM = sizeof ask->sensors / sizeof ask->sensors[0] };

  for (uint32_t i = 0; i < ask->sensors_count; i++)
    if (!strcmp(ask->sensors[i], sensor)) return;
  if (ask->sensors_count == ROOM) return;
  snprintf(ask->sensors[ask->sensors_count++], sizeof ask->sensors[0], "%s", sensor);
}

/* The bench's sensors and no others, so that its CSV holds nothing that its clients do not know:
   the simulated ones are called like their types; others are known by the type in their status. */
static void add_sensors(const latest_t *latest, session_start_t *ask) {
  ask->has_sensors = true;
  for (int type = 0; type < BENCH_SENSOR_TYPE_COUNT; type++)
    add_sensor(ask, desc_enum_text(&BENCH_SENSOR_TYPE_ENUM, type));
  for (uint32_t i = 0; i < latest->sensor_count; i++) {
    const sensor_status_t *status = &latest->sensors[i].status;
    if (desc_enum_value(&BENCH_SENSOR_TYPE_ENUM, status->code, strlen(status->code)) >= 0)
      add_sensor(ask, status->sensor);
  }
}

void sessions_on_start(exchange_t *x) {
  const bench_start_t *body = x->body;
  session_start_t ask = {.has_name = body->has_name, .has_description = body->has_description};

  snprintf(ask.name, sizeof ask.name, "%s", body->name);
  snprintf(ask.description, sizeof ask.description, "%s", body->description);
  add_sensors(x->gateway->latest, &ask);
  exchange_call(x, REQUEST_SESSION_START, &ask, on_started, NULL);
}

static void answer_summary(exchange_t *x, const session_status_t *status, bool ended) {
  shapes_session_t session;
  bench_summary_t answer;

  shapes_session(status, x->gateway->bench->client_count, &session);
  shapes_summary(&session, ended, &answer);
  exchange_answer(x, &answer);
}

static void on_stopped(exchange_t *x, const void *reply) {
  answer_summary(x, reply, true);
}

void sessions_on_stop(exchange_t *x) {
  exchange_call(x, REQUEST_SESSION_STOP, &NOTHING, on_stopped, NULL);
}

static void on_summed(exchange_t *x, const void *reply) {
  answer_summary(x, reply, false);
}

void sessions_on_summary(exchange_t *x) {
  exchange_call(x, REQUEST_SESSION_STATUS, &NOTHING, on_summed, NULL);
}

static void on_status_reply(exchange_t *x, const void *reply) {
  bench_session_status_t answer = {.connected_clients = x->gateway->bench->client_count};
  shapes_session_t session;

  shapes_session(reply, answer.connected_clients, &session);
  answer.recording = session.recording;
  bench_active(x->gateway->bench, &answer.sensors_active);
  shapes_data_summary(&session, answer.data_summary, sizeof answer.data_summary);
  shapes_stats(&session.sums, &answer.validation_stats);
  exchange_answer(x, &answer);
}

void sessions_on_status(exchange_t *x) {
  exchange_call(x, REQUEST_SESSION_STATUS, &NOTHING, on_status_reply, NULL);
}

static void on_was_reset(exchange_t *x, const void *reply) {
  bench_done_t answer = {.message = "Session reset successfully"};

  (void)reply;
  shapes_local(clock_wall_ns(), answer.timestamp);
  exchange_answer(x, &answer);
}

void sessions_on_reset(exchange_t *x) {
  exchange_call(x, REQUEST_SESSION_RESET, &NOTHING, on_was_reset, NULL);
}

/* ---- CSV */

static const shapes_session_t *exported(exchange_t *x) {
  return (const void *)x->scratch.data;
}

static void export_session(exchange_t *x) {
  shapes_session_t session = *exported(x); /* the export needs the room it lies in */
  session_export_t what = {.format = SESSION_FORMAT_CSV};
  export_file_t file = {.type = "application/octet-stream",
                        .measured = true,
                        .modified_ns = session.has_stop ? session.stop_ns : clock_wall_ns()};
  time_t now_s = (time_t)(clock_wall_ns() / GANTRY_NS_PER_S);
  struct tm parts = {0};

  snprintf(what.session, sizeof what.session, "%s", session.id);
  if (localtime_r(&now_s, &parts))
    (void)strftime(file.name, sizeof file.name, "sensor_data_%Y%m%d_%H%M%S.csv", &parts);
  export_answer(x, &what, &file);
}

/* Whoever stops and downloads at once gets all: storage hears of the end behind the last reading.
 */
static void on_stored(exchange_t *x, const void *reply) {
  const session_summary_t *summary = reply;
  bool whole = exported(x)->recording || summary->row.session.has_stopped;

  if (whole || !bench_ask_later(x->gateway->bench, x, sessions_on_export)) export_session(x);
}

static void on_not_stored(exchange_t *x, const gantry_fault_t *fault) {
  if (fault->err != GANTRY_E_NOT_FOUND)
    exchange_fail_fault(x, fault);
  else if (!bench_ask_later(x->gateway->bench, x, sessions_on_export))
    bench_detail(x, 503, "storage does not have the session yet; ask again.");
}

static void on_export_session(exchange_t *x, const void *reply) {
  session_key_t key = {0};
  shapes_session_t session;

  shapes_session(reply, 0, &session);
  if (!session.id[0] || !shapes_total(&session.sums)) {
    bench_detail(x, 400, "No data to export");
    return;
  }
  snprintf(key.session, sizeof key.session, "%s", session.id);
  buf_reset(&x->scratch);
  buf_put(&x->scratch, &session, sizeof session);
  if (buf_err(&x->scratch) == GANTRY_OK)
    exchange_call(x, REQUEST_SESSION_SUMMARY, &key, on_stored, on_not_stored);
  else
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
}

void sessions_on_export(exchange_t *x) {
  exchange_call(x, REQUEST_SESSION_STATUS, &NOTHING, on_export_session, NULL);
}
