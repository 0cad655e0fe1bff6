/* First line the cause, second line the detail. The name is in place before the disk is: a killed
   process finds its latch at once, and a power cut in between leaves an empty or an older file,
   of which the empty one is a stop too. */
#include "latch_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_MAX_LEN 300

/* The folder of path onto the disk: only then the name in it is. */
static bool sync_folder(const char *path) {
  char folder[PATH_MAX_LEN];
  const char *slash = strrchr(path, '/');
  size_t len = slash ? (size_t)(slash - path) : 0;
  if (len >= sizeof folder) return false;
  (void)snprintf(folder, sizeof folder, "%.*s", (int)len, path);
  int fd = open(!slash ? "." : len ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  bool synced = fsync(fd) == 0;
  (void)close(fd);
  return synced;
}

gantry_err_t latch_file_write(const char *path, stop_cause_t cause, const char *detail) {
  char fresh[PATH_MAX_LEN];
  char text[256];
  int len = snprintf(text, sizeof text, "%s\n%s\n", stop_cause_name(cause), detail);
  if (len < 0 || (size_t)len >= sizeof text) return GANTRY_E_TOO_LARGE;
  if ((size_t)snprintf(fresh, sizeof fresh, "%s.new", path) >= sizeof fresh)
    return GANTRY_E_TOO_LARGE;
  int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0) return GANTRY_E_UNAVAILABLE;
  bool kept = write(fd, text, (size_t)len) == len && rename(fresh, path) == 0 && fsync(fd) == 0 &&
              sync_folder(path);
  return close(fd) == 0 && kept ? GANTRY_OK : GANTRY_E_UNAVAILABLE;
}

gantry_err_t latch_file_clear(const char *path) {
  if (unlink(path) != 0) return errno == ENOENT ? GANTRY_OK : GANTRY_E_UNAVAILABLE;
  return sync_folder(path) ? GANTRY_OK : GANTRY_E_UNAVAILABLE;
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
