/* Guided calibrations, point by point. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "calibrating.h"
#include "configuration.h"
#include "run.h"

#define GRAVITY 9.80665

static run_t run;
static gantry_fault_t fault;

static void clear(void) {
  run = (run_t){0};
}

TestSuite(run, .init = clear);

static gantry_err_t begin(sensor_type_t family, double still, sensor_calibration_begin_t point) {
  run_sensor_t sensor = {.family = family,
                         .in_force = calibration_identity(),
                         .still = still,
                         .range_min_m = 0.05,
                         .range_max_m = 12,
                         .quality_min = 50};
  snprintf(point.sensor, sizeof point.sensor, "S1");
  point.has_samples = true;
  point.samples = 100;
  return run_begin(&run, &sensor, &point, &fault);
}

static gantry_err_t begin_number(sensor_calibration_method_t method, double reference) {
  return begin(SENSOR_TYPE_VALUE, 2,
               (sensor_calibration_begin_t){
                   .method = method, .has_reference = true, .reference = reference});
}

static gantry_err_t begin_side(const char *axis) {
  sensor_calibration_begin_t point = {.method = SENSOR_CALIBRATION_METHOD_ORIENTATIONS,
                                      .has_axis = true};
  snprintf(point.axis, sizeof point.axis, "%s", axis);
  return begin(SENSOR_TYPE_ACCELEROMETER, 0.5, point);
}

static gantry_err_t begin_target(double reference, double bearing) {
  return begin(SENSOR_TYPE_LIDAR, 0.03,
               (sensor_calibration_begin_t){.method = SENSOR_CALIBRATION_METHOD_TARGET,
                                            .has_reference = true,
                                            .reference = reference,
                                            .has_bearing = true,
                                            .bearing = bearing});
}

/* 100 readings around x, y, z, the noise below `noise` and even. */
static void feed(double x, double y, double z, double noise) {
  for (int i = 0; i < 100; i++) {
    double off = noise * sin(i * 2.4);
    run_take(&run, (double[RUN_CHANNELS]){x + off, y - off, z + off});
  }
}

static sensor_calibration_state_t look(void) {
  calibration_t identity = calibration_identity();
  run_look(&run, &identity);
  return run.said.state;
}

/* A wall square to `direction`, as a LiDAR sees it whose ranges are `short_m` short. */
static void sweep(double distance, double direction, double short_m) {
  static float angles[360], ranges[360];
  static uint8_t qualities[360];
  for (int i = 0; i < 360; i++) {
    double angle = (i - 180) * M_PI / 180, off = remainder(angle - direction, 2 * M_PI);
    bool hits = fabs(off) < 0.4;
    angles[i] = (float)angle;
    ranges[i] = hits ? (float)(distance / cos(off) - short_m) : 0;
    qualities[i] = 200;
  }
  run_take_sweep(&run, angles, ranges, qualities, 360);
}

Test(run, takes_the_mean_at_rest_for_the_offset) {
  cr_assert_eq(begin_number(SENSOR_CALIBRATION_METHOD_REST, 5), GANTRY_OK);
  cr_assert_eq(run.said.state, SENSOR_CALIBRATION_STATE_COLLECTING);
  feed(6.5, 0, 0, 0.2);

  cr_assert_eq(look(), SENSOR_CALIBRATION_STATE_READY, "%s", run.said.advice);
  cr_assert_float_eq(run.result.offset[0], -1.5, 0.01);
  cr_assert_float_eq(run.said.error_before, 1.5, 0.01);
  cr_assert_float_eq(run.said.error_after, 0, 1e-9);
}

Test(run, wants_two_points_for_a_line) {
  begin_number(SENSOR_CALIBRATION_METHOD_POINTS, 10);
  feed(4, 0, 0, 0.1);
  cr_assert_eq(look(), SENSOR_CALIBRATION_STATE_WAITING);

  cr_assert_eq(begin_number(SENSOR_CALIBRATION_METHOD_POINTS, 30), GANTRY_OK);
  feed(14, 0, 0, 0.1);

  cr_assert_eq(look(), SENSOR_CALIBRATION_STATE_READY, "%s", run.said.advice);
  cr_assert_float_eq(run.result.scale[0], 2, 0.01);
  cr_assert_float_eq(run.result.offset[0], 2, 0.05);
}

Test(run, says_what_a_result_would_be_that_no_calibration_is) {
  begin_number(SENSOR_CALIBRATION_METHOD_POINTS, 0);
  feed(0, 0, 0, 0);
  begin_number(SENSOR_CALIBRATION_METHOD_POINTS, 40);
  feed(2, 0, 0, 0);

  cr_assert_eq(look(), SENSOR_CALIBRATION_STATE_FAILED);
  cr_assert(strstr(run.said.advice, "the scale would be 20"), "%s", run.said.advice);
}

Test(run, refuses_a_sensor_that_moves_and_takes_the_point_again) {
  begin_number(SENSOR_CALIBRATION_METHOD_REST, 0);
  feed(1, 0, 0, 5);
  cr_assert_eq(look(), SENSOR_CALIBRATION_STATE_FAILED);
  cr_assert(strstr(run.said.advice, "its deviation is 3.5"), "%s", run.said.advice);
  cr_assert_eq(run.said.points_count, 0);

  cr_assert_eq(begin_number(SENSOR_CALIBRATION_METHOD_REST, 0), GANTRY_OK);
  feed(1, 0, 0, 0.5);

  cr_assert_eq(look(), SENSOR_CALIBRATION_STATE_READY, "%s", run.said.advice);
}

Test(run, refuses_a_sensor_that_drifts) {
  begin_number(SENSOR_CALIBRATION_METHOD_REST, 0);
  for (int i = 0; i < 100; i++)
    run_take(&run, (double[RUN_CHANNELS]){i * 0.05, 0, 0});

  cr_assert_eq(look(), SENSOR_CALIBRATION_STATE_FAILED);
  cr_assert(strstr(run.said.advice, "drifts: by 2.5"), "%s", run.said.advice);
}

Test(run, lays_an_accelerometer_level) {
  sensor_calibration_begin_t point = {.method = SENSOR_CALIBRATION_METHOD_REST};
  cr_assert_eq(begin(SENSOR_TYPE_ACCELEROMETER, 0.5, point), GANTRY_OK);
  feed(0.2, -0.3, 9.5, 0.05);

  cr_assert_eq(look(), SENSOR_CALIBRATION_STATE_READY, "%s", run.said.advice);
  cr_assert_float_eq(run.result.offset[0], -0.2, 0.01);
  cr_assert_float_eq(run.result.offset[1], 0.3, 0.01);
  cr_assert_float_eq(run.result.offset[2], GRAVITY - 9.5, 0.01);

  begin(SENSOR_TYPE_ACCELEROMETER, 0.5, point);
  feed(6.9, 0, 6.9, 0.05);

  cr_assert_eq(look(), SENSOR_CALIBRATION_STATE_FAILED);
  cr_assert(strstr(run.said.advice, "lay the sensor level"), "%s", run.said.advice);
}

Test(run, finds_how_the_axes_lean_from_six_sides) {
  static const struct {
    const char *axis;
    double x, y, z;
  } SIDES[] = {{"+x", 1, 0, 0},  {"-x", -1, 0, 0}, {"+y", 0, 1, 0},
               {"-y", 0, -1, 0}, {"+z", 0, 0, 1},  {"-z", 0, 0, -1}};
  for (int i = 0; i < 6; i++) {
    double x = GRAVITY * SIDES[i].x, y = GRAVITY * SIDES[i].y, z = GRAVITY * SIDES[i].z;
    cr_assert_eq(begin_side(SIDES[i].axis), GANTRY_OK, "%s", fault.detail);
    feed(1.05 * x + 0.03 * y + 0.2, 0.97 * y - 0.02 * x, z - 0.4, 0.02);
    cr_assert_eq(look(), i < 5 ? SENSOR_CALIBRATION_STATE_WAITING : SENSOR_CALIBRATION_STATE_READY,
                 "%s: %s", SIDES[i].axis, run.said.advice);
  }

  cr_assert_gt(run.said.error_before, 0.4);
  cr_assert_lt(run.said.error_after, 0.01);
  cr_assert(run.result.leans);
  cr_assert_float_eq(run.result.matrix[0], 1 / 1.05, 0.002);
  cr_assert(strstr(run.said.calibration, "\"matrix\":["));
}

Test(run, refuses_a_side_that_does_not_point_up) {
  begin_side("-z");
  feed(0, 0, 9.8, 0.02);

  cr_assert_eq(look(), SENSOR_CALIBRATION_STATE_FAILED);
  cr_assert(strstr(run.said.advice, "-z does not point up"), "%s", run.said.advice);
}

Test(run, finds_range_and_angle_of_a_lidar_across_the_seam) {
  for (int distance = 1; distance <= 3; distance += 2) {
    cr_assert_eq(begin_target(distance, M_PI - 0.01), GANTRY_OK, "%s", fault.detail);
    for (int i = 0; i < 100; i++)
      sweep(distance, M_PI + 0.03, 0.05);
  }

  cr_assert_eq(look(), SENSOR_CALIBRATION_STATE_READY, "%s", run.said.advice);
  cr_assert_float_eq(run.result.offset[0], 0.05, 0.002);
  cr_assert_float_eq(run.result.scale[0], 1, 0.002);
  cr_assert_float_eq(run.result.angle_offset_rad, -0.04, 0.002);
  cr_assert_lt(run.said.error_after, 0.005);
}

Test(run, says_that_there_is_no_target) {
  begin_target(2, 1);
  for (int i = 0; i < 100; i++)
    sweep(2, -1, 0);

  cr_assert_eq(look(), SENSOR_CALIBRATION_STATE_FAILED);
  cr_assert(strstr(run.said.advice, "0 returns within 10 degrees"), "%s", run.said.advice);
}

Test(run, names_what_a_point_lacks) {
  static const struct {
    sensor_type_t family;
    sensor_calibration_begin_t point;
    const char *field;
  } CASES[] = {
      {SENSOR_TYPE_RFID, {.method = SENSOR_CALIBRATION_METHOD_REST}, "sensor"},
      {SENSOR_TYPE_OBJECT, {.method = SENSOR_CALIBRATION_METHOD_POINTS}, "sensor"},
      {SENSOR_TYPE_VALUE, {.method = SENSOR_CALIBRATION_METHOD_TARGET}, "method"},
      {SENSOR_TYPE_LIDAR, {.method = SENSOR_CALIBRATION_METHOD_REST}, "method"},
      {SENSOR_TYPE_ACCELEROMETER, {.method = SENSOR_CALIBRATION_METHOD_POINTS}, "method"},
      {SENSOR_TYPE_VALUE, {.method = SENSOR_CALIBRATION_METHOD_POINTS}, "reference"},
      {SENSOR_TYPE_RANGE, {.method = SENSOR_CALIBRATION_METHOD_REST}, "reference"},
      {SENSOR_TYPE_RANGE,
       {.method = SENSOR_CALIBRATION_METHOD_POINTS, .has_reference = true, .reference = -1},
       "reference"},
      {SENSOR_TYPE_ACCELEROMETER,
       {.method = SENSOR_CALIBRATION_METHOD_REST, .has_reference = true, .reference = 1},
       "reference"},
      {SENSOR_TYPE_LIDAR,
       {.method = SENSOR_CALIBRATION_METHOD_TARGET, .has_reference = true, .reference = 1},
       "bearing"},
      {SENSOR_TYPE_ACCELEROMETER, {.method = SENSOR_CALIBRATION_METHOD_ORIENTATIONS}, "axis"},
      {SENSOR_TYPE_ACCELEROMETER,
       {.method = SENSOR_CALIBRATION_METHOD_ORIENTATIONS, .has_axis = true, .axis = "up"},
       "axis"},
      {SENSOR_TYPE_VALUE,
       {.method = SENSOR_CALIBRATION_METHOD_REST, .has_axis = true, .axis = "+x"},
       "axis"},
  };
  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    cr_expect_eq(begin(CASES[i].family, 0, CASES[i].point), GANTRY_E_INVALID, "case %zu", i);
    cr_expect_str_eq(fault.field, CASES[i].field, "case %zu: %s", i, fault.field);
    cr_expect_eq(run.said.sensor[0], '\0', "case %zu began", i);
  }
}

Test(run, ends_one_point_before_the_next_begins) {
  begin_number(SENSOR_CALIBRATION_METHOD_POINTS, 1);
  cr_assert_eq(begin_number(SENSOR_CALIBRATION_METHOD_POINTS, 2), GANTRY_E_CONFLICT);
  feed(1, 0, 0, 0);
  cr_assert_eq(begin_number(SENSOR_CALIBRATION_METHOD_REST, 2), GANTRY_E_CONFLICT);
  for (int i = 1; i < RUN_POINTS_MAX; i++) {
    cr_assert_eq(begin_number(SENSOR_CALIBRATION_METHOD_POINTS, i + 1), GANTRY_OK);
    feed(i + 1, 0, 0, 0);
  }

  cr_assert_eq(begin_number(SENSOR_CALIBRATION_METHOD_POINTS, 99), GANTRY_E_CONFLICT);
}

Test(run, is_given_up_after_ten_minutes_of_silence) {
  static processor_t processor;
  const uint64_t begun_ns = 5000 * UINT64_C(1000000000), minute_ns = 60 * UINT64_C(1000000000);
  guided_t *guided = &processor.guided[3];
  snprintf(guided->run.said.sensor, sizeof guided->run.said.sensor, "S1");
  guided->touched_ns = begun_ns;
  processor.guided_count = 1;

  calibrating_tick(&processor, begun_ns + 10 * minute_ns - 1);
  cr_assert_str_eq(guided->run.said.sensor, "S1");
  calibrating_tick(&processor, begun_ns + 10 * minute_ns);

  cr_assert_str_eq(guided->run.said.sensor, "");
  cr_assert_eq(processor.guided_count, 0);
}

Test(run, writes_calibrations_that_read_back_the_same) {
  static const char *const CASES[] = {
      "{\"scale\":1,\"offset\":0}",
      "{\"scale\":1.25,\"offset\":-3,\"angle_offset\":0.04}",
      "{\"scale\":1,\"offset_x\":0.1,\"offset_y\":0,\"offset_z\":-0.2,"
      "\"matrix\":[1,0.02,0,0,0.97,0,0,0,1]}",
  };
  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    calibration_t calibration;
    char text[512];
    cr_assert_eq(configuration_read_calibration(CASES[i], &calibration, &fault), GANTRY_OK, "%s %s",
                 fault.field, fault.detail);
    configuration_write_calibration(&calibration, text, sizeof text);
    cr_expect_str_eq(text, CASES[i]);
  }
}

Test(run, reads_no_matrix_that_is_none) {
  static const char *const CASES[] = {
      "{\"matrix\":1}", "{\"matrix\":[1,0,0,0,1,0,0,0]}", "{\"matrix\":[1,0,0,0,1,0,0,0,1,1]}",
      "{\"matrix\":[1,0,0,0,1,0,0,0,\"1\"]}", "{\"matrix\":[1,0,0,1,0,0,0,0,1]}"};
  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    calibration_t calibration;
    cr_expect_eq(configuration_read_calibration(CASES[i], &calibration, &fault), GANTRY_E_INVALID,
                 "%s", CASES[i]);
    cr_expect_str_eq(fault.field, "calibration.matrix");
  }
}
