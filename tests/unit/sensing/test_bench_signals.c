/* Signals of the simulated bench, held against what was measured of the original (50,000 draws). */
#include <criterion/criterion.h>
#include <math.h>

#include "bench_signals.h"

#define DRAWS   50000
#define BEGIN_S 1700000000.0

static bench_sample_t drawn[DRAWS];

/* The numbers of a sensor at its rate. */
static void draw(bench_kind_t kind, double rate_hz, uint64_t seed) {
  bench_random_t random;
  bench_random_seed(&random, seed);
  for (int i = 0; i < DRAWS; i++)
    bench_signal(kind, BEGIN_S + i / rate_hz, &random, &drawn[i]);
}

typedef struct figures {
  double mean, deviation, min, max;
  int count;
} figures_t;

/* Of those from low to high. */
static figures_t figures_of(double low, double high) {
  figures_t out = {.min = INFINITY, .max = -INFINITY};
  double sum = 0, sum2 = 0;
  for (int i = 0; i < DRAWS; i++) {
    double value = drawn[i].value;
    if (value < low || value > high) continue;
    out.count++;
    sum += value;
    sum2 += value * value;
    out.min = fmin(out.min, value);
    out.max = fmax(out.max, value);
  }
  out.mean = sum / out.count;
  out.deviation = sqrt(sum2 / out.count - out.mean * out.mean);
  return out;
}

static void has_two_decimals(void) {
  for (int i = 0; i < DRAWS; i++)
    cr_assert_float_eq(drawn[i].value * 100, round(drawn[i].value * 100), 1e-9);
}

Test(bench_signals, force_has_the_mean_the_spread_and_the_spikes_of_the_bench) {
  draw(BENCH_FORCE, 10, 1);

  figures_t base = figures_of(0, 79.99), spikes = figures_of(80, 1000);

  cr_assert_float_eq(base.mean, 10.0, 0.05);
  cr_assert_float_eq(base.deviation, 2.9, 0.05);
  cr_assert_geq(base.min, 0);
  cr_assert_leq(base.max, 22);
  cr_assert_float_eq(spikes.count / (double)DRAWS, 0.05, 0.004);
  cr_assert_geq(spikes.min, 80);
  cr_assert_leq(spikes.max, 200);
  cr_assert_float_eq(spikes.mean, 140, 3);
  cr_assert_eq(base.count + spikes.count, DRAWS);
  cr_assert_eq(figures_of(64, 79.99).count, 0);
  has_two_decimals();
}

Test(bench_signals, motor_has_the_spread_of_the_bench_and_stays_below_its_limit) {
  draw(BENCH_MOTOR, 5, 2);

  figures_t all = figures_of(-1000, 1000);

  cr_assert_float_eq(all.mean, 0, 0.2);
  cr_assert_float_eq(all.deviation, 35.4, 0.2);
  cr_assert_gt(all.min, -55);
  cr_assert_lt(all.max, 55);
  has_two_decimals();
}

Test(bench_signals, motor_turns_once_in_two_seconds) {
  draw(BENCH_MOTOR, 5, 3);

  for (int i = 0; i + 10 < DRAWS; i++)
    cr_assert_float_eq(drawn[i].value, drawn[i + 10].value, 10);
}

Test(bench_signals, camera_has_the_light_of_the_bench) {
  draw(BENCH_CAMERA, 1, 4);
  double low = INFINITY, high = -INFINITY;
  int bright = 0;
  for (int i = 0; i < DRAWS; i++) {
    cr_assert_eq(drawn[i].value, trunc(drawn[i].value));
    low = fmin(low, drawn[i].exposure);
    high = fmax(high, drawn[i].exposure);
    bright += drawn[i].value > 240;
  }

  figures_t all = figures_of(0, 255);

  cr_assert_eq(all.count, DRAWS);
  cr_assert_eq(all.min, 50);
  cr_assert_eq(all.max, 255);
  cr_assert_float_eq(bright / (double)DRAWS, 0.019, 0.006);
  cr_assert_float_eq(low, 0.50, 1e-9);
  cr_assert_float_eq(high, 1.31, 1e-9);
}

Test(bench_signals, are_the_same_for_the_same_seed_and_others_for_another) {
  draw(BENCH_FORCE, 10, 7);
  double first = drawn[0].value, last = drawn[DRAWS - 1].value;

  draw(BENCH_FORCE, 10, 7);
  cr_assert_eq(drawn[0].value, first);
  cr_assert_eq(drawn[DRAWS - 1].value, last);
  draw(BENCH_FORCE, 10, 8);
  cr_assert_neq(drawn[0].value, first);
}

/* The first outputs for state 1, 2, 3, 4: from the definition, by hand. */
Test(bench_signals, come_from_xoshiro) {
  bench_random_t random = {.state = {1, 2, 3, 4}};

  cr_assert_eq(bench_random_bits(&random), 11520);
  cr_assert_eq(bench_random_bits(&random), 0);
  cr_assert_eq(bench_random_bits(&random), 1509978240);
}
