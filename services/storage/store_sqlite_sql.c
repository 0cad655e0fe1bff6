/* What every statement needs: prepare once, bind, step, read, and one mapping of SQLite's results
   to our errors. */
#include "store_sqlite_sql.h"

#include <stdio.h>
#include <string.h>

#define BUSY_MS 5000

static gantry_err_t sql_err(int result) {
  switch (result & 0xff) {
  case SQLITE_OK:
  case SQLITE_ROW:
  case SQLITE_DONE:
    return GANTRY_OK;
  case SQLITE_CONSTRAINT:
    return GANTRY_E_CONFLICT;
  case SQLITE_TOOBIG:
    return GANTRY_E_TOO_LARGE;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
  case SQLITE_MISMATCH:
    return GANTRY_E_INVALID;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
  case SQLITE_FULL:
  case SQLITE_IOERR:
  case SQLITE_READONLY:
  case SQLITE_CANTOPEN:
    return GANTRY_E_UNAVAILABLE;
  default:
    return GANTRY_E_INTERNAL;
  }
}

gantry_err_t sql_open(sql_t *sql, const char *path, gantry_fault_t *fault) {
  *sql = (sql_t){0};
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  int result = sqlite3_open_v2(path, &sql->db, flags, NULL);
  if (result == SQLITE_OK) {
    sqlite3_extended_result_codes(sql->db, 1);
    sqlite3_busy_timeout(sql->db, BUSY_MS);
    return GANTRY_OK;
  }
  gantry_err_t err =
      fault_set(fault, sql_err(result), "database", "%s: %s", path, sql_message(sql));
  sql_close(sql);
  return err;
}

void sql_close(sql_t *sql) {
  for (uint32_t i = 0; i < sql->count; i++)
    sqlite3_finalize(sql->statements[i].statement);
  sqlite3_close(sql->db);
  *sql = (sql_t){0};
}

gantry_err_t sql_exec(sql_t *sql, const char *text, gantry_fault_t *fault) {
  int result = sqlite3_exec(sql->db, text, NULL, NULL, NULL);
  if (result == SQLITE_OK) return GANTRY_OK;
  return fault_set(fault, sql_err(result), "database", "%s", sql_message(sql));
}

sqlite3_stmt *sql_use(sql_t *sql, const char *text) {
  for (uint32_t i = 0; i < sql->count; i++) {
    if (sql->statements[i].text != text) continue;
    sqlite3_reset(sql->statements[i].statement);
    sqlite3_clear_bindings(sql->statements[i].statement);
    return sql->statements[i].statement;
  }
  if (sql->count == SQL_STATEMENTS_MAX) return NULL;
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v3(sql->db, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL))
    return NULL;
  sql->statements[sql->count++] = (sql_statement_t){.text = text, .statement = statement};
  return statement;
}

void sql_bind_text(sqlite3_stmt *statement, int index, const char *text) {
  sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

void sql_bind_opt_text(sqlite3_stmt *statement, int index, bool given, const char *text) {
  if (given)
    sql_bind_text(statement, index, text);
  else
    sqlite3_bind_null(statement, index);
}

void sql_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, size_t len) {
  /* A NULL pointer would bind NULL; an empty blob is a value. */
  sqlite3_bind_blob64(statement, index, len ? bytes : "", len, SQLITE_STATIC);
}

void sql_bind_int(sqlite3_stmt *statement, int index, int64_t value) {
  sqlite3_bind_int64(statement, index, value);
}

void sql_bind_u64(sqlite3_stmt *statement, int index, uint64_t value) {
  sqlite3_bind_int64(statement, index, (int64_t)value);
}

void sql_bind_real(sqlite3_stmt *statement, int index, double value) {
  sqlite3_bind_double(statement, index, value);
}

void sql_bind_opt_real(sqlite3_stmt *statement, int index, bool given, double value) {
  if (given)
    sql_bind_real(statement, index, value);
  else
    sqlite3_bind_null(statement, index);
}

void sql_bind_time(sqlite3_stmt *statement, int index, uint64_t wall_ns) {
  sql_bind_u64(statement, index, wall_ns / 1000);
}

void sql_bind_opt_time(sqlite3_stmt *statement, int index, bool given, uint64_t wall_ns) {
  if (given)
    sql_bind_time(statement, index, wall_ns);
  else
    sqlite3_bind_null(statement, index);
}

gantry_err_t sql_next(sql_t *sql, sqlite3_stmt *statement) {
  if (!statement)
    return sql_err(sqlite3_errcode(sql->db)) ? sql_err(sqlite3_errcode(sql->db))
                                             : GANTRY_E_INTERNAL;
  int result = sqlite3_step(statement);
  if (result == SQLITE_ROW) return GANTRY_OK;
  sqlite3_reset(statement);
  return result == SQLITE_DONE ? GANTRY_E_NOT_FOUND : sql_err(result);
}

gantry_err_t sql_finish(sql_t *sql, sqlite3_stmt *statement) {
  gantry_err_t err = GANTRY_OK;
  while (err == GANTRY_OK)
    err = sql_next(sql, statement);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

uint32_t sql_changes(const sql_t *sql) {
  return (uint32_t)sqlite3_changes(sql->db);
}

int64_t sql_last_id(const sql_t *sql) {
  return sqlite3_last_insert_rowid(sql->db);
}

const char *sql_message(const sql_t *sql) {
  return sql->db ? sqlite3_errmsg(sql->db) : "out of memory";
}

bool sql_get_text(sqlite3_stmt *statement, int column, char *out, size_t size) {
  const unsigned char *text = sqlite3_column_text(statement, column);
  snprintf(out, size, "%s", text ? (const char *)text : "");
  return text != NULL;
}

double sql_get_real(sqlite3_stmt *statement, int column) {
  return sqlite3_column_double(statement, column);
}

uint64_t sql_get_u64(sqlite3_stmt *statement, int column) {
  return (uint64_t)sqlite3_column_int64(statement, column);
}

bool sql_get_bool(sqlite3_stmt *statement, int column) {
  return sqlite3_column_int64(statement, column) != 0;
}

bool sql_is_null(sqlite3_stmt *statement, int column) {
  return sqlite3_column_type(statement, column) == SQLITE_NULL;
}

uint64_t sql_get_time(sqlite3_stmt *statement, int column) {
  return sql_get_u64(statement, column) * 1000;
}
