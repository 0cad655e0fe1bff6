/* Three buffers and a count. */
#include "parcel.h"

#include <gantry/unpack.h>
#include <stdlib.h>

parcel_t *parcel_new(void) {
  parcel_t *parcel = calloc(1, sizeof *parcel);
  if (parcel) atomic_init(&parcel->holders, 1);
  return parcel;
}

static gantry_err_t take(buf_t *buf, blob_t blob) {
  buf_put(buf, blob.data, blob.len);
  return buf_err(buf);
}

gantry_err_t parcel_unpack(const uint8_t *bytes, size_t len, parcel_t **out,
                           gantry_fault_t *fault) {
  parcel_t *parcel = parcel_new();
  *out = parcel;
  if (!parcel) return GANTRY_E_INTERNAL;
  store_map_put_t *put = &parcel->put;
  gantry_err_t err = unpack_message(&STORE_MAP_PUT_DESC, bytes, len, put, fault);
  if (err == GANTRY_OK) err = take(&parcel->cells, put->grid.cells);
  if (err == GANTRY_OK && put->has_graph) err = take(&parcel->graph, put->graph);
  if (err == GANTRY_OK && put->has_trajectory) err = take(&parcel->path, put->trajectory);
  if (err == GANTRY_OK)
    parcel_close(parcel);
  else
    parcel_drop(out);
  return err;
}

parcel_t *parcel_of(const store_map_stored_t *map) {
  parcel_t *parcel = parcel_new();
  if (!parcel) return NULL;
  parcel->put.grid = map->grid;
  gantry_err_t err = take(&parcel->cells, map->grid.cells);
  if (err == GANTRY_OK && map->has_graph) err = take(&parcel->graph, map->graph);
  if (err == GANTRY_OK && map->has_trajectory) err = take(&parcel->path, map->trajectory);
  if (err == GANTRY_OK)
    parcel_close(parcel);
  else
    parcel_drop(&parcel);
  return parcel;
}

static blob_t blob_of(const buf_t *buf) {
  return (blob_t){.data = buf->data, .len = buf->len};
}

void parcel_close(parcel_t *parcel) {
  store_map_put_t *put = &parcel->put;
  put->grid.cells = blob_of(&parcel->cells);
  put->graph = blob_of(&parcel->graph);
  put->has_graph = parcel->graph.len > 0;
  put->trajectory = blob_of(&parcel->path);
  put->has_trajectory = parcel->path.len > 0;
}

parcel_t *parcel_hold(parcel_t *parcel) {
  if (parcel) atomic_fetch_add(&parcel->holders, 1);
  return parcel;
}

void parcel_drop(parcel_t **self) {
  parcel_t *parcel = *self;
  *self = NULL;
  if (!parcel || atomic_fetch_sub(&parcel->holders, 1) > 1) return;
  buf_fini(&parcel->cells);
  buf_fini(&parcel->graph);
  buf_fini(&parcel->path);
  free(parcel);
}
