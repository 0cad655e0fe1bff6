/* Several series read side by side and merged by (time, number, series), in either direction. */
#ifndef STORAGE_STORE_MERGE_H
#define STORAGE_STORE_MERGE_H

#include "store_query.h"
#include "store_series.h"

typedef struct merge merge_t;

/* A series whose readings lie in that span. */
typedef struct merge_part {
  query_series_t series;
  query_span_t span;
} merge_part_t;

/* Which readings; "" fits any. */
typedef struct merge_query {
  const char *sensor, *type, *robot;
  const merge_part_t *parts; /* these series instead, borrowed until merge_close; NULL: all that fit
                              */
  size_t part_count;
  int64_t session; /* 0: of any and none */
  query_span_t span;
  bool newest_first;
  const cursor_t *after; /* begins behind it; NULL: at the beginning */
  uint32_t expected;     /* how many the caller will about read */
} merge_query_t;

/* Hold one read transaction from open to close. Blocks on the database, now and at each next. */
gantry_err_t merge_open(store_t *store, const merge_query_t *query, merge_t **out);
/* How many series fit. */
size_t merge_count(const merge_t *merge);
/* The next reading and its series, borrowed until the next call; GANTRY_E_NOT_FOUND after the
   last. */
gantry_err_t merge_next(merge_t *merge, const db_reading_t **row, const query_series_t **series);
/* Which of the parts that series was. */
size_t merge_which(const merge_t *merge);
/* NULL-safe. */
void merge_close(merge_t **self);

#endif
