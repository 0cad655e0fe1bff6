/* One strand a series; the next reading is the first of all strands. */
#include "store_merge.h"

#include <stdlib.h>

#include "store_internal.h"

typedef struct strand {
  const query_series_t *series;
  series_read_t *read;
  const db_reading_t *row; /* the next one; NULL at its end */
} strand_t;

struct merge {
  bool newest_first;
  query_series_t *series; /* owned */
  strand_t *strands;      /* owned */
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
  if (a->series != b->series) return a->series < b->series ? -1 : 1;
  return a->seq < b->seq ? -1 : a->seq > b->seq;
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

/* Of one time, series with a smaller number than the cursor's come before it, greater ones behind:
   each strand begins behind the place where the page before ended. */
static void begin_behind(series_span_t *span, const cursor_t *after) {
  bool past = span->newest_first ? span->series > after->series : span->series < after->series;
  span->has_after = true;
  span->after_us = after->ts_us;
  span->after_seq = after->seq;
  if (span->series == after->series) return;
  /* All of that time have been given, or none. */
  span->after_seq = past == !span->newest_first ? INT64_MAX : INT64_MIN;
}

static gantry_err_t open_strands(merge_t *merge, db_t *db, const merge_query_t *query) {
  merge->strands = calloc(merge->count, sizeof *merge->strands);
  if (!merge->strands) return GANTRY_E_INTERNAL;
  for (size_t i = 0; i < merge->count; i++) {
    strand_t *strand = &merge->strands[i];
    series_span_t span = {.series = merge->series[i].id,
                          .from_us = query->span.from_us,
                          .to_us = query->span.to_us,
                          .session = query->session,
                          .newest_first = query->newest_first,
                          .expected = query->expected / (uint32_t)merge->count + 1};
    if (query->after) begin_behind(&span, query->after);
    strand->series = &merge->series[i];
    GANTRY_TRY(series_read_open(db, &span, &strand->read));
    GANTRY_TRY(advance(strand));
  }
  return GANTRY_OK;
}

gantry_err_t merge_open(store_t *store, const merge_query_t *query, merge_t **out) {
  merge_t *merge = *out = calloc(1, sizeof *merge);
  if (!merge) return GANTRY_E_INTERNAL;
  merge->newest_first = query->newest_first;
  gantry_err_t err = query_all_series(store, query->sensor, query->type, query->robot,
                                      &merge->series, &merge->count);
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
