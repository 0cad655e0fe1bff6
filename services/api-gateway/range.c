/* Byte ranges and entity tags (RFC 9110, 13 and 14). */
#include "range.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char UNIT[] = "bytes=";

bool range_is_asked(const char *text) {
  return !strncmp(text, UNIT, sizeof UNIT - 1) && !strchr(text, ',');
}

/* A decimal number; a longer one than fits counts as the greatest. */
static bool read_number(const char **at, uint64_t *out) {
  const char *begin = *at;

  *out = 0;
  for (; isdigit((unsigned char)**at); (*at)++) {
    uint64_t digit = (uint64_t)(**at - '0');
    *out = *out > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *out * 10 + digit;
  }
  return *at != begin;
}

static range_verdict_t read_suffix(const char *at, uint64_t size, range_t *out) {
  uint64_t len;

  if (!read_number(&at, &len) || *at) return RANGE_WHOLE;
  if (!len || !size) return RANGE_BEHIND;
  out->from = len < size ? size - len : 0;
  out->last = size - 1;
  return RANGE_PART;
}

range_verdict_t range_read(const char *text, uint64_t size, range_t *out) {
  const char *at = text + sizeof UNIT - 1;
  uint64_t last = UINT64_MAX;

  *out = (range_t){0};
  if (!range_is_asked(text)) return RANGE_WHOLE;
  if (*at == '-') return read_suffix(at + 1, size, out);
  if (!read_number(&at, &out->from) || *at++ != '-') return RANGE_WHOLE;
  if (*at && (!read_number(&at, &last) || *at)) return RANGE_WHOLE;
  if (last < out->from) return RANGE_WHOLE;
  if (out->from >= size) return RANGE_BEHIND;
  out->last = last < size ? last : size - 1;
  return RANGE_PART;
}

bool range_tag_matches(const char *header, const char *tag, bool weak) {
  size_t len = strlen(tag);

  for (const char *at = header; *at;) {
    at += strspn(at, ", \t");
    if (weak && *at == '*') return true;
    if (!strncmp(at, "W/", 2)) {
      if (!weak) return false;
      at += 2;
    }
    if (*at != '"') return false;
    const char *end = strchr(++at, '"');
    if (!end) return false;
    if ((size_t)(end - at) == len && !memcmp(at, tag, len)) return true;
    at = end + 1;
  }
  return false;
}
