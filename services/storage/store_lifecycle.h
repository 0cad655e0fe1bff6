/* What the store offers lifecycle: deletion in steps, and the room it takes. The writer's thread.
 */
#ifndef STORAGE_STORE_LIFECYCLE_H
#define STORAGE_STORE_LIFECYCLE_H

#include "retention.h"
#include "store.h"

/* A pass of deletion over all tables. Zeroed memory is its beginning. */
typedef struct sweep {
  uint32_t rule;      /* table at work */
  uint32_t series;    /* and which of its series */
  int64_t from;       /* all before is done */
  uint32_t bite_rows; /* rows that fit into a bite */
} sweep_t;

typedef struct retain {
  const retention_t *policy;
  uint64_t now_us;
  int64_t purge_us; /* not 0: the policy rests, stream data before that time goes, except what
                       belongs to a session */
  uint32_t budget_us;
} retain_t;

/* Goes on with a pass for about budget_us (2 ms more at most, on a machine that runs freely), in a
   transaction that is not synced: what a power cut brings back is deleted again. *done at the end
   of the pass. No transaction may be open. Pinned sessions keep their rows, a raised alert stays,
   the newest boot of a producer keeps its mark. */
gantry_err_t store_retain(store_t *store, const retain_t *retain, sweep_t *sweep, uint64_t *deleted,
                          bool *done);
/* What is in force: the setting store.retention, and the options for what it leaves open. */
retention_t store_retention(store_t *store, const retention_t *options);
/* For the store of the writer: checkpoints of the SQLite file on a thread of their own. */
gantry_err_t store_checkpoint_apart(store_t *store);
/* The log of the SQLite file is carried over, soon: what was freed is free on the disk then, and a
   full disk has room for the steps that follow. */
void store_checkpoint(store_t *store);
/* The table that a pass is at. */
const char *store_sweeping(const sweep_t *sweep);
/* Bytes of the database that nothing uses. 0 on PostgreSQL, which cleans up by itself. */
uint64_t store_free_bytes(store_t *store);
/* Whether what is deleted shows in store_free_bytes at once. */
bool store_counts_free(const store_t *store);
/* Gives free pages back to the file system for about budget_us, down to kept_bytes; *done when
   there are no more, or the file cannot shrink. sweep carries its rhythm. */
gantry_err_t store_give_back(store_t *store, sweep_t *sweep, uint64_t kept_bytes,
                             uint32_t budget_us, bool *done);
/* Time of the oldest reading or pose, us; 0 without any. */
gantry_err_t store_oldest_stream(store_t *store, int64_t *oldest_us);
/* Whether the last write that failed found no room on the disk. */
bool store_is_full(const store_t *store);

#endif
