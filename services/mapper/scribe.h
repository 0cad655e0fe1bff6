/* Scribe: writes the memory from a thread of its own, so that the loop waits for no disk. What was
   asked last is what is written. */
#ifndef MAPPER_SCRIBE_H
#define MAPPER_SCRIBE_H

#include "memory.h"

typedef struct scribe scribe_t;

/* path is copied. GANTRY_E_INTERNAL without memory or thread. */
gantry_err_t scribe_new(const char *path, scribe_t **out);
/* Writes what was asked for last, ends the thread. */
void scribe_destroy(scribe_t **self);
/* Has the map written; holds the parcel until it is. Does not block. */
void scribe_write(scribe_t *scribe, const memory_state_t *state, parcel_t *parcel);
/* Has the file removed. */
void scribe_forget(scribe_t *scribe);
/* Whether everything asked for is done. */
bool scribe_idle(scribe_t *scribe);
/* The outcome of the last writing. */
gantry_err_t scribe_outcome(scribe_t *scribe);

#endif
