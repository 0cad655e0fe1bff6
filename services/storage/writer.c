/* The writer's thread and its two mailboxes. */
#include "writer.h"

#include <gantry/clock.h>
#include <gantry/log.h>
#include <gantry/mailbox.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define IDLE_MS 1000u

typedef enum item_kind { ITEM_ROW, ITEM_JOB, ITEM_STOP } item_kind_t;

typedef struct item {
  item_kind_t kind;
  union {
    row_t row;
    job_t *job;
  };
} item_t;

struct writer {
  pthread_t thread;
  mailbox_t *in;
  mailbox_t *out;
  store_t *store;
  writer_settings_t settings;
  lifecycle_t lifecycle;
  bool joined;
  uint32_t jobs; /* under way; the loop's thread alone counts */
  /* The open batch: the writer's thread alone. */
  uint32_t batch_rows;
  uint64_t batch_deadline_ns; /* 0: no batch is open */
  bool stopping;
  /* Read from the loop's thread. */
  atomic_uint_fast64_t rows, batches, failed, repeated, dropped, queued, batch_max_us;
  atomic_bool failing;
};

static void note_commit(writer_t *writer, gantry_err_t err, uint64_t begun_ns) {
  uint64_t took_us = (clock_mono_ns() - begun_ns) / 1000;
  if (took_us > atomic_load(&writer->batch_max_us)) atomic_store(&writer->batch_max_us, took_us);
  bool was_failing = atomic_exchange(&writer->failing, err != GANTRY_OK);
  if (err != GANTRY_OK && !was_failing)
    log_error("STORE-FAILING", "the database does not take rows: %s", gantry_err_name(err));
  if (err == GANTRY_OK && was_failing) log_info("STORE-WORKING", "the database takes rows again");
}

static void commit_batch(writer_t *writer) {
  if (writer->batch_deadline_ns == 0) return;
  uint64_t begun_ns = clock_mono_ns();
  gantry_err_t err = store_commit(writer->store);
  note_commit(writer, err, begun_ns);
  atomic_fetch_add(err == GANTRY_OK ? &writer->rows : &writer->failed, writer->batch_rows);
  if (err == GANTRY_OK) atomic_fetch_add(&writer->batches, 1);
  writer->batch_rows = 0;
  writer->batch_deadline_ns = 0;
}

static gantry_err_t open_batch(writer_t *writer) {
  if (writer->batch_deadline_ns != 0) return GANTRY_OK;
  GANTRY_TRY(store_begin(writer->store));
  writer->batch_deadline_ns =
      clock_mono_ns() + (uint64_t)writer->settings.batch_ms * GANTRY_NS_PER_MS;
  return GANTRY_OK;
}

static void on_row(writer_t *writer, row_t *row) {
  gantry_err_t err = open_batch(writer);
  if (err != GANTRY_OK) note_commit(writer, err, clock_mono_ns());
  if (err == GANTRY_OK) err = store_add(writer->store, row);
  free(row->data);
  if (err == GANTRY_OK)
    writer->batch_rows++;
  else if (err == GANTRY_E_CONFLICT)
    atomic_fetch_add(&writer->repeated, 1);
  else
    atomic_fetch_add(&writer->failed, 1);
  if (writer->batch_rows >= writer->settings.batch_rows) commit_batch(writer);
}

static void on_job(writer_t *writer, job_t *job) {
  if (store_writes(job->request)) commit_batch(writer);
  store_call_t call = {.request = job->request,
                       .takes = job->takes,
                       .gives = job->gives,
                       .arena = &job->arena,
                       .now_ns = job->now_ns,
                       .actor = job->actor,
                       .fault = &job->fault};
  job->err = store_serve(writer->store, &call);
  /* Never full: it holds WRITER_JOBS_MAX, and no more are under way. */
  (void)mailbox_send(writer->out, &job);
}

static uint64_t next_deadline_ns(const writer_t *writer) {
  if (writer->batch_deadline_ns) return writer->batch_deadline_ns;
  uint64_t idle_ns = clock_mono_ns() + (uint64_t)IDLE_MS * GANTRY_NS_PER_MS;
  uint64_t step_ns = lifecycle_next_ns(&writer->lifecycle);
  return step_ns < idle_ns ? step_ns : idle_ns;
}

static void handle(writer_t *writer, item_t *item) {
  atomic_fetch_sub(&writer->queued, 1);
  switch (item->kind) {
  case ITEM_ROW:
    on_row(writer, &item->row);
    break;
  case ITEM_JOB:
    on_job(writer, item->job);
    break;
  case ITEM_STOP:
    writer->stopping = true;
    break;
  }
}

static void *run(void *arg) {
  writer_t *writer = arg;
  item_t item;
  while (!writer->stopping) {
    if (mailbox_wait(writer->in, &item, next_deadline_ns(writer))) handle(writer, &item);
    if (writer->batch_deadline_ns && clock_mono_ns() >= writer->batch_deadline_ns)
      commit_batch(writer);
    if (!writer->batch_deadline_ns)
      lifecycle_step(&writer->lifecycle, writer->store, clock_mono_ns(), clock_wall_ns() / 1000);
  }
  commit_batch(writer);
  return NULL;
}

gantry_err_t writer_new(store_t *store, const writer_settings_t *settings, writer_t **out) {
  writer_t *writer = calloc(1, sizeof *writer);
  *out = NULL;
  if (!writer) {
    store_close(&store);
    return GANTRY_E_INTERNAL;
  }
  writer->store = store;
  writer->settings = *settings;
  lifecycle_init(&writer->lifecycle, &settings->lifecycle, clock_mono_ns());
  /* Room for every row, every job and the stop. */
  gantry_err_t err =
      mailbox_new(sizeof(item_t), settings->queue + WRITER_JOBS_MAX + 1, &writer->in);
  if (err == GANTRY_OK) err = mailbox_new(sizeof(job_t *), WRITER_JOBS_MAX, &writer->out);
  if (err == GANTRY_OK && pthread_create(&writer->thread, NULL, run, writer) == 0) {
    *out = writer;
    return GANTRY_OK;
  }
  mailbox_destroy(&writer->in);
  mailbox_destroy(&writer->out);
  store_close(&writer->store);
  free(writer);
  return GANTRY_E_INTERNAL;
}

static void drop_items(writer_t *writer) {
  item_t item;
  job_t *job;
  while (mailbox_receive(writer->in, &item)) {
    if (item.kind == ITEM_ROW) free(item.row.data);
    if (item.kind == ITEM_JOB) job_destroy(&item.job);
  }
  while (mailbox_receive(writer->out, &job))
    job_destroy(&job);
}

void writer_stop(writer_t *writer) {
  item_t stop = {.kind = ITEM_STOP};
  if (writer->joined) return;
  atomic_fetch_add(&writer->queued, 1);
  (void)mailbox_send(writer->in, &stop);
  pthread_join(writer->thread, NULL);
  writer->joined = true;
}

void writer_destroy(writer_t **self) {
  writer_t *writer = *self;
  if (!writer) return;
  writer_stop(writer);
  drop_items(writer);
  mailbox_destroy(&writer->in);
  mailbox_destroy(&writer->out);
  store_close(&writer->store);
  lifecycle_fini(&writer->lifecycle);
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

bool writer_call(writer_t *writer, job_t *job) {
  item_t item = {.kind = ITEM_JOB, .job = job};
  if (writer->jobs == WRITER_JOBS_MAX) return false;
  atomic_fetch_add(&writer->queued, 1);
  if (!mailbox_send(writer->in, &item)) {
    atomic_fetch_sub(&writer->queued, 1);
    return false;
  }
  writer->jobs++;
  return true;
}

job_t *writer_answered(writer_t *writer) {
  job_t *job = NULL;
  if (!mailbox_receive(writer->out, &job)) return NULL;
  writer->jobs--;
  return job;
}

lifecycle_status_t writer_lifecycle(writer_t *writer) {
  return lifecycle_get(&writer->lifecycle);
}

int writer_fd(const writer_t *writer) {
  return mailbox_fd(writer->out);
}

writer_stats_t writer_get_stats(writer_t *writer) {
  return (writer_stats_t){.rows = atomic_load(&writer->rows),
                          .batches = atomic_load(&writer->batches),
                          .failed = atomic_load(&writer->failed),
                          .repeated = atomic_load(&writer->repeated),
                          .dropped = atomic_load(&writer->dropped),
                          .queued = atomic_load(&writer->queued),
                          .batch_ms = (double)atomic_exchange(&writer->batch_max_us, 0) / 1000.0,
                          .failing = atomic_load(&writer->failing)};
}
