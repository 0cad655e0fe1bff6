/* One thread, one eventfd. */
#include "finisher.h"

#include <gantry/clock.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PER_MILLE 1000.0

struct finisher {
  pthread_t thread;
  int fd;
  const overlay_t *overlay;
  grid_box_t bounds;
  finished_t done; /* the thread's until it ends */
  atomic_uint progress;
  atomic_bool hurry;
};

static bool on_progress(double share, void *arg) {
  finisher_t *finisher = arg;
  atomic_store(&finisher->progress, (unsigned)(share * PER_MILLE));
  return !atomic_load(&finisher->hurry);
}

static void *run(void *arg) {
  finisher_t *finisher = arg;
  finished_t *done = &finisher->done;
  uint64_t begun_ns = clock_mono_ns(), one = 1;
  done->err = slam_finish(done->slam, on_progress, finisher, &done->correction);
  (void)overlay_apply(finisher->overlay, slam_grid(done->slam), finisher->bounds);
  done->quality = slam_quality(done->slam);
  done->took_s = clock_age_ms(clock_mono_ns(), begun_ns) / 1000.0;
  if (write(finisher->fd, &one, sizeof one) < 0) return NULL; /* eventfd: never full at 1 */
  return NULL;
}

gantry_err_t finisher_start(slam_t *slam, const overlay_t *overlay, grid_box_t bounds,
                            finisher_t **out) {
  finisher_t *finisher = calloc(1, sizeof *finisher);
  *out = NULL;
  if (!finisher) return GANTRY_E_INTERNAL;
  finisher->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  finisher->overlay = overlay;
  finisher->bounds = bounds;
  finisher->done.slam = slam;
  if (finisher->fd >= 0 && pthread_create(&finisher->thread, NULL, run, finisher) == 0) {
    *out = finisher;
    return GANTRY_OK;
  }
  if (finisher->fd >= 0) close(finisher->fd);
  free(finisher);
  return GANTRY_E_INTERNAL;
}

int finisher_fd(const finisher_t *finisher) {
  return finisher->fd;
}

double finisher_progress(const finisher_t *finisher) {
  double progress = atomic_load(&finisher->progress) / PER_MILLE;
  return progress > 1 ? 1 : progress;
}

void finisher_hurry(finisher_t *finisher) {
  atomic_store(&finisher->hurry, true);
}

finished_t finisher_end(finisher_t **self) {
  finisher_t *finisher = *self;
  (void)pthread_join(finisher->thread, NULL);
  finished_t done = finisher->done;
  close(finisher->fd);
  free(finisher);
  *self = NULL;
  return done;
}
