/* Faults of one simulated sensor: each of a kind at a time, several kinds together. A fault begins
   with the first reading behind it. Pure. */
#ifndef SENSOR_BENCH_FAULTS_H
#define SENSOR_BENCH_FAULTS_H

#include "bench_signals.h"

/* The order is that of sensor.fault. */
typedef enum bench_fault {
  BENCH_SPIKE,        /* readings are the amplitude; one reading unless a duration is given */
  BENCH_DROPOUT,      /* no readings */
  BENCH_STUCK,        /* the last value again and again */
  BENCH_OFFSET,       /* the amplitude on top */
  BENCH_NOISE,        /* normal noise on top, of that standard deviation */
  BENCH_OUT_OF_RANGE, /* readings are the amplitude, which no such sensor can measure */
  BENCH_LOW_LIGHT,    /* camera: the amplitude is its brightness */
  BENCH_OVEREXPOSED,  /* the same */
  BENCH_FAULT_COUNT
} bench_fault_t;

typedef struct bench_faults {
  struct {
    bool set;
    double duration_s, amplitude;
    uint64_t until_ns; /* 0: has not begun */
  } each[BENCH_FAULT_COUNT];
  double held; /* the newest value that was given */
  bool has_held;
} bench_faults_t;

/* Whether a sensor of that kind can have the fault. */
bool bench_fault_fits(bench_kind_t kind, bench_fault_t fault);
/* Duration and amplitude of who gives none; 0 s: one reading. */
double bench_fault_duration(bench_fault_t fault);
double bench_fault_amplitude(bench_kind_t kind, bench_fault_t fault);

/* Zeroed memory has none. Replaces one of the same kind. */
void bench_faults_put(bench_faults_t *faults, bench_fault_t fault, double duration_s,
                      double amplitude);
/* Puts them into a reading taken at mono_ns; false: the reading is not there. */
bool bench_faults_apply(bench_faults_t *faults, bench_random_t *random, bench_sample_t *sample);

#endif
