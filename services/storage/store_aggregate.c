/* Buckets of one sensor: whole minutes, hours and days from the roll-ups, the rest from the
   readings, so that every bucket is exact. */
#include <stdio.h>

#include "cover.h"
#include "rollup.h"
#include "store_internal.h"
#include "store_query.h"
#include "store_series.h"

#define US_PER_S   INT64_C(1000000)
#define RAW_US_MAX (INT64_C(7) * 86400 * US_PER_S) /* what is read reading by reading */
#define ROWS_MAX   (sizeof((store_aggregate_t *)0)->rows / sizeof(store_aggregate_row_t))

/* The answer, and the bucket that is being filled. */
typedef struct filling {
  store_aggregate_t *out;
  rollup_t bucket;
} filling_t;

static void close_bucket(filling_t *filling) {
  const rollup_t *bucket = &filling->bucket;
  if (bucket->rows == 0) return;
  filling->out->rows[filling->out->rows_count++] =
      (store_aggregate_row_t){.start = (uint64_t)bucket->start_us * 1000,
                              .count = (uint64_t)bucket->rows,
                              .mean = bucket->sum / (double)bucket->rows,
                              .min = bucket->min,
                              .max = bucket->max,
                              .sum = bucket->sum,
                              .sum2 = bucket->sum2,
                              .first = bucket->first,
                              .last = bucket->last,
                              .first_time = (uint64_t)bucket->first_us * 1000,
                              .last_time = (uint64_t)bucket->last_us * 1000};
  filling->bucket = (rollup_t){0};
}

/* Parts come in order of time: a new bucket ends the one before. */
static rollup_t *bucket_at(filling_t *filling, int64_t ts_us) {
  int64_t start_us = rollup_start_us(ts_us, (int32_t)filling->out->bucket);
  if (filling->bucket.rows > 0 && filling->bucket.start_us != start_us) close_bucket(filling);
  filling->bucket.start_us = start_us;
  return &filling->bucket;
}

static gantry_err_t add_rollups(store_t *store, int64_t series, const cover_part_t *part,
                                filling_t *filling) {
  stmt_t *statement =
      db_use(store->db, "SELECT start, rows, sum, sum2, min, max, first, last, first_ts, last_ts"
                        " FROM rollup WHERE series = ?1 AND tier = ?2 AND start >= ?3"
                        " AND start < ?4 ORDER BY start");
  gantry_err_t err;
  db_bind_int(statement, 1, series);
  db_bind_int(statement, 2, part->tier_s);
  db_bind_int(statement, 3, part->from_us);
  db_bind_int(statement, 4, part->to_us);
  while ((err = db_next(statement)) == GANTRY_OK) {
    rollup_t one = {.series = series,
                    .tier_s = part->tier_s,
                    .start_us = db_get_int(statement, 0),
                    .rows = db_get_int(statement, 1),
                    .sum = db_get_real(statement, 2),
                    .sum2 = db_get_real(statement, 3),
                    .min = db_get_real(statement, 4),
                    .max = db_get_real(statement, 5),
                    .first = db_get_real(statement, 6),
                    .last = db_get_real(statement, 7),
                    .first_us = db_get_int(statement, 8),
                    .last_us = db_get_int(statement, 9)};
    rollup_merge(bucket_at(filling, one.start_us), &one);
  }
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

static gantry_err_t add_readings(store_t *store, int64_t series, const cover_part_t *part,
                                 filling_t *filling) {
  series_span_t span = {.series = series, .from_us = part->from_us, .to_us = part->to_us};
  series_read_t *read = NULL;
  const db_reading_t *rows;
  size_t count;
  gantry_err_t err = series_read_open(store->db, &span, &read);
  while (err == GANTRY_OK && (err = series_read_run(read, &rows, &count)) == GANTRY_OK)
    for (const db_reading_t *row = rows; row < rows + count; row++)
      if (series_is_summed(row)) rollup_add(bucket_at(filling, row->ts_us), row->ts_us, row->value);
  series_read_close(&read);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

/* Whether the answer is small enough, and does not take reading more readings than is sensible. */
static gantry_err_t check_size(store_call_t *call, query_span_t span, const cover_part_t *parts,
                               size_t count) {
  const store_aggregate_get_t *get = call->takes;
  int64_t buckets = (span.to_us - span.from_us) / ((int64_t)get->bucket * US_PER_S) + 2, raw_us = 0;
  for (size_t i = 0; i < count; i++)
    if (parts[i].tier_s == 0) raw_us += parts[i].to_us - parts[i].from_us;
  if (buckets > (int64_t)ROWS_MAX) {
    int64_t least_s = (span.to_us - span.from_us) / US_PER_S / ((int64_t)ROWS_MAX - 2) + 1;
    return fault_set(call->fault, GANTRY_E_INVALID, "bucket",
                     "the span has more than %zu buckets: take %lld s or more, or a shorter span",
                     ROWS_MAX, (long long)least_s);
  }
  if (raw_us > RAW_US_MAX)
    return fault_set(call->fault, GANTRY_E_INVALID, "bucket",
                     "more than 7 days would be read reading by reading: take a multiple of 60 s");
  return GANTRY_OK;
}

static gantry_err_t fill(store_t *store, store_call_t *call, int64_t series, query_span_t span) {
  filling_t filling = {.out = call->gives};
  cover_part_t parts[COVER_PARTS_MAX];
  size_t count = cover_span(span.from_us, span.to_us, filling.out->bucket, parts);
  GANTRY_TRY(check_size(call, span, parts, count));
  for (size_t i = 0; i < count; i++) {
    if (parts[i].tier_s > (int32_t)filling.out->tier) filling.out->tier = (uint32_t)parts[i].tier_s;
    GANTRY_TRY(parts[i].tier_s ? add_rollups(store, series, &parts[i], &filling)
                               : add_readings(store, series, &parts[i], &filling));
  }
  close_bucket(&filling);
  return GANTRY_OK;
}

/* Nothing to sum up: is it because the readings are no numbers? */
static gantry_err_t has_objects(store_t *store, int64_t series, query_span_t span, bool *objects) {
  series_span_t last = {.series = series,
                        .from_us = span.from_us,
                        .to_us = span.to_us,
                        .newest_first = true,
                        .expected = 1};
  series_read_t *read = NULL;
  const db_reading_t *row;
  gantry_err_t err = series_read_open(store->db, &last, &read);
  if (err == GANTRY_OK) err = series_read_next(read, &row);
  if (err == GANTRY_OK) *objects = !row->has_value;
  series_read_close(&read);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

gantry_err_t store_aggregate(store_t *store, store_call_t *call) {
  const store_aggregate_get_t *get = call->takes;
  store_aggregate_t *out = call->gives;
  query_span_t span;
  query_series_t series;
  GANTRY_TRY(query_span(call, true, get->from, true, get->to, &span));
  GANTRY_TRY(query_one_series(store, call, get->sensor, get->has_robot ? get->robot : "", &series));
  (void)snprintf(out->sensor, sizeof out->sensor, "%s", get->sensor);
  (void)snprintf(out->unit, sizeof out->unit, "%s", series.unit);
  out->bucket = get->bucket;
  GANTRY_TRY(fill(store, call, series.id, span));
  if (out->rows_count > 0) return GANTRY_OK;
  bool objects = false;
  GANTRY_TRY(has_objects(store, series.id, span, &objects));
  if (!objects) return GANTRY_OK;
  return fault_set(call->fault, GANTRY_E_INVALID, "sensor",
                   "the readings of %s are objects, not numbers: ask for the readings themselves",
                   get->sensor);
}
