/* Faults, one after another. */
#include "bench_faults.h"

#include <math.h>
#include <stddef.h>

#define DURATION_S 5.0

/* By fault and sensor; 0 where it means nothing. Spikes and light are such that a rule finds them,
   out_of_range is beyond the bounds of the type. */
static const double AMPLITUDES[BENCH_FAULT_COUNT][BENCH_KIND_COUNT] = {
    [BENCH_SPIKE] = {150, 90, 250}, [BENCH_OFFSET] = {20, 10, 40},
    [BENCH_NOISE] = {10, 10, 30},   [BENCH_OUT_OF_RANGE] = {1500, 150, 300},
    [BENCH_LOW_LIGHT] = {0, 0, 20}, [BENCH_OVEREXPOSED] = {0, 0, 250},
};

bool bench_fault_fits(bench_kind_t kind, bench_fault_t fault) {
  bool light = fault == BENCH_LOW_LIGHT || fault == BENCH_OVEREXPOSED;
  return !light || kind == BENCH_CAMERA;
}

double bench_fault_duration(bench_fault_t fault) {
  return fault == BENCH_SPIKE ? 0 : DURATION_S;
}

double bench_fault_amplitude(bench_kind_t kind, bench_fault_t fault) {
  return AMPLITUDES[fault][kind];
}

void bench_faults_put(bench_faults_t *faults, bench_fault_t fault, double duration_s,
                      double amplitude) {
  faults->each[fault].set = true;
  faults->each[fault].duration_s = duration_s;
  faults->each[fault].amplitude = amplitude;
  faults->each[fault].until_ns = 0;
}

/* Whether the fault holds for a reading at that time; one that is over is forgotten. */
static bool holds(bench_faults_t *faults, bench_fault_t fault, uint64_t mono_ns) {
  if (!faults->each[fault].set) return false;
  bool begins = faults->each[fault].until_ns == 0;
  if (begins)
    faults->each[fault].until_ns = mono_ns + (uint64_t)(faults->each[fault].duration_s * 1e9);
  bool on = begins || mono_ns < faults->each[fault].until_ns;
  faults->each[fault].set = on;
  return on;
}

bool bench_faults_apply(bench_faults_t *faults, bench_random_t *random, bench_sample_t *sample) {
  static const bench_fault_t REPLACE[] = {BENCH_SPIKE, BENCH_OUT_OF_RANGE, BENCH_LOW_LIGHT,
                                          BENCH_OVEREXPOSED};
  uint64_t now_ns = sample->mono_ns;
  double value = sample->value;
  if (holds(faults, BENCH_STUCK, now_ns) && faults->has_held) value = faults->held;
  if (holds(faults, BENCH_OFFSET, now_ns)) value += faults->each[BENCH_OFFSET].amplitude;
  if (holds(faults, BENCH_NOISE, now_ns))
    value += faults->each[BENCH_NOISE].amplitude * bench_random_normal(random);
  for (size_t i = 0; i < sizeof REPLACE / sizeof REPLACE[0]; i++)
    if (holds(faults, REPLACE[i], now_ns)) value = faults->each[REPLACE[i]].amplitude;
  if (holds(faults, BENCH_DROPOUT, now_ns)) return false;
  if (sample->kind == BENCH_CAMERA && value != sample->value) {
    value = round(value);
    sample->exposure = bench_exposure(value);
  }
  sample->value = value;
  faults->held = value;
  faults->has_held = true;
  return true;
}
