/* Readings by the batch: what is refused at the door, and roll-ups that are at every commit what
   plain SQL makes of the rows. */
#include <criterion/criterion.h>
#include <gantry/buf.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"

#define BEGIN_US INT64_C(1767225600000000)
#define DAY_US   INT64_C(86400000000)

static fixture_t fixture;
static sensor_readings_t batch;
static uint64_t state;

static void set_up(void) {
  fixture_init(&fixture);
  batch = (sensor_readings_t){0};
  state = 3;
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(store_batches, .init = set_up, .fini = tear_down);

static uint64_t next_bits(void) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static void name_series(uint32_t at, const char *sensor, const char *session) {
  sensor_series_key_t *key = &batch.series[at];
  snprintf(key->sensor, sizeof key->sensor, "%s", sensor);
  snprintf(key->type, sizeof key->type, "force");
  snprintf(key->unit, sizeof key->unit, "N");
  snprintf(key->session, sizeof key->session, "%s", session);
  if (batch.series_count <= at) batch.series_count = at + 1;
}

static void put(uint8_t which, int64_t ts_us, uint64_t number, double value, uint8_t validity) {
  uint32_t i = batch.which_count++;
  batch.time_count = batch.number_count = batch.value_count = batch.quality_count =
      batch.validity_count = batch.which_count;
  batch.which[i] = which;
  batch.time[i] = (uint64_t)ts_us * 1000;
  batch.number[i] = number;
  batch.value[i] = value;
  batch.quality[i] = 1.0f;
  batch.validity[i] = validity;
}

static void put_objects(const char *texts, size_t len, uint32_t count) {
  batch.objects = (blob_t){.data = (const uint8_t *)texts, .len = len};
  batch.which_objects_count = count;
  for (uint32_t i = 0; i < count; i++)
    batch.which_objects[i] = (uint16_t)i;
}

static gantry_err_t try_batch(uint32_t *added) {
  fixture.fault = (gantry_fault_t){0};
  return store_add_readings(fixture.store, &(store_origin_t){.robot = "r1"}, &batch, added,
                            &fixture.fault);
}

static uint32_t add_batch(void) {
  uint32_t added;
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  cr_assert_eq(try_batch(&added), GANTRY_OK, "%s", fixture.fault.detail);
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
  return added;
}

static double number(const char *sql) {
  return fixture_number(&fixture, sql);
}

Test(store_batches, keeps_numbers_and_objects_with_their_series_and_session) {
  char text[64];
  name_series(0, "camera", "run-1");
  name_series(1, "force", "");
  put(0, BEGIN_US, 1, 0.0, 0);
  put(1, BEGIN_US, 2, 12.5, 1);
  put_objects("{\"image_id\":1001}", sizeof "{\"image_id\":1001}", 1);

  cr_assert_eq(add_batch(), 2);

  fixture_text(&fixture, "SELECT data FROM reading WHERE value IS NULL", text, sizeof text);
  cr_assert_str_eq(text, "{\"image_id\":1001}");
  cr_assert_eq(number("SELECT value FROM reading WHERE data IS NULL"), 12.5);
  cr_assert_eq(number("SELECT validity FROM reading WHERE seq = 2"), 1);
  fixture_text(&fixture,
               "SELECT session_id FROM session JOIN reading ON reading.session = session.id", text,
               sizeof text);
  cr_assert_str_eq(text, "run-1");
  cr_assert_eq(number("SELECT count(*) FROM series WHERE unit = 'N' AND rows = 1"), 2);
}

Test(store_batches, takes_each_reading_once) {
  name_series(0, "force", "");
  for (uint64_t i = 0; i < 10; i++)
    put(0, BEGIN_US + (int64_t)i, i, 1.0, 0);
  cr_assert_eq(add_batch(), 10);
  put(0, BEGIN_US + 10, 10, 1.0, 0);

  cr_assert_eq(add_batch(), 1);

  cr_assert_eq(number("SELECT count(*) FROM reading"), 11);
  cr_assert_eq(number("SELECT rows FROM rollup WHERE tier = 60"), 11);
  cr_assert_eq(number("SELECT max(rows) FROM series"), 11);
}

Test(store_batches, keeps_errors_but_does_not_roll_them_up) {
  name_series(0, "force", "");
  put(0, BEGIN_US, 1, 5.0, SENSOR_VALIDITY_VALID);
  put(0, BEGIN_US, 2, 6.0, SENSOR_VALIDITY_WARNING);
  put(0, BEGIN_US, 3, 900.0, SENSOR_VALIDITY_ERROR);

  cr_assert_eq(add_batch(), 3);

  cr_assert_eq(number("SELECT count(*) FROM reading"), 3);
  cr_assert_eq(number("SELECT max(max) FROM rollup"), 6.0);
  cr_assert_eq(number("SELECT rows FROM rollup WHERE tier = 3600"), 2);
}

static void expect_fault(const char *field) {
  uint32_t added;
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  cr_assert_eq(try_batch(&added), GANTRY_E_INVALID);
  cr_assert_str_eq(fixture.fault.field, field);
  cr_assert_gt(strlen(fixture.fault.detail), 10);
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
  cr_assert_eq(number("SELECT count(*) FROM reading"), 0);
}

Test(store_batches, names_the_column_that_is_wrong) {
  static const char TWO[] = "{}\0{}";
  name_series(0, "force", "");
  put(0, BEGIN_US, 1, 1.0, 0);
  put(0, BEGIN_US, 2, 1.0, 0);
  sensor_readings_t good = batch;

  batch.time_count = 1;
  expect_fault("time");
  batch = good;
  batch.quality_count = 0;
  expect_fault("quality");
  batch = good;
  batch.which[1] = 1;
  expect_fault("which");
  batch = good;
  batch.validity[0] = 3;
  expect_fault("validity");
  batch = good;
  batch.number[1] = UINT64_MAX;
  expect_fault("number");
  batch = good;
  put_objects(TWO, sizeof TWO, 2);
  batch.which_objects[1] = 0;
  expect_fault("which_objects");
  batch.which_objects[1] = 2;
  expect_fault("which_objects");
  batch = good;
  put_objects(TWO, sizeof TWO, 1);
  expect_fault("objects");
  put_objects(TWO, sizeof TWO - 1, 2);
  expect_fault("objects");
  put_objects(NULL, 0, 1);
  expect_fault("objects");
  put_objects("{\"a\":}", sizeof "{\"a\":}", 1);
  expect_fault("objects");
  put_objects("{\"a\":\"\xff\"}", sizeof "{\"a\":\"\xff\"}", 1);
  expect_fault("objects");
  put_objects("[1]", sizeof "[1]", 1);
  expect_fault("objects");
  put_objects(TWO, sizeof TWO, 2);
  batch.which_both_count = 1;
  batch.which_both[0] = 2;
  expect_fault("which_both");
}

Test(store_batches, keeps_the_value_beside_an_object_where_there_is_one) {
  static const char TWO[] = "{\"distance\":2000}\0{\"distance\":null}";
  name_series(0, "range", "");
  put(0, BEGIN_US, 1, 2.0, 0);
  put(0, BEGIN_US + 1, 2, 0.0, 0);
  put_objects(TWO, sizeof TWO, 2);
  batch.which_both_count = 1;
  batch.which_both[0] = 0;

  add_batch();

  cr_assert_eq(number("SELECT value FROM reading WHERE seq = 1 AND data IS NOT NULL"), 2);
  cr_assert_eq(number("SELECT count(*) FROM reading WHERE seq = 2 AND value IS NULL"), 1);
  cr_assert_eq(number("SELECT rows FROM rollup WHERE tier = 60"), 1);
}

Test(store_batches, takes_a_batch_of_nothing) {
  cr_assert_eq(add_batch(), 0);
}

Test(store_batches, forgets_sessions_and_series_of_a_rollback) {
  uint32_t added;
  name_series(0, "force", "run-1");
  put(0, BEGIN_US, 1, 1.0, 0);
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  cr_assert_eq(try_batch(&added), GANTRY_OK);
  store_rollback(fixture.store);
  cr_assert_eq(number("SELECT count(*) FROM rollup"), 0);

  cr_assert_eq(add_batch(), 1);

  cr_assert_eq(number("SELECT count(*) FROM reading JOIN series ON series.id = reading.series"
                      " JOIN session ON session.id = reading.session"),
               1);
  cr_assert_eq(number("SELECT rows FROM rollup WHERE tier = 60"), 1);
}

Test(store_batches, refuses_one_series_too_many_and_goes_on) {
  uint32_t added;
  char name[16];
  uint64_t made = 0;
  gantry_err_t err = GANTRY_OK;
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  while (err == GANTRY_OK) {
    batch = (sensor_readings_t){0};
    snprintf(name, sizeof name, "s%u", (unsigned)made);
    name_series(0, name, "");
    put(0, BEGIN_US, made, 1.0, 0);
    err = try_batch(&added);
    made += err == GANTRY_OK;
  }
  cr_assert_eq(err, GANTRY_E_REFUSED);
  snprintf(batch.series[0].sensor, sizeof batch.series[0].sensor, "s7");

  cr_assert_eq(try_batch(&added), GANTRY_OK);
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
  cr_assert_eq(number("SELECT count(*) FROM reading"), (double)made + 1);
}

/* Three series, two days and a half, numbers unlike one another. */
static void fill(void) {
  uint32_t rows = 1 + (uint32_t)(next_bits() % 300);
  batch = (sensor_readings_t){0};
  name_series(0, "a", "");
  name_series(1, "b", "");
  name_series(2, "c", "run-1");
  int64_t from_us = BEGIN_US + (int64_t)(next_bits() % (uint64_t)(2 * DAY_US));
  for (uint32_t i = 0; i < rows; i++)
    put((uint8_t)(next_bits() % 3), from_us + (int64_t)(next_bits() % 7200000000u),
        next_bits() >> 1, (double)(int64_t)next_bits() * 1e-15, (uint8_t)(next_bits() % 3));
}

#define RAW                                                                                        \
  "(SELECT series, ts - ts % tier_us AS start, count(*) AS rows, sum(value) AS sum,"               \
  " sum(value * value) AS sum2, min(value) AS min, max(value) AS max, min(ts) AS first_ts,"        \
  " max(ts) AS last_ts, tier_us FROM reading JOIN (SELECT 60000000 AS tier_us UNION ALL"           \
  " SELECT 3600000000 UNION ALL SELECT 86400000000) AS tiers ON 0 = 0 WHERE validity < 2"          \
  " GROUP BY series, tier_us, ts - ts % tier_us)"
#define NEAR(column) "abs(rollup." column " - raw." column ") <= 1e-9 * (1 + abs(raw." column "))"
#define AT(when)     "(SELECT value FROM reading WHERE series = raw.series AND ts = raw." when ")"

static void expect_exact(void) {
  double buckets = number("SELECT count(*) FROM " RAW " AS raw");
  cr_assert_eq(number("SELECT count(*) FROM rollup"), buckets);
  cr_assert_eq(
      number("SELECT count(*) FROM rollup JOIN " RAW " AS raw ON raw.series ="
             " rollup.series AND raw.start = rollup.start AND raw.tier_us ="
             " rollup.tier * 1000000 WHERE rollup.rows = raw.rows AND " NEAR("sum") " AND " NEAR(
                 "sum2") " AND rollup.min = raw.min AND rollup.max = raw.max"
                         " AND rollup.first_ts = raw.first_ts AND rollup.last_ts = raw.last_ts"
                         " AND rollup.first = " AT("first_ts") " AND rollup.last = " AT("last_ts")),
      buckets);
}

Test(store_batches, rolls_up_exactly_in_any_order_over_any_rollbacks, .timeout = 120) {
  uint32_t added;
  for (int round = 0; round < 60; round++) {
    cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
    for (uint64_t part = next_bits() % 4 + 1; part; part--) {
      fill();
      cr_assert_eq(try_batch(&added), GANTRY_OK);
    }
    if (next_bits() % 3 == 0)
      store_rollback(fixture.store);
    else
      cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
    if (round % 20 == 19) expect_exact();
  }
  cr_assert_gt(number("SELECT count(*) FROM reading"), 5000);
}
