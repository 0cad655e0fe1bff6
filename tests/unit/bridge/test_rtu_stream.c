/* Frames found in what a line brings. */
#include <criterion/criterion.h>
#include <string.h>

#include "rtu_stream.h"

static rtu_stream_t stream;
static uint8_t frame[RTU_FRAME_MAX];

static void put(const uint8_t *bytes, size_t len) {
  memcpy(stream.bytes + stream.len, bytes, len);
  stream.len += len;
}

/* An answer to a read of count registers, with its CRC. */
static size_t answer(uint8_t unit, uint8_t count, uint8_t *out) {
  memset(out, 0x11, 5u + 2u * count);
  out[0] = unit;
  out[1] = 3;
  out[2] = (uint8_t)(2 * count);
  uint16_t crc = rtu_crc(out, 3u + 2u * count);
  out[3 + 2 * count] = (uint8_t)(crc & 0xFF);
  out[4 + 2 * count] = (uint8_t)(crc >> 8);
  return 5u + 2u * count;
}

Test(rtu_stream, the_crc_is_the_standards) {
  const uint8_t bytes[] = {0x01, 0x04, 0x02, 0xFF, 0xFF}; /* Modbus over Serial Line: B8 80 */
  cr_assert_eq(rtu_crc(bytes, sizeof bytes), 0x80B8);
}

Test(rtu_stream, a_frame_comes_in_pieces) {
  uint8_t bytes[32];
  size_t len = answer(3, 8, bytes);
  put(bytes, 2);
  cr_assert_eq(rtu_stream_take(&stream, false, frame), 0);
  cr_assert_eq(rtu_stream_missing(&stream), 1, "the header is not whole");
  put(bytes + 2, 1);
  cr_assert_eq(rtu_stream_missing(&stream), len - 3);
  put(bytes + 3, len - 3);
  cr_assert_eq(rtu_stream_take(&stream, false, frame), len - 2);
  cr_assert_arr_eq(frame, bytes, len - 2);
  cr_assert_eq(stream.len + stream.junk, 0);
}

Test(rtu_stream, two_frames_in_one_piece_are_two) {
  uint8_t bytes[32];
  put(bytes, answer(3, 2, bytes));
  put(bytes, answer(4, 1, bytes));
  cr_assert_eq(rtu_stream_take(&stream, false, frame), 7);
  cr_assert_eq(rtu_stream_take(&stream, false, frame), 5);
  cr_assert_eq(frame[0], 4);
  cr_assert_eq(rtu_stream_take(&stream, false, frame), 0);
}

Test(rtu_stream, noise_before_a_frame_is_passed_over) {
  const uint8_t noise[] = {0x00, 0xFF};
  uint8_t bytes[32];
  put(noise, sizeof noise);
  put(bytes, answer(3, 2, bytes));
  cr_assert_eq(rtu_stream_take(&stream, false, frame), 7);
  cr_assert_eq(frame[0], 3);
  cr_assert_eq(stream.junk, sizeof noise);
}

Test(rtu_stream, noise_that_claims_a_long_frame_holds_only_until_the_end) {
  const uint8_t noise[] = {0x05, 0x03, 0xC8};
  uint8_t bytes[32];
  put(noise, sizeof noise);
  put(bytes, answer(3, 2, bytes));
  cr_assert_eq(rtu_stream_take(&stream, false, frame), 0);
  cr_assert_gt(rtu_stream_missing(&stream), 0);
  cr_assert_eq(rtu_stream_take(&stream, true, frame), 7);
}

Test(rtu_stream, a_damaged_frame_is_junk) {
  uint8_t bytes[32];
  size_t len = answer(3, 2, bytes);
  bytes[4] ^= 1;
  put(bytes, len);
  cr_assert_eq(rtu_stream_take(&stream, true, frame), 0);
  cr_assert_eq(stream.junk, len);
  cr_assert_eq(rtu_stream_missing(&stream), 0);
}

Test(rtu_stream, whatever_comes_there_is_room_for_more) {
  uint32_t seed = 1;
  for (int i = 0; i < 200000; i++) {
    seed = seed * 1664525u + 1013904223u;
    stream.bytes[stream.len++] = (uint8_t)(seed >> 24);
    (void)rtu_stream_take(&stream, false, frame);
    cr_assert_lt(stream.len, RTU_FRAME_MAX);
  }
  cr_assert_gt(stream.junk, 0);
}
