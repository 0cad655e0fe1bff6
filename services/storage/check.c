/* The checks, one after another. */
#include "check_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "digest.h"
#include "map_file.h"

#define PAGE 2000

const check_t CHECKS[] = {{"integrity", check_integrity}, {"audit chain", check_audit},
                          {"settings", check_settings},   {"maps", check_maps},
                          {"chunks", check_chunks},       {"roll-ups", check_rollups},
                          {"sessions", check_sessions}};
const uint32_t CHECK_COUNT = sizeof CHECKS / sizeof *CHECKS;

gantry_err_t check_tell(const progress_t *progress, const char *what, uint64_t done, uint64_t total,
                        gantry_fault_t *fault) {
  if (!progress || progress->tell(progress->arg, what, done, total)) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_REFUSED, "", "interrupted");
}

gantry_err_t check_failed(db_t *db, gantry_err_t err, const char *table, gantry_fault_t *fault) {
  return fault_set(fault, err, table, "%s", db_message(db));
}

gantry_err_t check_ended(db_t *db, stmt_t *statement, gantry_err_t err, const char *table,
                         gantry_fault_t *fault) {
  db_reset(statement);
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  return fault->err != GANTRY_OK ? err : check_failed(db, err, table, fault);
}

/* ---- the file */

static gantry_err_t check_sqlite(db_t *db, gantry_fault_t *fault) {
  char word[160];
  stmt_t *statement = db_use(db, "PRAGMA integrity_check(1)");
  gantry_err_t err = db_next(statement);
  if (err != GANTRY_OK) return check_failed(db, err, "database", fault);
  db_get_text(statement, 0, word, sizeof word);
  db_reset(statement);
  if (strcmp(word, "ok") != 0)
    return fault_set(fault, GANTRY_E_INVALID, "database", "is damaged: %s", word);
  statement = db_use(db, "PRAGMA foreign_key_check");
  err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  if (err != GANTRY_OK) return check_failed(db, err, "database", fault);
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
      TABLE(users),           TABLE(identity_number),  TABLE(user_gone),      TABLE(user_session),
      TABLE(service_token),   TABLE(password_history), TABLE(password_reset), TABLE(audit_log),
      TABLE(events),          TABLE(alerts),           TABLE(safety_log),     TABLE(map),
      TABLE(map_session),     TABLE(map_version),      TABLE(pose),           TABLE(tag),
      TABLE(loc_config),      TABLE(sensor_config),    TABLE(calibration),    TABLE(series),
      TABLE(reading),         TABLE(reading_chunk),    TABLE(rollup),         TABLE(commands),
      TABLE(setting_version), TABLE(service_state),    TABLE(sensor_state),   TABLE(session),
      TABLE(ingest_mark),     TABLE(session_series),   TABLE(stranger)
#undef TABLE
  };
  size_t count = sizeof TABLES / sizeof *TABLES;
  for (size_t i = 0; i < count; i++) {
    stmt_t *statement = db_use(db, TABLES[i].text);
    gantry_err_t err = db_next(statement);
    if (err != GANTRY_OK) return check_failed(db, err, TABLES[i].table, fault);
    db_reset(statement);
    GANTRY_TRY(check_tell(progress, "reading tables", i + 1, count, fault));
  }
  return GANTRY_OK;
}

gantry_err_t check_integrity(db_t *db, const progress_t *progress, gantry_fault_t *fault) {
  GANTRY_TRY(check_tell(progress, "checking every page", 0, 0, fault));
  return db_kind(db) == DB_SQLITE ? check_sqlite(db, fault) : check_tables(db, progress, fault);
}

/* ---- what the tables mean */

gantry_err_t check_audit(db_t *db, const progress_t *progress, gantry_fault_t *fault) {
  store_audit_verify_t take = {.limit = PAGE};
  store_audit_verified_t page = {0};
  while (!page.done) {
    gantry_err_t err = audit_verify(db, &take, &page);
    if (err != GANTRY_OK) return check_failed(db, err, "audit_log", fault);
    take.after = page.last;
    GANTRY_TRY(check_tell(progress, "audit entries", page.last, page.newest, fault));
  }
  if (page.fault == STORE_AUDIT_FAULT_NONE) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID,
                   desc_enum_text(&STORE_AUDIT_FAULT_ENUM, (int)page.fault), "%.180s", page.detail);
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
    if (err == GANTRY_OK) err = check_tell(progress, "versions", ++done, 0, fault);
    if (err != GANTRY_OK) break;
  }
  return check_ended(db, statement, err, "setting_version", fault);
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
    if (err == GANTRY_OK) err = check_tell(progress, "versions", ++done, 0, fault);
    if (err != GANTRY_OK) break;
  }
  return check_ended(db, statement, err, "map_version", fault);
}
