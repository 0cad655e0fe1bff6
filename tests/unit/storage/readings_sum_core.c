/* See readings_sum.h. */
#include "chunk.h"
#include "readings_sum.h"
#include "store_series.h"

#include <string.h>

static uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 29;
}

static uint64_t hash_of(const db_reading_t *row) {
  uint64_t bits, hash = mix(mix(1, (uint64_t)row->ts_us), (uint64_t)row->seq);
  memcpy(&bits, &row->value, sizeof bits);
  hash = mix(hash, row->has_value ? bits : 1);
  for (const char *at = row->data; at && *at; at++)
    hash = mix(hash, (uint8_t)*at);
  return hash;
}

static reading_sum_t *sum_of(reading_sum_t *sums, size_t *count, int64_t series) {
  for (size_t i = 0; i < *count; i++)
    if (sums[i].series == series) return &sums[i];
  if (*count == READING_SUMS_MAX) return NULL;
  sums[*count] = (reading_sum_t){.series = series};
  return &sums[(*count)++];
}

static gantry_err_t add_rows(db_t *db, reading_sum_t *sums, size_t *count) {
  stmt_t *statement = db_use(db, "SELECT " SERIES_ROW_COLUMNS ", series FROM reading");
  gantry_err_t err;
  while ((err = db_next(statement)) == GANTRY_OK) {
    arena_t texts = {0};
    db_reading_t row;
    reading_sum_t *sum = sum_of(sums, count, db_get_int(statement, 8));
    err = sum ? series_row(statement, &texts, &row) : GANTRY_E_TOO_LARGE;
    if (err == GANTRY_OK) {
      sum->rows++;
      sum->hash += hash_of(&row);
    }
    arena_fini(&texts);
    if (err != GANTRY_OK) break;
  }
  db_reset(statement);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

static gantry_err_t add_chunk(chunk_coder_t *coder, stmt_t *statement, reading_sum_t *sum) {
  size_t len;
  chunk_t chunk = {0};
  const void *blob = db_get_blob(statement, 2, &len);
  GANTRY_TRY(chunk_decode(coder, blob, len, &chunk));
  bool whole = chunk.count == db_get_u64(statement, 1);
  sum->packed += chunk.count;
  for (size_t i = 0; i < chunk.count; i++)
    sum->hash += hash_of(&chunk.rows[i]);
  chunk_fini(&chunk);
  return whole ? GANTRY_OK : GANTRY_E_INVALID;
}

static gantry_err_t add_chunks(db_t *db, chunk_coder_t *coder, reading_sum_t *sums, size_t *count) {
  stmt_t *statement = db_use(db, "SELECT series, rows, blob FROM reading_chunk");
  gantry_err_t err;
  while ((err = db_next(statement)) == GANTRY_OK) {
    reading_sum_t *sum = sum_of(sums, count, db_get_int(statement, 0));
    err = sum ? add_chunk(coder, statement, sum) : GANTRY_E_TOO_LARGE;
    if (err != GANTRY_OK) break;
  }
  db_reset(statement);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

gantry_err_t readings_sum(db_t *db, reading_sum_t *sums, size_t *count) {
  *count = 0;
  chunk_coder_t *coder = chunk_coder_new();
  if (!coder) return GANTRY_E_INTERNAL;
  gantry_err_t err = add_rows(db, sums, count);
  if (err == GANTRY_OK) err = add_chunks(db, coder, sums, count);
  chunk_coder_destroy(&coder);
  return err;
}
