/* One JSON object, kept by a text keeper. */
#include "session_file.h"

#include <gantry/json.h>
#include <gantry/text_keeper.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 640
#define TEXT_MAX  32768u /* the longest session, every letter escaped */

struct session_file {
  loop_t *loop;
  text_keeper_t *keeper;
  session_file_fn fn;
  void *arg;
  buf_t text;
};

/* The session says what one can say: it has an id unless it is idle, and times that fit. */
static gantry_err_t check(const session_session_t *session, gantry_fault_t *fault) {
  bool idle = session->state == SESSION_STATE_IDLE;
  if (!idle && (!session->session[0] || !session->has_started))
    return fault_set(fault, GANTRY_E_SCHEMA, "session", "has neither id nor time");
  if (session->state == SESSION_STATE_STOPPED && !session->has_stopped)
    return fault_set(fault, GANTRY_E_SCHEMA, "stopped", "is absent");
  return GANTRY_OK;
}

static gantry_err_t read_whole(FILE *file, session_session_t *out, gantry_fault_t *fault) {
  char text[TEXT_MAX];
  size_t len = fread(text, 1, sizeof text, file);
  if (ferror(file) || len == sizeof text)
    return fault_set(fault, GANTRY_E_SCHEMA, "", "cannot be read, or is too long");
  GANTRY_TRY(json_read(&SESSION_SESSION_DESC, text, len, false, out, fault));
  return check(out, fault);
}

/* A damaged file is kept for whoever wants to look at it. */
static void set_aside(const char *path, gantry_fault_t *fault) {
  char aside[PATH_SIZE + 4], why[96];
  snprintf(why, sizeof why, "%.30s %.60s", fault->field, fault->detail);
  snprintf(aside, sizeof aside, "%s.bad", path);
  bool moved = rename(path, aside) == 0;
  if (!moved) (void)remove(path);
  fault_set(fault, GANTRY_E_INVALID, "recording", "%s; %s %.60s", why,
            moved ? "set aside as" : "removed", moved ? "recording.bad" : "");
}

static void read_found(const char *path, session_session_t *found, gantry_fault_t *fault) {
  FILE *file = fopen(path, "re");
  *found = (session_session_t){0};
  *fault = (gantry_fault_t){0};
  if (!file && errno == ENOENT) return;
  gantry_err_t err = file ? read_whole(file, found, fault)
                          : fault_set(fault, GANTRY_E_UNAVAILABLE, "", "%s", strerror(errno));
  if (file) (void)fclose(file);
  if (err == GANTRY_OK) return;
  *found = (session_session_t){0};
  set_aside(path, fault);
}

static void on_tried(void *arg) {
  session_file_t *file = arg;
  file->fn(text_keeper_outcome(file->keeper), file->arg);
}

gantry_err_t session_file_open(const char *folder, loop_t *loop, session_file_fn fn, void *arg,
                               session_session_t *found, session_file_t **out,
                               gantry_fault_t *fault) {
  char path[PATH_SIZE];
  *out = NULL;
  if (snprintf(path, sizeof path, "%s/recording", folder) >= (int)sizeof path)
    return GANTRY_E_TOO_LARGE;
  session_file_t *self = calloc(1, sizeof *self);
  if (!self) return GANTRY_E_INTERNAL;
  self->loop = loop;
  self->fn = fn;
  self->arg = arg;
  gantry_err_t err = text_keeper_new(path, TEXT_MAX, &self->keeper);
  if (err == GANTRY_OK) err = loop_watch(loop, text_keeper_fd(self->keeper), on_tried, self);
  if (err != GANTRY_OK) {
    text_keeper_destroy(&self->keeper);
    free(self);
    return err;
  }
  read_found(path, found, fault);
  *out = self;
  return GANTRY_OK;
}

void session_file_close(session_file_t **self) {
  session_file_t *file = *self;
  if (!file) return;
  loop_unwatch(file->loop, text_keeper_fd(file->keeper));
  text_keeper_destroy(&file->keeper);
  buf_fini(&file->text);
  free(file);
  *self = NULL;
}

void session_file_set(session_file_t *file, const session_session_t *session) {
  buf_reset(&file->text);
  gantry_err_t err = json_write(&SESSION_SESSION_DESC, session, &file->text);
  if (err == GANTRY_OK)
    err = text_keeper_set(file->keeper, (const char *)file->text.data, file->text.len);
  if (err != GANTRY_OK) file->fn(err, file->arg);
}
