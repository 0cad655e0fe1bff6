/* Reads a series page by page; a page is read out at once, so that no statement stays busy. */
#include "store_series.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"

#define PAGE_ROWS_MIN 16u
#define PAGE_ROWS_MAX 512u
#define PAGE_TEXT_MAX (1u << 20) /* bytes of JSON after which a page ends early */

struct series_read {
  db_t *db;
  series_span_t span;
  db_reading_t rows[PAGE_ROWS_MAX]; /* the page */
  arena_t texts;                    /* of its rows */
  uint32_t count, at;
  uint32_t page_rows; /* of the next page */
  bool ended;         /* the last page is here */
};

/* One bound of ts a side: of two, SQLite may walk from the farther one, at every page anew. */
static stmt_t *page_query(series_read_t *read) {
  const series_span_t *span = &read->span;
  stmt_t *statement =
      span->newest_first
          ? db_use(read->db,
                   "SELECT ts, seq, value, data, quality, validity, source, session FROM reading"
                   " WHERE series = ?1 AND ts >= ?2 AND ts <= ?3 AND (ts, seq) < (?3, ?4)"
                   " AND coalesce(session, 0) BETWEEN ?5 AND ?6"
                   " ORDER BY ts DESC, seq DESC LIMIT ?7")
          : db_use(read->db,
                   "SELECT ts, seq, value, data, quality, validity, source, session FROM reading"
                   " WHERE series = ?1 AND ts < ?2 AND ts >= ?3 AND (ts, seq) > (?3, ?4)"
                   " AND coalesce(session, 0) BETWEEN ?5 AND ?6"
                   " ORDER BY ts, seq LIMIT ?7");
  db_bind_int(statement, 1, span->series);
  db_bind_int(statement, 2, span->newest_first ? span->from_us : span->to_us);
  db_bind_int(statement, 3, span->after_us);
  db_bind_int(statement, 4, span->after_seq);
  db_bind_int(statement, 5, span->session ? span->session : INT64_MIN);
  db_bind_int(statement, 6, span->session ? span->session : INT64_MAX);
  db_bind_int(statement, 7, read->page_rows);
  return statement;
}

static gantry_err_t take_row(series_read_t *read, stmt_t *statement) {
  db_reading_t *row = &read->rows[read->count];
  size_t len;
  *row = (db_reading_t){.series = read->span.series,
                        .ts_us = db_get_int(statement, 0),
                        .seq = db_get_int(statement, 1),
                        .has_value = !db_is_null(statement, 2),
                        .value = db_get_real(statement, 2),
                        .quality = db_get_real(statement, 4),
                        .validity = (int32_t)db_get_int(statement, 5),
                        .source = (int32_t)db_get_int(statement, 6),
                        .session = db_get_int(statement, 7)};
  const void *text = db_get_blob(statement, 3, &len);
  if (text) {
    char *copy = arena_take(&read->texts, len + 1);
    if (!copy) return GANTRY_E_INTERNAL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    row->data = copy;
  }
  read->count++;
  return GANTRY_OK;
}

static gantry_err_t next_page(series_read_t *read) {
  gantry_err_t err = GANTRY_OK;
  stmt_t *statement = page_query(read);
  arena_fini(&read->texts);
  read->count = read->at = 0;
  while (read->count < read->page_rows && read->texts.total < PAGE_TEXT_MAX) {
    err = db_next(statement);
    if (err == GANTRY_OK) err = take_row(read, statement);
    if (err != GANTRY_OK) break;
  }
  db_reset(statement);
  read->ended = err == GANTRY_E_NOT_FOUND;
  if (err != GANTRY_OK && !read->ended) return err;
  if (read->count) {
    read->span.after_us = read->rows[read->count - 1].ts_us;
    read->span.after_seq = read->rows[read->count - 1].seq;
  }
  read->page_rows = PAGE_ROWS_MAX;
  return GANTRY_OK;
}

gantry_err_t series_read_open(db_t *db, const series_span_t *span, series_read_t **out) {
  series_read_t *read = *out = calloc(1, sizeof *read);
  if (!read) return GANTRY_E_INTERNAL;
  read->db = db;
  read->span = *span;
  if (span->newest_first && (!span->has_after || span->after_us >= span->to_us)) {
    read->span.after_us = span->to_us;
    read->span.after_seq = INT64_MIN;
  }
  if (!span->newest_first && (!span->has_after || span->after_us < span->from_us)) {
    read->span.after_us = span->from_us;
    read->span.after_seq = INT64_MIN;
  }
  read->page_rows = PAGE_ROWS_MAX;
  if (span->expected && span->expected < PAGE_ROWS_MAX)
    read->page_rows = span->expected > PAGE_ROWS_MIN ? span->expected : PAGE_ROWS_MIN;
  return GANTRY_OK;
}

gantry_err_t series_read_next(series_read_t *read, const db_reading_t **row) {
  if (read->at == read->count && !read->ended) GANTRY_TRY(next_page(read));
  if (read->at == read->count) return GANTRY_E_NOT_FOUND;
  *row = &read->rows[read->at++];
  return GANTRY_OK;
}

void series_read_close(series_read_t **self) {
  if (!*self) return;
  arena_fini(&(*self)->texts);
  free(*self);
  *self = NULL;
}
