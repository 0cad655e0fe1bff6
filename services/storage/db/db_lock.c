/* The lock beside a database file. */
#include "db_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 1344

static void lock_path(const char *path, char out[PATH_SIZE]) {
  snprintf(out, PATH_SIZE, "%.1300s.lock", path);
}

/* The file that was locked may have been removed by its last holder meanwhile. */
static bool is_there(const char *path, int fd) {
  struct stat named, held;
  return stat(path, &named) == 0 && fstat(fd, &held) == 0 && named.st_ino == held.st_ino &&
         named.st_dev == held.st_dev;
}

int db_lock(const char *path, gantry_fault_t *fault) {
  char name[PATH_SIZE];
  lock_path(path, name);
  while (true) {
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) {
      fault_set(fault, GANTRY_E_UNAVAILABLE, "database", "%s: %s", name, strerror(errno));
      return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      close(fd);
      fault_set(fault, GANTRY_E_CONFLICT, "database",
                "%s is in use by a running storage: stop it first", path);
      return -1;
    }
    if (is_there(name, fd)) return fd;
    close(fd);
  }
}

void db_unlock(const char *path, int *lock) {
  char name[PATH_SIZE];
  if (*lock < 0) return;
  lock_path(path, name);
  unlink(name);
  close(*lock);
  *lock = -1;
}
