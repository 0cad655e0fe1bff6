/* Serving: a ROUTER for each lane. Every request is judged before its handler sees it: frames,
   header, name, lane, age, body. What fails is counted and, where it can be addressed, answered. */
#include "rpc_server_internal.h"

#include <gantry/clock.h>
#include <gantry/log.h>

#include <stdlib.h>
#include <string.h>

enum { SERVE_SHARE = 16 };

static bool is_server(const request_t *request, const char *service) {
  return strcmp(request->server, "*") == 0 || strcmp(request->server, service) == 0;
}

static const handler_t *server_handler(const rpc_server_t *server, const char *name) {
  for (uint32_t i = 0; i < server->handler_count; i++) {
    if (strcmp(server->handlers[i].request->name, name) == 0) return &server->handlers[i];
  }
  return NULL;
}

static gantry_err_t check_name(const rpc_server_t *server, const door_t *door, rpc_context_t *call,
                               gantry_fault_t *fault) {
  const handler_t *handler = server_handler(server, call->name);
  const request_t *known = catalogue_request(call->name);
  call->request = handler ? handler->request : NULL;
  if (!known || !is_server(known, server->bus->service))
    return fault_set(fault, GANTRY_E_NOT_FOUND, "name", "%s serves no request %s",
                     server->bus->service, call->name);
  if (!handler)
    return fault_set(fault, GANTRY_E_NOT_IMPLEMENTED, "name", "%s is not served yet", call->name);
  if (door->lane == LANE_SAFETY && known->lane != LANE_SAFETY)
    return fault_set(fault, GANTRY_E_INVALID, "name", "%s has no place on the safety lane",
                     call->name);
  return GANTRY_OK;
}

/* Nanoseconds since the request was made: by the monotonic clock on one host, by wall clocks across
   hosts. A request from the future was not made by a sane caller on this host. */
static gantry_err_t call_age(const bus_t *bus, const rpc_context_t *call, uint64_t *age_ns,
                             gantry_fault_t *fault) {
  bool local = bus_is_local(bus);
  uint64_t made = local ? call->header.mono : call->header.wall;
  uint64_t now_ns = local ? call->arrived_ns : clock_wall_ns();
  if (local && made > now_ns)
    return fault_set(fault, GANTRY_E_SCHEMA, "header.mono", "the request comes from the future");
  *age_ns = now_ns > made ? now_ns - made : 0;
  return GANTRY_OK;
}

/* The heart of the deadline: what is older than its ttl is never executed. Across hosts that does
   not hold for what the safety lane carries: an emergency stop, which no clock that is wrong may
   refuse. */
static gantry_err_t check_age(const bus_t *bus, rpc_context_t *call, gantry_fault_t *fault) {
  uint32_t ttl_ms = call->header.has_ttl_ms ? call->header.ttl_ms : call->request->timeout_ms;
  uint64_t ttl_ns = (uint64_t)ttl_ms * GANTRY_NS_PER_MS;
  uint64_t age_ns = 0;
  if (call->request->lane != LANE_SAFETY || bus_is_local(bus))
    GANTRY_TRY(call_age(bus, call, &age_ns, fault));
  if (age_ns >= ttl_ns)
    return fault_set(fault, GANTRY_E_EXPIRED, "header.ttl_ms",
                     "arrived %llu ms old, allowed are %u",
                     (unsigned long long)(age_ns / GANTRY_NS_PER_MS), ttl_ms);
  call->deadline_ns = call->arrived_ns + ttl_ns - age_ns;
  return GANTRY_OK;
}

static gantry_err_t read_request(parts_t *parts, rpc_context_t *call, gantry_fault_t *fault) {
  if (parts->count != 4)
    return fault_set(fault, GANTRY_E_SCHEMA, "frames", "a request has 3 frames, not %d",
                     parts->count - 1);
  GANTRY_TRY(parts_name(&parts->part[1], call->name, fault));
  gantry_err_t err = parts_header(&parts->part[2], &call->header, fault);
  /* A header that failed half way may hold anything but the number that the answer needs. */
  if (err != GANTRY_OK) call->header = (sys_header_t){.seq = call->header.seq};
  GANTRY_TRY(err);
  if (call->header.kind == SYS_KIND_REQUEST) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_SCHEMA, "header.kind", "what a server takes is a request");
}

static gantry_err_t check_request(door_t *door, parts_t *parts, rpc_context_t *call, void **takes,
                                  gantry_fault_t *fault) {
  rpc_server_t *server = door->server;
  GANTRY_TRY(read_request(parts, call, fault));
  rpc_mirror(server, call->name, &call->header, zmq_msg_size(&parts->part[3]), -1);
  GANTRY_TRY(check_name(server, door, call, fault));
  GANTRY_TRY(check_age(server->bus, call, fault));
  const desc_t *desc = call->request->takes;
  *takes = bus_scratch(&server->scratch, &server->scratch_size, desc->size);
  if (!*takes) return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  return parts_body(&parts->part[3], desc, *takes, fault);
}

static rpc_context_t *context_new(door_t *door, parts_t *parts) {
  rpc_server_t *server = door->server;
  size_t len = parts->count > 1 ? zmq_msg_size(&parts->part[0]) : 0;
  uint32_t most = door->lane == LANE_SAFETY ? OPEN_MAX + OPEN_SAFETY : OPEN_MAX;
  if (len == 0 || len > IDENTITY_MAX || server->open_count >= most) return NULL;
  rpc_context_t *call = calloc(1, sizeof *call);
  if (!call) return NULL;
  memcpy(call->identity, zmq_msg_data(&parts->part[0]), len);
  *call->name = '?'; /* until it is read: an answer needs some name */
  call->identity_len = len;
  call->server = server;
  call->socket = door->socket;
  call->arrived_ns = clock_mono_ns();
  call->next = server->open;
  if (server->open) server->open->prev = call;
  server->open = call;
  server->open_count++;
  return call;
}

static void refuse(rpc_context_t *call, const gantry_fault_t *fault) {
  bus_refuse(call->server->bus, call->name, fault);
  if (call->name[0] == '\0') *call->name = '?';
  rpc_fail_fault(call, fault);
}

static void serve(door_t *door, parts_t *parts) {
  rpc_server_t *server = door->server;
  gantry_fault_t fault = {0};
  void *takes = NULL;
  rpc_context_t *call = context_new(door, parts);
  if (!call) {
    /* Nobody to answer, or too many unanswered already. */
    fault_set(&fault, GANTRY_E_UNAVAILABLE, "frames", "%u requests wait for their answer",
              server->open_count);
    bus_refuse(server->bus, "request", &fault);
    return;
  }
  gantry_err_t err = check_request(door, parts, call, &takes, &fault);
  uint64_t outer = log_get_trace();
  log_set_trace(call->header.trace);
  log_debug("RPC-IN", "%s call %llu from %s", call->name, (unsigned long long)call->header.seq,
            call->header.from);
  if (err == GANTRY_OK) {
    const handler_t *handler = server_handler(server, call->name);
    server->bus->stats.received++;
    server->serving = true;
    handler->fn(call, takes, handler->arg);
    server->serving = false;
  } else {
    refuse(call, &fault);
  }
  log_set_trace(outer);
}

static bool on_door(void *arg) {
  door_t *door = arg;
  bool readable = parts_is_readable(door->socket);
  int taken = 0;
  parts_t parts;
  if (door->server->serving) return false;
  while (readable && taken < SERVE_SHARE && parts_receive(door->socket, &parts)) {
    serve(door, &parts);
    parts_close(&parts);
    taken++;
  }
  return taken > 0;
}

static gantry_err_t door_open(rpc_server_t *server, lane_t lane, gantry_fault_t *fault) {
  door_t *door = &server->doors[lane];
  *door = (door_t){.server = server, .lane = lane};
  size_t largest = catalogue_max_taken(server->bus->service) + BUS_SLACK;
  door->socket = bus_socket(server->bus, ZMQ_ROUTER, largest);
  if (!door->socket) return fault_set(fault, GANTRY_E_INTERNAL, "bus", "no serving socket");
  int mandatory = 1;
  zmq_setsockopt(door->socket, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof mandatory);
  if (lane == LANE_SAFETY) bus_use_safety_thread(server->bus, door->socket);
  GANTRY_TRY(bus_bind(server->bus, door->socket, lane == LANE_SAFETY ? "safety" : "rpc", fault));
  return loop_drain(server->bus->loop, bus_socket_fd(door->socket), on_door, door);
}

static bool serves_safety(const char *service) {
  for (uint32_t i = 0; i < CATALOGUE_REQUEST_COUNT; i++) {
    const request_t *request = &CATALOGUE_REQUESTS[i];
    if (request->lane == LANE_SAFETY && is_server(request, service)) return true;
  }
  return false;
}

gantry_err_t rpc_server_new(bus_t *bus, rpc_server_t **out, gantry_fault_t *fault) {
  *out = NULL;
  if (bus->tap) return fault_set(fault, GANTRY_E_INVALID, "bus", "a tap serves nothing");
  rpc_server_t *self = calloc(1, sizeof *self);
  if (!self) return fault_set(fault, GANTRY_E_INTERNAL, "bus", "out of memory");
  self->bus = bus;
  gantry_err_t err = GANTRY_OK;
  /* First, so that the loop asks it first. */
  if (serves_safety(bus->service)) err = door_open(self, LANE_SAFETY, fault);
  if (err == GANTRY_OK) err = door_open(self, LANE_NORMAL, fault);
  if (err != GANTRY_OK) rpc_server_destroy(&self);
  *out = self;
  return err;
}

void rpc_server_destroy(rpc_server_t **self) {
  rpc_server_t *server = *self;
  if (!server) return;
  while (server->open) {
    rpc_fail(server->open, GANTRY_E_UNAVAILABLE, "", "%s is shutting down", server->bus->service);
  }
  for (int lane = LANE_NORMAL; lane <= LANE_SAFETY; lane++) {
    door_t *door = &server->doors[lane];
    if (!door->socket) continue;
    loop_undrain(server->bus->loop, on_door, door);
    zmq_close(door->socket);
  }
  free(server->scratch);
  buf_fini(&server->body);
  free(server);
  *self = NULL;
}

gantry_err_t rpc_serve(rpc_server_t *server, const request_t *request, rpc_handler_fn handler,
                       void *arg) {
  bool free_place = server->handler_count < HANDLERS_MAX && !server_handler(server, request->name);
  if (!is_server(request, server->bus->service) || !free_place) {
    log_error("RPC-SERVER", "%s cannot serve %s", server->bus->service, request->name);
    return GANTRY_E_INVALID;
  }
  server->handlers[server->handler_count++] =
      (handler_t){.request = request, .fn = handler, .arg = arg};
  return GANTRY_OK;
}
