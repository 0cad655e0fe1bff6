/* JSON to message by descriptor table, and looking into free-form JSON. jansson parses. */
#include <gantry/json.h>

#include "field.h"
#include "json_text.h"
#include "utf8.h"

#include <gantry/clock.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct json_item {
  json_t value; /* an item is the parser's own value, seen through another name */
};

static gantry_err_t parse(const char *text, size_t len, json_t **out, gantry_fault_t *fault) {
  *out = NULL;
  if (len > JSON_MAX_LEN) {
    return fault_set(fault, GANTRY_E_TOO_LARGE, "", "at most %u bytes of JSON", JSON_MAX_LEN);
  }
  if (json_depth(text, len) > JSON_MAX_DEPTH) {
    return fault_set(fault, GANTRY_E_SCHEMA, "", "JSON nested deeper than %d", JSON_MAX_DEPTH);
  }
  json_error_t error;
  *out = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
  if (*out) return GANTRY_OK;
  /* Without the parser's quotation of the text: it may be cut within a character. */
  char *near = strstr(error.text, " near ");
  if (near) *near = '\0';
  return fault_set(fault, GANTRY_E_SCHEMA, "", "not JSON at line %d column %d: %s", error.line,
                   error.column, error.text);
}

/* Any value as compact text. */
static void write_any(buf_t *out, const json_t *value) {
  const char *key, *separator = "";
  json_t *inner;
  size_t i;
  switch (json_typeof(value)) {
  case JSON_OBJECT:
    buf_put_byte(out, '{');
    json_object_foreach((json_t *)value, key, inner) {
      buf_put_text(out, separator);
      json_write_text(out, key, strlen(key));
      buf_put_byte(out, ':');
      write_any(out, inner);
      separator = ",";
    }
    buf_put_byte(out, '}');
    break;
  case JSON_ARRAY:
    buf_put_byte(out, '[');
    json_array_foreach(value, i, inner) {
      buf_put_text(out, separator);
      write_any(out, inner);
      separator = ",";
    }
    buf_put_byte(out, ']');
    break;
  case JSON_STRING:
    json_write_text(out, json_string_value(value), json_string_length(value));
    break;
  case JSON_INTEGER:
    json_write_signed(out, json_integer_value(value));
    break;
  case JSON_REAL:
    json_write_number(out, json_real_value(value));
    break;
  default:
    buf_put_text(out, json_is_null(value) ? "null" : json_is_true(value) ? "true" : "false");
  }
}

static gantry_err_t read_raw(const desc_field_t *field, const json_t *value, void *at,
                             gantry_fault_t *fault) {
  buf_t text = {.limit = field->max_len};
  write_any(&text, value);
  gantry_err_t err = buf_err(&text);
  if (err == GANTRY_OK) {
    err = field_put_text(field, at, (const char *)text.data, text.len, fault);
  } else {
    err = fault_set(fault, GANTRY_E_SCHEMA, field->name, "must be at most %u bytes as compact JSON",
                    field->max_len);
  }
  buf_fini(&text);
  return err;
}

/* Times and bit patterns are integers on the bus, and texts here. */
static gantry_err_t wrong_type(const desc_field_t *field, gantry_fault_t *fault) {
  if (field->format == DESC_TIME)
    return fault_set(fault, GANTRY_E_SCHEMA, field->name,
                     "must be a time as \"2026-01-31T09:05:07.123Z\"");
  if (field->format == DESC_HEX)
    return fault_set(fault, GANTRY_E_SCHEMA, field->name, "must be 1 to 16 hex digits in quotes");
  return field_wrong_type(field, fault);
}

static gantry_err_t read_hex(const desc_field_t *field, const char *text, size_t len, void *at,
                             gantry_fault_t *fault) {
  if (len < 1 || len > 16 || strspn(text, "0123456789abcdefABCDEF") != len) {
    return fault_set(fault, GANTRY_E_SCHEMA, field->name, "must be 1 to 16 hex digits");
  }
  return field_put_unsigned(field, at, strtoull(text, NULL, 16), fault);
}

static gantry_err_t read_string(const desc_field_t *field, const json_t *value, void *at,
                                gantry_fault_t *fault) {
  const char *text = json_string_value(value);
  size_t len = json_string_length(value);
  uint64_t wall_ns;
  if (field->type == DESC_TEXT) return field_put_text(field, at, text, len, fault);
  if (field->type == DESC_ENUM) return field_put_enum(field, at, text, len, fault);
  if (field->format == DESC_HEX) return read_hex(field, text, len, at, fault);
  if (field->format == DESC_TIME) {
    if (!clock_parse_iso(text, &wall_ns)) return wrong_type(field, fault);
    return field_put_unsigned(field, at, wall_ns, fault);
  }
  return wrong_type(field, fault);
}

static gantry_err_t read_object(const desc_t *desc, const json_t *object, bool strict, void *value,
                                gantry_fault_t *fault);

static gantry_err_t read_element(const desc_field_t *field, const json_t *value, bool strict,
                                 void *at, gantry_fault_t *fault) {
  if (field->type == DESC_BLOB) {
    return fault_set(fault, GANTRY_E_SCHEMA, field->name, "cannot be given in JSON");
  }
  if (field->type == DESC_TEXT && field->format == DESC_JSON) {
    return read_raw(field, value, at, fault);
  }
  switch (json_typeof(value)) {
  case JSON_OBJECT:
    if (field->type != DESC_MESSAGE) break;
    return read_object(field->message, value, strict, at, fault);
  case JSON_STRING:
    return read_string(field, value, at, fault);
  case JSON_TRUE:
  case JSON_FALSE:
    if (field->type != DESC_BOOL) break;
    *(bool *)at = json_is_true(value);
    return GANTRY_OK;
  case JSON_INTEGER:
    if (field->format != DESC_PLAIN && field->format != DESC_FRACTION) break;
    return field_put_signed(field, at, json_integer_value(value), fault);
  case JSON_REAL:
    return field_put_real(field, at, json_real_value(value), fault);
  default:
    break;
  }
  return wrong_type(field, fault);
}

static gantry_err_t read_field(const desc_field_t *field, const json_t *value, bool strict,
                               void *target, gantry_fault_t *fault) {
  uint8_t *at = (uint8_t *)target + field->offset;
  size_t count = 1;
  if (field->array) {
    if (!json_is_array(value)) {
      return fault_set(fault, GANTRY_E_SCHEMA, field->name, "must be a list");
    }
    count = json_array_size(value);
    GANTRY_TRY(field_check_count(field, count, fault));
    field_set_count(field, target, (uint32_t)count);
  }
  for (uint32_t i = 0; i < count; i++, at += field->size) {
    const json_t *element = field->array ? json_array_get(value, i) : value;
    gantry_err_t err = read_element(field, element, strict, at, fault);
    if (err == GANTRY_OK) continue;
    if (field->type == DESC_MESSAGE && json_is_object(element)) {
      return field_within(field, i, err, fault);
    }
    return field_element(field, i, err, fault);
  }
  field_set_present(field, target);
  return GANTRY_OK;
}

/* A stranger's key in a fault: plain ASCII only, so that cutting the path never cuts a character.
 */
static gantry_err_t unknown_field(const desc_t *desc, const char *key, gantry_fault_t *fault) {
  char plain[48];
  size_t len = 0;
  for (; key[len] && len < sizeof plain - 1; len++) {
    plain[len] = key[len] > ' ' && key[len] < 0x7f ? key[len] : '?';
  }
  plain[len] = '\0';
  return fault_set(fault, GANTRY_E_SCHEMA, plain, "is not a field of %s", desc->name);
}

static gantry_err_t refuse_unknown(const desc_t *desc, const json_t *object,
                                   gantry_fault_t *fault) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)object, key, value) {
    if (!desc_find(desc, key, strlen(key))) return unknown_field(desc, key, fault);
  }
  return GANTRY_OK;
}

static gantry_err_t read_object(const desc_t *desc, const json_t *object, bool strict, void *value,
                                gantry_fault_t *fault) {
  for (uint32_t i = 0; i < desc->field_count; i++) {
    const desc_field_t *field = &desc->fields[i];
    const json_t *found = json_object_get(object, field->name);
    bool raw = field->format == DESC_JSON && !field->optional;
    if (json_is_null(found) && !raw) found = NULL; /* null is absence, unless null is the value */
    if (found) {
      GANTRY_TRY(read_field(field, found, strict, value, fault));
    } else if (!field->optional) {
      return field_missing(field, fault);
    }
  }
  return strict ? refuse_unknown(desc, object, fault) : GANTRY_OK;
}

gantry_err_t json_read(const desc_t *desc, const char *text, size_t len, bool strict, void *value,
                       gantry_fault_t *fault) {
  json_t *root;
  memset(value, 0, desc->size);
  GANTRY_TRY(parse(text, len, &root, fault));
  gantry_err_t err;
  if (json_is_object(root)) {
    err = read_object(desc, root, strict, value, fault);
  } else {
    err = fault_set(fault, GANTRY_E_SCHEMA, "", "must be a JSON object");
  }
  json_decref(root);
  return err;
}

/* The value at key of a document, or the document itself for "". *root is to be released when
 * GANTRY_OK. */
static gantry_err_t look_up(const char *text, const char *key, json_t **root, json_t **out) {
  *out = NULL;
  GANTRY_TRY(parse(text, strlen(text), root, NULL));
  *out = *key ? json_object_get(*root, key) : *root;
  if (*out) return GANTRY_OK;
  json_decref(*root);
  return GANTRY_E_NOT_FOUND;
}

static gantry_err_t number_of(const json_t *value, double *out) {
  if (!json_is_number(value)) return GANTRY_E_SCHEMA;
  *out = json_number_value(value);
  return GANTRY_OK;
}

static gantry_err_t text_of(const json_t *value, char *out, size_t size) {
  if (!json_is_string(value)) return GANTRY_E_SCHEMA;
  const char *text = json_string_value(value);
  size_t len = json_string_length(value);
  if (len >= size) len = utf8_cut(text, size - 1);
  memcpy(out, text, len);
  out[len] = '\0';
  return GANTRY_OK;
}

gantry_err_t json_get_number(const char *text, const char *key, double *out) {
  json_t *root, *value;
  GANTRY_TRY(look_up(text, key, &root, &value));
  gantry_err_t err = number_of(value, out);
  json_decref(root);
  return err;
}

gantry_err_t json_get_text(const char *text, const char *key, char *out, size_t size) {
  json_t *root, *value;
  GANTRY_TRY(look_up(text, key, &root, &value));
  gantry_err_t err = text_of(value, out, size);
  json_decref(root);
  return err;
}

gantry_err_t json_get_bool(const char *text, const char *key, bool *out) {
  json_t *root, *value;
  GANTRY_TRY(look_up(text, key, &root, &value));
  gantry_err_t err = json_is_boolean(value) ? GANTRY_OK : GANTRY_E_SCHEMA;
  if (err == GANTRY_OK) *out = json_is_true(value);
  json_decref(root);
  return err;
}

gantry_err_t json_each(const char *text, const char *key, json_visit_fn visit, void *arg) {
  json_t *root, *list, *value;
  size_t i;
  GANTRY_TRY(look_up(text, key, &root, &list));
  gantry_err_t err = json_is_array(list) ? GANTRY_OK : GANTRY_E_SCHEMA;
  json_array_foreach(list, i, value) {
    err = visit((const json_item_t *)value, i, arg);
    if (err != GANTRY_OK) break;
  }
  json_decref(root);
  return err;
}

static gantry_err_t item_value(const json_item_t *item, const char *key, const json_t **out) {
  const json_t *value = (const json_t *)item;
  *out = key ? json_object_get(value, key) : value;
  return *out ? GANTRY_OK : GANTRY_E_NOT_FOUND;
}

gantry_err_t json_item_number(const json_item_t *item, const char *key, double *out) {
  const json_t *value;
  GANTRY_TRY(item_value(item, key, &value));
  return number_of(value, out);
}

gantry_err_t json_item_text(const json_item_t *item, const char *key, char *out, size_t size) {
  const json_t *value;
  GANTRY_TRY(item_value(item, key, &value));
  return text_of(value, out, size);
}
