/* Checks of the readings: packed minutes, and roll-ups against what they were made of. */
#include <inttypes.h>
#include <math.h>
#include <messages.h>
#include <string.h>

#include "check_internal.h"
#include "chunk.h"
#include "rollup.h"
#include "store_series.h"

#define PAGE          200
#define DAY_S         86400
#define US_PER_DAY    ((int64_t)DAY_S * 1000000)
#define US_PER_MINUTE INT64_C(60000000)

/* ---- chunks */

typedef struct chunk_key {
  int64_t series, start, session;
} chunk_key_t;

static gantry_err_t wrong_chunk(const chunk_key_t *key, const char *why, gantry_fault_t *fault) {
  return fault_set(fault, GANTRY_E_INVALID, "reading_chunk",
                   "series %" PRId64 " start %" PRId64 " session %" PRId64 ": %s", key->series,
                   key->start, key->session, why);
}

static bool holds_number(stmt_t *statement, int column, const rollup_t *numbers, double value) {
  if (numbers->rows == 0) return db_is_null(statement, column);
  return !db_is_null(statement, column) && db_get_real(statement, column) == value;
}

static gantry_err_t check_chunk(stmt_t *statement, chunk_coder_t *coder, chunk_t *chunk,
                                const chunk_key_t *key, gantry_fault_t *fault) {
  rollup_t numbers = {0};
  size_t len = 0;
  const void *blob = db_get_blob(statement, 8, &len);
  if (chunk_decode(coder, blob, len, chunk) != GANTRY_OK)
    return wrong_chunk(key, "does not open", fault);
  if (chunk->count == 0 || (int64_t)chunk->count != db_get_int(statement, 3) ||
      chunk->rows[0].ts_us != db_get_int(statement, 4) ||
      chunk->rows[chunk->count - 1].ts_us != db_get_int(statement, 5))
    return wrong_chunk(key, "holds other readings than its columns say", fault);
  for (size_t i = 0; i < chunk->count; i++)
    if (chunk->rows[i].has_value && isfinite(chunk->rows[i].value))
      rollup_add(&numbers, chunk->rows[i].ts_us, chunk->rows[i].value);
  if (!holds_number(statement, 6, &numbers, numbers.min) ||
      !holds_number(statement, 7, &numbers, numbers.max))
    return wrong_chunk(key, "holds other numbers than its columns say", fault);
  return GANTRY_OK;
}

/* One page behind key; *rows: how many there were. */
static gantry_err_t check_page(db_t *db, chunk_coder_t *coder, chunk_key_t *key, uint64_t *rows,
                               gantry_fault_t *fault) {
  gantry_err_t err;
  stmt_t *statement =
      db_use(db, "SELECT series, start, session, rows, first_ts, last_ts, min, max, blob FROM"
                 " reading_chunk WHERE (series, start, session) > (?1, ?2, ?3)"
                 " ORDER BY series, start, session LIMIT ?4");
  db_bind_int(statement, 1, key->series);
  db_bind_int(statement, 2, key->start);
  db_bind_int(statement, 3, key->session);
  db_bind_int(statement, 4, PAGE);
  *rows = 0;
  while ((err = db_next(statement)) == GANTRY_OK) {
    chunk_t chunk = {0};
    *key =
        (chunk_key_t){db_get_int(statement, 0), db_get_int(statement, 1), db_get_int(statement, 2)};
    err = check_chunk(statement, coder, &chunk, key, fault);
    chunk_fini(&chunk);
    if (err != GANTRY_OK) break;
    ++*rows;
  }
  return check_ended(db, statement, err, "reading_chunk", fault);
}

gantry_err_t check_chunks(db_t *db, const progress_t *progress, gantry_fault_t *fault) {
  chunk_key_t key = {.series = INT64_MIN, .start = INT64_MIN, .session = INT64_MIN};
  uint64_t rows = 0, done = 0;
  gantry_err_t err = GANTRY_OK;
  chunk_coder_t *coder = chunk_coder_new();
  if (!coder) return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  do {
    err = check_page(db, coder, &key, &rows, fault);
    done += rows;
    if (err == GANTRY_OK) err = check_tell(progress, "chunks", done, 0, fault);
  } while (err == GANTRY_OK && rows == PAGE);
  chunk_coder_destroy(&coder);
  return err;
}

/* ---- roll-ups */

static gantry_err_t newest_day(db_t *db, int64_t *day_us, gantry_fault_t *fault) {
  stmt_t *statement = db_use(db, "SELECT coalesce(max(start), -1) FROM rollup WHERE tier = 86400");
  gantry_err_t err = db_next(statement);
  if (err != GANTRY_OK) return check_failed(db, err, "rollup", fault);
  *day_us = db_get_int(statement, 0);
  db_reset(statement);
  return GANTRY_OK;
}

/* Readings of one series that a roll-up counts, wherever they lie; *oldest_us is to_us without any.
 */
static gantry_err_t count_readings(db_t *db, int64_t series, int64_t from_us, int64_t to_us,
                                   int64_t *rows, int64_t *oldest_us) {
  series_span_t span = {.series = series, .from_us = from_us, .to_us = to_us};
  series_read_t *read = NULL;
  const db_reading_t *row = NULL;
  gantry_err_t err = series_read_open(db, &span, &read);
  *rows = 0;
  *oldest_us = to_us;
  while (err == GANTRY_OK && (err = series_read_next(read, &row)) == GANTRY_OK)
    if (series_is_summed(row) && (*rows)++ == 0) *oldest_us = row->ts_us;
  series_read_close(&read);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

static gantry_err_t count_minutes(db_t *db, int64_t series, int64_t from_us, int64_t to_us,
                                  int64_t *rows) {
  stmt_t *statement = db_use(db, "SELECT coalesce(sum(rows), 0) FROM rollup WHERE series = ?1 AND"
                                 " tier = 60 AND start >= ?2 AND start < ?3");
  db_bind_int(statement, 1, series);
  db_bind_int(statement, 2, from_us);
  db_bind_int(statement, 3, to_us);
  GANTRY_TRY(db_next(statement));
  *rows = db_get_int(statement, 0);
  db_reset(statement);
  return GANTRY_OK;
}

/* How many readings there are, and how many there should be. What is older than the oldest went by
   its age or to make room: then only the full minutes behind it are counted. */
static gantry_err_t count_both(db_t *db, int64_t series, int64_t day_us, int64_t first_us,
                               int64_t *rows, int64_t *should) {
  int64_t oldest_us, ignored, to_us = day_us + US_PER_DAY;
  GANTRY_TRY(count_readings(db, series, day_us, to_us, rows, &oldest_us));
  if (oldest_us <= first_us) return GANTRY_OK;
  int64_t from_us = rollup_start_us(oldest_us, 60) + US_PER_MINUTE;
  if (from_us > to_us) from_us = to_us;
  GANTRY_TRY(count_readings(db, series, from_us, to_us, rows, &ignored));
  return count_minutes(db, series, from_us, to_us, should);
}

static gantry_err_t check_day(db_t *db, stmt_t *statement, int64_t day_us, gantry_fault_t *fault) {
  int64_t series = db_get_int(statement, 0), day = db_get_int(statement, 1);
  int64_t hours = db_get_int(statement, 2), minutes = db_get_int(statement, 3), rows = 0;
  if (hours != day || minutes != day)
    return fault_set(fault, GANTRY_E_INVALID, "rollup",
                     "series %" PRId64 ": the day counts %" PRId64 ", its hours %" PRId64
                     ", its minutes %" PRId64,
                     series, day, hours, minutes);
  gantry_err_t err = count_both(db, series, day_us, db_get_int(statement, 4), &rows, &day);
  if (err != GANTRY_OK) return check_failed(db, err, "reading", fault);
  if (rows == day) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "rollup",
                   "series %" PRId64 ": the roll-up counts %" PRId64
                   " readings, there are %" PRId64,
                   series, day, rows);
}

gantry_err_t check_rollups(db_t *db, const progress_t *progress, gantry_fault_t *fault) {
  int64_t day_us = -1;
  uint64_t done = 0;
  gantry_err_t err;
  GANTRY_TRY(newest_day(db, &day_us, fault));
  if (day_us < 0) return GANTRY_OK;
  stmt_t *statement = db_use(
      db,
      "SELECT series, sum(CASE WHEN tier = 86400 THEN rows ELSE 0 END), sum(CASE WHEN tier ="
      " 3600 THEN rows ELSE 0 END), sum(CASE WHEN tier = 60 THEN rows ELSE 0 END), min(first_ts)"
      " FROM rollup"
      " WHERE start >= ?1 AND start < ?2 GROUP BY series");
  db_bind_int(statement, 1, day_us);
  db_bind_int(statement, 2, day_us + US_PER_DAY);
  while ((err = db_next(statement)) == GANTRY_OK) {
    err = check_day(db, statement, day_us, fault);
    if (err == GANTRY_OK) err = check_tell(progress, "series", ++done, 0, fault);
    if (err != GANTRY_OK) break;
  }
  return check_ended(db, statement, err, "rollup", fault);
}
