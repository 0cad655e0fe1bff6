/* One flag under a mutex. */
#include <gantry/chore.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct chore {
  chore_fn fn;
  void *arg;
  pthread_t thread;
  bool started;
  pthread_mutex_t mutex; /* guards what follows */
  pthread_cond_t changed;
  bool asked, quit;
};

static void *run(void *arg) {
  chore_t *chore = arg;
  pthread_mutex_lock(&chore->mutex);
  for (;;) {
    while (!chore->asked && !chore->quit)
      pthread_cond_wait(&chore->changed, &chore->mutex);
    if (!chore->asked) break;
    chore->asked = false;
    pthread_mutex_unlock(&chore->mutex);
    chore->fn(chore->arg);
    pthread_mutex_lock(&chore->mutex);
  }
  pthread_mutex_unlock(&chore->mutex);
  return NULL;
}

gantry_err_t chore_new(chore_fn fn, void *arg, chore_t **out) {
  *out = NULL;
  chore_t *self = calloc(1, sizeof *self);
  if (!self) return GANTRY_E_INTERNAL;
  self->fn = fn;
  self->arg = arg;
  (void)pthread_mutex_init(&self->mutex, NULL);
  (void)pthread_cond_init(&self->changed, NULL);
  self->started = pthread_create(&self->thread, NULL, run, self) == 0;
  if (!self->started) chore_destroy(&self);
  *out = self;
  return self ? GANTRY_OK : GANTRY_E_INTERNAL;
}

static void set(chore_t *chore, bool *flag) {
  pthread_mutex_lock(&chore->mutex);
  *flag = true;
  pthread_cond_signal(&chore->changed);
  pthread_mutex_unlock(&chore->mutex);
}

void chore_ask(chore_t *chore) {
  set(chore, &chore->asked);
}

void chore_destroy(chore_t **self) {
  chore_t *chore = *self;
  if (!chore) return;
  set(chore, &chore->quit);
  if (chore->started) (void)pthread_join(chore->thread, NULL);
  (void)pthread_cond_destroy(&chore->changed);
  (void)pthread_mutex_destroy(&chore->mutex);
  free(chore);
  *self = NULL;
}
