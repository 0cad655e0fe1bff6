/* One storage at a time on one SQLite file: a lock file beside it, which the system lets go when
   its holder dies. */
#ifndef STORAGE_DB_LOCK_H
#define STORAGE_DB_LOCK_H

#include <gantry/err.h>

/* Takes the lock of the database at path; the descriptor to give back, or -1 and a fault:
   GANTRY_E_CONFLICT while somebody else holds it. */
int db_lock(const char *path, gantry_fault_t *fault);
/* Harmless for -1. */
void db_unlock(const char *path, int *lock);

#endif
