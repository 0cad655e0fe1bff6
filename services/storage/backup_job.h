/* Backups of the running service: one at a time, on a thread of their own. */
#ifndef STORAGE_BACKUP_JOB_H
#define STORAGE_BACKUP_JOB_H

#include <messages.h>

#include "backup.h"

typedef struct backup_job backup_job_t;

/* database: the SQLite file or the DSN; folder: where backups go that have no name. Both are
 * copied. */
gantry_err_t backup_job_new(db_kind_t kind, const char *database, const char *folder,
                            backup_job_t **out);
/* What seals backups that are given neither a file nor a key: those of the owner's own folder. */
void backup_job_seal_by(backup_job_t *job, const char *key_file);
/* Ends what is under way; nothing is left of it. */
void backup_job_destroy(backup_job_t **self);

/* Begins one. file and key_file as in store.backup. GANTRY_E_CONFLICT while one is under way. */
gantry_err_t backup_job_start(backup_job_t *job, const char *file, const char *key_file,
                              uint64_t now_ns, gantry_fault_t *fault);
void backup_job_cancel(backup_job_t *job);
/* Any thread may ask. */
void backup_job_get(backup_job_t *job, store_backup_state_t *out);

#endif
