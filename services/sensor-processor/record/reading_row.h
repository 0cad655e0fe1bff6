/* What the pipeline says of a sensor, as a row for the recorder: its JSON has the units of the
   published API (millimetres, degrees). */
#ifndef SENSOR_READING_ROW_H
#define SENSOR_READING_ROW_H

#include <gantry/buf.h>

#include "recorder.h"

/* Each fills out, whose texts borrow from the message and from json, which is emptied first; time
   and number are the caller's. false without memory, or when the JSON would be longer than 65,535
   bytes. */
bool reading_row_scan(const sensor_scan_t *scan, buf_t *json, recorder_row_t *out);
bool reading_row_imu(const sensor_imu_t *imu, buf_t *json, recorder_row_t *out);
bool reading_row_range(const sensor_range_t *range, buf_t *json, recorder_row_t *out);
bool reading_row_tag(const sensor_tag_t *tag, buf_t *json, recorder_row_t *out);
/* A bare number. code: of its type in the registry. */
void reading_row_value(const sensor_value_t *value, const char *code, recorder_row_t *out);

#endif
