/* Deletion by age, a bounded number of rows a step, so that the writer is never held for long. */
#include <string.h>

#include "store_sqlite.h"

static gantry_err_t delete_old(store_sqlite_t *store, const char *text, uint64_t cutoff_us,
                               uint32_t limit, uint32_t *deleted) {
  if (*deleted >= limit || cutoff_us == 0) return GANTRY_OK;
  sqlite3_stmt *statement = sql_use(&store->sql, text);
  sql_bind_u64(statement, 1, cutoff_us);
  sql_bind_int(statement, 2, limit - *deleted);
  GANTRY_TRY(sql_finish(&store->sql, statement));
  *deleted += sql_changes(&store->sql);
  return GANTRY_OK;
}

static gantry_err_t is_scan(store_sqlite_t *store, int64_t series, bool *scan) {
  char type[16];
  sqlite3_stmt *statement = sql_use(&store->sql, "SELECT type FROM series WHERE id = ?");
  sql_bind_int(statement, 1, series);
  GANTRY_TRY(sql_next(&store->sql, statement));
  sql_get_text(statement, 0, type, sizeof type);
  sqlite3_reset(statement);
  *scan = strcmp(type, "lidar") == 0;
  return GANTRY_OK;
}

static gantry_err_t delete_readings(store_sqlite_t *store, const retention_t *policy,
                                    uint64_t now_us, uint32_t limit, uint32_t *deleted) {
  for (uint32_t i = 0; i < store->series_count && *deleted < limit; i++) {
    series_t *series = &store->series[i];
    bool scan = false;
    GANTRY_TRY(is_scan(store, series->id, &scan));
    double days = scan ? policy->scans_days : policy->readings_days;
    sqlite3_stmt *statement = sql_use(
        &store->sql, "DELETE FROM reading WHERE id IN (SELECT id FROM reading WHERE series = ?"
                     " AND ts < ? ORDER BY ts LIMIT ?)");
    sql_bind_int(statement, 1, series->id);
    sql_bind_u64(statement, 2, retention_cutoff_us(days, now_us));
    sql_bind_int(statement, 3, limit - *deleted);
    GANTRY_TRY(sql_finish(&store->sql, statement));
    uint32_t gone = sql_changes(&store->sql);
    *deleted += gone;
    series->added -= gone;
  }
  return GANTRY_OK;
}

static gantry_err_t delete_all(store_sqlite_t *store, const retention_t *policy, uint64_t now_us,
                               uint32_t limit, uint32_t *deleted) {
  GANTRY_TRY(delete_readings(store, policy, now_us, limit, deleted));
  GANTRY_TRY(delete_old(store,
                        "DELETE FROM pose WHERE id IN (SELECT id FROM pose WHERE keep = 0 AND"
                        " ts < ? ORDER BY ts LIMIT ?)",
                        retention_cutoff_us(policy->poses_days, now_us), limit, deleted));
  GANTRY_TRY(delete_old(store,
                        "DELETE FROM pose WHERE id IN (SELECT id FROM pose WHERE keep = 1 AND"
                        " ts < ? ORDER BY ts LIMIT ?)",
                        retention_cutoff_us(policy->poses_thin_days, now_us), limit, deleted));
  uint64_t events_us = retention_cutoff_us(policy->events_days, now_us);
  GANTRY_TRY(delete_old(store,
                        "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE ts < ?"
                        " ORDER BY ts LIMIT ?)",
                        events_us, limit, deleted));
  GANTRY_TRY(delete_old(store,
                        "DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE"
                        " cleared IS NOT NULL AND raised < ? ORDER BY raised LIMIT ?)",
                        events_us, limit, deleted));
  GANTRY_TRY(delete_old(store,
                        "DELETE FROM safety_log WHERE id IN (SELECT id FROM safety_log"
                        " WHERE ts < ? ORDER BY ts LIMIT ?)",
                        retention_cutoff_us(policy->safety_days, now_us), limit, deleted));
  return delete_old(store,
                    "DELETE FROM commands WHERE id IN (SELECT id FROM commands WHERE ts < ?"
                    " ORDER BY ts LIMIT ?)",
                    retention_cutoff_us(policy->commands_days, now_us), limit, deleted);
}

gantry_err_t store_sqlite_retain(store_sqlite_t *store, const retention_t *policy, uint64_t now_us,
                                 uint32_t limit, uint32_t *deleted) {
  *deleted = 0;
  GANTRY_TRY(store_begin(&store->base));
  gantry_err_t err = delete_all(store, policy, now_us, limit, deleted);
  if (err == GANTRY_OK) return store_commit(&store->base);
  store_rollback(&store->base);
  *deleted = 0;
  return err;
}
