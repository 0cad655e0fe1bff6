/* A thread that waits for a task. */
#include "worker.h"

#include <pthread.h>
#include <stdlib.h>

struct worker {
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  worker_task_fn task; /* NULL: idle */
  void *arg;
  bool ends;
};

static void *run(void *arg) {
  worker_t *worker = arg;
  pthread_mutex_lock(&worker->lock);
  for (;;) {
    while (!worker->task && !worker->ends)
      pthread_cond_wait(&worker->changed, &worker->lock);
    if (!worker->task) break;
    pthread_mutex_unlock(&worker->lock);
    worker->task(worker->arg);
    pthread_mutex_lock(&worker->lock);
    worker->task = NULL;
    pthread_cond_broadcast(&worker->changed);
  }
  pthread_mutex_unlock(&worker->lock);
  return NULL;
}

worker_t *worker_new(void) {
  worker_t *worker = calloc(1, sizeof *worker);
  if (!worker) return NULL;
  pthread_mutex_init(&worker->lock, NULL);
  pthread_cond_init(&worker->changed, NULL);
  if (pthread_create(&worker->thread, NULL, run, worker) == 0) return worker;
  pthread_cond_destroy(&worker->changed);
  pthread_mutex_destroy(&worker->lock);
  free(worker);
  return NULL;
}

void worker_destroy(worker_t **self) {
  worker_t *worker = *self;
  if (!worker) return;
  pthread_mutex_lock(&worker->lock);
  worker->ends = true;
  pthread_cond_broadcast(&worker->changed);
  pthread_mutex_unlock(&worker->lock);
  pthread_join(worker->thread, NULL);
  pthread_cond_destroy(&worker->changed);
  pthread_mutex_destroy(&worker->lock);
  free(worker);
  *self = NULL;
}

void worker_start(worker_t *worker, worker_task_fn task, void *arg) {
  pthread_mutex_lock(&worker->lock);
  worker->arg = arg;
  worker->task = task;
  pthread_cond_broadcast(&worker->changed);
  pthread_mutex_unlock(&worker->lock);
}

bool worker_is_idle(worker_t *worker) {
  pthread_mutex_lock(&worker->lock);
  bool idle = !worker->task;
  pthread_mutex_unlock(&worker->lock);
  return idle;
}

void worker_wait(worker_t *worker) {
  pthread_mutex_lock(&worker->lock);
  while (worker->task)
    pthread_cond_wait(&worker->changed, &worker->lock);
  pthread_mutex_unlock(&worker->lock);
}
