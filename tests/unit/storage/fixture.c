/* A store over a temporary file, or over PostgreSQL. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_pg.h"

bool fixture_is_pg(void) {
  const char *store = getenv("GANTRY_TEST_STORE");
  return store && strcmp(store, "pg") == 0;
}

gantry_err_t fixture_open_db(const char *path, db_t **out, gantry_fault_t *fault) {
  return fixture_is_pg() ? db_pg_open(path, out, fault) : db_sqlite_open(path, out, fault);
}

gantry_err_t fixture_open(const char *path, store_t **out, gantry_fault_t *fault) {
  return fixture_is_pg() ? store_open_server(path, out, fault) : store_open_file(path, out, fault);
}

void fixture_init(fixture_t *fixture) {
  *fixture = (fixture_t){0};
  snprintf(fixture->folder, sizeof fixture->folder, "/tmp/gantry_store_XXXXXX");
  cr_assert_not_null(mkdtemp(fixture->folder));
  if (fixture_is_pg())
    fixture_pg_init(fixture->path, sizeof fixture->path);
  else
    snprintf(fixture->path, sizeof fixture->path, "%s/gantry.db", fixture->folder);
  gantry_err_t err = fixture_open(fixture->path, &fixture->store, &fixture->fault);
  cr_assert_eq(err, GANTRY_OK, "%s", fixture->fault.detail);
}

void fixture_fini(fixture_t *fixture) {
  static const char *const SUFFIXES[] = {"", "-wal", "-shm"};
  char path[288];
  store_close(&fixture->store);
  arena_fini(&fixture->arena);
  if (fixture_is_pg()) fixture_pg_fini();
  for (size_t i = 0; i < 3 && !fixture_is_pg(); i++) {
    snprintf(path, sizeof path, "%s%s", fixture->path, SUFFIXES[i]);
    unlink(path);
  }
  rmdir(fixture->folder);
}

gantry_err_t fixture_try_open(fixture_t *fixture) {
  store_close(&fixture->store);
  fixture->fault = (gantry_fault_t){0};
  return fixture_open(fixture->path, &fixture->store, &fixture->fault);
}

void fixture_reopen(fixture_t *fixture) {
  gantry_err_t err = fixture_try_open(fixture);
  cr_assert_eq(err, GANTRY_OK, "%s", fixture->fault.detail);
}

gantry_err_t fixture_call(fixture_t *fixture, const request_t *request, const void *takes,
                          void *gives) {
  store_call_t call = {.request = request,
                       .takes = takes,
                       .gives = gives,
                       .arena = &fixture->arena,
                       .now_ns = FIXTURE_NOW_NS,
                       .actor = "anna",
                       .fault = &fixture->fault};
  fixture->fault = (gantry_fault_t){0};
  memset(gives, 0, request->gives->size);
  return store_serve(fixture->store, &call);
}

gantry_err_t fixture_add(fixture_t *fixture, const row_t *row) {
  GANTRY_TRY(store_begin(fixture->store));
  gantry_err_t err = store_add(fixture->store, row);
  gantry_err_t committed = store_commit(fixture->store);
  return err == GANTRY_OK ? committed : err;
}

row_t fixture_reading(const char *sensor, uint64_t ts_us, double value) {
  static uint64_t made;
  row_t row = {.kind = ROW_READING, .ts_us = ts_us, .service = "sensor-processor", .robot = "r1"};
  row.seq = ((uint64_t)getpid() << 32) + made++;
  snprintf(row.reading.sensor, sizeof row.reading.sensor, "%s", sensor);
  snprintf(row.reading.type, sizeof row.reading.type, "value");
  snprintf(row.reading.unit, sizeof row.reading.unit, "V");
  row.reading.has_value = true;
  row.reading.value = value;
  row.reading.quality = 0.9;
  return row;
}

static void sqlite_text(const char *path, const char *sql, char *out, size_t size) {
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
  cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK, "%s: %s", sql,
               sqlite3_errmsg(db));
  cr_assert_eq(sqlite3_step(statement), SQLITE_ROW, "%s", sql);
  const unsigned char *text = sqlite3_column_text(statement, 0);
  snprintf(out, size, "%s", text ? (const char *)text : "");
  sqlite3_finalize(statement);
  sqlite3_close(db);
}

void fixture_text(const fixture_t *fixture, const char *sql, char *out, size_t size) {
  if (fixture_is_pg())
    fixture_pg_text(fixture->path, sql, out, size);
  else
    sqlite_text(fixture->path, sql, out, size);
}

double fixture_number(const fixture_t *fixture, const char *sql) {
  char text[64];
  fixture_text(fixture, sql, text, sizeof text);
  return strtod(text, NULL);
}

void fixture_columns(const fixture_t *fixture, const char *table, char *out, size_t size) {
  char sql[256];
  snprintf(sql, sizeof sql,
           fixture_is_pg() ? "SELECT string_agg(column_name, ',' ORDER BY ordinal_position) FROM"
                             " information_schema.columns WHERE table_schema = current_schema()"
                             " AND table_name = '%s'"
                           : "SELECT group_concat(name) FROM pragma_table_info('%s')",
           table);
  fixture_text(fixture, sql, out, size);
}

void fixture_exec(const fixture_t *fixture, const char *sql) {
  char none[8], *error = NULL;
  sqlite3 *db = NULL;
  if (fixture_is_pg()) {
    fixture_pg_text(fixture->path, sql, none, sizeof none);
    return;
  }
  cr_assert_eq(sqlite3_open(fixture->path, &db), SQLITE_OK);
  cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, &error), SQLITE_OK, "%s", error ? error : "");
  sqlite3_close(db);
}
