/* What the files of the checks share. */
#ifndef STORAGE_CHECK_INTERNAL_H
#define STORAGE_CHECK_INTERNAL_H

#include "check.h"

gantry_err_t check_tell(const progress_t *progress, const char *what, uint64_t done, uint64_t total,
                        gantry_fault_t *fault);
/* A statement that failed, in the database's words. */
gantry_err_t check_failed(db_t *db, gantry_err_t err, const char *table, gantry_fault_t *fault);
/* Ends a walk over rows: what stopped it, if not the last row. */
gantry_err_t check_ended(db_t *db, stmt_t *statement, gantry_err_t err, const char *table,
                         gantry_fault_t *fault);

#endif
