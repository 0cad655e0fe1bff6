/* Rows of many series become the columns of one message. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "batch.h"

static batch_t batch;
static gantry_fault_t fault;

static void setup(void) {
  batch = (batch_t){0};
}

static void teardown(void) {
  batch_fini(&batch);
}

TestSuite(batch, .init = setup, .fini = teardown);

static recorder_row_t row_of(const char *sensor, double value) {
  return (recorder_row_t){.sensor = sensor,
                          .code = "force",
                          .unit = "N",
                          .family = SENSOR_TYPE_VALUE,
                          .time_ns = 1000,
                          .number = 7,
                          .has_value = true,
                          .value = value,
                          .quality = 0.5f};
}

static gantry_err_t add(const recorder_row_t *row, const char *session) {
  return batch_add(&batch, row, session, NULL, 0, &fault);
}

Test(batch, gives_each_series_one_place) {
  recorder_row_t a = row_of("a", 1), b = row_of("b", 2), other = row_of("a", 3);
  other.source = SYS_SOURCE_SIMULATED;

  add(&a, "");
  add(&b, "");
  add(&a, "s1");
  add(&other, "");
  add(&b, "");

  const sensor_readings_t *message = batch_message(&batch);
  cr_assert_eq(message->series_count, 4);
  cr_assert_eq(message->which_count, 5);
  cr_assert_eq(message->which[4], 1);
  cr_assert_str_eq(message->series[2].session, "s1");
  cr_assert_eq(message->series[3].source, SYS_SOURCE_SIMULATED);
  cr_assert_str_eq(message->series[1].sensor, "b");
  cr_assert_str_eq(message->series[1].type, "force");
  cr_assert_str_eq(message->series[1].unit, "N");
}

Test(batch, fills_all_columns_alike) {
  recorder_row_t row = row_of("a", 4.5);
  row.validity = SENSOR_VALIDITY_WARNING;

  add(&row, "");

  const sensor_readings_t *message = batch_message(&batch);
  cr_assert_eq(message->time_count, 1);
  cr_assert_eq(message->number_count, 1);
  cr_assert_eq(message->value_count, 1);
  cr_assert_eq(message->quality_count, 1);
  cr_assert_eq(message->validity_count, 1);
  cr_assert_eq(message->time[0], 1000);
  cr_assert_eq(message->number[0], 7);
  cr_assert_eq(message->value[0], 4.5);
  cr_assert_eq(message->quality[0], 0.5f);
  cr_assert_eq(message->validity[0], SENSOR_VALIDITY_WARNING);
}

Test(batch, keeps_objects_in_order_and_says_which_have_a_value_too) {
  recorder_row_t bare = row_of("a", 1), object = row_of("b", 0), both = row_of("c", 2);
  object.has_value = false;
  object.json = "{\"x\":1}";
  object.json_len = 7;
  both.json = "{\"distance\":2000}";
  both.json_len = 17;

  add(&bare, "");
  add(&object, "");
  add(&both, "");

  const sensor_readings_t *message = batch_message(&batch);
  cr_assert_eq(message->which_objects_count, 2);
  cr_assert_eq(message->which_objects[0], 1);
  cr_assert_eq(message->which_objects[1], 2);
  cr_assert_eq(message->which_both_count, 1);
  cr_assert_eq(message->which_both[0], 2);
  cr_assert_eq(message->value[1], 0);
  cr_assert_eq(message->value[2], 2);
  cr_assert_eq(message->objects.len, 26);
  cr_assert_arr_eq(message->objects.data, "{\"x\":1}\0{\"distance\":2000}", 26);
}

Test(batch, says_in_which_row_something_was_found) {
  recorder_row_t row = row_of("a", 90);
  sensor_finding_t found[2] = {{.row = 99, .rule = "force_high"}, {.rule = "force_spike"}};

  add(&row, "");
  batch_add(&batch, &row, "", found, 2, &fault);

  const sensor_readings_t *message = batch_message(&batch);
  cr_assert_eq(message->findings_count, 2);
  cr_assert_eq(message->findings[0].row, 1);
  cr_assert_eq(message->findings[1].row, 1);
  cr_assert_str_eq(message->findings[1].rule, "force_spike");
}

Test(batch, is_full_at_a_thousand_rows_and_at_64_series) {
  char name[16] = "";
  recorder_row_t row = row_of(name, 1);
  for (int i = 0; i < 64; i++) {
    snprintf(name, sizeof name, "s%d", i);
    cr_assert_eq(add(&row, ""), GANTRY_OK);
  }

  snprintf(name, sizeof name, "one_more");
  cr_assert_eq(add(&row, ""), GANTRY_E_TOO_LARGE);
  snprintf(name, sizeof name, "s5");
  for (int i = 64; i < 1000; i++)
    cr_assert_eq(add(&row, ""), GANTRY_OK);
  cr_assert_eq(add(&row, ""), GANTRY_E_TOO_LARGE);

  cr_assert_eq(batch_message(&batch)->which_count, 1000);
  batch_clear(&batch);
  cr_assert_eq(add(&row, ""), GANTRY_OK);
  cr_assert_eq(batch_message(&batch)->series_count, 1);
}

Test(batch, is_full_at_a_mebibyte_of_objects) {
  static char text[60000];
  recorder_row_t row = row_of("lidar", 0);
  memset(text, ' ', sizeof text);
  text[0] = '{';
  text[sizeof text - 1] = '}';
  row.has_value = false;
  row.json = text;
  row.json_len = sizeof text;
  uint32_t count = 0;

  while (add(&row, "") == GANTRY_OK)
    count++;

  cr_assert_eq(count, 17);
  cr_assert_eq(batch_message(&batch)->objects.len, 17 * 60001);
  cr_assert_eq(batch_message(&batch)->which_count, 17);
}

Test(batch, refuses_what_storage_would_refuse_and_names_it) {
  recorder_row_t good = row_of("a", 1);
  recorder_row_t nan = good, quality = good, empty = good, unit = good, number = good;
  nan.value = NAN;
  quality.quality = 1.5f;
  empty.has_value = false;
  unit.unit = "a unit of sixteen";
  number.number = UINT64_MAX;
  const struct {
    const recorder_row_t *row;
    const char *field;
  } cases[] = {{&nan, "value"},
               {&quality, "quality"},
               {&empty, "value"},
               {&unit, "unit"},
               {&number, "number"}};

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    cr_assert_eq(add(cases[i].row, ""), GANTRY_E_INVALID);
    cr_assert_str_eq(fault.field, cases[i].field);
  }

  cr_assert_eq(batch_message(&batch)->which_count, 0);
}
