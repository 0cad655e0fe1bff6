/* Files named <id>.unsaved in one folder. */
#include "shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX    ".unsaved"
#define PATH_SIZE (SHELF_FOLDER_SIZE + 160)
#define FILE_MAX  (64u << 20) /* more than the largest store.map_put */

static bool waits(const char *name) {
  size_t len = strlen(name), suffix = strlen(SUFFIX);
  return len > suffix && len < sizeof((shelf_t *)0)->newest_read &&
         strcmp(name + len - suffix, SUFFIX) == 0;
}

/* Counts the files that wait, and names one of them. */
static uint32_t look(const shelf_t *shelf, char *name, size_t size) {
  uint32_t count = 0;
  DIR *folder = opendir(shelf->folder);
  if (!folder) return 0;
  for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
    if (!waits(entry->d_name)) continue;
    snprintf(name, size, "%.*s", (int)(size - 1), entry->d_name);
    count++;
  }
  closedir(folder);
  return count;
}

void shelf_init(shelf_t *shelf, const char *folder) {
  *shelf = (shelf_t){0};
  snprintf(shelf->folder, sizeof shelf->folder, "%s", folder);
  shelf->count = look(shelf, shelf->newest_read, sizeof shelf->newest_read);
}

static bool write_all(int fd, const uint8_t *bytes, size_t len) {
  while (len) {
    ssize_t written = write(fd, bytes, len);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    len -= (size_t)written;
  }
  return fsync(fd) == 0;
}

gantry_err_t shelf_write(shelf_t *shelf, const char *id, const uint8_t *bytes, size_t len) {
  char path[PATH_SIZE], part[PATH_SIZE + 8], name[128];
  if (mkdir(shelf->folder, 0750) != 0 && errno != EEXIST) return GANTRY_E_INTERNAL;
  snprintf(path, sizeof path, "%s/%.60s" SUFFIX, shelf->folder, id);
  snprintf(part, sizeof part, "%s.part", path);
  int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0) return GANTRY_E_INTERNAL;
  bool good = write_all(fd, bytes, len);
  good = close(fd) == 0 && good;
  if (!good || rename(part, path) != 0) {
    unlink(part);
    return GANTRY_E_INTERNAL;
  }
  shelf->count = look(shelf, name, sizeof name);
  return GANTRY_OK;
}

static uint8_t *read_all(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  struct stat status;
  uint8_t *bytes = NULL;
  if (!file) return NULL;
  if (fstat(fileno(file), &status) == 0 && status.st_size > 0 && status.st_size <= FILE_MAX) {
    *len = (size_t)status.st_size;
    bytes = malloc(*len);
    if (bytes && fread(bytes, 1, *len, file) != *len) {
      free(bytes);
      bytes = NULL;
    }
  }
  fclose(file);
  return bytes;
}

bool shelf_read(shelf_t *shelf, uint8_t **bytes, size_t *len) {
  char path[PATH_SIZE];
  if (shelf->count == 0) return false;
  shelf->count = look(shelf, shelf->newest_read, sizeof shelf->newest_read);
  if (shelf->count == 0) return false;
  snprintf(path, sizeof path, "%s/%s", shelf->folder, shelf->newest_read);
  *bytes = read_all(path, len);
  return *bytes != NULL;
}

void shelf_remove(shelf_t *shelf, const char *id) {
  char path[PATH_SIZE], name[128];
  if (shelf->count == 0) return;
  snprintf(path, sizeof path, "%s/%.60s" SUFFIX, shelf->folder, id);
  unlink(path);
  shelf->count = look(shelf, name, sizeof name);
}

void shelf_set_aside(shelf_t *shelf) {
  char path[PATH_SIZE], aside[PATH_SIZE + 16], name[128];
  snprintf(path, sizeof path, "%s/%s", shelf->folder, shelf->newest_read);
  snprintf(aside, sizeof aside, "%s.damaged", path);
  if (rename(path, aside) != 0) unlink(path);
  shelf->count = look(shelf, name, sizeof name);
}
