/* Signals of the simulators, without the line between: the noise is the simulator's own. */
#include "store_signal.h"

#include <math.h>
#include <noise.h>
#include <quality.h>
#include <reading_row.h>
#include <stdlib.h>
#include <string.h>

#include "store_rows.h"

#define SEED            1
#define MPS2_PER_MG     0.00980665 /* of the register */
#define NOISE_MG        5.0
#define BIAS_MG         2.0
#define WINDOW          5   /* sensor-processor's filter_window */
#define CONSISTENT_MPS2 2.0 /* and its scale of consistency */
#define MOVING_MPS2     0.5 /* and its threshold of motion */

double store_ramp(int64_t ts_us, double hz) {
  return (double)((uint64_t)((double)ts_us * hz / 1e6 + 0.5) % STORE_VALUES) / 8.0;
}

bool store_signal_init(store_signal_t *signal, store_signal_kind_t kind, double hz) {
  static const filter_rule_t MEAN = {.kind = FILTER_MEAN, .window = WINDOW};
  gantry_fault_t fault;
  *signal = (store_signal_t){.kind = kind, .hz = hz};
  for (int i = 0; i < 3; i++) {
    signal->axes[i] = malloc(filter_size(&MEAN));
    if (!signal->axes[i] || filter_init(signal->axes[i], &MEAN, &fault) != GANTRY_OK) return false;
  }
  return true;
}

void store_signal_fini(store_signal_t *signal) {
  for (int i = 0; i < 3; i++)
    free(signal->axes[i]);
  buf_fini(&signal->json);
  *signal = (store_signal_t){0};
}

static double force_n(const store_signal_t *signal, int64_t ts_us) {
  uint64_t index = signal->index;
  double newton =
      10.0 + 3.0 * sin(0.1 * (double)ts_us / 1e6) + 2.0 * noise_normal(SEED, NOISE_RANGE, index);
  if (noise_uniform(SEED, NOISE_FAULT, index) < 0.05)
    newton = 80.0 + 120.0 * noise_uniform(SEED, NOISE_CELL, index);
  return round(fmax(newton, 0.0) * 100.0) / 100.0;
}

/* A robot that starts, drives and brakes once in twenty seconds. */
static double ahead_mps2(int64_t ts_us) {
  int64_t at_ms = ts_us / 1000 % 20000;
  return at_ms < 1000 ? 1.0 : at_ms >= 10000 && at_ms < 11000 ? -1.0 : 0.0;
}

static void imu(store_signal_t *signal, int64_t ts_us, db_reading_t *out) {
  recorder_row_t row;
  sensor_imu_t imu = {.sensor = "imu", .source = SYS_SOURCE_SIMULATED};
  double mg[3] = {ahead_mps2(ts_us) / MPS2_PER_MG + BIAS_MG, -BIAS_MG, 1000.0};
  double mean[3], off = 0.0, square = 0.0;
  bool outlier;
  for (uint64_t i = 0; i < 3; i++) {
    double value =
        round(mg[i] + NOISE_MG * noise_normal(SEED, NOISE_ACCEL, signal->index * 3 + i)) *
        MPS2_PER_MG;
    mean[i] = filter_push(signal->axes[i], value, &outlier);
    off += (value - mean[i]) * (value - mean[i]);
    square += value * value;
  }
  quality_terms_t terms = {1, 1, quality_consistency(sqrt(off), 0, CONSISTENT_MPS2)};
  imu.x = mean[0];
  imu.y = mean[1];
  imu.z = mean[2];
  imu.moving = fabs(sqrt(square) - 9.80665) > MOVING_MPS2;
  imu.quality = quality_score(&terms);
  bool made = reading_row_imu(&imu, &signal->json, &row);
  buf_put(&signal->json, "", 1);
  out->data = made && buf_err(&signal->json) == GANTRY_OK ? (const char *)signal->json.data : NULL;
  out->quality = imu.quality;
}

void store_signal_next(store_signal_t *signal, int64_t ts_us, db_reading_t *out) {
  out->ts_us = ts_us;
  out->seq = (int64_t)signal->index;
  out->quality = 1.0;
  out->has_value = signal->kind != SIGNAL_IMU;
  if (signal->kind == SIGNAL_RAMP) out->value = store_ramp(ts_us, signal->hz);
  if (signal->kind == SIGNAL_FORCE) out->value = force_n(signal, ts_us);
  if (signal->kind == SIGNAL_IMU) imu(signal, ts_us, out);
  signal->index++;
}
