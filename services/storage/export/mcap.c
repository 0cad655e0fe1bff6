/* Bytes of an MCAP file. */
#include "mcap.h"

#include <string.h>

#define CRC_POLYNOMIAL 0xedb88320u

void mcap_magic(buf_t *out) {
  buf_put(out, "\x89MCAP0\r\n", 8);
}

static void put(buf_t *out, uint64_t value, size_t len) {
  uint8_t bytes[8];
  for (size_t i = 0; i < len; i++, value >>= 8)
    bytes[i] = (uint8_t)value;
  buf_put(out, bytes, len);
}

void mcap_u16(buf_t *out, uint16_t value) {
  put(out, value, 2);
}

void mcap_u32(buf_t *out, uint32_t value) {
  put(out, value, 4);
}

void mcap_u64(buf_t *out, uint64_t value) {
  put(out, value, 8);
}

void mcap_text(buf_t *out, const char *text, size_t len) {
  mcap_u32(out, (uint32_t)len);
  buf_put(out, text, len);
}

/* Fills in a length of `bytes` bytes at place, of what stands behind it. */
static void fill(buf_t *out, size_t place, size_t bytes) {
  if (out->failed) return;
  uint64_t len = out->len - place - bytes;
  for (size_t i = 0; i < bytes; i++, len >>= 8)
    out->data[place + i] = (uint8_t)len;
}

size_t mcap_begin(buf_t *out, mcap_op_t op) {
  buf_put_byte(out, (uint8_t)op);
  mcap_u64(out, 0);
  return out->len - 8;
}

void mcap_end(buf_t *out, size_t place) {
  fill(out, place, 8);
}

size_t mcap_begin_list(buf_t *out) {
  mcap_u32(out, 0);
  return out->len - 4;
}

void mcap_end_list(buf_t *out, size_t place) {
  fill(out, place, 4);
}

uint64_t mcap_read_u64(const uint8_t *at) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; i--)
    value = value << 8 | at[i];
  return value;
}

/* Four bytes a step, each by its own table (Intel's slicing-by-4). */
typedef struct crc_tables {
  uint32_t of[4][256];
} crc_tables_t;

static void make_tables(crc_tables_t *tables) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; bit++)
      value = value & 1 ? value >> 1 ^ CRC_POLYNOMIAL : value >> 1;
    tables->of[0][i] = value;
  }
  for (uint32_t i = 0; i < 256; i++)
    for (int k = 1; k < 4; k++)
      tables->of[k][i] = tables->of[k - 1][i] >> 8 ^ tables->of[0][tables->of[k - 1][i] & 0xff];
}

uint32_t mcap_crc(const uint8_t *bytes, size_t len) {
  crc_tables_t tables; /* made anew: microseconds, beside a chunk's milliseconds */
  uint32_t crc = 0xffffffff;
  make_tables(&tables);
  for (; len >= 4; len -= 4, bytes += 4) {
    crc ^= (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
    crc = tables.of[3][crc & 0xff] ^ tables.of[2][crc >> 8 & 0xff] ^
          tables.of[1][crc >> 16 & 0xff] ^ tables.of[0][crc >> 24];
  }
  for (; len; len--)
    crc = crc >> 8 ^ tables.of[0][(crc ^ *bytes++) & 0xff];
  return ~crc;
}
