/* Readings that come when their minute is packed already: is one of them in a chunk, it is no news.
   The chunks of the minute that was asked for last stay unpacked, for late readings come together.
 */
#include <stdlib.h>

#include "store_chunk_queue.h"
#include "store_internal.h"

struct late {
  chunk_coder_t *coder;
  chunk_t *chunks; /* owned; of one minute of one series */
  size_t count, size;
  int64_t series, minute_us;
};

void store_late_forget(store_t *store) {
  late_t *late = store->late;
  for (size_t i = 0; late && i < late->count; i++)
    chunk_fini(&late->chunks[i]);
  if (late) late->count = 0;
  if (late) late->series = 0;
}

void store_late_fini(store_t *store) {
  store_late_forget(store);
  if (store->late) {
    chunk_coder_destroy(&store->late->coder);
    free(store->late->chunks);
  }
  free(store->late);
  store->late = NULL;
}

static gantry_err_t init(store_t *store) {
  if (store->late) return GANTRY_OK;
  store->late = calloc(1, sizeof *store->late);
  if (!store->late) return GANTRY_E_INTERNAL;
  store->late->coder = chunk_coder_new();
  if (store->late->coder) return GANTRY_OK;
  store_late_fini(store);
  return GANTRY_E_INTERNAL;
}

static gantry_err_t take_chunk(late_t *late, stmt_t *statement) {
  if (late->count == late->size) {
    size_t size = late->size + 16;
    chunk_t *chunks = realloc(late->chunks, size * sizeof *chunks);
    if (!chunks) return GANTRY_E_INTERNAL;
    late->chunks = chunks;
    late->size = size;
  }
  size_t len;
  const void *blob = db_get_blob(statement, 0, &len);
  late->chunks[late->count] = (chunk_t){0};
  GANTRY_TRY(chunk_decode(late->coder, blob, len, &late->chunks[late->count]));
  late->count++;
  return GANTRY_OK;
}

static gantry_err_t load(store_t *store, int64_t series, int64_t minute_us) {
  late_t *late = store->late;
  store_late_forget(store);
  stmt_t *statement = db_use(store->db, "SELECT blob FROM reading_chunk WHERE series = ?1"
                                        " AND start >= ?2 AND start < ?3");
  gantry_err_t err;
  db_bind_int(statement, 1, series);
  db_bind_int(statement, 2, minute_us);
  db_bind_int(statement, 3, minute_us + CHUNK_SPAN_US);
  while ((err = db_next(statement)) == GANTRY_OK)
    if ((err = take_chunk(late, statement)) != GANTRY_OK) break;
  db_reset(statement);
  if (err != GANTRY_E_NOT_FOUND) return err;
  late->series = series;
  late->minute_us = minute_us;
  return GANTRY_OK;
}

static bool holds(const chunk_t *chunk, const db_reading_t *row) {
  size_t low = 0, high = chunk->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (series_comes_before(&chunk->rows[middle], row, false))
      low = middle + 1;
    else
      high = middle;
  }
  return low < chunk->count && chunk->rows[low].ts_us == row->ts_us &&
         chunk->rows[low].seq == row->seq;
}

gantry_err_t store_is_packed(store_t *store, const db_reading_t *row, bool *packed) {
  int64_t minute_us = chunk_minute_us(row->ts_us);
  *packed = false;
  GANTRY_TRY(init(store));
  if (store->late->series != row->series || store->late->minute_us != minute_us)
    GANTRY_TRY(load(store, row->series, minute_us));
  for (size_t i = 0; i < store->late->count && !*packed; i++)
    *packed = holds(&store->late->chunks[i], row);
  return GANTRY_OK;
}
