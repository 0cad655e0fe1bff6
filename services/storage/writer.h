/* The writer: the one thread that writes. Rows and requests come by a bounded mailbox, answers go
   back by another; rows and appends are committed in batches, an append is answered after its
   commit, another request that writes runs in a transaction of its own. Requests that only read are
   answered by two readers: what somebody waits for does not queue behind what takes seconds. */
#ifndef STORAGE_WRITER_H
#define STORAGE_WRITER_H

#include "append.h"
#include "job.h"
#include "lifecycle.h"
#include "store_source.h"

#define WRITER_JOBS_MAX     64 /* requests under way that write or read for long */
#define WRITER_LONG_MAX     48 /* of those, that read */
#define WRITER_BRIEF_MAX    64 /* brief ones, beside them */
#define WRITER_SESSIONS_MAX 16 /* changes of session under way */

typedef struct writer writer_t;

typedef struct writer_settings {
  uint32_t queue;      /* rows that may wait */
  uint32_t batch_rows; /* commit at the latest after so many */
  uint32_t batch_ms;   /* or after so long */
  uint32_t map_versions;
  bool pin_sessions;
  lifecycle_settings_t lifecycle;
} writer_settings_t;

/* Counted since the start; may be read from any thread. */
typedef struct writer_stats {
  uint64_t rows;     /* committed */
  uint64_t batches;  /* */
  uint64_t failed;   /* rows the database refused, or lost with a batch that did not commit */
  uint64_t repeated; /* rows it already had */
  uint64_t refused;  /* records of outboxes that cannot be stored */
  uint64_t dropped;  /* rows that found the queue full */
  uint64_t queued;   /* rows and requests waiting now */
  double batch_ms;   /* longest commit since the last call of writer_get_stats */
  bool failing;      /* the database took nothing the last time, or is not there */
  char trouble[192]; /* why, for a person; or "" */
} writer_stats_t;

/* Starts the threads and takes the store, which it closes at the end (also when this fails). store
   NULL: the thread opens it from source, as often as it takes; meanwhile requests are answered
   GANTRY_E_UNAVAILABLE. source is also what the reader opens. */
gantry_err_t writer_new(const store_source_t *source, store_t *store,
                        const writer_settings_t *settings, writer_t **out);
/* Handles what waits, commits it and ends the thread. The answers stay to be taken. */
void writer_stop(writer_t *writer);
/* Stops, closes the store, destroys jobs that nobody took. NULL-safe. */
void writer_destroy(writer_t **self);

/* Queues a row and takes its data; false, counted, when the queue is full (the data is freed).
 * Never blocks. */
bool writer_add(writer_t *writer, const row_t *row);
/* Tells which mapping session readings of outboxes belong to; false when too much waits. */
bool writer_set_mapping(writer_t *writer, const mapping_t *mapping);
/* Queues a request and takes the job; false when too many are under way: the job stays the
 * caller's. */
bool writer_call(writer_t *writer, job_t *job);
/* The next answered job, now the caller's; NULL when none is there. */
job_t *writer_answered(writer_t *writer);
/* Readable while an answered job is there. */
int writer_fd(const writer_t *writer);
writer_stats_t writer_get_stats(writer_t *writer);
lifecycle_status_t writer_lifecycle(writer_t *writer);

#endif
