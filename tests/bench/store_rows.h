/* The readings that every program of the storage bench writes: number n is always the same reading
   of the same sensor, so that whoever finds one knows what it must be. */
#ifndef GANTRY_STORE_ROWS_H
#define GANTRY_STORE_ROWS_H

#include <stdint.h>

#define STORE_SENSORS 50u  /* of one robot, sampled in turn */
#define STORE_STEP_US 200u /* between readings: each sensor at 100 Hz */
#define STORE_VALUES  8191u

/* Sensor of reading n, 0 to STORE_SENSORS - 1. */
static inline uint32_t store_row_sensor(uint64_t number) {
  return (uint32_t)(number % STORE_SENSORS);
}

/* Exact in binary and in decimal: SQL compares it with (seq % 8191) / 8.0. */
static inline double store_row_value(uint64_t number) {
  return (double)(number % STORE_VALUES) / 8.0;
}

/* Wall time, µs; begin_us is that of number 0. */
static inline uint64_t store_row_time_us(uint64_t number, uint64_t begin_us) {
  return begin_us + number * STORE_STEP_US;
}

#endif
