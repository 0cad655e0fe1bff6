/* Writes, reads and checks maps. */
#include "map_file.h"

#include <gantry/pack.h>
#include <gantry/slam/map_codec.h>
#include <gantry/unpack.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "digest.h"

#define FORMAT   1
#define HEAD_MAX 128

gantry_err_t map_file_write(const store_map_stored_t *map, buf_t *out) {
  buf_t body = {0};
  char sum[DIGEST_SIZE];
  gantry_err_t err = pack_message(&STORE_MAP_STORED_DESC, map, &body, NULL);
  if (err == GANTRY_OK) err = digest_of(body.data, body.len, sum);
  if (err == GANTRY_OK) {
    buf_printf(out, "gantry-map %d %s %zu\n", FORMAT, sum, body.len);
    buf_put(out, body.data, body.len);
    err = buf_err(out);
  }
  buf_fini(&body);
  return err;
}

static gantry_err_t wrong(gantry_fault_t *fault, const char *why) {
  return fault_set(fault, GANTRY_E_INVALID, "data", "%s", why);
}

gantry_err_t map_file_read(const uint8_t *bytes, size_t len, store_map_stored_t *map,
                           gantry_fault_t *fault) {
  char head[HEAD_MAX] = "", sum[DIGEST_SIZE] = "", computed[DIGEST_SIZE];
  int format = 0, used = 0;
  size_t body_len = 0;
  const uint8_t *end = memchr(bytes, '\n', len < HEAD_MAX ? len : HEAD_MAX - 1);
  if (end) snprintf(head, sizeof head, "%.*s", (int)(end - bytes), (const char *)bytes);
  if (sscanf(head, "gantry-map %d %64s %zu%n", &format, sum, &body_len, &used) != 3 ||
      head[used] != '\0')
    return wrong(fault, "is no map file: it has to begin with `gantry-map`");
  if (format != FORMAT)
    return wrong(fault, "was written by a newer program: import it with that one");
  const uint8_t *body = end + 1;
  if ((size_t)(bytes + len - body) != body_len)
    return wrong(fault, "is cut or has something behind its end: copy it again");
  GANTRY_TRY(digest_of(body, body_len, computed));
  if (strcmp(sum, computed) != 0)
    return wrong(fault, "is damaged: its checksum does not hold; copy it again");
  gantry_fault_t inside = {0};
  if (unpack_message(&STORE_MAP_STORED_DESC, body, body_len, map, &inside) != GANTRY_OK)
    return fault_set(fault, GANTRY_E_INVALID, "data", "is not a map of this program: %s %s",
                     inside.field, inside.detail);
  return map_file_check(&map->grid, fault);
}

gantry_err_t map_file_check(const map_grid_t *grid, gantry_fault_t *fault) {
  const map_info_t *info = &grid->info;
  map_decoder_t decoder = map_decoder_begin(grid->cells.data, grid->cells.len);
  uint64_t cells = 0, expected = (uint64_t)info->width * info->height;
  uint32_t run = 0;
  int8_t state = 0;
  gantry_err_t err;
  if (info->map_id[0] == '\0')
    return fault_set(fault, GANTRY_E_INVALID, "map_id", "is empty: a map needs an id");
  if (!(info->resolution > 0))
    return fault_set(fault, GANTRY_E_INVALID, "resolution", "is %g: it has to be above 0",
                     info->resolution);
  while ((err = map_decoder_next(&decoder, &state, &run)) == GANTRY_OK)
    cells += run;
  if (err != GANTRY_E_NOT_FOUND)
    return fault_set(fault, GANTRY_E_INVALID, "cells", "are not run-length coded: byte %zu of %zu",
                     decoder.at, decoder.len);
  if (cells != expected)
    return fault_set(fault, GANTRY_E_INVALID, "cells",
                     "are %" PRIu64 ", but width %u by height %u makes %" PRIu64, cells,
                     info->width, info->height, expected);
  return GANTRY_OK;
}

gantry_err_t map_file_pack_shapes(const map_grid_t *grid, buf_t *out) {
  if (!grid->has_shapes || grid->shapes_count == 0) return GANTRY_OK;
  map_shapes_t shapes = {.shapes_count = grid->shapes_count};
  snprintf(shapes.map_id, sizeof shapes.map_id, "%s", grid->info.map_id);
  memcpy(shapes.shapes, grid->shapes, grid->shapes_count * sizeof *shapes.shapes);
  return pack_message(&MAP_SHAPES_DESC, &shapes, out, NULL);
}

gantry_err_t map_file_unpack_shapes(const uint8_t *bytes, size_t len, map_grid_t *grid) {
  map_shapes_t shapes;
  gantry_fault_t inside = {0};
  GANTRY_TRY(unpack_message(&MAP_SHAPES_DESC, bytes, len, &shapes, &inside));
  grid->has_shapes = true;
  grid->shapes_count = shapes.shapes_count;
  memcpy(grid->shapes, shapes.shapes, sizeof shapes.shapes);
  return GANTRY_OK;
}
