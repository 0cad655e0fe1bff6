/* The recorder over a real bus and outbox; what it says is read by a tap. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "recorder.h"

static harness_t *h;
static harness_peer_t *peer;
static recorder_t *recorder;
static inbox_t *said;
static recorder_settings_t settings;

static void setup(void) {
  h = harness_new();
  peer = harness_peer(h, "sensor-processor");
  harness_keep(h, peer, harness_folder(h));
  said = harness_collect(h, "sensor.readings.");
  settings = (recorder_settings_t){
      .service = "sensor-processor", .scan_hz = 1, .sample_hz = 20, .gather_ms = 5};
  cr_assert_eq(recorder_new(peer->bus, harness_loop(h), &settings, &recorder), GANTRY_OK);
  cr_assert(harness_heard(h, peer->bus, "sensor.readings.sensor-processor", 5000));
}

static void teardown(void) {
  recorder_destroy(&recorder);
  harness_destroy(&h);
}

TestSuite(recorder, .init = setup, .fini = teardown);

static gantry_err_t add(const char *sensor, double value, uint64_t number) {
  static const cause_t CAUSE = {.trace = 5, .born_ns = 6};
  recorder_row_t row = {.sensor = sensor,
                        .code = "force",
                        .unit = "N",
                        .family = SENSOR_TYPE_VALUE,
                        .time_ns = 1000000 + number,
                        .number = number,
                        .has_value = true,
                        .value = value,
                        .quality = 1};
  return recorder_add(recorder, &CAUSE, &row, NULL, 0, NULL);
}

static uint32_t rows_said(void) {
  uint32_t rows = 0;
  for (size_t i = 0; i < inbox_count(said); i++)
    rows += ((const sensor_readings_t *)inbox_body(said, i))->which_count;
  return rows;
}

static bool has_said(void *arg) {
  return rows_said() >= *(uint32_t *)arg;
}

static bool says(uint32_t rows) {
  return harness_until(h, has_said, &rows, 5000);
}

static void on_done(gantry_err_t err, void *arg) {
  *(int *)arg = err == GANTRY_OK ? 1 : -1;
}

static bool is_set(void *arg) {
  return *(int *)arg != 0;
}

Test(recorder, says_rows_that_came_together_in_one_batch) {
  add("a", 1, 1);
  add("b", 2, 2);

  cr_assert(says(2));
  cr_assert_eq(inbox_count(said), 1);
  const sensor_readings_t *batch = inbox_body(said, 0);
  cr_assert_eq(batch->value[1], 2);
  cr_assert_eq(inbox_frame(said, 0)->header.trace, 5);
  cr_assert_eq(inbox_frame(said, 0)->header.born, 6);
}

Test(recorder, thins_between_sessions_and_never_within) {
  for (uint64_t i = 1; i <= 100; i++)
    add("a", 1, i);
  recorder_mark(recorder, "s1", NULL, 0);
  for (uint64_t i = 101; i <= 2600; i++)
    cr_assert_eq(add("a", 1, i), GANTRY_OK);

  cr_assert(says(2501));
  const sensor_readings_t *first = inbox_body(said, 0);
  cr_assert_eq(first->which_count, 1);
  cr_assert_str_eq(first->series[0].session, "");
  cr_assert_eq(recorder_get_counts(recorder)->thinned, 99);
  cr_assert_eq(recorder_get_counts(recorder)->readings, 2500);
  uint64_t next = 101;
  for (size_t i = 1; i < inbox_count(said); i++) {
    const sensor_readings_t *batch = inbox_body(said, i);
    cr_assert_str_eq(batch->series[0].session, "s1");
    for (uint32_t row = 0; row < batch->which_count; row++)
      cr_assert_eq(batch->number[row], next++);
  }
  cr_assert_eq(next, 2601);
}

Test(recorder, leaves_out_neither_tags_nor_findings_nor_what_was_promised) {
  cause_t cause = {0};
  recorder_row_t tag = {.sensor = "reader",
                        .code = "rfid",
                        .unit = "",
                        .family = SENSOR_TYPE_RFID,
                        .json = "{}",
                        .json_len = 2};
  recorder_row_t value = {
      .sensor = "a", .code = "force", .unit = "N", .family = SENSOR_TYPE_VALUE, .has_value = true};
  sensor_finding_t found = {
      .rule = "force_high", .severity = SYS_SEVERITY_CRITICAL, .message = "m", .details = "{}"};

  for (int i = 0; i < 10; i++) {
    tag.number = value.number = (uint64_t)i;
    value.always = i >= 5;
    recorder_add(recorder, &cause, &tag, NULL, 0, NULL);
    recorder_add(recorder, &cause, &value, &found, i < 5, NULL);
  }

  cr_assert(says(20));
  cr_assert_eq(recorder_get_counts(recorder)->thinned, 0);
}

Test(recorder, says_beforehand_what_it_will_leave_out) {
  cr_assert(recorder_wants(recorder, "a", SENSOR_TYPE_VALUE));
  add("a", 1, 1);
  cr_assert_not(recorder_wants(recorder, "a", SENSOR_TYPE_VALUE));
  cr_assert(recorder_wants(recorder, "reader", SENSOR_TYPE_RFID));
  recorder_mark(recorder, "s1", NULL, 0);

  cr_assert(recorder_wants(recorder, "a", SENSOR_TYPE_VALUE));
  cr_assert_eq(recorder_get_counts(recorder)->thinned, 1);
}

Test(recorder, marks_only_the_sensors_of_the_session) {
  static const char SENSORS[][51] = {"b", "c"};
  recorder_mark(recorder, "s1", SENSORS, 2);

  for (uint64_t i = 1; i <= 10; i++) {
    add("a", 1, i);
    add("b", 1, i);
  }

  cr_assert(says(11));
  const sensor_readings_t *batch = inbox_body(said, 0);
  cr_assert_eq(batch->series_count, 2);
  cr_assert_str_eq(batch->series[0].session, "");
  cr_assert_str_eq(batch->series[1].session, "s1");
  cr_assert_eq(recorder_get_counts(recorder)->readings, 10);
}

Test(recorder, says_what_waits_before_the_mark_changes) {
  recorder_mark(recorder, "s1", NULL, 0);
  add("a", 1, 1);
  recorder_mark(recorder, "", NULL, 0);
  add("a", 1, 2);

  cr_assert(says(2));
  cr_assert_eq(inbox_count(said), 2);
  const sensor_readings_t *first = inbox_body(said, 0), *second = inbox_body(said, 1);
  cr_assert_str_eq(first->series[0].session, "s1");
  cr_assert_str_eq(second->series[0].session, "");
  cr_assert_eq(recorder_get_counts(recorder)->readings, 1);
}

Test(recorder, counts_a_session_by_type_and_time) {
  cause_t cause = {0};
  recorder_row_t camera = {.sensor = "camera",
                           .code = "camera",
                           .unit = "",
                           .family = SENSOR_TYPE_OBJECT,
                           .time_ns = 5,
                           .json = "{}",
                           .json_len = 2};
  recorder_mark(recorder, "s1", NULL, 0);

  add("a", 1, 1);
  add("a", 1, 2);
  recorder_add(recorder, &cause, &camera, NULL, 0, NULL);

  const recorder_counts_t *counts = recorder_get_counts(recorder);
  cr_assert_eq(counts->type_count, 2);
  cr_assert_str_eq(counts->types[0].type, "force");
  cr_assert_eq(counts->types[0].count, 2);
  cr_assert_eq(counts->types[1].count, 1);
  cr_assert_eq(counts->first_ns, 5);
  cr_assert_eq(counts->last_ns, 1000002);
}

Test(recorder, tells_when_a_session_is_on_disk) {
  int done = 0, at_once = 0;
  recorder_mark(recorder, "s1", NULL, 0);
  recorder_flush(recorder, on_done, &at_once);
  for (uint64_t i = 1; i <= 1500; i++)
    add("a", 1, i);
  recorder_flush(recorder, on_done, &done);

  cr_assert_eq(done, 0);
  cr_assert(harness_until(h, is_set, &done, 10000));
  cr_assert_eq(done, 1);
  cr_assert_eq(at_once, 1);
  cr_assert_eq(outbox_get_stats(peer->outbox).records, 2);
}

Test(recorder, makes_one_batch_for_all_who_flush_in_a_turn) {
  int done[20] = {0};
  recorder_mark(recorder, "s1", NULL, 0);
  for (uint64_t i = 0; i < 20; i++) {
    add("a", 1, i + 1);
    recorder_flush(recorder, on_done, &done[i]);
  }

  cr_assert(harness_until(h, is_set, &done[19], 10000));
  for (int i = 0; i < 20; i++)
    cr_assert_eq(done[i], 1);
  cr_assert_eq(outbox_get_stats(peer->outbox).records, 1);
}

Test(recorder, answers_who_waits_when_it_ends_before_the_disk_has_answered) {
  int done = 0;
  recorder_mark(recorder, "s1", NULL, 0);
  add("a", 1, 1);
  recorder_flush(recorder, on_done, &done);

  recorder_destroy(&recorder);

  cr_assert_eq(done, -1);
  cr_assert(says(1));
}

Test(recorder, refuses_rows_while_the_outbox_takes_nothing_and_keeps_those_it_took) {
  bus_set_outbox(peer->bus, NULL);
  recorder_mark(recorder, "s1", NULL, 0);
  int done = 0;

  for (uint64_t i = 1; i <= 1000; i++)
    cr_assert_eq(add("a", 1, i), GANTRY_OK);
  cr_assert_eq(add("a", 1, 1001), GANTRY_E_UNAVAILABLE);
  recorder_flush(recorder, on_done, &done);
  cr_assert(harness_until(h, is_set, &done, 5000));
  cr_assert_eq(done, -1);
  bus_set_outbox(peer->bus, peer->outbox);

  cr_assert(says(1000));
  cr_assert_eq(add("a", 1, 1002), GANTRY_OK);
  cr_assert(says(1001));
  cr_assert_eq(recorder_get_counts(recorder)->refused, 1);
  cr_assert_eq(recorder_get_counts(recorder)->lost, 1);
  cr_assert_eq(recorder_get_counts(recorder)->readings, 1001);
}

Test(recorder, tells_who_waits_and_counts_what_makes_no_message) {
  int done = 0;
  recorder_mark(recorder, "s1", NULL, 0);
  cr_assert_eq(add("not utf-8: \xff", 1, 1), GANTRY_OK);

  recorder_flush(recorder, on_done, &done);

  cr_assert(harness_until(h, is_set, &done, 5000));
  cr_assert_eq(done, -1);
  cr_assert_eq(recorder_get_counts(recorder)->lost, 1);
  done = 0;
  cr_assert_eq(add("a", 1, 2), GANTRY_OK);
  recorder_flush(recorder, on_done, &done);
  cr_assert(harness_until(h, is_set, &done, 5000));
  cr_assert_eq(done, 1);
}
