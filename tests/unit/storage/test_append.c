/* What an outbox delivers: taken once, in order, with its mark; what cannot be stored is passed
   over. */
#include <criterion/criterion.h>
#include <gantry/pack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "append.h"
#include "fixture.h"

static fixture_t fixture;
static append_t *append;
static buf_t bytes;
static append_counts_t counts;
static gantry_fault_t fault;

static void set_up(void) {
  fixture_init(&fixture);
  cr_assert_eq(append_new(&append), GANTRY_OK);
}

static void tear_down(void) {
  append_destroy(&append);
  buf_fini(&bytes);
  fixture_fini(&fixture);
}

TestSuite(append, .init = set_up, .fini = tear_down, .timeout = 60);

static void put_number(uint64_t value, size_t len) {
  for (size_t i = 0; i < len; i++)
    buf_put_byte(&bytes, (uint8_t)(value >> (8 * i)));
}

static void put_raw(uint64_t number, const char *topic, const buf_t *header, const buf_t *body) {
  put_number(number, 8);
  put_number(strlen(topic), 2);
  put_number(header->len, 4);
  put_number(body->len, 4);
  buf_put(&bytes, topic, strlen(topic));
  buf_put(&bytes, header->data, header->len);
  buf_put(&bytes, body->data, body->len);
}

static void put(uint64_t number, const char *from, const char *topic, const desc_t *desc,
                const void *message) {
  buf_t header = {0}, body = {0};
  sys_header_t said = {.kind = SYS_KIND_EVENT,
                       .version = 1,
                       .boot = 7,
                       .seq = number,
                       .wall = FIXTURE_NOW_NS + number * 1000000,
                       .trace = 1};
  snprintf(said.from, sizeof said.from, "%s", from);
  snprintf(said.robot, sizeof said.robot, "r1");
  cr_assert_eq(pack_message(&SYS_HEADER_DESC, &said, &header, NULL), GANTRY_OK);
  cr_assert_eq(pack_message(desc, message, &body, &fault), GANTRY_OK, "%s", fault.detail);
  put_raw(number, topic, &header, &body);
  buf_fini(&header);
  buf_fini(&body);
}

static void put_event(uint64_t number) {
  sys_event_t event = {.category = SYS_CATEGORY_STATE};
  snprintf(event.id, sizeof event.id, "E-%u", (unsigned)number);
  put(number, "mapper", "event.mapper", &SYS_EVENT_DESC, &event);
}

/* Takes what was put, in a transaction of its own, and begins anew. */
static gantry_err_t take_of(uint64_t boot, uint64_t first, uint64_t last, uint64_t previous) {
  store_append_t takes = {.boot = boot,
                          .first = first,
                          .last = last,
                          .previous = previous,
                          .records = {.data = bytes.data, .len = bytes.len}};
  fault = (gantry_fault_t){0};
  counts = (append_counts_t){0};
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  gantry_err_t err = append_take(append, fixture.store, "mapper", &takes, &counts, &fault);
  if (err == GANTRY_OK)
    cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
  else
    store_rollback(fixture.store);
  buf_reset(&bytes);
  return err;
}

static gantry_err_t take(uint64_t first, uint64_t last, uint64_t previous) {
  return take_of(7, first, last, previous);
}

static double events(void) {
  return fixture_number(&fixture, "SELECT count(*) FROM events");
}

static double mark(void) {
  return fixture_number(&fixture, "SELECT seq FROM ingest_mark WHERE producer = 'mapper'");
}

Test(append, takes_records_with_their_mark) {
  put_event(1);
  put_event(2);

  cr_assert_eq(take(1, 2, 0), GANTRY_OK, "%s", fault.detail);

  cr_assert_eq(counts.rows, 2);
  cr_assert_eq(events(), 2);
  cr_assert_eq(mark(), 2);
}

Test(append, takes_a_record_once_however_often_it_comes) {
  for (int i = 0; i < 3; i++) {
    put_event(1);
    put_event(2);
    cr_assert_eq(take(1, 2, 0), GANTRY_OK);
  }
  put_event(2);
  put_event(3);

  cr_assert_eq(take(2, 3, 0), GANTRY_OK);

  cr_assert_eq(counts.rows, 1);
  cr_assert_eq(counts.repeated, 1);
  cr_assert_eq(events(), 3);
}

Test(append, refuses_records_while_those_before_them_are_missing) {
  put_event(1);
  cr_assert_eq(take(1, 1, 0), GANTRY_OK);
  put_event(5);

  cr_assert_eq(take(5, 5, 4), GANTRY_E_CONFLICT);

  cr_assert_str_eq(fault.field, "previous");
  cr_assert_eq(mark(), 1);
}

Test(append, takes_records_behind_a_gap_that_the_outbox_knows_of) {
  put_event(1);
  cr_assert_eq(take(1, 1, 0), GANTRY_OK);
  put_event(5);

  cr_assert_eq(take(5, 5, 1), GANTRY_OK);

  cr_assert_eq(mark(), 5);
}

Test(append, forgets_everything_with_its_transaction) {
  store_append_t takes = {.boot = 7, .first = 1, .last = 1};
  put_event(1);
  takes.records = (blob_t){.data = bytes.data, .len = bytes.len};
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  cr_assert_eq(append_take(append, fixture.store, "mapper", &takes, &counts, &fault), GANTRY_OK);

  store_rollback(fixture.store);
  append_forget(append);

  cr_assert_eq(take(1, 1, 0), GANTRY_OK);
  cr_assert_eq(counts.rows, 1);
  cr_assert_eq(events(), 1);
}

Test(append, passes_over_what_cannot_be_stored) {
  sys_event_t event = {.id = "E", .category = SYS_CATEGORY_STATE};
  buf_t garbage = {0};
  buf_put_text(&garbage, "no msgpack");
  put_event(1);
  put_raw(2, "event.mapper", &garbage, &garbage);
  put(3, "mapper", "event.nobody.knows", &SYS_EVENT_DESC, &event);
  put(4, "localization", "event.localization", &SYS_EVENT_DESC, &event);
  put_event(5);
  buf_fini(&garbage);

  cr_assert_eq(take(1, 5, 0), GANTRY_OK, "%s", fault.detail);

  cr_assert_eq(counts.rows, 2);
  cr_assert_eq(counts.refused, 3);
  cr_assert_eq(mark(), 5);
}

Test(append, refuses_what_is_no_run_of_records) {
  static const struct {
    uint64_t first, last;
    const char *field;
  } RUNS[] = {{1, 3, "last"}, {2, 2, "last"}};
  for (size_t i = 0; i < sizeof RUNS / sizeof *RUNS; i++) {
    put_event(1);
    put_event(2);
    cr_assert_eq(take(RUNS[i].first, RUNS[i].last, 0), GANTRY_E_SCHEMA);
    cr_assert_str_eq(fault.field, RUNS[i].field);
  }
  put_event(2);
  put_event(1);
  cr_assert_eq(take(2, 1, 0), GANTRY_E_SCHEMA);
  put_event(1);
  bytes.len -= 3;
  cr_assert_eq(take(1, 1, 0), GANTRY_E_SCHEMA);
  cr_assert_not_null(strstr(fault.detail, "torn"), "%s", fault.detail);
  cr_assert_eq(take(0, 0, 0), GANTRY_E_SCHEMA);
  cr_assert_eq(events(), 0);
}

Test(append, keeps_changes_of_safety_only) {
  robot_safety_t safety = {.state = ROBOT_FSM_STATE_IDLE, .speed_factor = 1};
  for (uint64_t i = 1; i <= 6; i++) {
    safety.has_clearance = true;
    safety.clearance = (double)i;
    safety.latched = i >= 4;
    put(i, "mapper", "robot.safety", &ROBOT_SAFETY_DESC, &safety);
  }

  cr_assert_eq(take(1, 6, 0), GANTRY_OK);

  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM safety_log"), 2);
}

/* A batch of count readings of one sensor, numbered from first on. */
static void put_readings(uint64_t number, const char *sensor, uint64_t first, uint32_t count,
                         double value) {
  sensor_readings_t *batch = calloc(1, sizeof *batch);
  batch->series_count = 1;
  snprintf(batch->series[0].sensor, sizeof batch->series[0].sensor, "%s", sensor);
  snprintf(batch->series[0].type, sizeof batch->series[0].type, "force");
  batch->which_count = batch->time_count = batch->number_count = batch->value_count =
      batch->quality_count = batch->validity_count = count;
  for (uint32_t i = 0; i < count; i++) {
    batch->time[i] = FIXTURE_NOW_NS + (first + i) * 1000000u;
    batch->number[i] = first + i;
    batch->value[i] = value;
  }
  put(number, "mapper", "sensor.readings.mapper", &SENSOR_READINGS_DESC, batch);
  free(batch);
}

Test(append, gives_readings_the_mapping_session_of_their_time_however_late_they_come) {
  mapping_t mapping = {.session = "session_1",
                       .since_us = FIXTURE_NOW_NS / 1000 + 2000,
                       .until_us = FIXTURE_NOW_NS / 1000 + 3000};
  append_set_mapping(append, &mapping);
  for (uint64_t i = 1; i <= 4; i++)
    put_readings(i, "VOLT", i, 1, 1);

  cr_assert_eq(take(1, 4, 0), GANTRY_OK);

  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading"), 4);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading JOIN session ON session.id ="
                                        " reading.session WHERE kind = 'map'"),
               2);
}

Test(append, takes_readings_by_the_batch) {
  put_readings(1, "force-1", 0, 500, 0);

  cr_assert_eq(take(1, 1, 0), GANTRY_OK, "%s", fault.detail);

  cr_assert_eq(counts.rows, 500);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading"), 500);
}

Test(append, passes_over_sensors_that_have_no_place_without_failing_the_others) {
  char sensor[16];
  for (uint64_t i = 1; i <= 1024; i++) {
    snprintf(sensor, sizeof sensor, "s-%u", (unsigned)i);
    put_readings(i, sensor, i, 1, 1);
  }
  cr_assert_eq(take(1, 1024, 0), GANTRY_OK, "%s", fault.detail);
  put_readings(1025, "another", 1, 1, 1);
  put_readings(1026, "one-more", 1, 1, 1);
  put_event(1027);

  cr_assert_eq(take(1025, 1027, 1024), GANTRY_OK, "%s", fault.detail);

  cr_assert_eq(counts.refused, 2);
  cr_assert_eq(events(), 1);
  cr_assert_eq(mark(), 1027);
}

/* Values that no check knows of, but the database does not take: a trigger stands for them. */
static void refuse_negative_values(void) {
  fixture_exec(&fixture, "CREATE TRIGGER refuse BEFORE INSERT ON reading WHEN new.value < 0"
                         " BEGIN SELECT RAISE(ABORT, 'refused'); END");
}

static gantry_err_t take_until_ok(uint64_t boot, double value) {
  put_readings(1, boot == 7 ? "a" : "b", 1, 10, 1);
  put_readings(2, boot == 7 ? "a" : "b", 20, 1, value);
  put_readings(3, boot == 7 ? "a" : "b", 30, 1, value);
  put_event(4);
  return take_of(boot, 1, 4, 0);
}

Test(append, finds_the_records_at_fault_of_several_producers) {
  bool taken[2] = {false, false};
  uint64_t refused = 0;
  if (fixture_is_pg()) cr_skip_test("the trigger is SQLite's");
  refuse_negative_values();

  for (int i = 0; i < 20 && !(taken[0] && taken[1]); i++)
    for (uint64_t which = 0; which < 2; which++) {
      if (taken[which]) continue;
      taken[which] = take_until_ok(7 + which, -1) == GANTRY_OK;
      if (taken[which]) refused += counts.refused;
    }

  cr_assert(taken[0] && taken[1]);
  cr_assert_eq(refused, 4);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading"), 20);
}

Test(append, ends_with_a_run_that_the_database_refuses_record_by_record) {
  gantry_err_t err = GANTRY_E_INTERNAL;
  if (fixture_is_pg()) cr_skip_test("the trigger is SQLite's");
  refuse_negative_values();

  for (int i = 0; i < 300 && err == GANTRY_E_INTERNAL; i++) {
    for (uint64_t number = 1; number <= 100; number++)
      put_readings(number, "a", number, 1, -1);
    err = take(1, 100, 0);
  }

  cr_assert_eq(err, GANTRY_E_SCHEMA);
  cr_assert_str_eq(fault.field, "records");
}

Test(append, hears_of_a_session_and_takes_its_readings_whichever_stands_first) {
  static session_session_t session = {.session = "s-1", .name = "fork", .has_started = true};
  static sensor_readings_t batch;
  batch = (sensor_readings_t){.series_count = 1,
                              .series = {{.sensor = "force-1", .type = "force"}},
                              .which_count = 2,
                              .time_count = 2,
                              .time = {FIXTURE_NOW_NS, FIXTURE_NOW_NS + 1000000},
                              .number_count = 2,
                              .value_count = 2,
                              .quality_count = 2,
                              .validity_count = 2};
  snprintf(batch.series[0].session, sizeof batch.series[0].session, "s-1");
  session.started = FIXTURE_NOW_NS;
  session.state = SESSION_STATE_RECORDING;
  put(1, "mapper", "session.changed", &SESSION_SESSION_DESC, &session);
  put(2, "mapper", "sensor.readings.mapper", &SENSOR_READINGS_DESC, &batch);
  session.state = SESSION_STATE_STOPPED;
  put(3, "mapper", "session.changed", &SESSION_SESSION_DESC, &session);
  session = (session_session_t){0}; /* a reset without a session */
  put(4, "mapper", "session.changed", &SESSION_SESSION_DESC, &session);

  cr_assert_eq(take(1, 4, 0), GANTRY_OK, "%s", fault.detail);

  cr_assert_eq(counts.refused, 0);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM session"), 1);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM session WHERE name = 'fork' AND state"
                                        " = 'stopped' AND pinned = 1 AND kind = 'recording'"),
               1);
  cr_assert_eq(fixture_number(&fixture, "SELECT rows FROM session_series"), batch.which_count);
}
