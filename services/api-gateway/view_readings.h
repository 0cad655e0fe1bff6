/* Readings of any type, their sums and findings as the API shows them. Pure. */
#ifndef GATEWAY_VIEW_READINGS_H
#define GATEWAY_VIEW_READINGS_H

#include <gantry/buf.h>
#include <messages.h>

/* data is borrowed from row. */
void view_reading(const store_readings_row_t *row, http_reading_t *out);
void view_finding(const store_event_row_t *row, http_finding_t *out);
/* out: sensor, unit, interval and rows; the span is the caller's. */
void view_aggregated(const store_aggregate_t *sums, http_aggregated_t *out);

/* The columns of a batch. objects holds the JSON of its rows afterwards, which out borrows.
   GANTRY_E_SCHEMA, naming the field in fault: a row without value and data, or with both, or more
   than 64 different sensors. */
gantry_err_t view_batch(const http_readings_given_t *given, buf_t *objects, sensor_readings_t *out,
                        gantry_fault_t *fault);

#endif
