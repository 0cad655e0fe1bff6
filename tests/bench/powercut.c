/* A library to preload (LD_PRELOAD): of every file below POWERCUT_FOLDER it keeps a copy, in
   POWERCUT_SHADOW, as of its last sync. A test that ends the process and puts the copies back has
   cut the power: what was written and not synced is gone. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef int (*sync_fn)(int fd);

static bool copy(const char *from, const char *to) {
  char block[1 << 16];
  ssize_t len = 0;
  int in = open(from, O_RDONLY | O_CLOEXEC);
  int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  while (in >= 0 && out >= 0 && (len = read(in, block, sizeof block)) > 0)
    if (write(out, block, (size_t)len) != len) len = -1;
  if (in >= 0) (void)close(in);
  if (out >= 0) (void)close(out);
  return in >= 0 && out >= 0 && len == 0;
}

/* The copy takes its name when it is whole: the process may be killed at any moment. */
static void keep(int fd) {
  char name[64], path[1024], part[2304], shadow[2176];
  struct stat status;
  const char *folder = getenv("POWERCUT_FOLDER"), *shadows = getenv("POWERCUT_SHADOW");
  (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  ssize_t len = readlink(name, path, sizeof path - 1);
  if (!folder || !shadows || len <= 0) return;
  path[len] = '\0';
  if (strncmp(path, folder, strlen(folder)) != 0) return;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return;
  for (char *at = path; (at = strchr(at, '/')) != NULL;)
    *at = '%';
  (void)snprintf(shadow, sizeof shadow, "%s/%s", shadows, path);
  (void)snprintf(part, sizeof part, "%s.%d.part", shadow, fd);
  if (copy(name, part)) (void)rename(part, shadow);
}

static int sync_and_keep(const char *which, int fd) {
  sync_fn real;
  void *found = dlsym(RTLD_NEXT, which);
  memcpy(&real, &found, sizeof real);
  int result = real(fd);
  if (result == 0) keep(fd);
  return result;
}

int fsync(int fd) {
  return sync_and_keep("fsync", fd);
}

int fdatasync(int fd) {
  return sync_and_keep("fdatasync", fd);
}
