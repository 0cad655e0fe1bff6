/* Checkpoints beside the writer: a thread with a connection of its own carries the log into the
   file and syncs it; the writer finishes what came meanwhile, a few milliseconds, so that its log
   begins anew. A checkpoint at every thousandth page of the writer's own commits would hold it for
   all of them. */
#ifndef STORAGE_DB_SQLITE_CHECKPOINT_H
#define STORAGE_DB_SQLITE_CHECKPOINT_H

#include <gantry/err.h>
#include <sqlite3.h>

typedef struct db_checkpoint db_checkpoint_t;

/* Takes over the writer's commit hook. writer is borrowed and outlives the checkpoint. */
gantry_err_t db_checkpoint_new(sqlite3 *writer, db_checkpoint_t **out);
/* The log as it is now is to be carried over; waits for nothing. */
void db_checkpoint_ask(db_checkpoint_t *self);
/* Ends the thread. NULL-safe. */
void db_checkpoint_destroy(db_checkpoint_t **self);

#endif
