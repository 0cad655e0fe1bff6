/* Counter-based noise: every value is a hash of (seed, stream, index), so that it depends on
   nothing else, neither on wall time nor on what was asked before. Pure. */
#ifndef GANTRY_SIM_NOISE_H
#define GANTRY_SIM_NOISE_H

#include <stdint.h>

typedef enum noise_stream {
  NOISE_LIDAR = 1,
  NOISE_RANGE,
  NOISE_PROXIMITY,
  NOISE_ACCEL,
  NOISE_RSSI,
  NOISE_CELL,
  NOISE_FAULT,
  NOISE_GARBAGE,
  NOISE_BABBLE,
  NOISE_LATE,
  NOISE_REGISTER,
  NOISE_RAY,
} noise_stream_t;

/* 64 well mixed bits. */
uint64_t noise_bits(uint64_t seed, noise_stream_t stream, uint64_t index);
/* Uniform in [0, 1). */
double noise_uniform(uint64_t seed, noise_stream_t stream, uint64_t index);
/* Normal, mean 0, standard deviation 1 (Box and Muller 1958). */
double noise_normal(uint64_t seed, noise_stream_t stream, uint64_t index);

#endif
