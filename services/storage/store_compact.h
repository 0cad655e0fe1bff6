/* Packing into chunks: a minute of a series and session after the other. The writer's thread. */
#ifndef STORAGE_STORE_COMPACT_H
#define STORAGE_STORE_COMPACT_H

#include "store.h"

/* Ages in seconds after which scans, and all other readings, are packed. 120 and 600 at first. */
void store_set_compaction(store_t *store, double scans_s, double others_s);
/* Packs for about budget_us, one piece of at most 2,048 readings at least, in a transaction that is
   not synced: what a power cut undoes is rows again. *done when nothing more is old enough.
   Readings that came when their minute was packed already stay rows until an hour has passed since.
   No transaction may be open. */
gantry_err_t store_compact_step(store_t *store, uint64_t now_us, uint32_t budget_us, bool *done);

#endif
