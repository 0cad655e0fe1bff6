/* The file: a word that names its layout, the place of the next row, the rows. */
#include "history.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(history_row_t) == 64, "a row of the file");

typedef struct table {
  char name[8];
  uint64_t next; /* below HISTORY_ROWS */
  history_row_t rows[HISTORY_ROWS];
} table_t;

struct history {
  table_t *table; /* mapped, or of the heap */
  bool mapped;
};

static const char NAME[8] = "gantryH1";

static table_t *map_file(const char *path) {
  struct stat status;
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  void *table = MAP_FAILED;

  if (fd < 0) return NULL;
  /* Room is taken now: a write into a mapped hole of a full disk would end the process. */
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
      ftruncate(fd, (off_t)sizeof(table_t)) == 0 &&
      posix_fallocate(fd, 0, (off_t)sizeof(table_t)) == 0)
    table = mmap(NULL, sizeof(table_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  return table == MAP_FAILED ? NULL : table;
}

gantry_err_t history_open(const char *path, history_t **out, gantry_fault_t *fault) {
  history_t *self = calloc(1, sizeof *self);

  *out = self;
  if (!self) return GANTRY_E_INTERNAL;
  self->table = map_file(path);
  self->mapped = self->table != NULL;
  if (!self->mapped) {
    fault_set(fault, GANTRY_E_UNAVAILABLE, "data", "%s cannot be mapped", path);
    self->table = calloc(1, sizeof *self->table);
  }
  if (!self->table) {
    free(self);
    *out = NULL;
    return GANTRY_E_INTERNAL;
  }
  if (memcmp(self->table->name, NAME, sizeof NAME) != 0 || self->table->next >= HISTORY_ROWS) {
    memset(self->table, 0, sizeof *self->table);
    memcpy(self->table->name, NAME, sizeof NAME);
  }
  return GANTRY_OK;
}

void history_close(history_t **self) {
  history_t *history = *self;

  if (!history) return;
  if (history->mapped)
    munmap(history->table, sizeof *history->table);
  else
    free(history->table);
  free(history);
  *self = NULL;
}

void history_add(history_t *history, const history_row_t *row) {
  table_t *table = history->table;

  table->rows[table->next] = *row;
  table->next = (table->next + 1) % HISTORY_ROWS;
}

/* ---- reading */

static history_row_t mean_of(const history_row_t *const *rows, size_t count) {
  history_row_t mean = {.wall_s = rows[count - 1]->wall_s};

  for (int c = 0; c < HISTORY_COLUMNS; c++) {
    double sum = 0;
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
      if (isnan(rows[i]->values[c])) continue;
      sum += (double)rows[i]->values[c];
      known++;
    }
    mean.values[c] = known ? (float)(sum / (double)known) : NAN;
  }
  return mean;
}

size_t history_read(const history_t *history, uint64_t since_s, history_row_t *out, size_t most) {
  const table_t *table = history->table;
  const history_row_t *found[HISTORY_ROWS];
  size_t count = 0, written = 0;

  for (size_t i = 0; i < HISTORY_ROWS; i++) {
    const history_row_t *row = &table->rows[(table->next + i) % HISTORY_ROWS];
    if (row->wall_s && row->wall_s >= since_s) found[count++] = row;
  }
  size_t each = most ? (count + most - 1) / most : 0;
  for (size_t i = 0; each && i < count; i += each)
    out[written++] = mean_of(&found[i], count - i < each ? count - i : each);
  return written;
}
