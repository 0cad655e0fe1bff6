/* Looking into free-form JSON. */
#include "json_parse.h"
#include "json_text.h"
#include "utf8.h"

#include <string.h>

struct json_item {
  json_t value; /* an item is the parser's own value, seen through another name */
};

/* Whether a sound text holds no such key at all, which is told without building anything. */
static bool is_absent(const char *text, size_t len, const char *key) {
  return *key && !strstr(text, key) && !strchr(text, '\\') &&
         json_is_valid(text, len, JSON_MAX_DEPTH);
}

/* The value at key of a document, or the document itself for "". *root is to be released when
 * GANTRY_OK. */
static gantry_err_t look_up(const char *text, const char *key, json_t **root, json_t **out) {
  size_t len = strlen(text);
  *out = NULL;
  if (is_absent(text, len, key)) return GANTRY_E_NOT_FOUND;
  GANTRY_TRY(json_parse(text, len, root, NULL));
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

gantry_err_t json_each_key(const char *text, json_key_fn visit, void *arg) {
  json_t *root, *object, *value;
  const char *key;
  GANTRY_TRY(look_up(text, "", &root, &object));
  gantry_err_t err = json_is_object(object) ? GANTRY_OK : GANTRY_E_SCHEMA;
  json_object_foreach(object, key, value) {
    err = visit(key, arg);
    if (err != GANTRY_OK) break;
  }
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
