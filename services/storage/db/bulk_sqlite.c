/* Readings into SQLite: prepared inserts of many rows. */
#include <sqlite3.h>
#include <string.h>

#include "bulk_driver.h"
#include "db_driver.h"

#define COLUMNS 9
#define WIDE    20u /* rows of one statement */

#define ROW       "(?, ?, ?, ?, ?, ?, ?, ?, ?)"
#define FIVE_ROWS ROW ", " ROW ", " ROW ", " ROW ", " ROW
#define INTO                                                                                       \
  " INTO reading (series, ts, seq, value, data, quality, validity, source, session) VALUES "

/* at counts rows of the statement. */
static void bind(sqlite3_stmt *insert, int at, const db_reading_t *row) {
  int first = at * COLUMNS;
  sqlite3_bind_int64(insert, first + 1, row->series);
  sqlite3_bind_int64(insert, first + 2, row->ts_us);
  sqlite3_bind_int64(insert, first + 3, row->seq);
  if (row->has_value)
    sqlite3_bind_double(insert, first + 4, row->value);
  else
    sqlite3_bind_null(insert, first + 4);
  if (row->data)
    sqlite3_bind_text(insert, first + 5, row->data, -1, SQLITE_STATIC);
  else
    sqlite3_bind_null(insert, first + 5);
  sqlite3_bind_double(insert, first + 6, row->quality);
  sqlite3_bind_int(insert, first + 7, row->validity);
  sqlite3_bind_int(insert, first + 8, row->source);
  if (row->session)
    sqlite3_bind_int64(insert, first + 9, row->session);
  else
    sqlite3_bind_null(insert, first + 9);
}

static gantry_err_t step(sqlite3_stmt *insert) {
  int result = sqlite3_step(insert);
  sqlite3_reset(insert);
  return result == SQLITE_DONE ? GANTRY_OK : db_sqlite_err(result);
}

/* Row by row: says of each whether it was there. */
static gantry_err_t add_each(db_t *db, const db_reading_t *rows, size_t count, bool *fresh,
                             size_t *added) {
  stmt_t *statement = db_use(db, "INSERT" INTO ROW " ON CONFLICT DO NOTHING");
  if (!statement || !statement->handle) return GANTRY_E_INTERNAL;
  sqlite3_stmt *insert = statement->handle;
  sqlite3 *handle = sqlite3_db_handle(insert);
  for (size_t i = 0; i < count; i++) {
    bind(insert, 0, &rows[i]);
    GANTRY_TRY(step(insert));
    bool is_fresh = sqlite3_changes(handle) != 0;
    if (fresh) fresh[i] = is_fresh;
    *added += is_fresh;
  }
  return GANTRY_OK;
}

/* Twenty rows a statement, which takes two thirds of the time. OR IGNORE because with ON CONFLICT a
   statement of many rows keeps a journal of its own. Ends at the first row that is not taken. */
static gantry_err_t add_wide(db_t *db, const db_reading_t *rows, size_t count, size_t *taken) {
  stmt_t *statement =
      db_use(db, "INSERT OR IGNORE" INTO FIVE_ROWS ", " FIVE_ROWS ", " FIVE_ROWS ", " FIVE_ROWS);
  if (!statement || !statement->handle) return GANTRY_E_INTERNAL;
  sqlite3_stmt *insert = statement->handle;
  sqlite3 *handle = sqlite3_db_handle(insert);
  for (*taken = 0; *taken + WIDE <= count; *taken += WIDE) {
    for (unsigned i = 0; i < WIDE; i++)
      bind(insert, (int)i, &rows[*taken + i]);
    GANTRY_TRY(step(insert));
    if (sqlite3_changes(handle) != WIDE) return GANTRY_OK;
  }
  return GANTRY_OK;
}

/* Rows that are there already are rare: then all go again, one by one. */
gantry_err_t bulk_sqlite_add_readings(db_t *db, const db_reading_t *rows, size_t count, bool *fresh,
                                      size_t *added) {
  size_t taken = 0;
  if (count < WIDE) return add_each(db, rows, count, fresh, added);
  GANTRY_TRY(db_exec(db, "SAVEPOINT bulk", NULL));
  GANTRY_TRY(add_wide(db, rows, count, &taken));
  if (taken + WIDE <= count) {
    taken = 0;
    GANTRY_TRY(db_exec(db, "ROLLBACK TO SAVEPOINT bulk", NULL));
  }
  GANTRY_TRY(db_exec(db, "RELEASE SAVEPOINT bulk", NULL));
  if (fresh) memset(fresh, true, taken * sizeof *fresh);
  *added = taken;
  return add_each(db, rows + taken, count - taken, fresh ? fresh + taken : NULL, added);
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
