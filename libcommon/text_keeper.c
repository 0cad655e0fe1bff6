/* One slot for what is wanted under one mutex; the thread copies it and writes that. */
#include <gantry/text_keeper.h>

#include <fcntl.h>
#include <gantry/chore.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PATH_SIZE 300

struct text_keeper {
  char path[PATH_SIZE], fresh[PATH_SIZE], folder[PATH_SIZE];
  size_t size_max;
  chore_t *writer;
  int fd;                /* eventfd */
  char *writing;         /* the thread's own */
  pthread_mutex_t mutex; /* guards what follows */
  char *wanted;
  size_t wanted_len;
  gantry_err_t outcome;
};

/* The name onto the disk: only then the file is there after a power cut. */
static bool sync_folder(const char *folder) {
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  bool synced = fsync(fd) == 0;
  (void)close(fd);
  return synced;
}

static bool write_all(int fd, const char *text, size_t len) {
  while (len > 0) {
    ssize_t written = write(fd, text, len);
    if (written <= 0) return false;
    text += written;
    len -= (size_t)written;
  }
  return true;
}

static gantry_err_t keep(const text_keeper_t *keeper, size_t len) {
  int fd = open(keeper->fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0) return GANTRY_E_UNAVAILABLE;
  bool kept = write_all(fd, keeper->writing, len) && fsync(fd) == 0;
  kept = close(fd) == 0 && kept && rename(keeper->fresh, keeper->path) == 0;
  return kept && sync_folder(keeper->folder) ? GANTRY_OK : GANTRY_E_UNAVAILABLE;
}

static void write_wanted(void *arg) {
  text_keeper_t *keeper = arg;
  pthread_mutex_lock(&keeper->mutex);
  size_t len = keeper->wanted_len;
  memcpy(keeper->writing, keeper->wanted, len);
  pthread_mutex_unlock(&keeper->mutex);
  gantry_err_t outcome = keep(keeper, len);
  pthread_mutex_lock(&keeper->mutex);
  keeper->outcome = outcome;
  pthread_mutex_unlock(&keeper->mutex);
  (void)eventfd_write(keeper->fd, 1);
}

static bool set_paths(text_keeper_t *self, const char *path) {
  const char *slash = strrchr(path, '/');
  int len = slash ? (int)(slash - path) : 0;
  bool fits = snprintf(self->fresh, PATH_SIZE, "%s.new", path) < PATH_SIZE;
  (void)snprintf(self->path, PATH_SIZE, "%s", path);
  if (!slash)
    (void)snprintf(self->folder, PATH_SIZE, ".");
  else
    (void)snprintf(self->folder, PATH_SIZE, "%.*s", len ? len : 1, path);
  return fits;
}

gantry_err_t text_keeper_new(const char *path, size_t size_max, text_keeper_t **out) {
  *out = NULL;
  text_keeper_t *self = calloc(1, sizeof *self);
  if (!self) return GANTRY_E_INTERNAL;
  self->size_max = size_max;
  self->wanted = malloc(size_max);
  self->writing = malloc(size_max);
  (void)pthread_mutex_init(&self->mutex, NULL);
  gantry_err_t err = set_paths(self, path) ? GANTRY_OK : GANTRY_E_TOO_LARGE;
  if (err == GANTRY_OK && !(self->wanted && self->writing)) err = GANTRY_E_INTERNAL;
  self->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->fd < 0) err = GANTRY_E_INTERNAL;
  if (err == GANTRY_OK) err = chore_new(write_wanted, self, &self->writer);
  if (err != GANTRY_OK) text_keeper_destroy(&self);
  *out = self;
  return err;
}

void text_keeper_destroy(text_keeper_t **self) {
  text_keeper_t *keeper = *self;
  if (!keeper) return;
  chore_destroy(&keeper->writer);
  (void)pthread_mutex_destroy(&keeper->mutex);
  if (keeper->fd >= 0) (void)close(keeper->fd);
  free(keeper->wanted);
  free(keeper->writing);
  free(keeper);
  *self = NULL;
}

gantry_err_t text_keeper_set(text_keeper_t *keeper, const char *text, size_t len) {
  if (len > keeper->size_max) return GANTRY_E_TOO_LARGE;
  pthread_mutex_lock(&keeper->mutex);
  memcpy(keeper->wanted, text, len);
  keeper->wanted_len = len;
  pthread_mutex_unlock(&keeper->mutex);
  chore_ask(keeper->writer);
  return GANTRY_OK;
}

int text_keeper_fd(const text_keeper_t *keeper) {
  return keeper->fd;
}

gantry_err_t text_keeper_outcome(text_keeper_t *keeper) {
  eventfd_t tries;
  (void)eventfd_read(keeper->fd, &tries);
  pthread_mutex_lock(&keeper->mutex);
  gantry_err_t outcome = keeper->outcome;
  pthread_mutex_unlock(&keeper->mutex);
  return outcome;
}
