/* Readings, events, alerts, poses and their ages. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static fixture_t fixture;
static store_history_t history;

static void set_up(void) {
  fixture_init(&fixture);
}

static void tear_down(void) {
  fixture_fini(&fixture);
}

TestSuite(series, .init = set_up, .fini = tear_down);

static void add_readings(const char *sensor, uint32_t count) {
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  for (uint32_t i = 0; i < count; i++) {
    row_t row = fixture_reading(sensor, 1000000 + i, i);
    cr_assert_eq(store_add(fixture.store, &row), GANTRY_OK);
  }
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
}

static void read_history(const char *sensor, uint32_t limit, uint64_t before) {
  store_history_get_t get = {.limit = limit, .has_before = before != 0, .before = before};
  snprintf(get.sensor, sizeof get.sensor, "%s", sensor);
  cr_assert_eq(fixture_call(&fixture, REQUEST_STORE_HISTORY, &get, &history), GANTRY_OK, "%s",
               fixture.fault.detail);
}

Test(series, gives_history_newest_first) {
  add_readings("volt", 5);

  read_history("volt", 3, 0);

  cr_assert_eq(history.rows_count, 3);
  cr_assert_eq(history.total, 5);
  cr_assert_eq(history.rows[0].reading.time, 1000004000);
  cr_assert_eq(history.rows[2].reading.time, 1000002000);
  cr_assert_gt(history.rows[0].id, history.rows[1].id);
}

Test(series, pages_back_by_time) {
  add_readings("volt", 5);

  read_history("volt", 10, 1000002000);

  cr_assert_eq(history.rows_count, 2);
  cr_assert_eq(history.rows[0].reading.time, 1000001000);
}

Test(series, gives_a_bare_value_as_json_with_its_unit) {
  add_readings("volt", 1);

  read_history("volt", 1, 0);

  const sensor_reading_t *reading = &history.rows[0].reading;
  cr_assert_eq(reading->type, SENSOR_TYPE_VALUE);
  cr_assert_float_eq(reading->quality, 0.9, 1e-12);
  cr_assert_eq(
      strncmp((const char *)reading->data.data, "{\"value\":0,\"unit\":\"V\"}", reading->data.len),
      0);
}

Test(series, keeps_sensors_apart_and_counts_each) {
  add_readings("volt", 2);
  add_readings("amp", 3);

  read_history("amp", 100, 0);

  cr_assert_eq(history.rows_count, 3);
  cr_assert_eq(history.total, 3);
  cr_assert_str_eq(history.rows[0].reading.sensor, "amp");
}

Test(series, has_nothing_of_a_sensor_never_heard) {
  read_history("nothing", 100, 0);

  cr_assert_eq(history.rows_count, 0);
  cr_assert_eq(history.total, 0);
}

Test(series, shows_rows_that_are_not_committed_yet) {
  row_t row = fixture_reading("volt", 1, 1);
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  cr_assert_eq(store_add(fixture.store, &row), GANTRY_OK);

  read_history("volt", 1, 0);

  cr_assert_eq(history.rows_count, 1);
  cr_assert_eq(history.total, 1);
}

Test(series, forgets_what_was_rolled_back_and_goes_on) {
  row_t row = fixture_reading("volt", 1, 1);
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  cr_assert_eq(store_add(fixture.store, &row), GANTRY_OK);
  store_rollback(fixture.store);

  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);
  read_history("volt", 10, 0);

  cr_assert_eq(history.total, 1);
}

Test(series, keeps_readings_over_a_restart) {
  add_readings("volt", 4);
  fixture_reopen(&fixture);
  add_readings("volt", 2);

  read_history("volt", 10, 0);

  cr_assert_eq(history.total, 6);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM series"), 1);
}

static row_t an_event(sys_event_t *event, uint64_t seq) {
  row_t row = {.kind = ROW_EVENT, .ts_us = 1000 + seq, .service = "mapper", .boot = 1, .seq = seq};
  *event = (sys_event_t){.category = SYS_CATEGORY_MODULE, .severity = SYS_SEVERITY_ERROR};
  snprintf(event->id, sizeof event->id, "E-%llu", (unsigned long long)seq);
  snprintf(event->message, sizeof event->message, "something happened");
  row.data = event;
  return row;
}

Test(series, gives_the_newest_event_first) {
  static store_events_t events;
  sys_event_t first, second;
  row_t a = an_event(&first, 1), b = an_event(&second, 2);
  cr_assert_eq(fixture_add(&fixture, &a), GANTRY_OK);
  cr_assert_eq(fixture_add(&fixture, &b), GANTRY_OK);

  cr_assert_eq(
      fixture_call(&fixture, REQUEST_STORE_EVENTS, &(store_events_get_t){.limit = 10}, &events),
      GANTRY_OK);

  cr_assert_eq(events.rows_count, 2);
  cr_assert_str_eq(events.rows[0].event.id, "E-2");
  cr_assert_eq(events.rows[0].event.severity, SYS_SEVERITY_ERROR);
  cr_assert_eq(events.rows[0].event.category, SYS_CATEGORY_MODULE);
  cr_assert_str_eq(events.rows[0].service, "mapper");
}

Test(series, takes_an_event_once) {
  sys_event_t event;
  row_t row = an_event(&event, 1);
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);

  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_E_CONFLICT);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM events"), 1);
}

Test(series, keeps_audit_entries) {
  sys_audit_t audit = {.actor = "anna", .action = "robot.estop", .success = true};
  row_t row = {.kind = ROW_AUDIT, .ts_us = 1, .service = "api-gateway", .data = &audit};

  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);
  cr_assert_eq(fixture_number(&fixture, "SELECT success FROM audit_log WHERE actor = 'anna'"), 1);
}

Test(series, keeps_changes_of_safety) {
  robot_safety_t safety = {.latched = true, .has_stop_ms = true, .stop_ms = 8.2};
  row_t row = {.kind = ROW_SAFETY, .ts_us = 1, .data = &safety};

  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);
  cr_assert_float_eq(fixture_number(&fixture, "SELECT stop_ms FROM safety_log WHERE latched = 1"),
                     8.2, 1e-9);
}

Test(series, raises_an_alert_once_and_clears_it) {
  sys_alerts_t alerts = {.alerts_count = 1};
  snprintf(alerts.alerts[0].id, sizeof alerts.alerts[0].id, "SENSOR-STALE");
  alerts.alerts[0].raised = 5000;
  row_t row = {.kind = ROW_ALERTS, .ts_us = 10, .service = "sensor-processor", .data = &alerts};
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM alerts WHERE cleared IS NULL"), 1);

  alerts.alerts_count = 0;
  row.ts_us = 20;
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);

  cr_assert_eq(fixture_number(&fixture, "SELECT cleared FROM alerts"), 20);
}

Test(series, keeps_the_newest_state_of_a_sensor) {
  row_t row = {.kind = ROW_STATUS, .ts_us = 1};
  snprintf(row.status.sensor, sizeof row.status.sensor, "RFID_001");
  row.status.has_last_reading = true;
  row.status.last_reading = 7000;
  row.status.health = 0.5;
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);

  row.status.has_last_reading = false;
  row.status.health = 0.25;
  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);

  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM sensor_status"), 1);
  cr_assert_float_eq(fixture_number(&fixture, "SELECT health_score FROM sensor_status"), 0.25,
                     1e-9);
  cr_assert_eq(fixture_number(&fixture, "SELECT last_reading FROM sensor_state"), 7);
}

Test(series, shows_poses_in_millimetres) {
  row_t row = {.kind = ROW_POSE, .ts_us = 1, .robot = "r1"};
  row.pose.x = 1.5;

  cr_assert_eq(fixture_add(&fixture, &row), GANTRY_OK);
  cr_assert_float_eq(fixture_number(&fixture, "SELECT x FROM robot_positions"), 1500.0, 1e-9);
}

/* What a predecessor's commit did, whose answer nobody heard, shows when the mark is to be moved.
 */
Test(series, moves_a_mark_forward_only) {
  uint64_t mark;
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  cr_assert_eq(store_set_mark(fixture.store, "mapper", 7, 5, 1), GANTRY_OK);
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);

  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  cr_assert_eq(store_set_mark(fixture.store, "mapper", 7, 5, 2), GANTRY_E_UNAVAILABLE);
  store_rollback(fixture.store);
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  cr_assert_eq(store_set_mark(fixture.store, "mapper", 7, 6, 2), GANTRY_OK);
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);

  cr_assert_eq(store_mark(fixture.store, "mapper", 7, &mark), GANTRY_OK);
  cr_assert_eq(mark, 6);
}
