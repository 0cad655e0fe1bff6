/* The writer's side of the loop: what comes by its mailboxes, and who answers it. */
#include "writer_internal.h"

#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

static gantry_err_t start(writer_t *writer) {
  /* Room for every row, every job, sessions and the stop. */
  size_t jobs = WRITER_JOBS_MAX + WRITER_BRIEF_MAX;
  size_t most = writer->settings.queue + jobs + WRITER_SESSIONS_MAX + 1;
  GANTRY_TRY(append_new(&writer->append));
  GANTRY_TRY(mailbox_new(sizeof(item_t), most, &writer->in));
  GANTRY_TRY(mailbox_new(sizeof(job_t *), jobs, &writer->out));
  for (int kind = STORE_BRIEF; kind <= STORE_LONG; kind++)
    GANTRY_TRY(reader_new(&writer->source, writer->out, (uint32_t)jobs, &writer->readers[kind]));
  return pthread_create(&writer->thread, NULL, writer_run, writer) == 0 ? GANTRY_OK
                                                                        : GANTRY_E_INTERNAL;
}

gantry_err_t writer_new(const store_source_t *source, store_t *store,
                        const writer_settings_t *settings, writer_t **out) {
  writer_t *writer = calloc(1, sizeof *writer);
  *out = NULL;
  if (!writer) {
    store_close(&store);
    return GANTRY_E_INTERNAL;
  }
  writer->source = *source;
  writer->store = store;
  writer->settings = *settings;
  pthread_mutex_init(&writer->mutex, NULL);
  atomic_store(&writer->connected, store != NULL);
  lifecycle_init(&writer->lifecycle, &settings->lifecycle, clock_mono_ns());
  gantry_err_t err = start(writer);
  if (err == GANTRY_OK) {
    *out = writer;
    return err;
  }
  writer->joined = true; /* there is no thread */
  writer_destroy(&writer);
  return err;
}

static void drop_items(writer_t *writer) {
  item_t item;
  job_t *job;
  while (writer->in && mailbox_receive(writer->in, &item)) {
    if (item.kind == ITEM_ROW) free(item.row.data);
    if (item.kind == ITEM_JOB) job_destroy(&item.job);
  }
  while (writer->out && mailbox_receive(writer->out, &job))
    job_destroy(&job);
}

static void end_readers(writer_t *writer) {
  for (int kind = 0; kind < STORE_KINDS; kind++)
    reader_destroy(&writer->readers[kind]);
}

void writer_stop(writer_t *writer) {
  item_t stop = {.kind = ITEM_STOP};
  if (writer->joined) return;
  atomic_fetch_add(&writer->queued, 1);
  (void)mailbox_send(writer->in, &stop);
  pthread_join(writer->thread, NULL);
  end_readers(writer);
  writer->joined = true;
}

void writer_destroy(writer_t **self) {
  writer_t *writer = *self;
  if (!writer) return;
  writer_stop(writer);
  end_readers(writer);
  drop_items(writer);
  append_destroy(&writer->append);
  mailbox_destroy(&writer->in);
  mailbox_destroy(&writer->out);
  store_close(&writer->store);
  lifecycle_fini(&writer->lifecycle);
  pthread_mutex_destroy(&writer->mutex);
  free(writer);
  *self = NULL;
}

bool writer_add(writer_t *writer, const row_t *row) {
  item_t item = {.kind = ITEM_ROW, .row = *row};
  atomic_fetch_add(&writer->queued, 1);
  if (atomic_load(&writer->queued) <= writer->settings.queue && mailbox_send(writer->in, &item))
    return true;
  atomic_fetch_sub(&writer->queued, 1);
  atomic_fetch_add(&writer->dropped, 1);
  free(row->data);
  return false;
}

bool writer_set_mapping(writer_t *writer, const mapping_t *mapping) {
  item_t item = {.kind = ITEM_MAPPING, .mapping = *mapping};
  atomic_fetch_add(&writer->queued, 1);
  if (mailbox_send(writer->in, &item)) return true;
  atomic_fetch_sub(&writer->queued, 1);
  return false;
}

/* Before the writer has a database there is nothing to read from, and it says so. */
static bool send_job(writer_t *writer, store_kind_t kind, job_t *job) {
  item_t item = {.kind = ITEM_JOB, .job = job};
  if (kind != STORE_WRITES && atomic_load(&writer->connected))
    return reader_call(writer->readers[kind], job);
  atomic_fetch_add(&writer->queued, 1);
  if (mailbox_send(writer->in, &item)) return true;
  atomic_fetch_sub(&writer->queued, 1);
  return false;
}

static bool has_room(const writer_t *writer, store_kind_t kind) {
  const uint32_t *jobs = writer->jobs;
  if (kind == STORE_BRIEF) return jobs[STORE_BRIEF] < WRITER_BRIEF_MAX;
  if (kind == STORE_LONG && jobs[STORE_LONG] == WRITER_LONG_MAX) return false;
  return jobs[STORE_WRITES] + jobs[STORE_LONG] < WRITER_JOBS_MAX;
}

bool writer_call(writer_t *writer, job_t *job) {
  store_kind_t kind = store_kind_of(job->request);
  if (!has_room(writer, kind) || !send_job(writer, kind, job)) return false;
  writer->jobs[kind]++;
  return true;
}

job_t *writer_answered(writer_t *writer) {
  job_t *job = NULL;
  if (!mailbox_receive(writer->out, &job)) return NULL;
  writer->jobs[store_kind_of(job->request)]--;
  return job;
}

lifecycle_status_t writer_lifecycle(writer_t *writer) {
  return lifecycle_get(&writer->lifecycle);
}

int writer_fd(const writer_t *writer) {
  return mailbox_fd(writer->out);
}

writer_stats_t writer_get_stats(writer_t *writer) {
  writer_stats_t stats = {.rows = atomic_load(&writer->rows),
                          .batches = atomic_load(&writer->batches),
                          .failed = atomic_load(&writer->failed),
                          .repeated = atomic_load(&writer->repeated),
                          .refused = atomic_load(&writer->refused),
                          .dropped = atomic_load(&writer->dropped),
                          .queued = atomic_load(&writer->queued),
                          .batch_ms = (double)atomic_exchange(&writer->batch_max_us, 0) / 1000.0,
                          .failing = atomic_load(&writer->failing)};
  pthread_mutex_lock(&writer->mutex);
  memcpy(stats.trouble, writer->trouble, sizeof stats.trouble);
  pthread_mutex_unlock(&writer->mutex);
  return stats;
}
