/* The files of a backup: FILE, and FILE.manifest beside it that says what it is. */
#ifndef STORAGE_BACKUP_FILE_H
#define STORAGE_BACKUP_FILE_H

#include <messages.h>

#include "progress.h"

#define BACKUP_PATH_MAX 1280

/* SHA-256 and length of a file. GANTRY_E_REFUSED when progress said to stop. */
gantry_err_t backup_file_sum(const char *path, store_backup_manifest_t *manifest,
                             const progress_t *progress, gantry_fault_t *fault);
/* Syncs part, writes the manifest and gives both their names, the manifest first: a file that is
   there is complete. GANTRY_E_CONFLICT when FILE exists; part stays then. */
gantry_err_t backup_file_publish(const char *part, const char *file,
                                 const store_backup_manifest_t *manifest, gantry_fault_t *fault);
/* Reads the manifest of FILE and compares length and sum. GANTRY_E_INVALID says what does not hold.
 */
gantry_err_t backup_file_verify(const char *file, store_backup_manifest_t *manifest,
                                const progress_t *progress, gantry_fault_t *fault);
/* Syncs a file, and the folder of a path. */
gantry_err_t backup_file_sync(const char *path, gantry_fault_t *fault);
gantry_err_t backup_file_sync_folder(const char *path, gantry_fault_t *fault);

#endif
