/* What a database takes, by its own account. The one place that asks each in its own words. */
#include <stdio.h>

#include "db_driver.h"

#define SQLITE_MEASURED_MAX (64u << 20) /* pages of larger files are not walked */

static bool number(stmt_t *statement, uint64_t *out) {
  bool there = db_next(statement) == GANTRY_OK && !db_is_null(statement, 0);
  if (there) *out = db_get_u64(statement, 0);
  db_reset(statement);
  return there;
}

static uint64_t ask(db_t *db, const char *text) {
  uint64_t value = 0;
  (void)number(db_use(db, text), &value);
  return value;
}

uint64_t db_bytes(db_t *db) {
  if (db->kind == DB_PG) return ask(db, "SELECT pg_database_size(current_database())");
  return ask(db, "PRAGMA page_count") * ask(db, "PRAGMA page_size");
}

bool db_table_bytes(db_t *db, const char *table, uint64_t *bytes) {
  if (db->kind == DB_SQLITE && db_bytes(db) > SQLITE_MEASURED_MAX) return false;
  stmt_t *statement =
      db->kind == DB_SQLITE
          ? db_use(db, "SELECT sum(pgsize) FROM sqlite_schema AS part JOIN dbstat ON dbstat.name ="
                       " part.name AND aggregate = TRUE WHERE part.tbl_name = ?1")
          : db_use(db, "SELECT CAST(sum(pg_total_relation_size(oid)) AS BIGINT) FROM pg_class WHERE"
                       " oid = to_regclass(?1) OR oid IN (SELECT inhrelid FROM pg_inherits WHERE"
                       " inhparent = to_regclass(?1))");
  db_bind_text(statement, 1, table);
  return number(statement, bytes);
}

uint64_t db_free_bytes(db_t *db) {
  if (db->kind == DB_PG) return 0;
  return ask(db, "PRAGMA freelist_count") * ask(db, "PRAGMA page_size");
}

gantry_err_t db_give_back(db_t *db, uint32_t pages) {
  char text[64];
  if (db->kind == DB_PG) return GANTRY_OK;
  (void)snprintf(text, sizeof text, "PRAGMA incremental_vacuum(%u)", pages);
  GANTRY_TRY(db_begin_unsynced(db));
  gantry_err_t err = db_exec(db, text, NULL);
  if (err == GANTRY_OK) err = db_commit(db);
  if (err != GANTRY_OK) db_rollback(db);
  return err;
}
