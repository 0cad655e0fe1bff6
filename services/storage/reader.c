/* The reader's thread. Its connection is opened with the first request. */
#include "reader.h"

#include <pthread.h>
#include <stdlib.h>

#include <gantry/clock.h>

#define IDLE_NS (3600 * GANTRY_NS_PER_S)

struct reader {
  pthread_t thread;
  store_source_t source;
  mailbox_t *in;      /* of job_t *; NULL ends the thread */
  mailbox_t *answers; /* borrowed */
  store_t *store;
};

static void serve(reader_t *reader, job_t *job) {
  if (!reader->store)
    job->err = store_source_open_reader(&reader->source, &reader->store, &job->fault);
  if (reader->store) job_serve(job, reader->store);
  /* Never full: it has room for every job under way. */
  (void)mailbox_send(reader->answers, &job);
}

static void *run(void *arg) {
  reader_t *reader = arg;
  job_t *job;
  for (;;) {
    if (!mailbox_wait(reader->in, &job, clock_mono_ns() + IDLE_NS)) continue;
    if (!job) return NULL;
    serve(reader, job);
  }
}

gantry_err_t reader_new(const store_source_t *source, mailbox_t *answers, uint32_t jobs_max,
                        reader_t **out) {
  reader_t *self = calloc(1, sizeof *self);
  *out = NULL;
  if (!self) return GANTRY_E_INTERNAL;
  self->source = *source;
  self->answers = answers;
  if (mailbox_new(sizeof(job_t *), jobs_max + 1, &self->in) == GANTRY_OK &&
      pthread_create(&self->thread, NULL, run, self) == 0) {
    *out = self;
    return GANTRY_OK;
  }
  mailbox_destroy(&self->in);
  free(self);
  return GANTRY_E_INTERNAL;
}

void reader_destroy(reader_t **self) {
  reader_t *reader = *self;
  job_t *end = NULL;
  if (!reader) return;
  (void)mailbox_send(reader->in, &end);
  pthread_join(reader->thread, NULL);
  mailbox_destroy(&reader->in);
  store_close(&reader->store);
  free(reader);
  *self = NULL;
}

bool reader_call(reader_t *reader, job_t *job) {
  return mailbox_send(reader->in, &job);
}
