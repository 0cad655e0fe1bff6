/* The readings of one series as one, wherever they lie: rows of the table and packed minutes,
   merged by (ts, seq), in either direction. */
#ifndef STORAGE_STORE_SERIES_H
#define STORAGE_STORE_SERIES_H

#include "arena.h"
#include "db.h"
#include "db_reading.h"

typedef struct series_span {
  int64_t series;
  int64_t from_us, to_us; /* from <= ts < to */
  int64_t session;        /* only the readings of this one; 0: of all and of none */
  bool newest_first;
  /* Readings without a number may be left out; of the others only key and value count. */
  bool numbers_only;
  /* Begins behind this reading, in the direction of reading. */
  bool has_after;
  int64_t after_us, after_seq;
  uint32_t expected; /* how many the caller will about read; 0 not known */
} series_span_t;

/* Whether roll-ups and aggregates count the reading: a number, and not known to be wrong. */
bool series_is_summed(const db_reading_t *row);

typedef struct series_read series_read_t;

/* Begins to read. Packing moves rows while others read: hold one transaction (db_begin_read) from
   open to close. Several may be open at once. Blocks on the database, now and at each next. */
gantry_err_t series_read_open(db_t *db, const series_span_t *span, series_read_t **out);
/* The next reading, borrowed until the next call; GANTRY_E_NOT_FOUND after the last.
   GANTRY_E_INVALID for a packed minute that is damaged. */
gantry_err_t series_read_next(series_read_t *read, const db_reading_t **row);
/* As many of the next readings as lie side by side: the same in larger pieces, at a fraction of the
   cost. Borrowed until the next call. */
gantry_err_t series_read_run(series_read_t *read, const db_reading_t **rows, size_t *count);
/* NULL-safe. */
void series_read_close(series_read_t **self);

/* A row of the table `reading` from a statement that gives these columns first; its text is put
   into the arena. Its series is not among them. */
#define SERIES_ROW_COLUMNS "ts, seq, value, data, quality, validity, source, session"
gantry_err_t series_row(stmt_t *statement, arena_t *texts, db_reading_t *row);

#endif
