/* Readings: one row each, grouped by series, counted per series so that totals cost nothing. */
#include <gantry/json.h>
#include <stdio.h>
#include <string.h>

#include "store_internal.h"

/* Headroom under the bus's largest body for names and keys of the rows. */
#define HISTORY_BYTES_MAX (4u << 20)

static series_t *find_series(store_t *store, const char *robot, const char *sensor) {
  for (uint32_t i = 0; i < store->series_count; i++) {
    series_t *series = &store->series[i];
    if (strcmp(series->sensor, sensor) == 0 && strcmp(series->robot, robot) == 0) return series;
  }
  return NULL;
}

gantry_err_t store_load_series(store_t *store) {
  stmt_t *statement =
      db_use(store->db, "SELECT id, robot, sensor FROM series ORDER BY id LIMIT ?1");
  gantry_err_t err;
  db_bind_int(statement, 1, SERIES_MAX);
  store->series_count = 0;
  while ((err = db_next(statement)) == GANTRY_OK) {
    series_t *series = &store->series[store->series_count++];
    *series = (series_t){.id = (int64_t)db_get_u64(statement, 0)};
    db_get_text(statement, 1, series->robot, sizeof series->robot);
    db_get_text(statement, 2, series->sensor, sizeof series->sensor);
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

static gantry_err_t new_series(store_t *store, const row_t *row, series_t **out) {
  if (store->series_count == SERIES_MAX) return GANTRY_E_TOO_LARGE;
  int64_t id = store_new_id(store, STORE_ID_SERIES);
  stmt_t *statement = db_use(store->db, "INSERT INTO series (id, robot, sensor, type, unit, rows)"
                                        " VALUES (?5, ?1, ?2, ?3, ?4, 0)");
  db_bind_int(statement, 5, id);
  db_bind_text(statement, 1, row->robot);
  db_bind_text(statement, 2, row->reading.sensor);
  db_bind_text(statement, 3, row->reading.type);
  db_bind_text(statement, 4, row->reading.unit);
  GANTRY_TRY(db_finish(statement));
  series_t *series = &store->series[store->series_count++];
  *series = (series_t){.id = id};
  snprintf(series->robot, sizeof series->robot, "%s", row->robot);
  snprintf(series->sensor, sizeof series->sensor, "%s", row->reading.sensor);
  *out = series;
  return GANTRY_OK;
}

/* The number of a session, made when it is new; 0 without one. */
static gantry_err_t session_id_of(store_t *store, const row_t *row, int64_t *out) {
  *out = 0;
  if (row->session[0] == '\0') return GANTRY_OK;
  stmt_t *find = db_use(store->db, "SELECT id FROM session WHERE session_id = ?1");
  db_bind_text(find, 1, row->session);
  gantry_err_t err = db_next(find);
  *out = err == GANTRY_OK ? db_get_int(find, 0) : store_new_id(store, STORE_ID_SESSION);
  db_reset(find);
  if (err != GANTRY_E_NOT_FOUND) return err;
  stmt_t *add = db_use(store->db, "INSERT INTO session (id, session_id, kind, pinned, created)"
                                  " VALUES (?1, ?2, 'map', 0, ?3)");
  db_bind_int(add, 1, *out);
  db_bind_text(add, 2, row->session);
  db_bind_u64(add, 3, row->ts_us);
  return db_finish(add);
}

gantry_err_t store_add_reading(store_t *store, const row_t *row) {
  int64_t session;
  series_t *series = find_series(store, row->robot, row->reading.sensor);
  if (!series) GANTRY_TRY(new_series(store, row, &series));
  GANTRY_TRY(session_id_of(store, row, &session));
  stmt_t *statement = db_use(
      store->db, "INSERT INTO reading (series, ts, seq, value, data, quality, validity, source,"
                 " session) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
                 " ON CONFLICT (series, ts, seq) DO NOTHING");
  db_bind_int(statement, 1, series->id);
  db_bind_u64(statement, 2, row->ts_us);
  db_bind_u64(statement, 3, row->seq);
  db_bind_opt_real(statement, 4, row->reading.has_value, row->reading.value);
  db_bind_opt_text(statement, 5, row->data != NULL, row->data);
  db_bind_real(statement, 6, row->reading.quality);
  db_bind_int(statement, 7, row->reading.validity);
  db_bind_int(statement, 8, row->reading.source);
  if (session) db_bind_int(statement, 9, session);
  GANTRY_TRY(db_finish(statement));
  if (db_changes(store->db) == 0) return GANTRY_E_CONFLICT;
  series->added++;
  return GANTRY_OK;
}

gantry_err_t store_count_series(store_t *store) {
  for (uint32_t i = 0; i < store->series_count; i++) {
    series_t *series = &store->series[i];
    if (series->added == 0) continue;
    stmt_t *statement = db_use(store->db, "UPDATE series SET rows = rows + ?1 WHERE id = ?2");
    db_bind_int(statement, 1, series->added);
    db_bind_int(statement, 2, series->id);
    GANTRY_TRY(db_finish(statement));
    series->added = 0;
  }
  return GANTRY_OK;
}

/* A bare number is given as an object too, with its unit. */
static gantry_err_t read_data(stmt_t *statement, arena_t *arena, blob_t *out) {
  char unit[16], number[96];
  size_t len;
  const void *text = db_get_blob(statement, 3, &len);
  if (!text) {
    db_get_text(statement, 8, unit, sizeof unit);
    buf_t buf = {0};
    buf_put_text(&buf, "{\"value\":");
    json_write_number(&buf, db_get_real(statement, 7));
    buf_put_text(&buf, ",\"unit\":");
    json_write_text(&buf, unit, strlen(unit));
    buf_put_text(&buf, "}");
    len = buf.len < sizeof number ? buf.len : 0;
    if (buf_err(&buf) == GANTRY_OK) memcpy(number, buf.data, len);
    buf_fini(&buf);
    text = number;
  }
  *out = (blob_t){.data = arena_copy(arena, text, len), .len = len};
  return out->data && len ? GANTRY_OK : GANTRY_E_INTERNAL;
}

static gantry_err_t read_row(stmt_t *statement, arena_t *arena, store_history_row_t *row) {
  sensor_reading_t *reading = &row->reading;
  char type[16];
  row->id = db_get_u64(statement, 0); /* its time: a reading has no other number */
  db_get_text(statement, 1, reading->sensor, sizeof reading->sensor);
  db_get_text(statement, 2, type, sizeof type);
  int family = desc_enum_value(&SENSOR_TYPE_ENUM, type, strlen(type));
  reading->type = family < 0 ? SENSOR_TYPE_VALUE : (sensor_type_t)family;
  reading->quality = db_get_real(statement, 4);
  reading->validity = (sensor_validity_t)db_get_u64(statement, 5);
  reading->source = (sys_source_t)db_get_u64(statement, 6);
  reading->time = db_get_time(statement, 0);
  return read_data(statement, arena, &reading->data);
}

static gantry_err_t read_total(store_t *store, const char *sensor, uint64_t *total) {
  stmt_t *statement = db_use(store->db, "SELECT id, rows FROM series WHERE sensor = ?1");
  gantry_err_t err;
  db_bind_text(statement, 1, sensor);
  while ((err = db_next(statement)) == GANTRY_OK) {
    int64_t id = (int64_t)db_get_u64(statement, 0);
    *total += db_get_u64(statement, 1);
    for (uint32_t i = 0; i < store->series_count; i++)
      if (store->series[i].id == id) *total += (uint64_t)store->series[i].added;
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

gantry_err_t store_history(store_t *store, store_call_t *call) {
  const store_history_get_t *get = call->takes;
  store_history_t *out = call->gives;
  stmt_t *statement = db_use(
      store->db, "SELECT reading.ts, series.sensor, series.type, reading.data, reading.quality,"
                 " reading.validity, reading.source, reading.value, series.unit"
                 " FROM series JOIN reading ON reading.series = series.id"
                 " WHERE series.sensor = ?1 AND reading.ts < ?2"
                 " ORDER BY reading.ts DESC, reading.seq DESC LIMIT ?3");
  gantry_err_t err;
  db_bind_text(statement, 1, get->sensor);
  db_bind_int(statement, 2, get->has_before ? (int64_t)(get->before / 1000) : INT64_MAX);
  db_bind_int(statement, 3, get->limit);
  while ((err = db_next(statement)) == GANTRY_OK) {
    err = read_row(statement, call->arena, &out->rows[out->rows_count]);
    if (err != GANTRY_OK || call->arena->total > HISTORY_BYTES_MAX) {
      db_reset(statement);
      break;
    }
    out->rows_count++;
  }
  if (err != GANTRY_OK && err != GANTRY_E_NOT_FOUND) return err;
  return read_total(store, get->sensor, &out->total);
}
