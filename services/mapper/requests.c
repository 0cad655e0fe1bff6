/* map.* requests: start, stop, load, update, and what is asked about the active map. */
#include <gantry/pack.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mapper_internal.h"
#include "patch.h"

#define GRID_BYTES (16u << 20) /* map.grid */

static bool draw_random(uint32_t random[2]) {
  return getrandom(random, 2 * sizeof *random, 0) == (ssize_t)(2 * sizeof *random);
}

static void fail_begin(rpc_context_t *call, gantry_err_t err) {
  switch (err) {
  case GANTRY_E_REFUSED:
    rpc_fail(call, err, "", "already mapping: stop the running session first");
    break;
  case GANTRY_E_INVALID:
    rpc_fail(call, err, "resolution", "a cell is 0.01 m to 1 m wide");
    break;
  default:
    rpc_fail(call, err, "", "the session cannot begin");
  }
}

static void begin_drawing(mapper_t *mapper) {
  pairing_clear(mapper->pairing);
  mapper->grid_full = false;
  mapper->checkpointed = 0;
  mapper_remember(mapper);
  mapper_publish_status(mapper);
  log_info("MAP-STARTED", "%s draws map %s", mapper->session.session_id, mapper->session.map_id);
}

static void reply_started(rpc_context_t *call, const session_t *session) {
  map_started_t started = {0};
  snprintf(started.map_id, sizeof started.map_id, "%s", session->map_id);
  snprintf(started.session_id, sizeof started.session_id, "%s", session->session_id);
  rpc_reply(call, &started);
}

/* True (and answered) when the active map would be lost by making another one active. */
static bool would_lose(const mapper_t *mapper, rpc_context_t *call) {
  if (!mapper->unkept) return false;
  rpc_fail(call, GANTRY_E_CONFLICT, "", "map %s could not be stored yet: free the disk first",
           mapper->session.map_id);
  return true;
}

static void on_start(rpc_context_t *call, const void *takes, void *arg) {
  mapper_t *mapper = arg;
  const map_start_t *start = takes;
  uint32_t random[2];
  session_plan_t plan = {.name = start->name,
                         .resolution_m = start->resolution,
                         .width = start->width,
                         .height = start->height,
                         .tile_limit = mapper->tile_limit};
  if (would_lose(mapper, call)) return;
  if (keeper_busy(mapper->keeper) || mapper->loading) {
    rpc_fail(call, GANTRY_E_REFUSED, "", "a map is on its way to or from storage");
    return;
  }
  gantry_err_t err = draw_random(random)
                         ? session_begin(&mapper->session, &plan, random, clock_wall_ns())
                         : GANTRY_E_INTERNAL;
  if (err != GANTRY_OK) {
    fail_begin(call, err);
    return;
  }
  begin_drawing(mapper);
  reply_started(call, &mapper->session);
}

void mapper_info(const mapper_t *mapper, map_info_t *info) {
  const session_t *session = &mapper->session;
  grid_box_t box = session_box(session);
  double resolution_m = session->grid ? grid_resolution_m(session->grid) : 0.0;
  *info = (map_info_t){.resolution = resolution_m,
                       .width = box.width,
                       .height = box.height,
                       .origin_x = box.min_x * resolution_m,
                       .origin_y = box.min_y * resolution_m,
                       .revision = session->revision,
                       .created = session->created_ns,
                       .updated = session->updated_ns};
  snprintf(info->map_id, sizeof info->map_id, "%s", session->map_id);
  snprintf(info->name, sizeof info->name, "%s", session->name);
  snprintf(info->metadata, sizeof info->metadata, "%s", session->metadata);
}

static gantry_err_t fill_grid(mapper_t *mapper, map_grid_t *grid) {
  mapper_info(mapper, &grid->info);
  buf_reset(&mapper->cells);
  mapper->cells.limit = GRID_BYTES;
  GANTRY_TRY(patch_encode(mapper->session.grid, session_box(&mapper->session), &mapper->cells));
  grid->cells = (blob_t){.data = mapper->cells.data, .len = mapper->cells.len};
  return GANTRY_OK;
}

/* NULL without memory; the caller frees it. */
static map_trajectory_t *new_path(const mapper_t *mapper) {
  const trajectory_t *path = &mapper->session.trajectory;
  map_trajectory_t *out = calloc(1, sizeof *out);
  if (!out) return NULL;
  snprintf(out->map_id, sizeof out->map_id, "%s", mapper->session.map_id);
  out->total = path->total;
  out->points_count = path->count;
  for (uint32_t i = 0; i < path->count; i++)
    out->points[i] = (map_trajectory_point_t){.x = (float)path->points[i].pose.x,
                                              .y = (float)path->points[i].pose.y,
                                              .theta = (float)path->points[i].pose.theta,
                                              .time = path->points[i].wall_ns};
  return out;
}

static gantry_err_t fill_path(mapper_t *mapper, store_map_put_t *put) {
  if (mapper->session.trajectory.count == 0) return GANTRY_OK;
  map_trajectory_t *path = new_path(mapper);
  if (!path) return GANTRY_E_INTERNAL;
  buf_reset(&mapper->path);
  gantry_err_t err = pack_message(&MAP_TRAJECTORY_DESC, path, &mapper->path, NULL);
  free(path);
  put->has_trajectory = err == GANTRY_OK;
  put->trajectory = (blob_t){.data = mapper->path.data, .len = mapper->path.len};
  return err;
}

gantry_err_t mapper_fill_put(mapper_t *mapper, store_map_put_t *put) {
  const session_t *session = &mapper->session;
  *put = (store_map_put_t){
      .started = session->started_ns, .scans = session->scans, .quality = session_quality(session)};
  snprintf(put->session_id, sizeof put->session_id, "%s", session->session_id);
  GANTRY_TRY(fill_path(mapper, put));
  return fill_grid(mapper, &put->grid);
}

/* Told once whoever asked has gone: the map is safe now, or still is not. */
static void on_stored_late(gantry_err_t err, const gantry_fault_t *fault, void *arg) {
  (void)fault;
  ((mapper_t *)arg)->unkept = err == GANTRY_E_INTERNAL;
}

void mapper_keep_again(mapper_t *mapper) {
  store_map_put_t put;
  if (!mapper->unkept || mapper->session.mapping || keeper_busy(mapper->keeper)) return;
  if (mapper_fill_put(mapper, &put) != GANTRY_OK) return;
  /* What waits in a file after this call is safe too. */
  if (keeper_put(mapper->keeper, &put, on_stored_late, mapper) == GANTRY_E_UNAVAILABLE)
    mapper->unkept = false;
}

static void on_stored(gantry_err_t err, const gantry_fault_t *fault, void *arg) {
  mapper_t *mapper = arg;
  const session_t *session = &mapper->session;
  rpc_context_t *call = mapper->stop;
  mapper->stop = NULL;
  mapper->unkept = err != GANTRY_OK && err != GANTRY_E_UNAVAILABLE && err != GANTRY_E_TIMEOUT;
  if (!call) return;
  if (err != GANTRY_OK) {
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "",
             mapper->unkept
                 ? "map %s is finished, but neither storage nor the data folder takes it;"
                   " it stays in memory and is tried again (%s)"
                 : "map %s is finished and kept; it is stored when storage is back (%s)",
             session->map_id, fault ? fault->detail : gantry_err_name(err));
    return;
  }
  map_stopped_t stopped = {.scans = session->scans, .quality = session_quality(session)};
  snprintf(stopped.map_id, sizeof stopped.map_id, "%s", session->map_id);
  snprintf(stopped.session_id, sizeof stopped.session_id, "%s", session->session_id);
  rpc_reply(call, &stopped);
}

static void on_stop(rpc_context_t *call, const void *takes, void *arg) {
  mapper_t *mapper = arg;
  store_map_put_t put;
  (void)takes;
  mapper->resume_until_ns = 0; /* a session that waits to go on can be ended too */
  if (session_end(&mapper->session, clock_wall_ns()) != GANTRY_OK) {
    rpc_fail(call, GANTRY_E_REFUSED, "", "no mapping session runs");
    return;
  }
  mapper_remember(mapper);
  mapper_publish_status(mapper);
  mapper->stop = call;
  gantry_err_t err = mapper_fill_put(mapper, &put);
  if (err == GANTRY_OK) err = keeper_put(mapper->keeper, &put, on_stored, mapper);
  if (err != GANTRY_OK) on_stored(err, NULL, mapper);
}

static void load_for(mapper_t *mapper, const char *map_id, rpc_context_t *call, bool extend) {
  gantry_err_t err = mapper_load(mapper, map_id, call, extend);
  if (err == GANTRY_E_CONFLICT)
    rpc_fail(call, extend ? GANTRY_E_REFUSED : err, "", "another map is being loaded");
  else if (err != GANTRY_OK)
    rpc_fail(call, err, "", "storage cannot be asked for the map");
}

static void on_load(rpc_context_t *call, const void *takes, void *arg) {
  const map_key_t *key = takes;
  mapper_t *mapper = arg;
  if (would_lose(mapper, call)) return;
  if (mapper->session.mapping)
    rpc_fail(call, GANTRY_E_CONFLICT, "", "already mapping: stop the running session first");
  else
    load_for(mapper, key->map_id, call, false);
}

static void on_update(rpc_context_t *call, const void *takes, void *arg) {
  const map_key_t *key = takes;
  mapper_t *mapper = arg;
  if (would_lose(mapper, call)) return;
  if (mapper->session.mapping || keeper_busy(mapper->keeper))
    rpc_fail(call, GANTRY_E_REFUSED, "", "already mapping: stop the running session first");
  else
    load_for(mapper, key->map_id, call, true);
}

gantry_err_t mapper_take_map(mapper_t *mapper, const map_grid_t *grid) {
  const map_info_t *info = &grid->info;
  session_map_t map = {.map_id = info->map_id,
                       .name = info->name,
                       .metadata = info->metadata,
                       .resolution_m = info->resolution,
                       .origin_x_m = info->origin_x,
                       .origin_y_m = info->origin_y,
                       .width = info->width,
                       .height = info->height,
                       .revision = info->revision,
                       .created_ns = info->created,
                       .updated_ns = info->updated,
                       .tile_limit = mapper->tile_limit};
  return session_load(&mapper->session, &map, grid->cells.data, grid->cells.len);
}

static void take_name(mapper_t *mapper, const map_info_t *info) {
  session_t *session = &mapper->session;
  if (strcmp(info->map_id, session->map_id) != 0) return;
  snprintf(session->name, sizeof session->name, "%s", info->name);
  snprintf(session->metadata, sizeof session->metadata, "%s", info->metadata);
  mapper_remember(mapper);
  mapper_publish_status(mapper);
}

static void activate(mapper_t *mapper, const map_grid_t *grid, rpc_context_t *call, bool extend) {
  uint32_t random[2];
  gantry_err_t err = mapper_take_map(mapper, grid);
  if (err == GANTRY_OK && extend)
    err = draw_random(random) ? session_extend(&mapper->session, random[0], clock_wall_ns())
                              : GANTRY_E_INTERNAL;
  if (err != GANTRY_OK) {
    rpc_fail(call, GANTRY_E_INTERNAL, "", "map %s cannot be loaded: %s", grid->info.map_id,
             gantry_err_name(err));
    return;
  }
  log_info("MAP-LOADED", "map %s is the active one", mapper->session.map_id);
  if (extend) {
    begin_drawing(mapper);
    reply_started(call, &mapper->session);
    return;
  }
  map_info_t info;
  mapper_remember(mapper);
  mapper_publish_status(mapper);
  mapper_info(mapper, &info);
  rpc_reply(call, &info);
}

static void on_map(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                   const sys_header_t *header, void *arg) {
  loading_t loading = *(loading_t *)arg;
  (void)header;
  free(arg);
  if (!loading.owner) return;
  loading.owner->loading = NULL;
  if (err != GANTRY_OK) {
    if (loading.call)
      rpc_fail_fault(loading.call, fault);
    else if (err == GANTRY_E_NOT_FOUND)
      mapper_forget(loading.owner); /* deleted: a restart must not bring it back */
    return;
  }
  if (loading.call)
    activate(loading.owner, reply, loading.call, loading.extend);
  else
    take_name(loading.owner, &((const map_grid_t *)reply)->info);
}

gantry_err_t mapper_load(mapper_t *mapper, const char *map_id, rpc_context_t *call, bool extend) {
  map_key_t key = {0};
  if (mapper->loading) return GANTRY_E_CONFLICT;
  loading_t *loading = calloc(1, sizeof *loading);
  if (!loading) return GANTRY_E_INTERNAL;
  *loading = (loading_t){.owner = mapper, .call = call, .extend = extend};
  snprintf(key.map_id, sizeof key.map_id, "%s", map_id);
  cause_t cause = call ? rpc_cause(call) : cause_new(0);
  gantry_err_t err = rpc_call(mapper->service->client, REQUEST_STORE_MAP_GET, NULL, &cause, &key, 0,
                              on_map, loading);
  if (err == GANTRY_OK)
    mapper->loading = loading;
  else
    free(loading);
  return err;
}

static bool has_map(const mapper_t *mapper, rpc_context_t *call) {
  if (mapper->session.grid) return true;
  rpc_fail(call, GANTRY_E_NOT_FOUND, "", "no map is active: start mapping or load one");
  return false;
}

static void on_get(rpc_context_t *call, const void *takes, void *arg) {
  mapper_t *mapper = arg;
  map_grid_t grid;
  (void)takes;
  if (!has_map(mapper, call)) return;
  gantry_err_t err = fill_grid(mapper, &grid);
  if (err == GANTRY_OK)
    rpc_reply(call, &grid);
  else
    rpc_fail(call, err, "", "the grid is too large for one answer");
}

static void on_info(rpc_context_t *call, const void *takes, void *arg) {
  mapper_t *mapper = arg;
  map_info_t info;
  (void)takes;
  if (!has_map(mapper, call)) return;
  mapper_info(mapper, &info);
  rpc_reply(call, &info);
}

static void on_trajectory(rpc_context_t *call, const void *takes, void *arg) {
  mapper_t *mapper = arg;
  (void)takes;
  if (!has_map(mapper, call)) return;
  map_trajectory_t *out = new_path(mapper);
  if (out)
    rpc_reply(call, out);
  else
    rpc_fail(call, GANTRY_E_INTERNAL, "", "out of memory");
  free(out);
}

gantry_err_t mapper_serve(mapper_t *mapper) {
  const struct {
    const request_t *request;
    rpc_handler_fn handler;
  } SERVED[] = {
      {REQUEST_MAP_START, on_start},
      {REQUEST_MAP_STOP, on_stop},
      {REQUEST_MAP_LOAD, on_load},
      {REQUEST_MAP_UPDATE, on_update},
      {REQUEST_MAP_GET, on_get},
      {REQUEST_MAP_INFO, on_info},
      {REQUEST_MAP_TRAJECTORY, on_trajectory},
  };
  for (size_t i = 0; i < sizeof SERVED / sizeof *SERVED; i++)
    GANTRY_TRY(rpc_serve(mapper->service->server, SERVED[i].request, SERVED[i].handler, mapper));
  return GANTRY_OK;
}
