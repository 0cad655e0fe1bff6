/* What drivers share: statements by their text, values in and out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db_driver.h"

void db_forget(db_t *db) {
  for (uint32_t i = 0; i < db->count; i++) {
    if (db->statements[i]->handle) db->ops->finalize(db->statements[i]);
    free(db->statements[i]);
  }
  db->count = 0;
}

void db_close(db_t **self) {
  if (!*self) return;
  db_forget(*self);
  (*self)->ops->close(*self);
  *self = NULL;
}

db_kind_t db_kind(const db_t *db) {
  return db->kind;
}

gantry_err_t db_exec(db_t *db, const char *text, gantry_fault_t *fault) {
  gantry_err_t err = db->ops->exec(db, text);
  return err == GANTRY_OK ? err : fault_set(fault, err, "database", "%s", db_message(db));
}

gantry_err_t db_begin(db_t *db) {
  return db_exec(db, db->kind == DB_SQLITE ? "BEGIN IMMEDIATE" : "BEGIN", NULL);
}

gantry_err_t db_begin_read(db_t *db) {
  const char *pg = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
  return db_exec(db, db->kind == DB_SQLITE ? "BEGIN" : pg, NULL);
}

gantry_err_t db_begin_unsynced(db_t *db) {
  if (db->kind == DB_PG) {
    GANTRY_TRY(db_begin(db));
    return db_exec(db, "SET LOCAL synchronous_commit = off", NULL);
  }
  /* In WAL mode a NORMAL commit is whole or absent after a power cut, like any other. */
  GANTRY_TRY(db_exec(db, "PRAGMA synchronous = NORMAL", NULL));
  db->unsynced = true;
  gantry_err_t err = db_begin(db);
  if (err != GANTRY_OK) db_rollback(db);
  return err;
}

static void sync_again(db_t *db) {
  if (!db->unsynced) return;
  db->unsynced = false;
  (void)db_exec(db, "PRAGMA synchronous = FULL", NULL);
}

gantry_err_t db_commit(db_t *db) {
  gantry_err_t err = db_exec(db, "COMMIT", NULL);
  if (err != GANTRY_OK) return err;
  db->full = false;
  sync_again(db);
  return err;
}

void db_rollback(db_t *db) {
  if (db->ops->in_transaction(db)) (void)db_exec(db, "ROLLBACK", NULL);
  sync_again(db);
}

bool db_in_transaction(const db_t *db) {
  return db->ops->in_transaction(db);
}

gantry_err_t db_pipeline_begin(db_t *db) {
  return db->ops->pipeline ? db->ops->pipeline(db, true) : GANTRY_OK;
}

gantry_err_t db_pipeline_end(db_t *db) {
  return db->ops->pipeline ? db->ops->pipeline(db, false) : GANTRY_OK;
}

static stmt_t *find(const db_t *db, const char *text) {
  for (uint32_t i = 0; i < db->count; i++)
    if (db->statements[i]->text == text) return db->statements[i];
  return NULL;
}

stmt_t *db_use(db_t *db, const char *text) {
  stmt_t *statement = find(db, text);
  if (statement) {
    db_reset(statement);
    statement->value_count = 0;
    if (!statement->handle) (void)db->ops->prepare(statement);
    return statement;
  }
  statement = db->count < DB_STATEMENTS_MAX ? calloc(1, sizeof *statement) : NULL;
  if (!statement) return NULL;
  *statement = (stmt_t){.db = db, .text = text};
  (void)db->ops->prepare(statement);
  db->statements[db->count++] = statement;
  return statement;
}

static void bind(stmt_t *statement, int index, db_value_t value) {
  if (!statement || index < 1 || index > DB_VALUES_MAX) return;
  while (statement->value_count < index)
    statement->values[statement->value_count++] = (db_value_t){.type = DB_NULL};
  statement->values[index - 1] = value;
}

void db_bind_text(stmt_t *statement, int index, const char *text) {
  bind(statement, index, (db_value_t){.type = DB_TEXT, .bytes = text, .len = strlen(text)});
}

void db_bind_opt_text(stmt_t *statement, int index, bool given, const char *text) {
  if (given)
    db_bind_text(statement, index, text);
  else
    bind(statement, index, (db_value_t){.type = DB_NULL});
}

void db_bind_blob(stmt_t *statement, int index, const void *bytes, size_t len) {
  /* A NULL pointer would bind NULL; an empty blob is a value. */
  bind(statement, index, (db_value_t){.type = DB_BLOB, .bytes = len ? bytes : "", .len = len});
}

void db_bind_opt_blob(stmt_t *statement, int index, bool given, const void *bytes, size_t len) {
  if (given)
    db_bind_blob(statement, index, bytes, len);
  else
    bind(statement, index, (db_value_t){.type = DB_NULL});
}

void db_bind_int(stmt_t *statement, int index, int64_t value) {
  bind(statement, index, (db_value_t){.type = DB_INT, .integer = value});
}

void db_bind_u64(stmt_t *statement, int index, uint64_t value) {
  db_bind_int(statement, index, (int64_t)value);
}

void db_bind_real(stmt_t *statement, int index, double value) {
  bind(statement, index, (db_value_t){.type = DB_REAL, .real = value});
}

void db_bind_opt_real(stmt_t *statement, int index, bool given, double value) {
  if (given)
    db_bind_real(statement, index, value);
  else
    bind(statement, index, (db_value_t){.type = DB_NULL});
}

void db_bind_time(stmt_t *statement, int index, uint64_t wall_ns) {
  db_bind_u64(statement, index, wall_ns / 1000);
}

void db_bind_opt_time(stmt_t *statement, int index, bool given, uint64_t wall_ns) {
  if (given)
    db_bind_time(statement, index, wall_ns);
  else
    bind(statement, index, (db_value_t){.type = DB_NULL});
}

gantry_err_t db_next(stmt_t *statement) {
  if (!statement || !statement->handle) return GANTRY_E_INTERNAL;
  gantry_err_t err = statement->db->ops->next(statement);
  statement->stepping = err == GANTRY_OK;
  return err;
}

gantry_err_t db_finish(stmt_t *statement) {
  gantry_err_t err = GANTRY_OK;
  while (err == GANTRY_OK)
    err = db_next(statement);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

void db_reset(stmt_t *statement) {
  if (!statement || !statement->stepping) return;
  statement->stepping = false;
  statement->db->ops->reset(statement);
}

uint32_t db_changes(const db_t *db) {
  return db->changes;
}

bool db_is_full(const db_t *db) {
  return db->full;
}

const char *db_message(const db_t *db) {
  return db->ops->message(db);
}

static db_value_t column_of(stmt_t *statement, int column) {
  db_value_t value = {.type = DB_NULL};
  if (statement && statement->stepping) statement->db->ops->column(statement, column, &value);
  return value;
}

bool db_get_text(stmt_t *statement, int column, char *out, size_t size) {
  db_value_t value = column_of(statement, column);
  bool there = value.type == DB_TEXT || value.type == DB_BLOB;
  (void)snprintf(out, size, "%.*s", there ? (int)value.len : 0, there ? value.bytes : "");
  return there;
}

const void *db_get_blob(stmt_t *statement, int column, size_t *len) {
  db_value_t value = column_of(statement, column);
  bool there = value.type == DB_TEXT || value.type == DB_BLOB;
  *len = there ? value.len : 0;
  return there ? value.bytes : NULL;
}

double db_get_real(stmt_t *statement, int column) {
  db_value_t value = column_of(statement, column);
  return value.type == DB_REAL ? value.real : value.type == DB_INT ? (double)value.integer : 0.0;
}

int64_t db_get_int(stmt_t *statement, int column) {
  db_value_t value = column_of(statement, column);
  return value.type == DB_INT ? value.integer : value.type == DB_REAL ? (int64_t)value.real : 0;
}

uint64_t db_get_u64(stmt_t *statement, int column) {
  return (uint64_t)db_get_int(statement, column);
}

bool db_get_bool(stmt_t *statement, int column) {
  return db_get_int(statement, column) != 0;
}

bool db_is_null(stmt_t *statement, int column) {
  return column_of(statement, column).type == DB_NULL;
}

uint64_t db_get_time(stmt_t *statement, int column) {
  return db_get_u64(statement, column) * 1000;
}
