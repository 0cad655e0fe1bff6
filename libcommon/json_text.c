/* JSON's scalars as text: strings, the shortest numbers that read back the same, base64. */
#include "json_text.h"

#include "utf8.h"

#include <gantry/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HEX[] = "0123456789abcdef";

static void write_escape(buf_t *out, uint8_t byte) {
  static const char LETTERS[32] = {
      ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
  if (byte == '"' || byte == '\\' || LETTERS[byte & 31]) {
    char letter = byte < 32 ? LETTERS[byte] : (char)byte;
    buf_put(out, (char[]){'\\', letter}, 2);
  } else {
    buf_put(out, (char[]){'\\', 'u', '0', '0', HEX[byte >> 4], HEX[byte & 15]}, 6);
  }
}

/* How many bytes can be copied as they are. */
static size_t plain_len(const uint8_t *bytes, size_t len) {
  size_t i = 0;
  while (i < len && bytes[i] >= 0x20 && bytes[i] < 0x7f && bytes[i] != '"' && bytes[i] != '\\')
    i++;
  return i;
}

void json_write_text(buf_t *out, const char *text, size_t len) {
  const uint8_t *bytes = (const uint8_t *)text;
  buf_put_byte(out, '"');
  for (size_t i = 0; i < len;) {
    size_t plain = plain_len(bytes + i, len - i);
    buf_put(out, bytes + i, plain);
    i += plain;
    if (i == len) break;
    size_t step = utf8_char_len(bytes + i, len - i);
    if (step > 1) {
      buf_put(out, bytes + i, step);
    } else if (step == 1) {
      write_escape(out, bytes[i]);
    } else {
      buf_put_text(out, "\xef\xbf\xbd");
    }
    i += step ? step : 1;
  }
  buf_put_byte(out, '"');
}

static char *digits_before(char *end, uint64_t value) {
  do {
    *--end = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  return end;
}

void json_write_unsigned(buf_t *out, uint64_t value) {
  char text[24];
  char *end = text + sizeof text;
  char *begin = digits_before(end, value);
  buf_put(out, begin, (size_t)(end - begin));
}

void json_write_signed(buf_t *out, int64_t value) {
  if (value < 0) buf_put_byte(out, '-');
  json_write_unsigned(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static void write_decimal(buf_t *out, bool negative, uint64_t scaled, unsigned places) {
  char text[32];
  char *end = text + sizeof text;
  char *begin = end;
  for (unsigned i = 0; i < places; i++, scaled /= 10) {
    *--begin = (char)('0' + scaled % 10);
  }
  if (places > 0) *--begin = '.';
  begin = digits_before(begin, scaled);
  if (negative) *--begin = '-';
  buf_put(out, begin, (size_t)(end - begin));
}

static bool same(double decimal, double value, bool narrow) {
  return narrow ? (float)decimal == (float)value : decimal == value;
}

/* A decimal of at most 2^53 over a power of ten up to 10^22 is one exactly rounded division away
   from its double (Clinger 1990), so comparing the quotient proves the round trip. Tries fewer
   places first. */
static bool write_short(buf_t *out, double value, bool narrow) {
  static const double POWERS[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};
  double size = fabs(value);
  if (size != 0 && size < 1e-5) return false;
  for (unsigned places = 0; places < sizeof POWERS / sizeof *POWERS; places++) {
    double scaled = size * POWERS[places] + 0.5;
    if (scaled >= 9007199254740992.0) return false;
    uint64_t whole = (uint64_t)scaled;
    if (same((double)whole / POWERS[places], size, narrow)) {
      write_decimal(out, signbit(value), whole, places);
      return true;
    }
  }
  return false;
}

static void write_real(buf_t *out, double value, bool narrow) {
  if (!isfinite(value)) {
    buf_put_text(out, "null");
    return;
  }
  if (value == 0 && signbit(value)) {
    buf_put_text(out, "-0.0"); /* without the point, readers make it the integer 0 */
    return;
  }
  if (write_short(out, value, narrow)) return;
  char text[40];
  int most = narrow ? 9 : 17;
  for (int digits = narrow ? 6 : 15; digits <= most; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (same(strtod(text, NULL), value, narrow)) break;
  }
  buf_put_text(out, text);
}

void json_write_number(buf_t *out, double value) {
  write_real(out, value, false);
}

void json_write_fraction(buf_t *out, double value) {
  size_t at = out->len;
  json_write_number(out, value);
  while (at < out->len && out->data[at] <= '9' && out->data[at] != '.')
    at++;
  if (at == out->len) buf_put_text(out, ".0");
}

void json_write_float(buf_t *out, float value) {
  write_real(out, (double)value, true);
}

void json_write_base64(buf_t *out, const uint8_t *bytes, size_t len) {
  static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  buf_put_byte(out, '"');
  for (size_t i = 0; i < len; i += 3) {
    size_t left = len - i;
    uint32_t group = (uint32_t)bytes[i] << 16;
    if (left > 1) group |= (uint32_t)bytes[i + 1] << 8;
    if (left > 2) group |= bytes[i + 2];
    char four[4] = {LETTERS[group >> 18], LETTERS[group >> 12 & 63],
                    left > 1 ? LETTERS[group >> 6 & 63] : '=',
                    left > 2 ? LETTERS[group & 63] : '='};
    buf_put(out, four, sizeof four);
  }
  buf_put_byte(out, '"');
}
