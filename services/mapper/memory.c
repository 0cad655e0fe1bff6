/* One line of text, then the map as it goes to storage. */
#include "memory.h"

#include <errno.h>
#include <gantry/pack.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_SIZE 640
#define HEAD_SIZE 200
#define FILE_MAX  ((long)64 << 20) /* more than the largest store.map_put */
#define WRITTEN   "gantry-active-map 2 %d %d %" PRIu64 " %" PRIu64 "\n"
#define READ      "gantry-active-map 2 %d %d %" SCNu64 " %" SCNu64
/* With the pose of the last sweep, which slam knows by itself now. */
#define READ_1 "gantry-active-map 1 %d %d %*d %*f %*f %*f %" SCNu64

static bool write_file(FILE *file, const memory_state_t *state, const buf_t *body) {
  int written = fprintf(file, WRITTEN, (int)state->phase, state->extending, state->integrated,
                        state->first_scan);
  return written > 0 && fwrite(body->data, 1, body->len, file) == body->len;
}

gantry_err_t memory_write(const char *path, const memory_state_t *state,
                          const store_map_put_t *put) {
  char part[PATH_SIZE];
  buf_t body = {0};
  gantry_err_t err = pack_message(&STORE_MAP_PUT_DESC, put, &body, NULL);
  snprintf(part, sizeof part, "%s.part", path);
  FILE *file = err == GANTRY_OK ? fopen(part, "wbe") : NULL;
  bool good = file && write_file(file, state, &body);
  if (file) good = fclose(file) == 0 && good;
  if (good) good = rename(part, path) == 0;
  if (!good && file) remove(part);
  buf_fini(&body);
  return good ? GANTRY_OK : GANTRY_E_INTERNAL;
}

/* The whole file; NULL with the reason. */
static uint8_t *read_all(const char *path, size_t *len, gantry_err_t *err) {
  FILE *file = fopen(path, "rbe");
  struct stat status;
  uint8_t *bytes = NULL;
  *err = file ? GANTRY_E_SCHEMA : errno == ENOENT ? GANTRY_E_NOT_FOUND : GANTRY_E_INTERNAL;
  if (!file) return NULL;
  if (fstat(fileno(file), &status) == 0 && status.st_size > 0 && status.st_size <= FILE_MAX) {
    *len = (size_t)status.st_size;
    bytes = malloc(*len);
    if (bytes && fread(bytes, 1, *len, file) == *len) *err = GANTRY_OK;
  }
  fclose(file);
  return bytes;
}

static bool read_head(const uint8_t *text, size_t len, memory_state_t *state) {
  char head[HEAD_SIZE];
  int phase = 0, extending = 0;
  if (len >= sizeof head) return false;
  memcpy(head, text, len);
  head[len] = '\0';
  *state = (memory_state_t){0};
  if (sscanf(head, READ_1, &phase, &extending, &state->integrated) == 3)
    phase = phase ? MAP_PHASE_MAPPING : MAP_PHASE_IDLE;
  else if (sscanf(head, READ, &phase, &extending, &state->integrated, &state->first_scan) != 4)
    return false;
  state->phase = (map_phase_t)phase;
  state->extending = extending != 0;
  return phase >= MAP_PHASE_IDLE && phase <= MAP_PHASE_STORING;
}

gantry_err_t memory_read(const char *path, memory_state_t *state, parcel_t **out) {
  size_t len = 0;
  gantry_fault_t fault;
  gantry_err_t err;
  *state = (memory_state_t){0};
  *out = NULL;
  uint8_t *bytes = read_all(path, &len, &err);
  const uint8_t *end = err == GANTRY_OK ? memchr(bytes, '\n', len) : NULL;
  if (err == GANTRY_OK && (!end || !read_head(bytes, (size_t)(end - bytes), state)))
    err = GANTRY_E_SCHEMA;
  if (err == GANTRY_OK && parcel_unpack(end + 1, len - (size_t)(end + 1 - bytes), out, &fault))
    err = GANTRY_E_SCHEMA;
  free(bytes);
  return err;
}

void memory_set_aside(const char *path) {
  char aside[PATH_SIZE];
  snprintf(aside, sizeof aside, "%s.damaged", path);
  if (rename(path, aside) != 0) remove(path);
}
