/* Finds the frames in what the line brings. */
#include "rtu_stream.h"

#include <string.h>

#define NO_FRAME SIZE_MAX
#define UNIT_MAX 247

uint16_t rtu_crc(const uint8_t *bytes, size_t len) {
  uint16_t crc = 0xFFFF;
  for (size_t i = 0; i < len; i++) {
    crc = (uint16_t)(crc ^ bytes[i]);
    for (int bit = 0; bit < 8; bit++)
      crc = (uint16_t)(crc & 1 ? (crc >> 1) ^ 0xA001 : crc >> 1);
  }
  return crc;
}

void rtu_stream_clear(rtu_stream_t *stream) {
  stream->len = 0;
  stream->junk = 0;
}

/* Length with CRC of the answer that begins like this: 0 when more bytes are needed to tell. */
static size_t answer_len(const uint8_t *bytes, size_t len) {
  if (len > 0 && (bytes[0] == 0 || bytes[0] > UNIT_MAX)) return NO_FRAME;
  if (len < 2) return 0;
  uint8_t function = bytes[1] & 0x7F;
  bool read = function == 3 || function == 4, write = function == 6 || function == 16;
  if (!read && !write) return NO_FRAME;
  if (bytes[1] & 0x80) return 5;
  if (write) return 8;
  if (len < 3) return 0;
  return bytes[2] <= RTU_FRAME_MAX - 6 ? 5 + (size_t)bytes[2] : NO_FRAME;
}

static bool is_sound(const uint8_t *bytes, size_t len) {
  uint16_t crc = rtu_crc(bytes, len - 2);
  return bytes[len - 2] == (crc & 0xFF) && bytes[len - 1] == crc >> 8;
}

static void drop(rtu_stream_t *stream, size_t count) {
  stream->len -= count;
  memmove(stream->bytes, stream->bytes + count, stream->len);
}

size_t rtu_stream_take(rtu_stream_t *stream, bool ended, uint8_t *frame) {
  size_t at = 0;
  for (; at < stream->len; at++) {
    const uint8_t *begin = stream->bytes + at;
    size_t left = stream->len - at, wanted = answer_len(begin, left);
    if (wanted == NO_FRAME) continue;
    if (wanted == 0 || wanted > left) {
      if (ended) continue;
      break;
    }
    if (!is_sound(begin, wanted)) continue;
    memcpy(frame, begin, wanted - 2);
    stream->junk += at;
    drop(stream, at + wanted);
    return wanted - 2;
  }
  stream->junk += at;
  drop(stream, at);
  return 0;
}

size_t rtu_stream_missing(const rtu_stream_t *stream) {
  if (stream->len == 0) return 0;
  size_t wanted = answer_len(stream->bytes, stream->len);
  if (wanted == NO_FRAME) return 0;
  if (wanted == 0) return 1;
  return wanted > stream->len ? wanted - stream->len : 0;
}
