/* map.* requests that only ask about the active map. */
#include <stdlib.h>
#include <string.h>

#include "mapper_internal.h"

bool mapper_has_map(const mapper_t *mapper, rpc_context_t *call) {
  if (session_has_map(&mapper->session)) return true;
  rpc_fail(call, GANTRY_E_NOT_FOUND, "", "no map is active: start mapping or load one");
  return false;
}

static void on_get(rpc_context_t *call, const void *takes, void *arg) {
  mapper_t *mapper = arg;
  (void)takes;
  if (!mapper_has_map(mapper, call)) return;
  parcel_t *parcel = mapper_parcel(mapper, CONTENT_GRID);
  if (parcel)
    rpc_reply(call, &parcel->put.grid);
  else
    rpc_fail(call, GANTRY_E_TOO_LARGE, "", "the grid is too large for one answer");
  parcel_drop(&parcel);
}

static void on_info(rpc_context_t *call, const void *takes, void *arg) {
  mapper_t *mapper = arg;
  map_info_t info;
  (void)takes;
  if (!mapper_has_map(mapper, call)) return;
  mapper_info(mapper, &info);
  rpc_reply(call, &info);
}

static void on_trajectory(rpc_context_t *call, const void *takes, void *arg) {
  mapper_t *mapper = arg;
  (void)takes;
  if (!mapper_has_map(mapper, call)) return;
  map_trajectory_t *out = malloc(sizeof *out);
  if (!out) {
    rpc_fail(call, GANTRY_E_INTERNAL, "", "out of memory");
    return;
  }
  mapper_path(mapper, out);
  rpc_reply(call, out);
  free(out);
}

static void on_closures(rpc_context_t *call, const void *takes, void *arg) {
  mapper_t *mapper = arg;
  map_closures_t out;
  (void)takes;
  if (!mapper_has_map(mapper, call)) return;
  mapper_closures(mapper, &out);
  rpc_reply(call, &out);
}

static void on_shapes(rpc_context_t *call, const void *takes, void *arg) {
  mapper_t *mapper = arg;
  (void)takes;
  if (mapper_has_map(mapper, call)) rpc_reply(call, &mapper->shapes);
}

gantry_err_t mapper_serve_questions(mapper_t *mapper) {
  const struct {
    const request_t *request;
    rpc_handler_fn handler;
  } SERVED[] = {
      {REQUEST_MAP_GET, on_get},
      {REQUEST_MAP_INFO, on_info},
      {REQUEST_MAP_TRAJECTORY, on_trajectory},
      {REQUEST_MAP_CLOSURES, on_closures},
      {REQUEST_MAP_SHAPES, on_shapes},
  };
  for (size_t i = 0; i < sizeof SERVED / sizeof *SERVED; i++)
    GANTRY_TRY(rpc_serve(mapper->service->server, SERVED[i].request, SERVED[i].handler, mapper));
  return GANTRY_OK;
}
