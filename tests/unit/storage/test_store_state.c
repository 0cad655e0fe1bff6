/* What storage says of itself, and pinned sessions. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"

static fixture_t fixture;
static store_state_t state;

static void set_up(void) {
  fixture_init(&fixture);
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(store_state, .init = set_up, .fini = tear_down, .timeout = 20);

static void ask(void) {
  gantry_err_t err = fixture_call(&fixture, REQUEST_STORE_STATE, &(sys_empty_t){0}, &state);
  cr_assert_eq(err, GANTRY_OK, "%s", fixture.fault.detail);
}

static const store_table_state_t *table(const char *name) {
  for (uint32_t i = 0; i < state.tables_count; i++)
    if (strcmp(state.tables[i].name, name) == 0) return &state.tables[i];
  cr_assert_fail("no table %s", name);
  return NULL;
}

static void add_reading(const char *sensor, const char *type, uint64_t ts_us, const char *session) {
  row_t row = fixture_reading(sensor, ts_us, 1);
  snprintf(row.reading.type, sizeof row.reading.type, "%s", type);
  snprintf(row.session, sizeof row.session, "%s", session);
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);
}

Test(store_state, speaks_of_an_empty_database) {
  ask();

  cr_assert_eq(state.groups_count, 0);
  cr_assert_eq(table("events")->rows, 0);
  cr_assert_not(table("events")->has_oldest);
  cr_assert_gt(state.database_bytes, 0);
  cr_assert_gt(state.schema_version, 0);
}

Test(store_state, groups_readings_by_type_with_their_span) {
  add_reading("front", "lidar", 7000000, "");
  add_reading("volt", "value", 1000000, "");
  add_reading("amp", "value", 9000000, "");

  ask();

  cr_assert_eq(state.groups_count, 2);
  const store_series_state_t *values = &state.groups[1];
  cr_assert_str_eq(values->type, "value");
  cr_assert_eq(values->series, 2);
  cr_assert_eq(values->readings, 2);
  cr_assert_eq(values->oldest, 1000000000);
  cr_assert_eq(values->newest, 9000000000);
}

Test(store_state, counts_tables_and_measures_a_small_database) {
  for (int i = 0; i < 50; i++)
    add_reading("volt", "value", (uint64_t)i + 1, "");

  ask();

  cr_assert_eq(table("reading")->rows, 50);
  cr_assert(table("reading")->exact);
  cr_assert(table("reading")->has_bytes);
  cr_assert_gt(table("reading")->bytes, 50 * 8);
  cr_assert_lt(table("reading")->bytes, state.database_bytes);
}

Test(store_state, stops_counting_a_large_table) {
  fixture_exec(&fixture,
               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
               " INSERT INTO reading SELECT 1, i, i, 1, NULL, 1, 0, 0, NULL FROM n");

  ask();

  cr_assert_not(table("reading")->exact);
  cr_assert_geq(table("reading")->rows, 10000);
}

Test(store_state, gives_the_mark_of_each_producers_newest_boot) {
  fixture_exec(&fixture, "INSERT INTO ingest_mark VALUES ('mapper', 7, 3, 100), ('mapper', 8, 5,"
                         " 200), ('storage', 9, 6, 50)");

  ask();

  cr_assert_eq(state.marks_count, 2);
  cr_assert_str_eq(state.marks[0].producer, "mapper");
  cr_assert_eq(state.marks[0].boot, 8);
  cr_assert_eq(state.marks[0].last, 5);
}

static gantry_err_t pin(const char *session, bool pinned) {
  store_pin_t takes = {.pinned = pinned}, gives;
  snprintf(takes.session, sizeof takes.session, "%s", session);
  return fixture_call(&fixture, REQUEST_STORE_PIN, &takes, &gives);
}

Test(store_state, pins_a_session_and_lets_it_go) {
  add_reading("volt", "value", 1, "run_1");
  add_reading("volt", "value", 2, "run_2");

  cr_assert_eq(pin("run_1", true), GANTRY_OK);

  ask();
  cr_assert_eq(state.sessions, 2);
  cr_assert_eq(state.pinned, 1);
  cr_assert_eq(fixture_number(&fixture, "SELECT pinned FROM session WHERE session_id = 'run_1'"),
               1);
  cr_assert_eq(pin("run_1", false), GANTRY_OK);
  ask();
  cr_assert_eq(state.pinned, 0);
}

Test(store_state, pins_a_session_that_has_only_poses) {
  row_t row = {.kind = ROW_POSE, .ts_us = 5000000, .session = "map_1"};
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);

  cr_assert_eq(pin("map_1", true), GANTRY_OK);

  cr_assert_eq(fixture_number(&fixture, "SELECT created FROM session WHERE pinned = 1"), 5000000);
}

Test(store_state, names_a_session_it_does_not_know) {
  cr_assert_eq(pin("nothing", true), GANTRY_E_NOT_FOUND);

  cr_assert_str_eq(fixture.fault.field, "session");
}

Test(store_state, notes_who_pinned_what) {
  add_reading("volt", "value", 1, "run_1");

  cr_assert_eq(pin("run_1", true), GANTRY_OK);

  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM audit_log WHERE actor = 'anna' AND"
                                        " action = 'store.pin' AND resource = 'run_1'"),
               1);
}
