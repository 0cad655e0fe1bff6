/* SQLite's online backup. */
#include "db_sqlite_copy.h"

#include <sqlite3.h>
#include <stddef.h>

#define STEP_PAGES 256 /* a megabyte: some milliseconds */
#define BUSY_MS    5000

static gantry_err_t failed(sqlite3 *db, const char *path, gantry_fault_t *fault) {
  const char *why = db ? sqlite3_errmsg(db) : "out of memory";
  int code = db ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
    return fault_set(fault, GANTRY_E_INVALID, "file", "%s is damaged or no database: %s", path,
                     why);
  return fault_set(fault, GANTRY_E_UNAVAILABLE, "file", "%s: %s", path, why);
}

static gantry_err_t copy_pages(sqlite3 *source, sqlite3 *target, const progress_t *progress,
                               gantry_fault_t *fault) {
  sqlite3_backup *backup = sqlite3_backup_init(target, "main", source, "main");
  gantry_err_t err = GANTRY_OK;
  int result = SQLITE_OK;
  if (!backup) return GANTRY_E_UNAVAILABLE;
  while (err == GANTRY_OK && (result = sqlite3_backup_step(backup, STEP_PAGES)) == SQLITE_OK) {
    uint64_t total = (uint64_t)sqlite3_backup_pagecount(backup);
    uint64_t left = (uint64_t)sqlite3_backup_remaining(backup);
    if (progress && !progress->tell(progress->arg, "copying", total - left, total))
      err = fault_set(fault, GANTRY_E_REFUSED, "", "interrupted");
  }
  sqlite3_backup_finish(backup);
  if (err != GANTRY_OK) return err;
  return result == SQLITE_DONE ? GANTRY_OK : GANTRY_E_UNAVAILABLE;
}

static gantry_err_t copy(sqlite3 *source, sqlite3 *target, const char *from, const char *to,
                         const progress_t *progress, gantry_fault_t *fault) {
  sqlite3_busy_timeout(source, BUSY_MS);
  /* One state: while this transaction is open, no writer makes the copy begin anew. */
  if (sqlite3_exec(source, "BEGIN; SELECT count(*) FROM sqlite_master", NULL, NULL, NULL) !=
      SQLITE_OK)
    return failed(source, from, fault);
  gantry_err_t err = copy_pages(source, target, progress, fault);
  if (err == GANTRY_E_UNAVAILABLE) err = failed(target, to, fault);
  sqlite3_exec(source, "COMMIT", NULL, NULL, NULL);
  if (err == GANTRY_OK &&
      sqlite3_exec(target, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) != SQLITE_OK)
    err = failed(target, to, fault);
  return err;
}

gantry_err_t db_sqlite_copy(const char *from, const char *to, const progress_t *progress,
                            gantry_fault_t *fault) {
  sqlite3 *source = NULL, *target = NULL;
  gantry_err_t err;
  /* Not created, but open for writing: the WAL of a writer that died is taken in. */
  if (sqlite3_open_v2(from, &source, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
    err = failed(source, from, fault);
  else if (sqlite3_open_v2(to, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
           SQLITE_OK)
    err = failed(target, to, fault);
  else
    err = copy(source, target, from, to, progress, fault);
  sqlite3_close(target);
  sqlite3_close(source);
  return err;
}
