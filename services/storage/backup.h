/* Backup and restore of a whole database. Both block for as long as the copy takes. */
#ifndef STORAGE_BACKUP_H
#define STORAGE_BACKUP_H

#include "backup_file.h"
#include "db.h"
#include "seal.h"

typedef struct backup_order {
  db_kind_t kind;
  const char *database; /* SQLite: its file; PostgreSQL: its DSN */
  const char *file;     /* of the backup */
  const char *key_file; /* seals it, or opens it; "" without */
  uint64_t now_ns;      /* wall time */
} backup_order_t;

/* Writes order->file, which may not exist, and its manifest, while others use the database. What it
   cannot finish it removes. GANTRY_E_REFUSED when progress said to stop. */
gantry_err_t backup_make(const backup_order_t *order, const progress_t *progress,
                         store_backup_manifest_t *manifest, gantry_fault_t *fault);

/* Puts the database of a backup in place of the present one: sum first, then integrity, then the
   exchange. The old database stays aside under the name written into aside. Refused while a storage
   runs on the database. Nothing is changed when it fails. */
gantry_err_t backup_restore(const backup_order_t *order, const progress_t *progress,
                            char aside[BACKUP_PATH_MAX], gantry_fault_t *fault);

/* PostgreSQL's own tools, as children without a shell; key NULL: not sealed. out and in are open
   files at their beginning. */
gantry_err_t backup_pg_dump(const char *dsn, const seal_key_t *key, int out,
                            const progress_t *progress, gantry_fault_t *fault);
gantry_err_t backup_pg_restore(const char *dsn, const seal_key_t *key, int in,
                               const progress_t *progress, gantry_fault_t *fault);

#endif
