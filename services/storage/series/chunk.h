/* A chunk: rows of one series and one session, ordered by (ts, seq), as a few bytes each. Every
   value comes back as it was, bit by bit. Pure. */
#ifndef STORAGE_CHUNK_H
#define STORAGE_CHUNK_H

#include <gantry/buf.h>

#include "db_reading.h"
#include "shred.h"

#define CHUNK_ROWS_MAX 4096u
#define CHUNK_TEXT_MAX SHRED_TEXT_MAX /* bytes of all their JSON, NULs included */

/* zstd's memory, kept from chunk to chunk; one thread at a time. */
typedef struct chunk_coder chunk_coder_t;

/* NULL without memory. */
chunk_coder_t *chunk_coder_new(void);
void chunk_coder_destroy(chunk_coder_t **self);

/* Appends the chunk of 1 to CHUNK_ROWS_MAX rows. Their series and session are the caller's to keep.
   GANTRY_E_TOO_LARGE beyond the bounds above. */
gantry_err_t chunk_encode(chunk_coder_t *coder, const db_reading_t *rows, size_t count, buf_t *out);

/* The rows of a chunk; zeroed memory is empty. */
typedef struct chunk {
  db_reading_t *rows; /* owned */
  size_t count;
  buf_t texts; /* of their data */
} chunk_t;

/* Fills a zeroed chunk; series and session of its rows are 0. GANTRY_E_INVALID for bytes that are
   no chunk, whatever they are. */
gantry_err_t chunk_decode(chunk_coder_t *coder, const void *blob, size_t len, chunk_t *out);
/* Harmless on zeroed memory. */
void chunk_fini(chunk_t *chunk);

#endif
