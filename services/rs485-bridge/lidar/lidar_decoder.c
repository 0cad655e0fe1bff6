/* RPLIDAR interface protocol, answer of SCAN: byte 0 quality << 2 | !S << 1 | S; byte 1 low seven
   bits of the angle << 1 | 1; byte 2 its high bits; bytes 3 and 4 the distance. Angle in 1/64
   degree clockwise, distance in 1/4 mm. */
#include "lidar_decoder.h"

#include <math.h>
#include <string.h>

#define SAMPLE_LEN 5

static const float RAD_PER_STEP = (float)(M_PI / 180.0 / 64.0);
static const float M_PER_STEP = 0.00025f;

void lidar_decoder_init(lidar_decoder_t *decoder, lidar_turn_fn fn, void *arg) {
  memset(decoder, 0, sizeof *decoder);
  decoder->fn = fn;
  decoder->arg = arg;
}

static void close_turn(lidar_decoder_t *decoder) {
  if (decoder->in_turn && decoder->turn.count >= LIDAR_RAYS_MIN) {
    decoder->turns++;
    decoder->fn(&decoder->turn, decoder->arg);
  } else if (decoder->in_turn && decoder->turn.count > 0) {
    decoder->fragments++;
  }
  decoder->in_turn = false;
  decoder->turn.count = 0;
}

/* Clockwise sixty-fourths of a degree to radians counter-clockwise in [-pi, pi). */
static float ray_angle_rad(unsigned angle_q6) {
  float clockwise = (float)(angle_q6 % (360u * 64u)) * RAD_PER_STEP;
  float angle = clockwise > (float)M_PI ? 2.0f * (float)M_PI - clockwise : -clockwise;
  return angle;
}

static void take_sample(lidar_decoder_t *decoder, const uint8_t *sample, uint64_t now_ns) {
  decoder->samples++;
  if (sample[0] & 1) {
    close_turn(decoder);
    decoder->in_turn = true;
    decoder->turn.first_ns = now_ns;
  }
  if (!decoder->in_turn) return; /* the rest of a turn whose beginning was missed */
  lidar_turn_t *turn = &decoder->turn;
  turn->last_ns = now_ns;
  if (turn->count == LIDAR_RAYS_MAX) {
    decoder->overlong++;
    return;
  }
  unsigned angle_q6 = (unsigned)sample[2] << 7 | sample[1] >> 1;
  unsigned distance_q2 = (unsigned)sample[4] << 8 | sample[3];
  turn->angles_rad[turn->count] = ray_angle_rad(angle_q6);
  turn->ranges_m[turn->count] = (float)distance_q2 * M_PER_STEP;
  turn->qualities[turn->count] = (uint8_t)((sample[0] >> 2) * 255 / 63);
  turn->count++;
}

static bool is_plausible(const uint8_t *window, size_t len) {
  if (len > 0 && (window[0] & 1) == (window[0] >> 1 & 1)) return false;
  return len < 2 || (window[1] & 1) == 1;
}

static void take_byte(lidar_decoder_t *decoder, uint8_t byte, uint64_t now_ns) {
  decoder->window[decoder->window_len++] = byte;
  while (!is_plausible(decoder->window, decoder->window_len)) {
    decoder->window_len--;
    decoder->skipped_bytes++;
    memmove(decoder->window, decoder->window + 1, decoder->window_len);
  }
  if (decoder->window_len < SAMPLE_LEN) return;
  decoder->window_len = 0;
  take_sample(decoder, decoder->window, now_ns);
}

void lidar_decoder_feed(lidar_decoder_t *decoder, const uint8_t *bytes, size_t len,
                        uint64_t now_ns) {
  lidar_decoder_idle(decoder, now_ns);
  for (size_t i = 0; i < len; i++)
    take_byte(decoder, bytes[i], now_ns);
}

void lidar_decoder_idle(lidar_decoder_t *decoder, uint64_t now_ns) {
  if (!decoder->in_turn || now_ns < decoder->turn.last_ns + LIDAR_SILENCE_NS) return;
  decoder->window_len = 0;
  close_turn(decoder);
}
