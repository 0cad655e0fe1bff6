/* A reader: answers requests that only read, on a connection and a thread of its own, so that
   they wait for no transaction of the writer. It sees what is committed. */
#ifndef STORAGE_READER_H
#define STORAGE_READER_H

#include <gantry/mailbox.h>

#include "job.h"
#include "store_source.h"

typedef struct reader reader_t;

/* answers (of job_t *, borrowed) takes each job when it is answered. */
gantry_err_t reader_new(const store_source_t *source, mailbox_t *answers, uint32_t jobs_max,
                        reader_t **out);
/* Answers what waits and ends the thread. NULL-safe. */
void reader_destroy(reader_t **self);
/* False when too many wait: the job stays the caller's. */
bool reader_call(reader_t *reader, job_t *job);

#endif
