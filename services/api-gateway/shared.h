/* Bytes that several answers send at once, e.g. a map: made once, copied never. Only the loop takes
   and drops holds; a thread may read what the loop holds for it. */
#ifndef GATEWAY_SHARED_H
#define GATEWAY_SHARED_H

#include <gantry/buf.h>
#include <gantry/desc.h>

typedef struct shared {
  uint8_t *data; /* not to be changed */
  size_t len;
  unsigned holds;
} shared_t;

/* Takes the bytes over, with one hold for the caller, and leaves the buffer empty; NULL without
   memory. */
shared_t *shared_take(buf_t *bytes);
/* A copy of them. */
shared_t *shared_copy(const void *bytes, size_t len);
/* The same, or NULL for NULL. */
shared_t *shared_hold(shared_t *self);
/* None of NULL. */
blob_t shared_bytes(const shared_t *self);
/* Harmless on NULL; the last one frees. */
void shared_drop(shared_t **self);

#endif
