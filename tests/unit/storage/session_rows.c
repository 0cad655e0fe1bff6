/* Readings by the batch, as a bench delivers them. */
#include "session_rows.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define EARLIEST_MS 10000 /* before the start */

typedef struct rows {
  fixture_t *fixture;
  sensor_readings_t batch;
  char objects[65536];
  size_t objects_len;
  uint64_t count;
} rows_t;

static void flush(rows_t *rows) {
  sensor_readings_t *batch = &rows->batch;
  uint32_t added;
  if (!batch->which_count) return;
  batch->time_count = batch->number_count = batch->value_count = batch->quality_count =
      batch->validity_count = batch->which_count;
  batch->objects = (blob_t){.data = (const uint8_t *)rows->objects, .len = rows->objects_len};
  gantry_err_t err = store_add_readings(rows->fixture->store, &(store_origin_t){.robot = "r1"},
                                        batch, &added, &rows->fixture->fault);
  cr_assert_eq(err, GANTRY_OK, "%s", rows->fixture->fault.detail);
  cr_assert_eq(added, batch->which_count);
  rows->count += added;
  batch->which_count = batch->which_objects_count = 0;
  rows->objects_len = 0;
}

static void put(rows_t *rows, uint8_t which, int64_t ms, uint64_t number, double value) {
  sensor_readings_t *batch = &rows->batch;
  if (batch->which_count == 1000) flush(rows);
  uint32_t i = batch->which_count++;
  batch->which[i] = which;
  batch->time[i] = (uint64_t)(SESSION_START_US + ms * 1000) * 1000;
  batch->number[i] = number;
  batch->value[i] = value;
  batch->quality[i] = 0.98f;
  batch->validity[i] = value > 90 ? 2 : 0;
}

static void put_camera(rows_t *rows, int64_t ms, uint64_t number) {
  sensor_readings_t *batch = &rows->batch;
  put(rows, 2, ms, number, 0);
  batch->which_objects[batch->which_objects_count++] = (uint16_t)(batch->which_count - 1);
  int len = snprintf(rows->objects + rows->objects_len, sizeof rows->objects - rows->objects_len,
                     "{\"image_id\": %d, \"resolution\": \"640x480\", \"brightness\": %d}",
                     1001 + (int)(ms / 10), (int)(ms % 256));
  rows->objects_len += (size_t)len + 1;
}

static void name(rows_t *rows, uint32_t at, const char *sensor, const char *unit,
                 const char *session) {
  sensor_series_key_t *key = &rows->batch.series[at];
  rows->batch.series_count = at + 1;
  snprintf(key->sensor, sizeof key->sensor, "%s-1", sensor);
  snprintf(key->type, sizeof key->type, "%s", sensor);
  snprintf(key->unit, sizeof key->unit, "%s", unit);
  snprintf(key->session, sizeof key->session, "%s", session);
  key->source = SYS_SOURCE_SIMULATED;
}

uint64_t session_rows_add(fixture_t *fixture, const char *session, int64_t from_ms, int64_t ms) {
  static rows_t rows;
  rows = (rows_t){.fixture = fixture};
  name(&rows, 0, "force", "N", session);
  name(&rows, 1, "motor", "rpm", session);
  name(&rows, 2, "camera", "", session);
  cr_assert_eq(store_begin(fixture->store), GANTRY_OK);
  for (int64_t at = from_ms; at < from_ms + ms; at++) {
    put(&rows, 0, at, (uint64_t)(at + EARLIEST_MS) * 3, (double)(at % 997) / 8);
    if (at % 2 == 0)
      put(&rows, 1, at, (uint64_t)(at + EARLIEST_MS) * 3 + 1, -0.25 * (double)(1 + at % 31));
    if (at % 10 == 0) put_camera(&rows, at, (uint64_t)(at + EARLIEST_MS) * 3 + 2);
  }
  flush(&rows);
  cr_assert_eq(store_commit(fixture->store), GANTRY_OK);
  return rows.count;
}
