/* msgpack to message. After the sanity walk the same bounded cursor reads again, this time by
   descriptor table: no object tree, so nothing is ever allocated for what a foreign length header
   promises. */
#include <gantry/unpack.h>

#include "field.h"
#include "wire.h"

#include <string.h>

/* A newer schema may know more fields than this one, but not any number: each is looked for. */
enum { FIELDS_MAX = 128, UNKNOWN_MAX = 128, FLOAT_BYTES = 5, DOUBLE_BYTES = 9 };

static gantry_err_t truncated(const wire_t *wire, const uint8_t *bytes, gantry_fault_t *fault) {
  return fault_set(fault, GANTRY_E_SCHEMA, "", "not msgpack from byte %td on", wire->at - bytes);
}

/* Bytes of a value, with its type byte; 0 where they depend on what follows that. */
static size_t plain_size(uint8_t type) {
  static const uint8_t SIZES[] = {1, 0, 1, 1, 0, 0, 0, 0, 0, 0,  /* nil, booleans */
                                  5, 9, 2, 3, 5, 9, 2, 3, 5, 9}; /* 0xca: reals, integers */
  if (type < 0x80 || type >= 0xe0) return 1;
  return type >= 0xc0 && type < 0xc0 + sizeof SIZES ? SIZES[type - 0xc0] : 0;
}

/* Numbers in a row, as in scans and columns: passes over them without a head for each. */
static uint64_t pass_plain(wire_t *wire, uint64_t left) {
  const uint8_t *at = wire->at;
  uint64_t passed = 0;
  for (size_t size; passed < left && at < wire->end && (size = plain_size(*at)) != 0; passed++) {
    if ((size_t)(wire->end - at) < size) break;
    at += size;
  }
  wire->at = at;
  return passed;
}

gantry_err_t unpack_check(const uint8_t *bytes, size_t len, gantry_fault_t *fault) {
  wire_t wire = {bytes, bytes + len};
  uint64_t left[UNPACK_MAX_DEPTH + 1] = {1}; /* values still to come, by depth */
  unsigned depth = 0;
  for (;;) {
    left[depth] -= pass_plain(&wire, left[depth]);
    while (left[depth] == 0) {
      if (depth-- > 0) continue;
      if (wire.at == wire.end) return GANTRY_OK;
      return fault_set(fault, GANTRY_E_SCHEMA, "", "%td bytes too many", wire.end - wire.at);
    }
    wire_head_t head;
    if (!wire_next(&wire, &head)) return truncated(&wire, bytes, fault);
    left[depth]--;
    if (head.kind != WIRE_ARRAY && head.kind != WIRE_MAP) continue;
    if (depth == UNPACK_MAX_DEPTH) {
      return fault_set(fault, GANTRY_E_SCHEMA, "", "nested deeper than %d", UNPACK_MAX_DEPTH);
    }
    uint64_t values = (uint64_t)head.count * (head.kind == WIRE_MAP ? 2 : 1);
    if (values > (uint64_t)(wire.end - wire.at)) {
      return fault_set(fault, GANTRY_E_SCHEMA, "",
                       "a count of %u does not fit the bytes that follow", head.count);
    }
    left[++depth] = values;
  }
}

static gantry_err_t read_struct(const desc_t *desc, wire_t *wire, void *value,
                                gantry_fault_t *fault);

static gantry_err_t read_bytes(const desc_field_t *field, const wire_head_t *head, void *at,
                               gantry_fault_t *fault) {
  const char *text = (const char *)head->bytes;
  if (field->type == DESC_TEXT && head->kind == WIRE_TEXT) {
    return field_put_text(field, at, text, head->count, fault);
  }
  if (field->type == DESC_ENUM && head->kind == WIRE_TEXT) {
    return field_put_enum(field, at, text, head->count, fault);
  }
  if (field->type != DESC_BLOB) return field_wrong_type(field, fault);
  if (head->count > field->max_len) {
    return fault_set(fault, GANTRY_E_SCHEMA, field->name, "must be at most %u bytes long, is %u",
                     field->max_len, head->count);
  }
  if (field->format == DESC_JSON) GANTRY_TRY(field_check_text(field, text, head->count, fault));
  *(blob_t *)at = (blob_t){head->bytes, head->count};
  return GANTRY_OK;
}

static gantry_err_t read_element(const desc_field_t *field, wire_t *wire, void *at,
                                 gantry_fault_t *fault) {
  if (field->type == DESC_MESSAGE) return read_struct(field->message, wire, at, fault);
  wire_head_t head;
  if (!wire_next(wire, &head)) return field_wrong_type(field, fault);
  switch (head.kind) {
  case WIRE_BOOL:
    if (field->type != DESC_BOOL) return field_wrong_type(field, fault);
    *(bool *)at = head.number != 0;
    return GANTRY_OK;
  case WIRE_UNSIGNED:
    return field_put_unsigned(field, at, head.number, fault);
  case WIRE_SIGNED:
    return field_put_signed(field, at, (int64_t)head.number, fault);
  case WIRE_REAL:
    return field_put_real(field, at, head.real, fault);
  case WIRE_TEXT:
  case WIRE_BYTES:
    return read_bytes(field, &head, at, fault);
  default:
    return field_wrong_type(field, fault);
  }
}

/* The next value where it is an unsigned integer with some bytes behind it, as within a column. */
static bool next_natural(wire_t *wire, uint64_t *out) {
  if (wire->end - wire->at <= (ptrdiff_t)sizeof *out) return false;
  uint8_t type = *wire->at;
  if (type < 0x80) {
    *out = type;
    wire->at++;
    return true;
  }
  if (type < 0xcc || type > 0xcf) return false;
  unsigned size = 1u << (type - 0xcc);
  memcpy(out, wire->at + 1, sizeof *out);
  *out = __builtin_bswap64(*out) >> (64 - 8 * size);
  wire->at += 1 + size;
  return true;
}

/* How many of the first elements of a column are plain and within bounds; the slow path names the
   first that is not. */
static uint32_t read_naturals(const desc_field_t *field, wire_t *wire, void *values,
                              uint32_t count) {
  uint64_t min, max, value;
  field_get_bounds(field, &min, &max);
  for (uint32_t i = 0; i < count; i++) {
    wire_t before = *wire;
    if (!next_natural(wire, &value) || value < min || value > max) {
      *wire = before;
      return i;
    }
    field_set_unsigned(field, (uint8_t *)values + (size_t)i * field->size, value);
  }
  return count;
}

static uint32_t read_floats(const desc_field_t *field, wire_t *wire, float *values,
                            uint32_t count) {
  float min = (float)field->min, max = (float)field->max;
  const uint8_t *at = wire->at;
  size_t plain = (size_t)(wire->end - at) / FLOAT_BYTES;
  uint32_t most = plain < count ? (uint32_t)plain : count;
  uint32_t i;
  for (i = 0; i < most && *at == 0xca; i++, at += FLOAT_BYTES) {
    uint32_t bits;
    memcpy(&bits, at + 1, sizeof bits);
    bits = __builtin_bswap32(bits);
    memcpy(&values[i], &bits, sizeof bits);
    if (!(values[i] >= min && values[i] <= max)) break;
  }
  wire->at = at;
  return i;
}

static uint32_t read_doubles(const desc_field_t *field, wire_t *wire, double *values,
                             uint32_t count) {
  const uint8_t *at = wire->at;
  size_t plain = (size_t)(wire->end - at) / DOUBLE_BYTES;
  uint32_t most = plain < count ? (uint32_t)plain : count;
  uint32_t i;
  for (i = 0; i < most && *at == 0xcb; i++, at += DOUBLE_BYTES) {
    uint64_t bits;
    memcpy(&bits, at + 1, sizeof bits);
    bits = __builtin_bswap64(bits);
    memcpy(&values[i], &bits, sizeof bits);
    if (!(values[i] >= field->min && values[i] <= field->max)) break;
  }
  wire->at = at;
  return i;
}

static uint32_t read_column(const desc_field_t *field, wire_t *wire, void *values, uint32_t count) {
  if (field->type >= DESC_U8 && field->type <= DESC_U64)
    return read_naturals(field, wire, values, count);
  if (field->type == DESC_F32 && field->ranged) return read_floats(field, wire, values, count);
  if (field->type == DESC_F64 && field->ranged) return read_doubles(field, wire, values, count);
  return 0;
}

static gantry_err_t read_field(const desc_field_t *field, wire_t *wire, void *value,
                               gantry_fault_t *fault) {
  uint8_t *at = (uint8_t *)value + field->offset;
  uint32_t count = 1, i = 0;
  if (field->array) {
    wire_head_t head;
    if (!wire_next(wire, &head) || head.kind != WIRE_ARRAY) {
      return fault_set(fault, GANTRY_E_SCHEMA, field->name, "must be a list");
    }
    GANTRY_TRY(field_check_count(field, head.count, fault));
    count = head.count;
    field_set_count(field, value, count);
    i = read_column(field, wire, at, count);
  }
  for (; i < count; i++) {
    gantry_err_t err = read_element(field, wire, at + (size_t)i * field->size, fault);
    if (err == GANTRY_OK) continue;
    if (field->type == DESC_MESSAGE) return field_within(field, i, err, fault);
    return field_element(field, i, err, fault);
  }
  field_set_present(field, value);
  return GANTRY_OK;
}

/* Producers write in table order, so the next field is nearly always the right one. */
static const desc_field_t *find_field(const desc_t *desc, uint32_t next, const wire_head_t *key) {
  if (next < desc->field_count) {
    const desc_field_t *field = &desc->fields[next];
    if (strlen(field->name) == key->count && memcmp(field->name, key->bytes, key->count) == 0) {
      return field;
    }
  }
  return desc_find(desc, (const char *)key->bytes, key->count);
}

static gantry_err_t read_struct(const desc_t *desc, wire_t *wire, void *value,
                                gantry_fault_t *fault) {
  bool seen[FIELDS_MAX] = {false};
  uint32_t next = 0;
  wire_head_t map;
  if (!wire_next(wire, &map) || map.kind != WIRE_MAP) {
    return fault_set(fault, GANTRY_E_SCHEMA, "", "must be an object");
  }
  if (map.count > desc->field_count + UNKNOWN_MAX) {
    return fault_set(fault, GANTRY_E_SCHEMA, "", "%u fields are more than %s can have", map.count,
                     desc->name);
  }
  for (uint32_t i = 0; i < map.count; i++) {
    wire_head_t key;
    if (!wire_next(wire, &key) || key.kind != WIRE_TEXT) {
      return fault_set(fault, GANTRY_E_SCHEMA, "", "names of fields must be text");
    }
    const desc_field_t *field = find_field(desc, next, &key);
    if (!field) {
      if (!wire_skip(wire)) return fault_set(fault, GANTRY_E_SCHEMA, "", "ends too early");
      continue;
    }
    next = (uint32_t)(field - desc->fields);
    if (seen[next]) return fault_set(fault, GANTRY_E_SCHEMA, field->name, "stands twice");
    seen[next++] = true;
    GANTRY_TRY(read_field(field, wire, value, fault));
  }
  for (uint32_t i = 0; i < desc->field_count; i++) {
    if (!seen[i] && !desc->fields[i].optional) return field_missing(&desc->fields[i], fault);
  }
  return GANTRY_OK;
}

gantry_err_t unpack_message(const desc_t *desc, const uint8_t *bytes, size_t len, void *value,
                            gantry_fault_t *fault) {
  desc_reset(desc, value);
  GANTRY_TRY(unpack_check(bytes, len, fault));
  wire_t wire = {bytes, bytes + len};
  return read_struct(desc, &wire, value, fault);
}
