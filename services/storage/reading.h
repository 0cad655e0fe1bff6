/* Messages as rows: what of each is kept, and its JSON, in the units of the published API
   (millimetres, degrees). Blocks on nothing. */
#ifndef STORAGE_READING_H
#define STORAGE_READING_H

#include <gantry/frame.h>

#include "row.h"

/* Origin and time of a message; the rest stays as it is. */
void row_from_frame(row_t *row, const frame_t *frame);

/* Each fills row->reading and row->data (malloc'd, NULL for a bare number); false without memory,
   or when the JSON would be too large. The row's origin and time are the caller's. */
bool reading_from_scan(row_t *row, const sensor_scan_t *scan);
bool reading_from_imu(row_t *row, const sensor_imu_t *imu);
bool reading_from_range(row_t *row, const sensor_range_t *range);
bool reading_from_value(row_t *row, const sensor_value_t *value);
bool reading_from_tag(row_t *row, const sensor_tag_t *tag);
bool reading_from_power(row_t *row, const robot_power_t *power);
bool reading_from_module(row_t *row, const robot_module_t *module);

#endif
