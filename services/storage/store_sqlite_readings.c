/* Readings: one row each, grouped by series, counted per series so that totals cost nothing. */
#include <stdio.h>
#include <string.h>

#include "store_sqlite.h"

/* Headroom under the bus's largest body for names and keys of the rows. */
#define HISTORY_BYTES_MAX (4u << 20)

static series_t *find_series(store_sqlite_t *store, const char *robot, const char *sensor) {
  for (uint32_t i = 0; i < store->series_count; i++) {
    series_t *series = &store->series[i];
    if (strcmp(series->sensor, sensor) == 0 && strcmp(series->robot, robot) == 0) return series;
  }
  return NULL;
}

gantry_err_t store_sqlite_load_series(store_sqlite_t *store) {
  sql_t *sql = &store->sql;
  sqlite3_stmt *statement =
      sql_use(sql, "SELECT id, robot, sensor FROM series ORDER BY id LIMIT ?");
  gantry_err_t err;
  sql_bind_int(statement, 1, SERIES_MAX);
  store->series_count = 0;
  while ((err = sql_next(sql, statement)) == GANTRY_OK) {
    series_t *series = &store->series[store->series_count++];
    *series = (series_t){.id = (int64_t)sql_get_u64(statement, 0)};
    sql_get_text(statement, 1, series->robot, sizeof series->robot);
    sql_get_text(statement, 2, series->sensor, sizeof series->sensor);
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

static gantry_err_t new_series(store_sqlite_t *store, const row_t *row, series_t **out) {
  if (store->series_count == SERIES_MAX) return GANTRY_E_TOO_LARGE;
  sql_t *sql = &store->sql;
  sqlite3_stmt *statement =
      sql_use(sql, "INSERT INTO series (robot, sensor, type, unit, rows) VALUES (?, ?, ?, ?, 0)");
  sql_bind_text(statement, 1, row->robot);
  sql_bind_text(statement, 2, row->reading.sensor);
  sql_bind_text(statement, 3, row->reading.type);
  sql_bind_text(statement, 4, row->reading.unit);
  GANTRY_TRY(sql_finish(sql, statement));
  series_t *series = &store->series[store->series_count++];
  *series = (series_t){.id = sql_last_id(sql)};
  snprintf(series->robot, sizeof series->robot, "%s", row->robot);
  snprintf(series->sensor, sizeof series->sensor, "%s", row->reading.sensor);
  *out = series;
  return GANTRY_OK;
}

gantry_err_t store_sqlite_add_reading(store_sqlite_t *store, const row_t *row) {
  series_t *series = find_series(store, row->robot, row->reading.sensor);
  if (!series) GANTRY_TRY(new_series(store, row, &series));
  sqlite3_stmt *statement = sql_use(
      &store->sql, "INSERT INTO reading (series, ts, value, data, quality, validity, source,"
                   " session_id, boot, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  sql_bind_int(statement, 1, series->id);
  sql_bind_u64(statement, 2, row->ts_us);
  sql_bind_opt_real(statement, 3, row->reading.has_value, row->reading.value);
  sql_bind_opt_text(statement, 4, row->data != NULL, row->data);
  sql_bind_real(statement, 5, row->reading.quality);
  sql_bind_int(statement, 6, row->reading.validity);
  sql_bind_int(statement, 7, row->reading.source);
  sql_bind_opt_text(statement, 8, row->session[0] != '\0', row->session);
  sql_bind_u64(statement, 9, row->boot);
  sql_bind_u64(statement, 10, row->seq);
  GANTRY_TRY(sql_finish(&store->sql, statement));
  series->added++;
  return GANTRY_OK;
}

gantry_err_t store_sqlite_count_series(store_sqlite_t *store) {
  for (uint32_t i = 0; i < store->series_count; i++) {
    series_t *series = &store->series[i];
    if (series->added == 0) continue;
    sqlite3_stmt *statement =
        sql_use(&store->sql, "UPDATE series SET rows = rows + ? WHERE id = ?");
    sql_bind_int(statement, 1, series->added);
    sql_bind_int(statement, 2, series->id);
    GANTRY_TRY(sql_finish(&store->sql, statement));
    series->added = 0;
  }
  return GANTRY_OK;
}

static gantry_err_t read_data(sqlite3_stmt *statement, int column, arena_t *arena, blob_t *out) {
  const void *text = sqlite3_column_text(statement, column);
  size_t len = (size_t)sqlite3_column_bytes(statement, column);
  *out = (blob_t){.data = arena_copy(arena, text, len), .len = len};
  return out->data ? GANTRY_OK : GANTRY_E_INTERNAL;
}

static gantry_err_t read_row(sqlite3_stmt *statement, arena_t *arena, store_history_row_t *row) {
  sensor_reading_t *reading = &row->reading;
  char type[16];
  row->id = sql_get_u64(statement, 0);
  sql_get_text(statement, 1, reading->sensor, sizeof reading->sensor);
  sql_get_text(statement, 2, type, sizeof type);
  int family = desc_enum_value(&SENSOR_TYPE_ENUM, type, strlen(type));
  reading->type = family < 0 ? SENSOR_TYPE_VALUE : (sensor_type_t)family;
  reading->quality = sql_get_real(statement, 4);
  reading->validity = (sensor_validity_t)sql_get_u64(statement, 5);
  reading->source = (sys_source_t)sql_get_u64(statement, 6);
  reading->time = sql_get_time(statement, 7);
  return read_data(statement, 3, arena, &reading->data);
}

static gantry_err_t read_total(store_sqlite_t *store, const char *sensor, uint64_t *total) {
  sql_t *sql = &store->sql;
  sqlite3_stmt *statement = sql_use(sql, "SELECT id, rows FROM series WHERE sensor = ?");
  gantry_err_t err;
  sql_bind_text(statement, 1, sensor);
  while ((err = sql_next(sql, statement)) == GANTRY_OK) {
    int64_t id = (int64_t)sql_get_u64(statement, 0);
    *total += sql_get_u64(statement, 1);
    for (uint32_t i = 0; i < store->series_count; i++)
      if (store->series[i].id == id) *total += (uint64_t)store->series[i].added;
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

gantry_err_t store_sqlite_history(store_sqlite_t *store, store_call_t *call) {
  const store_history_get_t *get = call->takes;
  store_history_t *out = call->gives;
  sql_t *sql = &store->sql;
  sqlite3_stmt *statement =
      sql_use(sql, "SELECT reading.id, series.sensor, series.type, coalesce(reading.data,"
                   " json_object('value', reading.value, 'unit', series.unit)), reading.quality,"
                   " reading.validity, reading.source, reading.ts FROM series JOIN reading"
                   " ON reading.series = series.id WHERE series.sensor = ? AND reading.ts < ?"
                   " ORDER BY reading.ts DESC, reading.id DESC LIMIT ?");
  gantry_err_t err;
  sql_bind_text(statement, 1, get->sensor);
  sql_bind_int(statement, 2, get->has_before ? (int64_t)(get->before / 1000) : INT64_MAX);
  sql_bind_int(statement, 3, get->limit);
  while ((err = sql_next(sql, statement)) == GANTRY_OK) {
    err = read_row(statement, call->arena, &out->rows[out->rows_count]);
    if (err != GANTRY_OK || call->arena->total > HISTORY_BYTES_MAX) {
      sqlite3_reset(statement);
      break;
    }
    out->rows_count++;
  }
  if (err != GANTRY_OK && err != GANTRY_E_NOT_FOUND) return err;
  return read_total(store, get->sensor, &out->total);
}
