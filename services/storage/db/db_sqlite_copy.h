/* Copies an SQLite database while others write to it. */
#ifndef STORAGE_DB_SQLITE_COPY_H
#define STORAGE_DB_SQLITE_COPY_H

#include <gantry/err.h>

#include "progress.h"

/* Copies one state of the database at from into the file to, which is created, in small steps over
   connections of its own; writers go on meanwhile, and what they write stands in the WAL until it
   is done. The copy is one file, in journal mode DELETE, and synced. Blocks. GANTRY_E_REFUSED when
   progress said to stop; the caller removes what is left of the file then. */
gantry_err_t db_sqlite_copy(const char *from, const char *to, const progress_t *progress,
                            gantry_fault_t *fault);

#endif
