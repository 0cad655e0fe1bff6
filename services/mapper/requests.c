/* map.* requests that begin and end sessions, and load maps. */
#include <gantry/clock.h>
#include <gantry/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mapper_internal.h"

bool mapper_draw_random(uint32_t random[2]) {
  return getrandom(random, 2 * sizeof *random, 0) == (ssize_t)(2 * sizeof *random);
}

const char *mapper_busy_with(const mapper_t *mapper) {
  if (mapper->session.mapping) return "already mapping: stop the running session first";
  if (mapper_phase(mapper) == MAP_PHASE_FINISHING)
    return "the map is being finished: wait until map.status says idle";
  if (keeper_busy(mapper->keeper)) return "the map is being stored: try again in a moment";
  return mapper->loading ? "another map is being loaded" : NULL;
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
  buf_reset(&mapper->path);
  mapper->grid_full = mapper->graph_full = false;
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

/* False (and answered with err) when the active map cannot give way now. */
static bool is_free(const mapper_t *mapper, rpc_context_t *call, gantry_err_t err) {
  const char *busy = mapper_busy_with(mapper);
  if (busy) {
    rpc_fail(call, err, "", "%s", busy);
    return false;
  }
  if (!mapper->unkept) return true;
  rpc_fail(call, GANTRY_E_CONFLICT, "", "map %s could not be stored yet: free the disk first",
           mapper->session.map_id);
  return false;
}

static void on_start(rpc_context_t *call, const void *takes, void *arg) {
  mapper_t *mapper = arg;
  const map_start_t *start = takes;
  uint32_t random[2];
  session_plan_t plan = {.name = start->name,
                         .resolution_m = start->resolution,
                         .width = start->width,
                         .height = start->height};
  if (!is_free(mapper, call, GANTRY_E_REFUSED)) return;
  gantry_err_t err =
      mapper_draw_random(random)
          ? session_begin(&mapper->session, &plan, &mapper->config, random, clock_wall_ns())
          : GANTRY_E_INTERNAL;
  if (err != GANTRY_OK) {
    fail_begin(call, err);
    return;
  }
  mapper_reset_told(mapper);
  begin_drawing(mapper);
  reply_started(call, &mapper->session);
}

static void on_stop(rpc_context_t *call, const void *takes, void *arg) {
  mapper_t *mapper = arg;
  (void)takes;
  mapper->resume_until_ns = 0; /* a session that waits to go on can be ended too */
  if (session_end(&mapper->session, clock_wall_ns()) != GANTRY_OK) {
    const char *busy = mapper_busy_with(mapper);
    rpc_fail(call, GANTRY_E_REFUSED, "", "no mapping session runs%s%s", busy ? ": " : "",
             busy ? busy : "");
    return;
  }
  mapper_finish(mapper, (waiter_t){.call = call, .kind = WAITER_STOP});
}

static gantry_err_t take(mapper_t *mapper, loading_t *loading) {
  opened_t opened;
  uint32_t random[2];
  GANTRY_TRY(opening_end(&loading->opening, &opened));
  GANTRY_TRY(mapper_take_map(mapper, &loading->parcel->put, &opened));
  if (!loading->extend) return GANTRY_OK;
  if (!mapper_draw_random(random)) return GANTRY_E_INTERNAL;
  return session_extend(&mapper->session, random[0], clock_wall_ns());
}

static void activate(mapper_t *mapper, const loading_t *loading) {
  log_info("MAP-LOADED", "map %s is the active one", mapper->session.map_id);
  if (loading->extend) {
    begin_drawing(mapper);
    reply_started(loading->call, &mapper->session);
    return;
  }
  map_info_t info;
  mapper_remember(mapper);
  mapper_publish_status(mapper);
  mapper_info(mapper, &info);
  rpc_reply(loading->call, &info);
  if (loading->outdated) mapper_ask_name(mapper); /* it may be renamed or gone by now */
}

static void on_opened(void *arg) {
  mapper_t *mapper = arg;
  loading_t *loading = mapper->loading;
  loop_unwatch(mapper->service->loop, opening_fd(loading->opening));
  mapper->loading = NULL;
  gantry_err_t err = take(mapper, loading);
  if (err == GANTRY_OK)
    activate(mapper, loading);
  else
    rpc_fail(loading->call, GANTRY_E_INTERNAL, "", "map %s cannot be loaded: %s",
             loading->parcel->put.grid.info.map_id, gantry_err_name(err));
  parcel_drop(&loading->parcel);
  free(loading);
}

void mapper_give_up_loading(mapper_t *mapper) {
  loading_t *loading = mapper->loading;
  mapper->loading = NULL;
  if (!loading) return;
  loading->owner = NULL; /* the answer, when it comes, frees it */
  if (!loading->opening) return;
  opened_t opened;
  loop_unwatch(mapper->service->loop, opening_fd(loading->opening));
  if (opening_end(&loading->opening, &opened) == GANTRY_OK) session_ready_fini(&opened.ready);
  parcel_drop(&loading->parcel);
  free(loading);
}

static gantry_err_t open_map(loading_t *loading, const store_map_stored_t *map) {
  mapper_t *mapper = loading->owner;
  loading->parcel = parcel_of(map);
  if (!loading->parcel) return GANTRY_E_INTERNAL;
  GANTRY_TRY(opening_start(loading->parcel, &mapper->config, &loading->opening));
  loop_watch(mapper->service->loop, opening_fd(loading->opening), on_opened, mapper);
  return GANTRY_OK;
}

static void on_map(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                   const sys_header_t *header, void *arg) {
  loading_t *loading = arg;
  (void)header;
  if (loading->owner && err == GANTRY_OK) {
    if (open_map(loading, reply) == GANTRY_OK) return;
    rpc_fail(loading->call, GANTRY_E_INTERNAL, "", "there is no memory to load the map");
  } else if (loading->owner) {
    rpc_fail_fault(loading->call, fault);
  }
  if (loading->owner) loading->owner->loading = NULL;
  parcel_drop(&loading->parcel);
  free(loading);
}

/* The active map has another name now, or is gone. */
static void on_name(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                    const sys_header_t *header, void *arg) {
  mapper_t *mapper = ((loading_t *)arg)->owner;
  const map_grid_t *grid = reply;
  (void)header, (void)fault;
  free(arg);
  if (!mapper) return;
  session_t *session = &mapper->session;
  mapper->naming = NULL;
  if (err == GANTRY_E_NOT_FOUND) mapper_forget(mapper); /* a restart must not bring it back */
  if (err != GANTRY_OK || strcmp(grid->info.map_id, session->map_id) != 0) return;
  if (strcmp(session->name, grid->info.name) == 0 &&
      strcmp(session->metadata, grid->info.metadata) == 0)
    return;
  snprintf(session->name, sizeof session->name, "%s", grid->info.name);
  snprintf(session->metadata, sizeof session->metadata, "%s", grid->info.metadata);
  mapper_remember(mapper);
  mapper_publish_status(mapper);
}

static gantry_err_t ask(mapper_t *mapper, const request_t *request, const map_key_t *key,
                        const loading_t *loading, rpc_reply_fn fn, loading_t **out) {
  loading_t *kept = calloc(1, sizeof *kept);
  if (!kept) return GANTRY_E_INTERNAL;
  *kept = *loading;
  cause_t cause = loading->call ? rpc_cause(loading->call) : cause_new(0);
  gantry_err_t err = rpc_call(mapper->service->client, request, NULL, &cause, key, 0, fn, kept);
  if (err == GANTRY_OK)
    *out = kept;
  else
    free(kept);
  return err;
}

static gantry_err_t load_map(mapper_t *mapper, const map_key_t *key, rpc_context_t *call,
                             bool extend) {
  loading_t loading = {.owner = mapper, .call = call, .extend = extend};
  return ask(mapper, REQUEST_STORE_MAP_LOAD, key, &loading, on_map, &mapper->loading);
}

void mapper_ask_name(mapper_t *mapper) {
  map_key_t key = {0};
  loading_t loading = {.owner = mapper};
  if (!session_has_map(&mapper->session) || mapper->session.mapping || mapper->naming) return;
  snprintf(key.map_id, sizeof key.map_id, "%s", mapper->session.map_id);
  (void)ask(mapper, REQUEST_STORE_MAP_GET, &key, &loading, on_name, &mapper->naming);
}

static void load_for(mapper_t *mapper, const map_key_t *key, rpc_context_t *call, bool extend) {
  gantry_err_t err = load_map(mapper, key, call, extend);
  if (err != GANTRY_OK) rpc_fail(call, err, "", "storage cannot be asked for the map");
}

static void on_load(rpc_context_t *call, const void *takes, void *arg) {
  if (is_free(arg, call, GANTRY_E_CONFLICT)) load_for(arg, takes, call, false);
}

static void on_update(rpc_context_t *call, const void *takes, void *arg) {
  if (is_free(arg, call, GANTRY_E_REFUSED)) load_for(arg, takes, call, true);
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
  };
  for (size_t i = 0; i < sizeof SERVED / sizeof *SERVED; i++)
    GANTRY_TRY(rpc_serve(mapper->service->server, SERVED[i].request, SERVED[i].handler, mapper));
  return GANTRY_OK;
}
