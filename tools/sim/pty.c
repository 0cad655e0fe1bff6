/* A pseudo-terminal under a symlink. */
#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* Puts the symlink in place in one step, so that nobody sees it missing. */
static bool place_link(const char *target, const char *link) {
  struct stat status;
  char fresh[4096];
  if (lstat(link, &status) == 0 && !S_ISLNK(status.st_mode)) {
    errno = EEXIST;
    return false;
  }
  int len = snprintf(fresh, sizeof fresh, "%s.new", link);
  if (len < 0 || (size_t)len >= sizeof fresh) return false;
  (void)unlink(fresh);
  return symlink(target, fresh) == 0 && rename(fresh, link) == 0;
}

static bool make_raw(int fd) {
  struct termios settings;
  if (tcgetattr(fd, &settings) != 0) return false;
  cfmakeraw(&settings);
  return tcsetattr(fd, TCSANOW, &settings) == 0;
}

bool pty_open(pty_t *pty, const char *link) {
  char name[128];
  pty->link = link;
  pty->slave = -1;
  pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  bool made = pty->master >= 0 && grantpt(pty->master) == 0 && unlockpt(pty->master) == 0 &&
              ptsname_r(pty->master, name, sizeof name) == 0;
  if (made) pty->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (made && pty->slave >= 0 && make_raw(pty->slave) && place_link(name, link)) return true;
  (void)fprintf(stderr, "gantry-sim: cannot make a pty at %s: %s\n", link, strerror(errno));
  pty->link = NULL;
  pty_close(pty);
  return false;
}

void pty_close(pty_t *pty) {
  if (pty->master >= 0) (void)close(pty->master);
  if (pty->slave >= 0) (void)close(pty->slave);
  pty->master = -1;
  pty->slave = -1;
  if (pty->link) (void)unlink(pty->link);
}

void pty_write(pty_t *pty, const uint8_t *bytes, size_t len) {
  if (pty->master < 0) return;
  ssize_t written = write(pty->master, bytes, len);
  if (written < 0) written = 0;
  pty->dropped += len - (size_t)written;
}

size_t pty_read(pty_t *pty, uint8_t *bytes, size_t size) {
  if (pty->master < 0) return 0;
  ssize_t count = read(pty->master, bytes, size);
  return count > 0 ? (size_t)count : 0;
}
