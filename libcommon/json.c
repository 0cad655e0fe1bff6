/* JSON to message by descriptor table. jansson parses. */
#include <gantry/json.h>

#include "field.h"
#include "json_parse.h"
#include "json_text.h"

#include <gantry/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One reading of a document. Without a list it ends at the first fault. */
typedef struct reading {
  bool strict;
  json_fault_t *list;
  size_t most, count;
} reading_t;

gantry_err_t json_parse(const char *text, size_t len, json_t **out, gantry_fault_t *fault) {
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

static bool goes_on(const reading_t *reading) {
  return reading->count < reading->most;
}

/* Puts a fault on the list, with the scalar it is about; value NULL: there is none. */
static gantry_err_t note(reading_t *reading, gantry_err_t err, const gantry_fault_t *fault,
                         const json_t *value) {
  if (err == GANTRY_OK || !goes_on(reading)) return err;
  json_fault_t *row = &reading->list[reading->count++];
  *row = (json_fault_t){.fault = *fault};
  if (!value || json_is_object(value) || json_is_array(value)) return err;
  buf_t text = {.limit = sizeof row->value - 1};
  write_any(&text, value);
  if (buf_err(&text) == GANTRY_OK) memcpy(row->value, text.data, text.len);
  buf_fini(&text);
  return err;
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

static gantry_err_t read_object(const desc_t *desc, const json_t *object, reading_t *reading,
                                void *value, gantry_fault_t *fault);

static gantry_err_t read_element(const desc_field_t *field, const json_t *value, reading_t *reading,
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
    return read_object(field->message, value, reading, at, fault);
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

/* The path of a fault that read_element has found. */
static gantry_err_t place(const desc_field_t *field, uint32_t index, const json_t *element,
                          reading_t *reading, size_t before, gantry_err_t err,
                          gantry_fault_t *fault) {
  if (field->type != DESC_MESSAGE || !json_is_object(element))
    return note(reading, field_element(field, index, err, fault), fault, element);
  for (size_t i = before; i < reading->count; i++)
    field_within(field, index, err, &reading->list[i].fault);
  return field_within(field, index, err, fault);
}

static gantry_err_t read_list(const desc_field_t *field, const json_t *value, void *target,
                              uint32_t *count, gantry_fault_t *fault) {
  if (!json_is_array(value)) {
    return fault_set(fault, GANTRY_E_SCHEMA, field->name, "must be a list");
  }
  GANTRY_TRY(field_check_count(field, json_array_size(value), fault));
  *count = (uint32_t)json_array_size(value);
  field_set_count(field, target, *count);
  return GANTRY_OK;
}

static gantry_err_t read_field(const desc_field_t *field, const json_t *value, reading_t *reading,
                               void *target, gantry_fault_t *fault) {
  uint8_t *at = (uint8_t *)target + field->offset;
  gantry_err_t worst = GANTRY_OK;
  uint32_t count = 1;
  if (field->array) {
    gantry_err_t err = read_list(field, value, target, &count, fault);
    if (err != GANTRY_OK) return note(reading, err, fault, value);
  }
  for (uint32_t i = 0; i < count; i++, at += field->size) {
    const json_t *element = field->array ? json_array_get(value, i) : value;
    size_t before = reading->count;
    gantry_err_t err = read_element(field, element, reading, at, fault);
    if (err == GANTRY_OK) continue;
    worst = place(field, i, element, reading, before, err, fault);
    if (!goes_on(reading)) return worst;
  }
  field_set_present(field, target);
  return worst;
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

static gantry_err_t refuse_unknown(const desc_t *desc, const json_t *object, reading_t *reading,
                                   gantry_fault_t *fault) {
  gantry_err_t worst = GANTRY_OK;
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)object, key, value) {
    if (desc_find(desc, key, strlen(key))) continue;
    worst = note(reading, unknown_field(desc, key, fault), fault, value);
    if (!goes_on(reading)) return worst;
  }
  return worst;
}

static gantry_err_t read_object(const desc_t *desc, const json_t *object, reading_t *reading,
                                void *value, gantry_fault_t *fault) {
  gantry_err_t worst = GANTRY_OK;
  for (uint32_t i = 0; i < desc->field_count; i++) {
    const desc_field_t *field = &desc->fields[i];
    const json_t *found = json_object_get(object, field->name);
    bool raw = field->format == DESC_JSON && !field->optional;
    if (json_is_null(found) && !raw) found = NULL; /* null is absence, unless null is the value */
    gantry_err_t err = GANTRY_OK;
    if (found) {
      err = read_field(field, found, reading, value, fault);
    } else if (!field->optional) {
      err = note(reading, field_missing(field, fault), fault, NULL);
    }
    if (err == GANTRY_OK) continue;
    worst = err;
    if (!goes_on(reading)) return worst;
  }
  if (!reading->strict) return worst;
  gantry_err_t err = refuse_unknown(desc, object, reading, fault);
  return err != GANTRY_OK ? err : worst;
}

static gantry_err_t read_root(const desc_t *desc, const char *text, size_t len, reading_t *reading,
                              void *value, gantry_fault_t *fault) {
  json_t *root;
  desc_reset(desc, value);
  GANTRY_TRY(note(reading, json_parse(text, len, &root, fault), fault, NULL));
  gantry_err_t err;
  if (json_is_object(root)) {
    err = read_object(desc, root, reading, value, fault);
  } else {
    err = fault_set(fault, GANTRY_E_SCHEMA, "", "must be a JSON object");
    err = note(reading, err, fault, NULL);
  }
  json_decref(root);
  return err;
}

gantry_err_t json_read(const desc_t *desc, const char *text, size_t len, bool strict, void *value,
                       gantry_fault_t *fault) {
  reading_t reading = {.strict = strict};
  return read_root(desc, text, len, &reading, value, fault);
}

size_t json_read_all(const desc_t *desc, const char *text, size_t len, bool strict, void *value,
                     json_fault_t *faults, size_t most) {
  reading_t reading = {.strict = strict, .list = faults, .most = most};
  gantry_fault_t fault = {.err = GANTRY_OK};
  (void)read_root(desc, text, len, &reading, value, &fault);
  return reading.count;
}
