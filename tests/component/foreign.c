/* A raw socket that says what no peer of the house would say. */
#include "foreign.h"

#include <gantry/clock.h>
#include <gantry/pack.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

void foreign_close(foreign_t *foreign) {
  if (foreign->socket) zmq_close(foreign->socket);
  foreign->socket = NULL;
}

/* xorshift64: the same mutations in every run. */
static uint64_t dice(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

void foreign_open(foreign_t *foreign, harness_t *harness, int type, const char *kind, bool binds,
                  const char *service) {
  char address[200];
  int none = 0;
  bus_address(harness_base(harness), service, kind, address, sizeof address);
  foreign->socket = zmq_socket(harness_context(harness), type);
  zmq_setsockopt(foreign->socket, ZMQ_LINGER, &none, sizeof none);
  zmq_setsockopt(foreign->socket, ZMQ_SNDHWM, &none, sizeof none);
  int failed = binds ? zmq_bind(foreign->socket, address) : zmq_connect(foreign->socket, address);
  cr_assert_eq(failed, 0, "%s", zmq_strerror(zmq_errno()));
}

sys_header_t foreign_header(int kind, const char *from, uint64_t seq) {
  sys_header_t header = {.kind = (sys_kind_t)kind,
                         .version = 1,
                         .robot = "robot-01",
                         .boot = 1,
                         .seq = seq,
                         .mono = clock_mono_ns(),
                         .wall = clock_wall_ns(),
                         .born = 1,
                         .trace = 5};
  snprintf(header.from, sizeof header.from, "%s", from);
  return header;
}

void foreign_send_part(foreign_t *foreign, const void *bytes, size_t len, bool more) {
  zmq_send(foreign->socket, bytes, len, more ? ZMQ_SNDMORE : 0);
}

void foreign_send(foreign_t *foreign, const char *name, const sys_header_t *header,
                  const desc_t *desc, const void *body) {
  buf_t head = {0};
  buf_t rest = {0};
  cr_assert_eq(pack_message(&SYS_HEADER_DESC, header, &head, NULL), GANTRY_OK);
  cr_assert_eq(pack_message(desc, body, &rest, NULL), GANTRY_OK);
  foreign_send_part(foreign, name, strlen(name), true);
  foreign_send_part(foreign, head.data, head.len, true);
  foreign_send_part(foreign, rest.data, rest.len, false);
  buf_fini(&head);
  buf_fini(&rest);
}

/* One to four bytes changed, or the end cut off. */
static void mutate(buf_t *buf, uint64_t *state) {
  uint64_t thrown = dice(state);
  if (buf->len == 0) return;
  if (thrown % 5 == 0) buf->len = (size_t)(dice(state) % buf->len);
  for (uint64_t i = 0; i <= thrown % 4 && buf->len > 0; i++) {
    buf->data[dice(state) % buf->len] = (uint8_t)dice(state);
  }
}

void foreign_send_mutated(foreign_t *foreign, const char *name, const sys_header_t *header,
                          const desc_t *desc, const void *body, uint64_t *state) {
  buf_t parts[3] = {{0}, {0}, {0}};
  buf_put_text(&parts[0], name);
  pack_message(&SYS_HEADER_DESC, header, &parts[1], NULL);
  pack_message(desc, body, &parts[2], NULL);
  mutate(&parts[dice(state) % 3], state);
  int count = dice(state) % 20 == 0 ? (int)(dice(state) % 3) + 1 : 3;
  bool extra = dice(state) % 20 == 0;
  for (int i = 0; i < count; i++) {
    foreign_send_part(foreign, parts[i].data, parts[i].len, i < count - 1 || extra);
  }
  if (extra) {
    for (int i = 0; i < 5; i++) {
      foreign_send_part(foreign, "x", 1, i < 4);
    }
  }
  for (int i = 0; i < 3; i++) {
    buf_fini(&parts[i]);
  }
}
