/* JSON to message, and free-form JSON. */
#include "sample.h"

#include <criterion/criterion.h>
#include <gantry/json.h>
#include <stdio.h>
#include <string.h>

static gantry_fault_t fault;
static probe_sparse_t sparse;
static probe_all_t all;

static gantry_err_t read_sparse(const char *text) {
  memset(&fault, 0, sizeof fault);
  return json_read(&PROBE_SPARSE_DESC, text, strlen(text), true, &sparse, &fault);
}

static void refused(const char *text, const char *field) {
  cr_assert_eq(read_sparse(text), GANTRY_E_SCHEMA, "%s", text);
  cr_assert_str_eq(fault.field, field, "%s: '%s', not '%s' (%s)", text, fault.field, field,
                   fault.detail);
}

/* sample_all without its blob, which JSON does not carry back, as text with one piece replaced. */
static gantry_err_t read_all(const char *old, const char *new) {
  char text[1024] =
      "{\"flag\":true,\"u8\":200,\"u16\":60000,\"u32\":4000000000,\"u64\":9000000000000000001,"
      "\"i32\":-5,\"i64\":-9000000000000000001,\"f32\":0.1,\"f64\":-123456.789,"
      "\"text\":\"h\\u00e9llo\",\"colour\":\"blue\",\"point\":{\"x\":1.5,\"y\":-2},"
      "\"time\":\"2026-01-31T09:05:07.123456Z\",\"hex\":\"fedcba9876543210\","
      "\"json\":{ \"a\" : [1, 2.5, null] }}";
  char result[1200];
  char *at = strstr(text, old);
  cr_assert_not_null(at);
  snprintf(result, sizeof result, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
  memset(&fault, 0, sizeof fault);
  return json_read(&PROBE_ALL_DESC, result, strlen(result), true, &all, &fault);
}

Test(json, every_value_is_read_up_to_the_missing_blob) {
  probe_all_t sample = sample_all();

  cr_assert_eq(read_all("", ""), GANTRY_E_SCHEMA);

  cr_assert_str_eq(fault.field, "blob");
  cr_assert_str_eq(all.text, sample.text);
  cr_assert_eq(all.u64, sample.u64);
  cr_assert_eq(all.i64, sample.i64);
  cr_assert_eq(all.f32, sample.f32);
  cr_assert_eq(all.f64, sample.f64);
  cr_assert_eq(all.colour, sample.colour);
  cr_assert_eq(all.time, sample.time);
  cr_assert_eq(all.hex, sample.hex);
  cr_assert_str_eq(all.json, sample.json);
}

Test(json, formats_are_read) {
  cr_assert_eq(read_sparse("{\"note\": {\"a\" : [1, 2.5, null, \"x\\n\", true, false, {}]}}"),
               GANTRY_OK);
  cr_assert_str_eq(sparse.note, "{\"a\":[1,2.5,null,\"x\\n\",true,false,{}]}");
}

Test(json, formats_are_named_where_another_type_is_given) {
  cr_assert_eq(read_all("\"2026-01-31T09:05:07.123456Z\"", "1769850307123456000"), GANTRY_E_SCHEMA);
  cr_expect_str_eq(fault.field, "time");
  cr_expect(strstr(fault.detail, "must be a time") != NULL, "%s", fault.detail);
  cr_assert_eq(read_all("\"fedcba9876543210\"", "7"), GANTRY_E_SCHEMA);
  cr_expect_str_eq(fault.field, "hex");
  cr_expect(strstr(fault.detail, "hex digits") != NULL, "%s", fault.detail);
}

Test(json, lists_come_back) {
  const char *text = "{\"flags\":[true],\"shorts\":[1,2],\"floats\":[0,12.34,100],\"doubles\":[],"
                     "\"texts\":[\"a\"],"
                     "\"colours\":[\"green\",\"red\"],\"points\":[{\"x\":1,\"y\":2}],\"blobs\":[]}";
  probe_lists_t value;

  cr_assert_eq(json_read(&PROBE_LISTS_DESC, text, strlen(text), true, &value, &fault), GANTRY_OK,
               "%s %s", fault.field, fault.detail);
  cr_assert_eq(value.floats_count, 3);
  cr_assert_eq(value.floats[1], 12.34f);
  cr_assert_eq(value.colours[0], PROBE_COLOUR_GREEN);
  cr_assert_eq(value.points[0].y, 2);
}

Test(json, scalars_that_do_not_fit_are_named) {
  static const char *const ROWS[][3] = {
      {"true", "1", "flag"},
      {":200", ":256", "u8"},
      {":200", ":-1", "u8"},
      {":200", ":2.0", "u8"},
      {":200", ":\"2\"", "u8"},
      {":4000000000", ":4000000001", "u32"},
      {":-5", ":-6", "i32"},
      {":-5", ":null", "i32"},
      {":0.1", ":0.2", "f32"},
      {":0.1", ":1e300", "f32"},
      {"h\\u00e9llo", "", "text"},
      {"h\\u00e9llo", "123456789", "text"},
      {"blue", "grey", "colour"},
      {"07.123456Z", "07", "time"},
      {"fedcba", "xyz", "hex"},
      {"\"fedcba9876543210\"", "\"\"", "hex"},
      {"\"fedcba9876543210\"", "7", "hex"},
      {"{\"x\":1.5,\"y\":-2}", "[1,2]", "point"},
      {"1.5", "15", "point.x"},
      {"\"y\"", "\"z\"", "point.y"},
      {"\"flag\":true,", "", "flag"},
  };
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
    cr_assert_eq(read_all(ROWS[i][0], ROWS[i][1]), GANTRY_E_SCHEMA, "%s", ROWS[i][1]);
    cr_assert_str_eq(fault.field, ROWS[i][2], "%s for %s: %s", fault.field, ROWS[i][1],
                     fault.detail);
  }
}

Test(json, null_is_absence_for_optionals) {
  cr_assert_eq(read_sparse("{\"number\":null,\"word\":\"w\"}"), GANTRY_OK);
  cr_assert(!sparse.has_number && sparse.has_word);
}

Test(json, elements_at_fault_are_named) {
  refused("{\"list\":[0.5,2]}", "list[1]");
  refused("{\"list\":[0,0,0,0,0]}", "list");
  refused("{\"list\":1}", "list");
  refused("{\"point\":3}", "point");
  refused("{\"point\":{\"x\":1,\"y\":2,\"zz\":3}}", "point.zz");
}

Test(json, unknown_fields_are_refused_only_when_strict) {
  const char *text = "{\"stranger\":1,\"number\":2}";

  refused(text, "stranger");
  cr_assert_eq(json_read(&PROBE_SPARSE_DESC, text, strlen(text), false, &sparse, NULL), GANTRY_OK);
  cr_assert_eq(sparse.number, 2);
  refused("{\"\xc3\xa9\\n\":1}", "???");
}

Test(json, every_fault_is_listed_with_its_path_and_value) {
  const char *text = "{\"list\":[0.5,2,\"a\"],\"number\":\"x\",\"point\":{\"x\":[],\"zz\":3},"
                     "\"stranger\":{}}";
  static const char *const EXPECTED[][2] = {
      {"number", "\"x\""}, {"list[1]", "2"},  {"list[2]", "\"a\""}, {"point.x", ""},
      {"point.y", ""},     {"point.zz", "3"}, {"stranger", ""}};
  enum { ALL = sizeof EXPECTED / sizeof *EXPECTED };
  json_fault_t faults[ALL + 2];

  size_t count =
      json_read_all(&PROBE_SPARSE_DESC, text, strlen(text), true, &sparse, faults, ALL + 2);

  cr_expect_eq(count, ALL, "%zu", count);
  for (size_t i = 0; i < ALL; i++) {
    bool found = false;
    for (size_t k = 0; k < count; k++)
      found = found || (!strcmp(faults[k].fault.field, EXPECTED[i][0]) &&
                        !strcmp(faults[k].value, EXPECTED[i][1]));
    cr_expect(found, "%s %s", EXPECTED[i][0], EXPECTED[i][1]);
  }
}

Test(json, a_full_list_of_faults_ends_the_reading_with_whole_paths) {
  const char *text = "{\"point\":{\"x\":[],\"zz\":3},\"stranger\":{}}";
  json_fault_t faults[2];

  cr_assert_eq(json_read_all(&PROBE_SPARSE_DESC, text, strlen(text), true, &sparse, faults, 2), 2);
  cr_expect_str_eq(faults[0].fault.field, "point.x");
  cr_expect_str_eq(faults[1].fault.field, "point.y");
  cr_assert_eq(json_read_all(&PROBE_SPARSE_DESC, "[", 1, true, &sparse, faults, 2), 1);
  cr_assert_eq(json_read_all(&PROBE_SPARSE_DESC, "7", 1, true, &sparse, faults, 2), 1);
  cr_assert_eq(json_read_all(&PROBE_SPARSE_DESC, "{}", 2, true, &sparse, faults, 2), 0);
}

Test(json, blobs_cannot_be_given) {
  refused("{\"raw\":[1]}", "raw");
}

Test(json, stored_json_must_fit_its_field) {
  refused("{\"note\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28]}",
          "note");
  cr_assert_eq(read_sparse("{\"note\":\"\xc3\xa9\"}"), GANTRY_OK);
  cr_assert_str_eq(sparse.note, "\"\xc3\xa9\"");
}

Test(json, malformed_text_is_placed) {
  refused("{\"number\":\n 1,}", "");
  cr_assert(strstr(fault.detail, "line 2"), "%s", fault.detail);
  refused("", "");
  refused("[]", "");
  refused("{\"number\":1,\"number\":2}", "");
  refused("{\"word\":\"\xff\"}", "");
  refused("{\"word\":\"\\u0000\"}", "");
  refused("{\"number\":1} x", "");
  refused("{\"number\":18446744073709551616}", "");
}

Test(json, deep_text_is_refused_before_it_is_parsed) {
  char text[200];
  snprintf(text, sizeof text, "{\"note\":%s1%s}", "[[[[[[[[[[[[[[[[", "]]]]]]]]]]]]]]]]");

  refused(text, "");
  cr_assert_str_eq(fault.detail, "JSON nested deeper than 16");
  cr_assert_eq(read_sparse("{\"note\":\"[[[[[[[[[[[[[[[[[[[[\\\"[[\"}"), GANTRY_OK);
}

Test(json, text_over_the_size_limit_is_refused) {
  size_t len = (size_t)JSON_MAX_LEN + 1;
  char *text = malloc(len);
  memset(text, ' ', len);

  gantry_err_t err = json_read(&PROBE_SPARSE_DESC, text, len, true, &sparse, &fault);

  cr_assert_eq(err, GANTRY_E_TOO_LARGE);
  free(text);
}

Test(json, looks_up_single_keys) {
  const char *text = "{\"n\":1.5,\"i\":2,\"t\":\"h\xc3\xa9llo\",\"b\":true}";
  double number;
  char word[3];
  bool flag;

  cr_assert_eq(json_get_number(text, "n", &number), GANTRY_OK);
  cr_assert_eq(number, 1.5);
  cr_assert_eq(json_get_number(text, "i", &number), GANTRY_OK);
  cr_assert_eq(number, 2);
  cr_assert_eq(json_get_number(text, "t", &number), GANTRY_E_SCHEMA);
  cr_assert_eq(json_get_number(text, "x", &number), GANTRY_E_NOT_FOUND);
  cr_assert_eq(json_get_number("{", "x", &number), GANTRY_E_SCHEMA);
  cr_assert_eq(json_get_number("{\"\\u0078\":3}", "x", &number), GANTRY_OK);
  cr_assert_eq(number, 3);
  cr_assert_eq(json_get_text(text, "t", word, sizeof word), GANTRY_OK);
  cr_assert_str_eq(word, "h");
  cr_assert_eq(json_get_text(text, "n", word, sizeof word), GANTRY_E_SCHEMA);
  cr_assert_eq(json_get_text(text, "x", word, sizeof word), GANTRY_E_NOT_FOUND);
  cr_assert_eq(json_get_bool(text, "b", &flag), GANTRY_OK);
  cr_assert(flag);
  cr_assert_eq(json_get_bool(text, "n", &flag), GANTRY_E_SCHEMA);
  cr_assert_eq(json_get_bool(text, "x", &flag), GANTRY_E_NOT_FOUND);
}

static gantry_err_t add(const json_item_t *item, size_t index, void *arg) {
  double number;
  GANTRY_TRY(json_item_number(item, NULL, &number));
  *(double *)arg += number * (double)(index + 1);
  return GANTRY_OK;
}

Test(json, walks_lists_of_numbers) {
  double sum = 0;

  cr_assert_eq(json_each("{\"v\":[1,2,3]}", "v", add, &sum), GANTRY_OK);
  cr_assert_eq(sum, 14);
  cr_assert_eq(json_each("[4]", "", add, &sum), GANTRY_OK);
  cr_assert_eq(sum, 18);
}

Test(json, walking_stops_at_the_visitors_error) {
  double sum = 0;

  cr_assert_eq(json_each("[1,\"x\",5]", "", add, &sum), GANTRY_E_SCHEMA);
  cr_assert_eq(sum, 1);
  cr_assert_eq(json_each("{\"v\":3}", "v", add, &sum), GANTRY_E_SCHEMA);
  cr_assert_eq(json_each("{}", "v", add, &sum), GANTRY_E_NOT_FOUND);
}

static gantry_err_t visit_object(const json_item_t *item, size_t index, void *arg) {
  char name[8];
  double x;
  (void)index;
  GANTRY_TRY(json_item_text(item, "name", name, sizeof name));
  GANTRY_TRY(json_item_number(item, "x", &x));
  snprintf(arg, 32, "%s=%g", name, x);
  return GANTRY_OK;
}

Test(json, walks_lists_of_objects) {
  char text[32] = "";

  cr_assert_eq(json_each("[{\"name\":\"a\",\"x\":2}]", "", visit_object, text), GANTRY_OK);
  cr_assert_str_eq(text, "a=2");
  cr_assert_eq(json_each("[{\"name\":\"a\"}]", "", visit_object, text), GANTRY_E_NOT_FOUND);
}
