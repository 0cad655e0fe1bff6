/* Checks of a whole database: each finds what was spoilt by hand, and nothing else. */
#include "check.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "store_compact.h"

static fixture_t fixture;
static gantry_fault_t fault;

static void set_up(void) {
  fixture_init(&fixture);
  sys_audit_t audit = {.actor = "anna", .action = "x"};
  row_t row = {.kind = ROW_AUDIT, .ts_us = 5, .service = "mapper", .data = &audit};
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);
  for (uint64_t i = 0; i < 100; i++) {
    row_t reading = fixture_reading("VOLT", FIXTURE_NOW_NS / 1000 + i * 1000000, 1.5);
    cr_assert_eq(fixture_add(&fixture, &reading), GANTRY_OK);
  }
  static store_setting_put_t put = {.kind = "store.retention", .data = "{\"readings_days\":5}"};
  static store_setting_t setting;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SETTING_PUT, &put, &setting), GANTRY_OK);
  const uint8_t cells[] = {0, 6};
  store_map_put_t map = {
      .grid = {.info = {.map_id = "m", .resolution = 0.1, .width = 3, .height = 2},
               .cells = {.data = cells, .len = sizeof cells}}};
  map_info_t info;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_MAP_PUT, &map, &info), GANTRY_OK);
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(check, .init = set_up, .fini = tear_down);

/* The check that failed, or "". */
static const char *first_failure(void) {
  db_t *db = NULL;
  const char *name = "";
  fault = (gantry_fault_t){0};
  cr_assert_eq(fixture_open_db(fixture.path, &db, &fault), GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(db_begin_read(db), GANTRY_OK);
  for (uint32_t i = 0; i < CHECK_COUNT && !name[0]; i++)
    if (CHECKS[i].run(db, NULL, &fault) != GANTRY_OK) name = CHECKS[i].name;
  db_rollback(db);
  db_close(&db);
  return name;
}

Test(check, finds_nothing_in_a_sound_database) {
  cr_assert_str_eq(first_failure(), "", "%s: %s", fault.field, fault.detail);
}

Test(check, takes_no_offence_at_numbers_without_end) {
  row_t reading = fixture_reading("VOLT", FIXTURE_NOW_NS / 1000 + 200 * 1000000, INFINITY);
  cr_assert_eq(fixture_add(&fixture, &reading), GANTRY_OK);

  cr_assert_str_eq(first_failure(), "", "%s: %s", fault.field, fault.detail);
}

Test(check, finds_an_audit_entry_that_was_altered) {
  fixture_exec(&fixture, "UPDATE audit_log SET actor = 'mallory' WHERE id = 1");

  cr_assert_str_eq(first_failure(), "audit chain");
  cr_assert_str_eq(fault.field, "ENTRY_HASH_MISMATCH");
  cr_assert_not_null(strstr(fault.detail, "entry 1 "), "%s", fault.detail);
}

Test(check, finds_a_setting_that_was_altered) {
  fixture_exec(&fixture, "UPDATE setting_version SET data = '{}'");

  cr_assert_str_eq(first_failure(), "settings");
  cr_assert_not_null(strstr(fault.detail, "store.retention version 1"), "%s", fault.detail);
}

Test(check, finds_a_map_whose_cells_do_not_fit) {
  fixture_exec(&fixture, "UPDATE map_version SET width = 4");

  cr_assert_str_eq(first_failure(), "maps");
  cr_assert_not_null(strstr(fault.detail, "m version 1: cells"), "%s", fault.detail);
}

Test(check, takes_no_offence_at_readings_that_went_by_age) {
  fixture_exec(&fixture, "DELETE FROM reading WHERE ts < 1767225630000000");
  cr_expect_str_eq(first_failure(), "", "%s: %s", fault.field, fault.detail);

  fixture_exec(&fixture, "DELETE FROM reading WHERE ts = 1767225670000000");
  cr_expect_str_eq(first_failure(), "roll-ups");

  fixture_exec(&fixture, "DELETE FROM reading");
  cr_expect_str_eq(first_failure(), "", "%s: %s", fault.field, fault.detail);
}

Test(check, finds_roll_ups_that_do_not_count_the_readings) {
  fixture_exec(&fixture, "DELETE FROM reading WHERE ts = 1767225601000000");
  cr_assert_str_eq(first_failure(), "roll-ups");
  cr_assert_not_null(strstr(fault.detail, "counts 100 readings, there are 99"), "%s", fault.detail);

  fixture_exec(&fixture, "UPDATE rollup SET rows = rows + 1 WHERE tier = 3600");
  cr_assert_str_eq(first_failure(), "roll-ups");
  cr_assert_not_null(strstr(fault.detail, "its hours 101"), "%s", fault.detail);
}

/* Packs what is there, as storage does with what has come of age. */
static void pack(void) {
  bool done = false;
  for (int i = 0; i < 100 && !done; i++)
    cr_assert_eq(
        store_compact_step(fixture.store, FIXTURE_NOW_NS / 1000 + 3 * 86400000000u, 20000, &done),
        GANTRY_OK);
  cr_assert_gt(fixture_number(&fixture, "SELECT count(*) FROM reading_chunk"), 0.0);
}

Test(check, counts_packed_readings_too) {
  pack();
  cr_assert_str_eq(first_failure(), "", "%s: %s", fault.field, fault.detail);

  fixture_exec(&fixture, "DELETE FROM reading_chunk WHERE start = (SELECT max(start) FROM"
                         " reading_chunk)");
  cr_assert_str_eq(first_failure(), "roll-ups");
}

Test(check, finds_a_chunk_that_does_not_open) {
  pack();
  fixture_exec(&fixture, fixture_is_pg() ? "UPDATE reading_chunk SET blob = 'junk'::bytea"
                                         : "UPDATE reading_chunk SET blob = x'6a756e6b'");

  cr_assert_str_eq(first_failure(), "chunks");
  cr_assert_not_null(strstr(fault.detail, "does not open"), "%s", fault.detail);
}

Test(check, finds_a_chunk_that_holds_something_else) {
  pack();
  fixture_exec(&fixture, "UPDATE reading_chunk SET rows = rows + 1");
  cr_assert_str_eq(first_failure(), "chunks");

  fixture_exec(&fixture, "UPDATE reading_chunk SET rows = rows - 1, max = max + 1");
  cr_assert_str_eq(first_failure(), "chunks");
  cr_assert_not_null(strstr(fault.detail, "other numbers"), "%s", fault.detail);
}

Test(check, finds_a_damaged_page) {
  if (fixture_is_pg()) cr_skip_test("the server guards its own pages");
  char junk[64];
  int64_t page = 0;
  /* The root page of an index, where no row is read through. */
  page = (int64_t)fixture_number(
      &fixture, "SELECT rootpage FROM sqlite_master WHERE name = 'rollup' AND type = 'table'");
  store_close(&fixture.store);
  memset(junk, 'x', sizeof junk);
  FILE *file = fopen(fixture.path, "r+b");
  cr_assert_eq(fseek(file, (long)((page - 1) * 4096 + 8), SEEK_SET), 0);
  cr_assert_eq(fwrite(junk, 1, sizeof junk, file), sizeof junk);
  fclose(file);

  cr_assert_str_eq(first_failure(), "integrity");
  cr_assert_gt(strlen(fault.detail), 5);
}

Test(check, finds_figures_of_a_session_that_its_readings_do_not_make) {
  row_t reading = fixture_reading("VOLT", FIXTURE_NOW_NS / 1000 + 7, 2.5);
  snprintf(reading.session, sizeof reading.session, "s-1");
  cr_assert_eq(fixture_add(&fixture, &reading), GANTRY_OK);
  fixture_exec(&fixture, "UPDATE session SET kind = 'recording'");
  cr_assert_str_eq(first_failure(), "", "%s: %s", fault.field, fault.detail);

  fixture_exec(&fixture, "UPDATE session_series SET rows = 0, numbers = 0");
  cr_assert_str_eq(first_failure(), "sessions");
  cr_assert_not_null(strstr(fault.detail, "session s-1, sensor VOLT"), "%s", fault.detail);
  fixture_exec(&fixture, "UPDATE session_series SET rows = 2, numbers = 2");
  cr_assert_str_eq(first_failure(), "sessions");
}
