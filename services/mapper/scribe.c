/* One wish under a mutex. */
#include "scribe.h"

#include <gantry/chore.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct scribe {
  char path[512];
  chore_t *chore;
  pthread_mutex_t mutex; /* guards what follows */
  parcel_t *wish;        /* owned; NULL: none, or to remove */
  memory_state_t state;  /* with the wish */
  bool remove, busy;
  gantry_err_t outcome;
};

static void run(void *arg) {
  scribe_t *scribe = arg;
  pthread_mutex_lock(&scribe->mutex);
  parcel_t *parcel = scribe->wish;
  memory_state_t state = scribe->state;
  bool gone = scribe->remove;
  scribe->wish = NULL;
  scribe->remove = false;
  scribe->busy = true;
  pthread_mutex_unlock(&scribe->mutex);

  if (gone) (void)remove(scribe->path);
  gantry_err_t err = parcel ? memory_write(scribe->path, &state, &parcel->put) : GANTRY_OK;

  pthread_mutex_lock(&scribe->mutex);
  if (parcel) scribe->outcome = err;
  scribe->busy = false;
  pthread_mutex_unlock(&scribe->mutex);
  parcel_drop(&parcel);
}

gantry_err_t scribe_new(const char *path, scribe_t **out) {
  scribe_t *scribe = calloc(1, sizeof *scribe);
  *out = scribe;
  if (!scribe) return GANTRY_E_INTERNAL;
  snprintf(scribe->path, sizeof scribe->path, "%s", path);
  (void)pthread_mutex_init(&scribe->mutex, NULL);
  gantry_err_t err = chore_new(run, scribe, &scribe->chore);
  if (err != GANTRY_OK) scribe_destroy(out);
  return err;
}

void scribe_destroy(scribe_t **self) {
  scribe_t *scribe = *self;
  if (!scribe) return;
  chore_destroy(&scribe->chore);
  parcel_drop(&scribe->wish);
  (void)pthread_mutex_destroy(&scribe->mutex);
  free(scribe);
  *self = NULL;
}

static void wish(scribe_t *scribe, const memory_state_t *state, parcel_t *parcel) {
  pthread_mutex_lock(&scribe->mutex);
  parcel_drop(&scribe->wish);
  scribe->wish = parcel;
  if (state) scribe->state = *state;
  scribe->remove = parcel == NULL;
  pthread_mutex_unlock(&scribe->mutex);
  chore_ask(scribe->chore);
}

void scribe_write(scribe_t *scribe, const memory_state_t *state, parcel_t *parcel) {
  wish(scribe, state, parcel_hold(parcel));
}

void scribe_forget(scribe_t *scribe) {
  wish(scribe, NULL, NULL);
}

bool scribe_idle(scribe_t *scribe) {
  pthread_mutex_lock(&scribe->mutex);
  bool idle = !scribe->wish && !scribe->remove && !scribe->busy;
  pthread_mutex_unlock(&scribe->mutex);
  return idle;
}

gantry_err_t scribe_outcome(scribe_t *scribe) {
  pthread_mutex_lock(&scribe->mutex);
  gantry_err_t outcome = scribe->outcome;
  pthread_mutex_unlock(&scribe->mutex);
  return outcome;
}
