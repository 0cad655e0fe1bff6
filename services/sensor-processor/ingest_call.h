/* Ingest calls: requests that hand readings in and are answered once those are on disk. */
#ifndef SENSOR_INGEST_CALL_H
#define SENSOR_INGEST_CALL_H

#include "processor_self.h"

/* A place for the request; NULL when all are taken: then it has been answered GANTRY_E_UNAVAILABLE.
 */
ingest_call_t *ingest_take_call(processor_t *self, rpc_context_t *call);
/* The request will be answered otherwise. */
void ingest_give_back(ingest_call_t *waiting);
/* The sensor has been given readings by this request: should they get lost, their numbers are
   forgotten, so that they can be sent again. */
void ingest_note_sensor(ingest_call_t *waiting, const char *sensor);
/* Flushes the recorder; the answer follows when that is done. */
void ingest_answer_once_kept(ingest_call_t *waiting);

/* Takes one reading in, through the pipeline; out says how it was judged. GANTRY_E_INVALID with the
   field of what a check refuses. */
gantry_err_t ingest_take(processor_t *self, const sensor_ingest_t *takes, const cause_t *cause,
                         sensor_accepted_t *out, gantry_fault_t *fault);

void on_ingest_each(rpc_context_t *call, const void *body, void *arg);
void on_ingest_batch(rpc_context_t *call, const void *body, void *arg);

#endif
