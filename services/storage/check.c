/* The checks, one after another. */
#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "digest.h"
#include "map_file.h"

#define PAGE       2000
#define DAY_S      86400
#define US_PER_DAY ((int64_t)DAY_S * 1000000)

const check_t CHECKS[] = {{"integrity", check_integrity},
                          {"audit chain", check_audit},
                          {"settings", check_settings},
                          {"maps", check_maps},
                          {"roll-ups", check_rollups}};
const uint32_t CHECK_COUNT = sizeof CHECKS / sizeof *CHECKS;

static gantry_err_t tell(const progress_t *progress, const char *what, uint64_t done,
                         uint64_t total, gantry_fault_t *fault) {
  if (!progress || progress->tell(progress->arg, what, done, total)) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_REFUSED, "", "interrupted");
}

/* A statement that failed. */
static gantry_err_t failed(db_t *db, gantry_err_t err, const char *table, gantry_fault_t *fault) {
  return fault_set(fault, err, table, "%s", db_message(db));
}

/* Ends a walk over rows: what stopped it, if not the last row. */
static gantry_err_t ended(db_t *db, stmt_t *statement, gantry_err_t err, const char *table,
                          gantry_fault_t *fault) {
  db_reset(statement);
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  return fault->err != GANTRY_OK ? err : failed(db, err, table, fault);
}

/* ---- the file */

static gantry_err_t check_sqlite(db_t *db, gantry_fault_t *fault) {
  char word[160];
  stmt_t *statement = db_use(db, "PRAGMA integrity_check(1)");
  gantry_err_t err = db_next(statement);
  if (err != GANTRY_OK) return failed(db, err, "database", fault);
  db_get_text(statement, 0, word, sizeof word);
  db_reset(statement);
  if (strcmp(word, "ok") != 0)
    return fault_set(fault, GANTRY_E_INVALID, "database", "is damaged: %s", word);
  statement = db_use(db, "PRAGMA foreign_key_check");
  err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  if (err != GANTRY_OK) return failed(db, err, "database", fault);
  db_get_text(statement, 0, word, sizeof word);
  int64_t row = db_get_int(statement, 1);
  db_reset(statement);
  return fault_set(fault, GANTRY_E_INVALID, word,
                   "row %" PRId64 " refers to a row that is not there", row);
}

/* Every page of every table is read; a server with checksums then says what is damaged. */
static gantry_err_t check_tables(db_t *db, const progress_t *progress, gantry_fault_t *fault) {
  static const struct {
    const char *table, *text;
  } TABLES[] = {
#define TABLE(name) {#name, "SELECT count(*) FROM " #name}
      TABLE(users),        TABLE(audit_log), TABLE(events),          TABLE(alerts),
      TABLE(safety_log),   TABLE(map),       TABLE(map_session),     TABLE(map_version),
      TABLE(pose),         TABLE(tag),       TABLE(loc_config),      TABLE(sensor_config),
      TABLE(calibration),  TABLE(series),    TABLE(reading),         TABLE(reading_chunk),
      TABLE(rollup),       TABLE(commands),  TABLE(setting_version), TABLE(service_state),
      TABLE(sensor_state), TABLE(session),   TABLE(ingest_mark)
#undef TABLE
  };
  size_t count = sizeof TABLES / sizeof *TABLES;
  for (size_t i = 0; i < count; i++) {
    stmt_t *statement = db_use(db, TABLES[i].text);
    gantry_err_t err = db_next(statement);
    if (err != GANTRY_OK) return failed(db, err, TABLES[i].table, fault);
    db_reset(statement);
    GANTRY_TRY(tell(progress, "reading tables", i + 1, count, fault));
  }
  return GANTRY_OK;
}

gantry_err_t check_integrity(db_t *db, const progress_t *progress, gantry_fault_t *fault) {
  GANTRY_TRY(tell(progress, "checking every page", 0, 0, fault));
  return db_kind(db) == DB_SQLITE ? check_sqlite(db, fault) : check_tables(db, progress, fault);
}

/* ---- what the tables mean */

gantry_err_t check_audit(db_t *db, const progress_t *progress, gantry_fault_t *fault) {
  store_audit_verify_t take = {.limit = PAGE};
  store_audit_verified_t page = {0};
  while (!page.done) {
    gantry_err_t err = audit_verify(db, &take, &page);
    if (err != GANTRY_OK) return failed(db, err, "audit_log", fault);
    take.after = page.last;
    GANTRY_TRY(tell(progress, "audit entries", page.last, page.newest, fault));
  }
  if (page.fault == STORE_AUDIT_FAULT_NONE) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, desc_enum_text(&STORE_AUDIT_FAULT_ENUM, page.fault),
                   "%.180s", page.detail);
}

static gantry_err_t check_setting(stmt_t *statement, gantry_fault_t *fault) {
  char kind[64], sum[DIGEST_SIZE], computed[DIGEST_SIZE];
  size_t len = 0;
  db_get_text(statement, 0, kind, sizeof kind);
  db_get_text(statement, 2, sum, sizeof sum);
  const void *data = db_get_blob(statement, 3, &len);
  GANTRY_TRY(digest_of(data ? data : "", len, computed));
  if (strcmp(sum, computed) == 0) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "setting_version",
                   "%s version %" PRId64 " was altered: its checksum does not hold", kind,
                   db_get_int(statement, 1));
}

gantry_err_t check_settings(db_t *db, const progress_t *progress, gantry_fault_t *fault) {
  stmt_t *statement = db_use(db, "SELECT kind, version, checksum, data FROM setting_version");
  gantry_err_t err;
  uint64_t done = 0;
  while ((err = db_next(statement)) == GANTRY_OK) {
    err = check_setting(statement, fault);
    if (err == GANTRY_OK) err = tell(progress, "versions", ++done, 0, fault);
    if (err != GANTRY_OK) break;
  }
  return ended(db, statement, err, "setting_version", fault);
}

static gantry_err_t check_map(stmt_t *statement, gantry_fault_t *fault) {
  map_grid_t grid = {0};
  gantry_fault_t inside = {0};
  db_get_text(statement, 0, grid.info.map_id, sizeof grid.info.map_id);
  grid.info.resolution = db_get_real(statement, 2);
  grid.info.width = (uint32_t)db_get_u64(statement, 3);
  grid.info.height = (uint32_t)db_get_u64(statement, 4);
  grid.cells.data = db_get_blob(statement, 5, &grid.cells.len);
  if (map_file_check(&grid, &inside) == GANTRY_OK) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "map_version", "%s version %" PRId64 ": %s %s",
                   grid.info.map_id, db_get_int(statement, 1), inside.field, inside.detail);
}

gantry_err_t check_maps(db_t *db, const progress_t *progress, gantry_fault_t *fault) {
  stmt_t *statement =
      db_use(db, "SELECT map_id, version, resolution, width, height, cells FROM map_version");
  gantry_err_t err;
  uint64_t done = 0;
  while ((err = db_next(statement)) == GANTRY_OK) {
    err = check_map(statement, fault);
    if (err == GANTRY_OK) err = tell(progress, "versions", ++done, 0, fault);
    if (err != GANTRY_OK) break;
  }
  return ended(db, statement, err, "map_version", fault);
}

/* ---- roll-ups */

static gantry_err_t newest_day(db_t *db, int64_t *day_us, gantry_fault_t *fault) {
  stmt_t *statement = db_use(db, "SELECT coalesce(max(start), -1) FROM rollup WHERE tier = 86400");
  gantry_err_t err = db_next(statement);
  if (err != GANTRY_OK) return failed(db, err, "rollup", fault);
  *day_us = db_get_int(statement, 0);
  db_reset(statement);
  return GANTRY_OK;
}

/* Readings of one series and day that a roll-up counts; false when some of them are in chunks. */
static gantry_err_t count_readings(db_t *db, int64_t series, int64_t day_us, int64_t *rows,
                                   bool *whole) {
  stmt_t *statement = db_use(db, "SELECT count(*) FROM reading_chunk WHERE series = ?1 AND"
                                 " start >= ?2 AND start < ?3");
  db_bind_int(statement, 1, series);
  db_bind_int(statement, 2, day_us);
  db_bind_int(statement, 3, day_us + US_PER_DAY);
  GANTRY_TRY(db_next(statement));
  *whole = db_get_int(statement, 0) == 0;
  db_reset(statement);
  statement = db_use(db, "SELECT count(value) FROM reading WHERE series = ?1 AND ts >= ?2 AND"
                         " ts < ?3 AND validity <> ?4");
  db_bind_int(statement, 1, series);
  db_bind_int(statement, 2, day_us);
  db_bind_int(statement, 3, day_us + US_PER_DAY);
  db_bind_int(statement, 4, SENSOR_VALIDITY_ERROR);
  GANTRY_TRY(db_next(statement));
  *rows = db_get_int(statement, 0);
  db_reset(statement);
  return GANTRY_OK;
}

static gantry_err_t check_day(db_t *db, stmt_t *statement, int64_t day_us, gantry_fault_t *fault) {
  int64_t series = db_get_int(statement, 0), day = db_get_int(statement, 1);
  int64_t hours = db_get_int(statement, 2), minutes = db_get_int(statement, 3), rows = 0;
  bool whole = false;
  if (hours != day || minutes != day)
    return fault_set(fault, GANTRY_E_INVALID, "rollup",
                     "series %" PRId64 ": the day counts %" PRId64 ", its hours %" PRId64
                     ", its minutes %" PRId64,
                     series, day, hours, minutes);
  gantry_err_t err = count_readings(db, series, day_us, &rows, &whole);
  if (err != GANTRY_OK) return failed(db, err, "reading", fault);
  if (!whole || rows == day) return GANTRY_OK;
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
      db, "SELECT series, sum(CASE WHEN tier = 86400 THEN rows ELSE 0 END), sum(CASE WHEN tier ="
          " 3600 THEN rows ELSE 0 END), sum(CASE WHEN tier = 60 THEN rows ELSE 0 END) FROM rollup"
          " WHERE start >= ?1 AND start < ?2 GROUP BY series");
  db_bind_int(statement, 1, day_us);
  db_bind_int(statement, 2, day_us + US_PER_DAY);
  while ((err = db_next(statement)) == GANTRY_OK) {
    err = check_day(db, statement, day_us, fault);
    if (err == GANTRY_OK) err = tell(progress, "series", ++done, 0, fault);
    if (err != GANTRY_OK) break;
  }
  return ended(db, statement, err, "rollup", fault);
}
