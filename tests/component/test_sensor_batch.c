/* Readings by the thousand: what is taken, what is refused, and what goes on to the database. The
   witness is what stands on sensor.readings. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include <gantry/clock.h>

#include "processor_play.h"

#define NOON (UINT64_C(1700000000) * GANTRY_NS_PER_S)

static processor_play_t play;
static sensor_taken_t taken;
static inbox_t *kept;

static void setup(void) {
  processor_play_begin(&play);
  kept = harness_collect(play.h, "sensor.readings.");
}

static void teardown(void) {
  processor_play_end(&play);
}

TestSuite(sensor_batch, .init = setup, .fini = teardown);

/* All rows that went on. */
static uint32_t rows_kept(void) {
  uint32_t rows = 0;
  for (size_t i = 0; i < inbox_count(kept); i++)
    rows += ((const sensor_readings_t *)inbox_body(kept, i))->which_count;
  return rows;
}

static const sensor_readings_t *newest(void) {
  return inbox_newest(kept, "sensor.readings.sensor-processor");
}

Test(sensor_batch, takes_a_thousand_in_order_and_answers_once_they_are_kept) {
  processor_play_open(&play, NULL);
  sensor_readings_t *batch = processor_play_batch("F1", "force", 1000, 1, NOON);
  for (uint32_t i = 0; i < 1000; i++)
    batch->value[i] = i * 0.01;

  cr_assert_eq(processor_play_send(&play, batch, &taken), GANTRY_OK, "%s", play.fault.detail);

  cr_assert_eq(taken.accepted, 1000, "%s", taken.fault);
  cr_assert_eq(taken.refused + taken.repeated, 0);
  cr_assert(harness_collected(play.h, kept, 1, 2000));
  cr_assert_eq(rows_kept(), 1000);
  const sensor_readings_t *said = newest();
  cr_assert_str_eq(said->series[0].type, "force");
  cr_assert_str_eq(said->series[0].unit, "N");
  for (uint32_t i = 0; i < 1000; i++) {
    cr_assert_eq(said->value[i], i * 0.01);
    cr_assert_eq(said->number[i], i + 1);
    cr_assert_eq(said->time[i], NOON + i * GANTRY_NS_PER_S);
  }
}

Test(sensor_batch, keeps_nothing_twice_when_it_is_sent_again) {
  processor_play_open(&play, NULL);
  sensor_readings_t *batch = processor_play_batch("F1", "force", 1000, 1, NOON);
  processor_play_send(&play, batch, &taken);

  cr_assert_eq(processor_play_send(&play, batch, &taken), GANTRY_OK);

  cr_assert_eq(taken.accepted, 0);
  cr_assert_eq(taken.repeated, 1000);
  cr_assert_eq(taken.refused, 0);
  cr_assert_eq(rows_kept(), 1000);
}

Test(sensor_batch, refuses_single_readings_and_takes_the_others) {
  processor_play_open(&play, NULL);
  sensor_readings_t *batch = processor_play_batch("F1", "force", 5, 1, NOON);
  batch->value[1] = 1000.5;
  batch->value[3] = -1;
  batch->time[4] = 0;

  cr_assert_eq(processor_play_send(&play, batch, &taken), GANTRY_OK);

  cr_assert_eq(taken.accepted, 2);
  cr_assert_eq(taken.refused, 3);
  cr_assert(strstr(taken.fault, "row 1, value: 1000.5 is not within 0 to 1000"), "%s", taken.fault);
  cr_assert(harness_collected(play.h, kept, 1, 2000));
  cr_assert_eq(newest()->which_count, 2);
  cr_assert_eq(newest()->value[1], 3);
}

Test(sensor_batch, takes_a_reading_again_that_was_refused_for_its_value) {
  processor_play_open(&play, NULL);
  sensor_readings_t *batch = processor_play_batch("F1", "force", 3, 1, NOON);
  batch->value[1] = 5000;
  processor_play_send(&play, batch, &taken);
  batch->value[1] = 500;

  processor_play_send(&play, batch, &taken);

  cr_assert_eq(taken.accepted, 1);
  cr_assert_eq(taken.repeated, 2);
  cr_assert_eq(rows_kept(), 3);
}

Test(sensor_batch, converts_units_and_refuses_those_that_measure_something_else) {
  processor_play_open(&play, NULL);
  sensor_readings_t *batch = processor_play_batch("F1", "force", 2, 0, NOON);
  snprintf(batch->series[0].unit, sizeof batch->series[0].unit, "kN");
  batch->value[0] = 0.25;
  batch->value[1] = 1.5;

  processor_play_send(&play, batch, &taken);
  cr_assert_eq(taken.accepted, 1);
  cr_assert_eq(taken.refused, 1, "1,500 N");
  snprintf(batch->series[0].unit, sizeof batch->series[0].unit, "kg");
  processor_play_send(&play, batch, &taken);

  cr_assert_eq(taken.refused, 2);
  cr_assert(strstr(taken.fault, "kg does not convert to N"), "%s", taken.fault);
  cr_assert(harness_collected(play.h, kept, 1, 2000));
  cr_assert_eq(rows_kept(), 1);
  cr_assert_float_eq(newest()->value[0], 250, 1e-9);
}

Test(sensor_batch, checks_objects_field_by_field) {
  static const char IMAGES[] =
      "{\"image_id\":1001,\"resolution\":\"640x480\",\"brightness\":150,\"exposure\":1}\0"
      "{\"image_id\":1002,\"resolution\":\"640x480\",\"brightness\":300,\"exposure\":1}";
  processor_play_open(&play, NULL);
  sensor_readings_t *batch = processor_play_batch("CAM", "camera", 2, 1, NOON);
  batch->which_objects_count = 2;
  batch->which_objects[1] = 1;
  batch->objects = (blob_t){(const uint8_t *)IMAGES, sizeof IMAGES};

  cr_assert_eq(processor_play_send(&play, batch, &taken), GANTRY_OK, "%s", play.fault.detail);

  cr_assert_eq(taken.accepted, 1);
  cr_assert(strstr(taken.fault, "row 1, brightness: "), "%s", taken.fault);
  cr_assert(harness_collected(play.h, kept, 1, 2000));
  cr_assert_eq(newest()->which_objects_count, 1);
  cr_assert_str_eq((const char *)newest()->objects.data, IMAGES);
}

Test(sensor_batch, passes_what_is_replayed_on_as_it_was) {
  processor_play_open(&play, NULL);
  sensor_readings_t *batch = processor_play_batch("F1", "force", 3, 1, NOON);
  batch->series[0].source = SYS_SOURCE_REPLAY;
  batch->value[1] = 400;
  batch->quality[1] = 0.25f;
  batch->validity[1] = SENSOR_VALIDITY_WARNING;

  processor_play_send(&play, batch, &taken);

  cr_assert_eq(taken.accepted, 3);
  cr_assert(harness_collected(play.h, kept, 1, 2000));
  cr_assert_eq(newest()->value[1], 400);
  cr_assert_float_eq(newest()->quality[1], 0.25, 1e-6);
  cr_assert_eq(newest()->validity[1], SENSOR_VALIDITY_WARNING);
  cr_assert_eq(newest()->series[0].source, SYS_SOURCE_REPLAY);
}

Test(sensor_batch, names_the_column_that_does_not_fit) {
  static const uint8_t TEXT[] = "{}";
  processor_play_open(&play, NULL);
  sensor_readings_t *batch = processor_play_batch("F1", "force", 3, 1, NOON);

  batch->time_count = 2;
  cr_assert_eq(processor_play_send(&play, batch, &taken), GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "which");
  batch->time_count = 3;
  batch->which[2] = 1;
  cr_assert_eq(processor_play_send(&play, batch, &taken), GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "which");
  batch->which[2] = 0;
  batch->which_objects_count = 1;
  batch->which_objects[0] = 3;
  cr_assert_eq(processor_play_send(&play, batch, &taken), GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "which_objects");
  batch->which_objects[0] = 0;
  batch->objects = (blob_t){TEXT, 2};
  cr_assert_eq(processor_play_send(&play, batch, &taken), GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "objects");
  cr_assert_eq(rows_kept(), 0);
}

Test(sensor_batch, takes_unregistered_types_only_where_that_is_allowed) {
  processor_play_open(&play, NULL);
  processor_play_send(&play, processor_play_batch("B1", "battery_voltage", 2, 0, NOON), &taken);
  cr_assert_eq(taken.refused, 2);
  cr_assert(strstr(taken.fault, "battery_voltage"), "%s", taken.fault);

  processor_play_send(&play, processor_play_batch("L1", "lidar", 1, 0, NOON), &taken);
  cr_assert(strstr(taken.fault, "one by one"), "%s", taken.fault);
}

Test(sensor_batch, takes_any_type_with_allow_extended_types) {
  processor_play_open(&play, (const char *[]){"allow_extended_types=true", NULL});

  processor_play_send(&play, processor_play_batch("B1", "battery_voltage", 2, 0, NOON), &taken);

  cr_assert_eq(taken.accepted, 2, "%s", taken.fault);
  cr_assert(harness_collected(play.h, kept, 1, 2000));
  cr_assert_str_eq(newest()->series[0].type, "battery_voltage");
}

Test(sensor_batch, refuses_sensors_that_nobody_configured_where_told_to) {
  processor_play_open(&play, (const char *[]){"unknown_sensors=refuse", NULL});

  processor_play_send(&play, processor_play_batch("F1", "force", 1, 0, NOON), &taken);

  cr_assert_eq(taken.refused, 1);
  cr_assert(strstr(taken.fault, "sensor: F1 is not known"), "%s", taken.fault);
  cr_assert_eq(rows_kept(), 0);
}

Test(sensor_batch, refuses_a_known_sensor_as_another_type) {
  processor_play_open(&play, NULL);
  processor_play_send(&play, processor_play_batch("F1", "force", 1, 0, NOON), &taken);

  processor_play_send(&play, processor_play_batch("F1", "motor", 1, 0, NOON), &taken);

  cr_assert_eq(taken.refused, 1);
  cr_assert(strstr(taken.fault, "F1 is a sensor of type force"), "%s", taken.fault);
}

Test(sensor_batch, names_the_session_that_records) {
  session_start_t start = {0};
  session_session_t begun;
  processor_play_open(&play, NULL);
  processor_play_send(&play, processor_play_batch("F1", "force", 1, 1, NOON), &taken);
  cr_assert_str_eq(taken.session, "");
  cr_assert_eq(harness_call(play.h, REQUEST_SESSION_START, NULL, &start, &begun, 3000, &play.fault),
               GANTRY_OK);

  processor_play_send(&play, processor_play_batch("F1", "force", 1, 2, NOON), &taken);

  cr_assert_neq(taken.session[0], '\0');
  cr_assert_str_eq(taken.session, begun.session);
  cr_assert_str_eq(newest()->series[0].session, begun.session);
}

Test(sensor_batch, refuses_times_and_numbers_that_no_reading_has_and_forgets_them) {
  const uint64_t century = UINT64_C(100) * 365 * 86400 * GANTRY_NS_PER_S;
  processor_play_open(&play, NULL);
  sensor_readings_t *batch = processor_play_batch("F1", "force", 3, 1000, NOON);
  batch->time[0] += century;
  batch->number[1] = UINT64_MAX;

  cr_assert_eq(processor_play_send(&play, batch, &taken), GANTRY_OK, "%s", play.fault.detail);

  cr_assert_eq(taken.accepted, 1);
  cr_assert_eq(taken.refused, 2);
  cr_assert(strstr(taken.fault, "row 0, time: "), "%s", taken.fault);
  cr_assert_eq(processor_play_send(&play, batch, &taken), GANTRY_OK);
  cr_assert_eq(taken.repeated, 1);
  /* The sensor began to count anew. */
  batch = processor_play_batch("F1", "force", 10, 1, NOON + 60 * GANTRY_NS_PER_S);
  cr_assert_eq(processor_play_send(&play, batch, &taken), GANTRY_OK);
  cr_assert_eq(taken.accepted, 10);
}

static void on_append(rpc_context_t *call, const void *body, void *arg) {
  const store_append_t *takes = body;
  store_appended_t gives = {.boot = takes->boot, .last = takes->last};
  (void)arg;
  rpc_reply(call, &gives);
}

static gantry_err_t send_thousand(uint64_t which) {
  sensor_readings_t *batch = processor_play_batch("F1", "force", 1000, 1 + which * 1000,
                                                  NOON + which * 1000 * GANTRY_NS_PER_S);
  return processor_play_send(&play, batch, &taken);
}

/* To call known what a full outbox refused would say that it is kept. */
Test(sensor_batch, takes_all_that_a_full_outbox_refused_when_it_comes_again) {
  session_start_t start = {.has_name = true, .name = "full"};
  session_session_t session;
  uint64_t refused = 0;
  processor_play_open(&play, (const char *[]){"outbox_mb=1", NULL});
  cr_assert_eq(harness_call(play.h, REQUEST_SESSION_START, NULL, &start, &session, 5000, NULL),
               GANTRY_OK);
  while (refused < 200 && send_thousand(refused) == GANTRY_OK)
    refused++;
  cr_assert_lt(refused, 200);
  /* The refused one waits for room; the next is refused at its first row. */
  cr_assert_eq(send_thousand(refused + 1), GANTRY_E_UNAVAILABLE);

  rpc_serve(harness_peer(play.h, "storage")->server, REQUEST_STORE_APPEND, on_append, NULL);
  uint64_t deadline_ns = clock_mono_ns() + 10 * GANTRY_NS_PER_S;
  gantry_err_t err = GANTRY_E_UNAVAILABLE;
  while (err != GANTRY_OK && clock_mono_ns() < deadline_ns)
    err = send_thousand(refused + 1);

  cr_assert_eq(err, GANTRY_OK, "%s", gantry_err_name(err));
  cr_assert_eq(taken.accepted, 1000, "%u accepted, %u repeated", taken.accepted, taken.repeated);
}
