/* Decimals by hand; doubles by printf, with the fewest of 15 to 17 digits that read back. */
#include "number_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REAL_MAX 32

size_t number_len(const char *text) {
  size_t len = strspn(text, "+-.0123456789Ee");
  bool begins =
      text[0] == '-' ? text[1] >= '0' && text[1] <= '9' : text[0] >= '0' && text[0] <= '9';
  return begins ? len : 0;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool number_parse(const char *text, size_t len, int64_t *value, int *decimals) {
  const char *at = text, *end = text + len;
  bool negative = at < end && *at == '-', point = false;
  int digits = 0;
  *value = 0;
  *decimals = 0;
  at += negative;
  if (at + 1 < end && *at == '0' && is_digit(at[1])) return false;
  if (at == end || !is_digit(*at) || !is_digit(end[-1])) return false;
  for (; at < end; at++) {
    if (*at == '.' && !point) {
      point = true;
      continue;
    }
    if (!is_digit(*at) || ++digits > NUMBER_DIGITS_MAX) return false;
    *value = *value * 10 + (*at - '0');
    *decimals += point;
  }
  if (negative && *value == 0) return false;
  if (negative) *value = -*value;
  return true;
}

void number_print(buf_t *out, int64_t value, int decimals) {
  char text[48], *at = text + sizeof text;
  uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  int digits = 0;
  while (rest || digits <= decimals) {
    if (digits == decimals && decimals) *--at = '.';
    *--at = (char)('0' + rest % 10);
    rest /= 10;
    digits++;
  }
  if (value < 0) *--at = '-';
  buf_put(out, at, (size_t)(text + sizeof text - at));
}

void number_print_short(buf_t *out, int64_t value, int decimals) {
  while (decimals && value % 10 == 0) {
    value /= 10;
    decimals--;
  }
  number_print(out, value, decimals);
}

static int print_real(char *out, double value) {
  int len = 0;
  for (int digits = 15; digits <= 17; digits++) {
    len = snprintf(out, REAL_MAX, "%.*g", digits, value);
    if (strtod(out, NULL) == value) break;
  }
  return len;
}

bool number_parse_real(const char *text, size_t len, double *value) {
  char *end, again[REAL_MAX];
  *value = strtod(text, &end);
  if (end != text + len) return false;
  return (size_t)print_real(again, *value) == len && memcmp(again, text, len) == 0;
}

void number_print_real(buf_t *out, double value) {
  char text[REAL_MAX];
  buf_put(out, text, (size_t)print_real(text, value));
}
