/* What a pass of deletion leaves, table by table; looked at by SQL through another connection. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "defaults.h"
#include "fixture.h"
#include "store_lifecycle.h"

#define DAY_US 86400000000u
#define NOW_US (400 * DAY_US)

static fixture_t fixture;
static retention_t policy;

static void set_up(void) {
  fixture_init(&fixture);
  policy = default_lifecycle().retention;
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(store_retain, .init = set_up, .fini = tear_down, .timeout = 20);

static uint64_t run(int64_t purge_us) {
  retain_t retain = {.policy = &policy, .now_us = NOW_US, .purge_us = purge_us, .budget_us = 5000};
  sweep_t sweep = {0};
  uint64_t all = 0, deleted;
  bool done = false;
  while (!done) {
    cr_assert_eq(store_retain(fixture.store, &retain, &sweep, &deleted, &done), GANTRY_OK);
    all += deleted;
  }
  return all;
}

static void add_reading(const char *sensor, const char *type, double age_days,
                        const char *session) {
  row_t row = fixture_reading(sensor, NOW_US - (uint64_t)(age_days * (double)DAY_US), 1);
  snprintf(row.reading.type, sizeof row.reading.type, "%s", type);
  snprintf(row.session, sizeof row.session, "%s", session);
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);
}

static void add_pose(double age_days, const char *session) {
  row_t row = {.kind = ROW_POSE, .ts_us = NOW_US - (uint64_t)(age_days * (double)DAY_US)};
  snprintf(row.session, sizeof row.session, "%s", session);
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);
}

/* An empty blob, as the back end writes it. */
static const char *no_bytes(void) {
  const char *kind = getenv("GANTRY_TEST_STORE");
  return kind && strcmp(kind, "pg") == 0 ? "''" : "x''";
}

/* A chunk of seven very old readings of the first series. */
static void add_chunk(const char *session) {
  char sql[256];
  snprintf(
      sql, sizeof sql,
      "INSERT INTO reading_chunk VALUES (1, 60000000, 7, 60000000, 60000001, 1, 1, 7, %s, 0, %s)",
      session, no_bytes());
  fixture_exec(&fixture, sql);
}

static double count(const char *query) {
  return fixture_number(&fixture, query);
}

Test(store_retain, deletes_readings_by_age_and_recounts) {
  add_reading("volt", "value", 30.01, "");
  add_reading("volt", "value", 29.99, "");

  cr_assert_eq(run(0), 1);

  cr_assert_eq(count("SELECT count(*) FROM reading"), 1);
  cr_assert_eq(count("SELECT rows FROM series"), 1);
}

Test(store_retain, deletes_sweeps_after_a_day) {
  add_reading("front", "lidar", 1.01, "");
  add_reading("front", "lidar", 0.99, "");

  cr_assert_eq(run(0), 1);
}

Test(store_retain, keeps_one_old_pose_a_second_and_none_that_is_very_old) {
  for (int i = 0; i < 40; i++)
    add_pose(8 - i * 0.05 / 86400, "");
  for (int i = 0; i < 5; i++)
    add_pose(31 + i, "");

  cr_assert_eq(run(0), 43);

  cr_assert_eq(count("SELECT count(*) FROM pose"), 2);
}

Test(store_retain, leaves_a_pinned_session_alone) {
  add_reading("volt", "value", 100, "pinned");
  add_reading("volt", "value", 100, "other");
  add_pose(100, "pinned");
  add_pose(99, "other");
  fixture_exec(&fixture, "UPDATE session SET pinned = 1 WHERE session_id = 'pinned'");
  add_chunk("(SELECT id FROM session WHERE pinned = 1)");

  run(0);

  cr_assert_eq(count("SELECT count(*) FROM reading JOIN session ON session.id = session"
                     " WHERE session_id = 'pinned'"),
               1);
  cr_assert_eq(count("SELECT count(*) FROM reading"), 1);
  cr_assert_eq(count("SELECT count(*) FROM reading_chunk"), 1);
  cr_assert_eq(count("SELECT count(*) FROM pose WHERE session_id = 'pinned'"), 1);
  cr_assert_eq(count("SELECT count(*) FROM pose"), 1);
}

Test(store_retain, passes_over_any_number_of_pinned_rows_in_bites) {
  add_reading("volt", "value", 100, "pinned");
  fixture_exec(&fixture, "UPDATE session SET pinned = 1");
  fixture_exec(&fixture,
               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
               " INSERT INTO reading SELECT 1, i, i, 1, NULL, 1, 0, 0, 1 FROM n");
  add_reading("volt", "value", 99, "");

  run(0);

  cr_assert_eq(count("SELECT count(*) FROM reading"), 10001);
  cr_assert_eq(count("SELECT count(*) FROM reading WHERE session IS NULL"), 0);
}

Test(store_retain, forgets_an_empty_session_that_is_old) {
  add_reading("volt", "value", 100, "old");
  add_reading("volt", "value", 1, "new");
  run(0);

  run(0);

  cr_assert_eq(count("SELECT count(*) FROM session"), 1);
  cr_assert_eq(count("SELECT count(*) FROM session WHERE session_id = 'new'"), 1);
  cr_assert_eq(count("SELECT count(*) FROM session_series"), 1, "figures go with their session");
}

Test(store_retain, deletes_a_chunk_as_its_rows_and_recounts) {
  add_reading("volt", "value", 1, "");
  fixture_exec(&fixture, "UPDATE series SET rows = 8");
  add_chunk("0");
  fixture_reopen(&fixture);

  cr_assert_eq(run(0), 7);

  cr_assert_eq(count("SELECT rows FROM series"), 1);
  cr_assert_eq(count("SELECT count(*) FROM reading_chunk"), 0);
}

Test(store_retain, deletes_each_tier_of_roll_ups_when_its_whole_bucket_is_old) {
  add_reading("volt", "value", 0.5, "");
  fixture_exec(&fixture, "DELETE FROM rollup");
  /* Ages of 89 and 90 days, 364 and 365 days, by each tier. */
  fixture_exec(
      &fixture,
      "INSERT INTO rollup SELECT 1, tier, (400 - age) * 86400000000 - CASE WHEN age IN (90,"
      " 365) THEN tier * CAST(1000000 AS BIGINT) ELSE 0 END, 1, 1, 1, 1, 1, 1, 1, 0, 0 FROM "
      "(SELECT 60"
      " AS tier UNION SELECT 3600 UNION SELECT 86400) AS tiers, (SELECT 89 AS age UNION"
      " SELECT 90 UNION SELECT 364 UNION SELECT 365) AS ages");

  run(0);

  cr_assert_eq(count("SELECT count(*) FROM rollup WHERE tier = 60"), 1);
  cr_assert_eq(count("SELECT count(*) FROM rollup WHERE tier = 3600"), 3);
  cr_assert_eq(count("SELECT count(*) FROM rollup WHERE tier = 86400"), 3);
}

Test(store_retain, keeps_a_raised_alert_and_deletes_a_cleared_one) {
  fixture_exec(&fixture,
               "INSERT INTO alerts (id, service, alert, subject, severity, message, raised,"
               " cleared) VALUES (1, 's', 'A', '', 'warning', '', 1, NULL),"
               " (2, 's', 'B', '', 'warning', '', 1, 2)");

  cr_assert_eq(run(0), 1);

  cr_assert_eq(count("SELECT count(*) FROM alerts WHERE alert = 'A'"), 1);
}

Test(store_retain, keeps_events_safety_and_commands_as_long_as_the_policy_says) {
  static const double AGES[] = {29, 31, 89, 91, 364, 366};
  char sql[512];
  for (int i = 0; i < 6; i++) {
    long long ts = (long long)(NOW_US - (uint64_t)(AGES[i] * (double)DAY_US));
    snprintf(sql, sizeof sql,
             "INSERT INTO events VALUES (%d, %lld, 's', 'r', 'E', 'state', 'info', '', '', NULL, 0,"
             " 1, %d, NULL, NULL)",
             i, ts, i);
    fixture_exec(&fixture, sql);
    snprintf(sql, sizeof sql,
             "INSERT INTO safety_log VALUES (%d, %lld, 'r', 'idle', 0, 'none', '', 'none', 'none',"
             " 0, 0, NULL, NULL, 0)",
             i, ts);
    fixture_exec(&fixture, sql);
    snprintf(sql, sizeof sql,
             "INSERT INTO commands (id, ts, robot, command_id, actor, type, priority, status)"
             " VALUES (%d, %lld, 'r', 'c%d', 'anna', 'move', 'normal', 'completed')",
             i, ts, i);
    fixture_exec(&fixture, sql);
  }

  run(0);

  cr_assert_eq(count("SELECT count(*) FROM events"), 3);
  cr_assert_eq(count("SELECT count(*) FROM safety_log"), 5);
  cr_assert_eq(count("SELECT count(*) FROM commands"), 1);
}

Test(store_retain, keeps_the_mark_of_a_producers_newest_boot) {
  fixture_exec(&fixture, "INSERT INTO ingest_mark VALUES ('mapper', 1, 9, 1), ('mapper', 2, 9, 2),"
                         " ('storage', 3, 9, 1), ('storage', 4, 9, 34560000000000)");

  cr_assert_eq(run(0), 2);

  cr_assert_eq(count("SELECT count(*) FROM ingest_mark WHERE boot IN (2, 4)"), 2);
}

static void add_audit(void) {
  fixture_exec(&fixture, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <"
                         " 700) INSERT INTO audit_log (id, ts, service, robot, actor, action,"
                         " resource, success, address, detail, trace, boot, seq, previous_hash,"
                         " hash) SELECT i, i, 's', 'r', 'a', 'x', '', 1, '', '', 0, 1, i,"
                         " 'h' || (i - 1), 'h' || i FROM n");
}

Test(store_retain, never_deletes_audit_by_itself) {
  add_audit();

  cr_assert_eq(run(0), 0);

  cr_assert_eq(count("SELECT count(*) FROM audit_log"), 700);
}

Test(store_retain, cuts_the_audit_chain_at_its_old_end_where_a_setting_says_so) {
  char hash[16];
  policy.audit_days = 100;
  add_audit();
  fixture_exec(&fixture, "UPDATE audit_log SET ts = 34560000000000 WHERE id >= 650");

  cr_assert_eq(run(0), 649);

  fixture_text(&fixture, "SELECT previous_hash FROM audit_log ORDER BY id LIMIT 1", hash,
               sizeof hash);
  cr_assert_str_eq(hash, "h649");
}

Test(store_retain, keeps_the_last_audit_entry_for_the_next_ones) {
  policy.audit_days = 100;
  add_audit();

  cr_assert_eq(run(0), 699);

  cr_assert_eq(count("SELECT id FROM audit_log"), 700);
}

Test(store_retain, purges_only_stream_data_outside_of_sessions) {
  add_reading("volt", "value", 3, "");
  add_reading("volt", "value", 3.1, "session");
  add_reading("volt", "value", 1, "");
  add_pose(3, "");
  add_pose(3.1, "session");
  fixture_exec(&fixture, "INSERT INTO events VALUES (1, 1, 's', 'r', 'E', 'state', 'info', '', '',"
                         " NULL, 0, 1, 1, NULL, NULL)");

  cr_assert_eq(run((int64_t)(NOW_US - 2 * DAY_US)), 2);

  cr_assert_eq(count("SELECT count(*) FROM reading"), 2);
  cr_assert_eq(count("SELECT count(*) FROM pose WHERE session_id = 'session'"), 1);
  cr_assert_eq(count("SELECT count(*) FROM events"), 1);
}

Test(store_retain, finds_the_oldest_of_the_stream) {
  int64_t oldest_us = -1;
  cr_assert_eq(store_oldest_stream(fixture.store, &oldest_us), GANTRY_OK);
  cr_assert_eq(oldest_us, 0);
  add_reading("volt", "value", 3, "");
  add_pose(5, "");

  cr_assert_eq(store_oldest_stream(fixture.store, &oldest_us), GANTRY_OK);

  cr_assert_eq(oldest_us, (int64_t)(NOW_US - 5 * DAY_US));
}

Test(store_retain, follows_the_setting_in_force_and_the_options_beside_it) {
  static store_setting_put_t put = {.kind = "store.retention", .data = "{\"readings_days\":14}"};
  static store_setting_t set;
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_SETTING_PUT, &put, &set), GANTRY_OK);

  retention_t in_force = store_retention(fixture.store, &policy);

  cr_assert_float_eq(in_force.readings_days, 14, 1e-9);
  cr_assert_float_eq(in_force.safety_days, 365, 1e-9);
}
