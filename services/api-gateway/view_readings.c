/* Rows of readings. */
#include "view_readings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gantry/json.h>

void view_reading(const store_readings_row_t *row, http_reading_t *out) {
  memset(out, 0, sizeof *out);
  snprintf(out->sensor_id, sizeof out->sensor_id, "%s", row->sensor);
  snprintf(out->sensor_type, sizeof out->sensor_type, "%s", row->type);
  snprintf(out->unit, sizeof out->unit, "%s", row->unit);
  snprintf(out->session_id, sizeof out->session_id, "%s", row->session);
  out->has_value = row->has_value;
  out->value = row->value;
  out->has_data = row->has_data;
  out->data = row->data;
  out->quality = round(row->quality * 1e6) / 1e6; /* it was a float on its way */
  out->status = row->validity;
  out->source = row->source;
  out->number = row->number;
  out->timestamp = row->time;
}

void view_finding(const store_event_row_t *row, http_finding_t *out) {
  memset(out, 0, sizeof *out);
  out->id = row->id;
  snprintf(out->sensor_id, sizeof out->sensor_id, "%s", row->event.subject);
  snprintf(out->message, sizeof out->message, "%s", row->event.message);
  snprintf(out->details, sizeof out->details, "%s", row->event.has_data ? row->event.data : "{}");
  (void)json_get_text(out->details, "rule", out->rule, sizeof out->rule);
  (void)json_get_text(out->details, "session", out->session_id, sizeof out->session_id);
  out->status = row->event.severity;
  out->timestamp = row->time;
}

void view_aggregated(const store_aggregate_t *sums, http_aggregated_t *out) {
  snprintf(out->sensor_id, sizeof out->sensor_id, "%s", sums->sensor);
  snprintf(out->unit, sizeof out->unit, "%s", sums->unit);
  out->interval_seconds = sums->bucket;
  out->total_intervals = out->intervals_count = sums->rows_count;
  for (uint32_t i = 0; i < sums->rows_count; i++) {
    const store_aggregate_row_t *row = &sums->rows[i];
    double n = (double)row->count;
    double spread = row->sum2 - row->sum * row->mean; /* may be below 0 by rounding */
    out->intervals[i] = (http_aggregated_row_t){
        .interval_start = row->start,
        .interval_end = row->start + (uint64_t)sums->bucket * 1000000000u,
        .count = row->count,
        .average = row->mean,
        .min = row->min,
        .max = row->max,
        .has_deviation = row->count > 1,
        .deviation = row->count > 1 && spread > 0 ? sqrt(spread / (n - 1)) : 0,
        .first = row->first,
        .last = row->last};
  }
}

/* ---- batches in */

/* The series of a row, added when it is new; -1 when there is no room. */
static int series_of(const http_reading_given_t *row, sensor_readings_t *out) {
  enum { ROOM = sizeof out->series / sizeof out->series[0] };
  const char *unit = row->has_unit ? row->unit : "";

  for (uint32_t i = 0; i < out->series_count; i++) {
    const sensor_series_key_t *key = &out->series[i];
    if (!strcmp(key->sensor, row->sensor_id) && !strcmp(key->type, row->sensor_type) &&
        !strcmp(key->unit, unit)) {
      return (int)i;
    }
  }
  if (out->series_count == ROOM) return -1;
  sensor_series_key_t *added = &out->series[out->series_count];
  snprintf(added->sensor, sizeof added->sensor, "%s", row->sensor_id);
  snprintf(added->type, sizeof added->type, "%s", row->sensor_type);
  snprintf(added->unit, sizeof added->unit, "%s", unit);
  added->source = SYS_SOURCE_API;
  return (int)out->series_count++;
}

static gantry_err_t add_row(const http_reading_given_t *row, uint32_t i, buf_t *objects,
                            sensor_readings_t *out, gantry_fault_t *fault) {
  char field[40];

  snprintf(field, sizeof field, "readings[%u]", i);
  if (row->has_value == row->has_data) {
    return fault_set(fault, GANTRY_E_SCHEMA, field,
                     "needs value, for a type that is a number, or "
                     "data, for one that is an object");
  }
  if (row->has_data && !json_is_object(row->data, strlen(row->data)))
    return fault_set(fault, GANTRY_E_SCHEMA, field, "data has to be an object");
  int series = series_of(row, out);
  if (series < 0)
    return fault_set(fault, GANTRY_E_SCHEMA, field, "is of a 65th sensor: send several batches");
  out->which[i] = (uint8_t)series;
  out->time[i] = row->timestamp;
  out->number[i] = row->has_number ? row->number : 0;
  out->value[i] = row->has_value ? row->value : 0;
  out->quality[i] = row->has_quality ? (float)row->quality : 1;
  out->validity[i] = SENSOR_VALIDITY_VALID;
  if (!row->has_data) return GANTRY_OK;
  out->which_objects[out->which_objects_count++] = (uint16_t)i;
  buf_put(objects, row->data, strlen(row->data) + 1);
  return buf_err(objects) == GANTRY_OK
             ? GANTRY_OK
             : fault_set(fault, GANTRY_E_SCHEMA, field,
                         "objects of more than 1 MiB in all: send several batches");
}

gantry_err_t view_batch(const http_readings_given_t *given, buf_t *objects, sensor_readings_t *out,
                        gantry_fault_t *fault) {
  uint32_t count = given->readings_count;

  memset(out, 0, sizeof *out);
  buf_reset(objects);
  objects->limit = 1u << 20;
  for (uint32_t i = 0; i < count; i++)
    GANTRY_TRY(add_row(&given->readings[i], i, objects, out, fault));
  out->which_count = out->time_count = out->number_count = count;
  out->value_count = out->quality_count = out->validity_count = count;
  out->objects = (blob_t){.data = objects->data, .len = objects->len};
  return GANTRY_OK;
}
