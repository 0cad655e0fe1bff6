/* Parcel: the active map as it goes to storage, into the memory and to whoever asks while it is
   being finished: one copy, shared and counted. Any thread. */
#ifndef MAPPER_PARCEL_H
#define MAPPER_PARCEL_H

#include <gantry/buf.h>
#include <messages.h>
#include <stdatomic.h>

typedef struct parcel {
  store_map_put_t put;      /* its blobs are those below; filled by whoever makes the parcel */
  buf_t cells, graph, path; /* owned */
  atomic_uint holders;
} parcel_t;

/* Empty, with one holder; NULL without memory. */
parcel_t *parcel_new(void);
/* From a packed store.map_put. Errors as unpack_message; *out is NULL then. */
gantry_err_t parcel_unpack(const uint8_t *bytes, size_t len, parcel_t **out, gantry_fault_t *fault);
/* A copy of a stored map; NULL without memory. */
parcel_t *parcel_of(const store_map_stored_t *map);
/* Points the blobs of put at the buffers, once they are filled; an empty graph or path is absent.
 */
void parcel_close(parcel_t *parcel);
/* One more holder; returns the parcel. NULL-safe. */
parcel_t *parcel_hold(parcel_t *parcel);
/* One less; the last one frees. Clears *self, NULL-safe. */
void parcel_drop(parcel_t **self);

#endif
