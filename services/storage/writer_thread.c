/* The writer's thread: connects, gathers rows and appends into batches, commits them, answers. */
#include "writer_internal.h"

#include <gantry/clock.h>
#include <gantry/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_MS    1000u
#define CONNECT_MS 2000u

static void set_trouble(writer_t *writer, const char *text) {
  pthread_mutex_lock(&writer->mutex);
  snprintf(writer->trouble, sizeof writer->trouble, "%s", text);
  pthread_mutex_unlock(&writer->mutex);
}

/* An error on the way to disk, or the end of one. */
static void note(writer_t *writer, gantry_err_t err, const char *detail) {
  bool was_failing = atomic_exchange(&writer->failing, err != GANTRY_OK);
  set_trouble(writer, err == GANTRY_OK ? "" : detail);
  if (err != GANTRY_OK && !was_failing) log_error("STORE-FAILING", "%s", detail);
  if (err == GANTRY_OK && was_failing) log_info("STORE-WORKING", "the database takes rows again");
  if (err != GANTRY_OK && writer->store)
    lifecycle_note(&writer->lifecycle, writer->store, err, clock_mono_ns());
}

static void answer(writer_t *writer, job_t *job) {
  /* Never full: it has room for every job under way. */
  (void)mailbox_send(writer->out, &job);
}

static void refuse(writer_t *writer, job_t *job, const char *detail) {
  job->err = fault_set(&job->fault, GANTRY_E_UNAVAILABLE, "", "%s", detail);
  answer(writer, job);
}

static void connect_store(writer_t *writer, uint64_t now_ns) {
  gantry_fault_t fault = {0};
  char detail[sizeof fault.detail + 32];
  if (writer->store || now_ns < writer->connect_ns) return;
  gantry_err_t err = store_source_open(&writer->source, &writer->store, &fault);
  writer->connect_ns = clock_mono_ns() + CONNECT_MS * GANTRY_NS_PER_MS;
  if (err == GANTRY_OK) {
    store_keep_map_versions(writer->store, writer->settings.map_versions);
    store_pin_sessions(writer->store, writer->settings.pin_sessions);
    (void)store_checkpoint_apart(writer->store); /* else at the commits, as ever */
    atomic_store(&writer->connected, true);
  }
  snprintf(detail, sizeof detail, "no database: %s", fault.detail);
  note(writer, err, detail);
}

/* The commit's outcome, for everybody who waits for it. */
static void answer_appends(writer_t *writer, gantry_err_t err) {
  for (uint32_t i = 0; i < writer->append_count; i++) {
    job_t *job = writer->appends[i];
    const store_append_t *takes = job->takes;
    store_appended_t *gives = job->gives;
    *gives = (store_appended_t){.boot = takes->boot, .last = takes->last};
    if (err == GANTRY_OK)
      answer(writer, job);
    else
      refuse(writer, job, "the database did not take the records");
  }
  writer->append_count = 0;
}

static void end_batch(writer_t *writer, gantry_err_t err) {
  atomic_fetch_add(err == GANTRY_OK ? &writer->rows : &writer->failed, writer->batch_rows);
  if (err == GANTRY_OK) atomic_fetch_add(&writer->batches, 1);
  if (err != GANTRY_OK) append_forget(writer->append);
  answer_appends(writer, err);
  writer->batch_rows = 0;
  writer->batch_deadline_ns = 0;
}

static void commit_batch(writer_t *writer) {
  if (writer->batch_deadline_ns == 0) return;
  uint64_t begun_ns = clock_mono_ns();
  gantry_err_t err = store_commit(writer->store);
  uint64_t took_us = (clock_mono_ns() - begun_ns) / 1000;
  if (took_us > atomic_load(&writer->batch_max_us)) atomic_store(&writer->batch_max_us, took_us);
  note(writer, err, "the database does not take rows");
  end_batch(writer, err);
}

static void fail_batch(writer_t *writer, gantry_err_t err) {
  char detail[96];
  snprintf(detail, sizeof detail, "the database does not take records: %s", gantry_err_name(err));
  note(writer, err, detail);
  store_rollback(writer->store);
  end_batch(writer, err);
}

static gantry_err_t open_batch(writer_t *writer) {
  if (!writer->store || lifecycle_read_only(&writer->lifecycle)) return GANTRY_E_UNAVAILABLE;
  if (writer->batch_deadline_ns != 0) return GANTRY_OK;
  gantry_err_t err = store_begin(writer->store);
  if (err != GANTRY_OK) {
    note(writer, err, "the database begins no transaction");
    return err;
  }
  writer->batch_deadline_ns =
      clock_mono_ns() + (uint64_t)writer->settings.batch_ms * GANTRY_NS_PER_MS;
  return GANTRY_OK;
}

static void on_row(writer_t *writer, row_t *row) {
  gantry_err_t err = open_batch(writer);
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

static void on_append(writer_t *writer, job_t *job) {
  append_counts_t counts = {0};
  gantry_err_t err = open_batch(writer);
  if (err != GANTRY_OK) {
    refuse(writer, job, "the database takes nothing now");
    return;
  }
  err = append_take(writer->append, writer->store, job->producer, job->takes, &counts, &job->fault);
  if (err == GANTRY_OK) { /* what fails comes again, and is counted then */
    atomic_fetch_add(&writer->repeated, counts.repeated);
    atomic_fetch_add(&writer->refused, counts.refused);
  }
  writer->batch_rows += (uint32_t)counts.rows;
  if (err == GANTRY_E_SCHEMA || err == GANTRY_E_CONFLICT) {
    job->err = err;
    answer(writer, job);
    return;
  }
  writer->appends[writer->append_count++] = job;
  if (err != GANTRY_OK)
    fail_batch(writer, err);
  else if (writer->batch_rows >= writer->settings.batch_rows)
    commit_batch(writer);
}

static void on_job(writer_t *writer, job_t *job) {
  if (job->request == REQUEST_STORE_APPEND) {
    on_append(writer, job);
    return;
  }
  bool writes = store_kind_of(job->request) == STORE_WRITES;
  if (writes) commit_batch(writer);
  if (!writer->store) {
    refuse(writer, job, "the database is not there; the log of storage says why");
    return;
  }
  if (writes && lifecycle_read_only(&writer->lifecycle)) {
    refuse(writer, job, "the disk of the database is full: nothing is written");
    return;
  }
  job_serve(job, writer->store);
  /* Before the answer: with it the job is gone. */
  if (job->request == REQUEST_SESSION_DELETE) lifecycle_wake(&writer->lifecycle);
  answer(writer, job);
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
  case ITEM_MAPPING:
    append_set_mapping(writer->append, &item->mapping);
    break;
  case ITEM_STOP:
    writer->stopping = true;
    break;
  }
}

static uint64_t next_deadline_ns(const writer_t *writer) {
  if (writer->batch_deadline_ns) return writer->batch_deadline_ns;
  uint64_t idle_ns = clock_mono_ns() + (uint64_t)IDLE_MS * GANTRY_NS_PER_MS;
  uint64_t step_ns = writer->store ? lifecycle_next_ns(&writer->lifecycle) : writer->connect_ns;
  return step_ns < idle_ns ? step_ns : idle_ns;
}

void *writer_run(void *arg) {
  writer_t *writer = arg;
  item_t item;
  while (!writer->stopping) {
    connect_store(writer, clock_mono_ns());
    if (mailbox_wait(writer->in, &item, next_deadline_ns(writer))) handle(writer, &item);
    if (writer->batch_deadline_ns && clock_mono_ns() >= writer->batch_deadline_ns)
      commit_batch(writer);
    if (writer->store && !writer->batch_deadline_ns)
      lifecycle_step(&writer->lifecycle, writer->store, clock_mono_ns(), clock_wall_ns() / 1000);
  }
  commit_batch(writer);
  return NULL;
}
