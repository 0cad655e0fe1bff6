/* A year day by day, with the clock in the test's hand: what is left is exactly what the policy
   says, by SQL against an untouched copy of everything that was ever written.
   GANTRY_TEST_YEAR=full writes a reading a minute instead of two an hour (on a server, where each
   packed minute is a handful of questions, one in ten minutes instead of one in two hours). */
#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "defaults.h"
#include "fixture.h"
#include "store_compact.h"
#include "store_lifecycle.h"

#define DAY_US     86400000000ll
#define HOUR_US    3600000000ll
#define MINUTE_US  60000000ll
#define DAYS       396
#define CHECKED    66 /* days between checks */
#define NUMERIC    4
#define COPY_BYTES (1u << 20)

static fixture_t fixture;
static retention_t policy;
static sensor_readings_t batch;
static char objects[1 << 16];
static char copy[COPY_BYTES];
static size_t copy_len;
static uint64_t numbers;

static void flush_copy(void) {
  if (copy_len == 0) return;
  copy[copy_len - 1] = ';'; /* in place of the last comma */
  fixture_exec(&fixture, copy);
  copy_len = 0;
}

/* Adds a row to the untouched copy: one table for all kinds. */
static void keep_copy(const char *kind, const char *sensor, int64_t ts_us, uint64_t seq,
                      double value, const char *session) {
  if (copy_len == 0)
    copy_len = (size_t)snprintf(copy, sizeof copy, "INSERT INTO untouched VALUES ");
  copy_len +=
      (size_t)snprintf(copy + copy_len, sizeof copy - copy_len, "('%s','%s',%lld,%llu,%.2f,'%s'),",
                       kind, sensor, (long long)ts_us, (unsigned long long)seq, value, session);
  if (copy_len > sizeof copy - 256) flush_copy();
}

static void flush_batch(void) {
  uint32_t added = 0;
  gantry_fault_t fault = {0};
  if (batch.which_count == 0) return;
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  gantry_err_t err =
      store_add_readings(fixture.store, &(store_origin_t){.robot = "r1"}, &batch, &added, &fault);
  cr_assert_eq(err, GANTRY_OK, "%s", fault.detail);
  cr_assert_eq(added, batch.which_count);
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
  batch = (sensor_readings_t){0};
}

static uint8_t series_of(const char *sensor, const char *type, const char *session) {
  uint32_t i = 0;
  while (i < batch.series_count && (strcmp(batch.series[i].sensor, sensor) != 0 ||
                                    strcmp(batch.series[i].session, session) != 0))
    i++;
  if (i == batch.series_count) {
    sensor_series_key_t *key = &batch.series[batch.series_count++];
    snprintf(key->sensor, sizeof key->sensor, "%s", sensor);
    snprintf(key->type, sizeof key->type, "%s", type);
    snprintf(key->session, sizeof key->session, "%s", session);
  }
  return (uint8_t)i;
}

/* Values are quarters, so that sums are exact. */
static void add_reading(const char *sensor, int64_t ts_us, const char *session) {
  static const char SCAN[] = "{\"ranges\":[1.5,2.25]}";
  bool scan = strcmp(sensor, "front") == 0;
  double value = scan ? 0 : (double)(numbers % 64) * 0.25;
  uint32_t i = batch.which_count++;
  batch.which[i] = series_of(sensor, scan ? "lidar" : "value", session);
  batch.time[i] = (uint64_t)ts_us * 1000;
  batch.number[i] = ++numbers;
  batch.value[i] = value;
  batch.quality[i] = 1;
  if (scan) {
    batch.which_objects[batch.which_objects_count++] = (uint16_t)i;
    memcpy(objects + batch.objects.len, SCAN, sizeof SCAN);
    batch.objects.len += sizeof SCAN;
    batch.objects.data = (const uint8_t *)objects;
  }
  batch.time_count = batch.number_count = batch.value_count = batch.quality_count =
      batch.validity_count = batch.which_count;
  keep_copy(scan ? "scan" : "reading", sensor, ts_us, numbers, value, session);
  if (batch.which_count == 1000) flush_batch();
}

static void add_row(row_t *row, const char *kind) {
  row->seq = ++numbers;
  row->boot = 1;
  cr_assert_eq(store_add(fixture.store, row), GANTRY_OK);
  keep_copy(kind, "", (int64_t)row->ts_us, numbers, 0, row->session);
}

/* Three seconds at 20 Hz; the first of a second is kept longer. */
static void add_poses(int64_t start_us, const char *session) {
  for (int i = 0; i < 60; i++) {
    row_t row = {.kind = ROW_POSE, .ts_us = (uint64_t)(start_us + i * 50000), .robot = "r1"};
    snprintf(row.session, sizeof row.session, "%s", session);
    add_row(&row, i % 20 == 0 ? "pose 1" : "pose 0");
  }
}

static void add_others(int64_t day_us, const char *session) {
  sys_event_t event = {.id = "E"};
  robot_safety_t safety = {.latched = true};
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  add_poses(day_us + 5 * HOUR_US, "");
  if (session[0]) add_poses(day_us + 11 * HOUR_US, session);
  for (int i = 0; i < 3; i++) {
    row_t row = {.kind = ROW_EVENT, .ts_us = (uint64_t)(day_us + i * HOUR_US), .data = &event};
    add_row(&row, "event");
  }
  row_t row = {.kind = ROW_SAFETY, .ts_us = (uint64_t)(day_us + HOUR_US), .data = &safety};
  add_row(&row, "safety");
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
}

/* Every tenth day has a session from 10 to 12 o'clock; every second one of them is pinned. */
static void live_day(int day, int64_t day_us, int64_t every_us) {
  static const char *const SENSORS[NUMERIC] = {"volt", "amp", "temp", "rpm"};
  char session[32] = "";
  if (day % 10 == 0) snprintf(session, sizeof session, "run_%d", day);
  for (int64_t at = 0; at < DAY_US; at += every_us) {
    bool recording = session[0] && at >= 10 * HOUR_US && at < 12 * HOUR_US;
    for (int i = 0; i < NUMERIC; i++)
      add_reading(SENSORS[i], day_us + at + i * 1000, recording ? session : "");
    if (at % HOUR_US == 0) add_reading("front", day_us + at, recording ? session : "");
  }
  /* A burst within one minute, and what comes three days late into a minute that has rows. */
  for (int i = 0; i < 40; i++)
    add_reading("volt", day_us + 13 * HOUR_US + 10000000 + i * 50000, "");
  if (day >= 3) add_reading("amp", day_us - 3 * DAY_US + 7 * HOUR_US + 30000000, "");
  flush_batch();
  add_others(day_us, session);
  flush_copy();
  if (session[0] && day % 20 == 0) {
    store_pin_t pin = {.pinned = true}, gives;
    snprintf(pin.session, sizeof pin.session, "%s", session);
    cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_PIN, &pin, &gives), GANTRY_OK);
  }
}

static void run_lifecycle(int64_t now_us) {
  retain_t retain = {.policy = &policy, .now_us = (uint64_t)now_us, .budget_us = 20000};
  sweep_t sweep = {0};
  uint64_t deleted;
  bool done = false;
  while (!done)
    cr_assert_eq(store_compact_step(fixture.store, (uint64_t)now_us, 20000, &done), GANTRY_OK);
  done = false;
  while (!done)
    cr_assert_eq(store_retain(fixture.store, &retain, &sweep, &deleted, &done), GANTRY_OK);
}

/* What of a kind is to be there: by its age, or by its pinned session. */
#define STAYS "(ts >= %lld OR session_id IN (SELECT session_id FROM session WHERE pinned = 1))"
/* Groups that both sides do not have alike: what is there counts up, what should be counts down. */
#define DIFFER(columns, there, should)                                                             \
  "SELECT count(*) FROM (SELECT " columns " FROM (SELECT " columns ", n, total FROM (" there       \
  ") AS there UNION ALL SELECT " columns ", -n, -total FROM (" should                              \
  ") AS should) AS both_sides GROUP BY " columns                                                   \
  " HAVING sum(n) <> 0 OR abs(sum(total)) > 0.001) AS wrong"

static int64_t cutoff(double days, int64_t now_us) {
  return now_us - (int64_t)(days * (double)DAY_US);
}

static void expect_none(const char *what, const char *sql) {
  double wrong = fixture_number(&fixture, sql);
  cr_assert_float_eq(wrong, 0, 0.1, "%s: %g differ\n%s", what, wrong, sql);
}

/* By sensor and minute, wherever a row lies. */
static void check_readings(const char *kind, double days, int64_t now_us) {
  char sql[2048];
  snprintf(
      sql, sizeof sql,
      DIFFER("sensor, minute",
             "SELECT sensor, ts / 60000000 AS minute, count(*) AS n, 0 AS total FROM reading JOIN"
             " series ON series.id = series WHERE (type = 'lidar') = (%d = 1) GROUP BY sensor,"
             " minute UNION ALL SELECT sensor, start / 60000000, reading_chunk.rows, 0 FROM"
             " reading_chunk JOIN series ON series.id = series WHERE (type = 'lidar') = (%d = 1)",
             "SELECT sensor, ts / 60000000 AS minute, count(*) AS n, 0 AS total FROM untouched"
             " WHERE kind = '%s' AND " STAYS " GROUP BY sensor, minute"),
      kind[0] == 's', kind[0] == 's', kind, (long long)cutoff(days, now_us));
  expect_none(kind, sql);
  snprintf(sql, sizeof sql,
           "SELECT count(*) FROM reading JOIN series ON series.id = series LEFT JOIN untouched ON"
           " untouched.sensor = series.sensor AND untouched.ts = reading.ts AND untouched.seq ="
           " reading.seq WHERE untouched.ts IS NULL OR (reading.value IS NOT NULL AND"
           " untouched.value <> reading.value)");
  expect_none("rows", sql);
}

/* Complete and exact, also where the rows they stand for are long gone. */
static void check_rollups(int64_t tier_s, double days, int64_t now_us) {
  char sql[2048];
  long long tier_us = tier_s * 1000000;
  snprintf(sql, sizeof sql,
           DIFFER("sensor, start",
                  "SELECT sensor, start, rollup.rows AS n, sum AS total FROM rollup JOIN series ON"
                  " series.id = series WHERE tier = %lld",
                  "SELECT sensor, start, count(*) AS n, sum(value) AS total FROM (SELECT sensor,"
                  " ts / %lld * %lld AS start, value FROM untouched WHERE kind = 'reading') AS"
                  " buckets WHERE start + %lld > %lld GROUP BY sensor, start"),
           (long long)tier_s, tier_us, tier_us, tier_us, (long long)cutoff(days, now_us));
  expect_none("roll-ups", sql);
}

static void check_poses(int keep, double days, int64_t now_us) {
  char sql[2048];
  snprintf(sql, sizeof sql,
           DIFFER("ts", "SELECT ts, 1 AS n, 0 AS total FROM pose WHERE keep = %d",
                  "SELECT ts, 1 AS n, 0 AS total FROM untouched WHERE kind = 'pose %d' AND " STAYS),
           keep, keep, (long long)cutoff(days, now_us));
  expect_none("poses", sql);
}

static void check_table(const char *kind, const char *table, double days, int64_t now_us) {
  char sql[2048];
  snprintf(sql, sizeof sql,
           DIFFER("ts", "SELECT ts, 1 AS n, 0 AS total FROM %s",
                  "SELECT ts, 1 AS n, 0 AS total FROM untouched WHERE kind = '%s' AND ts >= %lld"),
           table, kind, (long long)cutoff(days, now_us));
  expect_none(kind, sql);
}

static void check_all(int64_t now_us) {
  check_readings("reading", 30, now_us);
  check_readings("scan", 1, now_us);
  check_rollups(60, 90, now_us);
  check_rollups(3600, 365, now_us);
  check_rollups(86400, 365, now_us);
  check_poses(0, 7, now_us);
  check_poses(1, 30, now_us);
  check_table("event", "events", 90, now_us);
  check_table("safety", "safety_log", 365, now_us);
  expect_none("totals", "SELECT count(*) FROM series WHERE rows <> (SELECT count(*) FROM reading"
                        " WHERE reading.series = series.id) + coalesce((SELECT sum(chunk.rows)"
                        " FROM reading_chunk AS chunk WHERE chunk.series = series.id), 0)");
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(year, .fini = tear_down, .timeout = 600);

Test(year, leaves_exactly_what_the_policy_says) {
  const char *size = getenv("GANTRY_TEST_YEAR");
  int64_t every_us = (fixture_is_pg() ? 120 : 30) * MINUTE_US;
  if (size && strcmp(size, "full") == 0) every_us = (fixture_is_pg() ? 10 : 1) * MINUTE_US;
  /* It ends today: PostgreSQL has partitions for the days of the last year. */
  int64_t today_us = (int64_t)(clock_wall_ns() / 1000) / DAY_US * DAY_US;
  fixture_init(&fixture);
  policy = default_lifecycle().retention;
  fixture_exec(&fixture, "CREATE TABLE untouched (kind TEXT, sensor TEXT, ts BIGINT, seq BIGINT,"
                         " value DOUBLE PRECISION, session_id TEXT)");

  for (int day = 0; day < DAYS; day++) {
    int64_t day_us = today_us - (DAYS - day) * DAY_US;
    live_day(day, day_us, every_us);
    run_lifecycle(day_us + DAY_US);
    if (day % CHECKED != CHECKED - 1) continue;
    /* As the server does by itself, given time. */
    if (fixture_is_pg()) fixture_exec(&fixture, "VACUUM ANALYZE");
    check_all(day_us + DAY_US);
  }

  cr_assert_gt(fixture_number(&fixture, "SELECT count(*) FROM reading_chunk"), 1000);
  cr_assert_gt(fixture_number(&fixture, "SELECT count(*) FROM untouched"), 50000);
}
