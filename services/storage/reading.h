/* States of the robot as rows of readings, whole, as JSON. Blocks on nothing. */
#ifndef STORAGE_READING_H
#define STORAGE_READING_H

#include <gantry/frame.h>

#include "row.h"

/* Origin and time of a message; the rest stays as it is. */
void row_from_frame(row_t *row, const frame_t *frame);

/* Each fills row->reading and row->data (malloc'd); false without memory, or when the JSON would be
   too large. The row's origin and time are the caller's. */
bool reading_from_power(row_t *row, const robot_power_t *power);
bool reading_from_module(row_t *row, const robot_module_t *module);

#endif
