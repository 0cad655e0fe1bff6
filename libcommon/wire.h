/* Reading msgpack one head at a time, never beyond the end. A head is a type byte with its number,
   length or count. Shared by the decoders; not part of the library's face. */
#ifndef GANTRY_WIRE_H
#define GANTRY_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum wire_kind {
  WIRE_NIL,
  WIRE_BOOL,
  WIRE_UNSIGNED,
  WIRE_SIGNED, /* negative */
  WIRE_REAL,
  WIRE_TEXT,
  WIRE_BYTES,
  WIRE_EXT,
  WIRE_ARRAY,
  WIRE_MAP,
} wire_kind_t;

typedef struct wire {
  const uint8_t *at, *end;
} wire_t;

typedef struct wire_head {
  wire_kind_t kind;
  uint64_t number;      /* BOOL, UNSIGNED; as int64_t: SIGNED */
  double real;          /* REAL */
  const uint8_t *bytes; /* TEXT, BYTES, EXT: the payload, already passed over */
  uint32_t count;       /* bytes of the payload; elements of an ARRAY, pairs of a MAP */
} wire_head_t;

/* Reads a head and passes over its payload (not over elements). False when the bytes end too early
   or the type byte is 0xc1. */
bool wire_next(wire_t *wire, wire_head_t *head);
/* Passes over one whole value. */
bool wire_skip(wire_t *wire);

#endif
