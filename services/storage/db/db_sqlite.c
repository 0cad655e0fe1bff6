/* SQLite behind db.h: one file in WAL mode, FULL sync at every commit. */
#include <sqlite3.h>
#include <stdlib.h>

#include "bulk_driver.h"
#include "db_driver.h"
#include "db_sqlite_checkpoint.h"

#define BUSY_MS 5000

typedef struct db_sqlite {
  db_t base; /* first: a db_t is one of these */
  sqlite3 *handle;
  db_checkpoint_t *checkpoint; /* NULL: at the commits themselves */
} db_sqlite_t;

static sqlite3 *handle_of(const db_t *db) {
  return ((const db_sqlite_t *)db)->handle;
}

gantry_err_t db_sqlite_err(int result) {
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

static gantry_err_t noted(db_t *db, int result) {
  if ((result & 0xff) == SQLITE_FULL) db->full = true;
  return db_sqlite_err(result);
}

static void sqlite_close(db_t *db) {
  db_checkpoint_destroy(&((db_sqlite_t *)db)->checkpoint);
  sqlite3_close(handle_of(db));
  free(db);
}

static gantry_err_t sqlite_exec(db_t *db, const char *text) {
  return noted(db, sqlite3_exec(handle_of(db), text, NULL, NULL, NULL));
}

static gantry_err_t sqlite_prepare(stmt_t *statement) {
  sqlite3_stmt *prepared = NULL;
  int result = sqlite3_prepare_v3(handle_of(statement->db), statement->text, -1,
                                  SQLITE_PREPARE_PERSISTENT, &prepared, NULL);
  statement->handle = prepared;
  return db_sqlite_err(result);
}

static void sqlite_finalize(stmt_t *statement) {
  sqlite3_finalize(statement->handle);
}

void db_sqlite_bind(stmt_t *statement) {
  sqlite3_stmt *prepared = statement->handle;
  sqlite3_clear_bindings(prepared);
  for (int i = 0; i < statement->value_count; i++) {
    const db_value_t *value = &statement->values[i];
    switch (value->type) {
    case DB_INT:
      sqlite3_bind_int64(prepared, i + 1, value->integer);
      break;
    case DB_REAL:
      sqlite3_bind_double(prepared, i + 1, value->real);
      break;
    case DB_TEXT:
      sqlite3_bind_text64(prepared, i + 1, value->bytes, value->len, SQLITE_STATIC, SQLITE_UTF8);
      break;
    case DB_BLOB:
      sqlite3_bind_blob64(prepared, i + 1, value->bytes, value->len, SQLITE_STATIC);
      break;
    case DB_NULL:
      break;
    }
  }
}

static gantry_err_t sqlite_next(stmt_t *statement) {
  if (!statement->stepping) db_sqlite_bind(statement);
  int result = sqlite3_step(statement->handle);
  if (result == SQLITE_ROW) return GANTRY_OK;
  if (result == SQLITE_DONE)
    statement->db->changes = (uint32_t)sqlite3_changes(handle_of(statement->db));
  sqlite3_reset(statement->handle);
  return result == SQLITE_DONE ? GANTRY_E_NOT_FOUND : noted(statement->db, result);
}

static void sqlite_reset(stmt_t *statement) {
  sqlite3_reset(statement->handle);
}

static void sqlite_column(stmt_t *statement, int column, db_value_t *out) {
  sqlite3_stmt *prepared = statement->handle;
  switch (sqlite3_column_type(prepared, column)) {
  case SQLITE_INTEGER:
    *out = (db_value_t){.type = DB_INT, .integer = sqlite3_column_int64(prepared, column)};
    break;
  case SQLITE_FLOAT:
    *out = (db_value_t){.type = DB_REAL, .real = sqlite3_column_double(prepared, column)};
    break;
  case SQLITE_TEXT:
    *out =
        (db_value_t){.type = DB_TEXT, .bytes = (const char *)sqlite3_column_text(prepared, column)};
    out->len = (size_t)sqlite3_column_bytes(prepared, column);
    break;
  case SQLITE_BLOB:
    *out = (db_value_t){.type = DB_BLOB, .bytes = sqlite3_column_blob(prepared, column)};
    out->len = (size_t)sqlite3_column_bytes(prepared, column);
    break;
  default:
    out->type = DB_NULL;
  }
}

static bool sqlite_in_transaction(const db_t *db) {
  return sqlite3_get_autocommit(handle_of(db)) == 0;
}

static const char *sqlite_message(const db_t *db) {
  return handle_of(db) ? sqlite3_errmsg(handle_of(db)) : "out of memory";
}

static const db_ops_t OPS = {.close = sqlite_close,
                             .exec = sqlite_exec,
                             .prepare = sqlite_prepare,
                             .finalize = sqlite_finalize,
                             .next = sqlite_next,
                             .reset = sqlite_reset,
                             .column = sqlite_column,
                             .in_transaction = sqlite_in_transaction,
                             .message = sqlite_message,
                             .add_readings = bulk_sqlite_add_readings,
                             .next_numbers = bulk_sqlite_next_numbers};

static const char WRITING[] = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA secure_delete = OFF;"
                              "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                              "PRAGMA foreign_keys = ON; PRAGMA cache_size = -4096;"
                              "PRAGMA wal_autocheckpoint = 1000; PRAGMA temp_store = MEMORY;"
                              "PRAGMA journal_size_limit = 16777216;";
static const char READING[] = "PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY;";

static gantry_err_t open_file(db_sqlite_t *self, const char *path, bool reads,
                              gantry_fault_t *fault) {
  int flags = reads ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  gantry_err_t err =
      db_sqlite_err(sqlite3_open_v2(path, &self->handle, flags | SQLITE_OPEN_NOMUTEX, NULL));
  if (err == GANTRY_OK) {
    sqlite3_extended_result_codes(self->handle, 1);
    sqlite3_busy_timeout(self->handle, BUSY_MS);
    err = sqlite_exec(&self->base, reads ? READING : WRITING);
  }
  if (err == GANTRY_OK) return err;
  if (err == GANTRY_E_INVALID)
    return fault_set(
        fault, err, "database",
        "%s is damaged or no database (%s): `gantry restore BACKUP` puts a backup there", path,
        sqlite_message(&self->base));
  return fault_set(fault, err, "database", "%s: %s", path, sqlite_message(&self->base));
}

static gantry_err_t open_db(const char *path, bool reads, db_t **out, gantry_fault_t *fault) {
  *out = NULL;
  db_sqlite_t *self = calloc(1, sizeof *self);
  if (!self) return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  self->base.ops = &OPS;
  self->base.kind = DB_SQLITE;
  gantry_err_t err = open_file(self, path, reads, fault);
  if (err == GANTRY_OK)
    *out = &self->base;
  else
    sqlite_close(&self->base);
  return err;
}

gantry_err_t db_sqlite_open(const char *path, db_t **out, gantry_fault_t *fault) {
  return open_db(path, false, out, fault);
}

gantry_err_t db_sqlite_open_reader(const char *path, db_t **out, gantry_fault_t *fault) {
  return open_db(path, true, out, fault);
}

gantry_err_t db_checkpoint_apart(db_t *db) {
  db_sqlite_t *self = (db_sqlite_t *)db;
  if (db->kind != DB_SQLITE || self->checkpoint) return GANTRY_OK;
  return db_checkpoint_new(self->handle, &self->checkpoint);
}

void db_checkpoint(db_t *db) {
  db_sqlite_t *self = (db_sqlite_t *)db;
  if (db->kind != DB_SQLITE) return;
  if (self->checkpoint)
    db_checkpoint_ask(self->checkpoint);
  else
    (void)sqlite3_wal_checkpoint_v2(handle_of(db), NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}
