/* Batches in SQLite: few statements, all prepared. The file belongs to one process (exclusive lock,
   so the WAL's index is in its own memory). */
#include "outbox_box.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum {
  SQL_INSERT,
  SQL_NEXT,
  SQL_SUM,
  SQL_DELETE,
  SQL_OLDEST,
  SQL_DROP,
  SQL_COUNT_DROPPED,
  SQL_DROPPED,
  SQL_LAST,
  SQL_COUNT
};

static const char *const SQL[SQL_COUNT] = {
    [SQL_INSERT] = "INSERT INTO batch (id, boot, first, last, records, kept, len, bytes)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [SQL_NEXT] = "SELECT id, boot, first, last, records, kept, bytes FROM batch WHERE id > ?1"
                 " ORDER BY id LIMIT 1",
    [SQL_SUM] = "SELECT coalesce(sum(len), 0), coalesce(sum(len * kept), 0),"
                " coalesce(sum(records), 0) FROM batch WHERE id <= ?1",
    [SQL_DELETE] = "DELETE FROM batch WHERE id <= ?1",
    [SQL_OLDEST] = "SELECT id, boot, first, last, records, kept, len FROM batch WHERE kept = 0"
                   " ORDER BY id LIMIT 1",
    [SQL_DROP] = "DELETE FROM batch WHERE id = ?1",
    [SQL_COUNT_DROPPED] = "INSERT INTO dropped (boot, records) VALUES (?1, ?2) ON CONFLICT (boot)"
                          " DO UPDATE SET records = records + excluded.records",
    [SQL_DROPPED] = "SELECT records FROM dropped WHERE boot = ?1",
    [SQL_LAST] = "SELECT coalesce(max(id), 0) FROM batch",
};

/* Of the log when it is taken over into the file. Most of its pages are those of batches that are
   gone again: the longer it is, the less of it is written twice. */
#define LOG_PAGES 4096

struct box {
  sqlite3 *handle;
  int log_pages; /* after the last commit; 0: nothing to take over */
  sqlite3_stmt *statements[SQL_COUNT];
  box_totals_t totals;
};

static gantry_err_t err_of(int result) {
  switch (result & 0xff) {
  case SQLITE_OK:
  case SQLITE_ROW:
  case SQLITE_DONE:
    return GANTRY_OK;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
  case SQLITE_ERROR: /* tables that are not ours */
  case SQLITE_MISMATCH:
  case SQLITE_CONSTRAINT:
    return GANTRY_E_INVALID;
  default:
    return GANTRY_E_UNAVAILABLE;
  }
}

static gantry_err_t exec(box_t *box, const char *text) {
  return err_of(sqlite3_exec(box->handle, text, NULL, NULL, NULL));
}

/* The statement with its first values. */
static sqlite3_stmt *use(box_t *box, int which, uint64_t first) {
  sqlite3_stmt *statement = box->statements[which];
  sqlite3_reset(statement);
  sqlite3_bind_int64(statement, 1, (sqlite3_int64)first);
  return statement;
}

static gantry_err_t finish(sqlite3_stmt *statement) {
  gantry_err_t err = err_of(sqlite3_step(statement));
  sqlite3_reset(statement);
  return err;
}

static uint64_t number(sqlite3_stmt *statement, int column) {
  return (uint64_t)sqlite3_column_int64(statement, column);
}

static gantry_err_t sum(box_t *box, uint64_t id, box_totals_t *out) {
  sqlite3_stmt *statement = use(box, SQL_SUM, id);
  gantry_err_t err = err_of(sqlite3_step(statement));
  if (err == GANTRY_OK)
    *out = (box_totals_t){.bytes = number(statement, 0),
                          .kept_bytes = number(statement, 1),
                          .records = number(statement, 2)};
  sqlite3_reset(statement);
  return err;
}

/* Takes the place of the checkpoint that SQLite makes within a commit. */
static int on_commit(void *arg, sqlite3 *handle, const char *name, int pages) {
  box_t *box = arg;
  (void)handle;
  (void)name;
  box->log_pages = pages;
  return SQLITE_OK;
}

static gantry_err_t prepare(box_t *box) {
  sqlite3_wal_hook(box->handle, on_commit, box);
  GANTRY_TRY(
      exec(box, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                "PRAGMA synchronous = FULL; PRAGMA cache_size = -2048; PRAGMA secure_delete = OFF;"
                "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 25165824;"
                "CREATE TABLE IF NOT EXISTS batch (id INTEGER PRIMARY KEY, boot INTEGER"
                " NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, records INTEGER"
                " NOT NULL, kept INTEGER NOT NULL, len INTEGER NOT NULL, bytes BLOB NOT"
                " NULL) STRICT;"
                "CREATE INDEX IF NOT EXISTS batch_stream ON batch (id) WHERE kept = 0;"
                "CREATE TABLE IF NOT EXISTS dropped (boot INTEGER PRIMARY KEY,"
                " records INTEGER NOT NULL) STRICT;"
                "DELETE FROM dropped WHERE boot NOT IN (SELECT boot FROM batch)"));
  for (int i = 0; i < SQL_COUNT; i++)
    GANTRY_TRY(err_of(sqlite3_prepare_v3(box->handle, SQL[i], -1, SQLITE_PREPARE_PERSISTENT,
                                         &box->statements[i], NULL)));
  return sum(box, INT64_MAX, &box->totals);
}

gantry_err_t box_open(const char *path, box_t **out, gantry_fault_t *fault) {
  *out = NULL;
  box_t *self = calloc(1, sizeof *self);
  if (!self) return fault_set(fault, GANTRY_E_UNAVAILABLE, "outbox", "out of memory");
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  gantry_err_t err = err_of(sqlite3_open_v2(path, &self->handle, flags, NULL));
  if (err == GANTRY_OK) err = prepare(self);
  if (err == GANTRY_OK) {
    *out = self;
    return GANTRY_OK;
  }
  fault_set(fault, err, "outbox", "%s: %s", path, box_message(self));
  box_close(&self);
  return err;
}

void box_close(box_t **self) {
  if (!*self) return;
  for (int i = 0; i < SQL_COUNT; i++)
    sqlite3_finalize((*self)->statements[i]);
  sqlite3_close((*self)->handle);
  free(*self);
  *self = NULL;
}

/* What box_next has left open would hold back the WAL. */
static void end_reading(box_t *box) {
  sqlite3_reset(box->statements[SQL_NEXT]);
}

gantry_err_t box_begin(box_t *box) {
  end_reading(box);
  return exec(box, "BEGIN IMMEDIATE");
}

void box_rollback(box_t *box) {
  if (sqlite3_get_autocommit(box->handle) == 0) (void)exec(box, "ROLLBACK");
  (void)sum(box, INT64_MAX, &box->totals);
}

gantry_err_t box_commit(box_t *box) {
  return exec(box, "COMMIT");
}

void box_checkpoint(box_t *box) {
  if (box->log_pages < LOG_PAGES) return;
  end_reading(box);
  (void)sqlite3_wal_checkpoint_v2(box->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
  box->log_pages = 0;
}

gantry_err_t box_insert(box_t *box, const batch_t *batch) {
  sqlite3_stmt *statement = use(box, SQL_INSERT, batch->id);
  sqlite3_bind_int64(statement, 2, (sqlite3_int64)batch->boot);
  sqlite3_bind_int64(statement, 3, (sqlite3_int64)batch->first);
  sqlite3_bind_int64(statement, 4, (sqlite3_int64)batch->last);
  sqlite3_bind_int64(statement, 5, batch->records);
  sqlite3_bind_int(statement, 6, batch->kept);
  sqlite3_bind_int64(statement, 7, (sqlite3_int64)batch->len);
  sqlite3_bind_blob64(statement, 8, batch->bytes, batch->len, SQLITE_STATIC);
  GANTRY_TRY(finish(statement));
  box->totals.bytes += batch->len;
  box->totals.kept_bytes += batch->kept ? batch->len : 0;
  box->totals.records += batch->records;
  return GANTRY_OK;
}

static void read_batch(sqlite3_stmt *statement, batch_t *out) {
  *out = (batch_t){.id = number(statement, 0),
                   .boot = number(statement, 1),
                   .first = number(statement, 2),
                   .last = number(statement, 3),
                   .records = (uint32_t)number(statement, 4),
                   .kept = number(statement, 5) != 0};
}

gantry_err_t box_next(box_t *box, uint64_t id, batch_t *out) {
  sqlite3_stmt *statement = use(box, SQL_NEXT, id);
  int result = sqlite3_step(statement);
  if (result == SQLITE_DONE) sqlite3_reset(statement);
  if (result != SQLITE_ROW) return result == SQLITE_DONE ? GANTRY_E_NOT_FOUND : err_of(result);
  read_batch(statement, out);
  out->bytes = sqlite3_column_blob(statement, 6);
  out->len = (size_t)sqlite3_column_bytes(statement, 6);
  return GANTRY_OK;
}

gantry_err_t box_delete(box_t *box, uint64_t id) {
  box_totals_t gone;
  GANTRY_TRY(sum(box, id, &gone));
  GANTRY_TRY(finish(use(box, SQL_DELETE, id)));
  box->totals.bytes -= gone.bytes;
  box->totals.kept_bytes -= gone.kept_bytes;
  box->totals.records -= gone.records;
  return GANTRY_OK;
}

gantry_err_t box_add_dropped(box_t *box, uint64_t boot, uint64_t records) {
  sqlite3_stmt *statement = use(box, SQL_COUNT_DROPPED, boot);
  sqlite3_bind_int64(statement, 2, (sqlite3_int64)records);
  return finish(statement);
}

gantry_err_t box_drop(box_t *box, batch_t *dropped) {
  sqlite3_stmt *statement = box->statements[SQL_OLDEST];
  sqlite3_reset(statement);
  int result = sqlite3_step(statement);
  if (result == SQLITE_ROW) {
    read_batch(statement, dropped);
    dropped->len = (size_t)number(statement, 6);
  }
  sqlite3_reset(statement);
  if (result != SQLITE_ROW) return result == SQLITE_DONE ? GANTRY_E_NOT_FOUND : err_of(result);
  GANTRY_TRY(finish(use(box, SQL_DROP, dropped->id)));
  box->totals.bytes -= dropped->len;
  box->totals.records -= dropped->records;
  return box_add_dropped(box, dropped->boot, dropped->records);
}

static uint64_t one_number(sqlite3_stmt *statement) {
  uint64_t value = sqlite3_step(statement) == SQLITE_ROW ? number(statement, 0) : 0;
  sqlite3_reset(statement);
  return value;
}

uint64_t box_dropped(box_t *box, uint64_t boot) {
  return one_number(use(box, SQL_DROPPED, boot));
}

uint64_t box_last_id(box_t *box) {
  sqlite3_reset(box->statements[SQL_LAST]);
  return one_number(box->statements[SQL_LAST]);
}

gantry_err_t box_shift(box_t *box, uint64_t by) {
  sqlite3_stmt *statement = NULL;
  static const char TEXT[] = "UPDATE batch SET id = id + ?1";
  GANTRY_TRY(err_of(sqlite3_prepare_v2(box->handle, TEXT, -1, &statement, NULL)));
  sqlite3_bind_int64(statement, 1, (sqlite3_int64)by);
  gantry_err_t err = err_of(sqlite3_step(statement));
  sqlite3_finalize(statement);
  return err;
}

box_totals_t box_get_totals(const box_t *box) {
  return box->totals;
}

const char *box_message(const box_t *box) {
  return box->handle ? sqlite3_errmsg(box->handle) : "out of memory";
}
