/* Tables of keys for the profile reader. */
#include "profile_keys.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_words[] = {
    [KEY_TEXT] = "a text",        [KEY_WHOLE] = "a whole number", [KEY_NUMBER] = "a number",
    [KEY_FLAG] = "true or false", [KEY_TABLE] = "a table",        [KEY_TABLES] = "a list of tables",
    [KEY_ADDRESS] = "an address",
};

bool complain(complaint_t *to, const char *place, const char *format, ...) {
  char what[384];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(what, sizeof what, format, args);
  va_end(args);
  (void)snprintf(to->why, to->size, "%s: %s", place, what);
  return false;
}

static bool are_tables(const json_t *list) {
  for (size_t i = 0; i < json_array_size(list); i++)
    if (!json_is_object(json_array_get(list, i))) return false;
  return json_is_array(list);
}

static bool is_kind(const json_t *value, key_kind_t kind) {
  switch (kind) {
  case KEY_TEXT:
    return json_is_string(value);
  case KEY_WHOLE:
    return json_is_integer(value);
  case KEY_NUMBER:
    return json_is_number(value);
  case KEY_FLAG:
    return json_is_boolean(value);
  case KEY_TABLE:
    return json_is_object(value);
  case KEY_TABLES:
    return are_tables(value);
  case KEY_ADDRESS:
    return json_is_integer(value) || json_is_string(value);
  }
  return false;
}

/* "0x7000": four digits at most, and nothing behind them. */
static bool is_hex(const char *text) {
  size_t digits = 0;
  if (text[0] != '0' || text[1] != 'x') return false;
  while (digits <= 4 && isxdigit((unsigned char)text[2 + digits]))
    digits++;
  return digits >= 1 && digits <= 4 && text[2 + digits] == '\0';
}

static bool check_value(complaint_t *to, const key_row_t *key, const json_t *value,
                        const char *place) {
  size_t longest = key->longest ? key->longest : NAME_LONG;
  if (!is_kind(value, key->kind))
    return complain(to, place, "%s is of the wrong type; give %s", key->name,
                    kind_words[key->kind]);
  if (key->kind == KEY_TEXT && json_string_length(value) > longest)
    return complain(to, place, "%s is too long; at most %zu bytes", key->name, longest);
  if (key->kind == KEY_ADDRESS && json_is_string(value) && !is_hex(json_string_value(value)))
    return complain(to, place, "address %.40s is no number; write it like 28672 or \"0x7000\"",
                    json_string_value(value));
  if (strcmp(key->name, "doc") == 0 && json_string_length(value) == 0)
    return complain(to, place, "doc is empty; say in a sentence what it is");
  return true;
}

static bool is_known(const char *name, const key_row_t *keys, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(name, keys[i].name) == 0) return true;
  return false;
}

static bool check_unknown(complaint_t *to, json_t *table, const key_row_t *keys, size_t count,
                          const char *place) {
  char list[256] = "";
  const char *name;
  json_t *value;
  for (size_t i = 0; i < count; i++) {
    size_t len = strlen(list);
    (void)snprintf(list + len, sizeof list - len, "%s%s", i ? ", " : "", keys[i].name);
  }
  json_object_foreach(table, name, value) {
    if (!is_known(name, keys, count))
      return complain(to, place, "unknown key %.40s; use %s", name, list);
  }
  return true;
}

bool keys_take(complaint_t *to, json_t *table, const key_row_t *keys, size_t count,
               const char *place, json_t *values[KEYS_MAX]) {
  if (!check_unknown(to, table, keys, count, place)) return false;
  for (size_t i = 0; i < count; i++) {
    values[i] = json_object_get(table, keys[i].name);
    if (!values[i] && keys[i].required)
      return complain(to, place, "%s is missing; give %s", keys[i].name, kind_words[keys[i].kind]);
    if (values[i] && !check_value(to, &keys[i], values[i], place)) return false;
  }
  return true;
}

bool keys_check_name(complaint_t *to, const char *name, size_t longest, const char *place) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz",
                    more[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
  bool ok = name[0] && strchr(letters, name[0]) && strspn(name, more) == strlen(name);
  if (ok && strlen(name) <= longest) return true;
  return complain(to, place, "a name is at most %zu of a-z, 0-9 and _, a letter first; rename it",
                  longest);
}

bool keys_check_range(complaint_t *to, int64_t value, int64_t low, int64_t high, const char *key,
                      const char *place) {
  if (value >= low && value <= high) return true;
  return complain(to, place, "%s %lld is not within %lld to %lld", key, (long long)value,
                  (long long)low, (long long)high);
}

bool keys_check_table(complaint_t *to, const json_t *value, const char *place) {
  if (json_is_object(value)) return true;
  return complain(to, place, "is of the wrong type; give a table");
}

const char *key_text(const json_t *value, const char *fallback) {
  return value ? json_string_value(value) : fallback;
}

int64_t key_whole(const json_t *value, int64_t fallback) {
  return value ? (int64_t)json_integer_value(value) : fallback;
}

double key_number(const json_t *value, double fallback) {
  return value ? json_number_value(value) : fallback;
}

int64_t key_address(const json_t *value, int64_t fallback) {
  if (json_is_string(value)) return strtol(json_string_value(value), NULL, 16);
  return key_whole(value, fallback);
}
