/* Rows and packed minutes are one series: what is read is what was written, whatever was packed. */
#include <criterion/criterion.h>
#include <gantry/buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "store_compact.h"
#include "store_internal.h"
#include "store_series.h"

#define NOW_US   INT64_C(1767225600000000) /* 2026-01-01 */
#define DAY_US   INT64_C(86400000000)
#define HOUR_US  INT64_C(3600000000)
#define BUDGET   50000u
#define KEPT_MAX 40000u

static fixture_t fixture;
static db_reading_t kept[KEPT_MAX]; /* what was written, as it must be read */
static char texts[KEPT_MAX][96];
static size_t kept_count;
static uint64_t state;
static sensor_readings_t batch;
static buf_t objects;

static void set_up(void) {
  fixture_init(&fixture);
  kept_count = 0;
  state = 7;
}

static void tear_down(void) {
  buf_fini(&objects);
  fixture_fini(&fixture);
}

TestSuite(store_compact, .init = set_up, .fini = tear_down);

static uint64_t next_bits(void) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static void begin_batch(const char *sensor, const char *type, const char *session) {
  batch = (sensor_readings_t){.series_count = 1};
  snprintf(batch.series[0].sensor, sizeof batch.series[0].sensor, "%s", sensor);
  snprintf(batch.series[0].type, sizeof batch.series[0].type, "%s", type);
  snprintf(batch.series[0].session, sizeof batch.series[0].session, "%s", session);
  buf_reset(&objects);
}

static void put(int64_t ts_us, uint64_t number, double value, const char *object) {
  uint32_t i = batch.which_count++;
  batch.time_count = batch.number_count = batch.value_count = batch.quality_count =
      batch.validity_count = batch.which_count;
  batch.time[i] = (uint64_t)ts_us * 1000;
  batch.number[i] = number;
  batch.value[i] = value;
  batch.quality[i] = 0.5f;
  if (!object) return;
  batch.which_objects[batch.which_objects_count++] = (uint16_t)i;
  buf_put(&objects, object, strlen(object) + 1);
}

static void keep(int64_t ts_us, uint64_t number, double value, const char *object) {
  db_reading_t *row = &kept[kept_count];
  *row = (db_reading_t){.ts_us = ts_us, .seq = (int64_t)number, .quality = 0.5};
  row->has_value = object == NULL;
  row->value = object ? 0.0 : value;
  if (object) snprintf(texts[kept_count], sizeof texts[0], "%s", object);
  row->data = object ? texts[kept_count] : NULL;
  kept_count++;
}

static uint32_t add_batch(void) {
  uint32_t added = 0;
  batch.objects = (blob_t){.data = objects.data, .len = objects.len};
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  gantry_err_t err = store_add_readings(fixture.store, &(store_origin_t){.robot = "r1"}, &batch,
                                        &added, &fixture.fault);
  cr_assert_eq(err, GANTRY_OK, "%s: %s", gantry_err_name(err), fixture.fault.detail);
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
  return added;
}

/* Numbers of a sensor, so many a second, from a time on. */
static void add_numbers(const char *sensor, int64_t from_us, size_t count, double rate_hz) {
  for (size_t i = 0; i < count;) {
    begin_batch(sensor, "force", "");
    for (; i < count && batch.which_count < 1000; i++) {
      int64_t ts_us = from_us + (int64_t)((double)i * 1e6 / rate_hz);
      double value = (double)(next_bits() % 2000) / 100.0;
      put(ts_us, i, value, NULL);
      keep(ts_us, i, value, NULL);
    }
    add_batch();
  }
}

static uint32_t pack_all(int64_t now_us) {
  bool done = false;
  uint32_t steps = 0;
  while (!done) {
    cr_assert_eq(store_compact_step(fixture.store, (uint64_t)now_us, BUDGET, &done), GANTRY_OK);
    cr_assert_lt(++steps, 10000);
  }
  return steps;
}

static int compare(const void *a, const void *b) {
  const db_reading_t *x = a, *y = b;
  if (x->ts_us != y->ts_us) return x->ts_us < y->ts_us ? -1 : 1;
  return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static bool is_wanted(const series_span_t *span, const db_reading_t *row) {
  db_reading_t after = {.ts_us = span->after_us, .seq = span->after_seq};
  if (row->ts_us < span->from_us || row->ts_us >= span->to_us) return false;
  if (span->session && row->session != span->session) return false;
  int order = span->has_after ? compare(row, &after) : span->newest_first ? -1 : 1;
  return span->newest_first ? order < 0 : order > 0;
}

/* Reads the span and compares with what was kept; the number of readings. */
static size_t read_span(const series_span_t *span) {
  const db_reading_t *row;
  series_read_t *read;
  size_t count = 0;
  gantry_err_t err;
  qsort(kept, kept_count, sizeof *kept, compare);
  cr_assert_eq(series_read_open(fixture.store->db, span, &read), GANTRY_OK);
  size_t at = span->newest_first ? kept_count : 0;
  while ((err = series_read_next(read, &row)) == GANTRY_OK) {
    const db_reading_t *want = NULL;
    while (!want || !is_wanted(span, want)) {
      cr_assert(span->newest_first ? at > 0 : at < kept_count, "more than there is");
      want = span->newest_first ? &kept[--at] : &kept[at++];
    }
    cr_assert_eq(compare(row, want), 0, "row %zu: %lld %lld, want %lld %lld", count,
                 (long long)row->ts_us, (long long)row->seq, (long long)want->ts_us,
                 (long long)want->seq);
    cr_assert_eq(row->has_value, want->has_value);
    cr_assert_eq(row->value, want->value);
    cr_assert_eq(row->quality, want->quality);
    cr_assert_eq(row->session, want->session);
    cr_assert(!row->data == !want->data && (!row->data || strcmp(row->data, want->data) == 0),
              "%s | %s", row->data ? row->data : "", want->data ? want->data : "");
    count++;
  }
  cr_assert_eq(err, GANTRY_E_NOT_FOUND);
  while (span->newest_first ? at > 0 : at < kept_count)
    cr_assert_not(is_wanted(span, span->newest_first ? &kept[--at] : &kept[at++]), "missing");
  series_read_close(&read);
  return count;
}

/* The same in runs; numbers alone where only they are asked for. */
static void read_runs(series_span_t span, bool numbers, size_t expected) {
  const db_reading_t *rows;
  series_read_t *read;
  size_t count, at = 0, left_out = 0, seen = 0;
  span.numbers_only = numbers;
  cr_assert_eq(series_read_open(fixture.store->db, &span, &read), GANTRY_OK);
  while (series_read_run(read, &rows, &count) == GANTRY_OK) {
    cr_assert_gt(count, 0);
    for (size_t i = 0; i < count; i++) {
      if (numbers && !rows[i].has_value) continue;
      for (; !is_wanted(&span, &kept[at]) || (numbers && !kept[at].has_value); at++)
        left_out += is_wanted(&span, &kept[at]);
      cr_assert_eq(compare(&rows[i], &kept[at]), 0);
      cr_assert_eq(rows[i].value, kept[at].value);
      cr_assert_eq(rows[i].has_value, kept[at++].has_value);
      seen++;
    }
  }
  for (; at < kept_count; at++)
    left_out += is_wanted(&span, &kept[at]);
  cr_assert_eq(seen + left_out, expected);
  cr_assert(numbers || left_out == 0);
  series_read_close(&read);
}

static size_t read_all(void) {
  series_span_t span = {.series = 1, .from_us = INT64_MIN, .to_us = INT64_MAX};
  size_t count = read_span(&span);
  read_runs(span, false, count);
  read_runs(span, true, count);
  span.newest_first = true;
  cr_assert_eq(read_span(&span), count);
  return count;
}

static double number(const char *sql) {
  return fixture_number(&fixture, sql);
}

Test(store_compact, packs_what_is_ten_minutes_old_and_leaves_the_rest) {
  add_numbers("force", NOW_US - (600 + 120) * 1000000, 2400, 10.0);

  pack_all(NOW_US);

  cr_assert_eq(number("SELECT count(*) FROM reading_chunk"), 2);
  cr_assert_eq(number("SELECT sum(rows) FROM reading_chunk"), 1200);
  cr_assert_eq(number("SELECT count(*) FROM reading"), 1200);
  cr_assert_eq(number("SELECT count(*) FROM reading_chunk WHERE packed = 1767225600000000"), 2);
  cr_assert_eq(number("SELECT max(rows) FROM series"), 2400);
  cr_assert_eq(read_all(), 2400);
}

Test(store_compact, says_beside_the_chunk_what_its_numbers_come_to) {
  add_numbers("force", NOW_US - 2 * DAY_US, 600, 10.0);
  double sum = number("SELECT sum(value) FROM reading");
  double least = number("SELECT min(value) FROM reading");

  pack_all(NOW_US);

  cr_assert_float_eq(number("SELECT sum FROM reading_chunk"), sum, 1e-6);
  cr_assert_eq(number("SELECT min FROM reading_chunk"), least);
  cr_assert_eq(number("SELECT last_ts - first_ts FROM reading_chunk"), 59900000);
}

Test(store_compact, cuts_a_minute_that_is_too_large_into_parts) {
  add_numbers("force", NOW_US - 2 * DAY_US, 9000, 150.0);

  pack_all(NOW_US);

  cr_assert_eq(number("SELECT count(*) FROM reading"), 0);
  cr_assert_eq(number("SELECT count(*) FROM reading_chunk"), 5);
  cr_assert_eq(read_all(), 9000);
}

Test(store_compact, packs_scans_after_two_minutes) {
  char scan[64];
  begin_batch("front", "lidar", "");
  for (int i = 0; i < 100; i++) {
    snprintf(scan, sizeof scan, "{\"scan_data\":[%d,%d,%d]}", i, 2 * i, 3000 - i);
    put(NOW_US - 240 * 1000000 + i * 100000, (uint64_t)i, 0, scan);
    keep(NOW_US - 240 * 1000000 + i * 100000, (uint64_t)i, 0, scan);
  }
  add_batch();

  pack_all(NOW_US);

  cr_assert_eq(number("SELECT count(*) FROM reading"), 0);
  cr_assert_eq(read_all(), 100);
}

Test(store_compact, keeps_sessions_apart_and_still_reads_one_series) {
  static const char *const SESSIONS[] = {"", "a", "b", ""};
  static const int64_t IDS[] = {0, 1, 2, 0};
  for (int i = 0; i < 400; i++) {
    int64_t ts_us = NOW_US - 2 * DAY_US + i * 100000;
    begin_batch("force", "force", SESSIONS[i / 7 % 4]);
    put(ts_us, (uint64_t)i, i, NULL);
    keep(ts_us, (uint64_t)i, i, NULL);
    kept[kept_count - 1].session = IDS[i / 7 % 4];
    add_batch();
  }

  pack_all(NOW_US);

  cr_assert_eq(number("SELECT count(*) FROM reading"), 0);
  cr_assert_eq(number("SELECT count(*) FROM reading_chunk"), 3);
  cr_assert_eq(read_all(), 400);
  series_span_t span = {.series = 1, .from_us = 0, .to_us = INT64_MAX, .session = 2};
  cr_assert_gt(read_span(&span), 90);
}

Test(store_compact, merges_late_readings_when_an_hour_has_passed) {
  add_numbers("force", NOW_US - 2 * DAY_US, 600, 10.0);
  pack_all(NOW_US);
  begin_batch("force", "force", "");
  for (int i = 0; i < 20; i++) {
    put(NOW_US - 2 * DAY_US + 1500000 + i * 777, 900u + (unsigned)i, i, NULL);
    keep(NOW_US - 2 * DAY_US + 1500000 + i * 777, 900u + (unsigned)i, i, NULL);
  }
  cr_assert_eq(add_batch(), 20);

  pack_all(NOW_US + HOUR_US / 2);
  cr_assert_eq(number("SELECT count(*) FROM reading"), 20);
  cr_assert_eq(read_all(), 620);

  pack_all(NOW_US + HOUR_US);
  cr_assert_eq(number("SELECT count(*) FROM reading"), 0);
  cr_assert_eq(number("SELECT rows FROM reading_chunk"), 620);
  cr_assert_eq(read_all(), 620);
  cr_assert_eq(number("SELECT max(rows) FROM series"), 620);
}

Test(store_compact, knows_a_reading_again_that_is_packed) {
  add_numbers("force", NOW_US - 2 * DAY_US, 600, 10.0);
  pack_all(NOW_US);
  begin_batch("force", "force", "");
  put(NOW_US - 2 * DAY_US, 0, 99.0, NULL);          /* packed */
  put(NOW_US - 2 * DAY_US, 600, 98.0, NULL);        /* of the same time, but another one */
  put(NOW_US - 2 * DAY_US + 100000, 1, 99.0, NULL); /* packed */
  keep(NOW_US - 2 * DAY_US, 600, 98.0, NULL);

  cr_assert_eq(add_batch(), 1);

  cr_assert_eq(number("SELECT max(rows) FROM series"), 601);
  cr_assert_eq(number("SELECT rows FROM rollup WHERE tier = 86400"), 601);
  fixture_reopen(&fixture);
  cr_assert_eq(add_batch(), 0);
  cr_assert_eq(read_all(), 601);
}

Test(store_compact, leaves_more_rows_of_one_instant_than_fit_as_they_are) {
  for (int part = 0; part < 5; part++) {
    begin_batch("force", "force", "");
    for (int i = 0; i < 1000; i++) {
      uint64_t seq = (uint64_t)(1000 * part + i);
      put(NOW_US - 2 * DAY_US, seq, i, NULL);
      keep(NOW_US - 2 * DAY_US, seq, i, NULL);
    }
    add_batch();
  }
  add_numbers("force", NOW_US - 2 * DAY_US + 60000000, 100, 10.0);

  pack_all(NOW_US);

  cr_assert_eq(number("SELECT count(*) FROM reading"), 5000);
  cr_assert_eq(read_all(), 5100);
}

static void add_random(int64_t begin_us, int64_t end_us) {
  static const char *const SHAPES[] = {"{\"x\":%u.5,\"y\":%u}", "{\"tag\":\"A%u\",\"n\":%u}"};
  char object[96];
  begin_batch("force", "force", "");
  for (uint32_t i = 0; i < 1 + next_bits() % 400; i++) {
    int64_t ts_us = begin_us + (int64_t)(next_bits() % (uint64_t)(end_us - begin_us));
    uint64_t seq = next_bits() >> 1;
    snprintf(object, sizeof object, SHAPES[next_bits() % 2], (unsigned)(next_bits() % 50),
             (unsigned)(next_bits() % 1000));
    const char *text = next_bits() % 4 ? NULL : object;
    double value = (double)(int64_t)next_bits() * 1e-12;
    put(ts_us, seq, value, text);
    keep(ts_us, seq, value, text);
  }
  add_batch();
}

static series_span_t random_span(int64_t begin_us, int64_t end_us) {
  uint64_t span_us = (uint64_t)(end_us - begin_us);
  series_span_t span = {.series = 1,
                        .from_us = begin_us + (int64_t)(next_bits() % span_us),
                        .newest_first = next_bits() % 2,
                        .has_after = next_bits() % 2,
                        .expected = (uint32_t)(next_bits() % 1000)};
  span.to_us = span.from_us + (int64_t)(next_bits() % span_us);
  const db_reading_t *row = &kept[next_bits() % kept_count];
  span.after_us = row->ts_us;
  span.after_seq = row->seq;
  return span;
}

Test(store_compact, reads_any_span_of_any_mixture_as_it_was_written, .timeout = 120) {
  int64_t begin_us = NOW_US - 2 * DAY_US, end_us = begin_us + 10 * 60000000;
  for (int round = 0; round < 12; round++) {
    add_random(begin_us, end_us);
    if (round % 2) pack_all(NOW_US + round * HOUR_US / 2);
    read_all();
    for (int i = 0; i < 20; i++) {
      series_span_t span = random_span(begin_us, end_us);
      read_span(&span);
    }
  }
  pack_all(NOW_US + DAY_US);
  cr_assert_eq(number("SELECT count(*) FROM reading"), 0);
  cr_assert_eq(read_all(), kept_count);
  cr_assert_eq(number("SELECT max(rows) FROM series"), (double)kept_count);
}
