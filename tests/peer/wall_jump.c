/* Preloaded into a process: the wall clock is as many seconds off as the file WALL_JUMP says. The
   monotonic clock is left alone, as when somebody sets a machine's time. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *out) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(clock, out);
  const char *path = getenv("WALL_JUMP");
  if (clock != CLOCK_REALTIME || !path) return result;
  char text[32] = "";
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return result;
  if (read(fd, text, sizeof text - 1) > 0) out->tv_sec += strtol(text, NULL, 10);
  close(fd);
  return result;
}
