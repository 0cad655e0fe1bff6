/* Message to JSON by descriptor table. */
#include <gantry/json.h>

#include "field.h"
#include "json_text.h"

#include <gantry/clock.h>
#include <stdio.h>
#include <string.h>

static void write_struct(buf_t *out, const desc_t *desc, const void *value);

/* Stored JSON goes out raw. It came from elsewhere: when it is not well formed it goes out as a
   string, so that the answer around it stays readable. */
static void write_raw(buf_t *out, const char *text, size_t len) {
  if (len == 0) {
    buf_put_text(out, "null");
  } else if (json_is_valid(text, len, JSON_MAX_DEPTH)) {
    buf_put(out, text, len);
  } else {
    json_write_text(out, text, len);
  }
}

static void write_u64(buf_t *out, const desc_field_t *field, uint64_t value) {
  char text[32];
  switch (field->format) {
  case DESC_TIME:
    buf_put_byte(out, '"');
    buf_put_text(out, clock_iso(value, text, sizeof text));
    buf_put_byte(out, '"');
    break;
  case DESC_HEX:
    snprintf(text, sizeof text, "\"%016llx\"", (unsigned long long)value);
    buf_put_text(out, text);
    break;
  default:
    json_write_unsigned(out, value);
  }
}

static void write_bytes(buf_t *out, const desc_field_t *field, const blob_t *blob) {
  if (field->format == DESC_JSON) {
    write_raw(out, (const char *)blob->data, blob->len);
  } else {
    json_write_base64(out, blob->data, blob->len);
  }
}

static void write_element(buf_t *out, const desc_field_t *field, const void *at) {
  switch (field->type) {
  case DESC_BOOL:
    buf_put_text(out, *(const bool *)at ? "true" : "false");
    break;
  case DESC_U8:
  case DESC_U16:
  case DESC_U32:
  case DESC_U64:
    write_u64(out, field, field_get_unsigned(field, at));
    break;
  case DESC_I32:
  case DESC_I64:
    json_write_signed(out, field_get_signed(field, at));
    break;
  case DESC_F32:
    json_write_float(out, *(const float *)at);
    break;
  case DESC_F64:
    if (field->format == DESC_FRACTION)
      json_write_fraction(out, *(const double *)at);
    else
      json_write_number(out, *(const double *)at);
    break;
  case DESC_TEXT: {
    size_t len = strnlen(at, field->size);
    if (field->format == DESC_JSON) {
      write_raw(out, at, len);
    } else {
      json_write_text(out, at, len);
    }
    break;
  }
  case DESC_BLOB:
    write_bytes(out, field, at);
    break;
  case DESC_ENUM: {
    const char *text = desc_enum_text(field->enumeration, (int)field_get_signed(field, at));
    json_write_text(out, text, strlen(text));
    break;
  }
  case DESC_MESSAGE:
    write_struct(out, field->message, at);
    break;
  }
}

static void write_array(buf_t *out, const desc_field_t *field, const void *value) {
  const uint8_t *at = (const uint8_t *)value + field->offset;
  uint32_t count = field_count(field, value);
  if (count > field->capacity) count = field->capacity;
  buf_put_byte(out, '[');
  for (uint32_t i = 0; i < count; i++, at += field->size) {
    if (i > 0) buf_put_byte(out, ',');
    write_element(out, field, at);
  }
  buf_put_byte(out, ']');
}

/* A member's name and the colon behind it; names are plain letters. */
static void write_name(buf_t *out, const char *name, bool first) {
  size_t len = strlen(name);
  uint8_t *room = buf_reserve(out, len + 4);

  if (!room) return;
  if (!first) *room++ = ',';
  *room++ = '"';
  memcpy(room, name, len);
  memcpy(room + len, "\":", 2);
  out->len += len + 3 + !first;
}

static void write_struct(buf_t *out, const desc_t *desc, const void *value) {
  bool first = true;
  buf_put_byte(out, '{');
  for (uint32_t i = 0; i < desc->field_count; i++) {
    const desc_field_t *field = &desc->fields[i];
    bool present = field_is_present(field, value);
    if (!present && !field->nullable) continue;
    write_name(out, field->name, first);
    first = false;
    if (!present) {
      buf_put_text(out, "null");
    } else if (field->array) {
      write_array(out, field, value);
    } else {
      write_element(out, field, (const uint8_t *)value + field->offset);
    }
  }
  buf_put_byte(out, '}');
}

gantry_err_t json_write(const desc_t *desc, const void *value, buf_t *out) {
  write_struct(out, desc, value);
  return buf_err(out);
}
