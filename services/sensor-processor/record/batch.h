/* Batch: rows of many series gathered into one message sensor.readings. Copies everything; bounded;
   no allocation per row once the objects' buffer has grown. */
#ifndef SENSOR_BATCH_H
#define SENSOR_BATCH_H

#include <gantry/buf.h>

#include "recorder.h"

#define BATCH_OBJECT_MAX 65535 /* bytes of one object */

typedef struct batch {
  sensor_readings_t message;
  buf_t objects;         /* what message.objects borrows */
  uint32_t newest_which; /* series found last: rows of one sensor come together, or in turns */
} batch_t;

/* Harmless on zeroed memory. */
void batch_fini(batch_t *batch);
/* Forgets the rows, keeps the memory. */
void batch_clear(batch_t *batch);
/* Adds a row behind the others, with what was found in it. Nothing is changed by an error:
   GANTRY_E_TOO_LARGE when it does not fit behind the others (an empty batch takes any row),
   GANTRY_E_INVALID with the field at fault when storage would refuse it. */
gantry_err_t batch_add(batch_t *batch, const recorder_row_t *row, const char *session,
                       const sensor_finding_t *findings, uint32_t finding_count,
                       gantry_fault_t *fault);
/* The message, valid until the next call. */
const sensor_readings_t *batch_message(batch_t *batch);

#endif
