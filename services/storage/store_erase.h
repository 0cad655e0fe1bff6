/* Sessions that were deleted: their readings go in steps. */
#ifndef STORAGE_STORE_ERASE_H
#define STORAGE_STORE_ERASE_H

#include "rollup.h"
#include "store_lifecycle.h"

/* Goes on with it for about budget_us, in a transaction that is not synced: what a power cut brings
   back is deleted again. Readings go with what roll-ups count of them, at last the figures and the
   session's own row. *done when no deleted session is left. No transaction may be open. */
gantry_err_t store_erase_step(store_t *store, sweep_t *sweep, uint32_t budget_us, uint64_t *deleted,
                              bool *done);
/* Whether there is a deleted session, as far as this store has heard. */
bool store_is_erasing(const store_t *store);

/* Takes what went out of a bucket of a minute out of the roll-ups of every tier. */
gantry_err_t store_unroll(store_t *store, const rollup_t *gone);
/* Nothing more goes from that minute: what is left of it, of its hour and its day is made anew,
   where all that they count is still there. */
gantry_err_t store_unroll_end(store_t *store, int64_t series, int64_t minute_us);

#endif
