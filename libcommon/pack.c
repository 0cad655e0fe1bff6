/* Message to msgpack: walks the descriptor table; msgpack-c writes each value straight into the
 * buffer. */
#include <gantry/pack.h>

#include "field.h"

#include <msgpack.h>
#include <string.h>

static int pack_bytes(void *arg, const char *bytes, size_t len) {
  buf_put(arg, bytes, len);
  return 0;
}

static void pack_text(msgpack_packer *packer, const char *text, size_t len) {
  msgpack_pack_str(packer, len);
  msgpack_pack_str_body(packer, text, len);
}

static gantry_err_t pack_struct(msgpack_packer *packer, const desc_t *desc, const void *value,
                                gantry_fault_t *fault);

static gantry_err_t pack_real(msgpack_packer *packer, const desc_field_t *field, const void *at,
                              gantry_fault_t *fault) {
  double value = field_get_real(field, at);
  GANTRY_TRY(field_check_real(field, value, fault));
  if (field->type == DESC_F32) {
    msgpack_pack_float(packer, (float)value);
  } else {
    msgpack_pack_double(packer, value);
  }
  return GANTRY_OK;
}

static gantry_err_t pack_blob(msgpack_packer *packer, const desc_field_t *field, const blob_t *blob,
                              gantry_fault_t *fault) {
  if (blob->len > field->max_len) {
    return fault_set(fault, GANTRY_E_SCHEMA, field->name, "must be at most %u bytes long, is %zu",
                     field->max_len, blob->len);
  }
  if (field->format == DESC_JSON) {
    GANTRY_TRY(field_check_text(field, (const char *)blob->data, blob->len, fault));
    pack_text(packer, (const char *)blob->data, blob->len);
    return GANTRY_OK;
  }
  msgpack_pack_bin(packer, blob->len);
  msgpack_pack_bin_body(packer, blob->data, blob->len);
  return GANTRY_OK;
}

static gantry_err_t pack_enum(msgpack_packer *packer, const desc_field_t *field, const void *at,
                              gantry_fault_t *fault) {
  int64_t value = field_get_signed(field, at);
  if (value < 0 || value >= field->enumeration->count) {
    return fault_set(fault, GANTRY_E_SCHEMA, field->name, "holds %lld, which is no %s",
                     (long long)value, field->enumeration->name);
  }
  const char *text = field->enumeration->texts[value];
  pack_text(packer, text, strlen(text));
  return GANTRY_OK;
}

static gantry_err_t pack_element(msgpack_packer *packer, const desc_field_t *field, const void *at,
                                 gantry_fault_t *fault) {
  switch (field->type) {
  case DESC_BOOL:
    return *(const bool *)at ? msgpack_pack_true(packer) : msgpack_pack_false(packer), GANTRY_OK;
  case DESC_U8:
  case DESC_U16:
  case DESC_U32:
  case DESC_U64: {
    uint64_t value = field_get_unsigned(field, at);
    GANTRY_TRY(field_check_real(field, (double)value, fault));
    msgpack_pack_uint64(packer, value);
    return GANTRY_OK;
  }
  case DESC_I32:
  case DESC_I64: {
    int64_t value = field_get_signed(field, at);
    GANTRY_TRY(field_check_real(field, (double)value, fault));
    msgpack_pack_int64(packer, value);
    return GANTRY_OK;
  }
  case DESC_F32:
  case DESC_F64:
    return pack_real(packer, field, at, fault);
  case DESC_TEXT: {
    size_t len = strnlen(at, field->size);
    GANTRY_TRY(field_check_text(field, at, len, fault));
    pack_text(packer, at, len);
    return GANTRY_OK;
  }
  case DESC_BLOB:
    return pack_blob(packer, field, at, fault);
  case DESC_ENUM:
    return pack_enum(packer, field, at, fault);
  case DESC_MESSAGE:
    return pack_struct(packer, field->message, at, fault);
  }
  return field_wrong_type(field, fault);
}

/* The shortest form of a number; 9 bytes of room. */
static uint8_t *put_natural(uint8_t *room, uint64_t value) {
  if (value < 0x80) {
    *room = (uint8_t)value;
    return room + 1;
  }
  unsigned width = value > UINT32_MAX ? 3 : value > UINT16_MAX ? 2 : value > UINT8_MAX ? 1 : 0;
  unsigned size = 1u << width;
  uint64_t bits = __builtin_bswap64(value << (64 - 8 * size));
  *room = (uint8_t)(0xcc + width);
  memcpy(room + 1, &bits, sizeof bits);
  return room + 1 + size;
}

/* Long arrays, as in scans and columns: one reservation, then a type byte and the number each, most
 * significant byte first. */
static gantry_err_t pack_naturals(buf_t *out, const desc_field_t *field, const uint8_t *values,
                                  uint32_t count, gantry_fault_t *fault) {
  uint8_t *room = buf_reserve(out, (size_t)count * 9);
  if (!room) return GANTRY_OK; /* the buffer has failed: reported at the end */
  const uint8_t *begin = room;
  uint64_t min, max;
  field_get_bounds(field, &min, &max);
  for (uint32_t i = 0; i < count; i++) {
    uint64_t value = field_get_unsigned(field, values + (size_t)i * field->size);
    if (value < min || value > max)
      return field_element(field, i, field_check_real(field, (double)value, fault), fault);
    room = put_natural(room, value);
  }
  out->len += (size_t)(room - begin);
  return GANTRY_OK;
}

static gantry_err_t pack_floats(buf_t *out, const desc_field_t *field, const float *values,
                                uint32_t count, gantry_fault_t *fault) {
  uint8_t *room = buf_reserve(out, (size_t)count * 5);
  if (!room) return GANTRY_OK;
  float min = (float)field->min, max = (float)field->max;
  for (uint32_t i = 0; i < count; i++) {
    if (!(values[i] >= min && values[i] <= max)) {
      return field_element(field, i, field_check_real(field, (double)values[i], fault), fault);
    }
    uint32_t bits;
    memcpy(&bits, &values[i], sizeof bits);
    bits = __builtin_bswap32(bits);
    *room++ = 0xca;
    memcpy(room, &bits, sizeof bits);
    room += sizeof bits;
  }
  out->len += (size_t)count * 5;
  return GANTRY_OK;
}

static gantry_err_t pack_doubles(buf_t *out, const desc_field_t *field, const double *values,
                                 uint32_t count, gantry_fault_t *fault) {
  uint8_t *room = buf_reserve(out, (size_t)count * 9);
  if (!room) return GANTRY_OK;
  for (uint32_t i = 0; i < count; i++) {
    if (!(values[i] >= field->min && values[i] <= field->max))
      return field_element(field, i, field_check_real(field, values[i], fault), fault);
    uint64_t bits;
    memcpy(&bits, &values[i], sizeof bits);
    bits = __builtin_bswap64(bits);
    *room++ = 0xcb;
    memcpy(room, &bits, sizeof bits);
    room += sizeof bits;
  }
  out->len += (size_t)count * 9;
  return GANTRY_OK;
}

/* Whether the type has such a way. */
static bool is_column(const desc_field_t *field) {
  bool natural = field->type >= DESC_U8 && field->type <= DESC_U64;
  bool real = field->type == DESC_F32 || field->type == DESC_F64;
  return field->array && (natural || (real && field->ranged));
}

static gantry_err_t pack_column(buf_t *out, const desc_field_t *field, const void *values,
                                uint32_t count, gantry_fault_t *fault) {
  if (field->type == DESC_F32) return pack_floats(out, field, values, count, fault);
  if (field->type == DESC_F64) return pack_doubles(out, field, values, count, fault);
  return pack_naturals(out, field, values, count, fault);
}

static gantry_err_t pack_field(msgpack_packer *packer, const desc_field_t *field, const void *value,
                               gantry_fault_t *fault) {
  pack_text(packer, field->name, strlen(field->name));
  const uint8_t *at = (const uint8_t *)value + field->offset;
  uint32_t count = field_count(field, value);
  if (field->array) {
    GANTRY_TRY(field_check_count(field, count, fault));
    msgpack_pack_array(packer, count);
    if (is_column(field)) return pack_column(packer->data, field, at, count, fault);
  }
  for (uint32_t i = 0; i < count; i++, at += field->size) {
    gantry_err_t err = pack_element(packer, field, at, fault);
    if (err == GANTRY_OK) continue;
    if (field->type == DESC_MESSAGE) return field_within(field, i, err, fault);
    return field_element(field, i, err, fault);
  }
  return GANTRY_OK;
}

static gantry_err_t pack_struct(msgpack_packer *packer, const desc_t *desc, const void *value,
                                gantry_fault_t *fault) {
  uint32_t present = 0;
  for (uint32_t i = 0; i < desc->field_count; i++) {
    present += field_is_present(&desc->fields[i], value);
  }
  msgpack_pack_map(packer, present);
  for (uint32_t i = 0; i < desc->field_count; i++) {
    const desc_field_t *field = &desc->fields[i];
    if (!field_is_present(field, value)) continue;
    GANTRY_TRY(pack_field(packer, field, value, fault));
  }
  return GANTRY_OK;
}

gantry_err_t pack_message(const desc_t *desc, const void *value, buf_t *out,
                          gantry_fault_t *fault) {
  size_t before = out->len;
  msgpack_packer packer;
  msgpack_packer_init(&packer, out, pack_bytes);
  gantry_err_t err = pack_struct(&packer, desc, value, fault);
  if (err == GANTRY_OK && out->failed) {
    err = fault_set(fault, GANTRY_E_TOO_LARGE, "", "%s does not fit the buffer", desc->name);
  }
  if (err != GANTRY_OK) out->len = before;
  return err;
}
