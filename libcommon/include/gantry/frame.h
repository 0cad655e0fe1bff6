/* The wire: three ZeroMQ frames (topic or request name, header, body); header and body are msgpack
 * maps. */
#ifndef GANTRY_FRAME_H
#define GANTRY_FRAME_H

#include <gantry/buf.h>
#include <gantry/desc.h>
#include <gantry/err.h>
#include <messages.h>
#include <stdint.h>

#define FRAME_TOPIC_MAX 120

/* A received message. The body is borrowed: valid until the handler returns. */
typedef struct frame {
  char topic[FRAME_TOPIC_MAX + 1];
  sys_header_t header;
  const uint8_t *body;
  size_t body_len;
  bool local; /* came over the bus from this host: the header's monotonic clock is ours */
} frame_t;

/* What a message descends from: its trace and the birth of the datum at the head of the chain. */
typedef struct cause {
  uint64_t trace;   /* 0: none */
  uint64_t born_ns; /* monotonic; 0: now */
} cause_t;

cause_t frame_cause(const frame_t *frame);
/* A fresh trace with born = now (or the given birth, e.g. the arrival of a serial byte). */
cause_t cause_new(uint64_t born_ns);

#endif
