/* Guided calibration from the first point to the way back, with a storage that the test plays. The
   witness is what stands on sensor.readings and sensor.imu before and after. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include <gantry/clock.h>

#include "processor_play.h"

#define NOON  (UINT64_C(1700000000) * GANTRY_NS_PER_S)
#define NOISE 0.4 /* N, the sensor's standard deviation */

static processor_play_t play;
static inbox_t *kept;
static sensor_calibration_run_t run;
static sensor_calibration_versions_t history; /* as storage has it, newest first */
static bool hold;                             /* storage answers no put */
static rpc_context_t *held;                   /* the put that it has not answered */
static sensor_calibrated_t holds;
static uint64_t number;
static uint32_t seed;

static void setup(void) {
  processor_play_begin(&play);
  kept = harness_collect(play.h, "sensor.readings.");
  history = (sensor_calibration_versions_t){0};
  hold = false;
  held = NULL;
  number = 1;
  seed = 7;
}

static void teardown(void) {
  processor_play_end(&play);
}

TestSuite(sensor_calibration, .init = setup, .fini = teardown);

/* ---- storage */

static void on_put(rpc_context_t *call, const void *takes, void *arg) {
  const sensor_calibrate_t *given = takes;
  sensor_calibrated_t gives = {.time = 1};
  (void)arg;
  memcpy(gives.sensor, given->sensor, sizeof gives.sensor);
  memcpy(gives.calibration, given->calibration, sizeof gives.calibration);
  memmove(&history.versions[1], &history.versions[0],
          history.versions_count * sizeof *history.versions);
  history.versions[1].active = false;
  history.versions[0] = (sensor_calibration_version_t){.active = true};
  history.versions[0].version = ++history.versions_count;
  memcpy(history.versions[0].calibration, given->calibration, sizeof given->calibration);
  holds = gives;
  if (hold)
    held = call;
  else
    rpc_reply(call, &gives);
}

static void on_history(rpc_context_t *call, const void *takes, void *arg) {
  (void)takes, (void)arg;
  rpc_reply(call, &history);
}

static void play_storage(void) {
  harness_peer_t *storage = harness_peer(play.h, "storage");
  rpc_serve(storage->server, REQUEST_STORE_CALIBRATION_PUT, on_put, NULL);
  rpc_serve(storage->server, REQUEST_STORE_CALIBRATIONS, on_history, NULL);
}

/* ---- the sensor */

/* Nearly normal, of deviation 1. */
static double noise(void) {
  double sum = -6;
  for (int i = 0; i < 12; i++) {
    seed = seed * 1664525u + 1013904223u;
    sum += (double)(seed >> 8) / (1u << 24);
  }
  return sum;
}

/* A force sensor that reads a quarter too much and 3 N too little. */
static void measure(const char *sensor, double force, uint32_t n) {
  sensor_taken_t taken;
  sensor_readings_t *batch =
      processor_play_batch(sensor, "force", n, number, NOON + number * GANTRY_NS_PER_S);
  for (uint32_t i = 0; i < n; i++)
    batch->value[i] = 1.25 * force - 3 + NOISE * noise();
  number += n;
  cr_assert_eq(processor_play_send(&play, batch, &taken), GANTRY_OK, "%s", play.fault.detail);
  cr_assert_eq(taken.accepted, n, "%s", taken.fault);
}

/* Rows that went on to the database, and the sum of their squared errors. */
static uint32_t add_up(double force, double *sum2) {
  uint32_t rows = 0;
  *sum2 = 0;
  for (size_t i = 0; i < inbox_count(kept); i++) {
    const sensor_readings_t *batch = inbox_body(kept, i);
    rows += batch->which_count;
    for (uint32_t row = 0; row < batch->which_count; row++)
      *sum2 += (batch->value[row] - force) * (batch->value[row] - force);
  }
  return rows;
}

static bool has_200(void *arg) {
  double ignored;
  (void)arg;
  return add_up(0, &ignored) == 200;
}

/* Root mean square error of 200 readings as they go on to the database. */
static double measured_error(double force) {
  double sum2;
  inbox_clear(kept);
  measure("F1", force, 200);
  cr_assert(harness_until(play.h, has_200, NULL, 5000));
  add_up(force, &sum2);
  return sqrt(sum2 / 200);
}

/* ---- the requests */

static gantry_err_t ask(const request_t *request, const char *sensor, void *gives) {
  sensor_sensor_key_t key = {0};
  snprintf(key.sensor, sizeof key.sensor, "%s", sensor);
  return harness_call(play.h, request, NULL, &key, gives, 5000, &play.fault);
}

static gantry_err_t begin_at(const char *sensor, sensor_calibration_method_t method,
                             double reference) {
  sensor_calibration_begin_t begin = {
      .method = method, .has_reference = true, .reference = reference};
  snprintf(begin.sensor, sizeof begin.sensor, "%s", sensor);
  return harness_call(play.h, REQUEST_SENSOR_CALIBRATION_BEGIN, NULL, &begin, &run, 3000,
                      &play.fault);
}

static gantry_err_t activate(void) {
  sensor_calibrated_t in_force;
  return ask(REQUEST_SENSOR_CALIBRATION_ACTIVATE, "F1", &in_force);
}

static gantry_err_t roll_back(uint32_t version) {
  sensor_calibrated_t in_force;
  sensor_calibration_rollback_t back = {.has_version = version > 0, .version = version};
  snprintf(back.sensor, sizeof back.sensor, "F1");
  return harness_call(play.h, REQUEST_SENSOR_CALIBRATION_ROLLBACK, NULL, &back, &in_force, 5000,
                      &play.fault);
}

static void collect(double force) {
  cr_assert_eq(begin_at("F1", SENSOR_CALIBRATION_METHOD_POINTS, force), GANTRY_OK, "%s",
               play.fault.detail);
  measure("F1", force, 100);
  cr_assert_eq(ask(REQUEST_SENSOR_CALIBRATION_STATE, "F1", &run), GANTRY_OK);
}

/* ---- what holds */

Test(sensor_calibration, brings_the_error_of_a_biased_sensor_down_to_its_noise) {
  play_storage();
  processor_play_open(&play, NULL);
  measure("F1", 50, 1);
  cr_assert_gt(measured_error(60), 10, "a quarter too much");

  collect(20);
  cr_assert_eq(run.state, SENSOR_CALIBRATION_STATE_WAITING);
  cr_assert_eq(activate(), GANTRY_E_CONFLICT);
  collect(100);
  cr_assert_eq(run.state, SENSOR_CALIBRATION_STATE_READY, "%s", run.advice);
  cr_assert_gt(run.error_before, 10);
  cr_assert_lt(run.error_after, NOISE / 4);
  cr_assert_gt(measured_error(60), 10, "nothing is in force before it is activated");
  cr_assert_eq(activate(), GANTRY_OK, "%s", play.fault.detail);

  double after = measured_error(60);
  cr_assert_lt(after, NOISE, "%g", after);
  cr_assert_eq(ask(REQUEST_SENSOR_CALIBRATION_STATE, "F1", &run), GANTRY_E_NOT_FOUND);
  cr_assert_eq(history.versions_count, 1);
}

Test(sensor_calibration, changes_nothing_while_storage_is_away_and_can_be_activated_later) {
  processor_play_open(&play, NULL);
  measure("F1", 50, 1);
  collect(20);
  collect(100);

  cr_assert_eq(activate(), GANTRY_E_UNAVAILABLE, "%s", play.fault.detail);
  cr_assert_gt(measured_error(60), 10);
  play_storage();

  cr_assert_eq(activate(), GANTRY_OK, "%s", play.fault.detail);
  cr_assert_lt(measured_error(60), NOISE);
}

Test(sensor_calibration, rolls_back_to_the_one_before_and_to_any) {
  sensor_calibrate_t by_hand = {.sensor = "F1", .calibration = "{\"scale\":0.8,\"offset\":2.4}"};
  sensor_calibrated_t in_force;
  play_storage();
  processor_play_open(&play, NULL);
  measure("F1", 50, 1);
  cr_assert_eq(
      harness_call(play.h, REQUEST_SENSOR_CALIBRATE, NULL, &by_hand, &in_force, 5000, &play.fault),
      GANTRY_OK, "%s", play.fault.detail);
  cr_assert_eq(roll_back(0), GANTRY_E_NOT_FOUND, "there is none before it");
  snprintf(by_hand.calibration, sizeof by_hand.calibration, "{\"offset\":40}");
  harness_call(play.h, REQUEST_SENSOR_CALIBRATE, NULL, &by_hand, &in_force, 5000, &play.fault);
  cr_assert_gt(measured_error(60), 40);

  cr_assert_eq(roll_back(0), GANTRY_OK, "%s", play.fault.detail);

  cr_assert_lt(measured_error(60), NOISE);
  cr_assert_eq(history.versions_count, 3, "the old one is a new one");
  cr_assert_eq(roll_back(2), GANTRY_OK);
  cr_assert_gt(measured_error(60), 40);
  cr_assert_eq(roll_back(9), GANTRY_E_NOT_FOUND);
  cr_assert_str_eq(play.fault.field, "version");
}

Test(sensor_calibration, leaves_nothing_behind_when_it_is_cancelled) {
  sensor_sensor_key_t key;
  play_storage();
  processor_play_open(&play, NULL);
  measure("F1", 50, 1);
  collect(20);

  cr_assert_eq(ask(REQUEST_SENSOR_CALIBRATION_CANCEL, "F1", &key), GANTRY_OK);

  cr_assert_eq(ask(REQUEST_SENSOR_CALIBRATION_CANCEL, "F1", &key), GANTRY_E_NOT_FOUND);
  cr_assert_eq(activate(), GANTRY_E_NOT_FOUND);
  cr_assert_eq(begin_at("F1", SENSOR_CALIBRATION_METHOD_REST, 0), GANTRY_OK);
  cr_assert_eq(run.points_count, 0);
}

static bool is_held(void *arg) {
  (void)arg;
  return held != NULL;
}

static bool is_done(void *arg) {
  return *(bool *)arg;
}

static void on_active(gantry_err_t err, const gantry_fault_t *said, const void *reply,
                      const sys_header_t *header, void *arg) {
  (void)said, (void)reply, (void)header;
  *(bool *)arg = err == GANTRY_OK;
}

Test(sensor_calibration, leaves_a_new_run_alone_when_the_one_before_comes_into_force) {
  sensor_sensor_key_t key = {.sensor = "F1"};
  bool done = false;
  play_storage();
  processor_play_open(&play, NULL);
  measure("F1", 50, 1);
  collect(20);
  collect(100);
  hold = true;
  cr_assert_eq(rpc_call(harness_client(play.h), REQUEST_SENSOR_CALIBRATION_ACTIVATE, NULL, NULL,
                        &key, 0, on_active, &done),
               GANTRY_OK);
  cr_assert(harness_until(play.h, is_held, NULL, 3000));
  ask(REQUEST_SENSOR_CALIBRATION_CANCEL, "F1", &key);
  cr_assert_eq(begin_at("F1", SENSOR_CALIBRATION_METHOD_REST, 50), GANTRY_OK);

  rpc_reply(held, &holds);
  cr_assert(harness_until(play.h, is_done, &done, 3000));

  cr_assert_eq(ask(REQUEST_SENSOR_CALIBRATION_STATE, "F1", &run), GANTRY_OK);
  cr_assert_eq(run.method, SENSOR_CALIBRATION_METHOD_REST);
}

Test(sensor_calibration, takes_eight_at_once_and_refuses_what_makes_no_sense) {
  processor_play_open(&play, NULL);
  for (int i = 0; i < 9; i++) {
    char sensor[8];
    snprintf(sensor, sizeof sensor, "F%d", i + 1);
    measure(sensor, 50, 1);
    cr_assert_eq(begin_at(sensor, SENSOR_CALIBRATION_METHOD_REST, 50),
                 i < 8 ? GANTRY_OK : GANTRY_E_CONFLICT);
  }

  cr_assert_eq(begin_at("F1", SENSOR_CALIBRATION_METHOD_REST, 50), GANTRY_E_CONFLICT);
  cr_assert_eq(begin_at("NOBODY", SENSOR_CALIBRATION_METHOD_REST, 50), GANTRY_E_NOT_FOUND);
  cr_assert_eq(begin_at("F2", SENSOR_CALIBRATION_METHOD_TARGET, 50), GANTRY_E_INVALID);
  cr_assert_str_eq(play.fault.field, "method");
}

/* A reading of an accelerometer that lies level and whose axes are wrong by a little. */
static void lie(inbox_t *heard) {
  size_t before = inbox_count(heard);
  raw_imu_t raw = {.sensor = "A1", .x = 0.3 + 0.02 * noise(), .y = -0.2, .z = 9.5 + 0.02 * noise()};
  cr_assert_eq(bus_publish(play.bridge->bus, TOPIC_RAW_IMU, "A1", &raw), GANTRY_OK);
  cr_assert(harness_collected(play.h, heard, before + 1, 5000));
}

Test(sensor_calibration, levels_an_accelerometer) {
  inbox_t *heard = harness_collect(play.h, "sensor.imu.");
  sensor_calibrated_t in_force;
  sensor_calibration_begin_t begin = {.sensor = "A1", .has_samples = true, .samples = 20};
  play_storage();
  processor_play_open(&play, NULL);
  lie(heard);

  cr_assert_eq(
      harness_call(play.h, REQUEST_SENSOR_CALIBRATION_BEGIN, NULL, &begin, &run, 3000, &play.fault),
      GANTRY_OK, "%s", play.fault.detail);
  for (int i = 0; i < 20; i++)
    lie(heard);
  cr_assert_eq(ask(REQUEST_SENSOR_CALIBRATION_STATE, "A1", &run), GANTRY_OK);
  cr_assert_eq(run.state, SENSOR_CALIBRATION_STATE_READY, "%s", run.advice);
  cr_assert_eq(ask(REQUEST_SENSOR_CALIBRATION_ACTIVATE, "A1", &in_force), GANTRY_OK);
  lie(heard);

  const sensor_imu_t *said = inbox_newest(heard, "sensor.imu.A1");
  cr_assert_float_eq(said->x, 0, 0.1);
  cr_assert_float_eq(said->y, 0, 0.1);
  cr_assert_float_eq(said->z, 9.80665, 0.1);
}
