/* What the rules find in readings: on sensor.readings beside the reading, and as alerts. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#include "processor_play.h"

#define NOON (UINT64_C(1700000000) * GANTRY_NS_PER_S)

static processor_play_t play;
static sensor_taken_t taken;
static inbox_t *kept, *alerts;

static void setup(void) {
  processor_play_begin(&play);
  kept = harness_collect(play.h, "sensor.readings.");
  alerts = harness_collect(play.h, "alert.");
}

static void teardown(void) {
  processor_play_end(&play);
}

TestSuite(sensor_findings, .init = setup, .fini = teardown);

/* Sends the values as one batch, a second apart, and gives what went on. */
static const sensor_readings_t *send(const char *sensor, const char *code, const double *values,
                                     uint32_t n) {
  static uint64_t number = 1;
  sensor_readings_t *batch =
      processor_play_batch(sensor, code, n, number, NOON + number * GANTRY_NS_PER_S);
  number += n;
  for (uint32_t i = 0; i < n; i++)
    batch->value[i] = values[i];
  cr_assert_eq(processor_play_send(&play, batch, &taken), GANTRY_OK, "%s", play.fault.detail);
  cr_assert_eq(taken.accepted, n, "%s", taken.fault);
  cr_assert(harness_collected(play.h, kept, 1, 2000));
  return inbox_newest(kept, "sensor.readings.sensor-processor");
}

static double detail(const sensor_finding_t *finding, const char *key) {
  double value = -1;
  cr_assert_eq(json_get_number(finding->details, key, &value), GANTRY_OK, "%s", finding->details);
  return value;
}

Test(sensor_findings, reports_forces_beyond_the_limit_and_near_it) {
  processor_play_open(&play, NULL);

  const sensor_readings_t *said =
      send("F1", "force", (const double[]){64, 64.01, 80, 80.01, 80, 60}, 6);

  cr_assert_eq(said->findings_count, 4);
  const sensor_finding_t *found = said->findings;
  cr_assert_eq(found[0].row, 1);
  cr_assert_eq(found[0].severity, SYS_SEVERITY_WARNING);
  cr_assert_float_eq(detail(&found[0], "percentage"), 64.01 / 0.8, 1e-9);
  cr_assert_eq(found[1].row, 2);
  cr_assert_eq(found[1].severity, SYS_SEVERITY_WARNING);
  cr_assert_eq(found[2].row, 3);
  cr_assert_eq(found[2].severity, SYS_SEVERITY_CRITICAL);
  cr_assert_eq(detail(&found[2], "threshold"), 80);
  cr_assert_eq(detail(&found[2], "actual"), 80.01);
  cr_assert(strstr(found[2].details, "\"severity\":\"critical\""), "%s", found[2].details);
  cr_assert(strstr(found[2].message, "F1") && strstr(found[2].message, "80.01"), "%s",
            found[2].message);
}

Test(sensor_findings, leaves_the_verdict_of_a_reading_alone) {
  processor_play_open(&play, NULL);

  const sensor_readings_t *said = send("F1", "force", (const double[]){200}, 1);

  cr_assert_eq(said->findings_count, 1);
  cr_assert_eq(said->validity[0], SENSOR_VALIDITY_VALID, "the measurement is good");
}

Test(sensor_findings, reports_a_spike_by_the_values_around_it) {
  processor_play_open(&play, NULL);

  const sensor_readings_t *said = send("F1", "force", (const double[]){5, 5, 60, 5}, 4);

  cr_assert_eq(said->findings_count, 1);
  cr_assert_str_eq(said->findings[0].details,
                   "{\"recent_values\":[5,5,60],\"spike_detected\":true}");
}

Test(sensor_findings, reports_a_motor_by_its_magnitude) {
  processor_play_open(&play, NULL);

  const sensor_readings_t *said = send("M1", "motor", (const double[]){55, -55.5}, 2);

  cr_assert_eq(said->findings_count, 1);
  cr_assert_eq(said->findings[0].row, 1);
  cr_assert_eq(detail(&said->findings[0], "actual"), -55.5);
  cr_assert_eq(detail(&said->findings[0], "absolute"), 55.5);
  cr_assert_eq(detail(&said->findings[0], "threshold"), 55);
}

Test(sensor_findings, reports_a_picture_by_its_fields) {
  processor_play_open(&play, NULL);

  cr_assert_eq(processor_play_ingest(&play, SENSOR_TYPE_OBJECT, "CAM", "{\"a\":1}"), GANTRY_OK);
  static sensor_ingest_t takes = {.type = SENSOR_TYPE_OBJECT,
                                  .sensor = "CAM2",
                                  .has_code = true,
                                  .code = "camera",
                                  .quality = 1,
                                  .data = "{\"image_id\":1001,\"resolution\":\"640x480\","
                                          "\"brightness\":29,\"exposure\":1.5}"};
  sensor_accepted_t gives;
  inbox_clear(kept);
  cr_assert_eq(harness_call(play.h, REQUEST_SENSOR_INGEST, NULL, &takes, &gives, 2000, &play.fault),
               GANTRY_OK, "%s %s", play.fault.field, play.fault.detail);

  cr_assert(harness_collected(play.h, kept, 1, 2000));
  const sensor_readings_t *said = inbox_body(kept, 0);
  cr_assert_eq(said->findings_count, 1);
  cr_assert_str_eq(said->findings[0].details,
                   "{\"brightness\":29,\"exposure\":1.5,\"issue\":\"insufficient_lighting\"}");
}

static bool has_alert(void *arg) {
  const sys_alerts_t *said = inbox_newest(alerts, "alert.sensor-processor");
  return said && said->alerts_count == *(uint32_t *)arg;
}

Test(sensor_findings, raises_an_alert_and_clears_it_when_the_number_has_stayed_behind) {
  uint32_t one = 1, none = 0;
  processor_play_open(&play, NULL);

  send("M1", "motor", (const double[]){60}, 1);
  cr_assert(harness_until(play.h, has_alert, &one, 2000));
  const sys_alerts_t *said = inbox_newest(alerts, "alert.sensor-processor");
  cr_assert_str_eq(said->alerts[0].id, "VALIDATION-MOTOR-FAST");
  cr_assert_str_eq(said->alerts[0].subject, "M1");
  send("M1", "motor", (const double[]){10, 10, 10, 10}, 4);

  cr_assert(harness_until(play.h, has_alert, &none, 2000));
}

Test(sensor_findings, raises_an_alert_once_however_long_the_number_stays_beyond) {
  static double high[200];
  uint32_t one = 1, none = 0;
  processor_play_open(&play, NULL);
  for (int i = 0; i < 200; i++)
    high[i] = 60 + i % 2;
  send("M1", "motor", high, 200);
  cr_assert(harness_until(play.h, has_alert, &one, 2000));
  size_t told = inbox_count(alerts);

  send("M1", "motor", high, 200);
  send("M1", "motor", (const double[]){50, 50}, 2);       /* for less than two seconds */
  send("M1", "motor", (const double[]){54.5, 50, 50}, 3); /* within the hysteresis: begins anew */

  cr_assert(has_alert(&one));
  cr_assert_leq(inbox_count(alerts), told + 5, "it is repeated each second, not each reading");
  send("M1", "motor", (const double[]){50, 50}, 2);
  cr_assert(harness_until(play.h, has_alert, &none, 2000));
}

static bool has_only_that_it_is_silent(void *arg) {
  const sys_alerts_t *said = inbox_newest(alerts, "alert.sensor-processor");
  (void)arg;
  return said && said->alerts_count == 1 && strcmp(said->alerts[0].id, "SENSOR-OFFLINE") == 0;
}

Test(sensor_findings, forgets_the_alerts_of_a_sensor_that_falls_silent) {
  uint32_t one = 1;
  processor_play_open(&play,
                      (const char *[]){"sample_degraded_ms=500", "sample_offline_ms=1000", NULL});
  send("M1", "motor", (const double[]){60}, 1);
  cr_assert(harness_until(play.h, has_alert, &one, 2000));

  cr_assert(harness_until(play.h, has_only_that_it_is_silent, NULL, 5000));
}
