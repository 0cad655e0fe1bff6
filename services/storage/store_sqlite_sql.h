/* Prepared statements of one SQLite connection: kept by their text, bound and read by small
 * helpers. */
#ifndef STORAGE_STORE_SQLITE_SQL_H
#define STORAGE_STORE_SQLITE_SQL_H

#include <gantry/err.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

#define SQL_STATEMENTS_MAX 96

typedef struct sql_statement {
  const char *text; /* a string literal: compared by address */
  sqlite3_stmt *statement;
} sql_statement_t;

/* The connection. Embedded; sql_close ends it. */
typedef struct sql {
  sqlite3 *db;
  sql_statement_t statements[SQL_STATEMENTS_MAX];
  uint32_t count;
} sql_t;

/* Opens or creates the file; blocks at most 5 s on another's lock. */
gantry_err_t sql_open(sql_t *sql, const char *path, gantry_fault_t *fault);
/* Finalises what was prepared. Harmless on zeroed memory. */
void sql_close(sql_t *sql);

/* Runs statements that give no rows and take no values. */
gantry_err_t sql_exec(sql_t *sql, const char *text, gantry_fault_t *fault);
/* The prepared statement of a literal, reset and without values; NULL when it cannot be prepared.
   Binding to and stepping NULL is harmless and fails. */
sqlite3_stmt *sql_use(sql_t *sql, const char *text);

void sql_bind_text(sqlite3_stmt *statement, int index, const char *text);
/* NULL when not given. */
void sql_bind_opt_text(sqlite3_stmt *statement, int index, bool given, const char *text);
void sql_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, size_t len);
void sql_bind_int(sqlite3_stmt *statement, int index, int64_t value);
void sql_bind_u64(sqlite3_stmt *statement, int index, uint64_t value);
void sql_bind_real(sqlite3_stmt *statement, int index, double value);
void sql_bind_opt_real(sqlite3_stmt *statement, int index, bool given, double value);
/* A wall time, ns, stored as µs; NULL when not given. */
void sql_bind_opt_time(sqlite3_stmt *statement, int index, bool given, uint64_t wall_ns);
void sql_bind_time(sqlite3_stmt *statement, int index, uint64_t wall_ns);

/* Next row: GANTRY_OK when there is one, GANTRY_E_NOT_FOUND when there is none (the statement is
   then reset), otherwise the error of the database. */
gantry_err_t sql_next(sql_t *sql, sqlite3_stmt *statement);
/* Steps to the end, expecting no rows of interest; resets. */
gantry_err_t sql_finish(sql_t *sql, sqlite3_stmt *statement);
/* Rows changed by the last statement. */
uint32_t sql_changes(const sql_t *sql);
int64_t sql_last_id(const sql_t *sql);
/* The database's own words for its last error. */
const char *sql_message(const sql_t *sql);

/* Copies a text column, cut to size. NULL gives "" and false. */
bool sql_get_text(sqlite3_stmt *statement, int column, char *out, size_t size);
double sql_get_real(sqlite3_stmt *statement, int column);
uint64_t sql_get_u64(sqlite3_stmt *statement, int column);
bool sql_get_bool(sqlite3_stmt *statement, int column);
bool sql_is_null(sqlite3_stmt *statement, int column);
/* A time column as wall ns. */
uint64_t sql_get_time(sqlite3_stmt *statement, int column);

#endif
