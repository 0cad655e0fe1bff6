/* Readings that go before their age leave no trace in the roll-ups. Counts and sums are taken off
   at once; least, greatest, first and last are found anew when the last one of a minute has gone.
   What has lost a part by age already keeps those, for nobody knows them better. */
#include "store_erase.h"
#include "store_internal.h"
#include "store_series.h"

gantry_err_t store_unroll(store_t *store, const rollup_t *gone) {
  for (int tier = 0; tier < ROLLUP_TIERS; tier++) {
    int32_t tier_s = rollup_tier_s(tier);
    stmt_t *statement =
        db_use(store->db, "UPDATE rollup SET rows = rows - ?4, sum = sum - ?5, sum2 = sum2 - ?6"
                          " WHERE series = ?1 AND tier = ?2 AND start = ?3");
    db_bind_int(statement, 1, gone->series);
    db_bind_int(statement, 2, tier_s);
    db_bind_int(statement, 3, rollup_start_us(gone->first_us, tier_s));
    db_bind_int(statement, 4, gone->rows);
    db_bind_real(statement, 5, gone->sum);
    db_bind_real(statement, 6, gone->sum2);
    GANTRY_TRY(db_finish(statement));
  }
  return GANTRY_OK;
}

static gantry_err_t read_minute(store_t *store, int64_t series, int64_t minute_us, rollup_t *out) {
  series_span_t span = {
      .series = series, .from_us = minute_us, .to_us = minute_us + rollup_tier_s(0) * 1000000ll};
  series_read_t *read = NULL;
  const db_reading_t *row;
  gantry_err_t err = series_read_open(store->db, &span, &read);
  while (err == GANTRY_OK && (err = series_read_next(read, &row)) == GANTRY_OK)
    if (series_is_summed(row)) rollup_add(out, row->ts_us, row->value);
  series_read_close(&read);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

static gantry_err_t renew_minute(store_t *store, int64_t series, int64_t minute_us) {
  rollup_t left = {0};
  GANTRY_TRY(read_minute(store, series, minute_us, &left));
  stmt_t *statement =
      db_use(store->db, "UPDATE rollup SET sum = ?4, sum2 = ?5, min = ?6, max = ?7, first = ?8,"
                        " last = ?9, first_ts = ?10, last_ts = ?11 WHERE series = ?1 AND tier = 60"
                        " AND start = ?2 AND rows = ?3");
  db_bind_int(statement, 1, series);
  db_bind_int(statement, 2, minute_us);
  db_bind_int(statement, 3, left.rows);
  db_bind_real(statement, 4, left.sum);
  db_bind_real(statement, 5, left.sum2);
  db_bind_real(statement, 6, left.min);
  db_bind_real(statement, 7, left.max);
  db_bind_real(statement, 8, left.first);
  db_bind_real(statement, 9, left.last);
  db_bind_int(statement, 10, left.first_us);
  db_bind_int(statement, 11, left.last_us);
  return db_finish(statement);
}

#define PARTS                                                                                      \
  "FROM rollup AS part WHERE part.series = ?1 AND part.tier = ?4 AND part.start >= ?3"             \
  " AND part.start < ?5"

/* Of the buckets of the tier below. */
static gantry_err_t renew_whole(store_t *store, int64_t series, int tier, int64_t minute_us) {
  int32_t tier_s = rollup_tier_s(tier);
  int64_t start_us = rollup_start_us(minute_us, tier_s);
  stmt_t *statement = db_use(
      store->db,
      "UPDATE rollup SET sum = (SELECT sum(part.sum) " PARTS
      "), sum2 = (SELECT sum(part.sum2) " PARTS "), min = (SELECT min(part.min) " PARTS
      "), max = (SELECT max(part.max) " PARTS "),"
      " first = (SELECT part.first " PARTS
      " ORDER BY part.start LIMIT 1), last = (SELECT part.last " PARTS
      " ORDER BY part.start DESC LIMIT 1), first_ts = (SELECT min(part.first_ts) " PARTS "),"
      " last_ts = (SELECT max(part.last_ts) " PARTS ") WHERE series = ?1 AND tier = ?2 AND start ="
      " ?3 AND rows = (SELECT sum(part.rows) " PARTS ")");
  db_bind_int(statement, 1, series);
  db_bind_int(statement, 2, tier_s);
  db_bind_int(statement, 3, start_us);
  db_bind_int(statement, 4, rollup_tier_s(tier - 1));
  db_bind_int(statement, 5, start_us + tier_s * INT64_C(1000000));
  return db_finish(statement);
}

static gantry_err_t drop_empty(store_t *store, int64_t series, int tier, int64_t minute_us) {
  stmt_t *statement = db_use(store->db, "DELETE FROM rollup WHERE series = ?1 AND tier = ?2"
                                        " AND start = ?3 AND rows <= 0");
  db_bind_int(statement, 1, series);
  db_bind_int(statement, 2, rollup_tier_s(tier));
  db_bind_int(statement, 3, rollup_start_us(minute_us, rollup_tier_s(tier)));
  return db_finish(statement);
}

gantry_err_t store_unroll_end(store_t *store, int64_t series, int64_t minute_us) {
  for (int tier = 0; tier < ROLLUP_TIERS; tier++)
    GANTRY_TRY(drop_empty(store, series, tier, minute_us));
  GANTRY_TRY(renew_minute(store, series, minute_us));
  for (int tier = 1; tier < ROLLUP_TIERS; tier++)
    GANTRY_TRY(renew_whole(store, series, tier, minute_us));
  return GANTRY_OK;
}
