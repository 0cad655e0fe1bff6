/* Random numbers of the simulated bench: xoshiro256** (Blackman, Vigna 2018), seeded by splitmix64,
   so that a run can be had again. Pure. */
#ifndef SENSOR_BENCH_RANDOM_H
#define SENSOR_BENCH_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct bench_random {
  uint64_t state[4];
  bool has_spare; /* normal numbers come in pairs */
  double spare;
} bench_random_t;

void bench_random_seed(bench_random_t *random, uint64_t seed);
uint64_t bench_random_bits(bench_random_t *random);
/* From low up to, not including, high. */
double bench_random_uniform(bench_random_t *random, double low, double high);
/* Mean 0, standard deviation 1 (Marsaglia's polar method). */
double bench_random_normal(bench_random_t *random);

#endif
