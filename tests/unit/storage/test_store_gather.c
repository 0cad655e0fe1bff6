/* Readings that are gathered and go into the database together: on PostgreSQL they are on their way
   while the next ones come, and other statements may come between. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "fixture.h"

#define ROWS 200u

static fixture_t fixture;
static sensor_readings_t batch;

static void set_up(void) {
  fixture_init(&fixture);
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(gather, .init = set_up, .fini = tear_down);

static void gather(const char *sensor, uint64_t first) {
  gantry_fault_t fault = {0};
  batch.series_count = 1;
  snprintf(batch.series[0].sensor, sizeof batch.series[0].sensor, "%s", sensor);
  snprintf(batch.series[0].type, sizeof batch.series[0].type, "force");
  for (uint32_t i = 0; i < ROWS; i++) {
    batch.time[i] = FIXTURE_NOW_NS + (first + i) * 1000000;
    batch.number[i] = first + i;
    batch.value[i] = 1.0;
    batch.quality[i] = 1.0F;
  }
  batch.which_count = batch.time_count = batch.number_count = batch.value_count =
      batch.quality_count = batch.validity_count = ROWS;
  cr_assert_eq(
      store_gather_readings(fixture.store, &(store_origin_t){.robot = "r"}, &batch, &fault),
      GANTRY_OK, "%s", fault.detail);
}

static uint64_t settle(void) {
  uint64_t added;
  cr_assert_eq(store_settle(fixture.store, &added), GANTRY_OK);
  return added;
}

/* Rows, the total of the series, and what the days' roll-ups count, in the committed database. */
static void expect_stored(double rows) {
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
  cr_expect_eq(fixture_number(&fixture, "SELECT count(*) FROM reading"), rows);
  cr_expect_eq(fixture_number(&fixture, "SELECT coalesce(sum(rows), 0) FROM series"), rows);
  cr_expect_eq(
      fixture_number(&fixture, "SELECT coalesce(sum(rows), 0) FROM rollup WHERE tier = 86400"),
      rows);
}

Test(gather, adds_several_batches_at_once) {
  gather("a", 0);
  gather("a", ROWS);

  cr_expect_eq(settle(), 2 * ROWS);
  expect_stored(2.0 * ROWS);
}

Test(gather, is_settled_by_a_commit) {
  gather("a", 0);

  expect_stored(ROWS);
}

Test(gather, outlives_a_series_that_is_made_between) {
  gather("a", 0);
  gather("b", ROWS);
  gather("a", 2 * ROWS);

  cr_expect_eq(settle(), 3 * ROWS);
  expect_stored(3.0 * ROWS);
}

Test(gather, counts_what_a_row_between_has_sent_ahead) {
  row_t row = fixture_reading("c", FIXTURE_NOW_NS / 1000, 1.0);
  gather("a", 0);
  cr_assert_eq(store_add(fixture.store, &row), GANTRY_OK);
  gather("a", ROWS);

  cr_expect_eq(settle(), 2 * ROWS);
  expect_stored(2.0 * ROWS + 1.0);
}

Test(gather, passes_over_what_is_there) {
  gather("a", 0);
  cr_expect_eq(settle(), ROWS);
  gather("a", ROWS / 2);
  gather("a", 0);

  cr_expect_eq(settle(), ROWS / 2);
  expect_stored(1.5 * ROWS);
}

Test(gather, is_forgotten_by_a_rollback) {
  gather("a", 0);
  store_rollback(fixture.store);
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  gather("a", ROWS);

  cr_expect_eq(settle(), ROWS);
  expect_stored(ROWS);
}

Test(gather, holds_more_than_goes_at_once) {
  for (uint64_t i = 0; i < 100; i++)
    gather("a", i * ROWS);

  cr_expect_eq(settle(), 100 * ROWS);
  expect_stored(100.0 * ROWS);
}
