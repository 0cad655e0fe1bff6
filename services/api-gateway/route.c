/* Route matching: a path without parameters is looked up in the generated index; any other is
   compared segment by segment over the table, and the most literal row wins. */
#include "route.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/json.h>

static const char *const METHOD_NAMES[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
enum { METHOD_COUNT = 5 };

bool route_method_parse(const char *name, http_method_t *out) {
  for (int i = 0; i < METHOD_COUNT; i++) {
    if (strcmp(name, METHOD_NAMES[i]) != 0) continue;
    *out = (http_method_t)i;
    return true;
  }
  return false;
}

const char *route_method_name(http_method_t method) {
  return METHOD_NAMES[method];
}

/* Length of the segment that begins at text (behind its slash). */
static size_t segment_length(const char *text) {
  return strcspn(text, "/");
}

static bool is_parameter(const char *segment, size_t len) {
  return len >= 2 && segment[0] == '{' && segment[len - 1] == '}';
}

/* Compares pattern and path. literals gets one bit a segment, the first segment highest: 1 when
   literal, so that a greater number is the more literal pattern. */
static bool pattern_matches(const char *pattern, const char *path, uint32_t *literals) {
  uint32_t bit = 1u << 31;

  *literals = 0;
  while (*pattern == '/' && *path == '/') {
    pattern++;
    path++;
    size_t expected = segment_length(pattern);
    size_t given = segment_length(path);
    if (is_parameter(pattern, expected)) {
      if (given == 0 || given > ROUTE_VALUE_MAX) return false;
    } else {
      if (expected != given || memcmp(pattern, path, given) != 0) return false;
      *literals |= bit;
    }
    bit >>= 1;
    pattern += expected;
    path += given;
  }
  return *pattern == '\0' && *path == '\0';
}

static void copy_parameters(const char *pattern, const char *path, route_t *out) {
  while (*pattern == '/' && *path == '/') {
    pattern++;
    path++;
    size_t expected = segment_length(pattern);
    size_t given = segment_length(path);
    if (is_parameter(pattern, expected) && out->parameter_count < ROUTE_MAX_PARAMETERS) {
      route_parameter_t *parameter = &out->parameters[out->parameter_count++];
      size_t name = expected - 2;
      if (name >= sizeof parameter->name) name = sizeof parameter->name - 1;
      memcpy(parameter->name, pattern + 1, name);
      parameter->name[name] = '\0';
      memcpy(parameter->value, path, given);
      parameter->value[given] = '\0';
    }
    pattern += expected;
    path += given;
  }
}

static void take(const route_table_t *table, uint32_t row, http_method_t method, route_t *out) {
  out->allowed |= 1u << table->endpoints[row].method;
  if (table->endpoints[row].method != method) return;
  out->found = true;
  out->endpoint = row;
}

/* First of the index whose path is not below path. */
static uint32_t lower_bound(const route_table_t *table, const char *path) {
  uint32_t low = 0, high = table->literal_count;

  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (strcmp(table->endpoints[table->literals[middle]].path, path) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Nothing is more literal than the path itself: false when no row is. */
static bool match_literal(const route_table_t *table, http_method_t method, const char *path,
                          route_t *out) {
  for (uint32_t i = lower_bound(table, path); i < table->literal_count; i++) {
    uint32_t row = table->literals[i];
    if (strcmp(table->endpoints[row].path, path) != 0) break;
    take(table, row, method, out);
  }
  return out->allowed != 0;
}

static void match_pattern(const route_table_t *table, http_method_t method, const char *path,
                          route_t *out) {
  uint32_t best = 0;

  for (uint32_t i = 0; i < table->count; i++) {
    uint32_t literals;
    if (!pattern_matches(table->endpoints[i].path, path, &literals)) continue;
    if (out->allowed && literals < best) continue;
    if (literals > best) {
      out->allowed = 0;
      out->found = false;
    }
    best = literals;
    take(table, i, method, out);
  }
  if (out->found) copy_parameters(table->endpoints[out->endpoint].path, path, out);
}

void route_match_in(const route_table_t *table, http_method_t method, const char *path,
                    route_t *out) {
  char trimmed[1024];
  size_t len = strlen(path);

  out->endpoint = out->allowed = out->parameter_count = 0; /* the rest is a kilobyte */
  out->found = false;
  if (len >= sizeof trimmed) return;
  memcpy(trimmed, path, len + 1);
  while (len > 1 && trimmed[len - 1] == '/')
    trimmed[--len] = '\0';
  if (!match_literal(table, method, trimmed, out)) match_pattern(table, method, trimmed, out);
}

void route_match(http_method_t method, const char *path, route_t *out) {
  const route_table_t native = {CATALOGUE_ENDPOINTS, CATALOGUE_ENDPOINT_COUNT,
                                CATALOGUE_ENDPOINT_LITERALS, CATALOGUE_ENDPOINT_LITERAL_COUNT};

  route_match_in(&native, method, path, out);
}

/* ---- parameters */

/* Writes a number as JSON has it, which knows no leading zeros and nothing beyond 64 bits; false
   where the text is none. */
static bool write_number(bool real, const char *text, buf_t *out) {
  const char *digits = text[0] == '-' ? text + 1 : text;
  char *end;

  if (!isdigit((unsigned char)digits[0]) || text[strspn(text, "0123456789+-.eE")]) return false;
  errno = 0;
  if (!real) {
    long long whole = strtoll(text, &end, 10);
    if (*end || errno) return false;
    buf_printf(out, "%lld", whole);
    return true;
  }
  double value = strtod(text, &end);
  if (*end || !isfinite(value)) return false;
  json_write_number(out, value);
  return true;
}

/* What does not fit its type stays text, so that the reader names the parameter. */
static void write_value(const desc_field_t *field, const char *text, buf_t *out) {
  bool plain = field->format == DESC_PLAIN;

  if (plain && field->type == DESC_BOOL && (!strcmp(text, "true") || !strcmp(text, "false")))
    buf_put_text(out, text);
  else if (!plain || field->type == DESC_TEXT || field->type == DESC_ENUM ||
           !write_number(field->type == DESC_F64, text, out))
    json_write_text(out, text, strlen(text));
}

static const char *path_value(const route_t *route, const char *name) {
  for (uint32_t i = 0; i < route->parameter_count; i++) {
    if (!strcmp(route->parameters[i].name, name)) return route->parameters[i].value;
  }
  return NULL;
}

const char *route_query(const char *query, const char *name) {
  size_t len = strlen(name);

  for (; query && *query; query += strlen(query) + 1) {
    if (!strncmp(query, name, len) && query[len] == '=') return query + len + 1;
  }
  return NULL;
}

void route_params_json(const desc_t *params, const route_t *route, const char *query, buf_t *out) {
  bool first = true;

  buf_put_byte(out, '{');
  for (uint32_t i = 0; i < params->field_count; i++) {
    const desc_field_t *field = &params->fields[i];
    const char *value = path_value(route, field->name);
    if (!value) value = route_query(query, field->name);
    if (!value) continue;
    if (!first) buf_put_byte(out, ',');
    first = false;
    json_write_text(out, field->name, strlen(field->name));
    buf_put_byte(out, ':');
    write_value(field, value, out);
  }
  buf_put_byte(out, '}');
}
