/* An RPLIDAR C1 on a serial line. */
#include "lidar.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "noise.h"

#define SYNC     0xA5
#define MODEL_C1 0x41
#define RESET_NS INT64_C(500000000)
#define EDGE_M   0.3 /* a greater step between two samples is an edge */
#define WEAK     5u  /* of 63 */

enum {
  CMD_SCAN = 0x20,
  CMD_FORCE_SCAN = 0x21,
  CMD_STOP = 0x25,
  CMD_RESET = 0x40,
  CMD_GET_INFO = 0x50,
  CMD_GET_HEALTH = 0x52,
  CMD_GET_SAMPLERATE = 0x59,
};

void lidar_init(lidar_t *lidar, uint64_t seed) {
  memset(lidar, 0, sizeof *lidar);
  lidar->seed = seed;
  lidar->mute_ns = INT64_MIN;
}

/* Descriptor: A5 5A, 30 bits of length and 2 bits of mode, data type. */
static size_t put_descriptor(uint8_t *out, uint32_t len, bool stream, uint8_t type) {
  uint32_t word = len | (stream ? UINT32_C(1) << 30 : 0);
  out[0] = 0xA5;
  out[1] = 0x5A;
  for (int i = 0; i < 4; i++)
    out[2 + i] = (uint8_t)(word >> (8 * i));
  out[6] = type;
  return 7;
}

static size_t answer_info(const lidar_t *lidar, uint8_t *out) {
  size_t len = put_descriptor(out, 20, false, 0x04);
  out[len++] = MODEL_C1;
  out[len++] = 2; /* firmware minor, major */
  out[len++] = 1;
  out[len++] = 18; /* hardware */
  for (uint64_t i = 0; i < 16; i++)
    out[len++] = (uint8_t)(noise_bits(lidar->seed, NOISE_LIDAR, UINT64_MAX - i));
  return len;
}

static size_t answer_reset(uint8_t *out) {
  int len =
      snprintf((char *)out, LIDAR_ANSWER_MAX,
               "RP LIDAR System.\r\nFirmware Ver 1.02, HW Ver 18\r\nModel: %02X\r\n", MODEL_C1);
  return (size_t)len;
}

static size_t execute(lidar_t *lidar, int64_t now_ns, uint8_t command, uint8_t *out) {
  size_t len = 0;
  switch (command) {
  case CMD_SCAN:
  case CMD_FORCE_SCAN:
    lidar->scanning = true;
    lidar->scan_ns = now_ns;
    lidar->sample = 0;
    return put_descriptor(out, LIDAR_SAMPLE_LEN, true, 0x81);
  case CMD_STOP:
    lidar->scanning = false;
    return 0;
  case CMD_RESET:
    lidar->scanning = false;
    lidar->mute_ns = now_ns + RESET_NS;
    return answer_reset(out);
  case CMD_GET_INFO:
    lidar->scanning = false;
    return answer_info(lidar, out);
  case CMD_GET_HEALTH:
    lidar->scanning = false;
    len = put_descriptor(out, 3, false, 0x06);
    memset(out + len, 0, 3); /* good, no error */
    return len + 3;
  case CMD_GET_SAMPLERATE:
    lidar->scanning = false;
    len = put_descriptor(out, 4, false, 0x15);
    for (int i = 0; i < 4; i++)
      out[len++] = i % 2 ? 0 : (uint8_t)(LIDAR_SAMPLE_NS / 1000);
    return len;
  default:
    lidar->bad_requests++;
    return 0;
  }
}

size_t lidar_receive(lidar_t *lidar, int64_t now_ns, uint8_t byte, uint8_t *out) {
  if (now_ns < lidar->mute_ns) return 0;
  if (lidar->request_len == 0) {
    if (byte == SYNC) lidar->request[lidar->request_len++] = byte;
    return 0;
  }
  if (byte == SYNC) return 0; /* a fresh start */
  lidar->request_len = 0;
  return execute(lidar, now_ns, byte, out);
}

int64_t lidar_next_ns(const lidar_t *lidar) {
  if (!lidar->scanning) return INT64_MAX;
  uint64_t chunk = lidar->sample / LIDAR_CHUNK_SAMPLES + 1;
  return lidar->scan_ns + (int64_t)(chunk * LIDAR_CHUNK_SAMPLES) * LIDAR_SAMPLE_NS;
}

bool lidar_next_sample(lidar_t *lidar, int64_t now_ns, int64_t *at_ns, double *angle_rad,
                       bool *start) {
  if (now_ns < lidar_next_ns(lidar)) return false;
  uint64_t in_turn = lidar->sample % LIDAR_TURN_SAMPLES;
  *at_ns = lidar->scan_ns + (int64_t)lidar->sample * LIDAR_SAMPLE_NS;
  *angle_rad = 2.0 * M_PI * (double)in_turn / LIDAR_TURN_SAMPLES;
  *start = in_turn == 0;
  lidar->sample++;
  return true;
}

void lidar_skip(lidar_t *lidar, int64_t oldest_ns) {
  if (!lidar->scanning || oldest_ns <= lidar->scan_ns) return;
  uint64_t oldest = (uint64_t)((oldest_ns - lidar->scan_ns) / LIDAR_SAMPLE_NS);
  if (oldest > lidar->sample) lidar->sample = oldest;
}

/* Signal strength falls with distance; 63 is the field's end. */
static uint8_t quality_of(double range_m) {
  double quality = 63.0 - 0.8 * range_m;
  return (uint8_t)lround(fmax(quality, 50.0));
}

void lidar_encode(bool start, double angle_rad, double range_m, uint8_t out[LIDAR_SAMPLE_LEN]) {
  bool seen = range_m > 0.0 && range_m <= LIDAR_DISTANCE_MAX_M;
  double turns = angle_rad / (2.0 * M_PI);
  unsigned angle_q6 = (unsigned)lround((turns - floor(turns)) * 360.0 * 64.0) % (360 * 64);
  unsigned distance_q2 = seen ? (unsigned)lround(range_m * 4000.0) : 0;
  unsigned quality = seen ? quality_of(range_m) : 0;
  out[0] = (uint8_t)(quality << 2 | (start ? 1u : 2u));
  out[1] = (uint8_t)((angle_q6 & 0x7F) << 1 | 1u);
  out[2] = (uint8_t)(angle_q6 >> 7);
  out[3] = (uint8_t)(distance_q2 & 0xFF);
  out[4] = (uint8_t)(distance_q2 >> 8);
}

double lidar_fault_range(lidar_fault_t *fault, uint64_t seed, uint64_t index, double range_m,
                         bool *weak) {
  double before_m = fault->before_m;
  fault->before_m = range_m;
  *weak = noise_uniform(seed, NOISE_RAY, index * 3) < fault->weak_share;
  if (fault->shadow && before_m > 0.0 && range_m > 0.0 && fabs(range_m - before_m) > EDGE_M)
    range_m = 0.5 * (range_m + before_m);
  if (noise_uniform(seed, NOISE_RAY, index * 3 + 1) < fault->spike_share)
    range_m = 0.2 + 11.0 * noise_uniform(seed, NOISE_RAY, index * 3 + 2);
  return range_m;
}

void lidar_weaken(uint8_t sample[LIDAR_SAMPLE_LEN]) {
  sample[0] = (uint8_t)((sample[0] & 0x03) | WEAK << 2);
}
