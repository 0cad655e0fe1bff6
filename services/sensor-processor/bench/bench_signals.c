/* The three signals. */
#include "bench_signals.h"

#include <math.h>

#define SPIKE_SHARE 0.05

const char *bench_kind_name(bench_kind_t kind) {
  static const char *const NAMES[] = {"force", "motor", "camera"};
  return NAMES[kind];
}

static double clamp(double value, double low, double high) {
  return fmin(fmax(value, low), high);
}

static double two_decimals(double value) {
  return round(value * 100) / 100;
}

static double force(double unix_s, bench_random_t *random) {
  if (bench_random_uniform(random, 0, 1) < SPIKE_SHARE)
    return bench_random_uniform(random, 80, 200);
  return fmax(10 + 3 * sin(0.1 * unix_s) + 2 * bench_random_normal(random), 0);
}

static double motor(double unix_s, bench_random_t *random) {
  return 50 * sin(2 * M_PI * 0.5 * unix_s) + bench_random_normal(random);
}

static double brightness(double unix_s, bench_random_t *random) {
  return trunc(clamp(150 + 30 * bench_random_normal(random) + 50 * sin(0.05 * unix_s), 50, 255));
}

double bench_exposure(double brightness_now) {
  return two_decimals(clamp(1 - (brightness_now - 128) / 255, 0.1, 2));
}

void bench_signal(bench_kind_t kind, double unix_s, bench_random_t *random, bench_sample_t *out) {
  if (kind == BENCH_FORCE) out->value = two_decimals(force(unix_s, random));
  if (kind == BENCH_MOTOR) out->value = two_decimals(motor(unix_s, random));
  if (kind != BENCH_CAMERA) return;
  out->value = brightness(unix_s, random);
  out->exposure = bench_exposure(out->value);
}
