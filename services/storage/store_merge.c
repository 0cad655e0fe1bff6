/* One strand a series; the next reading is the first of all strands. */
#include "store_merge.h"

#include <stdlib.h>

#include "store_chunk_queue.h"
#include "store_internal.h"

typedef struct strand {
  const query_series_t *series;
  series_read_t *read;
  const db_reading_t *row; /* the next one; NULL at its end */
} strand_t;

struct merge {
  bool newest_first;
  query_series_t *series;    /* owned; NULL when parts were given */
  const merge_part_t *parts; /* borrowed; NULL unless they were */
  strand_t *strands;         /* owned */
  size_t count;
  strand_t *given; /* whose reading was handed out last */
};

static gantry_err_t advance(strand_t *strand) {
  gantry_err_t err = series_read_next(strand->read, &strand->row);
  if (err == GANTRY_OK) return err;
  strand->row = NULL;
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

static int compare(const db_reading_t *a, const db_reading_t *b) {
  if (a->ts_us != b->ts_us) return a->ts_us < b->ts_us ? -1 : 1;
  if (a->seq != b->seq) return a->seq < b->seq ? -1 : 1;
  return a->series < b->series ? -1 : a->series > b->series;
}

static strand_t *first_strand(const merge_t *merge) {
  strand_t *best = NULL;
  for (size_t i = 0; i < merge->count; i++) {
    strand_t *strand = &merge->strands[i];
    if (!strand->row) continue;
    int order = best ? compare(strand->row, best->row) : 0;
    if (!best || (merge->newest_first ? order > 0 : order < 0)) best = strand;
  }
  return best;
}

/* Each strand begins behind the place where the page before ended. Of one time and number, those
   whose series comes behind the cursor's in the order of reading are still to be given. */
static void begin_behind(series_span_t *span, const cursor_t *after) {
  bool behind = span->newest_first ? span->series < after->series : span->series > after->series;
  span->has_after = true;
  span->after_us = after->ts_us;
  span->after_seq = after->seq;
  if (behind && span->newest_first && after->seq < INT64_MAX) span->after_seq++;
  if (behind && !span->newest_first && after->seq > INT64_MIN) span->after_seq--;
}

/* Ends of a session within one series, each found by an index. */
static stmt_t *session_ends(db_t *db, int64_t session, int64_t series) {
  stmt_t *statement =
      db_use(db, "SELECT (SELECT min(ts) FROM reading WHERE session = ?1 AND series = ?2),"
                 " (SELECT max(ts) FROM reading WHERE session = ?1 AND series = ?2),"
                 " (SELECT min(start) FROM reading_chunk WHERE session = ?1 AND series = ?2),"
                 " (SELECT max(start) FROM reading_chunk WHERE session = ?1 AND series = ?2)");
  db_bind_int(statement, 1, session);
  db_bind_int(statement, 2, series);
  return statement;
}

/* Narrows a span to the readings of its session, so that nothing around them is looked at. Empty
   when the series has none. */
static gantry_err_t narrow(db_t *db, series_span_t *span) {
  if (span->session == 0) return GANTRY_OK;
  int64_t from_us = INT64_MAX, last_us = INT64_MIN;
  stmt_t *statement = session_ends(db, span->session, span->series);
  GANTRY_TRY(db_next(statement));
  for (int i = 0; i < 4; i++) {
    /* A chunk is a minute from its start. */
    int64_t end_us = db_get_int(statement, i) + (i == 3 ? CHUNK_SPAN_US : 0);
    if (db_is_null(statement, i)) continue;
    if (end_us < from_us) from_us = end_us;
    if (end_us > last_us) last_us = end_us;
  }
  db_reset(statement);
  if (from_us > span->from_us) span->from_us = from_us;
  if (last_us < span->to_us) span->to_us = last_us + 1;
  if (span->from_us > last_us) span->to_us = span->from_us = 0;
  return GANTRY_OK;
}

/* The span of a series that is looked at. */
static gantry_err_t span_of(const merge_t *merge, db_t *db, const merge_query_t *query, size_t i,
                            series_span_t *out) {
  const query_span_t *span = merge->parts ? &merge->parts[i].span : &query->span;
  *out = (series_span_t){.series = merge->strands[i].series->id,
                         .from_us = span->from_us,
                         .to_us = span->to_us,
                         .session = query->session,
                         .newest_first = query->newest_first,
                         .expected = query->expected / (uint32_t)merge->count + 1};
  if (!merge->parts) GANTRY_TRY(narrow(db, out));
  if (query->after) begin_behind(out, query->after);
  return GANTRY_OK;
}

static gantry_err_t open_strands(merge_t *merge, db_t *db, const merge_query_t *query) {
  merge->strands = calloc(merge->count, sizeof *merge->strands);
  if (!merge->strands) return GANTRY_E_INTERNAL;
  for (size_t i = 0; i < merge->count; i++) {
    strand_t *strand = &merge->strands[i];
    series_span_t span;
    strand->series = merge->parts ? &merge->parts[i].series : &merge->series[i];
    GANTRY_TRY(span_of(merge, db, query, i, &span));
    if (span.from_us >= span.to_us) continue;
    GANTRY_TRY(series_read_open(db, &span, &strand->read));
    GANTRY_TRY(advance(strand));
  }
  return GANTRY_OK;
}

gantry_err_t merge_open(store_t *store, const merge_query_t *query, merge_t **out) {
  merge_t *merge = *out = calloc(1, sizeof *merge);
  if (!merge) return GANTRY_E_INTERNAL;
  merge->newest_first = query->newest_first;
  merge->parts = query->parts;
  merge->count = query->part_count;
  gantry_err_t err = GANTRY_OK;
  if (!merge->parts)
    err = query_all_series(store, query->sensor, query->type, query->robot, &merge->series,
                           &merge->count);
  if (err == GANTRY_OK && merge->count) err = open_strands(merge, store->db, query);
  if (err != GANTRY_OK) merge_close(out);
  return err;
}

size_t merge_count(const merge_t *merge) {
  return merge->count;
}

gantry_err_t merge_next(merge_t *merge, const db_reading_t **row, const query_series_t **series) {
  if (merge->given) GANTRY_TRY(advance(merge->given));
  merge->given = first_strand(merge);
  if (!merge->given) return GANTRY_E_NOT_FOUND;
  *row = merge->given->row;
  *series = merge->given->series;
  return GANTRY_OK;
}

size_t merge_which(const merge_t *merge) {
  return (size_t)(merge->given - merge->strands);
}

void merge_close(merge_t **self) {
  merge_t *merge = *self;
  if (!merge) return;
  for (size_t i = 0; merge->strands && i < merge->count; i++)
    series_read_close(&merge->strands[i].read);
  free(merge->strands);
  free(merge->series);
  free(merge);
  *self = NULL;
}
