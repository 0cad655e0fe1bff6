/* base64url of version, query, key and a sum over them. */
#include "cursor.h"

#include <string.h>

#define VERSION   1
#define BYTES     (1 + 8 + 3 * 8 + 4)
#define FNV_START 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len) {
  for (size_t i = 0; i < len; i++)
    hash = (hash ^ ((const uint8_t *)bytes)[i]) * FNV_PRIME;
  return hash;
}

uint64_t cursor_query_init(const char *request) {
  return hash_bytes(FNV_START, request, strlen(request) + 1);
}

uint64_t cursor_query_text(uint64_t query, bool given, const char *text) {
  query = hash_bytes(query, given ? "+" : "-", 1);
  return given ? hash_bytes(query, text, strlen(text) + 1) : query;
}

uint64_t cursor_query_number(uint64_t query, bool given, uint64_t number) {
  query = hash_bytes(query, given ? "+" : "-", 1);
  return given ? hash_bytes(query, &number, sizeof number) : query;
}

static void put_word(uint8_t *out, uint64_t word) {
  for (int i = 0; i < 8; i++)
    out[i] = (uint8_t)(word >> (8 * i));
}

static uint64_t get_word(const uint8_t *in) {
  uint64_t word = 0;
  for (int i = 0; i < 8; i++)
    word |= (uint64_t)in[i] << (8 * i);
  return word;
}

static uint32_t sum_of(const uint8_t *bytes) {
  uint64_t hash = hash_bytes(FNV_START, bytes, BYTES - 4);
  return (uint32_t)(hash ^ (hash >> 32));
}

static void put_sum(uint8_t *bytes) {
  uint32_t sum = sum_of(bytes);
  for (int i = 0; i < 4; i++)
    bytes[BYTES - 4 + i] = (uint8_t)(sum >> (8 * i));
}

void cursor_write(const cursor_t *cursor, uint64_t query, char *out) {
  uint8_t bytes[BYTES] = {VERSION};
  put_word(bytes + 1, query);
  put_word(bytes + 9, (uint64_t)cursor->ts_us);
  put_word(bytes + 17, (uint64_t)cursor->series);
  put_word(bytes + 25, (uint64_t)cursor->seq);
  put_sum(bytes);
  uint32_t bits = 0, held = 0;
  for (size_t i = 0; i < BYTES; i++) {
    bits = (bits << 8) | bytes[i];
    held += 8;
    for (; held >= 6; held -= 6)
      *out++ = DIGITS[(bits >> (held - 6)) & 63];
  }
  if (held > 0) *out++ = DIGITS[(bits << (6 - held)) & 63];
  *out = '\0';
}

static bool decode(const char *text, uint8_t *bytes) {
  uint32_t bits = 0, held = 0;
  size_t len = 0;
  for (; *text; text++) {
    const char *digit = strchr(DIGITS, *text);
    if (!digit) return false;
    bits = (bits << 6) | (uint32_t)(digit - DIGITS);
    held += 6;
    if (held < 8) continue;
    if (len == BYTES) return false;
    held -= 8;
    bytes[len++] = (uint8_t)(bits >> held);
  }
  return len == BYTES && held < 6 && (bits & ((1u << held) - 1)) == 0;
}

cursor_verdict_t cursor_read(const char *text, uint64_t query, cursor_t *out) {
  uint8_t bytes[BYTES], checked[BYTES];
  if (!decode(text, bytes) || bytes[0] != VERSION) return CURSOR_DAMAGED;
  memcpy(checked, bytes, BYTES);
  put_sum(checked);
  if (memcmp(checked, bytes, BYTES) != 0) return CURSOR_DAMAGED;
  if (get_word(bytes + 1) != query) return CURSOR_OF_ANOTHER_QUERY;
  *out = (cursor_t){.ts_us = (int64_t)get_word(bytes + 9),
                    .series = (int64_t)get_word(bytes + 17),
                    .seq = (int64_t)get_word(bytes + 25)};
  return CURSOR_OK;
}
