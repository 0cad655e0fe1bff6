/* One piece of packing: rows of one minute and session become a chunk, together with the chunk that
   is there. */
#ifndef STORAGE_STORE_PIECE_H
#define STORAGE_STORE_PIECE_H

#include "store.h"

typedef struct piece {
  int64_t series, session, minute_us;
  int64_t first_us, to_us; /* rows with first_us <= ts < to_us */
  int64_t start_us;        /* of its chunk */
  bool has_chunk;          /* one is there: its rows are merged in */
  int64_t last_us;         /* of that chunk's rows */
  int64_t packed_us;       /* when it was written */
  bool more;               /* out: rows are left that did not fit */
} piece_t;

typedef struct piece_work piece_work_t;

/* In the open transaction. GANTRY_E_TOO_LARGE, and nothing is changed, when more rows of one
   instant than fit into a chunk stand in the way. */
gantry_err_t piece_pack(store_t *store, piece_t *piece, int64_t now_us);
/* NULL-safe. */
void piece_work_destroy(piece_work_t **self);

#endif
