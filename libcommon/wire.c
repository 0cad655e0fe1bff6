/* Reading msgpack one head at a time, after the format table of the msgpack specification. */
#include "wire.h"

#include <string.h>

static bool big_endian(wire_t *wire, unsigned size, uint64_t *out) {
  if ((size_t)(wire->end - wire->at) < size) return false;
  uint64_t value = 0;
  for (unsigned i = 0; i < size; i++) {
    value = value << 8 | wire->at[i];
  }
  wire->at += size;
  *out = value;
  return true;
}

static bool payload(wire_t *wire, wire_head_t *head, wire_kind_t kind, uint64_t len) {
  head->kind = kind;
  head->bytes = wire->at;
  head->count = (uint32_t)len;
  if ((uint64_t)(wire->end - wire->at) < len) return false;
  wire->at += len;
  return true;
}

static bool container(wire_head_t *head, wire_kind_t kind, uint64_t count) {
  head->kind = kind;
  head->count = (uint32_t)count;
  return true;
}

static bool sized_payload(wire_t *wire, wire_head_t *head, wire_kind_t kind, unsigned size) {
  uint64_t len;
  if (!big_endian(wire, size, &len)) return false;
  return payload(wire, head, kind,
                 len + (kind == WIRE_EXT)); /* an ext's type byte counts as payload */
}

static bool sized_container(wire_t *wire, wire_head_t *head, wire_kind_t kind, unsigned size) {
  uint64_t count;
  return big_endian(wire, size, &count) && container(head, kind, count);
}

static bool real(wire_t *wire, wire_head_t *head, unsigned size) {
  uint64_t bits;
  if (!big_endian(wire, size, &bits)) return false;
  head->kind = WIRE_REAL;
  if (size == 4) {
    uint32_t narrow = (uint32_t)bits;
    float value;
    memcpy(&value, &narrow, sizeof value);
    head->real = (double)value;
  } else {
    memcpy(&head->real, &bits, sizeof head->real);
  }
  return true;
}

static bool whole(wire_t *wire, wire_head_t *head, uint8_t type) {
  unsigned size = 1u << (type & 3);
  if (!big_endian(wire, size, &head->number)) return false;
  head->kind = WIRE_UNSIGNED;
  if (type < 0xd0) return true;
  unsigned shift = 64 - (8u << (type & 3)); /* sign extension */
  int64_t value = (int64_t)(head->number << shift) >> shift;
  head->number = (uint64_t)value;
  if (value < 0) head->kind = WIRE_SIGNED;
  return true;
}

static bool by_type(wire_t *wire, wire_head_t *head, uint8_t type) {
  switch (type) {
  case 0xc0:
    head->kind = WIRE_NIL;
    return true;
  case 0xc2:
  case 0xc3:
    head->kind = WIRE_BOOL;
    head->number = type & 1;
    return true;
  case 0xc4:
  case 0xc5:
  case 0xc6:
    return sized_payload(wire, head, WIRE_BYTES, 1u << (type - 0xc4));
  case 0xc7:
  case 0xc8:
  case 0xc9:
    return sized_payload(wire, head, WIRE_EXT, 1u << (type - 0xc7));
  case 0xca:
  case 0xcb:
    return real(wire, head, type == 0xca ? 4 : 8);
  case 0xd4:
  case 0xd5:
  case 0xd6:
  case 0xd7:
  case 0xd8:
    return payload(wire, head, WIRE_EXT, (1u << (type - 0xd4)) + 1);
  case 0xd9:
  case 0xda:
  case 0xdb:
    return sized_payload(wire, head, WIRE_TEXT, 1u << (type - 0xd9));
  case 0xdc:
  case 0xdd:
    return sized_container(wire, head, WIRE_ARRAY, type == 0xdc ? 2 : 4);
  case 0xde:
  case 0xdf:
    return sized_container(wire, head, WIRE_MAP, type == 0xde ? 2 : 4);
  default: /* 0xcc … 0xd3 are integers; 0xc1 is never used */
    return type != 0xc1 && whole(wire, head, type);
  }
}

bool wire_next(wire_t *wire, wire_head_t *head) {
  if (wire->at == wire->end) return false;
  uint8_t type = *wire->at++;
  if (type < 0x80 || type >= 0xe0) {
    head->kind = type < 0x80 ? WIRE_UNSIGNED : WIRE_SIGNED;
    head->number = (uint64_t)(int64_t)(int8_t)type;
    return true;
  }
  if (type < 0x90) return container(head, WIRE_MAP, type & 0x0f);
  if (type < 0xa0) return container(head, WIRE_ARRAY, type & 0x0f);
  if (type < 0xc0) return payload(wire, head, WIRE_TEXT, type & 0x1f);
  return by_type(wire, head, type);
}

bool wire_skip(wire_t *wire) {
  uint64_t left = 1;
  while (left > 0) {
    wire_head_t head;
    if (!wire_next(wire, &head)) return false;
    left--;
    if (head.kind == WIRE_ARRAY) left += head.count;
    if (head.kind == WIRE_MAP) left += 2 * (uint64_t)head.count;
  }
  return true;
}
