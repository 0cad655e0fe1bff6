/* History: the newest readings of one sensor, held in memory. Pure; allocates when its size is set.
 */
#ifndef SENSOR_HISTORY_H
#define SENSOR_HISTORY_H

#include <stdint.h>

#include <gantry/err.h>

#define HISTORY_DEFAULT 100
#define HISTORY_MAX     1000

typedef struct history_row {
  uint64_t time_ns; /* wall */
  uint64_t number;  /* of its producer; 0: none */
  double raw;       /* in the type's unit, uncalibrated */
  double value;     /* calibrated and filtered */
  float quality;    /* 0 .. 1 */
  uint8_t validity; /* 0 valid, 1 warning */
  uint32_t flags;   /* 1 << chain_flag_t */
} history_row_t;

typedef struct history {
  history_row_t *rows; /* owned */
  uint32_t size;       /* most of them */
  uint32_t count;      /* held now */
  uint32_t next;       /* where the next goes */
} history_t;

/* Room for so many (1 .. HISTORY_MAX), empty unless it had as many before. GANTRY_E_INTERNAL
   without memory; then nothing has changed. */
gantry_err_t history_resize(history_t *history, uint32_t size);
/* Harmless on zeroed memory. */
void history_fini(history_t *history);
/* Does nothing without room. */
void history_add(history_t *history, const history_row_t *row);
/* The i-th of the newest count rows, oldest first; i < count <= history->count. */
const history_row_t *history_at(const history_t *history, uint32_t count, uint32_t i);

#endif
