/* The backup's thread and its state, which a mutex guards: it is read and written some times a
 * second. */
#include "backup_job.h"

#include <errno.h>
#include <gantry/clock.h>
#include <gantry/log.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

struct backup_job {
  db_kind_t kind;
  char database[BACKUP_PATH_MAX];
  char folder[BACKUP_PATH_MAX];
  char key_file[1024], own_key_file[1024];
  uint64_t now_ns;
  pthread_t thread;
  bool started; /* a thread has to be joined */
  atomic_bool cancelled;
  pthread_mutex_t mutex;
  store_backup_state_t state;
};

static bool tell(void *arg, const char *what, uint64_t done, uint64_t total) {
  backup_job_t *job = arg;
  pthread_mutex_lock(&job->mutex);
  snprintf(job->state.step, sizeof job->state.step, "%s", what);
  job->state.done = done;
  job->state.total = total;
  pthread_mutex_unlock(&job->mutex);
  return !atomic_load(&job->cancelled);
}

static void finish(backup_job_t *job, gantry_err_t err, const store_backup_manifest_t *manifest,
                   const gantry_fault_t *fault) {
  pthread_mutex_lock(&job->mutex);
  store_backup_state_t *state = &job->state;
  state->running = false;
  state->step[0] = '\0';
  state->done = state->total = 0;
  if (err == GANTRY_OK) {
    state->has_finished = true;
    state->finished = clock_wall_ns();
    state->bytes = manifest->bytes;
    snprintf(state->sha256, sizeof state->sha256, "%s", manifest->sha256);
  } else {
    snprintf(state->failed, sizeof state->failed, "%s",
             fault->detail[0] ? fault->detail : gantry_err_name(err));
  }
  pthread_mutex_unlock(&job->mutex);
}

static void *run(void *arg) {
  backup_job_t *job = arg;
  progress_t progress = {.tell = tell, .arg = job};
  store_backup_manifest_t manifest = {0};
  gantry_fault_t fault = {0};
  /* Only this thread's caller writes file, and not while it runs. */
  backup_order_t order = {.kind = job->kind,
                          .database = job->database,
                          .file = job->state.file,
                          .key_file = job->key_file,
                          .now_ns = job->now_ns};
  gantry_err_t err = backup_make(&order, &progress, &manifest, &fault);
  if (err == GANTRY_OK)
    log_info("BACKUP-DONE", "%s, %llu bytes", order.file, (unsigned long long)manifest.bytes);
  else
    log_error("BACKUP-FAILED", "%s: %s", order.file, fault.detail);
  finish(job, err, &manifest, &fault);
  return NULL;
}

gantry_err_t backup_job_new(db_kind_t kind, const char *database, const char *folder,
                            backup_job_t **out) {
  backup_job_t *job = calloc(1, sizeof *job);
  *out = job;
  if (!job) return GANTRY_E_INTERNAL;
  job->kind = kind;
  snprintf(job->database, sizeof job->database, "%s", database);
  snprintf(job->folder, sizeof job->folder, "%s", folder);
  pthread_mutex_init(&job->mutex, NULL);
  return GANTRY_OK;
}

static void join(backup_job_t *job) {
  if (job->started) pthread_join(job->thread, NULL);
  job->started = false;
}

void backup_job_destroy(backup_job_t **self) {
  if (!*self) return;
  backup_job_cancel(*self);
  join(*self);
  pthread_mutex_destroy(&(*self)->mutex);
  free(*self);
  *self = NULL;
}

/* backups/gantry-20260102T030405Z.db in the data folder. */
static gantry_err_t choose_file(backup_job_t *job, char *out, size_t size, gantry_fault_t *fault) {
  char folder[BACKUP_PATH_MAX], stamp[32];
  time_t seconds = (time_t)(job->now_ns / GANTRY_NS_PER_S);
  struct tm utc;
  snprintf(folder, sizeof folder, "%.960s/backups", job->folder);
  if (mkdir(folder, 0750) != 0 && errno != EEXIST)
    return fault_set(fault, GANTRY_E_UNAVAILABLE, "file", "%s: %s", folder, strerror(errno));
  gmtime_r(&seconds, &utc);
  strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
  snprintf(out, size, "%.970s/gantry-%s.%s", folder, stamp, job->kind == DB_SQLITE ? "db" : "dump");
  return GANTRY_OK;
}

static void set_state(backup_job_t *job, const store_backup_state_t *state) {
  pthread_mutex_lock(&job->mutex);
  job->state = *state;
  pthread_mutex_unlock(&job->mutex);
}

void backup_job_seal_by(backup_job_t *job, const char *key_file) {
  snprintf(job->own_key_file, sizeof job->own_key_file, "%s", key_file);
}

gantry_err_t backup_job_start(backup_job_t *job, const char *file, const char *key_file,
                              uint64_t now_ns, gantry_fault_t *fault) {
  store_backup_state_t before;
  seal_key_t key;
  backup_job_get(job, &before);
  if (before.running)
    return fault_set(fault, GANTRY_E_CONFLICT, "", "a backup is under way: wait for it, or end it");
  if (!file[0] && !key_file[0]) key_file = job->own_key_file;
  /* Before anything is begun, so that whoever asks is told at once. */
  if (key_file[0]) GANTRY_TRY(seal_read_key(key_file, &key, fault));
  join(job);
  store_backup_state_t state = {.running = true};
  job->now_ns = now_ns;
  snprintf(job->key_file, sizeof job->key_file, "%s", key_file);
  snprintf(state.file, sizeof state.file, "%s", file);
  if (!file[0]) GANTRY_TRY(choose_file(job, state.file, sizeof state.file, fault));
  set_state(job, &state);
  atomic_store(&job->cancelled, false);
  job->started = pthread_create(&job->thread, NULL, run, job) == 0;
  if (job->started) return GANTRY_OK;
  set_state(job, &before);
  return fault_set(fault, GANTRY_E_INTERNAL, "", "no thread for it");
}

void backup_job_cancel(backup_job_t *job) {
  atomic_store(&job->cancelled, true);
}

void backup_job_get(backup_job_t *job, store_backup_state_t *out) {
  pthread_mutex_lock(&job->mutex);
  *out = job->state;
  pthread_mutex_unlock(&job->mutex);
}
