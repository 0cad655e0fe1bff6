/* First line the cause, second line the detail. Not synced: the loop may not wait for a disk, and
   what a power cut could lose matters less then, because it takes the motors' power too. */
#include "latch_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

gantry_err_t latch_file_write(const char *path, stop_cause_t cause, const char *detail) {
  char fresh[300];
  char text[256];
  int len = snprintf(text, sizeof text, "%s\n%s\n", stop_cause_name(cause), detail);
  if (len < 0 || (size_t)len >= sizeof text) return GANTRY_E_TOO_LARGE;
  if ((size_t)snprintf(fresh, sizeof fresh, "%s.new", path) >= sizeof fresh)
    return GANTRY_E_TOO_LARGE;
  int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0) return GANTRY_E_UNAVAILABLE;
  bool written = write(fd, text, (size_t)len) == len;
  written = close(fd) == 0 && written;
  return written && rename(fresh, path) == 0 ? GANTRY_OK : GANTRY_E_UNAVAILABLE;
}

gantry_err_t latch_file_clear(const char *path) {
  return unlink(path) == 0 || errno == ENOENT ? GANTRY_OK : GANTRY_E_UNAVAILABLE;
}

static void cut_line(char *text) {
  text[strcspn(text, "\r\n")] = '\0';
}

stop_cause_t latch_file_read(const char *path, char *detail, size_t size) {
  char name[32] = "";
  FILE *file = fopen(path, "re");
  if (!file && errno == ENOENT) return STOP_NONE;
  (void)snprintf(detail, size, "the record of the last stop could not be read");
  if (!file) return STOP_RESTART;
  bool known = fgets(name, sizeof name, file) != NULL;
  cut_line(name);
  stop_cause_t cause = stop_cause_parse(name);
  if (!known || cause == STOP_NONE)
    cause = STOP_RESTART;
  else if (fgets(detail, (int)size, file))
    cut_line(detail);
  (void)fclose(file);
  return cause;
}
