/* One slot for what is wanted, one for what came of it, under one mutex. */
#include "latch_keeper.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "latch_file.h"

typedef struct wish {
  stop_cause_t cause;
  char detail[128];
} wish_t;

struct latch_keeper {
  latch_file_t file; /* the thread's, while it runs */
  pthread_t thread;
  bool started;
  int fd;
  pthread_mutex_t mutex; /* guards what follows */
  pthread_cond_t changed;
  wish_t wish;
  bool wanted, tried, quit;
  stop_cause_t tried_cause;
  gantry_err_t tried_err;
};

static void *run(void *arg) {
  latch_keeper_t *keeper = arg;
  pthread_mutex_lock(&keeper->mutex);
  for (;;) {
    while (!keeper->wanted && !keeper->quit)
      pthread_cond_wait(&keeper->changed, &keeper->mutex);
    if (!keeper->wanted) break;
    wish_t wish = keeper->wish;
    keeper->wanted = false;
    pthread_mutex_unlock(&keeper->mutex);
    gantry_err_t err = latch_file_write(&keeper->file, wish.cause, wish.detail);
    pthread_mutex_lock(&keeper->mutex);
    keeper->tried = true;
    keeper->tried_cause = wish.cause;
    keeper->tried_err = err;
    (void)eventfd_write(keeper->fd, 1);
  }
  pthread_mutex_unlock(&keeper->mutex);
  return NULL;
}

gantry_err_t latch_keeper_new(const char *path, latch_keeper_t **out) {
  *out = NULL;
  latch_keeper_t *self = calloc(1, sizeof *self);
  if (!self) return GANTRY_E_INTERNAL;
  gantry_err_t err = latch_file_init(&self->file, path);
  (void)pthread_mutex_init(&self->mutex, NULL);
  (void)pthread_cond_init(&self->changed, NULL);
  self->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  self->started =
      err == GANTRY_OK && self->fd >= 0 && pthread_create(&self->thread, NULL, run, self) == 0;
  if (!self->started) latch_keeper_destroy(&self);
  *out = self;
  return self ? GANTRY_OK : GANTRY_E_INTERNAL;
}

void latch_keeper_destroy(latch_keeper_t **self) {
  latch_keeper_t *keeper = *self;
  if (!keeper) return;
  pthread_mutex_lock(&keeper->mutex);
  keeper->quit = true;
  pthread_cond_signal(&keeper->changed);
  pthread_mutex_unlock(&keeper->mutex);
  if (keeper->started) (void)pthread_join(keeper->thread, NULL);
  if (keeper->fd >= 0) (void)close(keeper->fd);
  latch_file_fini(&keeper->file);
  (void)pthread_cond_destroy(&keeper->changed);
  (void)pthread_mutex_destroy(&keeper->mutex);
  free(keeper);
  *self = NULL;
}

void latch_keeper_set(latch_keeper_t *keeper, stop_cause_t cause, const char *detail) {
  pthread_mutex_lock(&keeper->mutex);
  keeper->wish.cause = cause;
  (void)snprintf(keeper->wish.detail, sizeof keeper->wish.detail, "%s", detail);
  keeper->wanted = true;
  pthread_cond_signal(&keeper->changed);
  pthread_mutex_unlock(&keeper->mutex);
}

void latch_keeper_repeat(latch_keeper_t *keeper) {
  pthread_mutex_lock(&keeper->mutex);
  keeper->wanted = true;
  pthread_cond_signal(&keeper->changed);
  pthread_mutex_unlock(&keeper->mutex);
}

int latch_keeper_fd(const latch_keeper_t *keeper) {
  return keeper->fd;
}

bool latch_keeper_receive(latch_keeper_t *keeper, stop_cause_t *cause, gantry_err_t *err) {
  eventfd_t ignored;
  pthread_mutex_lock(&keeper->mutex);
  (void)eventfd_read(keeper->fd, &ignored);
  bool tried = keeper->tried;
  keeper->tried = false;
  *cause = keeper->tried_cause;
  *err = keeper->tried_err;
  pthread_mutex_unlock(&keeper->mutex);
  return tried;
}
