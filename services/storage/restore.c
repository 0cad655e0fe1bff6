/* Puts a backup in place of the database. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "check.h"
#include "db_lock.h"
#include "migrate.h"

#define PATH_SIZE   (BACKUP_PATH_MAX + 48)
#define LEAVE_TRIES 20
#define LEAVE_MS    100

static gantry_err_t failed(gantry_fault_t *fault, const char *path) {
  return fault_set(fault, GANTRY_E_UNAVAILABLE, "file", "%s: %s", path, strerror(errno));
}

static gantry_err_t check_manifest(const backup_order_t *order,
                                   const store_backup_manifest_t *manifest, gantry_fault_t *fault) {
  const char *backend = order->kind == DB_SQLITE ? "sqlite" : "postgres";
  if (strcmp(manifest->backend, backend) != 0)
    return fault_set(fault, GANTRY_E_INVALID, "file",
                     "%s is a backup of %s and cannot be put into %s", order->file,
                     manifest->backend, backend);
  if (manifest->schema > migrations_of(order->kind)->count)
    return fault_set(fault, GANTRY_E_INVALID, "file",
                     "%s has schema version %u, this program knows up to %u: use a newer program",
                     order->file, manifest->schema, migrations_of(order->kind)->count);
  if (manifest->sealed && !order->key_file[0])
    return fault_set(fault, GANTRY_E_INVALID, "key_file",
                     "%s is sealed: give the key file it was sealed with", order->file);
  return GANTRY_OK;
}

static gantry_err_t copy_file(int in, int out, const progress_t *progress, gantry_fault_t *fault) {
  struct stat status;
  if (fstat(in, &status) != 0) return failed(fault, "backup");
  for (off_t at = 0; at < status.st_size;) {
    ssize_t n = sendfile(out, in, &at, 1u << 20);
    if (n <= 0) return failed(fault, "copying");
    if (progress &&
        !progress->tell(progress->arg, "copying", (uint64_t)at, (uint64_t)status.st_size))
      return fault_set(fault, GANTRY_E_REFUSED, "", "interrupted");
  }
  return GANTRY_OK;
}

/* key NULL: not sealed. */
static gantry_err_t unpack_file(const backup_order_t *order, const seal_key_t *key,
                                const char *fresh, const progress_t *progress,
                                gantry_fault_t *fault) {
  int in = open(order->file, O_RDONLY | O_CLOEXEC);
  int out = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  gantry_err_t err = GANTRY_OK;
  if (in < 0 || out < 0)
    err = failed(fault, in < 0 ? order->file : fresh);
  else
    err = key ? seal_read(key, in, out, progress, fault) : copy_file(in, out, progress, fault);
  if (in >= 0) close(in);
  if (out >= 0) close(out);
  return err == GANTRY_OK ? backup_file_sync(fresh, fault) : err;
}

static gantry_err_t check_fresh(const char *fresh, const progress_t *progress,
                                gantry_fault_t *fault) {
  db_t *db = NULL;
  GANTRY_TRY(db_sqlite_open(fresh, &db, fault));
  gantry_err_t err = check_integrity(db, progress, fault);
  db_close(&db);
  return err;
}

/* The first free name: DATABASE.before-restore, DATABASE.before-restore-2, ... */
static void choose_aside(const char *database, char aside[BACKUP_PATH_MAX]) {
  snprintf(aside, BACKUP_PATH_MAX, "%.1200s.before-restore", database);
  for (unsigned i = 2; access(aside, F_OK) == 0; i++)
    snprintf(aside, BACKUP_PATH_MAX, "%.1200s.before-restore-%u", database, i);
}

/* A database is its file and what SQLite keeps beside it. */
static gantry_err_t move_database(const char *from, const char *to, gantry_fault_t *fault) {
  static const char *const SUFFIXES[] = {"-wal", "-shm", ""};
  for (size_t i = 0; i < sizeof SUFFIXES / sizeof *SUFFIXES; i++) {
    char old[PATH_SIZE], new[PATH_SIZE];
    snprintf(old, sizeof old, "%.*s%s", BACKUP_PATH_MAX, from, SUFFIXES[i]);
    snprintf(new, sizeof new, "%.*s%s", BACKUP_PATH_MAX, to, SUFFIXES[i]);
    if (rename(old, new) != 0 && errno != ENOENT) return failed(fault, old);
  }
  return GANTRY_OK;
}

static void remove_database(const char *path) {
  static const char *const SUFFIXES[] = {"-wal", "-shm", "-journal", ""};
  char name[PATH_SIZE];
  for (size_t i = 0; i < sizeof SUFFIXES / sizeof *SUFFIXES; i++) {
    snprintf(name, sizeof name, "%.*s%s", BACKUP_PATH_MAX, path, SUFFIXES[i]);
    unlink(name);
  }
}

static gantry_err_t exchange(const char *database, const char *fresh, char aside[BACKUP_PATH_MAX],
                             gantry_fault_t *fault) {
  aside[0] = '\0';
  if (access(database, F_OK) == 0) {
    choose_aside(database, aside);
    GANTRY_TRY(move_database(database, aside, fault));
  }
  gantry_err_t err = move_database(fresh, database, fault);
  if (err != GANTRY_OK && aside[0]) (void)move_database(aside, database, NULL);
  return err == GANTRY_OK ? backup_file_sync_folder(database, fault) : err;
}

static gantry_err_t restore_sqlite(const backup_order_t *order, const seal_key_t *key,
                                   const progress_t *progress, char aside[BACKUP_PATH_MAX],
                                   gantry_fault_t *fault) {
  char fresh[BACKUP_PATH_MAX];
  int lock = db_lock(order->database, fault);
  if (lock < 0) return fault->err;
  snprintf(fresh, sizeof fresh, "%.1200s.restoring", order->database);
  remove_database(fresh);
  gantry_err_t err = unpack_file(order, key, fresh, progress, fault);
  if (err == GANTRY_OK) err = check_fresh(fresh, progress, fault);
  if (err == GANTRY_OK) err = exchange(order->database, fresh, aside, fault);
  if (err != GANTRY_OK) remove_database(fresh);
  db_unlock(order->database, &lock);
  return err;
}

static gantry_err_t see_others(db_t *db, char *who, size_t size) {
  stmt_t *statement =
      db_use(db, "SELECT application_name FROM pg_stat_activity WHERE datname ="
                 " current_database() AND pid <> pg_backend_pid() AND backend_type ="
                 " 'client backend' LIMIT 1");
  gantry_err_t err = db_next(statement);
  who[0] = '\0';
  if (err == GANTRY_OK) db_get_text(statement, 0, who, size);
  db_reset(statement);
  return err;
}

/* Whoever is connected would find other tables under its hands. */
static gantry_err_t check_alone(db_t *db, gantry_fault_t *fault) {
  char who[64];
  gantry_err_t err = see_others(db, who, sizeof who);
  /* The server shows a connection for a moment after it was closed. */
  for (int i = 0; i < LEAVE_TRIES && err == GANTRY_OK; i++) {
    (void)poll(NULL, 0, LEAVE_MS);
    err = see_others(db, who, sizeof who);
  }
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  if (err != GANTRY_OK) return fault_set(fault, err, "dsn", "cannot see who is connected");
  return fault_set(fault, GANTRY_E_CONFLICT, "dsn",
                   "`%s` is connected to the database: stop storage and what else uses it first",
                   who[0] ? who : "somebody");
}

/* Names of at most 63 bytes, quoted where they have to be. */
typedef struct schemas {
  char present[160];
  char aside[32]; /* before_restore, before_restore_2, ...: the first that is free */
} schemas_t;

static gantry_err_t choose_schemas(db_t *db, schemas_t *schemas, gantry_fault_t *fault) {
  gantry_err_t err = GANTRY_OK;
  stmt_t *statement = db_use(db, "SELECT quote_ident(current_schema())");
  err = db_next(statement);
  if (err == GANTRY_OK) db_get_text(statement, 0, schemas->present, sizeof schemas->present);
  db_reset(statement);
  for (unsigned i = 1; err == GANTRY_OK; i++) {
    snprintf(schemas->aside, sizeof schemas->aside, i > 1 ? "before_restore_%u" : "before_restore",
             i);
    statement = db_use(db, "SELECT 1 FROM pg_namespace WHERE nspname = ?1");
    db_bind_text(statement, 1, schemas->aside);
    err = db_next(statement);
    db_reset(statement);
  }
  if (err == GANTRY_E_NOT_FOUND && schemas->present[0]) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_UNAVAILABLE, "dsn", "cannot see the schema: %s", db_message(db));
}

static gantry_err_t rename_schema(db_t *db, const char *from, const char *to,
                                  gantry_fault_t *fault) {
  char text[320];
  snprintf(text, sizeof text, "ALTER SCHEMA %s RENAME TO %s", from, to);
  return db_exec(db, text, fault);
}

/* The archive makes its own schema, but takes `public` for granted. */
static gantry_err_t set_aside(db_t *db, const schemas_t *schemas, gantry_fault_t *fault) {
  gantry_err_t err = db_begin(db);
  if (err == GANTRY_OK) err = rename_schema(db, schemas->present, schemas->aside, fault);
  if (err == GANTRY_OK && strcmp(schemas->present, "public") == 0)
    err = db_exec(db, "CREATE SCHEMA public", fault);
  if (err == GANTRY_OK) err = db_commit(db);
  if (err != GANTRY_OK) db_rollback(db);
  return err;
}

static void put_back(db_t *db, const schemas_t *schemas) {
  char text[320];
  snprintf(text, sizeof text, "DROP SCHEMA IF EXISTS %s CASCADE", schemas->present);
  bool done = db_begin(db) == GANTRY_OK && db_exec(db, text, NULL) == GANTRY_OK &&
              rename_schema(db, schemas->aside, schemas->present, NULL) == GANTRY_OK &&
              db_commit(db) == GANTRY_OK;
  if (!done) db_rollback(db);
}

/* The schema that is there stays under another name; the archive goes in as one transaction. */
static gantry_err_t exchange_schema(db_t *db, const backup_order_t *order, const seal_key_t *key,
                                    const progress_t *progress, char aside[BACKUP_PATH_MAX],
                                    gantry_fault_t *fault) {
  schemas_t schemas = {0};
  GANTRY_TRY(check_alone(db, fault));
  GANTRY_TRY(choose_schemas(db, &schemas, fault));
  int in = open(order->file, O_RDONLY | O_CLOEXEC);
  if (in < 0) return failed(fault, order->file);
  gantry_err_t err = set_aside(db, &schemas, fault);
  if (err == GANTRY_OK) {
    err = backup_pg_restore(order->database, key, in, progress, fault);
    if (err != GANTRY_OK) put_back(db, &schemas);
  }
  close(in);
  if (err == GANTRY_OK) snprintf(aside, BACKUP_PATH_MAX, "schema %s", schemas.aside);
  return err;
}

static gantry_err_t restore_pg(const backup_order_t *order, const seal_key_t *key,
                               const progress_t *progress, char aside[BACKUP_PATH_MAX],
                               gantry_fault_t *fault) {
  db_t *db = NULL;
  GANTRY_TRY(db_pg_open(order->database, &db, fault));
  gantry_err_t err = exchange_schema(db, order, key, progress, aside, fault);
  db_close(&db);
  return err;
}

gantry_err_t backup_restore(const backup_order_t *order, const progress_t *progress,
                            char aside[BACKUP_PATH_MAX], gantry_fault_t *fault) {
  store_backup_manifest_t manifest = {0};
  seal_key_t key;
  aside[0] = '\0';
  GANTRY_TRY(backup_file_verify(order->file, &manifest, progress, fault));
  GANTRY_TRY(check_manifest(order, &manifest, fault));
  if (manifest.sealed) GANTRY_TRY(seal_read_key(order->key_file, &key, fault));
  const seal_key_t *sealed = manifest.sealed ? &key : NULL;
  return order->kind == DB_SQLITE ? restore_sqlite(order, sealed, progress, aside, fault)
                                  : restore_pg(order, sealed, progress, aside, fault);
}
