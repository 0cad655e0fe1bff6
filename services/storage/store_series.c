/* Merges the rows of the table with those of its chunks. Rows come page by page; a page is read out
   at once, so that no statement stays busy. */
#include "store_series.h"

#include <math.h>
#include <messages.h>
#include <stdlib.h>
#include <string.h>

#include "bulk.h"
#include "store_chunk_queue.h"

#define PAGE_ROWS_MIN 16u
#define PAGE_ROWS_MAX 512u
#define NUMBERS_MAX   50000u     /* of a page of numbers alone */
#define PAGE_TEXT_MAX (1u << 20) /* bytes of JSON after which a page ends early */

struct series_read {
  db_t *db;
  series_span_t span;
  chunk_queue_t *chunks; /* owned */
  arena_t texts;         /* of its rows */
  uint32_t count, at;
  uint32_t page_rows;          /* at most, of a page */
  bool ended;                  /* the last page is here */
  int64_t page_us, page_seq;   /* the next page begins behind */
  int64_t given_us, given_seq; /* key of the row given last */
  bool has_given;
  db_reading_t rows[]; /* the page; many series may be read side by side: no larger than asked */
};

/* One bound of ts a side: of two, SQLite may walk from the farther one, at every page anew. */
static stmt_t *page_query(series_read_t *read) {
  const series_span_t *span = &read->span;
  stmt_t *statement =
      span->newest_first
          ? db_use(read->db, "SELECT " SERIES_ROW_COLUMNS " FROM reading"
                             " WHERE series = ?1 AND ts >= ?2 AND ts <= ?3 AND (ts, seq) < (?3, ?4)"
                             " AND coalesce(session, 0) BETWEEN ?5 AND ?6"
                             " ORDER BY ts DESC, seq DESC LIMIT ?7")
          : db_use(read->db, "SELECT " SERIES_ROW_COLUMNS " FROM reading"
                             " WHERE series = ?1 AND ts < ?2 AND ts >= ?3 AND (ts, seq) > (?3, ?4)"
                             " AND coalesce(session, 0) BETWEEN ?5 AND ?6"
                             " ORDER BY ts, seq LIMIT ?7");
  db_bind_int(statement, 1, span->series);
  db_bind_int(statement, 2, span->newest_first ? span->from_us : span->to_us);
  db_bind_int(statement, 3, read->page_us);
  db_bind_int(statement, 4, read->page_seq);
  db_bind_int(statement, 5, span->session ? span->session : INT64_MIN);
  db_bind_int(statement, 6, span->session ? span->session : INT64_MAX);
  db_bind_int(statement, 7, read->page_rows);
  return statement;
}

#define NUMBERS                                                                                    \
  "SELECT ts, seq, value FROM reading WHERE series = ?1 AND ts >= ?2 AND ts < ?3"                  \
  " AND value IS NOT NULL"

static gantry_err_t ask_numbers(series_read_t *read, const char *text) {
  size_t count;
  stmt_t *statement = db_use(read->db, text);
  db_bind_int(statement, 1, read->span.series);
  db_bind_int(statement, 2, read->span.from_us);
  db_bind_int(statement, 3, read->span.to_us);
  db_bind_int(statement, 4, read->page_rows);
  GANTRY_TRY(db_next_numbers(statement, read->rows, read->page_rows, &count));
  read->count = (uint32_t)count;
  read->ended = count < read->page_rows;
  return GANTRY_OK;
}

static int by_key(const void *a, const void *b) {
  const db_reading_t *one = a, *other = b;
  if (one->ts_us != other->ts_us) return one->ts_us < other->ts_us ? -1 : 1;
  return one->seq < other->seq ? -1 : one->seq > other->seq;
}

static void sort_page(series_read_t *read) {
  for (uint32_t i = 1; i < read->count; i++) {
    if (by_key(&read->rows[i - 1], &read->rows[i]) <= 0) continue;
    qsort(read->rows, read->count, sizeof *read->rows, by_key);
    return;
  }
}

/* Most of what a row costs is what is asked of it. SQLite's table lies in order; a server sorts for
   longer than it reads, rows that lie in order already: whatever fits a page is sorted here. */
static gantry_err_t first_numbers(series_read_t *read) {
  if (db_kind(read->db) == DB_PG) {
    GANTRY_TRY(ask_numbers(read, NUMBERS " LIMIT ?4"));
    if (read->ended) sort_page(read);
    if (read->ended) return GANTRY_OK;
  }
  return ask_numbers(read, NUMBERS " ORDER BY ts, seq LIMIT ?4");
}

gantry_err_t series_row(stmt_t *statement, arena_t *texts, db_reading_t *row) {
  size_t len;
  *row = (db_reading_t){.ts_us = db_get_int(statement, 0),
                        .seq = db_get_int(statement, 1),
                        .has_value = !db_is_null(statement, 2),
                        .value = db_get_real(statement, 2),
                        .quality = db_get_real(statement, 4),
                        .validity = (int32_t)db_get_int(statement, 5),
                        .source = (int32_t)db_get_int(statement, 6),
                        .session = db_get_int(statement, 7)};
  const void *text = db_get_blob(statement, 3, &len);
  if (!text) return GANTRY_OK;
  char *copy = arena_take(texts, len + 1);
  if (!copy) return GANTRY_E_INTERNAL;
  memcpy(copy, text, len);
  copy[len] = '\0';
  row->data = copy;
  return GANTRY_OK;
}

static gantry_err_t read_page(series_read_t *read) {
  gantry_err_t err = GANTRY_OK;
  stmt_t *statement = page_query(read);
  while (read->count < read->page_rows && read->texts.total < PAGE_TEXT_MAX) {
    err = db_next(statement);
    if (err == GANTRY_OK) err = series_row(statement, &read->texts, &read->rows[read->count]);
    if (err != GANTRY_OK) break;
    read->rows[read->count++].series = read->span.series;
  }
  db_reset(statement);
  read->ended = err == GANTRY_E_NOT_FOUND;
  return read->ended ? GANTRY_OK : err;
}

static gantry_err_t next_page(series_read_t *read) {
  const series_span_t *span = &read->span;
  bool first = read->page_us == span->from_us && read->page_seq == INT64_MIN;
  arena_fini(&read->texts);
  read->count = read->at = 0;
  if (span->numbers_only && first && !span->newest_first && !span->session)
    GANTRY_TRY(first_numbers(read));
  else
    GANTRY_TRY(read_page(read));
  if (read->count) {
    read->page_us = read->rows[read->count - 1].ts_us;
    read->page_seq = read->rows[read->count - 1].seq;
  }
  return GANTRY_OK;
}

bool series_is_summed(const db_reading_t *row) {
  return row->has_value && row->validity != SENSOR_VALIDITY_ERROR && isfinite(row->value);
}

gantry_err_t series_read_open(db_t *db, const series_span_t *span, series_read_t **out) {
  uint32_t page_rows = span->expected > PAGE_ROWS_MIN ? span->expected : PAGE_ROWS_MIN;
  uint32_t most = span->numbers_only ? NUMBERS_MAX : PAGE_ROWS_MAX;
  if (span->expected == 0) page_rows = PAGE_ROWS_MAX;
  if (page_rows > most) page_rows = most;
  series_read_t *read = *out = calloc(1, sizeof *read + page_rows * sizeof *read->rows);
  if (!read) return GANTRY_E_INTERNAL;
  read->page_rows = page_rows;
  read->db = db;
  read->span = *span;
  bool behind = span->has_after && (span->newest_first ? span->after_us < span->to_us
                                                       : span->after_us >= span->from_us);
  read->page_us = behind ? span->after_us : span->newest_first ? span->to_us : span->from_us;
  read->page_seq = behind ? span->after_seq : INT64_MIN;
  gantry_err_t err = chunk_queue_open(db, &read->span, &read->chunks);
  if (err != GANTRY_OK) series_read_close(out);
  return err;
}

static gantry_err_t next_of_all(series_read_t *read, const db_reading_t **row) {
  if (read->at == read->count && !read->ended) GANTRY_TRY(next_page(read));
  const db_reading_t *plain = read->at < read->count ? &read->rows[read->at] : NULL;
  GANTRY_TRY(chunk_queue_peek(read->chunks, plain, row));
  if (*row) {
    chunk_queue_pop(read->chunks, 1);
  } else {
    *row = plain;
    read->at++;
  }
  return *row ? GANTRY_OK : GANTRY_E_NOT_FOUND;
}

gantry_err_t series_read_next(series_read_t *read, const db_reading_t **row) {
  do
    GANTRY_TRY(next_of_all(read, row));
  while (read->has_given && (*row)->ts_us == read->given_us && (*row)->seq == read->given_seq);
  read->has_given = true;
  read->given_us = (*row)->ts_us;
  read->given_seq = (*row)->seq;
  return GANTRY_OK;
}

/* Rows of the page that follow one another before anything that is packed. */
static size_t page_run(const series_read_t *read) {
  size_t count = read->count - read->at;
  while (count && !chunk_queue_is_clear(read->chunks, read->rows[read->at + count - 1].ts_us))
    count /= 2;
  return count;
}

/* One reading the careful way, with whatever lies behind it in memory and in order. A key stands
   twice only where a row comes again that was packed already: then the run ends before. */
gantry_err_t series_read_run(series_read_t *read, const db_reading_t **rows, size_t *count) {
  GANTRY_TRY(series_read_next(read, rows));
  *count = 1;
  if (read->span.newest_first) return GANTRY_OK;
  size_t more = 0;
  if (*rows >= read->rows && *rows < read->rows + read->count) {
    more = page_run(read);
    read->at += (uint32_t)more;
  } else if (read->at < read->count || read->ended) { /* the next row of the table is known */
    more = chunk_queue_run(read->chunks, read->at < read->count ? &read->rows[read->at] : NULL);
    chunk_queue_pop(read->chunks, more);
  }
  *count += more;
  read->given_us = (*rows)[*count - 1].ts_us;
  read->given_seq = (*rows)[*count - 1].seq;
  return GANTRY_OK;
}

void series_read_close(series_read_t **self) {
  if (!*self) return;
  chunk_queue_close(&(*self)->chunks);
  arena_fini(&(*self)->texts);
  free(*self);
  *self = NULL;
}
