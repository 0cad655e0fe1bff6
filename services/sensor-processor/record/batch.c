/* Columns from rows. */
#include "batch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define VALUE_MAX       1e300
#define OBJECTS_MAX     1048576u /* bytes in sensor.readings */

void batch_fini(batch_t *batch) {
  buf_fini(&batch->objects);
}

void batch_clear(batch_t *batch) {
  sensor_readings_t *message = &batch->message;
  message->series_count = message->which_count = message->findings_count = 0;
  message->which_objects_count = message->which_both_count = 0;
  batch->newest_which = 0;
  buf_reset(&batch->objects);
}

static bool is_too_long(const char *text, size_t size) {
  return strnlen(text, size) == size;
}

static gantry_err_t check_names(const recorder_row_t *row, gantry_fault_t *fault) {
  static const sensor_series_key_t *const KEY = NULL;
  if (!row->sensor[0] || is_too_long(row->sensor, sizeof KEY->sensor))
    return fault_set(fault, GANTRY_E_INVALID, "sensor", "a sensor id has 1 to %zu bytes",
                     sizeof KEY->sensor - 1);
  if (!row->code[0] || is_too_long(row->code, sizeof KEY->type))
    return fault_set(fault, GANTRY_E_INVALID, "code", "a code has 1 to %zu bytes",
                     sizeof KEY->type - 1);
  if (is_too_long(row->unit, sizeof KEY->unit))
    return fault_set(fault, GANTRY_E_INVALID, "unit", "a unit has at most %zu bytes",
                     sizeof KEY->unit - 1);
  return GANTRY_OK;
}

static gantry_err_t check_row(const recorder_row_t *row, gantry_fault_t *fault) {
  GANTRY_TRY(check_names(row, fault));
  if (row->has_value && !(fabs(row->value) <= VALUE_MAX))
    return fault_set(fault, GANTRY_E_INVALID, "value", "%g cannot be kept: give a finite number",
                     row->value);
  if (!(row->quality >= 0 && row->quality <= 1))
    return fault_set(fault, GANTRY_E_INVALID, "quality", "%g is not within 0 to 1",
                     (double)row->quality);
  if (row->number > INT64_MAX)
    return fault_set(fault, GANTRY_E_INVALID, "number", "is beyond 2^63 - 1");
  if (!row->has_value && !row->json)
    return fault_set(fault, GANTRY_E_INVALID, "value", "neither a value nor an object");
  if (row->json && row->json_len > BATCH_OBJECT_MAX)
    return fault_set(fault, GANTRY_E_INVALID, "data", "%zu bytes, %d can be kept", row->json_len,
                     BATCH_OBJECT_MAX);
  return GANTRY_OK;
}

static bool is_series(const sensor_series_key_t *key, const recorder_row_t *row,
                      const char *session) {
  return key->source == row->source && strcmp(key->sensor, row->sensor) == 0 &&
         strcmp(key->type, row->code) == 0 && strcmp(key->unit, row->unit) == 0 &&
         strcmp(key->session, session) == 0;
}

/* Index of the row's series; series_count when it is new. */
static uint32_t find_series(const batch_t *batch, const recorder_row_t *row, const char *session) {
  const sensor_readings_t *message = &batch->message;
  for (uint32_t i = 0; i < message->series_count; i++) {
    uint32_t at = (batch->newest_which + i) % message->series_count;
    if (is_series(&message->series[at], row, session)) return at;
  }
  return message->series_count;
}

static bool has_room(const batch_t *batch, const recorder_row_t *row, uint32_t which,
                     uint32_t finding_count) {
  const sensor_readings_t *message = &batch->message;
  return message->which_count < COUNT_OF(message->which) && which < COUNT_OF(message->series) &&
         message->findings_count + finding_count <= COUNT_OF(message->findings) &&
         (!row->json || batch->objects.len + row->json_len < OBJECTS_MAX);
}

static void add_series(sensor_readings_t *message, const recorder_row_t *row, const char *session) {
  sensor_series_key_t *key = &message->series[message->series_count++];
  *key = (sensor_series_key_t){.source = row->source};
  snprintf(key->sensor, sizeof key->sensor, "%s", row->sensor);
  snprintf(key->type, sizeof key->type, "%s", row->code);
  snprintf(key->unit, sizeof key->unit, "%s", row->unit);
  snprintf(key->session, sizeof key->session, "%s", session);
}

static gantry_err_t add_object(batch_t *batch, const recorder_row_t *row) {
  sensor_readings_t *message = &batch->message;
  if (!buf_reserve(&batch->objects, row->json_len + 1)) return GANTRY_E_UNAVAILABLE;
  buf_put(&batch->objects, row->json, row->json_len);
  buf_put_byte(&batch->objects, 0);
  message->which_objects[message->which_objects_count++] = (uint16_t)message->which_count;
  if (row->has_value)
    message->which_both[message->which_both_count++] = (uint16_t)message->which_count;
  return GANTRY_OK;
}

static void add_findings(sensor_readings_t *message, const sensor_finding_t *findings,
                         uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    sensor_finding_t *finding = &message->findings[message->findings_count++];
    *finding = findings[i];
    finding->row = (uint16_t)message->which_count;
  }
}

static void add_columns(sensor_readings_t *message, const recorder_row_t *row, uint32_t which) {
  uint32_t at = message->which_count++;
  message->which[at] = (uint8_t)which;
  message->time[at] = row->time_ns;
  message->number[at] = row->number;
  message->value[at] = row->has_value ? row->value : 0;
  message->quality[at] = row->quality;
  message->validity[at] = (uint8_t)row->validity;
}

gantry_err_t batch_add(batch_t *batch, const recorder_row_t *row, const char *session,
                       const sensor_finding_t *findings, uint32_t finding_count,
                       gantry_fault_t *fault) {
  sensor_readings_t *message = &batch->message;
  GANTRY_TRY(check_row(row, fault));
  uint32_t which = find_series(batch, row, session);
  if (!has_room(batch, row, which, finding_count)) return GANTRY_E_TOO_LARGE;
  if (row->json) GANTRY_TRY(add_object(batch, row));
  if (which == message->series_count) add_series(message, row, session);
  batch->newest_which = which;
  add_findings(message, findings, finding_count);
  add_columns(message, row, which);
  return GANTRY_OK;
}

const sensor_readings_t *batch_message(batch_t *batch) {
  sensor_readings_t *message = &batch->message;
  message->time_count = message->number_count = message->value_count = message->which_count;
  message->quality_count = message->validity_count = message->which_count;
  message->objects = (blob_t){batch->objects.data, batch->objects.len};
  return message;
}
