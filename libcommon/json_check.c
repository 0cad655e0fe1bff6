/* Checking JSON text without building anything: used before foreign text is parsed, and before
   stored text is passed on raw. Grammar: RFC 8259. */
#include "json_text.h"

#include "utf8.h"

#include <gantry/json.h>
#include <string.h>

typedef struct span {
  const uint8_t *at, *end;
} span_t;

static void pass_space(span_t *span) {
  while (span->at < span->end && memchr(" \t\r\n", *span->at, 4))
    span->at++;
}

static bool pass_byte(span_t *span, uint8_t byte) {
  if (span->at == span->end || *span->at != byte) return false;
  span->at++;
  return true;
}

static bool pass_word(span_t *span, const char *word) {
  size_t len = strlen(word);
  if ((size_t)(span->end - span->at) < len || memcmp(span->at, word, len) != 0) return false;
  span->at += len;
  return true;
}

static bool is_digit(const span_t *span) {
  return span->at < span->end && *span->at >= '0' && *span->at <= '9';
}

static bool pass_digits(span_t *span) {
  if (!is_digit(span)) return false;
  while (is_digit(span))
    span->at++;
  return true;
}

static bool pass_number(span_t *span) {
  pass_byte(span, '-');
  if (!pass_byte(span, '0') && !pass_digits(span)) return false;
  if (pass_byte(span, '.') && !pass_digits(span)) return false;
  if (!pass_byte(span, 'e') && !pass_byte(span, 'E')) return true;
  if (!pass_byte(span, '+')) pass_byte(span, '-');
  return pass_digits(span);
}

static int hex_digit(uint8_t byte) {
  const char *digits = "0123456789abcdefABCDEF";
  const char *found = memchr(digits, byte, strlen(digits));
  if (!found) return -1;
  long index = found - digits;
  return (int)(index < 16 ? index : index - 6);
}

/* The four digits of \uXXXX; -1 when they are none. */
static int pass_unit(span_t *span) {
  if (span->end - span->at < 4) return -1;
  int unit = 0;
  for (int i = 0; i < 4; i++) {
    int digit = hex_digit(*span->at++);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

static bool pass_escape(span_t *span) {
  if (span->at == span->end) return false;
  uint8_t letter = *span->at++;
  if (letter != 'u') return memchr("\"\\/bfnrt", letter, 8) != NULL;
  int unit = pass_unit(span);
  if (unit >= 0xd800 && unit <= 0xdbff) { /* a surrogate needs its second half */
    if (!pass_word(span, "\\u")) return false;
    unit = pass_unit(span);
    return unit >= 0xdc00 && unit <= 0xdfff;
  }
  return unit >= 0 && (unit < 0xdc00 || unit > 0xdfff);
}

static bool pass_string(span_t *span) {
  if (!pass_byte(span, '"')) return false;
  while (span->at < span->end) {
    if (pass_byte(span, '"')) return true;
    if (pass_byte(span, '\\')) {
      if (!pass_escape(span)) return false;
      continue;
    }
    size_t step = utf8_char_len(span->at, (size_t)(span->end - span->at));
    if (step == 0 || *span->at < 0x20) return false;
    span->at += step;
  }
  return false;
}

static bool pass_value(span_t *span, unsigned depth);

static bool pass_members(span_t *span, unsigned depth, bool named, uint8_t end) {
  pass_space(span);
  if (pass_byte(span, end)) return true;
  do {
    pass_space(span);
    if (named) {
      if (!pass_string(span)) return false;
      pass_space(span);
      if (!pass_byte(span, ':')) return false;
    }
    if (!pass_value(span, depth)) return false;
  } while (pass_byte(span, ','));
  return pass_byte(span, end);
}

/* Recursion ends with depth. */
static bool pass_value(span_t *span, unsigned depth) {
  bool ok = false;
  pass_space(span);
  if (span->at == span->end) return false;
  switch (*span->at) {
  case '{':
  case '[': {
    bool named = *span->at++ == '{';
    ok = depth > 0 && pass_members(span, depth - 1, named, named ? '}' : ']');
    break;
  }
  case '"':
    ok = pass_string(span);
    break;
  case 't':
    ok = pass_word(span, "true");
    break;
  case 'f':
    ok = pass_word(span, "false");
    break;
  case 'n':
    ok = pass_word(span, "null");
    break;
  default:
    ok = pass_number(span);
  }
  pass_space(span);
  return ok;
}

bool json_is_valid(const char *text, size_t len, unsigned depth) {
  span_t span = {(const uint8_t *)text, (const uint8_t *)text + len};
  return pass_value(&span, depth) && span.at == span.end;
}

bool json_is_object(const char *text, size_t len) {
  return len && text[0] == '{' && json_is_valid(text, len, JSON_MAX_DEPTH);
}

unsigned json_depth(const char *text, size_t len) {
  unsigned depth = 0, deepest = 0;
  bool quoted = false;
  for (size_t i = 0; i < len; i++) {
    char c = text[i];
    if (quoted) {
      if (c == '\\') i++;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > deepest) deepest = depth;
    } else if ((c == '}' || c == ']') && depth > 0) {
      depth--;
    }
  }
  return deepest;
}
