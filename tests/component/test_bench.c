/* The simulated bench within sensor-processor: when it runs, what it gives, and faults put into it.
   The witness is what goes on to the database. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "processor_play.h"

static processor_play_t play;
static inbox_t *kept, *states;
static gantry_fault_t fault;
static session_session_t session;
static session_status_t status;

static void setup(void) {
  processor_play_begin(&play);
  kept = harness_collect(play.h, "sensor.readings.");
  states = harness_collect(play.h, "sensor.status.");
}

static void teardown(void) {
  processor_play_end(&play);
}

TestSuite(bench, .init = setup, .fini = teardown, .timeout = 30);

static void start_session(const char *only) {
  session_start_t takes = {.has_sensors = only != NULL, .sensors_count = only != NULL};
  if (only) snprintf(takes.sensors[0], sizeof takes.sensors[0], "%s", only);
  cr_assert_eq(harness_call(play.h, REQUEST_SESSION_START, NULL, &takes, &session, 5000, &fault),
               GANTRY_OK, "%s", fault.detail);
}

static void ask(const request_t *request) {
  sys_empty_t nothing = {0};
  cr_assert_eq(harness_call(play.h, request, NULL, &nothing, &status, 5000, &fault), GANTRY_OK);
}

static gantry_err_t simulate(const char *type, sensor_fault_t event, double duration_s,
                             sensor_simulated_t *gives) {
  sensor_simulate_t takes = {
      .event = event, .has_duration = duration_s > 0, .duration = duration_s};
  snprintf(takes.sensor_type, sizeof takes.sensor_type, "%s", type);
  return harness_call(play.h, REQUEST_SENSOR_SIMULATE, NULL, &takes, gives, 5000, &fault);
}

/* Rows of one sensor and a session that have gone on. */
typedef struct rows {
  const char *sensor;
  uint32_t wanted;
  uint32_t count;
  double least, greatest;
  uint64_t first_ns, last_ns, first_number, last_number;
} rows_t;

static bool have_come(void *arg) {
  rows_t *rows = arg;
  rows->count = 0;
  rows->least = 1e9;
  rows->greatest = -1e9;
  for (size_t i = 0; i < inbox_count(kept); i++) {
    const sensor_readings_t *batch = inbox_body(kept, i);
    for (uint32_t row = 0; row < batch->which_count; row++) {
      const sensor_series_key_t *key = &batch->series[batch->which[row]];
      if (strcmp(key->sensor, rows->sensor) != 0 || !key->session[0]) continue;
      cr_assert_eq(key->source, SYS_SOURCE_SIMULATED);
      if (rows->count++ == 0) {
        rows->first_ns = batch->time[row];
        rows->first_number = batch->number[row];
      }
      rows->last_ns = batch->time[row];
      rows->last_number = batch->number[row];
      if (batch->value[row] < rows->least) rows->least = batch->value[row];
      if (batch->value[row] > rows->greatest) rows->greatest = batch->value[row];
    }
  }
  return rows->count >= rows->wanted;
}

static rows_t rows_of(const char *sensor, uint32_t wanted) {
  rows_t rows = {.sensor = sensor, .wanted = wanted};
  cr_assert(harness_until(play.h, have_come, &rows, 10000), "%u rows of %s", rows.count, sensor);
  return rows;
}

typedef struct found {
  const char *rule;
} found_t;

static bool is_found(void *arg) {
  const found_t *found = arg;
  for (size_t i = 0; i < inbox_count(kept); i++) {
    const sensor_readings_t *batch = inbox_body(kept, i);
    for (uint32_t at = 0; at < batch->findings_count; at++)
      if (strcmp(batch->findings[at].rule, found->rule) == 0) return true;
  }
  return false;
}

static bool finds(const char *rule) {
  return harness_until(play.h, is_found, &(found_t){rule}, 10000);
}

Test(bench, gives_readings_at_once_and_only_while_a_session_records) {
  processor_play_open(&play, (const char *[]){"bench=recording", NULL});
  harness_for(play.h, 150);
  cr_assert_eq(inbox_count(kept), 0);

  start_session(NULL);

  rows_of("camera", 1); /* whose next would come a second later */
  rows_of("motor", 2);
  rows_of("force", 4);
  for (size_t i = 0; i < inbox_count(kept); i++)
    cr_assert_str_eq(((const sensor_readings_t *)inbox_body(kept, i))->series[0].session,
                     session.session);
  ask(REQUEST_SESSION_STATUS);
  cr_assert(status.bench);
  ask(REQUEST_SESSION_STOP);
  cr_assert_not(status.bench);
  harness_for(play.h, 20); /* what was on its way to the tap */
  inbox_clear(kept);
  harness_for(play.h, 250);
  cr_assert_eq(inbox_count(kept), 0);
}

Test(bench, rests_where_a_session_records_others) {
  processor_play_open(&play,
                      (const char *[]){"bench=recording", "motor_hz=100", "force_hz=100", NULL});

  start_session("motor");

  rows_of("motor", 20);
  cr_assert_eq(rows_of("force", 0).count, 0);
}

Test(bench, is_silent_without_being_offline) {
  processor_play_open(&play, (const char *[]){"bench=recording", "sample_degraded_ms=300",
                                              "sample_offline_ms=600", "force_hz=100", NULL});
  start_session(NULL);
  rows_of("force", 10);
  ask(REQUEST_SESSION_STOP);

  harness_for(play.h, 1200);

  const sensor_status_t *said = inbox_newest(states, "sensor.status.force");
  cr_assert_eq(said->state, SENSOR_STATE_UNKNOWN);
}

Test(bench, keeps_its_rate_by_deadlines) {
  processor_play_open(&play, (const char *[]){"bench=always", "force_hz=100", NULL});
  start_session("force");

  rows_t rows = rows_of("force", 100);

  uint64_t steps = rows.last_number - rows.first_number;
  double period_ms = (double)(rows.last_ns - rows.first_ns) * 1e-6 / (double)steps;
  cr_assert_eq(steps, rows.count - 1, "each reading has the next number");
  cr_assert(period_ms > 9.8 && period_ms < 25, "%g ms: deadlines that are missed are skipped",
            period_ms);
}

Test(bench, has_spikes_put_into_it_that_rules_find) {
  sensor_simulated_t gives;
  processor_play_open(&play, (const char *[]){"bench=recording", "motor_hz=50", NULL});
  cr_assert_eq(simulate("motor", SENSOR_FAULT_SPIKE, 0, &gives), GANTRY_OK);
  cr_assert_not(gives.running, "it waits for the sensor");
  cr_assert_eq(gives.amplitude, 90);

  start_session(NULL);

  cr_assert(finds("motor_fast"));
  cr_assert_eq(rows_of("motor", 10).greatest, 90);
}

Test(bench, loses_readings_in_a_dropout_and_comes_back) {
  sensor_simulated_t gives;
  processor_play_open(&play,
                      (const char *[]){"bench=recording", "motor_hz=100", "force_hz=100", NULL});
  start_session(NULL);
  rows_of("motor", 5);

  cr_assert_eq(simulate("motor", SENSOR_FAULT_DROPOUT, 0.5, &gives), GANTRY_OK);
  cr_assert(gives.running);
  rows_t before = rows_of("motor", 5);
  rows_t after = rows_of("motor", before.count + 20);

  cr_assert_geq(after.last_ns - before.last_ns, 500000000u);
  cr_assert_geq(after.last_number - before.last_number, 20 + 25u, "those that were lost count");
}

static bool has_errors(void *arg) {
  const sensor_status_t *said = inbox_newest(states, arg);
  return said && said->errors > 0;
}

Test(bench, has_what_is_out_of_range_refused_and_counted) {
  static char topic[] = "sensor.status.force";
  sensor_simulated_t gives;
  processor_play_open(&play, (const char *[]){"bench=recording", "force_hz=100", NULL});
  start_session(NULL);

  cr_assert_eq(simulate("force", SENSOR_FAULT_OUT_OF_RANGE, 0.2, &gives), GANTRY_OK);

  cr_assert(harness_until(play.h, has_errors, topic, 10000));
  cr_assert_leq(rows_of("force", 50).greatest, 200);
}

Test(bench, makes_pictures_dark_and_too_bright) {
  sensor_simulated_t gives;
  processor_play_open(&play, (const char *[]){"bench=recording", "camera_hz=50", NULL});
  start_session(NULL);

  cr_assert_eq(simulate("camera", SENSOR_FAULT_LOW_LIGHT, 0.3, &gives), GANTRY_OK);
  cr_assert(finds("camera_dark"));
  cr_assert_eq(simulate("camera", SENSOR_FAULT_OVEREXPOSED, 0.3, &gives), GANTRY_OK);
  cr_assert(finds("camera_bright"));
}

Test(bench, says_what_cannot_be_simulated) {
  sensor_simulated_t gives;
  processor_play_open(&play, (const char *[]){"bench=off", NULL});

  cr_assert_eq(simulate("thermometer", SENSOR_FAULT_SPIKE, 0, &gives), GANTRY_E_NOT_FOUND);
  cr_assert_str_eq(fault.field, "sensor_type");
  cr_assert_eq(simulate("force", SENSOR_FAULT_LOW_LIGHT, 0, &gives), GANTRY_E_INVALID);
  cr_assert_str_eq(fault.field, "event");
  cr_assert_eq(simulate("force", SENSOR_FAULT_SPIKE, 0, &gives), GANTRY_E_CONFLICT);
  cr_assert_not_null(strstr(fault.detail, "option bench"));
}
