/* A counted hold on bytes. */
#include "shared.h"

#include <stdlib.h>

shared_t *shared_take(buf_t *bytes) {
  shared_t *self = calloc(1, sizeof *self);

  if (!self) return NULL;
  *self = (shared_t){.data = bytes->data, .len = bytes->len, .holds = 1};
  *bytes = (buf_t){.limit = bytes->limit};
  return self;
}

shared_t *shared_copy(const void *bytes, size_t len) {
  buf_t copy = {.limit = len + 1};
  shared_t *self = NULL;

  buf_put(&copy, bytes, len);
  if (buf_err(&copy) == GANTRY_OK) self = shared_take(&copy);
  buf_fini(&copy);
  return self;
}

shared_t *shared_hold(shared_t *self) {
  if (self) self->holds++;
  return self;
}

blob_t shared_bytes(const shared_t *self) {
  return self ? (blob_t){.data = self->data, .len = self->len} : (blob_t){0};
}

void shared_drop(shared_t **self) {
  shared_t *shared = *self;

  *self = NULL;
  if (!shared || --shared->holds > 0) return;
  free(shared->data);
  free(shared);
}
