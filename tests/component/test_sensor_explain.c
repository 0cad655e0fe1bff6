/* Reasons behind scores, and the newest readings, as sensor-processor tells them. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include <gantry/clock.h>

#include "processor_play.h"

#define NOON (UINT64_C(1700000000) * GANTRY_NS_PER_S)

static processor_play_t play;
static sensor_explained_t explained;
static sensor_recent_t recent;
static sensor_taken_t taken;

static void setup(void) {
  processor_play_begin(&play);
}

static void teardown(void) {
  processor_play_end(&play);
}

TestSuite(sensor_explain, .init = setup, .fini = teardown);

static gantry_err_t explain(const char *sensor) {
  sensor_sensor_key_t key = {0};
  snprintf(key.sensor, sizeof key.sensor, "%s", sensor);
  return harness_call(play.h, REQUEST_SENSOR_EXPLAIN, NULL, &key, &explained, 2000, &play.fault);
}

static gantry_err_t ask_recent(const char *sensor, uint32_t limit) {
  sensor_recent_get_t takes = {.limit = limit};
  snprintf(takes.sensor, sizeof takes.sensor, "%s", sensor);
  return harness_call(play.h, REQUEST_SENSOR_RECENT, NULL, &takes, &recent, 2000, &play.fault);
}

static uint64_t counted(const char *name) {
  for (uint32_t i = 0; i < explained.counts_count; i++)
    if (strcmp(explained.counts[i].name, name) == 0) return explained.counts[i].count;
  cr_assert(false, "nothing is called %s", name);
  return 0;
}

static double score(const sensor_term_t *terms, uint32_t count) {
  double sum = 0, weights = 0;
  for (uint32_t i = 0; i < count; i++) {
    sum += terms[i].weight * terms[i].value;
    weights += terms[i].weight;
    cr_expect_neq(terms[i].doc[0], '\0', "%s", terms[i].name);
  }
  cr_expect_float_eq(weights, 1, 1e-9);
  return sum;
}

Test(sensor_explain, gives_terms_that_make_the_scores) {
  inbox_t *status = harness_collect(play.h, "sensor.status.F1");
  processor_play_open(&play, NULL);
  sensor_readings_t *batch = processor_play_batch("F1", "force", 20, 1, NOON);
  batch->quality[19] = 0.5f;
  processor_play_send(&play, batch, &taken);
  cr_assert(harness_collected(play.h, status, 1, 3000));

  cr_assert_eq(explain("F1"), GANTRY_OK);

  cr_assert_str_eq(explained.status.code, "force");
  cr_assert_float_eq(score(explained.quality, explained.quality_count), explained.status.quality,
                     1e-6);
  cr_assert_float_eq(explained.status.quality, 0.6 * 0.5 + 0.4, 1e-6);
  cr_expect_not_null(strstr(explained.health[2].doc, "good"), "0.7 is good: %s",
                     explained.health[2].doc);
  cr_assert_float_eq(score(explained.health, explained.health_count), explained.status.health,
                     0.05);
}

Test(sensor_explain, counts_everything_that_was_found) {
  processor_play_open(&play, NULL);
  sensor_readings_t *batch = processor_play_batch("F1", "force", 10, 1, NOON);
  batch->value[2] = 2000;                      /* above */
  batch->value[3] = -1;                        /* below */
  batch->number[4] = 50;                       /* a gap */
  batch->number[5] = 50;                       /* repeated */
  batch->time[8] = NOON - 5 * GANTRY_NS_PER_S; /* the clock jumped back */
  for (uint32_t i = 6; i < 10; i++)
    batch->number[i] = 45 + i;
  processor_play_send(&play, batch, &taken);
  snprintf(batch->series[0].unit, sizeof batch->series[0].unit, "V");
  batch->which_count = batch->time_count = batch->number_count = 1;
  batch->value_count = batch->quality_count = batch->validity_count = 1;
  batch->number[0] = 100;
  processor_play_send(&play, batch, &taken);

  cr_assert_eq(explain("F1"), GANTRY_OK);

  cr_expect_eq(counted("above"), 1);
  cr_expect_eq(counted("below"), 1);
  cr_expect_eq(counted("repeated"), 1);
  cr_expect_geq(counted("gap"), 1);
  cr_expect_eq(counted("time_back"), 1);
  cr_expect_eq(counted("malformed"), 1);
  cr_expect_eq(explained.status.readings, 7);
  cr_expect_eq(explained.status.errors, 3, "a repetition is no error of the sensor");
  cr_expect_geq(explained.status.warnings, 2);
  cr_expect_neq(explained.status.last_warning[0], '\0');
  cr_expect(strstr(explained.status.last_error, "unit"), "%s", explained.status.last_error);
}

Test(sensor_explain, counts_lines_that_bring_what_cannot_be) {
  inbox_t *scans = harness_collect(play.h, "sensor.scan.");
  static raw_scan_t scan;
  processor_play_open(&play, NULL);
  scan = (raw_scan_t){.sensor = "L1", .angles_count = 1, .ranges_count = 1, .qualities_count = 1};
  scan.ranges[0] = 2;
  scan.qualities[0] = 99;
  bus_publish(play.bridge->bus, TOPIC_RAW_SCAN, "L1", &scan);
  cr_assert(harness_collected(play.h, scans, 1, 2000));

  scan.ranges_count = scan.angles_count = scan.qualities_count = 0;
  bus_publish(play.bridge->bus, TOPIC_RAW_SCAN, "L1", &scan);
  harness_for(play.h, 50);
  scan.ranges_count = 2;
  bus_publish(play.bridge->bus, TOPIC_RAW_SCAN, "L1", &scan);
  harness_for(play.h, 50);

  cr_assert_eq(explain("L1"), GANTRY_OK);
  cr_assert_eq(counted("malformed"), 2, "no points, and columns of two lengths");
  cr_assert_eq(explained.status.readings, 1);
  cr_assert_eq(inbox_count(scans), 1);
}

Test(sensor_explain, holds_the_newest_readings_oldest_first) {
  processor_play_open(&play, NULL);
  processor_play_send(&play, processor_play_batch("F1", "force", 150, 1, NOON), &taken);

  cr_assert_eq(ask_recent("F1", 1000), GANTRY_OK);
  cr_assert_eq(recent.rows_count, 100, "what is held unless a pipeline says otherwise");
  cr_assert_eq(recent.rows[0].number, 51);
  cr_assert_eq(recent.rows[99].value, 150);
  cr_assert_eq(recent.rows[99].raw, 150);
  cr_assert_eq(recent.rows[99].time, NOON + 149 * GANTRY_NS_PER_S);
  cr_assert_eq(ask_recent("F1", 3), GANTRY_OK);
  cr_assert_eq(recent.rows_count, 3);
  cr_assert_eq(recent.rows[0].number, 148);
}

Test(sensor_explain, knows_no_sensor_that_was_never_heard) {
  processor_play_open(&play, NULL);

  cr_assert_eq(explain("NOBODY"), GANTRY_E_NOT_FOUND);
  cr_assert_eq(ask_recent("NOBODY", 5), GANTRY_E_NOT_FOUND);
}

static bool tells_of_strangers(void *arg) {
  const sys_health_t *said = inbox_newest(arg, "health.sensor-processor");
  return said && strstr(said->detail, "refused 1 readings of sensors that are not known");
}

Test(sensor_explain, tells_of_line_sensors_that_nobody_configured_where_told_to_refuse_them) {
  inbox_t *out = harness_collect(play.h, "sensor.range."),
          *health = harness_collect(play.h, "health.");
  raw_range_t raw = {.sensor = "P1", .range = 0.5, .valid = true};
  processor_play_open(&play, (const char *[]){"unknown_sensors=refuse", NULL});

  bus_publish(play.bridge->bus, TOPIC_RAW_RANGE, "P1", &raw);

  cr_assert(harness_until(play.h, tells_of_strangers, health, 5000));
  cr_assert_eq(inbox_count(out), 0);
  cr_assert_eq(explain("P1"), GANTRY_E_NOT_FOUND);
}
