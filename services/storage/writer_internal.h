/* Inside of the writer: what its loop side and its thread share. */
#ifndef STORAGE_WRITER_INTERNAL_H
#define STORAGE_WRITER_INTERNAL_H

#include <gantry/mailbox.h>
#include <pthread.h>
#include <stdatomic.h>

#include "append.h"
#include "reader.h"
#include "writer.h"

typedef enum item_kind { ITEM_ROW, ITEM_JOB, ITEM_MAPPING, ITEM_STOP } item_kind_t;

typedef struct item {
  item_kind_t kind;
  union {
    row_t row;
    job_t *job;
    mapping_t mapping;
  };
} item_t;

struct writer {
  pthread_t thread;
  mailbox_t *in;
  mailbox_t *out; /* answered jobs, the readers' too */
  store_source_t source;
  writer_settings_t settings;
  lifecycle_t lifecycle;
  bool joined;
  /* The loop's thread alone. */
  uint32_t jobs[STORE_KINDS];     /* under way */
  reader_t *readers[STORE_KINDS]; /* of what is brief and of what is long */
  /* The writer's thread alone. */
  store_t *store; /* NULL: not connected */
  append_t *append;
  uint64_t connect_ns; /* when that is tried again */
  uint32_t batch_rows;
  uint64_t batch_deadline_ns;      /* 0: no batch is open */
  job_t *appends[WRITER_JOBS_MAX]; /* of the open batch: answered with its commit */
  uint32_t append_count;
  bool stopping;
  /* Read from the loop's thread. */
  atomic_uint_fast64_t rows, batches, failed, repeated, refused, dropped, queued, batch_max_us;
  atomic_bool failing, connected;
  pthread_mutex_t mutex; /* of trouble */
  char trouble[192];     /* why the database takes nothing, or "" */
};

void *writer_run(void *arg);

#endif
