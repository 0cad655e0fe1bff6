/* The thread goes over the log for every ASK_PAGES of it, and again for what came meanwhile; what
   still comes then, the writer finishes. */
#include "db_sqlite_checkpoint.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define ASK_PAGES  1000
#define PASSES_MAX 4 /* each shorter than the one before */

struct db_checkpoint {
  pthread_t thread;
  pthread_mutex_t mutex; /* of asked and stopping */
  pthread_cond_t changed;
  sqlite3 *writer; /* borrowed */
  sqlite3 *handle; /* the thread's own */
  bool asked, stopping;
  atomic_bool passed; /* the thread is through: what is left is little */
  int next_pages;     /* of the log when the thread is asked again; the writer's thread */
};

/* Until the log no longer grows under it. Busy, or out of room: the next turn tries again. */
static void carry(sqlite3 *handle) {
  int before = -1, pages = 0, err = SQLITE_OK;
  for (int i = 0; i < PASSES_MAX && pages != before && err == SQLITE_OK; i++) {
    before = pages;
    err = sqlite3_wal_checkpoint_v2(handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, NULL);
  }
}

static void *run(void *arg) {
  db_checkpoint_t *self = arg;
  pthread_mutex_lock(&self->mutex);
  while (!self->stopping) {
    if (!self->asked) {
      pthread_cond_wait(&self->changed, &self->mutex);
      continue;
    }
    self->asked = false;
    pthread_mutex_unlock(&self->mutex);
    carry(self->handle);
    atomic_store(&self->passed, true);
    pthread_mutex_lock(&self->mutex);
  }
  pthread_mutex_unlock(&self->mutex);
  return NULL;
}

void db_checkpoint_ask(db_checkpoint_t *self) {
  pthread_mutex_lock(&self->mutex);
  self->asked = true;
  pthread_cond_signal(&self->changed);
  pthread_mutex_unlock(&self->mutex);
}

/* After each commit of the writer. */
static int on_commit(void *arg, sqlite3 *writer, const char *name, int pages) {
  db_checkpoint_t *self = arg;
  bool anew = pages < self->next_pages - ASK_PAGES;
  if (anew) self->next_pages = ASK_PAGES;
  if (atomic_exchange(&self->passed, false) && !anew) {
    (void)sqlite3_wal_checkpoint_v2(writer, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
  } else if (pages >= self->next_pages) {
    /* A log that a reader holds grows meanwhile: each page of it is tried once, not always. */
    self->next_pages = pages + ASK_PAGES;
    db_checkpoint_ask(self);
  }
  return SQLITE_OK;
}

static gantry_err_t start(db_checkpoint_t *self) {
  const char *path = sqlite3_db_filename(self->writer, "main");
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path, &self->handle, flags, NULL) != SQLITE_OK) return GANTRY_E_UNAVAILABLE;
  if (pthread_create(&self->thread, NULL, run, self) != 0) return GANTRY_E_INTERNAL;
  sqlite3_wal_hook(self->writer, on_commit, self);
  return GANTRY_OK;
}

gantry_err_t db_checkpoint_new(sqlite3 *writer, db_checkpoint_t **out) {
  db_checkpoint_t *self = calloc(1, sizeof *self);
  *out = NULL;
  if (!self) return GANTRY_E_INTERNAL;
  self->writer = writer;
  self->next_pages = ASK_PAGES;
  pthread_mutex_init(&self->mutex, NULL);
  pthread_cond_init(&self->changed, NULL);
  gantry_err_t err = start(self);
  if (err == GANTRY_OK) {
    *out = self;
    return err;
  }
  sqlite3_close(self->handle);
  pthread_cond_destroy(&self->changed);
  pthread_mutex_destroy(&self->mutex);
  free(self);
  return err;
}

void db_checkpoint_destroy(db_checkpoint_t **self) {
  db_checkpoint_t *checkpoint = *self;
  if (!checkpoint) return;
  sqlite3_wal_hook(checkpoint->writer, NULL, NULL);
  pthread_mutex_lock(&checkpoint->mutex);
  checkpoint->stopping = true;
  pthread_cond_signal(&checkpoint->changed);
  pthread_mutex_unlock(&checkpoint->mutex);
  pthread_join(checkpoint->thread, NULL);
  sqlite3_close(checkpoint->handle);
  pthread_cond_destroy(&checkpoint->changed);
  pthread_mutex_destroy(&checkpoint->mutex);
  free(checkpoint);
  *self = NULL;
}
