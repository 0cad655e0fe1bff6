/* Frames: from ZeroMQ parts to names, headers and bodies, and back. Everything that arrives here is
   foreign until it has been checked. */
#include "parts.h"

#include <gantry/clock.h>
#include <gantry/pack.h>
#include <gantry/unpack.h>

#include <string.h>
#include <sys/random.h>

cause_t frame_cause(const frame_t *frame) {
  return (cause_t){.trace = frame->header.trace, .born_ns = frame->header.born};
}

/* SplitMix64 (Steele, Lea, Flood 2014) from a random start: a trace has to be unique, not secret,
   and a system call for each request is dear. */
static uint64_t next_trace(void) {
  static _Thread_local uint64_t state;
  /* Before the kernel's pool is ready there is still the clock. */
  if (state == 0 && getrandom(&state, sizeof state, 0) != (ssize_t)sizeof state)
    state = clock_wall_ns();
  uint64_t mixed = state += 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
  return mixed ^ mixed >> 31;
}

cause_t cause_new(uint64_t born_ns) {
  cause_t cause = {.born_ns = born_ns ? born_ns : clock_mono_ns(), .trace = next_trace()};
  if (cause.trace == 0) cause.trace = next_trace();
  return cause;
}

bool parts_receive(void *socket, parts_t *parts) {
  parts->count = 0;
  bool more = true;
  while (more) {
    zmq_msg_t excess;
    bool kept = parts->count < PARTS_MAX;
    zmq_msg_t *part = kept ? &parts->part[parts->count] : &excess;
    zmq_msg_init(part);
    if (zmq_msg_recv(part, socket, ZMQ_DONTWAIT) < 0) {
      zmq_msg_close(part);
      return parts->count > 0;
    }
    more = zmq_msg_more(part) != 0;
    if (!kept) zmq_msg_close(part);
    parts->count++;
  }
  return true;
}

void parts_close(parts_t *parts) {
  for (int i = 0; i < parts->count && i < PARTS_MAX; i++) {
    zmq_msg_close(&parts->part[i]);
  }
  parts->count = 0;
}

bool parts_is_readable(void *socket) {
  int events = 0;
  size_t size = sizeof events;
  if (zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) != 0) return false;
  return (events & ZMQ_POLLIN) != 0;
}

gantry_err_t parts_name(zmq_msg_t *part, char name[FRAME_TOPIC_MAX + 1], gantry_fault_t *fault) {
  size_t len = zmq_msg_size(part);
  const char *text = zmq_msg_data(part);
  name[0] = '\0';
  if (len == 0 || len > FRAME_TOPIC_MAX)
    return fault_set(fault, GANTRY_E_SCHEMA, "name", "a name has 1 to %d bytes, not %zu",
                     FRAME_TOPIC_MAX, len);
  for (size_t i = 0; i < len; i++) {
    if (text[i] <= ' ' || text[i] > '~')
      return fault_set(fault, GANTRY_E_SCHEMA, "name", "byte %zu of the name is not printable", i);
  }
  memcpy(name, text, len);
  name[len] = '\0';
  return GANTRY_OK;
}

gantry_err_t parts_header(zmq_msg_t *part, sys_header_t *out, gantry_fault_t *fault) {
  return unpack_message(&SYS_HEADER_DESC, zmq_msg_data(part), zmq_msg_size(part), out, fault);
}

gantry_err_t parts_body(zmq_msg_t *part, const desc_t *desc, void *out, gantry_fault_t *fault) {
  return unpack_message(desc, zmq_msg_data(part), zmq_msg_size(part), out, fault);
}

gantry_err_t parts_send(void *socket, const void *identity, size_t identity_len, const char *name,
                        const sys_header_t *header, const buf_t *body, buf_t *scratch) {
  buf_reset(scratch);
  GANTRY_TRY(pack_message(&SYS_HEADER_DESC, header, scratch, NULL));
  /* The first part decides: once it is taken, ZeroMQ takes the others of the same message too. */
  bool sent = identity_len == 0 ||
              zmq_send(socket, identity, identity_len, ZMQ_DONTWAIT | ZMQ_SNDMORE) >= 0;
  sent = sent && zmq_send(socket, name, strlen(name), ZMQ_DONTWAIT | ZMQ_SNDMORE) >= 0;
  sent = sent && zmq_send(socket, scratch->data, scratch->len, ZMQ_DONTWAIT | ZMQ_SNDMORE) >= 0;
  sent = sent && zmq_send(socket, body->data, body->len, ZMQ_DONTWAIT) >= 0;
  return sent ? GANTRY_OK : GANTRY_E_UNAVAILABLE;
}
