/* How a server keeps days apart. */
#include <criterion/criterion.h>
#include <gantry/clock.h>

#include "bulk.h"
#include "days.h"
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

TestSuite(days, .init = set_up, .fini = tear_down, .timeout = 60);

#define DAY DAYS_DAY_US

static int64_t today_us(void) {
  return (int64_t)(clock_wall_ns() / 1000) / DAY * DAY;
}

static void add_reading(int64_t ts_us, int64_t session) {
  db_reading_t row = {.series = 1, .ts_us = ts_us, .seq = 1, .session = session};
  size_t added;
  cr_assert_eq(db_begin(db), GANTRY_OK);
  cr_assert_eq(db_add_readings(db, &row, 1, NULL, &added), GANTRY_OK, "%s", db_message(db));
  cr_assert_eq(db_commit(db), GANTRY_OK);
}

static size_t list(int64_t *starts_us) {
  size_t count;
  cr_assert_eq(days_list(db, starts_us, DAYS_MAX, &count), GANTRY_OK);
  return count;
}

static double strays(void) {
  return fixture_number(&fixture, "SELECT count(*) FROM reading_other");
}

Test(days, makes_days_ahead_once) {
  int64_t starts_us[DAYS_MAX], now_us = today_us() + 5;
  bool made = true;

  for (int i = 0; i < 4; i++)
    cr_assert_eq(days_ensure(db, now_us, 2, &made), GANTRY_OK, "%s", db_message(db));

  cr_assert_not(made);
  cr_assert_eq(list(starts_us), 3);
  cr_assert_eq(starts_us[0], today_us());
  cr_assert_eq(starts_us[2], today_us() + 2 * DAY);
}

Test(days, gives_late_readings_a_day_and_wild_ones_none) {
  int64_t starts_us[DAYS_MAX];

  add_reading(today_us() - 20 * DAY, 0);
  add_reading(today_us() + 400 * DAY, 0);
  add_reading(0, 0);

  cr_assert_eq(list(starts_us), 1);
  cr_assert_eq(starts_us[0], today_us() - 20 * DAY);
  cr_assert_eq(strays(), 2);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading"), 3);
}

Test(days, moves_strays_into_a_day_that_is_made_for_them) {
  int64_t far_us = today_us() + 400 * DAY;
  bool made;
  add_reading(far_us, 0);
  cr_assert_eq(strays(), 1);

  cr_assert_eq(days_ensure(db, far_us, 0, &made), GANTRY_OK, "%s", db_message(db));

  cr_assert_eq(strays(), 0);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading"), 1);
}

Test(days, forgets_a_day_whose_transaction_was_taken_back) {
  db_reading_t row = {.series = 1, .ts_us = today_us(), .seq = 1};
  int64_t starts_us[DAYS_MAX];
  size_t added;
  cr_assert_eq(db_begin(db), GANTRY_OK);
  cr_assert_eq(db_add_readings(db, &row, 1, NULL, &added), GANTRY_OK);
  db_rollback(db);

  cr_assert_eq(list(starts_us), 0);
  add_reading(today_us(), 0);
  cr_assert_eq(list(starts_us), 1);
}

Test(days, drops_a_day_and_takes_its_rows_off_the_totals) {
  int64_t starts_us[DAYS_MAX];
  bool dropped;
  fixture_exec(&fixture, "INSERT INTO series VALUES (1, 'r', 's', 'value', 'V', 7)");
  add_reading(today_us() - 2 * DAY, 0);
  add_reading(today_us() - 2 * DAY + 1, 0);
  add_reading(today_us(), 0);

  cr_assert_eq(days_drop(db, today_us() - 2 * DAY, true, &dropped), GANTRY_OK, "%s",
               db_message(db));

  cr_assert(dropped);
  cr_assert_eq(list(starts_us), 1);
  cr_assert_eq(starts_us[0], today_us());
  cr_assert_eq(fixture_number(&fixture, "SELECT rows FROM series"), 5);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading"), 1);
}

Test(days, drops_a_day_without_its_rows_only_when_none_is_left) {
  bool dropped;
  add_reading(today_us(), 0);

  cr_assert_eq(days_drop(db, today_us(), false, &dropped), GANTRY_OK);
  cr_assert_not(dropped);
  fixture_exec(&fixture, "DELETE FROM reading");
  cr_assert_eq(days_drop(db, today_us(), false, &dropped), GANTRY_OK);
  cr_assert(dropped);
  add_reading(today_us(), 0);
  cr_assert_eq(strays(), 0, "a day that was dropped is made again");
}

Test(days, keeps_a_day_that_holds_a_pinned_session) {
  int64_t starts_us[DAYS_MAX];
  bool dropped;
  fixture_exec(&fixture, "INSERT INTO session VALUES (4, 'session_4', 'map', 1, 0)");
  add_reading(today_us(), 4);

  cr_assert_eq(days_drop(db, today_us(), true, &dropped), GANTRY_OK);

  cr_assert_not(dropped);
  cr_assert_eq(list(starts_us), 1);
}

Test(days, keeps_the_index_by_time_on_every_day) {
  add_reading(today_us(), 0);

  cr_assert_eq(fixture_number(&fixture,
                              "SELECT count(*) FROM pg_class JOIN pg_am ON pg_am.oid ="
                              " relam WHERE amname = 'brin' AND relname LIKE 'reading_2%'"
                              " AND relnamespace = CAST(current_schema() AS regnamespace)"),
               1);
}

/* As a server without partitions has it. */
Test(days, works_on_a_plain_table) {
  size_t count;
  int64_t starts_us[DAYS_MAX];
  bool dropped, made;
  fixture_exec(&fixture,
               "DROP VIEW sensor_readings; DROP TABLE reading; CREATE TABLE reading ("
               "series BIGINT, ts BIGINT, seq BIGINT, value DOUBLE PRECISION, data TEXT,"
               " quality DOUBLE PRECISION, validity BIGINT, source BIGINT, session BIGINT,"
               " PRIMARY KEY (series, ts, seq))");

  add_reading(today_us(), 0);
  cr_assert_eq(days_ensure(db, today_us(), 2, &made), GANTRY_OK, "%s", db_message(db));
  cr_assert_not(made);
  cr_assert_eq(days_list(db, starts_us, DAYS_MAX, &count), GANTRY_OK);
  cr_assert_eq(days_drop(db, today_us(), true, &dropped), GANTRY_OK);

  cr_assert_eq(count, 0);
  cr_assert_not(dropped);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading"), 1);
}
