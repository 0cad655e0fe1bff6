/* Requests: each becomes one entry, with a deadline, in its line's table; whatever ends it first
   (the reply, the deadline, the end of the client) calls back once. A request that finds no
   connection yet stays packed and is tried again until its deadline; the server judges its age from
   the moment it was made. */
#include "rpc_client_internal.h"

#include <gantry/clock.h>
#include <gantry/log.h>
#include <gantry/pack.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 10, REPLY_SHARE = 64, TTL_MAX_MS = 600000 };

static void on_alarm(void *arg);

gantry_err_t rpc_client_new(bus_t *bus, rpc_client_t **out) {
  rpc_client_t *self = calloc(1, sizeof *self);
  *out = NULL;
  if (!self) return GANTRY_E_INTERNAL;
  self->bus = bus;
  self->alarm = loop_alarm(bus->loop, on_alarm, self);
  if (self->alarm == 0) {
    free(self);
    return GANTRY_E_INTERNAL;
  }
  *out = self;
  return GANTRY_OK;
}

/* Ends a call. The entry is free before the callback runs, so that it may call again. */
static void call_end(rpc_client_t *client, call_t *call, const gantry_fault_t *fault,
                     const void *reply, const sys_header_t *header) {
  rpc_reply_fn fn = call->fn;
  void *arg = call->arg;
  line_t *line = call->line;
  uint64_t outer = log_get_trace();
  log_set_trace(call->header.trace);
  log_debug("RPC-BACK", "%s call %llu: %s", call->request->name,
            (unsigned long long)call->header.seq, gantry_err_name(fault->err));
  buf_fini(&call->body);
  call->request = NULL;
  while (line->call_top > 0 && !line->calls[line->call_top - 1].request)
    line->call_top--;
  bool inner = client->replying;
  client->replying = true;
  fn(fault->err, fault, reply, header, arg);
  client->replying = inner;
  log_set_trace(outer);
}

static call_t *line_find(line_t *line, uint64_t seq) {
  for (uint32_t i = 0; i < line->call_top; i++) {
    call_t *call = &line->calls[i];
    if (call->request && call->header.seq == seq) return call;
  }
  return NULL;
}

static void fault_of_header(const sys_header_t *header, gantry_fault_t *fault) {
  fault_set(fault, gantry_err_parse(header->err), header->has_field ? header->field : "", "%s",
            header->has_detail ? header->detail : "");
  /* "ok" is no error name: a reply that carries an error never counts as success. */
  if (fault->err == GANTRY_OK) fault->err = GANTRY_E_INTERNAL;
  if (header->has_code) snprintf(fault->code, sizeof fault->code, "%s", header->code);
}

static void client_answer(rpc_client_t *client, call_t *call, parts_t *parts,
                          const sys_header_t *header) {
  gantry_fault_t fault = {0};
  const desc_t *gives = call->request->gives;
  void *reply = NULL;
  if (header->has_err) {
    fault_of_header(header, &fault);
  } else {
    reply = bus_scratch(&client->scratch, &client->scratch_size, gives->size);
    if (!reply)
      fault_set(&fault, GANTRY_E_INTERNAL, "", "out of memory");
    else if (parts_body(&parts->part[2], gives, reply, &fault) != GANTRY_OK)
      bus_refuse(client->bus, call->request->name, &fault);
  }
  client->answer = &parts->part[2];
  call_end(client, call, &fault, fault.err == GANTRY_OK ? reply : NULL, header);
  client->answer = NULL;
}

static gantry_err_t read_reply(parts_t *parts, char *name, sys_header_t *header,
                               gantry_fault_t *fault) {
  if (parts->count != 3)
    return fault_set(fault, GANTRY_E_SCHEMA, "frames", "a reply has 3 frames, not %d",
                     parts->count);
  GANTRY_TRY(parts_name(&parts->part[0], name, fault));
  GANTRY_TRY(parts_header(&parts->part[1], header, fault));
  if (header->kind == SYS_KIND_REPLY) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_SCHEMA, "kind", "what a server sends is a reply");
}

static void client_receive(line_t *line, parts_t *parts) {
  char name[FRAME_TOPIC_MAX + 1] = {0};
  sys_header_t header = {0};
  gantry_fault_t fault = {0};
  rpc_client_t *client = line->client;
  if (read_reply(parts, name, &header, &fault) != GANTRY_OK) {
    bus_refuse(client->bus, name[0] ? name : "reply", &fault);
    return;
  }
  call_t *call = line_find(line, header.seq);
  if (!call) {
    /* Late: its call has already been answered with a time-out. */
    client->bus->stats.dropped++;
    return;
  }
  if (strcmp(call->request->name, name) != 0) {
    fault_set(&fault, GANTRY_E_SCHEMA, "name", "call %llu asked for %s",
              (unsigned long long)header.seq, call->request->name);
    bus_refuse(client->bus, name, &fault);
    return;
  }
  client_answer(client, call, parts, &header);
}

static bool call_send(call_t *call) {
  bus_t *bus = call->line->client->bus;
  if (parts_send(call->line->socket, NULL, 0, call->request->name, &call->header, &call->body,
                 &bus->header_buf) != GANTRY_OK)
    return false;
  call->sent = true;
  buf_fini(&call->body);
  return true;
}

static void line_send_waiting(line_t *line) {
  for (uint32_t i = 0; i < line->call_top; i++) {
    call_t *call = &line->calls[i];
    if (call->request && !call->sent && !call_send(call)) return;
  }
}

static bool on_line(void *arg) {
  line_t *line = arg;
  bool readable = parts_is_readable(line->socket);
  int taken = 0;
  parts_t parts;
  if (line->client->replying) return false;
  line_send_waiting(line);
  while (readable && taken < REPLY_SHARE && parts_receive(line->socket, &parts)) {
    client_receive(line, &parts);
    parts_close(&parts);
    taken++;
  }
  return taken > 0;
}

static line_t *client_line(rpc_client_t *client, const char *server, lane_t lane) {
  for (uint32_t i = 0; i < client->line_count; i++) {
    line_t *line = client->lines[i];
    if (line->lane == lane && strcmp(line->server, server) == 0) return line;
  }
  line_t *added = client->line_count < LINES_MAX ? calloc(1, sizeof *added) : NULL;
  if (!added) return NULL;
  size_t largest = catalogue_max_given(server) + BUS_SLACK;
  added->client = client;
  added->lane = lane;
  added->socket = bus_socket(client->bus, ZMQ_DEALER, largest);
  snprintf(added->server, sizeof added->server, "%s", server);
  int immediate = 1;
  if (!added->socket) goto failed;
  zmq_setsockopt(added->socket, ZMQ_IMMEDIATE, &immediate, sizeof immediate);
  if (lane == LANE_SAFETY) bus_use_safety_thread(client->bus, added->socket);
  const char *kind = lane == LANE_SAFETY ? "safety" : "rpc";
  if (bus_connect(client->bus, added->socket, server, kind) != GANTRY_OK) goto failed;
  if (loop_drain(client->bus->loop, bus_socket_fd(added->socket), on_line, added) != GANTRY_OK)
    goto failed;
  client->lines[client->line_count++] = added;
  return added;
failed:
  if (added->socket) zmq_close(added->socket);
  free(added);
  return NULL;
}

void rpc_client_abandon(rpc_client_t *client) {
  gantry_fault_t gone;
  fault_set(&gone, GANTRY_E_UNAVAILABLE, "", "the caller is shutting down");
  bool closing = client->closing;
  client->closing = true;
  for (uint32_t l = 0; l < client->line_count; l++) {
    line_t *line = client->lines[l];
    for (uint32_t i = 0; i < line->call_top; i++)
      if (line->calls[i].request) call_end(client, &line->calls[i], &gone, NULL, NULL);
  }
  client->closing = closing;
}

void rpc_client_destroy(rpc_client_t **self) {
  rpc_client_t *client = *self;
  if (!client) return;
  client->closing = true;
  loop_cancel(client->bus->loop, client->alarm);
  rpc_client_abandon(client);
  for (uint32_t i = 0; i < client->line_count; i++) {
    loop_undrain(client->bus->loop, on_line, client->lines[i]);
    zmq_close(client->lines[i]->socket);
    free(client->lines[i]);
  }
  free(client->scratch);
  buf_fini(&client->kept);
  free(client);
  *self = NULL;
}

static void client_arm(rpc_client_t *client, uint64_t when_ns) {
  if (client->alarm_ns != 0 && client->alarm_ns <= when_ns) return;
  uint64_t now_ns = clock_mono_ns();
  uint64_t wait_ns = when_ns > now_ns ? when_ns - now_ns : 0;
  client->alarm_ns = when_ns;
  loop_set(client->bus->loop, client->alarm, (uint32_t)(wait_ns / GANTRY_NS_PER_MS) + 1);
}

static void call_expire(rpc_client_t *client, call_t *call) {
  gantry_fault_t fault;
  if (call->sent)
    fault_set(&fault, GANTRY_E_TIMEOUT, "", "%s did not answer %s in time", call->line->server,
              call->request->name);
  else
    fault_set(&fault, GANTRY_E_UNAVAILABLE, "", "%s is not there", call->line->server);
  call_end(client, call, &fault, NULL, NULL);
}

/* Ends what is due and tries again what has not left yet; returns when to look again. */
static uint64_t line_look(line_t *line, uint64_t now_ns) {
  uint64_t next_ns = UINT64_MAX;
  for (uint32_t i = 0; i < line->call_top; i++) {
    call_t *call = &line->calls[i];
    if (!call->request) continue;
    if (call->deadline_ns <= now_ns) {
      call_expire(line->client, call);
      continue;
    }
    uint64_t wake_ns = call->deadline_ns;
    uint64_t soon_ns = now_ns + (uint64_t)RETRY_MS * GANTRY_NS_PER_MS;
    if (!call->sent && !call_send(call) && soon_ns < wake_ns) wake_ns = soon_ns;
    if (wake_ns < next_ns) next_ns = wake_ns;
  }
  return next_ns;
}

static void on_alarm(void *arg) {
  rpc_client_t *client = arg;
  uint64_t now_ns = clock_mono_ns();
  uint64_t next_ns = UINT64_MAX;
  client->alarm_ns = 0;
  for (uint32_t l = 0; l < client->line_count; l++) {
    uint64_t wake_ns = line_look(client->lines[l], now_ns);
    if (wake_ns < next_ns) next_ns = wake_ns;
  }
  if (next_ns != UINT64_MAX) client_arm(client, next_ns);
}

static gantry_err_t call_fill(rpc_client_t *client, call_t *call, const cause_t *cause,
                              const char *actor, const void *takes, uint32_t timeout_ms) {
  gantry_fault_t fault = {0};
  sys_header_t *header = &call->header;
  call->body = (buf_t){0};
  gantry_err_t err = pack_message(call->request->takes, takes, &call->body, &fault);
  if (err != GANTRY_OK) {
    bus_refuse(client->bus, call->request->name, &fault);
    buf_fini(&call->body);
    return err;
  }
  bus_stamp(client->bus, SYS_KIND_REQUEST, bus_cause(cause), header);
  header->seq = ++client->seq;
  header->has_ttl_ms = true;
  header->ttl_ms = timeout_ms;
  header->has_actor = actor && *actor;
  if (header->has_actor) snprintf(header->actor, sizeof header->actor, "%s", actor);
  call->deadline_ns = header->mono + (uint64_t)timeout_ms * GANTRY_NS_PER_MS;
  return GANTRY_OK;
}

static void log_called(const call_t *call) {
  if (log_get_level() > LOG_DEBUG) return;
  uint64_t outer = log_get_trace();
  log_set_trace(call->header.trace);
  log_write(LOG_DEBUG, "RPC-OUT", "%s call %llu to %s, ttl %u ms", call->request->name,
            (unsigned long long)call->header.seq, call->line->server, call->header.ttl_ms);
  log_set_trace(outer);
}

static call_t *line_slot(line_t *line) {
  for (uint32_t i = 0; i < line->call_top; i++) {
    if (!line->calls[i].request) return &line->calls[i];
  }
  return line->call_top < CALLS_MAX ? &line->calls[line->call_top++] : NULL;
}

/* The catalogue's server, or the one named where the catalogue leaves it open; NULL without a
 * usable name. */
static const char *server_of(const request_t *request, const char *named) {
  if (strcmp(request->server, "*") != 0) return request->server;
  bool usable = named && *named && strlen(named) < sizeof((line_t *)0)->server;
  return usable ? named : NULL;
}

gantry_err_t rpc_connect(rpc_client_t *client, const request_t *request, const char *server) {
  server = server_of(request, server);
  if (!server) return GANTRY_E_INVALID;
  return client_line(client, server, request->lane) ? GANTRY_OK : GANTRY_E_UNAVAILABLE;
}

gantry_err_t rpc_call_as(rpc_client_t *client, const char *actor, const request_t *request,
                         const char *server, const cause_t *cause, const void *takes,
                         uint32_t timeout_ms, rpc_reply_fn fn, void *arg) {
  server = server_of(request, server);
  if (timeout_ms == 0) timeout_ms = request->timeout_ms;
  if (!server || timeout_ms > TTL_MAX_MS) return GANTRY_E_INVALID;
  line_t *line = client->closing ? NULL : client_line(client, server, request->lane);
  call_t *call = line ? line_slot(line) : NULL;
  if (!call) return GANTRY_E_UNAVAILABLE;
  *call = (call_t){.request = request, .line = line, .fn = fn, .arg = arg};
  gantry_err_t err = call_fill(client, call, cause, actor, takes, timeout_ms);
  if (err != GANTRY_OK) {
    call->request = NULL;
    return err;
  }
  log_called(call);
  uint64_t wake_ns = call->deadline_ns;
  uint64_t soon_ns = call->header.mono + (uint64_t)RETRY_MS * GANTRY_NS_PER_MS;
  if (!call_send(call) && soon_ns < wake_ns) wake_ns = soon_ns;
  client_arm(client, wake_ns);
  loop_wake(client->bus->loop);
  return GANTRY_OK;
}

gantry_err_t rpc_call(rpc_client_t *client, const request_t *request, const char *server,
                      const cause_t *cause, const void *takes, uint32_t timeout_ms, rpc_reply_fn fn,
                      void *arg) {
  return rpc_call_as(client, NULL, request, server, cause, takes, timeout_ms, fn, arg);
}
