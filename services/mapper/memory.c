/* One line of text, then the map as it goes to storage. */
#include "memory.h"

#include <errno.h>
#include <gantry/pack.h>
#include <gantry/unpack.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_SIZE 640
#define HEAD_SIZE 200
#define FILE_MAX  ((long)32 << 20) /* twice the largest map message */
#define WRITTEN   "gantry-active-map 1 %d %d %d %.17g %.17g %.17g %" PRIu64 "\n"
#define READ      "gantry-active-map 1 %d %d %d %lf %lf %lf %" SCNu64

static bool write_file(FILE *file, const memory_state_t *state, const buf_t *body) {
  int written = fprintf(file, WRITTEN, state->mapping, state->extending, state->has_pose,
                        state->pose.x, state->pose.y, state->pose.theta, state->integrated);
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

/* The whole file with a zero behind it; NULL with the reason. */
static uint8_t *read_all(const char *path, size_t *len, gantry_err_t *err) {
  FILE *file = fopen(path, "rbe");
  struct stat status;
  uint8_t *bytes = NULL;
  *err = file ? GANTRY_E_SCHEMA : errno == ENOENT ? GANTRY_E_NOT_FOUND : GANTRY_E_INTERNAL;
  if (!file) return NULL;
  if (fstat(fileno(file), &status) == 0 && status.st_size > 0 && status.st_size <= FILE_MAX) {
    *len = (size_t)status.st_size;
    bytes = malloc(*len + 1);
    if (bytes && fread(bytes, 1, *len, file) == *len) {
      bytes[*len] = 0;
      *err = GANTRY_OK;
    }
  }
  fclose(file);
  return bytes;
}

static bool read_head(const char *text, size_t len, memory_state_t *state) {
  char head[HEAD_SIZE];
  int mapping = 0, extending = 0, has_pose = 0;
  pose2_t *pose = &state->pose;
  if (len >= sizeof head) return false;
  memcpy(head, text, len);
  head[len] = '\0';
  if (sscanf(head, READ, &mapping, &extending, &has_pose, &pose->x, &pose->y, &pose->theta,
             &state->integrated) != 7)
    return false;
  state->mapping = mapping != 0;
  state->extending = extending != 0;
  state->has_pose = has_pose != 0;
  return isfinite(pose->x) && isfinite(pose->y) && isfinite(pose->theta);
}

gantry_err_t memory_read(const char *path, memory_state_t *state, store_map_put_t *put,
                         uint8_t **bytes) {
  size_t len = 0;
  gantry_fault_t fault;
  gantry_err_t err;
  *state = (memory_state_t){0};
  *bytes = read_all(path, &len, &err);
  if (err != GANTRY_OK) return err;
  const uint8_t *end = memchr(*bytes, '\n', len);
  if (!end || !read_head((const char *)*bytes, (size_t)(end - *bytes), state))
    return GANTRY_E_SCHEMA;
  size_t head_len = (size_t)(end + 1 - *bytes);
  err = unpack_message(&STORE_MAP_PUT_DESC, end + 1, len - head_len, put, &fault);
  return err == GANTRY_OK ? GANTRY_OK : GANTRY_E_SCHEMA;
}

void memory_set_aside(const char *path) {
  char aside[PATH_SIZE];
  snprintf(aside, sizeof aside, "%s.damaged", path);
  if (rename(path, aside) != 0) remove(path);
}
