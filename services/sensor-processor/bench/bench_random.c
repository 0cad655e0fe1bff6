/* xoshiro256** and what is made of it. */
#include "bench_random.h"

#include <math.h>

static uint64_t rotate(uint64_t x, int by) {
  return (x << by) | (x >> (64 - by));
}

void bench_random_seed(bench_random_t *random, uint64_t seed) {
  *random = (bench_random_t){0};
  for (int i = 0; i < 4; i++) {
    seed += 0x9e3779b97f4a7c15u;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    random->state[i] = z ^ (z >> 31);
  }
}

uint64_t bench_random_bits(bench_random_t *random) {
  uint64_t *state = random->state;
  uint64_t result = rotate(state[1] * 5, 7) * 9, shifted = state[1] << 17;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = rotate(state[3], 45);
  return result;
}

double bench_random_uniform(bench_random_t *random, double low, double high) {
  return low + (high - low) * ((double)(bench_random_bits(random) >> 11) * 0x1p-53);
}

double bench_random_normal(bench_random_t *random) {
  if (random->has_spare) {
    random->has_spare = false;
    return random->spare;
  }
  double x, y, square;
  do {
    x = bench_random_uniform(random, -1, 1);
    y = bench_random_uniform(random, -1, 1);
    square = x * x + y * y;
  } while (square >= 1 || square == 0);
  double scale = sqrt(-2 * log(square) / square);
  random->spare = y * scale;
  random->has_spare = true;
  return x * scale;
}
