/* Samples, turns, and bytes that are neither. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "lidar_decoder.h"

#define MS UINT64_C(1000000)

typedef struct seen {
  unsigned turns;
  uint32_t rays;
  float angle_rad[LIDAR_RAYS_MAX], range_m[LIDAR_RAYS_MAX];
  uint8_t quality;
  uint64_t first_ns, last_ns;
} seen_t;

static lidar_decoder_t decoder;
static seen_t seen;

static void on_turn(const lidar_turn_t *turn, void *arg) {
  seen_t *out = arg;
  out->turns++;
  out->rays = turn->count;
  memcpy(out->angle_rad, turn->angles_rad, turn->count * sizeof(float));
  memcpy(out->range_m, turn->ranges_m, turn->count * sizeof(float));
  out->quality = turn->qualities[0];
  out->first_ns = turn->first_ns;
  out->last_ns = turn->last_ns;
}

static void set_up(void) {
  memset(&seen, 0, sizeof seen);
  lidar_decoder_init(&decoder, on_turn, &seen);
}

static void encode(bool start, double angle_deg, double range_m, uint8_t out[5]) {
  unsigned angle = (unsigned)lround(angle_deg * 64.0),
           distance = (unsigned)lround(range_m * 4000.0);
  out[0] = (uint8_t)(47u << 2 | (start ? 1u : 2u));
  out[1] = (uint8_t)((angle & 0x7F) << 1 | 1u);
  out[2] = (uint8_t)(angle >> 7);
  out[3] = (uint8_t)(distance & 0xFF);
  out[4] = (uint8_t)(distance >> 8);
}

static void feed(bool start, double angle_deg, double range_m, uint64_t now_ns) {
  uint8_t sample[5];
  encode(start, angle_deg, range_m, sample);
  lidar_decoder_feed(&decoder, sample, sizeof sample, now_ns);
}

static void feed_turn(unsigned rays, uint64_t from_ns) {
  for (unsigned i = 0; i < rays; i++)
    feed(i == 0, 360.0 * i / rays, 1.0 + i * 0.01, from_ns + i * MS / 10);
}

TestSuite(lidar_decoder, .init = set_up);

Test(lidar_decoder, a_turn_ends_with_the_next_start) {
  feed_turn(20, 0);
  cr_assert_eq(seen.turns, 0);
  feed(true, 0.0, 1.0, 3 * MS);
  cr_assert_eq(seen.turns, 1);
  cr_assert_eq(seen.rays, 20);
  cr_assert_eq(seen.first_ns, 0);
  cr_assert_eq(seen.last_ns, 19 * MS / 10);
}

Test(lidar_decoder, a_turn_ends_after_40_ms_of_silence) {
  feed_turn(20, 0);
  lidar_decoder_idle(&decoder, 41 * MS);
  cr_assert_eq(seen.turns, 0);
  lidar_decoder_idle(&decoder, 42 * MS);
  cr_assert_eq(seen.turns, 1);
}

Test(lidar_decoder, angles_turn_counter_clockwise_in_radians) {
  feed(true, 0.0, 1.0, 0);
  for (int i = 1; i < 8; i++)
    feed(false, 45.0 * i, 2.0, 0);
  feed(true, 0.0, 1.0, 0);
  cr_assert_float_eq(seen.angle_rad[0], 0.0, 1e-6);
  cr_assert_float_eq(seen.angle_rad[2], -M_PI / 2, 1e-5);
  cr_assert_float_eq(seen.angle_rad[4], -M_PI, 1e-5);
  cr_assert_float_eq(seen.angle_rad[6], M_PI / 2, 1e-5);
}

Test(lidar_decoder, ranges_are_metres_and_qualities_bytes) {
  feed_turn(10, 0);
  feed(true, 0.0, 0.0, MS);
  cr_assert_float_eq(seen.range_m[3], 1.03, 1e-4);
  cr_assert_eq(seen.quality, 47 * 255 / 63);
}

Test(lidar_decoder, a_closing_mark_is_no_turn) {
  feed_turn(20, 0);
  feed(true, 0.0, 0.0, 3 * MS);
  lidar_decoder_idle(&decoder, 100 * MS);
  cr_assert_eq(seen.turns, 1);
  cr_assert_eq(decoder.fragments, 1);
}

Test(lidar_decoder, the_rest_of_a_turn_is_not_one) {
  for (unsigned i = 0; i < 20; i++)
    feed(false, 10.0 * i, 1.0, 0);
  feed(true, 0.0, 1.0, 0);
  cr_assert_eq(seen.turns, 0);
}

Test(lidar_decoder, finds_its_place_after_a_lost_byte) {
  uint8_t stream[5 * 60];
  for (unsigned i = 0; i < 60; i++)
    encode(i % 20 == 0, 18.0 * (i % 20), 1.0, stream + 5 * i);
  lidar_decoder_feed(&decoder, stream, 33, 0);
  lidar_decoder_feed(&decoder, stream + 34, sizeof stream - 34, 0);
  feed(true, 0.0, 1.0, 0);
  cr_assert_geq(decoder.turns, 2);
  cr_assert_eq(seen.rays, 20, "the last turn is whole");
  cr_assert_gt(decoder.skipped_bytes, 0);
}

Test(lidar_decoder, bytes_may_come_one_by_one) {
  for (unsigned i = 0; i < 21; i++) {
    uint8_t sample[5];
    encode(i % 20 == 0, 18.0 * (i % 20), 1.0, sample);
    for (int k = 0; k < 5; k++)
      lidar_decoder_feed(&decoder, &sample[k], 1, i * MS / 10);
  }
  cr_assert_eq(seen.turns, 1);
  cr_assert_eq(seen.rays, 20);
}

Test(lidar_decoder, a_turn_that_never_ends_is_bounded) {
  feed(true, 0.0, 1.0, 0);
  for (unsigned i = 0; i < 3000; i++)
    feed(false, 1.0, 1.0, 0);
  feed(true, 0.0, 1.0, 0);
  cr_assert_eq(seen.rays, LIDAR_RAYS_MAX);
  cr_assert_eq(decoder.overlong, 3001 - LIDAR_RAYS_MAX);
}

Test(lidar_decoder, noise_never_breaks_it) {
  uint32_t random = 7;
  uint8_t bytes[64];
  for (unsigned i = 0; i < 20000; i++) {
    for (unsigned k = 0; k < sizeof bytes; k++) {
      random = random * 1664525u + 1013904223u;
      bytes[k] = (uint8_t)(random >> 24);
    }
    lidar_decoder_feed(&decoder, bytes, 1 + i % sizeof bytes, i * MS);
    cr_assert_lt(decoder.window_len, 5);
    cr_assert_leq(decoder.turn.count, LIDAR_RAYS_MAX);
  }
  for (uint32_t i = 0; i < seen.rays; i++) {
    cr_assert(fabsf(seen.angle_rad[i]) <= 3.1416f);
    cr_assert(seen.range_m[i] >= 0.0f && seen.range_m[i] < 16.4f);
  }
  feed_turn(20, 30000 * MS);
  feed(true, 0.0, 1.0, 30003 * MS);
  cr_assert_eq(seen.rays, 20, "a whole turn after noise is read");
}
