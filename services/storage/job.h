/* A request on its way through the writer thread: owns its copies, so that loop and writer share
 * nothing. */
#ifndef STORAGE_JOB_H
#define STORAGE_JOB_H

#include <gantry/catalogue.h>

#include "store.h"

typedef struct job {
  const request_t *request;
  void *token; /* of whoever waits for the answer; the job does not touch it */
  void *takes; /* copy, blobs included */
  void *gives; /* filled by the writer */
  gantry_err_t err;
  gantry_fault_t fault; /* why it failed */
  uint64_t now_ns;      /* wall time at arrival */
  char actor[51];
  char producer[33]; /* service that asks */
  arena_t arena;     /* blobs of takes and gives */
} job_t;

/* Copies takes deeply. NULL without memory. */
job_t *job_new(const request_t *request, const void *takes, const char *actor, uint64_t now_ns,
               void *token);
/* Fills gives, or err and fault. */
void job_serve(job_t *job, store_t *store);
void job_destroy(job_t **self);

#endif
