/* Makes a backup: copy, seal, sum, publish. */
#include "backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db_sqlite_copy.h"
#include "migrate.h"
#include "seal.h"

#define PATH_SIZE (BACKUP_PATH_MAX + 32)

static gantry_err_t failed(gantry_fault_t *fault, const char *path) {
  return fault_set(fault, GANTRY_E_UNAVAILABLE, "file", "%s: %s", path, strerror(errno));
}

static gantry_err_t seal_part(const seal_key_t *key, const char *plain, const char *part,
                              const progress_t *progress, gantry_fault_t *fault) {
  int in = open(plain, O_RDONLY | O_CLOEXEC);
  int out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  gantry_err_t err = in >= 0 && out >= 0 ? seal_write(key, in, out, progress, fault)
                                         : failed(fault, in < 0 ? plain : part);
  if (in >= 0) close(in);
  if (out >= 0) close(out);
  return err;
}

/* What is not sealed never leaves the disk of the database: it is copied beside it first. */
static gantry_err_t make_sqlite(const backup_order_t *order, const seal_key_t *key,
                                const char *part, const progress_t *progress,
                                gantry_fault_t *fault) {
  char plain[PATH_SIZE], journal[PATH_SIZE + 16];
  mode_t mask = umask(0077);
  snprintf(plain, sizeof plain, "%.*s%s", BACKUP_PATH_MAX, key ? order->database : part,
           key ? ".backup-part" : "");
  if (key) unlink(plain); /* of one that was killed */
  gantry_err_t err = db_sqlite_copy(order->database, plain, progress, fault);
  umask(mask);
  if (err == GANTRY_OK && key) err = seal_part(key, plain, part, progress, fault);
  if (key || err != GANTRY_OK) {
    snprintf(journal, sizeof journal, "%s-journal", plain);
    unlink(plain);
    unlink(journal);
  }
  return err;
}

/* The dump goes through a pipe when it is sealed, so that nothing unsealed rests anywhere. */
static gantry_err_t make_pg(const backup_order_t *order, const seal_key_t *key, const char *part,
                            const progress_t *progress, gantry_fault_t *fault) {
  int out = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (out < 0) return failed(fault, part);
  gantry_err_t err = backup_pg_dump(order->database, key, out, progress, fault);
  close(out);
  return err;
}

static void describe(const backup_order_t *order, store_backup_manifest_t *manifest) {
  *manifest = (store_backup_manifest_t){.schema = migrations_of(order->kind)->count,
                                        .created = order->now_ns,
                                        .sealed = order->key_file[0] != '\0'};
  snprintf(manifest->backend, sizeof manifest->backend, "%s",
           order->kind == DB_SQLITE ? "sqlite" : "postgres");
  snprintf(manifest->program, sizeof manifest->program, "%s", GANTRY_VERSION);
}

gantry_err_t backup_make(const backup_order_t *order, const progress_t *progress,
                         store_backup_manifest_t *manifest, gantry_fault_t *fault) {
  char part[PATH_SIZE];
  seal_key_t key;
  bool sealed = order->key_file[0] != '\0';
  if (strlen(order->file) >= BACKUP_PATH_MAX)
    return fault_set(fault, GANTRY_E_INVALID, "file", "is longer than %d bytes", BACKUP_PATH_MAX);
  if (access(order->file, F_OK) == 0)
    return fault_set(fault, GANTRY_E_CONFLICT, "file", "%s exists already: choose another name",
                     order->file);
  if (sealed) GANTRY_TRY(seal_read_key(order->key_file, &key, fault));
  snprintf(part, sizeof part, "%s.part", order->file);
  unlink(part);
  describe(order, manifest);
  gantry_err_t err = order->kind == DB_SQLITE
                         ? make_sqlite(order, sealed ? &key : NULL, part, progress, fault)
                         : make_pg(order, sealed ? &key : NULL, part, progress, fault);
  if (err == GANTRY_OK) err = backup_file_sum(part, manifest, progress, fault);
  if (err == GANTRY_OK) err = backup_file_publish(part, order->file, manifest, fault);
  if (err != GANTRY_OK) unlink(part);
  return err;
}
