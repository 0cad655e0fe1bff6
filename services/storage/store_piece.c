/* Rows in, merged with the chunk's, cut where the time changes, chunks out, rows deleted. */
#include "store_piece.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store_chunk_queue.h"
#include "store_internal.h"

#define PIECE_ROWS_MAX 2048u /* a few milliseconds */
#define MERGED_MAX     (PIECE_ROWS_MAX + CHUNK_ROWS_MAX)

struct piece_work {
  chunk_coder_t *coder;
  chunk_t chunk; /* that is there */
  arena_t texts;
  db_reading_t rows[PIECE_ROWS_MAX];
  size_t count;
  db_reading_t merged[MERGED_MAX];
  size_t merged_count;
  buf_t blob;
};

void piece_work_destroy(piece_work_t **self) {
  piece_work_t *work = *self;
  if (!work) return;
  chunk_coder_destroy(&work->coder);
  chunk_fini(&work->chunk);
  arena_fini(&work->texts);
  buf_fini(&work->blob);
  free(work);
  *self = NULL;
}

static gantry_err_t prepare(store_t *store) {
  if (!store->piece_work) {
    store->piece_work = calloc(1, sizeof *store->piece_work);
    if (store->piece_work) store->piece_work->coder = chunk_coder_new();
    if (!store->piece_work || !store->piece_work->coder) {
      piece_work_destroy(&store->piece_work);
      return GANTRY_E_INTERNAL;
    }
  }
  chunk_fini(&store->piece_work->chunk);
  arena_fini(&store->piece_work->texts);
  store->piece_work->count = 0;
  return GANTRY_OK;
}

static size_t text_bytes(const db_reading_t *row) {
  return row->data ? strlen(row->data) + 1 : 0;
}

/* What is left out begins at next_us: of one instant all rows are taken, or none. */
static gantry_err_t cut_back(piece_work_t *work, int64_t next_us) {
  while (work->count && work->rows[work->count - 1].ts_us == next_us)
    work->count--;
  return work->count ? GANTRY_OK : GANTRY_E_TOO_LARGE;
}

static gantry_err_t take_rows(piece_work_t *work, stmt_t *statement, piece_t *piece) {
  size_t bytes = 0;
  gantry_err_t err;
  while ((err = db_next(statement)) == GANTRY_OK) {
    db_reading_t row;
    GANTRY_TRY(series_row(statement, &work->texts, &row));
    row.series = piece->series;
    bytes += text_bytes(&row);
    piece->more = work->count == PIECE_ROWS_MAX || bytes > CHUNK_TEXT_MAX;
    if (piece->more) return cut_back(work, row.ts_us);
    work->rows[work->count++] = row;
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

static gantry_err_t read_rows(store_t *store, piece_t *piece) {
  stmt_t *statement =
      db_use(store->db, "SELECT " SERIES_ROW_COLUMNS " FROM reading WHERE series = ?1 AND ts >= ?2"
                        " AND ts < ?3 AND coalesce(session, 0) = ?4 ORDER BY ts, seq LIMIT ?5");
  db_bind_int(statement, 1, piece->series);
  db_bind_int(statement, 2, piece->first_us);
  db_bind_int(statement, 3, piece->to_us);
  db_bind_int(statement, 4, piece->session);
  db_bind_int(statement, 5, PIECE_ROWS_MAX + 1);
  gantry_err_t err = take_rows(store->piece_work, statement, piece);
  db_reset(statement);
  return err;
}

static gantry_err_t read_chunk(store_t *store, const piece_t *piece) {
  stmt_t *statement = db_use(store->db, "SELECT blob FROM reading_chunk WHERE series = ?1 AND"
                                        " start = ?2 AND session = ?3");
  size_t len;
  db_bind_int(statement, 1, piece->series);
  db_bind_int(statement, 2, piece->start_us);
  db_bind_int(statement, 3, piece->session);
  GANTRY_TRY(db_next(statement));
  const void *blob = db_get_blob(statement, 0, &len);
  gantry_err_t err = chunk_decode(store->piece_work->coder, blob, len, &store->piece_work->chunk);
  db_reset(statement);
  return err;
}

/* A row that the chunk has, too, is one. */
static void merge(piece_work_t *work) {
  const db_reading_t *a = work->rows, *a_end = a + work->count;
  const db_reading_t *b = work->chunk.rows, *b_end = b ? b + work->chunk.count : b;
  db_reading_t *out = work->merged;
  while (a < a_end || b < b_end) {
    if (b == b_end || (a < a_end && series_comes_before(a, b, false))) {
      *out++ = *a++;
    } else {
      if (a < a_end && !series_comes_before(b, a, false)) a++;
      *out++ = *b++;
    }
  }
  work->merged_count = (size_t)(out - work->merged);
}

/* Rows from `from` on that make one chunk; 0 when those of one instant are too many. */
static size_t chunk_rows(const piece_work_t *work, size_t from) {
  size_t bytes = 0, to = from;
  while (to < work->merged_count && to - from < PIECE_ROWS_MAX) {
    bytes += text_bytes(&work->merged[to]);
    if (bytes > CHUNK_TEXT_MAX) break;
    to++;
  }
  if (to < work->merged_count)
    while (to > from && work->merged[to - 1].ts_us == work->merged[to].ts_us)
      to--;
  return to - from;
}

static void bind_numbers(stmt_t *statement, const db_reading_t *rows, size_t count) {
  rollup_t numbers = {0};
  for (size_t i = 0; i < count; i++)
    if (rows[i].has_value && isfinite(rows[i].value))
      rollup_add(&numbers, rows[i].ts_us, rows[i].value);
  db_bind_opt_real(statement, 6, numbers.rows > 0, numbers.min);
  db_bind_opt_real(statement, 7, numbers.rows > 0, numbers.max);
  db_bind_opt_real(statement, 8, numbers.rows > 0, numbers.sum);
}

static gantry_err_t write_chunk(store_t *store, const piece_t *piece, const db_reading_t *rows,
                                size_t count, int64_t now_us) {
  piece_work_t *work = store->piece_work;
  buf_reset(&work->blob);
  GANTRY_TRY(chunk_encode(work->coder, rows, count, &work->blob));
  stmt_t *statement =
      db_use(store->db, "INSERT INTO reading_chunk (series, start, rows, first_ts, last_ts, min,"
                        " max, sum, session, packed, blob) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
                        " ?8, ?9, ?10, ?11)");
  db_bind_int(statement, 1, piece->series);
  db_bind_int(statement, 2, rows == work->merged ? piece->start_us : rows[0].ts_us);
  db_bind_int(statement, 3, (int64_t)count);
  db_bind_int(statement, 4, rows[0].ts_us);
  db_bind_int(statement, 5, rows[count - 1].ts_us);
  bind_numbers(statement, rows, count);
  db_bind_int(statement, 9, piece->session);
  db_bind_int(statement, 10, now_us);
  db_bind_blob(statement, 11, work->blob.data, work->blob.len);
  return db_finish(statement);
}

static gantry_err_t delete_chunk(store_t *store, const piece_t *piece) {
  stmt_t *statement = db_use(store->db, "DELETE FROM reading_chunk WHERE series = ?1 AND"
                                        " start = ?2 AND session = ?3");
  db_bind_int(statement, 1, piece->series);
  db_bind_int(statement, 2, piece->start_us);
  db_bind_int(statement, 3, piece->session);
  return db_finish(statement);
}

static gantry_err_t delete_rows(store_t *store, const piece_t *piece) {
  const piece_work_t *work = store->piece_work;
  stmt_t *statement = db_use(store->db, "DELETE FROM reading WHERE series = ?1 AND ts >= ?2"
                                        " AND ts <= ?3 AND coalesce(session, 0) = ?4");
  db_bind_int(statement, 1, piece->series);
  db_bind_int(statement, 2, work->rows[0].ts_us);
  db_bind_int(statement, 3, work->rows[work->count - 1].ts_us);
  db_bind_int(statement, 4, piece->session);
  GANTRY_TRY(db_finish(statement));
  return db_changes(store->db) == work->count ? GANTRY_OK : GANTRY_E_INTERNAL;
}

gantry_err_t piece_pack(store_t *store, piece_t *piece, int64_t now_us) {
  GANTRY_TRY(prepare(store));
  piece_work_t *work = store->piece_work;
  GANTRY_TRY(read_rows(store, piece));
  if (piece->has_chunk) GANTRY_TRY(read_chunk(store, piece));
  merge(work);
  for (size_t at = 0, count; at < work->merged_count; at += count)
    if ((count = chunk_rows(work, at)) == 0) return GANTRY_E_TOO_LARGE;
  if (piece->has_chunk) GANTRY_TRY(delete_chunk(store, piece));
  for (size_t at = 0, count; at < work->merged_count; at += count) {
    count = chunk_rows(work, at);
    GANTRY_TRY(write_chunk(store, piece, &work->merged[at], count, now_us));
  }
  return delete_rows(store, piece);
}
