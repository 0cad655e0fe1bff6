/* Readings, sums and batches. */
#include "view_readings.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static http_readings_given_t *given;
static sensor_readings_t *batch;
static buf_t objects;
static gantry_fault_t fault;

static void set_up(void) {
  given = calloc(1, sizeof *given);
  batch = calloc(1, sizeof *batch);
}

static void tear_down(void) {
  free(given);
  free(batch);
  buf_fini(&objects);
}

TestSuite(view_readings, .init = set_up, .fini = tear_down);

static http_reading_given_t *add(const char *sensor, const char *type, uint64_t time_ns) {
  http_reading_given_t *row = &given->readings[given->readings_count++];

  snprintf(row->sensor_id, sizeof row->sensor_id, "%s", sensor);
  snprintf(row->sensor_type, sizeof row->sensor_type, "%s", type);
  row->timestamp = time_ns;
  return row;
}

static void add_number(const char *sensor, uint64_t time_ns, double value) {
  http_reading_given_t *row = add(sensor, "force", time_ns);

  row->has_value = true;
  row->value = value;
}

static void add_object(const char *sensor, uint64_t time_ns, const char *data) {
  http_reading_given_t *row = add(sensor, "camera", time_ns);

  row->has_data = true;
  snprintf(row->data, sizeof row->data, "%s", data);
}

Test(view_readings, turns_rows_into_columns_with_one_series_a_sensor) {
  add_number("F1", 1000, 1.5);
  add_object("C1", 2000, "{\"brightness\":7}");
  add_number("F1", 3000, 2.5);
  given->readings[2].has_number = true;
  given->readings[2].number = 42;
  add_object("C1", 4000, "{}");

  cr_assert_eq(view_batch(given, &objects, batch, &fault), GANTRY_OK, "%s", fault.detail);

  cr_expect_eq(batch->series_count, 2);
  cr_expect_str_eq(batch->series[1].sensor, "C1");
  cr_expect_eq(batch->series[0].source, SYS_SOURCE_API);
  cr_expect_eq(batch->which_count, 4);
  cr_expect_eq(batch->which[2], 0);
  cr_expect_eq(batch->value[2], 2.5);
  cr_expect_eq(batch->number[0], 0, "unknown");
  cr_expect_eq(batch->number[2], 42);
  cr_expect_eq(batch->which_objects_count, 2);
  cr_expect_eq(batch->which_objects[1], 3);
  cr_expect_eq(batch->objects.len, sizeof "{\"brightness\":7}\0{}");
  cr_expect_eq(memcmp(batch->objects.data, "{\"brightness\":7}\0{}", batch->objects.len), 0);
}

Test(view_readings, names_the_row_that_cannot_be_taken) {
  add_number("F1", 1, 1);
  add("F1", "force", 2);
  cr_expect_eq(view_batch(given, &objects, batch, &fault), GANTRY_E_SCHEMA);
  cr_expect_str_eq(fault.field, "readings[1]");

  given->readings_count = 1;
  add_object("C1", 2, "[1]");
  cr_expect_eq(view_batch(given, &objects, batch, &fault), GANTRY_E_SCHEMA);
  cr_expect_not_null(strstr(fault.detail, "object"));
}

Test(view_readings, takes_64_sensors_and_refuses_the_next) {
  char name[16];
  for (int i = 0; i < 64; i++) {
    snprintf(name, sizeof name, "S%d", i);
    add_number(name, (uint64_t)i, i);
  }
  cr_expect_eq(view_batch(given, &objects, batch, &fault), GANTRY_OK);

  add_number("S64", 64, 64);

  cr_expect_eq(view_batch(given, &objects, batch, &fault), GANTRY_E_SCHEMA);
  cr_expect_str_eq(fault.field, "readings[64]");
}

Test(view_readings, takes_the_deviation_from_the_sums) {
  store_aggregate_t *sums = calloc(1, sizeof *sums);
  http_aggregated_t *out = calloc(1, sizeof *out);
  sums->bucket = 60;
  sums->rows_count = 2;
  sums->rows[0] = (store_aggregate_row_t){
      .start = 120000000000u, .count = 4, .mean = 5, .sum = 20, .sum2 = 4 + 16 + 64 + 36};
  sums->rows[1] =
      (store_aggregate_row_t){.start = 180000000000u, .count = 1, .mean = 3, .sum = 3, .sum2 = 9};

  view_aggregated(sums, out);

  cr_expect_eq(out->total_intervals, 2);
  cr_expect_eq(out->intervals[0].interval_end, 180000000000u);
  cr_expect_float_eq(out->intervals[0].deviation, 2.581988897471611, 1e-12);
  cr_expect_not(out->intervals[1].has_deviation);
  free(sums);
  free(out);
}
