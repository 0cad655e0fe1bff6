/* Worker: one thread that runs one task at a time, so that a drive goes on while places are
   searched. Whoever starts a task leaves what it works on alone until it is done. */
#ifndef GANTRY_SLAM_WORKER_H
#define GANTRY_SLAM_WORKER_H

#include <stdbool.h>

typedef struct worker worker_t;
typedef void (*worker_task_fn)(void *arg);

/* NULL when no thread can be had. */
worker_t *worker_new(void);
/* Waits for the task that runs. NULL is fine. */
void worker_destroy(worker_t **self);
/* The last task must have been awaited or found done. */
void worker_start(worker_t *worker, worker_task_fn task, void *arg);
/* False while a task runs. Does not block. */
bool worker_is_idle(worker_t *worker);
void worker_wait(worker_t *worker);

#endif
