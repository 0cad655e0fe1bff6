/* Base64url, strict: one text for one byte string, so that a token cannot be spelt two ways. */
#include "base64url.h"

#include <string.h>

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

gantry_err_t base64url_encode(const uint8_t *bytes, size_t count, char *text, size_t size,
                              size_t *len) {
  size_t need = (count * 4 + 2) / 3;
  size_t at = 0;
  uint32_t bits = 0;
  unsigned held = 0;

  if (need + 1 > size) return GANTRY_E_TOO_LARGE;
  for (size_t i = 0; i < count; i++) {
    bits = bits << 8 | bytes[i];
    for (held += 8; held >= 6; held -= 6)
      text[at++] = ALPHABET[bits >> (held - 6) & 63];
  }
  if (held) text[at++] = ALPHABET[bits << (6 - held) & 63];
  text[at] = '\0';
  if (len) *len = at;
  return GANTRY_OK;
}

gantry_err_t base64url_decode(const char *text, size_t len, uint8_t *bytes, size_t size,
                              size_t *count) {
  uint32_t bits = 0;
  unsigned held = 0;

  *count = 0;
  if (len % 4 == 1) return GANTRY_E_SCHEMA;
  if (len / 4 * 3 + (len % 4 ? len % 4 - 1 : 0) > size) return GANTRY_E_TOO_LARGE;
  for (size_t i = 0; i < len; i++) {
    const char *found = text[i] ? strchr(ALPHABET, text[i]) : NULL;
    if (!found) return GANTRY_E_SCHEMA;
    bits = bits << 6 | (uint32_t)(found - ALPHABET);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[(*count)++] = (uint8_t)(bits >> held);
  }
  return (bits & ((1u << held) - 1)) ? GANTRY_E_SCHEMA : GANTRY_OK;
}
