/* The record is text: a title, the cause, the detail, blanks up to its size, and a checksum of all
   that as the last line. It is one write of one sector; should a power cut tear it all the same,
   the checksum tells. */
#include "latch_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TITLE    "gantry latch 1"
#define SUM_SIZE 9 /* eight digits and the end of the line */
#define SUMMED   (LATCH_RECORD_SIZE - SUM_SIZE)

/* FNV-1a. */
static uint32_t sum_of(const char *text) {
  uint32_t sum = 2166136261u;
  for (size_t i = 0; i < SUMMED; i++)
    sum = (sum ^ (uint8_t)text[i]) * 16777619u;
  return sum;
}

static void fill_record(char record[LATCH_RECORD_SIZE + 1], stop_cause_t cause,
                        const char *detail) {
  memset(record, ' ', LATCH_RECORD_SIZE);
  int len = snprintf(record, SUMMED, TITLE "\n%s\n%.300s\n", stop_cause_name(cause), detail);
  record[len] = ' ';
  record[SUMMED - 1] = '\n';
  (void)snprintf(record + SUMMED, SUM_SIZE + 1, "%08x\n", sum_of(record));
}

/* The folder of path onto the disk: only then the name in it is. */
static bool sync_folder(const char *path) {
  char folder[sizeof((latch_file_t *)0)->path];
  const char *slash = strrchr(path, '/');
  size_t len = slash ? (size_t)(slash - path) : 0;
  (void)snprintf(folder, sizeof folder, "%.*s", (int)len, path);
  int fd = open(!slash ? "." : len ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  bool synced = fsync(fd) == 0;
  (void)close(fd);
  return synced;
}

gantry_err_t latch_file_init(latch_file_t *file, const char *path) {
  file->fd = -1;
  int len = snprintf(file->path, sizeof file->path, "%s", path);
  return len < (int)sizeof file->path ? GANTRY_OK : GANTRY_E_TOO_LARGE;
}

void latch_file_fini(latch_file_t *file) {
  if (file->fd >= 0) (void)close(file->fd);
  file->fd = -1;
}

/* Whether the open file is the one that the next start will find. */
static bool is_in_place(const latch_file_t *file) {
  struct stat open_one, named;
  return file->fd >= 0 && fstat(file->fd, &open_one) == 0 && stat(file->path, &named) == 0 &&
         open_one.st_ino == named.st_ino && open_one.st_dev == named.st_dev;
}

/* Opens the file that is there now, with flags for one that is not. True when that is another than
   before. */
static bool open_anew(latch_file_t *file, int flags) {
  if (is_in_place(file)) return false;
  latch_file_fini(file);
  file->fd = open(file->path, O_RDWR | O_CLOEXEC | flags, 0640);
  return true;
}

static gantry_err_t conclude(latch_file_t *file, bool done) {
  if (!done) latch_file_fini(file);
  return done ? GANTRY_OK : GANTRY_E_UNAVAILABLE;
}

gantry_err_t latch_file_write(latch_file_t *file, stop_cause_t cause, const char *detail) {
  char record[LATCH_RECORD_SIZE + 1];
  (void)open_anew(file, O_CREAT);
  fill_record(record, cause, detail);
  return conclude(file, file->fd >= 0 &&
                            pwrite(file->fd, record, LATCH_RECORD_SIZE, 0) == LATCH_RECORD_SIZE);
}

gantry_err_t latch_file_sync(latch_file_t *file) {
  bool fresh = open_anew(file, 0);
  return conclude(file,
                  file->fd >= 0 && fdatasync(file->fd) == 0 && (!fresh || sync_folder(file->path)));
}

static void cut_line(char *text) {
  text[strcspn(text, "\r\n")] = '\0';
}

/* The record at path: its length, -1 when it cannot be read, -2 when there is none. */
static ssize_t fetch(const char *path, char record[LATCH_RECORD_SIZE + 1]) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? -2 : -1;
  ssize_t len = pread(fd, record, LATCH_RECORD_SIZE, 0);
  record[len > 0 ? len : 0] = '\0';
  (void)close(fd);
  return len;
}

stop_cause_t latch_file_read(const char *path, char *detail, size_t size) {
  char record[LATCH_RECORD_SIZE + 1], sum[SUM_SIZE + 1];
  ssize_t len = fetch(path, record);
  if (len == -2) return STOP_NONE;
  (void)snprintf(detail, size, "the record of the last stop could not be read");
  if (len != LATCH_RECORD_SIZE) return STOP_RESTART;
  (void)snprintf(sum, sizeof sum, "%08x\n", sum_of(record));
  if (memcmp(sum, record + SUMMED, SUM_SIZE) != 0 || strncmp(record, TITLE "\n", sizeof TITLE) != 0)
    return STOP_RESTART;
  char *name = record + sizeof TITLE, *words = strchr(name, '\n') + 1;
  cut_line(name);
  cut_line(words);
  stop_cause_t cause = stop_cause_parse(name);
  if (cause == STOP_NONE && strcmp(name, stop_cause_name(STOP_NONE)) != 0) return STOP_RESTART;
  (void)snprintf(detail, size, "%s", words);
  return cause;
}
