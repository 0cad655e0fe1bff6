/* Recording sessions: what their producer says of them, and what is stored of them in figures. */
#include <gantry/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "store_internal.h"
#include "store_query.h"
#include "tdigest.h"

/* ---- as their producer says */

/* One records at a time: of another that seems to, the end went by unheard. */
static gantry_err_t end_others(store_t *store, const session_session_t *session, int64_t now_us) {
  stmt_t *statement =
      db_use(store->db, "UPDATE session SET state = 'stopped', stopped = ?2 WHERE kind ="
                        " 'recording' AND state = 'recording' AND session_id <> ?1 AND created <="
                        " ?2");
  db_bind_text(statement, 1, session->session);
  db_bind_int(statement, 2, now_us);
  return db_finish(statement);
}

static void write_sensors(const session_session_t *session, buf_t *out) {
  buf_put_byte(out, '[');
  for (uint32_t i = 0; i < session->sensors_count; i++) {
    if (i) buf_put_byte(out, ',');
    json_write_text(out, session->sensors[i], strlen(session->sensors[i]));
  }
  buf_put_byte(out, ']');
}

/* A state never goes back: what is said twice, or late, changes nothing. */
gantry_err_t store_add_session(store_t *store, const row_t *row) {
  const session_session_t *session = row->data;
  int64_t begun_us =
      session->has_started ? (int64_t)(session->started / 1000) : (int64_t)row->ts_us;
  buf_t sensors = {0};
  if (session->session[0] == '\0') return GANTRY_OK;
  if (session->state == SESSION_STATE_RECORDING) GANTRY_TRY(end_others(store, session, begun_us));
  stmt_t *statement = db_use(
      store->db,
      "INSERT INTO session (id, session_id, kind, pinned, created, name, description, state,"
      " started, stopped, started_by, sensors) VALUES (?1, ?2, 'recording', ?3, ?4, ?5, ?6, ?7, ?8,"
      " ?9, ?10, ?11) ON CONFLICT (session_id) DO UPDATE SET kind = 'recording', created ="
      " excluded.created, name = excluded.name, description = excluded.description, state ="
      " excluded.state, started = excluded.started, stopped = excluded.stopped, started_by ="
      " excluded.started_by, sensors = excluded.sensors WHERE CASE session.state WHEN 'discarded'"
      " THEN 3 WHEN 'stopped' THEN 2 WHEN 'recording' THEN 1 ELSE 0 END < CASE excluded.state WHEN"
      " 'discarded' THEN 3 WHEN 'stopped' THEN 2 WHEN 'recording' THEN 1 ELSE 0 END");
  write_sensors(session, &sensors);
  db_bind_int(statement, 1, store_new_id(store, STORE_ID_SESSION));
  db_bind_text(statement, 2, session->session);
  db_bind_int(statement, 3, store->pin_sessions);
  db_bind_int(statement, 4, begun_us);
  db_bind_text(statement, 5, session->name);
  db_bind_text(statement, 6, session->description);
  db_bind_text(statement, 7, desc_enum_text(&SESSION_STATE_ENUM, (int)session->state));
  db_bind_opt_time(statement, 8, session->has_started, session->started);
  db_bind_opt_time(statement, 9, session->has_stopped, session->stopped);
  db_bind_text(statement, 10, session->started_by);
  db_bind_text(statement, 11, buf_text(&sensors));
  gantry_err_t err = store_broken(db_finish(statement));
  buf_fini(&sensors);
  return err;
}

/* ---- rows */

#define PART "FROM session_series AS part WHERE part.session = session.id)"
#define ROW_COLUMNS                                                                                \
  "SELECT session_id, name, description, state, started, stopped, started_by, sensors, pinned,"    \
  " created, id, (SELECT CAST(coalesce(sum(rows), 0) AS BIGINT) " PART ","                         \
  " (SELECT CAST(coalesce(sum(findings), 0) AS BIGINT) " PART ","                                  \
  " (SELECT min(first_ts) " PART ", (SELECT max(last_ts) " PART " FROM session "

static gantry_err_t read_sensor(const json_item_t *item, size_t index, void *arg) {
  session_session_t *session = arg;
  if (index >= sizeof session->sensors / sizeof *session->sensors) return GANTRY_OK;
  session->sensors_count = (uint32_t)index + 1;
  return json_item_text(item, NULL, session->sensors[index], sizeof session->sensors[index]);
}

/* Where a session stands of which only readings came: nobody says that it records. */
static session_state_t state_of(const char *text) {
  int state = desc_enum_value(&SESSION_STATE_ENUM, text, strlen(text));
  return state < 0 ? SESSION_STATE_STOPPED : (session_state_t)state;
}

/* A character takes six at most in JSON. */
static void read_row(stmt_t *statement, session_row_t *row) {
  session_session_t *session = &row->session;
  char state[16], sensors[6 * sizeof session->sensors + 2];
  db_get_text(statement, 0, session->session, sizeof session->session);
  db_get_text(statement, 1, session->name, sizeof session->name);
  db_get_text(statement, 2, session->description, sizeof session->description);
  db_get_text(statement, 3, state, sizeof state);
  session->state = state_of(state);
  session->has_started = !db_is_null(statement, 4);
  session->started = db_get_time(statement, 4);
  session->has_stopped = !db_is_null(statement, 5);
  session->stopped = db_get_time(statement, 5);
  db_get_text(statement, 6, session->started_by, sizeof session->started_by);
  db_get_text(statement, 7, sensors, sizeof sensors);
  row->pinned = db_get_bool(statement, 8);
  row->readings = db_get_u64(statement, 11);
  row->findings = db_get_u64(statement, 12);
  row->has_first = !db_is_null(statement, 13);
  row->first = db_get_time(statement, 13);
  row->has_last = !db_is_null(statement, 14);
  row->last = db_get_time(statement, 14);
  (void)json_each(sensors, "", read_sensor, session);
}

/* ---- the list */

static uint64_t query_of(const session_list_get_t *get) {
  uint64_t query = cursor_query_init("session.list");
  query = cursor_query_number(query, get->has_state, get->state);
  query = cursor_query_text(query, get->has_name, get->name);
  query = cursor_query_number(query, get->has_from, get->from);
  return cursor_query_number(query, get->has_to, get->to);
}

#define PATTERN_SIZE (2 * sizeof((session_list_get_t *)0)->name + 2)

/* A pattern of at most PATTERN_SIZE that finds the text wherever it stands. */
static void write_pattern(const char *text, char *out) {
  *out++ = '%';
  for (; *text; text++) {
    if (strchr("%_!", *text)) *out++ = '!';
    *out++ = *text;
  }
  *out++ = '%';
  *out = '\0';
}

/* '' filters nothing; the pattern is borrowed. */
static stmt_t *select_list(store_t *store, const session_list_get_t *get, query_span_t span,
                           const cursor_t *after, const char *pattern) {
  stmt_t *statement =
      db_use(store->db, ROW_COLUMNS
             "WHERE created >= ?1 AND created < ?2 AND created <= ?3 AND (created < ?3 OR id < ?4)"
             " AND kind = 'recording' AND (?5 = '' OR (CASE state WHEN '' THEN 'stopped' ELSE state"
             " END) = ?5) AND (?6 = '' OR lower(name) LIKE lower(?6) ESCAPE '!')"
             " ORDER BY created DESC, id DESC LIMIT ?7");
  query_bind_log(statement, span, after);
  db_bind_text(statement, 5,
               get->has_state ? desc_enum_text(&SESSION_STATE_ENUM, (int)get->state) : "");
  db_bind_text(statement, 6, pattern);
  db_bind_int(statement, 7, (int64_t)get->limit + 1);
  return statement;
}

static gantry_err_t count_sessions(store_t *store, uint64_t *out) {
  stmt_t *statement = db_use(store->db, "SELECT count(*) FROM session WHERE kind = 'recording'");
  GANTRY_TRY(db_next(statement));
  *out = db_get_u64(statement, 0);
  db_reset(statement);
  return GANTRY_OK;
}

gantry_err_t store_session_list(store_t *store, store_call_t *call) {
  const session_list_get_t *get = call->takes;
  session_list_t *out = call->gives;
  uint64_t query = query_of(get), last_ns = 0, last_id = 0;
  char pattern[PATTERN_SIZE] = "";
  query_span_t span;
  cursor_t place;
  gantry_err_t err;
  GANTRY_TRY(query_span(call, get->has_from, get->from, get->has_to, get->to, &span));
  GANTRY_TRY(query_begin(call, get->has_cursor, get->cursor, query, true, &place));
  GANTRY_TRY(count_sessions(store, &out->total));
  if (get->has_name) write_pattern(get->name, pattern);
  stmt_t *statement = select_list(store, get, span, &place, pattern);
  while ((err = db_next(statement)) == GANTRY_OK && out->rows_count < get->limit) {
    last_ns = db_get_time(statement, 9);
    last_id = db_get_u64(statement, 10);
    read_row(statement, &out->rows[out->rows_count++]);
  }
  bool goes_on = err == GANTRY_OK;
  db_reset(statement);
  if (goes_on) query_next_log(query, last_ns, last_id, out->cursor);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

/* ---- in figures */

static void read_percentiles(stmt_t *statement, session_sensor_summary_t *out) {
  tdigest_t digest;
  size_t len;
  const void *bytes = db_get_blob(statement, 19, &len);
  if (!tdigest_read(&digest, bytes, len) || digest.count == 0) return;
  out->has_p05 = out->has_p50 = out->has_p95 = out->has_p99 = true;
  out->p05 = tdigest_quantile(&digest, 0.05);
  out->p50 = tdigest_quantile(&digest, 0.50);
  out->p95 = tdigest_quantile(&digest, 0.95);
  out->p99 = tdigest_quantile(&digest, 0.99);
}

/* Of the numbers. */
static void read_numbers(stmt_t *statement, session_sensor_summary_t *out) {
  out->numbers = db_get_u64(statement, 8);
  if (out->numbers == 0) return;
  double deviation = sqrt(db_get_real(statement, 10) / (double)(out->numbers - 1));
  out->has_mean = out->has_min = out->has_max = true;
  out->mean = db_get_real(statement, 9);
  out->has_deviation = out->numbers > 1 && isfinite(deviation);
  out->deviation = out->has_deviation ? deviation : 0;
  out->min = db_get_real(statement, 11);
  out->max = db_get_real(statement, 12);
  read_percentiles(statement, out);
}

static void read_sensor_summary(stmt_t *statement, session_sensor_summary_t *out) {
  db_get_text(statement, 0, out->sensor, sizeof out->sensor);
  db_get_text(statement, 1, out->type, sizeof out->type);
  db_get_text(statement, 2, out->unit, sizeof out->unit);
  out->source = (sys_source_t)db_get_int(statement, 3);
  out->readings = db_get_u64(statement, 4);
  out->warnings = db_get_u64(statement, 5);
  out->errors = db_get_u64(statement, 6);
  out->findings = db_get_u64(statement, 7);
  int64_t first_us = db_get_int(statement, 13), last_us = db_get_int(statement, 14);
  uint64_t numbered = db_get_u64(statement, 20);
  uint64_t counted = db_get_u64(statement, 16) - db_get_u64(statement, 15) + 1;
  out->first = db_get_time(statement, 13);
  out->last = db_get_time(statement, 14);
  if (last_us > first_us)
    out->rate = (double)(out->readings - 1) * 1e6 / (double)(last_us - first_us);
  out->missing = numbered && counted > numbered ? counted - numbered : 0;
  out->gaps = db_get_u64(statement, 17);
  out->longest = (double)db_get_int(statement, 18) / 1e6;
  read_numbers(statement, out);
}

static gantry_err_t read_sensors(store_t *store, int64_t session, session_summary_t *out) {
  stmt_t *statement =
      db_use(store->db,
             "SELECT sensor, type, unit, source, part.rows, warnings, errors, findings,"
             " numbers, mean, m2, min, max, first_ts, last_ts, least, greatest, gaps, longest,"
             " digest, numbered FROM session_series AS part JOIN series ON series.id = part.series"
             " WHERE session = ?1 ORDER BY sensor, robot LIMIT ?2");
  gantry_err_t err;
  db_bind_int(statement, 1, session);
  db_bind_int(statement, 2, sizeof out->sensors / sizeof *out->sensors);
  while ((err = db_next(statement)) == GANTRY_OK)
    read_sensor_summary(statement, &out->sensors[out->sensors_count++]);
  db_reset(statement);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

gantry_err_t store_find_session(stmt_t *statement, const char *session, gantry_fault_t *fault) {
  db_bind_text(statement, 1, session);
  gantry_err_t err = db_next(statement);
  if (err != GANTRY_E_NOT_FOUND) return err;
  return fault_set(fault, err, "session", "no session %s: session.list names those there", session);
}

gantry_err_t store_session_summary(store_t *store, store_call_t *call) {
  const session_key_t *key = call->takes;
  session_summary_t *out = call->gives;
  stmt_t *statement = db_use(store->db, ROW_COLUMNS "WHERE kind = 'recording' AND session_id = ?1");
  GANTRY_TRY(store_find_session(statement, key->session, call->fault));
  int64_t id = db_get_int(statement, 10);
  read_row(statement, &out->row);
  db_reset(statement);
  out->has_duration = out->row.has_first;
  out->duration = (double)(out->row.last - out->row.first) / 1e9;
  return read_sensors(store, id, out);
}
