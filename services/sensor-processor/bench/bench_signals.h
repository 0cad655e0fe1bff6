/* Signals of the simulated bench: what its force, motor and camera sensors measure at a time. The
   shapes are those that test benches are used to. Pure. */
#ifndef SENSOR_BENCH_SIGNALS_H
#define SENSOR_BENCH_SIGNALS_H

#include "bench_random.h"

typedef enum bench_kind { BENCH_FORCE, BENCH_MOTOR, BENCH_CAMERA, BENCH_KIND_COUNT } bench_kind_t;

/* "force", "motor", "camera": id and code of the sensor. */
const char *bench_kind_name(bench_kind_t kind);

/* One reading. */
typedef struct bench_sample {
  bench_kind_t kind;
  double value;      /* force, N; motor, rpm; camera: brightness, 0 .. 255 */
  double exposure;   /* camera: 0.1 .. 2 */
  uint32_t image_id; /* camera: counts from 1001 */
  uint64_t number;   /* of the sensor's readings, from 1 */
  uint64_t time_ns;  /* wall */
  uint64_t mono_ns;  /* the same, monotonic */
} bench_sample_t;

/* Force: 10 + 3 sin(0.1 t) + N(0, 2), not below 0, in one of twenty replaced by U(80, 200). Motor:
   50 sin(2 pi 0.5 t) + N(0, 1). Both have two decimals. Camera: 150 + N(0, 30) + 50 sin(0.05 t),
   cut to 50 .. 255, whole. unix_s is t. Fills value and exposure alone. */
void bench_signal(bench_kind_t kind, double unix_s, bench_random_t *random, bench_sample_t *out);
/* The exposure that the camera chooses at a brightness. */
double bench_exposure(double brightness);

#endif
