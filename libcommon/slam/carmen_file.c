/* Reads CARMEN logs from plain or gzip files; zlib tells them apart by itself. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include <gantry/slam/carmen.h>

enum { LINE_MAX_BYTES = 65536 };

struct carmen {
  gzFile file;
  uint64_t line;
  char text[LINE_MAX_BYTES];
};

carmen_t *carmen_open(const char *path, gantry_fault_t *fault) {
  carmen_t *carmen = calloc(1, sizeof *carmen);
  if (!carmen) {
    fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
    return NULL;
  }
  carmen->file = gzopen(path, "rb");
  if (!carmen->file) {
    fault_set(fault, GANTRY_E_NOT_FOUND, "path", "cannot open %s: %s", path, strerror(errno));
    free(carmen);
    return NULL;
  }
  return carmen;
}

void carmen_close(carmen_t **self) {
  if (!*self) return;
  gzclose((*self)->file);
  free(*self);
  *self = NULL;
}

/* Puts the line number before a fault's detail. */
static gantry_err_t at_line(const carmen_t *carmen, gantry_err_t err, const char *field,
                            const char *detail, gantry_fault_t *fault) {
  return fault_set(fault, err, field, "line %llu: %s", (unsigned long long)carmen->line, detail);
}

/* What begins as a scan of too many ranges is told so; its number of ranges stands in front. */
static gantry_err_t too_long(const carmen_t *carmen, gantry_fault_t *fault) {
  carmen_record_t record;
  gantry_fault_t bad = {0};
  if (carmen_parse(carmen->text, &record, &bad) == GANTRY_OK || strcmp(bad.field, "n") != 0)
    return at_line(carmen, GANTRY_E_SCHEMA, "", "longer than 64 KB; this is no CARMEN log", fault);
  return at_line(carmen, bad.err, bad.field, bad.detail, fault);
}

/* Reads one line into text; GANTRY_E_NOT_FOUND at the end. */
static gantry_err_t read_line(carmen_t *carmen, gantry_fault_t *fault) {
  carmen->line++;
  if (gzgets(carmen->file, carmen->text, sizeof carmen->text)) {
    size_t length = strlen(carmen->text);
    if (length + 1 < sizeof carmen->text || carmen->text[length - 1] == '\n') return GANTRY_OK;
    return too_long(carmen, fault);
  }
  int code = Z_OK;
  const char *reason = gzerror(carmen->file, &code);
  if (code == Z_OK || code == Z_STREAM_END)
    return fault_set(fault, GANTRY_E_NOT_FOUND, "", "end of the log");
  return at_line(carmen, GANTRY_E_INVALID, "",
                 code == Z_BUF_ERROR ? "the file ends in the middle of its gzip data" : reason,
                 fault);
}

gantry_err_t carmen_next(carmen_t *carmen, carmen_record_t *out, gantry_fault_t *fault) {
  for (;;) {
    gantry_fault_t bad = {0};
    GANTRY_TRY(read_line(carmen, fault));
    gantry_err_t err = carmen_parse(carmen->text, out, &bad);
    if (err != GANTRY_OK) return at_line(carmen, err, bad.field, bad.detail, fault);
    if (out->kind != CARMEN_OTHER) return GANTRY_OK;
  }
}
