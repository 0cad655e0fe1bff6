/* Readings: one row each, grouped by series, counted per series so that totals cost nothing. */
#include <gantry/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bulk.h"
#include "store_internal.h"

/* Headroom under the bus's largest body for names and keys of the rows. */
#define HISTORY_BYTES_MAX (4u << 20)

/* Only numbers that are not known to be wrong go into roll-ups. */
gantry_err_t store_roll_up(store_t *store, const db_reading_t *row) {
  if (!row->has_value || row->validity == SENSOR_VALIDITY_ERROR || !isfinite(row->value))
    return GANTRY_OK;
  if (rollup_set_add(store->rollups, row->series, row->ts_us, row->value)) return GANTRY_OK;
  GANTRY_TRY(store_write_rollups(store));
  return rollup_set_add(store->rollups, row->series, row->ts_us, row->value) ? GANTRY_OK
                                                                             : GANTRY_E_INTERNAL;
}

gantry_err_t store_write_rollups(store_t *store) {
  size_t count;
  const rollup_t *rollups = rollup_set_all(store->rollups, &count);
  gantry_err_t err = db_add_rollups(store->db, rollups, count);
  rollup_set_clear(store->rollups);
  return err;
}

gantry_err_t store_add_reading(store_t *store, const row_t *row) {
  const series_name_t name = {row->reading.sensor, row->reading.type, row->reading.unit};
  db_reading_t reading = {.ts_us = (int64_t)row->ts_us,
                          .seq = (int64_t)row->seq,
                          .has_value = row->reading.has_value,
                          .value = row->reading.value,
                          .data = row->data,
                          .quality = row->reading.quality,
                          .validity = (int32_t)row->reading.validity,
                          .source = (int32_t)row->reading.source};
  series_t *series;
  size_t added;
  GANTRY_TRY(store_series_of(store, row->robot, &name, &series));
  GANTRY_TRY(store_session_of(store, row->session, "map", reading.ts_us, &reading.session));
  reading.series = series->id;
  GANTRY_TRY(db_add_readings(store->db, &reading, 1, NULL, &added));
  if (added == 0) return GANTRY_E_CONFLICT;
  series->added++;
  return store_roll_up(store, &reading);
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
