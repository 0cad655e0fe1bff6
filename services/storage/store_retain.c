/* Deletion by age, a bounded number of rows a step, so that the writer is never held for long. */
#include <string.h>

#include "store_internal.h"

static gantry_err_t delete_old(store_t *store, const char *text, uint64_t cutoff_us, uint32_t limit,
                               uint32_t *deleted) {
  if (*deleted >= limit || cutoff_us == 0) return GANTRY_OK;
  stmt_t *statement = db_use(store->db, text);
  db_bind_u64(statement, 1, cutoff_us);
  db_bind_int(statement, 2, limit - *deleted);
  GANTRY_TRY(db_finish(statement));
  *deleted += db_changes(store->db);
  return GANTRY_OK;
}

static gantry_err_t is_scan(store_t *store, int64_t series, bool *scan) {
  char type[16];
  stmt_t *statement = db_use(store->db, "SELECT type FROM series WHERE id = ?1");
  db_bind_int(statement, 1, series);
  GANTRY_TRY(db_next(statement));
  db_get_text(statement, 0, type, sizeof type);
  db_reset(statement);
  *scan = strcmp(type, "lidar") == 0;
  return GANTRY_OK;
}

static gantry_err_t delete_readings(store_t *store, const retention_t *policy, uint64_t now_us,
                                    uint32_t limit, uint32_t *deleted) {
  for (uint32_t i = 0; i < store->series_count && *deleted < limit; i++) {
    series_t *series = &store->series[i];
    bool scan = false;
    GANTRY_TRY(is_scan(store, series->id, &scan));
    double days = scan ? policy->scans_days : policy->readings_days;
    stmt_t *statement = db_use(
        store->db, "DELETE FROM reading WHERE series = ?1 AND ts < ?2 AND ts <= (SELECT max(ts)"
                   " FROM (SELECT ts FROM reading WHERE series = ?1 AND ts < ?2 ORDER BY ts"
                   " LIMIT ?3) AS oldest)");
    db_bind_int(statement, 1, series->id);
    db_bind_u64(statement, 2, retention_cutoff_us(days, now_us));
    db_bind_int(statement, 3, limit - *deleted);
    GANTRY_TRY(db_finish(statement));
    uint32_t gone = db_changes(store->db);
    *deleted += gone;
    series->added -= gone;
  }
  return GANTRY_OK;
}

static gantry_err_t delete_all(store_t *store, const retention_t *policy, uint64_t now_us,
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

gantry_err_t store_retain(store_t *store, const retention_t *policy, uint64_t now_us,
                          uint32_t limit, uint32_t *deleted) {
  *deleted = 0;
  GANTRY_TRY(store_begin(store));
  gantry_err_t err = delete_all(store, policy, now_us, limit, deleted);
  if (err == GANTRY_OK) return store_commit(store);
  store_rollback(store);
  *deleted = 0;
  return err;
}
