/* What only a server does: it refuses, goes away, and comes back. */
#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bulk.h"
#include "fixture.h"

static fixture_t fixture;
static db_t *db;
static char door[128]; /* a way to the server's socket that a test may close */

/* The socket's name in a folder. */
static void socket_in(const char *folder, char *out, size_t size) {
  snprintf(out, size, "%s/.s.PGSQL.5432", folder);
}

static void open_door(void) {
  char from[160], to[192], host[128] = "";
  cr_assert_eq(sscanf(getenv("GANTRY_TEST_DSN"), "host=%127s", host), 1);
  socket_in(host, from, sizeof from);
  socket_in(fixture.folder, to, sizeof to);
  cr_assert_eq(symlink(from, to), 0);
}

static void close_door(void) {
  char to[192];
  socket_in(fixture.folder, to, sizeof to);
  unlink(to);
}

static void set_up(void) {
  gantry_fault_t fault = {0};
  char dsn[256];
  fixture_init(&fixture);
  open_door();
  snprintf(door, sizeof door, "host=%s dbname=postgres user=gantry", fixture.folder);
  snprintf(dsn, sizeof dsn, "%s %s", door, strstr(fixture.path, "options="));
  cr_assert_eq(db_pg_open(dsn, &db, &fault), GANTRY_OK, "%s", fault.detail);
}

static void tear_down(void) {
  db_close(&db);
  close_door();
  fixture_fini(&fixture);
}

TestSuite(db_pg, .init = set_up, .fini = tear_down, .timeout = 60);

static gantry_err_t put_state(const char *key) {
  stmt_t *statement =
      db_use(db, "INSERT INTO service_state (key, value, updated) VALUES (?, 'x', 1)");
  db_bind_text(statement, 1, key);
  return db_finish(statement);
}

static double states(void) {
  return fixture_number(&fixture, "SELECT count(*) FROM service_state");
}

/* Cuts the connection from the server's side and waits until it is gone. */
static void cut(void) {
  char sql[160];
  stmt_t *statement = db_use(db, "SELECT pg_backend_pid()");
  cr_assert_eq(db_next(statement), GANTRY_OK);
  snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%lld, 20000)::int",
           (long long)db_get_int(statement, 0));
  db_reset(statement);
  cr_assert_eq(fixture_number(&fixture, sql), 1);
}

Test(db_pg, comes_back_after_a_lost_connection_and_prepares_anew) {
  cr_assert_eq(put_state("a"), GANTRY_OK);
  cut();

  cr_assert_eq(put_state("b"), GANTRY_OK, "%s", db_message(db));
  cr_assert_eq(states(), 2);
}

Test(db_pg, says_that_a_transaction_was_lost_until_it_is_rolled_back) {
  cr_assert_eq(db_begin(db), GANTRY_OK);
  cr_assert_eq(put_state("a"), GANTRY_OK);
  cut();

  cr_assert_eq(put_state("b"), GANTRY_E_UNAVAILABLE);
  cr_assert_eq(put_state("c"), GANTRY_E_UNAVAILABLE);
  cr_assert_eq(db_commit(db), GANTRY_E_UNAVAILABLE);
  db_rollback(db);

  cr_assert_eq(db_begin(db), GANTRY_OK);
  cr_assert_eq(put_state("b"), GANTRY_OK);
  cr_assert_eq(db_commit(db), GANTRY_OK);
  cr_assert_eq(states(), 1);
}

Test(db_pg, loses_no_commit_unsaid_when_the_connection_is_cut_before_it) {
  cr_assert_eq(db_begin(db), GANTRY_OK);
  cr_assert_eq(put_state("a"), GANTRY_OK);
  cut();

  cr_assert_eq(db_commit(db), GANTRY_E_UNAVAILABLE);
  db_rollback(db);
  cr_assert_eq(states(), 0);
}

Test(db_pg, says_that_a_pipeline_was_lost) {
  cr_assert_eq(db_begin(db), GANTRY_OK);
  cr_assert_eq(put_state("a"), GANTRY_OK);
  cut();
  cr_assert_eq(db_pipeline_begin(db), GANTRY_OK);
  gantry_err_t err = put_state("b");

  gantry_err_t ended = db_pipeline_end(db);

  cr_assert(err == GANTRY_E_UNAVAILABLE || ended == GANTRY_E_UNAVAILABLE);
  db_rollback(db);
  cr_assert_eq(put_state("c"), GANTRY_OK);
  cr_assert_eq(states(), 1);
}

Test(db_pg, says_that_a_copy_was_lost) {
  static db_reading_t rows[2000];
  size_t added;
  for (int64_t i = 0; i < 2000; i++)
    rows[i] = (db_reading_t){.series = 1, .ts_us = i, .seq = i};
  cr_assert_eq(db_begin(db), GANTRY_OK);
  cr_assert_eq(put_state("a"), GANTRY_OK);
  cut();

  cr_assert_eq(db_add_readings(db, rows, 2000, NULL, &added), GANTRY_E_UNAVAILABLE);
  db_rollback(db);
  cr_assert_eq(db_begin(db), GANTRY_OK);
  cr_assert_eq(db_add_readings(db, rows, 2000, NULL, &added), GANTRY_OK);
  cr_assert_eq(db_commit(db), GANTRY_OK);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading"), 2000);
}

Test(db_pg, tries_a_server_that_is_away_ever_more_rarely) {
  uint64_t begun_ns, deadline_ns = clock_mono_ns() + 30 * GANTRY_NS_PER_S;
  gantry_err_t err;
  cr_assert_eq(put_state("a"), GANTRY_OK);
  close_door();
  cut();
  cr_assert_eq(put_state("b"), GANTRY_E_UNAVAILABLE);
  cr_assert_not_null(strstr(db_message(db), fixture.folder), "%s", db_message(db));

  /* Between attempts the answer is there at once; an attempt that found a server would be heard. */
  begun_ns = clock_mono_ns();
  open_door();
  do
    err = put_state("b");
  while (err == GANTRY_E_UNAVAILABLE && clock_mono_ns() < deadline_ns);

  cr_assert_eq(err, GANTRY_OK);
  cr_assert_gt(clock_mono_ns() - begun_ns, 50 * GANTRY_NS_PER_MS);
  cr_assert_eq(states(), 2);
}

Test(db_pg, refuses_all_of_a_transaction_that_failed_and_does_not_call_it_committed) {
  cr_assert_eq(db_begin(db), GANTRY_OK);
  cr_assert_eq(put_state("a"), GANTRY_OK);
  cr_assert_eq(put_state("a"), GANTRY_E_CONFLICT);

  cr_assert_eq(put_state("b"), GANTRY_E_UNAVAILABLE);
  cr_assert_eq(db_commit(db), GANTRY_E_UNAVAILABLE);
  db_rollback(db);
  cr_assert_eq(states(), 0);
}

/* Opens what is expected to be refused. */
static gantry_fault_t refused(const char *dsn, gantry_err_t expected) {
  gantry_fault_t fault = {0};
  db_t *other = NULL;
  cr_assert_eq(db_pg_open(dsn, &other, &fault), expected, "%s", fault.detail);
  cr_assert_null(other);
  return fault;
}

Test(db_pg, tells_a_wrong_setting_from_a_server_that_is_away) {
  char dsn[256];
  gantry_fault_t fault;

  fault = refused("host=/tmp nonsense=1 password=geheim", GANTRY_E_INVALID);
  cr_assert_null(strstr(fault.detail, "geheim"));
  cr_assert_str_eq(fault.field, "dsn");
  snprintf(dsn, sizeof dsn, "host=%s dbname=nowhere user=gantry", fixture.folder);
  fault = refused(dsn, GANTRY_E_INVALID);
  cr_assert_not_null(strstr(fault.detail, "nowhere"), "%s", fault.detail);
  fault = refused("host=/nowhere dbname=robots user=gantry", GANTRY_E_UNAVAILABLE);
  cr_assert_not_null(strstr(fault.detail, "/nowhere/robots"), "%s", fault.detail);
  refused("host=127.0.0.1 port=1 dbname=robots", GANTRY_E_UNAVAILABLE);
}

Test(db_pg, keeps_the_password_out_of_its_words) {
  char dsn[256];
  snprintf(dsn, sizeof dsn, "host=%s dbname=postgres user=locked password=geheim", fixture.folder);

  gantry_fault_t fault = refused(dsn, GANTRY_E_INVALID);

  cr_assert_null(strstr(fault.detail, "geheim"), "%s", fault.detail);
  cr_assert_not_null(strstr(fault.detail, fixture.folder), "%s", fault.detail);
}

/* Many rows go by COPY, which takes no view. */
Test(db_pg, adds_row_by_row_where_the_server_takes_no_copy) {
  db_reading_t rows[10];
  size_t added;
  for (int64_t i = 0; i < 10; i++)
    rows[i] = (db_reading_t){.series = 1, .ts_us = i, .seq = i};
  fixture_exec(&fixture, "DROP VIEW sensor_readings; ALTER TABLE reading RENAME TO rows_of_it;"
                         " CREATE VIEW reading AS SELECT * FROM rows_of_it");
  cr_assert_eq(db_begin(db), GANTRY_OK);
  cr_assert_eq(db_add_readings(db, rows, 10, NULL, &added), GANTRY_E_UNAVAILABLE);
  db_rollback(db);

  cr_assert_eq(db_begin(db), GANTRY_OK);
  cr_assert_eq(db_add_readings(db, rows, 10, NULL, &added), GANTRY_OK, "%s", db_message(db));
  cr_assert_eq(db_commit(db), GANTRY_OK);

  cr_assert_eq(added, 10);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM rows_of_it"), 10);
}

Test(db_pg, claims_the_database_again_on_a_new_connection) {
  gantry_fault_t fault = {0};
  store_t *other = NULL;
  store_close(&fixture.store);
  gantry_err_t err = db_claim(db, "here", &fault);
  for (int i = 0; i < 20 && err != GANTRY_OK; i++) /* each waits a second */
    err = db_claim(db, "here", &fault);
  cr_assert_eq(err, GANTRY_OK, "%s", fault.detail);
  cut();
  cr_assert_eq(put_state("a"), GANTRY_OK, "%s", db_message(db));

  cr_expect_eq(store_open_server(fixture.path, &other, &fault), GANTRY_E_UNAVAILABLE);
}

Test(db_pg, refuses_a_database_that_cannot_hold_every_script) {
  char dsn[256];
  fixture_exec(&fixture, "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
                         " TEMPLATE template0");
  snprintf(dsn, sizeof dsn, "host=%s dbname=latin user=gantry", fixture.folder);
  gantry_fault_t fault = refused(dsn, GANTRY_E_INVALID);
  fixture_exec(&fixture, "DROP DATABASE latin WITH (FORCE)");
  cr_expect(strstr(fault.detail, "LATIN1") != NULL, "%s", fault.detail);
}
