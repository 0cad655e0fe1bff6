/* Values, statements and transactions, over either back end. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bulk.h"
#include "fixture.h"

static fixture_t fixture;
static db_t *db;

static void set_up(void) {
  gantry_fault_t fault = {0};
  fixture_init(&fixture);
  cr_assert_eq(fixture_open_db(fixture.path, &db, &fault), GANTRY_OK, "%s", fault.detail);
}

static void tear_down(void) {
  db_close(&db);
  fixture_fini(&fixture);
}

TestSuite(db, .init = set_up, .fini = tear_down, .timeout = 60);

/* A row of the table whose columns have every type. */
static gantry_err_t put_version(const char *map, int64_t number, double real, const void *blob,
                                size_t len) {
  stmt_t *statement = db_use(
      db, "INSERT INTO map_version (map_id, version, resolution, width, height, origin_x, origin_y,"
          " cells, metadata, revision, graph, created) VALUES (?1, ?2, ?3, 1, 1, 0, ?3, ?4, ?5,"
          " 1, ?6, 0)");
  db_bind_text(statement, 1, map);
  db_bind_int(statement, 2, number);
  db_bind_real(statement, 3, real);
  db_bind_blob(statement, 4, blob, len);
  db_bind_text(statement, 5, "? is not a parameter: \"?1\"");
  return db_finish(statement);
}

static void put_map(void) {
  fixture_exec(&fixture, "INSERT INTO map (id, map_id, name, resolution, width, height, origin_x,"
                         " origin_y, cells, metadata, revision, version, created, updated) VALUES"
                         " (1, 'm', 'm', 1, 1, 1, 0, 0, '', '', 1, 1, 0, 0)");
}

Test(db, gives_values_back_as_they_were_bound) {
  static const uint8_t BYTES[] = {0, 1, 255, 0, 39, 92};
  size_t len;
  char text[64];
  if (fixture_is_pg()) put_map();
  if (!fixture_is_pg()) cr_assert_eq(db_exec(db, "PRAGMA foreign_keys = OFF", NULL), GANTRY_OK);

  cr_assert_eq(put_version("m", INT64_MIN, 0.1 + 0.2, BYTES, sizeof BYTES), GANTRY_OK, "%s",
               db_message(db));

  stmt_t *statement = db_use(db, "SELECT version, resolution, cells, metadata, graph, trajectory,"
                                 " version < 0 FROM map_version WHERE map_id = ?");
  db_bind_text(statement, 1, "m");
  cr_assert_eq(db_next(statement), GANTRY_OK);
  cr_assert_eq(db_get_int(statement, 0), INT64_MIN);
  cr_assert_eq(db_get_real(statement, 1), 0.1 + 0.2);
  cr_assert_arr_eq(db_get_blob(statement, 2, &len), BYTES, sizeof BYTES);
  cr_assert_eq(len, sizeof BYTES);
  cr_assert(db_get_text(statement, 3, text, sizeof text));
  cr_assert_str_eq(text, "? is not a parameter: \"?1\"");
  cr_assert(db_is_null(statement, 4), "a parameter nobody bound is NULL");
  cr_assert(db_is_null(statement, 5));
  cr_assert(db_get_bool(statement, 6));
  cr_assert_eq(db_next(statement), GANTRY_E_NOT_FOUND);
}

static int64_t sum(const char *sql) {
  stmt_t *statement = db_use(db, sql);
  cr_assert_eq(db_next(statement), GANTRY_OK, "%s: %s", sql, db_message(db));
  int64_t value = db_get_int(statement, 0);
  db_reset(statement);
  return value;
}

Test(db, reads_a_sum_of_integers_exactly) {
  fixture_exec(&fixture, "INSERT INTO ingest_mark (producer, boot, seq, updated) VALUES"
                         " ('a', 1, 100000001, 0), ('a', 2, 1767225600000000, 0)");

  cr_assert_eq(sum("SELECT sum(seq) FROM ingest_mark"), 1767225700000001);
  cr_assert_eq(sum("SELECT sum(-seq) FROM ingest_mark"), -1767225700000001);
  cr_assert_eq(sum("SELECT sum(seq) FROM ingest_mark WHERE boot = 9"), 0);
  cr_assert_eq(sum("SELECT sum(seq) FROM ingest_mark WHERE boot = 1"), 100000001);
}

static gantry_err_t put_state(const char *key) {
  stmt_t *statement =
      db_use(db, "INSERT INTO service_state (key, value, updated) VALUES (?, 'x', 1)");
  db_bind_text(statement, 1, key);
  return db_finish(statement);
}

Test(db, says_conflict_and_counts_what_changed) {
  cr_assert_eq(put_state("a"), GANTRY_OK);
  cr_assert_eq(db_changes(db), 1);

  cr_assert_eq(put_state("a"), GANTRY_E_CONFLICT);
  cr_assert_not_null(strstr(db_message(db), "service_state"), "%s", db_message(db));

  cr_assert_eq(put_state("b"), GANTRY_OK);
  cr_assert_eq(db_finish(db_use(db, "UPDATE service_state SET updated = 2")), GANTRY_OK);
  cr_assert_eq(db_changes(db), 2);
}

Test(db, keeps_the_rest_of_a_transaction_when_a_part_fails) {
  cr_assert_eq(db_begin(db), GANTRY_OK);
  cr_assert_eq(put_state("before"), GANTRY_OK);
  cr_assert_eq(db_exec(db, "SAVEPOINT part", NULL), GANTRY_OK);
  cr_assert_eq(put_state("within"), GANTRY_OK);
  cr_assert_eq(put_state("before"), GANTRY_E_CONFLICT);
  cr_assert_eq(db_exec(db, "ROLLBACK TO SAVEPOINT part", NULL), GANTRY_OK);
  cr_assert_eq(db_exec(db, "SAVEPOINT part", NULL), GANTRY_OK);
  cr_assert_eq(put_state("after"), GANTRY_OK);
  cr_assert_eq(db_exec(db, "RELEASE SAVEPOINT part", NULL), GANTRY_OK);

  cr_assert_eq(db_commit(db), GANTRY_OK);

  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM service_state WHERE key IN"
                                        " ('before', 'after')"),
               2);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM service_state WHERE key = 'within'"),
               0);
}

Test(db, queues_many_small_statements) {
  char key[16];
  cr_assert_eq(db_begin(db), GANTRY_OK);
  cr_assert_eq(db_pipeline_begin(db), GANTRY_OK);
  for (int i = 0; i < 1000; i++) {
    snprintf(key, sizeof key, "k%d", i);
    cr_assert_eq(put_state(key), GANTRY_OK);
  }
  cr_assert_eq(db_pipeline_end(db), GANTRY_OK, "%s", db_message(db));
  cr_assert_eq(sum("SELECT count(*) FROM service_state WHERE key LIKE 'k%'"), 1000);
  cr_assert_eq(db_commit(db), GANTRY_OK);

  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM service_state WHERE key LIKE 'k%'"),
               1000);
}

Test(db, tells_of_a_queued_statement_that_failed) {
  cr_assert_eq(db_begin(db), GANTRY_OK);
  cr_assert_eq(db_pipeline_begin(db), GANTRY_OK);
  gantry_err_t first = put_state("a"), second = put_state("a"), third = put_state("b");
  gantry_err_t ended = db_pipeline_end(db);

  cr_assert_eq(first, GANTRY_OK);
  cr_assert(second == GANTRY_E_CONFLICT || third == GANTRY_E_CONFLICT ||
            ended == GANTRY_E_CONFLICT);
  db_rollback(db);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM service_state"), 0);
}

Test(db, lets_two_statements_be_read_at_once) {
  stmt_t *outer = db_use(db, "SELECT version FROM schema_migrations ORDER BY version");
  int rows = 0;
  while (db_next(outer) == GANTRY_OK)
    for (stmt_t *inner = db_use(db, "SELECT name FROM schema_migrations WHERE version = 1");
         db_next(inner) == GANTRY_OK;)
      rows++;

  cr_assert_gt(rows, 1);
}

#define TS_US ((int64_t)(FIXTURE_NOW_NS / 1000))

static db_reading_t a_reading(int64_t seq) {
  return (db_reading_t){.series = 1,
                        .ts_us = TS_US + seq,
                        .seq = seq,
                        .has_value = seq % 3 != 0,
                        .value = (double)seq / 7,
                        .quality = 0.5,
                        .validity = 1,
                        .source = 2,
                        .session = seq % 2};
}

static size_t add(db_reading_t *rows, size_t count, bool *fresh) {
  size_t added = 0;
  cr_assert_eq(db_begin(db), GANTRY_OK);
  cr_assert_eq(db_add_readings(db, rows, count, fresh, &added), GANTRY_OK, "%s", db_message(db));
  cr_assert_eq(db_commit(db), GANTRY_OK);
  return added;
}

Test(db, adds_readings_by_the_thousand) {
  static db_reading_t rows[5000];
  for (int64_t i = 0; i < 5000; i++)
    rows[i] = a_reading(i);

  cr_assert_eq(add(rows, 5000, NULL), 5000);

  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading"), 5000);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading WHERE value IS NULL"), 1667);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading WHERE session = 1 AND"
                                        " quality = 0.5 AND validity = 1 AND source = 2"),
               2500);
  cr_assert_float_eq(fixture_number(&fixture, "SELECT value FROM reading WHERE seq = 4999"),
                     4999 / 7.0, 1e-9);
}

Test(db, adds_no_reading_twice_and_says_which_were_new) {
  static db_reading_t rows[30];
  bool fresh[30];
  for (int64_t i = 0; i < 30; i++)
    rows[i] = a_reading(i);
  cr_assert_eq(add(rows, 10, NULL), 10);

  cr_assert_eq(add(rows + 5, 25, fresh), 20);

  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading"), 30);
  for (size_t i = 0; i < 25; i++)
    cr_assert_eq(fresh[i], i >= 5);
}

Test(db, adds_objects_of_any_size) {
  enum { LONG = 300000 };
  db_reading_t rows[40];
  char *text = calloc(LONG + 1, 1);
  memset(text, 'x', LONG);
  for (int64_t i = 0; i < 40; i++) {
    rows[i] = a_reading(i);
    /* Of all sizes about that of the driver's buffer, and much larger. */
    rows[i].data = i == 39 ? text : text + LONG - 65536 + 4 * i;
  }

  cr_assert_eq(add(rows, 40, NULL), 40);

  free(text);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading WHERE length(data) ="
                                        " 65536 - 4 * seq"),
               39);
  cr_assert_eq(fixture_number(&fixture, "SELECT length(data) FROM reading WHERE seq = 39"), LONG);
}

Test(db, takes_readings_of_any_time) {
  const int64_t times[] = {INT64_MIN, -1, 0, TS_US - 300 * 86400000000ll, TS_US, INT64_MAX};
  db_reading_t rows[6];
  for (int64_t i = 0; i < 6; i++) {
    rows[i] = a_reading(i);
    rows[i].ts_us = times[i];
  }

  cr_assert_eq(add(rows, 6, NULL), 6);

  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading"), 6);
}
