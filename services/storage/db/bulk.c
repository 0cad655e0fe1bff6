/* What both back ends share of the bulk path, and the door to each. */
#include "bulk.h"

#include "db_driver.h"

gantry_err_t db_add_readings(db_t *db, const db_reading_t *rows, size_t count, bool *fresh,
                             size_t *added) {
  *added = 0;
  return count ? db->ops->add_readings(db, rows, count, fresh, added) : GANTRY_OK;
}

void db_offer_readings(db_t *db, const db_reading_t *rows, size_t from, size_t count) {
  if (count && db->ops->offer_readings) db->ops->offer_readings(db, rows, from, count);
}

gantry_err_t db_next_numbers(stmt_t *statement, db_reading_t *rows, size_t max, size_t *count) {
  gantry_err_t err = GANTRY_OK;
  *count = 0;
  if (statement->handle && statement->db->ops->next_numbers)
    return statement->db->ops->next_numbers(statement, rows, max, count);
  while (*count < max && (err = db_next(statement)) == GANTRY_OK)
    rows[(*count)++] = (db_reading_t){.ts_us = db_get_int(statement, 0),
                                      .seq = db_get_int(statement, 1),
                                      .has_value = true,
                                      .value = db_get_real(statement, 2)};
  db_reset(statement);
  return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
}

static gantry_err_t add_rollup(db_t *db, const rollup_t *rollup) {
  stmt_t *statement = db_use(
      db, "INSERT INTO rollup (series, tier, start, rows, sum, sum2, min, max, first, last,"
          " first_ts, last_ts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
          " ON CONFLICT (series, tier, start) DO UPDATE SET rows = rollup.rows + excluded.rows,"
          " sum = rollup.sum + excluded.sum, sum2 = rollup.sum2 + excluded.sum2,"
          " min = CASE WHEN excluded.min < rollup.min THEN excluded.min ELSE rollup.min END,"
          " max = CASE WHEN excluded.max > rollup.max THEN excluded.max ELSE rollup.max END,"
          " first = CASE WHEN excluded.first_ts < rollup.first_ts THEN excluded.first"
          " ELSE rollup.first END,"
          " last = CASE WHEN excluded.last_ts >= rollup.last_ts THEN excluded.last"
          " ELSE rollup.last END,"
          " first_ts = CASE WHEN excluded.first_ts < rollup.first_ts THEN excluded.first_ts"
          " ELSE rollup.first_ts END,"
          " last_ts = CASE WHEN excluded.last_ts >= rollup.last_ts THEN excluded.last_ts"
          " ELSE rollup.last_ts END");
  db_bind_int(statement, 1, rollup->series);
  db_bind_int(statement, 2, rollup->tier_s);
  db_bind_int(statement, 3, rollup->start_us);
  db_bind_int(statement, 4, rollup->rows);
  db_bind_real(statement, 5, rollup->sum);
  db_bind_real(statement, 6, rollup->sum2);
  db_bind_real(statement, 7, rollup->min);
  db_bind_real(statement, 8, rollup->max);
  db_bind_real(statement, 9, rollup->first);
  db_bind_real(statement, 10, rollup->last);
  db_bind_int(statement, 11, rollup->first_us);
  db_bind_int(statement, 12, rollup->last_us);
  return db_finish(statement);
}

gantry_err_t db_add_rollups(db_t *db, const rollup_t *rollups, size_t count) {
  gantry_err_t err = GANTRY_OK;
  if (count == 0) return err;
  GANTRY_TRY(db_pipeline_begin(db));
  for (size_t i = 0; i < count && err == GANTRY_OK; i++)
    err = add_rollup(db, &rollups[i]);
  gantry_err_t ended = db_pipeline_end(db);
  return err == GANTRY_OK ? ended : err;
}
