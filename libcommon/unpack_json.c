/* Any msgpack value as JSON, for taps that have no schema. */
#include <gantry/unpack.h>

#include "json_text.h"
#include "wire.h"

#include <gantry/json.h>

/* Depth is bounded: unpack_check came first. */
static bool write_value(buf_t *out, wire_t *wire) {
  wire_head_t head;
  if (!wire_next(wire, &head)) return false;
  switch (head.kind) {
  case WIRE_NIL:
  case WIRE_EXT: /* has no meaning without a schema */
    buf_put_text(out, "null");
    return true;
  case WIRE_BOOL:
    buf_put_text(out, head.number ? "true" : "false");
    return true;
  case WIRE_UNSIGNED:
    json_write_unsigned(out, head.number);
    return true;
  case WIRE_SIGNED:
    json_write_signed(out, (int64_t)head.number);
    return true;
  case WIRE_REAL:
    json_write_number(out, head.real);
    return true;
  case WIRE_TEXT:
    json_write_text(out, (const char *)head.bytes, head.count);
    return true;
  case WIRE_BYTES:
    json_write_base64(out, head.bytes, head.count);
    return true;
  case WIRE_ARRAY:
  case WIRE_MAP:
    break;
  }
  bool map = head.kind == WIRE_MAP;
  buf_put_byte(out, map ? '{' : '[');
  for (uint32_t i = 0; i < head.count; i++) {
    if (i > 0) buf_put_byte(out, ',');
    if (map) {
      /* JSON knows text keys only: any other key becomes its own JSON, quoted. */
      buf_t key = {0};
      bool text = wire->at < wire->end &&
                  ((*wire->at & 0xe0) == 0xa0 || (*wire->at >= 0xd9 && *wire->at <= 0xdb));
      if (!write_value(text ? out : &key, wire)) {
        buf_fini(&key);
        return false;
      }
      if (!text) json_write_text(out, buf_text(&key), key.len);
      buf_fini(&key);
      buf_put_byte(out, ':');
    }
    if (!write_value(out, wire)) return false;
  }
  buf_put_byte(out, map ? '}' : ']');
  return true;
}

gantry_err_t unpack_to_json(const uint8_t *bytes, size_t len, buf_t *out) {
  GANTRY_TRY(unpack_check(bytes, len, NULL));
  wire_t wire = {bytes, bytes + len};
  return write_value(out, &wire) ? buf_err(out) : GANTRY_E_SCHEMA;
}
