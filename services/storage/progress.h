/* How long work tells how far it is, and is told to stop. */
#ifndef STORAGE_PROGRESS_H
#define STORAGE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct progress {
  /* what: the step at hand, a literal; done of total, in its own unit. False: stop. */
  bool (*tell)(void *arg, const char *what, uint64_t done, uint64_t total);
  void *arg;
} progress_t;

#endif
