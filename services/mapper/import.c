/* map.import: a map from elsewhere goes to storage as a map of its own. */
#include <gantry/clock.h>
#include <stdio.h>
#include <stdlib.h>

#include "mapper_internal.h"
#include "patch.h"

/* Tries the cells out, so that what is stored can also be loaded. */
static gantry_err_t try_cells(const mapper_t *mapper, const map_import_t *import) {
  grid_config_t config = mapper->config.tracker.grid;
  grid_box_t box;
  config.resolution_m = import->resolution;
  GANTRY_TRY(patch_box(import->resolution, import->origin_x, import->origin_y, import->width,
                       import->height, &box));
  grid_t *grid = grid_new(&config);
  if (!grid) return GANTRY_E_INTERNAL;
  gantry_err_t err = patch_decode(grid, box, import->cells.data, import->cells.len);
  if (err == GANTRY_OK && grid_known_cells(grid) == 0) err = GANTRY_E_NOT_FOUND;
  grid_destroy(&grid);
  return err;
}

static void fail_cells(const mapper_t *mapper, rpc_context_t *call, gantry_err_t err) {
  switch (err) {
  case GANTRY_E_INVALID:
    rpc_fail(call, err, "origin_x", "lies too far away for cells of that size");
    break;
  case GANTRY_E_SCHEMA:
    rpc_fail(call, GANTRY_E_INVALID, "cells", "do not fit width and height, or are damaged");
    break;
  case GANTRY_E_NOT_FOUND:
    rpc_fail(call, GANTRY_E_INVALID, "cells", "are all unknown: there is nothing to import");
    break;
  case GANTRY_E_TOO_LARGE:
    rpc_fail(call, GANTRY_E_INVALID, "cells",
             "cover more than %u tiles of 64 x 64 cells: see the setting `tiles` of the mapper",
             mapper->config.tracker.grid.tile_limit);
    break;
  default:
    rpc_fail(call, GANTRY_E_INTERNAL, "", "out of memory");
  }
}

static void on_put(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                   const sys_header_t *header, void *arg) {
  rpc_context_t *call = arg;
  (void)header;
  if (err == GANTRY_OK)
    rpc_reply(call, reply);
  else
    rpc_fail_fault(call, fault);
}

static gantry_err_t send(const mapper_t *mapper, const map_import_t *import, rpc_context_t *call) {
  uint32_t random[2];
  cause_t cause = rpc_cause(call);
  if (!mapper_draw_random(random)) return GANTRY_E_INTERNAL;
  store_map_put_t *put = calloc(1, sizeof *put);
  if (!put) return GANTRY_E_INTERNAL;
  map_info_t *info = &put->grid.info;
  put->started = info->created = info->updated = clock_wall_ns();
  snprintf(info->map_id, sizeof info->map_id, "map_%08x", random[0]);
  snprintf(info->name, sizeof info->name, "%s", import->name);
  snprintf(info->metadata, sizeof info->metadata, "{}");
  info->resolution = import->resolution;
  info->width = import->width;
  info->height = import->height;
  info->origin_x = import->origin_x;
  info->origin_y = import->origin_y;
  put->grid.cells = import->cells;
  gantry_err_t err =
      rpc_call(mapper->service->client, REQUEST_STORE_MAP_PUT, NULL, &cause, put, 0, on_put, call);
  free(put);
  return err;
}

static void on_import(rpc_context_t *call, const void *takes, void *arg) {
  const mapper_t *mapper = arg;
  const map_import_t *import = takes;
  gantry_err_t err = try_cells(mapper, import);
  if (err != GANTRY_OK)
    fail_cells(mapper, call, err);
  else if (send(mapper, import, call) != GANTRY_OK)
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "storage cannot be asked to keep the map");
}

gantry_err_t mapper_serve_import(mapper_t *mapper) {
  return rpc_serve(mapper->service->server, REQUEST_MAP_IMPORT, on_import, mapper);
}
