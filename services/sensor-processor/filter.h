/* Filter: the moving average over the last readings of one value. Pure; a value, nothing to free.
 */
#ifndef SENSOR_FILTER_H
#define SENSOR_FILTER_H

#include <stdint.h>

#define FILTER_WINDOW_MAX 64

typedef struct filter {
  double values[FILTER_WINDOW_MAX];
  uint32_t window; /* readings averaged, 1 .. FILTER_WINDOW_MAX */
  uint32_t count;  /* of them held now */
  uint32_t next;   /* where the next goes */
} filter_t;

/* Empty; window is clamped to 1 .. FILTER_WINDOW_MAX. */
void filter_init(filter_t *filter, uint32_t window);
/* Takes a reading; returns the mean of those held (fewer than the window at first). */
double filter_push(filter_t *filter, double value);
/* Forgets the readings: after a gap they say nothing about now. */
void filter_clear(filter_t *filter);

#endif
