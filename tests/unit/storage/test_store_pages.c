/* Readings by page, by bucket and as columns, against what was put in. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#define S     UINT64_C(1000000) /* µs */
#define NS    1000u
#define DAY   (86400 * S)
#define START (20000 * DAY)

static fixture_t fixture;
static store_readings_page_t page;
static store_aggregate_t sums;
static store_columns_t columns;
static store_latest_t latest;

static void set_up(void) {
  fixture_init(&fixture);
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(pages, .init = set_up, .fini = tear_down, .timeout = 60);

static void add(const char *sensor, uint64_t ts_us, double value) {
  row_t row = fixture_reading(sensor, ts_us, value);
  cr_assert_eq(store_add(fixture.store, &row), GANTRY_OK);
}

/* value = i at START + i * step. */
static void add_run(const char *sensor, uint32_t count, uint64_t step_us) {
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  for (uint32_t i = 0; i < count; i++)
    add(sensor, START + i * step_us, i);
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
}

static gantry_err_t get_page(store_readings_get_t *get) {
  gantry_err_t err = fixture_call(&fixture, REQUEST_STORE_READINGS, get, &page);
  get->has_cursor = page.cursor[0] != '\0';
  memcpy(get->cursor, page.cursor, sizeof get->cursor);
  return err;
}

/* Walks all pages; every row is checked to follow the one before in time. */
static uint32_t walk(store_readings_get_t *get) {
  uint32_t seen = 0;
  uint64_t last = 0;
  bool newest_first = !get->has_order || get->order == STORE_ORDER_NEWEST_FIRST;
  do {
    cr_assert_eq(get_page(get), GANTRY_OK, "%s", fixture.fault.detail);
    for (uint32_t i = 0; i < page.rows_count; i++) {
      uint64_t time = page.rows[i].time;
      if (seen++ > 0) cr_assert(newest_first ? time <= last : time >= last);
      last = time;
    }
  } while (get->has_cursor);
  return seen;
}

Test(pages, give_every_reading_of_several_sensors_once_in_either_direction) {
  add_run("volt", 100, S);
  add_run("amp", 100, S); /* the same times */
  add_run("ohm", 50, 3 * S);
  for (uint32_t limit = 1; limit < 300; limit = limit * 3 + 1) {
    store_readings_get_t get = {.limit = limit};
    cr_assert_eq(walk(&get), 250, "%u", limit);
    get = (store_readings_get_t){
        .limit = limit, .has_order = true, .order = STORE_ORDER_OLDEST_FIRST};
    cr_assert_eq(walk(&get), 250, "%u", limit);
  }
}

Test(pages, go_on_where_they_were_when_readings_are_added) {
  add_run("volt", 10, S);
  store_readings_get_t get = {.limit = 4, .has_sensor = true, .sensor = "volt"};
  double expected = 9;
  for (unsigned i = 0; i < 3; i++) {
    cr_assert_eq(get_page(&get), GANTRY_OK);
    for (uint32_t k = 0; k < page.rows_count; k++)
      cr_assert_eq(page.rows[k].value, expected--);
    cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
    add("volt", START + (100 + i) * S, -1); /* newer than all */
    cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
  }
  cr_assert_eq(expected, -1);
}

Test(pages, keep_to_span_sensor_and_type) {
  add_run("volt", 100, S);
  add_run("amp", 100, S);
  store_readings_get_t get = {.limit = 1000,
                              .has_sensor = true,
                              .sensor = "amp",
                              .has_from = true,
                              .from = (START + 10 * S) * NS,
                              .has_to = true,
                              .to = (START + 20 * S) * NS};
  cr_assert_eq(walk(&get), 10);
  cr_assert_eq(page.rows[0].value, 19);
  get = (store_readings_get_t){.limit = 1000, .has_type = true, .type = "value"};
  cr_assert_eq(walk(&get), 200);
  get = (store_readings_get_t){.limit = 1000, .has_type = true, .type = "lidar"};
  cr_assert_eq(walk(&get), 0);
}

Test(pages, name_what_is_wrong_with_a_query) {
  add_run("volt", 10, S);
  store_readings_get_t get = {.limit = 3, .has_sensor = true, .sensor = "nothing"};
  cr_assert_eq(get_page(&get), GANTRY_E_NOT_FOUND);
  cr_assert_str_eq(fixture.fault.field, "sensor");
  get = (store_readings_get_t){.limit = 3, .has_session = true, .session = "none"};
  cr_assert_eq(get_page(&get), GANTRY_E_NOT_FOUND);
  cr_assert_str_eq(fixture.fault.field, "session");
  get = (store_readings_get_t){.limit = 3};
  cr_assert_eq(get_page(&get), GANTRY_OK);
  cr_assert(get.has_cursor);
  get.has_order = true;
  get.order = STORE_ORDER_OLDEST_FIRST;
  cr_assert_eq(get_page(&get), GANTRY_E_INVALID);
  cr_assert_str_eq(fixture.fault.field, "cursor");
}

static void sum_up(uint64_t from_us, uint64_t to_us, uint32_t bucket) {
  store_aggregate_get_t get = {
      .sensor = "volt", .from = from_us * NS, .to = to_us * NS, .bucket = bucket};
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_AGGREGATE, &get, &sums), GANTRY_OK, "%s",
               fixture.fault.detail);
}

/* The readings that add_run has made, summed up the plain way. */
static void check_buckets(uint32_t count, uint64_t step_us, uint64_t from_us, uint64_t to_us,
                          uint32_t bucket) {
  uint32_t at = 0;
  for (uint32_t i = 0; i < count;) {
    uint64_t start = (START + i * step_us) / (bucket * S);
    double sum = 0, sum2 = 0, first = NAN, last = NAN;
    uint64_t rows = 0;
    for (; i < count && (START + i * step_us) / (bucket * S) == start; i++) {
      uint64_t ts = START + i * step_us;
      if (ts < from_us || ts >= to_us) continue;
      if (rows++ == 0) first = i;
      last = i;
      sum += i;
      sum2 += (double)i * i;
    }
    if (rows == 0) continue;
    cr_assert_lt(at, sums.rows_count);
    const store_aggregate_row_t *row = &sums.rows[at++];
    cr_assert_eq(row->start, start * bucket * S * NS);
    cr_assert_eq(row->count, rows);
    cr_assert_eq(row->sum, sum);
    cr_assert_eq(row->sum2, sum2);
    cr_assert_eq(row->first, first);
    cr_assert_eq(row->last, last);
    cr_assert_eq(row->min, first);
    cr_assert_eq(row->max, last);
    cr_assert_float_eq(row->mean, sum / (double)rows, 1e-9);
  }
  cr_assert_eq(at, sums.rows_count);
}

Test(pages, sum_up_exactly_whatever_bucket_and_span) {
  static const uint32_t BUCKETS[] = {7, 60, 90, 300, 3600, 7200, 86400};
  const uint32_t count = 6000;
  const uint64_t step_us = 37 * S + 11; /* two and a half days */
  add_run("volt", count, step_us);
  for (size_t i = 0; i < sizeof BUCKETS / sizeof *BUCKETS; i++) {
    uint64_t end = BUCKETS[i] == 7 ? START + 60000 * S : START + 3 * DAY;
    sum_up(START, end, BUCKETS[i]);
    check_buckets(count, step_us, START, end, BUCKETS[i]);
    cr_assert_eq(sums.tier, BUCKETS[i] % 86400 == 0  ? 86400
                            : BUCKETS[i] % 3600 == 0 ? 3600
                            : BUCKETS[i] % 60 == 0   ? 60
                                                     : 0);
    sum_up(START + 5000 * S + 1, end - 4321 * S - 7, BUCKETS[i]);
    check_buckets(count, step_us, START + 5000 * S + 1, end - 4321 * S - 7, BUCKETS[i]);
  }
}

Test(pages, reopen_a_bucket_for_late_data) {
  add_run("volt", 100, 60 * S);
  sum_up(START, START + DAY, 3600);
  uint64_t before = sums.rows[0].count;

  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  add("volt", START + 30 * S, 1000);
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
  sum_up(START, START + DAY, 3600);

  cr_assert_eq(sums.rows[0].count, before + 1);
  cr_assert_eq(sums.rows[0].max, 1000);
  cr_assert_eq(sums.rows[0].first, 0);
}

Test(pages, advise_when_too_many_buckets_or_readings_are_asked_for) {
  store_aggregate_get_t get = {
      .sensor = "volt", .from = 0, .to = UINT64_C(3155760000) * S * NS, .bucket = 1};
  add_run("volt", 10, S);

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_AGGREGATE, &get, &sums), GANTRY_E_INVALID);
  cr_assert_str_eq(fixture.fault.field, "bucket");
  cr_assert_not_null(strstr(fixture.fault.detail, "315"), "%s", fixture.fault.detail);
  get.bucket = 86400 * 100;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_AGGREGATE, &get, &sums), GANTRY_OK);
  get.bucket = 350001;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_AGGREGATE, &get, &sums), GANTRY_E_INVALID);
  cr_assert_not_null(strstr(fixture.fault.detail, "60 s"));
  get.to = 0;
  get.from = 1;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_AGGREGATE, &get, &sums), GANTRY_E_INVALID);
  cr_assert_str_eq(fixture.fault.field, "to");
}

Test(pages, say_that_objects_cannot_be_summed_up) {
  row_t row = fixture_reading("imu", START, 0);
  row.reading.has_value = false;
  row.data = "{\"x\":1}";
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);
  store_aggregate_get_t get = {
      .sensor = "imu", .from = START * NS, .to = (START + DAY) * NS, .bucket = 3600};

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_AGGREGATE, &get, &sums), GANTRY_E_INVALID);
  cr_assert_str_eq(fixture.fault.field, "sensor");
}

static uint64_t word_at(const blob_t *blob, uint32_t i) {
  uint64_t word;
  memcpy(&word, blob->data + i * sizeof word, sizeof word);
  return word;
}

Test(pages, give_an_hour_as_two_columns) {
  add_run("volt", 36000, S / 10);
  store_columns_get_t get = {
      .sensor = "volt", .from = START * NS, .to = (START + 3600 * S) * NS, .limit = 50000};

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_COLUMNS, &get, &columns), GANTRY_OK, "%s",
               fixture.fault.detail);
  cr_assert_eq(columns.count, 36000);
  cr_assert_eq(columns.times.len, 36000 * 8);
  for (uint32_t i = 0; i < columns.count; i++) {
    double value;
    uint64_t bits = word_at(&columns.values, i);
    memcpy(&value, &bits, sizeof value);
    cr_assert_eq(value, i);
    cr_assert_eq(word_at(&columns.times, i), (START + i * S / 10) * NS);
  }
  get.limit = 7000;
  uint32_t seen = 0;
  do {
    cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_COLUMNS, &get, &columns), GANTRY_OK);
    seen += columns.count;
    get.has_cursor = true;
    memcpy(get.cursor, columns.cursor, sizeof get.cursor);
  } while (columns.cursor[0]);
  cr_assert_eq(seen, 36000);
}

Test(pages, give_the_newest_of_each_sensor) {
  add_run("volt", 20, S);
  add_run("amp", 10, S);
  store_latest_get_t get = {0};

  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_LATEST, &get, &latest), GANTRY_OK);
  cr_assert_eq(latest.rows_count, 2);
  cr_assert_str_eq(latest.rows[0].sensor, "amp");
  cr_assert_eq(latest.rows[0].value, 9);
  cr_assert_eq(latest.rows[1].value, 19);
}

static void add_session_run(const char *sensor, const char *session, uint64_t first_us,
                            uint32_t count) {
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  for (uint32_t i = 0; i < count; i++) {
    row_t row = fixture_reading(sensor, first_us + i * S, i);
    snprintf(row.session, sizeof row.session, "%s", session);
    cr_assert_eq(store_add(fixture.store, &row), GANTRY_OK);
  }
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
}

Test(pages, find_a_session_among_other_readings) {
  add_run("volt", 100, S);
  add_run("amp", 100, S);
  add_session_run("volt", "tour", START + 20 * S + 1, 30);
  add_session_run("ohm", "tour", START + 30 * S + 2, 10);
  add_session_run("volt", "other", START + 25 * S + 3, 30);
  for (uint32_t limit = 1; limit < 100; limit = limit * 4 + 1) {
    store_readings_get_t get = {.limit = limit, .has_session = true, .session = "tour"};
    cr_assert_eq(walk(&get), 40, "%u", limit);
    cr_assert_str_eq(page.rows[0].session, "tour");
  }
  store_readings_get_t get = {.limit = 100,
                              .has_session = true,
                              .session = "tour",
                              .has_to = true,
                              .to = (START + 25 * S) * NS};
  cr_assert_eq(walk(&get), 5);
}
