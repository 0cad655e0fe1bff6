/* The answers of the rpc server: exactly one a request, dropped when the caller has given up. */
#include "rpc_server_internal.h"
#include "utf8.h"

#include <gantry/clock.h>
#include <gantry/log.h>
#include <gantry/pack.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void rpc_context_free(rpc_context_t *call) {
  rpc_server_t *server = call->server;
  *(call->prev ? &call->prev->next : &server->open) = call->next;
  if (call->next) call->next->prev = call->prev;
  server->open_count--;
  free(call);
}

void rpc_server_mirror(rpc_server_t *server, uint32_t seconds) {
  server->mirror_until_ns = seconds ? clock_mono_ns() + (uint64_t)seconds * GANTRY_NS_PER_S : 0;
}

void rpc_mirror(rpc_server_t *server, const char *name, const sys_header_t *header, size_t bytes,
                double ms) {
  if (server->mirror_until_ns == 0 || clock_mono_ns() > server->mirror_until_ns) return;
  sys_rpc_trace_t trace = {.header = *header, .bytes = (uint32_t)bytes, .has_ms = ms >= 0};
  snprintf(trace.request, sizeof trace.request, "%.63s", name);
  if (trace.has_ms) trace.ms = ms;
  cause_t cause = {.trace = header->trace, .born_ns = header->born};
  bus_publish_from(server->bus, &cause, TOPIC_SYS_RPC, NULL, &trace);
}

static void rpc_send(rpc_context_t *call, const sys_header_t *header, const buf_t *body) {
  rpc_server_t *server = call->server;
  bus_t *bus = server->bus;
  uint64_t now_ns = header->mono;
  double ms = clock_age_ms(now_ns, call->arrived_ns);
  bool too_late = call->deadline_ns != 0 && now_ns > call->deadline_ns;
  uint64_t outer = log_get_trace();
  log_set_trace(call->header.trace);
  /* An unknown peer (gone meanwhile) or a full one: the answer has no address any more. */
  bool sent = !too_late && parts_send(call->socket, call->identity, call->identity_len, call->name,
                                      header, body, &bus->header_buf) == GANTRY_OK;
  if (!sent) bus->stats.dropped++;
  log_debug("RPC-DONE", "%s call %llu: %s after %.3f ms%s", call->name,
            (unsigned long long)header->seq, header->has_err ? header->err : "ok", ms,
            sent ? "" : ", nobody waits for it");
  rpc_mirror(server, call->name, header, body->len, ms);
  log_set_trace(outer);
  rpc_context_free(call);
  loop_wake(bus->loop);
}

static void reply_header(const rpc_context_t *call, sys_header_t *out) {
  bus_stamp(call->server->bus, SYS_KIND_REPLY, rpc_cause(call), out);
  out->seq = call->header.seq;
}

void rpc_fail_fault(rpc_context_t *call, const gantry_fault_t *fault) {
  /* A fault without an error would be a success to the caller. */
  gantry_err_t err = fault->err == GANTRY_OK ? GANTRY_E_INTERNAL : fault->err;
  sys_header_t header;
  reply_header(call, &header);
  header.has_err = header.has_code = header.has_field = header.has_detail = true;
  snprintf(header.err, sizeof header.err, "%s", gantry_err_name(err));
  snprintf(header.code, sizeof header.code, "%s",
           fault->code[0] ? fault->code : gantry_err_code(err));
  snprintf(header.field, sizeof header.field, "%s", fault->field);
  snprintf(header.detail, sizeof header.detail, "%s", fault->detail);
  /* A fault quotes strangers and is cut to its size; a header that is no UTF-8 would not leave. */
  utf8_mend(header.code);
  utf8_mend(header.field);
  utf8_mend(header.detail);
  buf_reset(&call->server->body);
  buf_put_byte(&call->server->body, 0x80); /* an empty map */
  rpc_send(call, &header, &call->server->body);
}

void rpc_fail(rpc_context_t *call, gantry_err_t err, const char *field, const char *format, ...) {
  gantry_fault_t fault;
  va_list args;
  fault_set(&fault, err, field, "%s", "");
  va_start(args, format);
  vsnprintf(fault.detail, sizeof fault.detail, format, args);
  va_end(args);
  rpc_fail_fault(call, &fault);
}

void rpc_reply(rpc_context_t *call, const void *gives) {
  gantry_fault_t fault = {0};
  sys_header_t header;
  buf_reset(&call->server->body);
  if (pack_message(call->request->gives, gives, &call->server->body, &fault) != GANTRY_OK) {
    log_error("RPC-SCHEMA", "the answer to %s does not fit: %s: %s", call->name, fault.field,
              fault.detail);
    rpc_fail(call, GANTRY_E_INTERNAL, fault.field, "the answer does not fit its schema");
    return;
  }
  reply_header(call, &header);
  rpc_send(call, &header, &call->server->body);
}

cause_t rpc_cause(const rpc_context_t *call) {
  return (cause_t){.trace = call->header.trace, .born_ns = call->header.born};
}

uint64_t rpc_arrived_ns(const rpc_context_t *call) {
  return call->arrived_ns;
}

uint32_t rpc_left_ms(const rpc_context_t *call) {
  uint64_t now_ns = clock_mono_ns();
  if (now_ns >= call->deadline_ns) return 0;
  return (uint32_t)((call->deadline_ns - now_ns) / GANTRY_NS_PER_MS);
}

const char *rpc_actor(const rpc_context_t *call) {
  return call->header.has_actor ? call->header.actor : "";
}

const char *rpc_from(const rpc_context_t *call) {
  return call->header.from;
}
