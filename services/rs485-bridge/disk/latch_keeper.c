/* One slot for what is wanted, one for what the kernel has, one for what came of it, under one
   mutex. Each thread has the file open for itself: the writer may lose it or open it anew while the
   other waits for the disk. */
#include "latch_keeper.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <gantry/chore.h>

#include "latch_file.h"

typedef struct wish {
  uint64_t number; /* counts the wishes; 0: none yet */
  stop_cause_t cause;
  char detail[128];
} wish_t;

typedef struct outcome {
  uint64_t number; /* of the wish */
  stop_cause_t cause;
  gantry_err_t err;
  bool fresh; /* not received yet */
} outcome_t;

struct latch_keeper {
  latch_file_t written, synced; /* the writer's, the syncer's */
  chore_t *writer, *syncer;
  int fd;
  pthread_mutex_t mutex; /* guards what follows */
  wish_t wish;
  uint64_t handed; /* number of the newest wish that the kernel has, or that failed */
  wish_t to_sync;  /* the newest that the kernel has */
  outcome_t outcome;
};

/* An older wish that comes to its end late says nothing of the newest. */
static void conclude(latch_keeper_t *keeper, const wish_t *wish, gantry_err_t err) {
  if (wish->number < keeper->outcome.number) return;
  keeper->outcome = (outcome_t){wish->number, wish->cause, err, true};
}

static void write_wish(void *arg) {
  latch_keeper_t *keeper = arg;
  pthread_mutex_lock(&keeper->mutex);
  wish_t wish = keeper->wish;
  pthread_mutex_unlock(&keeper->mutex);
  gantry_err_t err = latch_file_write(&keeper->written, wish.cause, wish.detail);
  pthread_mutex_lock(&keeper->mutex);
  keeper->handed = wish.number;
  if (err == GANTRY_OK)
    keeper->to_sync = wish;
  else
    conclude(keeper, &wish, err);
  pthread_mutex_unlock(&keeper->mutex);
  (void)eventfd_write(keeper->fd, 1);
  if (err == GANTRY_OK) chore_ask(keeper->syncer);
}

static void sync_wish(void *arg) {
  latch_keeper_t *keeper = arg;
  pthread_mutex_lock(&keeper->mutex);
  wish_t wish = keeper->to_sync;
  pthread_mutex_unlock(&keeper->mutex);
  gantry_err_t err = latch_file_sync(&keeper->synced);
  pthread_mutex_lock(&keeper->mutex);
  conclude(keeper, &wish, err);
  pthread_mutex_unlock(&keeper->mutex);
  (void)eventfd_write(keeper->fd, 1);
}

gantry_err_t latch_keeper_new(const char *path, latch_keeper_t **out) {
  *out = NULL;
  latch_keeper_t *self = calloc(1, sizeof *self);
  if (!self) return GANTRY_E_INTERNAL;
  (void)pthread_mutex_init(&self->mutex, NULL);
  (void)latch_file_init(&self->synced, path);
  gantry_err_t err = latch_file_init(&self->written, path);
  self->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (err == GANTRY_OK && self->fd < 0) err = GANTRY_E_INTERNAL;
  if (err == GANTRY_OK) err = chore_new(sync_wish, self, &self->syncer);
  if (err == GANTRY_OK) err = chore_new(write_wish, self, &self->writer);
  if (err != GANTRY_OK) latch_keeper_destroy(&self);
  *out = self;
  return err;
}

void latch_keeper_destroy(latch_keeper_t **self) {
  latch_keeper_t *keeper = *self;
  if (!keeper) return;
  chore_destroy(&keeper->writer); /* it may still ask the other */
  chore_destroy(&keeper->syncer);
  if (keeper->fd >= 0) (void)close(keeper->fd);
  latch_file_fini(&keeper->written);
  latch_file_fini(&keeper->synced);
  (void)pthread_mutex_destroy(&keeper->mutex);
  free(keeper);
  *self = NULL;
}

void latch_keeper_set(latch_keeper_t *keeper, stop_cause_t cause, const char *detail) {
  pthread_mutex_lock(&keeper->mutex);
  keeper->wish.number++;
  keeper->wish.cause = cause;
  (void)snprintf(keeper->wish.detail, sizeof keeper->wish.detail, "%s", detail);
  pthread_mutex_unlock(&keeper->mutex);
  chore_ask(keeper->writer);
}

void latch_keeper_repeat(latch_keeper_t *keeper) {
  chore_ask(keeper->writer);
}

bool latch_keeper_is_handed(latch_keeper_t *keeper) {
  pthread_mutex_lock(&keeper->mutex);
  bool handed = keeper->handed == keeper->wish.number;
  pthread_mutex_unlock(&keeper->mutex);
  return handed;
}

int latch_keeper_fd(const latch_keeper_t *keeper) {
  return keeper->fd;
}

bool latch_keeper_receive(latch_keeper_t *keeper, stop_cause_t *cause, gantry_err_t *err) {
  eventfd_t ignored;
  (void)eventfd_read(keeper->fd, &ignored);
  pthread_mutex_lock(&keeper->mutex);
  bool fresh = keeper->outcome.fresh;
  keeper->outcome.fresh = false;
  *cause = keeper->outcome.cause;
  *err = keeper->outcome.err;
  pthread_mutex_unlock(&keeper->mutex);
  return fresh;
}
