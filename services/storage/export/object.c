/* Walks over an object's text: strings and brackets are all that has to be understood. */
#include "object.h"

#include <string.h>

static const char *skip_space(const char *at) {
  return at + strspn(at, " \t\r\n");
}

/* Behind the string that begins at the quote; NULL when it does not end. */
static const char *skip_string(const char *at) {
  for (at++; *at && *at != '"'; at++)
    if (*at == '\\' && *++at == '\0') return NULL;
  return *at ? at + 1 : NULL;
}

static const char *skip_value(const char *at) {
  int depth = 0;
  while (at && *at) {
    if (*at == '"') {
      at = skip_string(at);
      continue;
    }
    if (depth == 0 && strchr(",}] \t\r\n", *at)) return at;
    if (*at == '{' || *at == '[') depth++;
    if (*at == '}' || *at == ']') depth--;
    at++;
    if (depth == 0 && (at[-1] == '}' || at[-1] == ']')) return at;
  }
  return NULL;
}

bool object_next(const char **at, object_field_t *out) {
  const char *here = skip_space(*at);
  if (*here != '{' && *here != ',') return false;
  here = skip_space(here + 1);
  if (*here != '"') return false;
  const char *end = skip_string(here);
  if (!end) return false;
  out->name = here + 1;
  out->name_len = (size_t)(end - here) - 2;
  here = skip_space(end);
  if (*here != ':') return false;
  out->value = skip_space(here + 1);
  end = skip_value(out->value);
  if (!end || end == out->value) return false;
  out->value_len = (size_t)(end - out->value);
  *at = end;
  return true;
}
