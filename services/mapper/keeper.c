/* One map in flight; files for those that must wait. */
#include "keeper.h"

#include <gantry/clock.h>
#include <gantry/log.h>
#include <gantry/loop.h>
#include <gantry/pack.h>
#include <stdlib.h>
#include <string.h>

#include "shelf.h"

#define PUT_TIMEOUT_MS 10000u
#define RETRY_MS       2000u
#define FINISH_STEP_MS 20

/* What a reply comes back to; outlives the keeper when the reply does. */
typedef struct flight {
  struct keeper *owner; /* NULL once the keeper is gone */
} flight_t;

struct keeper {
  rpc_client_t *client;
  loop_t *loop;
  shelf_t shelf;
  int timer;
  flight_t *flight;    /* NULL: nothing is under way */
  parcel_t *parcel;    /* under way, held; NULL: none */
  keeper_done_fn done; /* NULL: nobody waits */
  void *arg;
};

static void on_retry(void *arg);

gantry_err_t keeper_new(rpc_client_t *client, loop_t *loop, const char *folder, keeper_t **out) {
  keeper_t *keeper = calloc(1, sizeof *keeper);
  *out = keeper;
  if (!keeper) return GANTRY_E_INTERNAL;
  keeper->client = client;
  keeper->loop = loop;
  shelf_init(&keeper->shelf, folder);
  keeper->timer = loop_every(loop, RETRY_MS, on_retry, keeper);
  return GANTRY_OK;
}

void keeper_destroy(keeper_t **self) {
  keeper_t *keeper = *self;
  if (!keeper) return;
  loop_cancel(keeper->loop, keeper->timer);
  if (keeper->flight) keeper->flight->owner = NULL;
  parcel_drop(&keeper->parcel);
  free(keeper);
  *self = NULL;
}

bool keeper_busy(const keeper_t *keeper) {
  return keeper->flight != NULL && keeper->done != NULL;
}

uint32_t keeper_waiting(const keeper_t *keeper) {
  return keeper->shelf.count;
}

static gantry_err_t keep(keeper_t *keeper, const store_map_put_t *put) {
  buf_t buf = {0};
  gantry_err_t err = pack_message(&STORE_MAP_PUT_DESC, put, &buf, NULL);
  if (err == GANTRY_OK) err = shelf_write(&keeper->shelf, put->grid.info.map_id, buf.data, buf.len);
  buf_fini(&buf);
  if (err != GANTRY_OK)
    log_error("MAP-NOT-KEPT", "map %s could not be written to %s", put->grid.info.map_id,
              keeper->shelf.folder);
  return err;
}

static void on_put(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                   const sys_header_t *header, void *arg) {
  flight_t *flight = arg;
  keeper_t *keeper = flight->owner;
  (void)reply;
  (void)header;
  free(flight);
  if (!keeper) return;
  keeper_done_fn done = keeper->done;
  const char *map_id = keeper->parcel->put.grid.info.map_id;
  keeper->flight = NULL;
  if (err == GANTRY_OK) {
    log_info("MAP-STORED", "map %s is stored", map_id);
    shelf_remove(&keeper->shelf, map_id);
  } else if (done) {
    log_warn("MAP-WAITS", "map %s waits for storage: %s", map_id, fault->detail);
    if (keep(keeper, &keeper->parcel->put) != GANTRY_OK) err = GANTRY_E_INTERNAL;
  }
  parcel_drop(&keeper->parcel);
  if (done) done(err, fault, keeper->arg);
}

static gantry_err_t send(keeper_t *keeper) {
  flight_t *flight = calloc(1, sizeof *flight);
  if (!flight) return GANTRY_E_INTERNAL;
  flight->owner = keeper;
  gantry_err_t err = rpc_call(keeper->client, REQUEST_STORE_MAP_PUT, NULL, NULL,
                              &keeper->parcel->put, PUT_TIMEOUT_MS, on_put, flight);
  if (err == GANTRY_OK)
    keeper->flight = flight;
  else
    free(flight);
  return err;
}

/* Nobody waits for what is under way: its answer may come without us. Requests to one server keep
   their order, so what is sent next is also stored next. */
static void leave_flight(keeper_t *keeper) {
  if (!keeper->flight) return;
  keeper->flight->owner = NULL;
  parcel_drop(&keeper->parcel);
  keeper->flight = NULL;
}

gantry_err_t keeper_put(keeper_t *keeper, parcel_t *parcel, keeper_done_fn done, void *arg) {
  if (keeper_busy(keeper)) return GANTRY_E_CONFLICT;
  leave_flight(keeper);
  keeper->parcel = parcel_hold(parcel);
  keeper->done = done;
  keeper->arg = arg;
  gantry_err_t err = send(keeper);
  if (err == GANTRY_OK) return GANTRY_OK;
  if (done) err = keep(keeper, &parcel->put);
  parcel_drop(&keeper->parcel);
  return err == GANTRY_OK ? GANTRY_E_UNAVAILABLE : err;
}

static void set_aside(keeper_t *keeper, const char *why) {
  log_error("MAP-DAMAGED", "%s/%s is set aside: %s", keeper->shelf.folder,
            keeper->shelf.newest_read, why);
  shelf_set_aside(&keeper->shelf);
}

/* Offers the next map that waits in a file. */
static void on_retry(void *arg) {
  keeper_t *keeper = arg;
  uint8_t *bytes = NULL;
  size_t len = 0;
  gantry_fault_t fault = {0};
  if (keeper->flight || keeper->shelf.count == 0) return;
  if (!shelf_read(&keeper->shelf, &bytes, &len)) {
    if (keeper->shelf.count) set_aside(keeper, "it cannot be read");
    return;
  }
  gantry_err_t err = parcel_unpack(bytes, len, &keeper->parcel, &fault);
  free(bytes);
  keeper->done = NULL;
  if (err == GANTRY_E_INTERNAL) return; /* no memory now: the file waits */
  if (err != GANTRY_OK)
    set_aside(keeper, fault.detail);
  else if (send(keeper) != GANTRY_OK)
    parcel_drop(&keeper->parcel);
}

void keeper_finish(keeper_t *keeper, uint32_t timeout_ms) {
  uint64_t deadline_ns = clock_mono_ns() + (uint64_t)timeout_ms * GANTRY_NS_PER_MS;
  if (!keeper->flight) return;
  (void)keep(keeper, &keeper->parcel->put);
  while (keeper->flight && clock_mono_ns() < deadline_ns)
    loop_step(keeper->loop, FINISH_STEP_MS);
}

gantry_err_t keeper_put_at_end(keeper_t *keeper, const parcel_t *parcel, uint32_t timeout_ms) {
  const store_map_put_t *put = &parcel->put;
  gantry_err_t kept = keep(keeper, put);
  map_info_t info;
  gantry_fault_t fault = {0};
  gantry_err_t err =
      rpc_call_wait(keeper->client, REQUEST_STORE_MAP_PUT, NULL, put, timeout_ms, &info, &fault);
  if (err != GANTRY_OK) return kept;
  shelf_remove(&keeper->shelf, put->grid.info.map_id);
  log_info("MAP-STORED", "map %s is stored", put->grid.info.map_id);
  return GANTRY_OK;
}
