/* Exports of what is odd, but allowed at every door: each format gives it as it came, packed or
   not. */
#include <criterion/criterion.h>
#include <float.h>
#include <gantry/buf.h>
#include <gantry/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "store_compact.h"

static fixture_t fixture;
static sensor_readings_t batch;
static buf_t objects;

static const char *const OBJECTS[] = {
    "{}",
    "{ \"a\" : 1.0 , \"b\":-0,\"c\":1e400,\"d\":0.10 }",
    "{\"a\":\"x,\\\"y\\\"\\n\",\"b\":\"\\u00e9\",\"c\":\"\xc3\xa9\xf0\x9f\xa4\x96\"}",
    "{\"a\":[[1,[2,{\"b\":\"]}\"}]],null],\"b\":{\"c\":{\"d\":[]}}}",
    "{\"a\":12345678901234567890123,\"b\":-1.5E-3,\"c\":1E+2,\"d\":true}",
    "{\"a\":1,\"a\":2,\"\":3,\"q\\\"u\":4,\"p%s\":5}",
    "{\"a\":\"\",\"b\":false,\"c\":null,\"d\":\"0.10\"}",
    "{\"a\":\n\t[1,\r\n2]}",
};
static const double VALUES[] = {5e-324,  DBL_MAX, -DBL_MAX,           0.1 + 0.2,     1.0 / 3, 1e22,
                                -1e-7,   1e16,    9007199254740993.0, 123456789.125, DBL_MIN, 0,
                                -273.15, 100};
static const uint64_t TIMES[] = {0, 999, 1767225600123456789u, INT64_MAX, UINT64_MAX};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void put(uint8_t which, uint64_t time_ns, double value, const char *object) {
  uint32_t i = batch.which_count++;
  batch.time_count = batch.number_count = batch.value_count = batch.quality_count =
      batch.validity_count = batch.which_count;
  batch.which[i] = which;
  batch.time[i] = time_ns;
  batch.number[i] = i == 0 ? 0 : (uint64_t)INT64_MAX - 1000 + i;
  batch.value[i] = value;
  batch.quality[i] = 1.0f / (float)(i + 1);
  batch.validity[i] = (uint8_t)(i % 3);
  if (!object) return;
  batch.which_objects[batch.which_objects_count++] = (uint16_t)i;
  if (i % 2) batch.which_both[batch.which_both_count++] = (uint16_t)i;
  buf_put(&objects, object, strlen(object) + 1);
}

static void fill(void) {
  const store_origin_t origin = {.robot = "r/1"};
  uint32_t added;
  batch = (sensor_readings_t){.series_count = 2};
  batch.series[0] = (sensor_series_key_t){
      .sensor = "a/\"b\", \xc3\xbc", .type = "t", .unit = "\xc2\xb0\"C", .session = "S"};
  batch.series[1] = (sensor_series_key_t){.sensor = "o'; --", .type = "t", .session = "S"};
  for (size_t i = 0; i < COUNT(TIMES); i++) {
    for (size_t k = 0; k < COUNT(VALUES); k++)
      put(0, TIMES[i], VALUES[k], NULL);
    for (size_t k = 0; k < COUNT(OBJECTS); k++)
      put(1, TIMES[i], 0.1, OBJECTS[k]);
  }
  batch.objects = (blob_t){.data = objects.data, .len = objects.len};
  cr_assert_eq(store_begin(fixture.store), GANTRY_OK);
  gantry_err_t err = store_add_readings(fixture.store, &origin, &batch, &added, &fixture.fault);
  cr_assert_eq(err, GANTRY_OK, "%s: %s", fixture.fault.field, fixture.fault.detail);
  cr_assert_eq(added, batch.which_count);
  cr_assert_eq(store_commit(fixture.store), GANTRY_OK);
}

static void set_up(void) {
  fixture_init(&fixture);
  fill();
}

static void tear_down(void) {
  buf_fini(&objects);
  fixture_fini(&fixture);
}

TestSuite(export_odd, .init = set_up, .fini = tear_down);

static void take(session_format_t format, buf_t *out) {
  static session_exported_t piece;
  session_export_t get = {.session = "S", .format = format, .bytes = 1000};
  do {
    arena_fini(&fixture.arena);
    gantry_err_t err = fixture_call(&fixture, REQUEST_SESSION_EXPORT, &get, &piece);
    cr_assert_eq(err, GANTRY_OK, "%s: %s", fixture.fault.field, fixture.fault.detail);
    buf_put(out, piece.data.data, piece.data.len);
    get.offset += piece.data.len;
  } while (!piece.done);
  cr_assert_eq(piece.rows, batch.which_count);
}

Test(export_odd, gives_the_same_bytes_packed_or_not) {
  buf_t rows[4] = {{0}}, packed = {0};
  bool done = false;
  for (session_format_t format = 0; format <= SESSION_FORMAT_MCAP; format++)
    take(format, &rows[format]);

  store_set_compaction(fixture.store, 1, 1);
  while (!done)
    cr_assert_eq(store_compact_step(fixture.store, INT64_MAX, 20000, &done), GANTRY_OK);
  cr_assert_eq(fixture_number(&fixture, "SELECT count(*) FROM reading"), 0);
  for (session_format_t format = 0; format <= SESSION_FORMAT_MCAP; format++) {
    buf_reset(&packed);
    take(format, &packed);
    const buf_t *all = &rows[format];
    cr_assert_eq(packed.len, all->len, "%u: %zu bytes, not %zu", format, packed.len, all->len);
    cr_assert(memcmp(packed.data, all->data, all->len) == 0, "%u", format);
    buf_fini(&rows[format]);
  }
  buf_fini(&packed);
}

Test(export_odd, writes_lines_of_json_whose_numbers_read_back) {
  buf_t out = {0};
  size_t seen = 0;
  take(SESSION_FORMAT_JSONL, &out);
  (void)buf_text(&out);
  for (char *line = strtok((char *)out.data, "\n"); line; line = strtok(NULL, "\n")) {
    cr_assert(json_is_object(line, strlen(line)), "%s", line);
    const char *value = strstr(line, ",\"value\":");
    if (strstr(line, "\"data\":")) continue;
    cr_assert_not_null(value, "%s", line);
    cr_assert_eq(strtod(value + 9, NULL), VALUES[seen % COUNT(VALUES)], "%s", line);
    seen++;
  }
  cr_assert_eq(seen, COUNT(VALUES) * COUNT(TIMES));
  buf_fini(&out);
}
