/* Bytes of an RPLIDAR's standard scan to turns of rays. Five bytes a sample; whatever does not
   carry its check bits is resynchronised by one byte. Angles come out in radians, counter-clockwise
   from ahead, ranges in metres. Pure: arrival times are arguments. */
#ifndef BRIDGE_LIDAR_DECODER_H
#define BRIDGE_LIDAR_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIDAR_RAYS_MAX   2048
#define LIDAR_RAYS_MIN   8 /* fewer are no turn: a mark that closes the turn before */
#define LIDAR_SILENCE_NS UINT64_C(40000000)

typedef struct lidar_turn {
  uint32_t count;
  float angles_rad[LIDAR_RAYS_MAX]; /* [-pi, pi), in the order measured */
  float ranges_m[LIDAR_RAYS_MAX];   /* 0 is no return */
  uint8_t qualities[LIDAR_RAYS_MAX];
  uint64_t first_ns, last_ns; /* arrival of its first and last byte */
} lidar_turn_t;

/* Takes a finished turn; valid until it returns. */
typedef void (*lidar_turn_fn)(const lidar_turn_t *turn, void *arg);

typedef struct lidar_decoder {
  uint8_t window[5];
  size_t window_len;
  bool in_turn; /* a start mark has been seen */
  lidar_turn_t turn;
  lidar_turn_fn fn;
  void *arg;
  uint64_t samples, turns, skipped_bytes, fragments, overlong;
} lidar_decoder_t;

void lidar_decoder_init(lidar_decoder_t *decoder, lidar_turn_fn fn, void *arg);
/* Bytes that arrived at now_ns. */
void lidar_decoder_feed(lidar_decoder_t *decoder, const uint8_t *bytes, size_t len,
                        uint64_t now_ns);
/* Closes the turn after 40 ms without a byte. */
void lidar_decoder_idle(lidar_decoder_t *decoder, uint64_t now_ns);

#endif
