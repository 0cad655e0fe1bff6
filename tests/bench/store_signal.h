/* What the bench fills databases with: readings of the simulators' sensors, one after the other. */
#ifndef GANTRY_STORE_SIGNAL_H
#define GANTRY_STORE_SIGNAL_H

#include <db_reading.h>
#include <filter.h>
#include <gantry/buf.h>

typedef enum store_signal_kind {
  SIGNAL_RAMP,  /* a number that follows from its time alone: see store_ramp */
  SIGNAL_FORCE, /* the test bench's force sensor: a slow sine with noise and spikes, 2 decimals */
  SIGNAL_IMU,   /* the plant's accelerometer behind sensor-processor's filter: an object */
} store_signal_kind_t;

typedef struct store_signal {
  store_signal_kind_t kind;
  uint64_t index; /* of the next reading */
  double hz;
  filter_t *axes[3]; /* owned; of the accelerometer */
  buf_t json;
} store_signal_t;

/* The ramp's value at a time. */
double store_ramp(int64_t ts_us, double hz);
/* False without memory. */
bool store_signal_init(store_signal_t *signal, store_signal_kind_t kind, double hz);
void store_signal_fini(store_signal_t *signal);
/* Fills value, data and quality of the reading at that time; data is valid until the next call. */
void store_signal_next(store_signal_t *signal, int64_t ts_us, db_reading_t *out);

#endif
