/* Inside of the outbox: one SQLite database of batches, in a file or in memory. A batch is a run of
   records of one boot and one class. */
#ifndef GANTRY_OUTBOX_BOX_H
#define GANTRY_OUTBOX_BOX_H

#include <gantry/err.h>
#include <stddef.h>
#include <stdint.h>

typedef struct box box_t;

typedef struct batch {
  uint64_t id;
  uint64_t boot, first, last; /* numbers of its first and last record */
  uint32_t records;
  bool kept;            /* never dropped for room */
  const uint8_t *bytes; /* borrowed */
  size_t len;
} batch_t;

typedef struct box_totals {
  uint64_t bytes, kept_bytes, records;
} box_totals_t;

/* Opens or creates; path ":memory:" lies in memory. GANTRY_E_INVALID for a file that is damaged or
   no outbox, GANTRY_E_UNAVAILABLE for one that cannot be opened or is in use. The fault says so. */
gantry_err_t box_open(const char *path, box_t **out, gantry_fault_t *fault);
/* NULL-safe. */
void box_close(box_t **self);

gantry_err_t box_begin(box_t *box);
/* On disk when it returns GANTRY_OK; otherwise to be rolled back. */
gantry_err_t box_commit(box_t *box);
void box_rollback(box_t *box);
/* Takes a long log over into the file. Not needed for anything but room, and slow: when nobody
   waits. One that fails is tried again after the next commit. */
void box_checkpoint(box_t *box);
gantry_err_t box_insert(box_t *box, const batch_t *batch);
/* The first batch after id; its bytes are valid until the next call on this box.
   GANTRY_E_NOT_FOUND: none. */
gantry_err_t box_next(box_t *box, uint64_t id, batch_t *out);
/* Deletes batches up to id. Within a transaction, as insert and drop. */
gantry_err_t box_delete(box_t *box, uint64_t id);
/* Deletes the oldest batch that is not kept and counts its records as dropped; GANTRY_E_NOT_FOUND
   when there is none. */
gantry_err_t box_drop(box_t *box, batch_t *dropped);
/* Records of that boot that were dropped. */
uint64_t box_dropped(box_t *box, uint64_t boot);
gantry_err_t box_add_dropped(box_t *box, uint64_t boot, uint64_t records);
uint64_t box_last_id(box_t *box);
/* Moves the ids of all batches up, by at least box_last_id. A transaction of its own. */
gantry_err_t box_shift(box_t *box, uint64_t by);
box_totals_t box_get_totals(const box_t *box);
const char *box_message(const box_t *box);

#endif
