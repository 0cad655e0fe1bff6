/* One connection to a database, whatever stands behind it: prepared statements kept by their text,
   bound and read by small helpers. Statements are written in the SQL that SQLite and PostgreSQL
   share (docs/storage.md): `?1` parameters, ON CONFLICT, RETURNING, bigint, double precision, text
   and bytea columns, times as microseconds since 1970 UTC. One thread at a time; every call that
   touches the database may block on it. */
#ifndef STORAGE_DB_H
#define STORAGE_DB_H

#include <gantry/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct db db_t;
typedef struct stmt stmt_t;

typedef enum db_kind { DB_SQLITE, DB_PG } db_kind_t;

/* Opens or creates the file, in WAL mode with FULL sync; blocks at most 5 s on another's lock.
   GANTRY_E_INVALID, with a fault that names the file and what to do, when it is damaged or no
   database; GANTRY_E_UNAVAILABLE when it cannot be opened. */
gantry_err_t db_sqlite_open(const char *path, db_t **out, gantry_fault_t *fault);
/* A file that another connection has open, only to read from it. */
gantry_err_t db_sqlite_open_reader(const char *path, db_t **out, gantry_fault_t *fault);
#define DB_PLACE_SIZE 160

/* Connects to a PostgreSQL server; dsn is libpq's connection string or URI, "" its environment.
   Waits 3 s at most. GANTRY_E_INVALID when the string makes no sense or the server refuses it
   (password, database, right); GANTRY_E_UNAVAILABLE when nobody answers, or not yet. Faults name
   host and database, never the password. A connection that is lost later comes back with the first
   statement outside of a transaction, after pauses of 0.1 to 5 s; meanwhile all is
   GANTRY_E_UNAVAILABLE. */
gantry_err_t db_pg_open(const char *dsn, db_t **out, gantry_fault_t *fault);
/* From now on, also after a lost connection, this one alone writes to the server's database and
   schema; GANTRY_E_UNAVAILABLE after a second when another has claimed it. For a file db_lock does
   that. */
gantry_err_t db_claim(db_t *db, const char *place, gantry_fault_t *fault);
/* "postgres HOST/DATABASE" of a connection string, for people; GANTRY_E_INVALID when it is none. */
gantry_err_t db_pg_place(const char *dsn, char *out, size_t size, gantry_fault_t *fault);
bool db_pg_has_password(const char *dsn);
/* Parts a connection string from its password, which is "" when it has none. GANTRY_E_INVALID when
   it is none, or too long for out or password. */
gantry_err_t db_pg_split(const char *dsn, char *out, size_t size, char *password,
                         size_t password_size);
/* From now on a thread of its own carries the log of the file into it, and commits finish only what
   is left, within milliseconds. Nothing on PostgreSQL. */
gantry_err_t db_checkpoint_apart(db_t *db);
/* What the log of the file holds now is carried over, so that its space is used anew and the file
   may shrink: by the thread of db_checkpoint_apart, soon, or else here and now. No transaction may
   be open. Nothing on PostgreSQL. */
void db_checkpoint(db_t *db);
/* NULL-safe. Finalises what was prepared; an open transaction is rolled back. */
void db_close(db_t **self);
db_kind_t db_kind(const db_t *db);

/* Runs statements that give no rows and take no values. */
gantry_err_t db_exec(db_t *db, const char *text, gantry_fault_t *fault);
gantry_err_t db_begin(db_t *db);
/* A transaction that only reads and sees one state of the database; it waits for no writer. */
gantry_err_t db_begin_read(db_t *db);
/* A transaction that may be lost, as a whole, with the power: its commit waits for no disk. */
gantry_err_t db_begin_unsynced(db_t *db);
/* After GANTRY_E_UNAVAILABLE a lost connection leaves open whether the rows are in: read what tells
   it before they are written again. */
gantry_err_t db_commit(db_t *db);
/* Harmless without a transaction. */
void db_rollback(db_t *db);
bool db_in_transaction(const db_t *db);
/* Between the two, statements without rows that are finished by db_finish may be queued: their
   errors come with later ones, at the latest with db_pipeline_end; db_changes means nothing. For
   many small ones on a server; needs an open transaction. */
gantry_err_t db_pipeline_begin(db_t *db);
gantry_err_t db_pipeline_end(db_t *db);
/* The prepared statement of a literal, reset and without values; the database keeps it. One that
   cannot be prepared fails at db_next. A statement may not be used twice at once. */
stmt_t *db_use(db_t *db, const char *text);

/* Index counts from 1. Text and blobs are borrowed until the statement was stepped or reset. */
void db_bind_text(stmt_t *statement, int index, const char *text);
/* NULL when not given. */
void db_bind_opt_text(stmt_t *statement, int index, bool given, const char *text);
void db_bind_blob(stmt_t *statement, int index, const void *bytes, size_t len);
void db_bind_opt_blob(stmt_t *statement, int index, bool given, const void *bytes, size_t len);
void db_bind_int(stmt_t *statement, int index, int64_t value);
void db_bind_u64(stmt_t *statement, int index, uint64_t value);
void db_bind_real(stmt_t *statement, int index, double value);
void db_bind_opt_real(stmt_t *statement, int index, bool given, double value);
/* A wall time, ns, stored as µs; NULL when not given. */
void db_bind_opt_time(stmt_t *statement, int index, bool given, uint64_t wall_ns);
void db_bind_time(stmt_t *statement, int index, uint64_t wall_ns);

/* A server's result is held as a whole: put a LIMIT on what may be long.
   Next row: GANTRY_OK when there is one, GANTRY_E_NOT_FOUND when there is none (the statement is
   then reset); GANTRY_E_CONFLICT for a violated constraint, GANTRY_E_UNAVAILABLE for a database
   that is away, full or locked, GANTRY_E_INVALID for a damaged one, GANTRY_E_SCHEMA for a value
   that the column does not take. */
gantry_err_t db_next(stmt_t *statement);
/* Steps to the end, expecting no rows of interest; resets. */
gantry_err_t db_finish(stmt_t *statement);
/* For a statement that is left before its last row. */
void db_reset(stmt_t *statement);
/* Rows changed by the last statement that was stepped to its end. */
uint32_t db_changes(const db_t *db);
/* Size of the database, bytes; 0 where it does not say. */
uint64_t db_bytes(db_t *db);
/* Bytes of a table with its indexes; false where it would take long, or the database cannot say. */
bool db_table_bytes(db_t *db, const char *table, uint64_t *bytes);
/* Bytes within the database that nothing uses; 0 where it does not say. */
uint64_t db_free_bytes(db_t *db);
/* Gives about so many free pages back to the file system, in a transaction of its own that is not
   synced; nothing on PostgreSQL. */
gantry_err_t db_give_back(db_t *db, uint32_t pages);
/* Whether a write found no room on the disk since the last commit that succeeded. */
bool db_is_full(const db_t *db);
/* The database's own words for its last error. */
const char *db_message(const db_t *db);

/* Column counts from 0. Copies a text column, cut to size. NULL gives "" and false. */
bool db_get_text(stmt_t *statement, int column, char *out, size_t size);
/* Borrowed until the next step or reset; NULL and 0 for NULL. */
const void *db_get_blob(stmt_t *statement, int column, size_t *len);
double db_get_real(stmt_t *statement, int column);
int64_t db_get_int(stmt_t *statement, int column);
uint64_t db_get_u64(stmt_t *statement, int column);
bool db_get_bool(stmt_t *statement, int column);
bool db_is_null(stmt_t *statement, int column);
/* A time column as wall ns. */
uint64_t db_get_time(stmt_t *statement, int column);

#endif
