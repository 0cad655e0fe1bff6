/* Counter-based noise by the finalizer of SplitMix64 (Steele, Lea, Flood 2014). */
#include "noise.h"

#include <math.h>

static uint64_t mix(uint64_t bits) {
  bits += UINT64_C(0x9e3779b97f4a7c15);
  bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
  return bits ^ (bits >> 31);
}

uint64_t noise_bits(uint64_t seed, noise_stream_t stream, uint64_t index) {
  return mix(mix(mix(seed) ^ (uint64_t)stream) ^ index);
}

static double unit_interval(uint64_t bits) {
  return (double)(bits >> 11) * 0x1p-53;
}

double noise_uniform(uint64_t seed, noise_stream_t stream, uint64_t index) {
  return unit_interval(noise_bits(seed, stream, index));
}

double noise_normal(uint64_t seed, noise_stream_t stream, uint64_t index) {
  uint64_t first = noise_bits(seed, stream, index);
  double radius = sqrt(-2.0 * log(1.0 - unit_interval(first)));
  return radius * cos(2.0 * M_PI * unit_interval(mix(first)));
}
