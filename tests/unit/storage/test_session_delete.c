/* A deleted session leaves what a database has that never heard of it. */
#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "defaults.h"
#include "fixture.h"
#include "store_compact.h"
#include "store_erase.h"

#define NOW_US    (FIXTURE_NOW_NS / 1000)
#define MINUTE_US 60000000ull
#define DAY_US    86400000000ull
#define BEGIN_US  (NOW_US - 3 * DAY_US - 90 * MINUTE_US)
#define BUDGET_US 6000

static fixture_t fixture;
static sensor_readings_t batch;

static void set_up(void) {
  fixture_init(&fixture);
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(session_delete, .init = set_up, .fini = tear_down);

static void add(const char *session, uint64_t from_us, uint64_t spacing_us, uint64_t first) {
  const store_origin_t origin = {.robot = "r1"};
  uint32_t added;
  batch = (sensor_readings_t){.series_count = 3};
  for (uint32_t i = 0; i < 3; i++) {
    sensor_series_key_t *series = &batch.series[i];
    snprintf(series->sensor, sizeof series->sensor, "s%u", i);
    snprintf(series->type, sizeof series->type, "force");
    snprintf(series->session, sizeof series->session, "%s", session);
  }
  batch.which_count = batch.time_count = batch.number_count = batch.value_count =
      batch.quality_count = batch.validity_count = 1000;
  for (uint32_t i = 0; i < 1000; i++) {
    batch.which[i] = (uint8_t)(i % 3);
    batch.time[i] = (from_us + i * spacing_us) * 1000;
    batch.number[i] = first + i;
    batch.value[i] = (double)((first + i * 7919) % 1000);
    batch.quality[i] = 1;
    batch.validity[i] = i % 50 == 0 ? 2 : 0;
  }
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  cr_assert_eq(store_add_readings(fixture.store, &origin, &batch, &added, &fixture.fault),
               GANTRY_OK);
  cr_assert_eq(added, 1000);
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
}

static void pack(uint64_t now_us) {
  bool done = false;
  store_set_compaction(fixture.store, 60, 60);
  while (!done)
    cr_assert_eq(store_compact_step(fixture.store, now_us, 1000000, &done), GANTRY_OK);
}

/* Readings of no session, and of another one, with or without those that will be deleted between
   and beside them. Half of it is packed; late readings of the session lie as rows in a packed
   minute. */
static void fill(bool with_session) {
  for (uint64_t part = 0; part < 6; part++)
    add("", BEGIN_US + part * 10 * MINUTE_US, 600000, part * 1000);
  for (uint64_t part = 0; with_session && part < 4; part++)
    add("s-1", BEGIN_US + 25 * MINUTE_US + part * MINUTE_US * 10 + 17, 500000,
        100000 + part * 1000);
  pack(BEGIN_US + 40 * MINUTE_US);
  if (with_session) add("s-1", BEGIN_US + 26 * MINUTE_US + 91, 10000, 200000);
  add("s-2", NOW_US, 1000, 0);
}

static const char *const ALL[] = {"SELECT count(*) FROM reading",
                                  "SELECT sum(rows) FROM reading_chunk",
                                  "SELECT sum(rows) FROM series", "SELECT count(*) FROM session",
                                  "SELECT sum(rows) FROM session_series"};
static const char *const TIERS[] = {"60", "3600", "86400"};
static const char *const ROLLUPS[] = {"count(*)",
                                      "sum(rows)",
                                      "sum(sum)",
                                      "sum(sum2)",
                                      "sum(min)",
                                      "sum(max)",
                                      "sum(first)",
                                      "sum(last)",
                                      "sum(first_ts % 1000003)",
                                      "sum(last_ts % 1000003)"};
#define COUNT(list) (sizeof(list) / sizeof *(list))

typedef struct witness {
  double all[COUNT(ALL)], rollups[COUNT(TIERS)][COUNT(ROLLUPS)];
} witness_t;

static witness_t wanted; /* of a database that never heard of the session */

static witness_t look(void) {
  witness_t seen;
  char sql[160];
  for (size_t i = 0; i < COUNT(ALL); i++)
    seen.all[i] = fixture_number(&fixture, ALL[i]);
  for (size_t tier = 0; tier < COUNT(TIERS); tier++)
    for (size_t i = 0; i < COUNT(ROLLUPS); i++) {
      snprintf(sql, sizeof sql, "SELECT CAST(%s AS DOUBLE PRECISION) FROM rollup WHERE tier = %s",
               ROLLUPS[i], TIERS[tier]);
      seen.rollups[tier][i] = fixture_number(&fixture, sql);
    }
  return seen;
}

static void record(void) {
  fill(false);
  wanted = look();
  fixture_fini(&fixture);
  fixture_init(&fixture);
  fill(true);
}

static void delete_session(void) {
  static session_key_t key = {.session = "s-1"}, gone;
  cr_assert_eq(fixture_call(&fixture, REQUEST_SESSION_DELETE, &key, &gone), GANTRY_OK, "%s",
               fixture.fault.detail);
  cr_assert_str_eq(gone.session, "s-1");
}

static uint32_t erase(uint32_t steps_max) {
  sweep_t sweep = {0};
  uint64_t deleted;
  bool done = false;
  uint32_t steps = 0;
  for (; !done && steps < steps_max; steps++)
    cr_assert_eq(store_erase_step(fixture.store, &sweep, BUDGET_US, &deleted, &done), GANTRY_OK);
  return steps;
}

static void expect_sound(void) {
  db_t *db = NULL;
  gantry_fault_t fault = {0};
  cr_assert_eq(fixture_open_db(fixture.path, &db, &fault), GANTRY_OK);
  cr_assert_eq(db_begin_read(db), GANTRY_OK);
  for (uint32_t i = 0; i < CHECK_COUNT; i++)
    cr_assert_eq(CHECKS[i].run(db, NULL, &fault), GANTRY_OK, "%s: %s %s", CHECKS[i].name,
                 fault.field, fault.detail);
  db_rollback(db);
  db_close(&db);
}

static void expect_no_trace(void) {
  witness_t seen = look();
  for (size_t i = 0; i < COUNT(ALL); i++)
    cr_assert_eq(seen.all[i], wanted.all[i], "%s: %g, not %g", ALL[i], seen.all[i], wanted.all[i]);
  for (size_t tier = 0; tier < COUNT(TIERS); tier++)
    for (size_t i = 0; i < COUNT(ROLLUPS); i++)
      cr_assert_float_eq(seen.rollups[tier][i], wanted.rollups[tier][i],
                         1e-9 * (1 + wanted.rollups[tier][i]), "%s of %s s: %.17g, not %.17g",
                         ROLLUPS[i], TIERS[tier], seen.rollups[tier][i], wanted.rollups[tier][i]);
  expect_sound();
}

Test(session_delete, is_out_of_the_list_at_once_and_leaves_no_trace_in_the_end) {
  static session_list_t list;
  static store_readings_page_t page;
  session_list_get_t get = {.limit = 10};
  store_readings_get_t readings = {.has_session = true, .session = "s-1", .limit = 10};
  record();
  expect_sound();

  delete_session();

  cr_assert_eq(fixture_call(&fixture, REQUEST_SESSION_LIST, &get, &list), GANTRY_OK);
  cr_assert_eq(list.rows_count, 1);
  cr_assert_eq(list.total, 1);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_READINGS, &readings, &page),
               GANTRY_E_NOT_FOUND);
  erase(10000);
  expect_no_trace();
  cr_assert_not(store_is_erasing(fixture.store));
}

Test(session_delete, goes_on_where_it_was_after_a_restart_and_is_sound_between) {
  record();
  delete_session();

  cr_assert_eq(erase(2), 2, "it takes more than two steps");
  expect_sound();
  fixture_reopen(&fixture);
  cr_assert(store_is_erasing(fixture.store));
  erase(10000);

  expect_no_trace();
}

Test(session_delete, waits_until_the_session_has_ended) {
  static session_session_t session = {.session = "s-1", .state = SESSION_STATE_RECORDING};
  session_key_t key = {.session = "s-1"}, gone;
  row_t row = {.kind = ROW_SESSION, .ts_us = NOW_US, .data = &session};
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);

  cr_assert_eq(fixture_call(&fixture, REQUEST_SESSION_DELETE, &key, &gone), GANTRY_E_CONFLICT);
  cr_assert_str_eq(fixture.fault.field, "session");

  session.state = SESSION_STATE_STOPPED;
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);
  delete_session();
  cr_assert_eq(fixture_call(&fixture, REQUEST_SESSION_DELETE, &key, &gone), GANTRY_E_NOT_FOUND);
}

Test(session_delete, leaves_the_name_to_a_session_that_is_recorded_anew) {
  add("s-1", NOW_US - MINUTE_US, 1000, 0);
  delete_session();
  add("s-1", NOW_US, 1000, 5000);

  erase(10000);

  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading"), 1000);
  cr_assert_eq(fixture_number(&fixture, "SELECT rows FROM session_series WHERE series = 1"), 334);
}

/* Its roll-ups of a minute went by age: hours keep what they know, less what was deleted. */
Test(session_delete, takes_its_readings_out_of_hours_whose_minutes_are_gone) {
  record();
  fixture_exec(&fixture, "DELETE FROM rollup WHERE tier = 60");
  double before = fixture_number(&fixture, "SELECT sum(rows) FROM rollup WHERE tier = 3600");
  double theirs = fixture_number(&fixture, "SELECT sum(numbers) FROM session_series JOIN session ON"
                                           " session.id = session WHERE session_id = 's-1'");
  delete_session();
  erase(10000);

  double after = fixture_number(&fixture, "SELECT sum(rows) FROM rollup WHERE tier = 3600");
  cr_assert_gt(theirs, 4000);
  cr_assert_eq(after, before - theirs);
}

Test(session_delete, is_begun_by_the_lifecycle_without_waiting_for_its_pass) {
  static lifecycle_settings_t settings;
  static lifecycle_t lifecycle;
  uint64_t now_ns = clock_mono_ns();
  settings = (lifecycle_settings_t){.retention = default_lifecycle().retention,
                                    .limits = {.warning = 85, .purge = 92, .read_only = 97}};
  lifecycle_init(&lifecycle, &settings, now_ns);
  record();
  for (int i = 0; i < 3; i++)
    lifecycle_step(&lifecycle, fixture.store, now_ns + (uint64_t)i, NOW_US);
  delete_session();

  lifecycle_wake(&lifecycle);
  for (uint32_t steps = 0; store_is_erasing(fixture.store); steps++) {
    cr_assert_lt(steps, 10000);
    lifecycle_step(&lifecycle, fixture.store, now_ns, NOW_US);
    now_ns = lifecycle_next_ns(&lifecycle);
  }

  cr_assert_eq(lifecycle_get(&lifecycle).deleted, 5000);
  lifecycle_fini(&lifecycle);
  expect_no_trace();
}
