/* Readings by page, the newest of each sensor, and the history of one as the web API gives it. */
#include <gantry/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_internal.h"
#include "store_merge.h"

/* Headroom under the bus's largest body for names and keys of the rows. */
#define PAGE_BYTES_MAX (4u << 20)

/* The last session named: rows of one come in runs. */
typedef struct session_name {
  int64_t id;
  char name[51];
} session_name_t;

static gantry_err_t name_session(store_t *store, int64_t id, session_name_t *last) {
  if (id == last->id) return GANTRY_OK;
  stmt_t *statement = db_use(store->db, "SELECT session_id FROM session WHERE id = ?1");
  db_bind_int(statement, 1, id);
  GANTRY_TRY(db_next(statement));
  db_get_text(statement, 0, last->name, sizeof last->name);
  db_reset(statement);
  last->id = id;
  return GANTRY_OK;
}

static gantry_err_t fill_row(const db_reading_t *row, const query_series_t *series, arena_t *arena,
                             store_readings_row_t *out) {
  (void)snprintf(out->robot, sizeof out->robot, "%s", series->robot);
  (void)snprintf(out->sensor, sizeof out->sensor, "%s", series->sensor);
  (void)snprintf(out->type, sizeof out->type, "%s", series->type);
  (void)snprintf(out->unit, sizeof out->unit, "%s", series->unit);
  out->source = (sys_source_t)row->source;
  out->time = (uint64_t)row->ts_us * 1000;
  out->number = (uint64_t)row->seq;
  out->has_value = row->has_value;
  out->value = row->value;
  out->quality = row->quality;
  out->validity = (sensor_validity_t)row->validity;
  out->has_data = row->data != NULL;
  if (!row->data) return GANTRY_OK;
  size_t len = strlen(row->data);
  out->data = (blob_t){.data = arena_copy(arena, row->data, len), .len = len};
  return out->data.data ? GANTRY_OK : GANTRY_E_INTERNAL;
}

static gantry_err_t fill_page(store_t *store, merge_t *merge, uint64_t query, store_call_t *call) {
  const store_readings_get_t *get = call->takes;
  store_readings_page_t *out = call->gives;
  session_name_t session = {0};
  cursor_t place = {0};
  const db_reading_t *row;
  const query_series_t *series;
  gantry_err_t err;
  while ((err = merge_next(merge, &row, &series)) == GANTRY_OK) {
    if (out->rows_count == get->limit || call->arena->total > PAGE_BYTES_MAX) {
      cursor_write(&place, query, out->cursor);
      return GANTRY_OK;
    }
    store_readings_row_t *filled = &out->rows[out->rows_count];
    GANTRY_TRY(fill_row(row, series, call->arena, filled));
    if (row->session) {
      GANTRY_TRY(name_session(store, row->session, &session));
      (void)snprintf(filled->session, sizeof filled->session, "%s", session.name);
    }
    out->rows_count++;
    place = (cursor_t){row->ts_us, row->series, row->seq};
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

static uint64_t query_of(const store_readings_get_t *get, bool newest_first) {
  uint64_t query = cursor_query_init("store.readings");
  query = cursor_query_text(query, get->has_sensor, get->sensor);
  query = cursor_query_text(query, get->has_type, get->type);
  query = cursor_query_text(query, get->has_session, get->session);
  query = cursor_query_text(query, get->has_robot, get->robot);
  query = cursor_query_number(query, get->has_from, get->from);
  query = cursor_query_number(query, get->has_to, get->to);
  return cursor_query_number(query, true, newest_first);
}

static gantry_err_t find_session(store_t *store, store_call_t *call, int64_t *out) {
  const store_readings_get_t *get = call->takes;
  *out = 0;
  if (!get->has_session) return GANTRY_OK;
  stmt_t *statement = db_use(store->db, "SELECT id FROM session WHERE session_id = ?1");
  db_bind_text(statement, 1, get->session);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_OK) *out = db_get_int(statement, 0);
  db_reset(statement);
  if (err != GANTRY_E_NOT_FOUND) return err;
  return fault_set(call->fault, err, "session", "no readings of a session %s", get->session);
}

gantry_err_t store_readings(store_t *store, store_call_t *call) {
  const store_readings_get_t *get = call->takes;
  bool newest_first = !get->has_order || get->order == STORE_ORDER_NEWEST_FIRST;
  uint64_t query = query_of(get, newest_first);
  cursor_t after;
  merge_t *merge = NULL;
  merge_query_t wanted = {.sensor = get->has_sensor ? get->sensor : "",
                          .type = get->has_type ? get->type : "",
                          .robot = get->has_robot ? get->robot : "",
                          .newest_first = newest_first,
                          .after = get->has_cursor ? &after : NULL,
                          .expected = get->limit};
  GANTRY_TRY(query_span(call, get->has_from, get->from, get->has_to, get->to, &wanted.span));
  GANTRY_TRY(query_begin(call, get->has_cursor, get->cursor, query, newest_first, &after));
  GANTRY_TRY(find_session(store, call, &wanted.session));
  GANTRY_TRY(merge_open(store, &wanted, &merge));
  gantry_err_t err = GANTRY_OK;
  if (merge_count(merge) == 0 && get->has_sensor)
    err = fault_set(call->fault, GANTRY_E_NOT_FOUND, "sensor", "no readings of a sensor %s",
                    get->sensor);
  else
    err = fill_page(store, merge, query, call);
  merge_close(&merge);
  return err;
}

static gantry_err_t add_newest(store_t *store, const query_series_t *series, arena_t *arena,
                               store_latest_t *out) {
  series_span_t span = {
      .series = series->id, .to_us = INT64_MAX, .newest_first = true, .expected = 1};
  series_read_t *read = NULL;
  const db_reading_t *row;
  gantry_err_t err = series_read_open(store->db, &span, &read);
  if (err == GANTRY_OK) err = series_read_next(read, &row);
  if (err == GANTRY_OK) err = fill_row(row, series, arena, &out->rows[out->rows_count]);
  if (err == GANTRY_OK) out->rows_count++;
  series_read_close(&read);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

gantry_err_t store_latest(store_t *store, store_call_t *call) {
  const store_latest_get_t *get = call->takes;
  store_latest_t *out = call->gives;
  const size_t most = sizeof out->rows / sizeof *out->rows;
  query_series_t *series;
  size_t count;
  gantry_err_t err = GANTRY_OK;
  GANTRY_TRY(query_all_series(store, get->has_sensor ? get->sensor : "",
                              get->has_type ? get->type : "", get->has_robot ? get->robot : "",
                              &series, &count));
  for (size_t i = 0; i < count && err == GANTRY_OK && out->rows_count < most; i++)
    if (call->arena->total <= PAGE_BYTES_MAX) err = add_newest(store, &series[i], call->arena, out);
  free(series);
  return err;
}

/* A bare number is given as an object too, with its unit. */
static gantry_err_t put_object(const db_reading_t *row, const char *unit, arena_t *arena,
                               blob_t *out) {
  buf_t buf = {0};
  if (row->data) {
    buf_put_text(&buf, row->data);
  } else {
    buf_put_text(&buf, "{\"value\":");
    json_write_number(&buf, row->value);
    buf_put_text(&buf, ",\"unit\":");
    json_write_text(&buf, unit, strlen(unit));
    buf_put_text(&buf, "}");
  }
  gantry_err_t err = buf_err(&buf);
  if (err == GANTRY_OK)
    *out = (blob_t){.data = arena_copy(arena, buf.data, buf.len), .len = buf.len};
  buf_fini(&buf);
  return err == GANTRY_OK && !out->data ? GANTRY_E_INTERNAL : err;
}

static gantry_err_t fill_history(merge_t *merge, uint32_t limit, arena_t *arena,
                                 store_history_t *out) {
  const db_reading_t *row;
  const query_series_t *series;
  gantry_err_t err = GANTRY_OK;
  while (out->rows_count < limit && arena->total <= PAGE_BYTES_MAX &&
         (err = merge_next(merge, &row, &series)) == GANTRY_OK) {
    store_history_row_t *filled = &out->rows[out->rows_count];
    sensor_reading_t *reading = &filled->reading;
    int family = desc_enum_value(&SENSOR_TYPE_ENUM, series->type, strlen(series->type));
    filled->id = (uint64_t)row->ts_us; /* its time: a reading has no other number */
    (void)snprintf(reading->sensor, sizeof reading->sensor, "%s", series->sensor);
    reading->type = family < 0 ? SENSOR_TYPE_VALUE : (sensor_type_t)family;
    reading->source = (sys_source_t)row->source;
    reading->quality = row->quality;
    reading->validity = (sensor_validity_t)row->validity;
    reading->time = (uint64_t)row->ts_us * 1000;
    GANTRY_TRY(put_object(row, series->unit, arena, &reading->data));
    out->rows_count++;
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

static gantry_err_t read_total(store_t *store, const char *sensor, uint64_t *total) {
  stmt_t *statement =
      db_use(store->db, "SELECT coalesce(sum(rows), 0) FROM series WHERE sensor = ?1");
  db_bind_text(statement, 1, sensor);
  GANTRY_TRY(db_next(statement));
  *total = db_get_u64(statement, 0);
  db_reset(statement);
  for (uint32_t i = 0; i < store->series_count; i++) /* of an open batch */
    if (strcmp(store->series[i].sensor, sensor) == 0) *total += (uint64_t)store->series[i].added;
  return GANTRY_OK;
}

gantry_err_t store_history(store_t *store, store_call_t *call) {
  const store_history_get_t *get = call->takes;
  store_history_t *out = call->gives;
  merge_t *merge = NULL;
  merge_query_t wanted = {
      .sensor = get->sensor, .type = "", .robot = "", .newest_first = true, .expected = get->limit};
  GANTRY_TRY(query_span(call, false, 0, get->has_before, get->before, &wanted.span));
  GANTRY_TRY(merge_open(store, &wanted, &merge));
  gantry_err_t err = fill_history(merge, get->limit, call->arena, out);
  merge_close(&merge);
  return err == GANTRY_OK ? read_total(store, get->sensor, &out->total) : err;
}
