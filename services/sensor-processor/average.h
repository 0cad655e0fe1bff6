/* Average: the moving average over the last readings of one value. Pure; a value, nothing to free.
 */
#ifndef SENSOR_AVERAGE_H
#define SENSOR_AVERAGE_H

#include <stdint.h>

#define AVERAGE_WINDOW_MAX 64

typedef struct average {
  double values[AVERAGE_WINDOW_MAX];
  uint32_t window; /* readings averaged, 1 .. AVERAGE_WINDOW_MAX */
  uint32_t count;  /* of them held now */
  uint32_t next;   /* where the next goes */
} average_t;

/* Empty; window is clamped to 1 .. AVERAGE_WINDOW_MAX. */
void average_init(average_t *average, uint32_t window);
/* Takes a reading; returns the mean of those held (fewer than the window at first). */
double average_push(average_t *average, double value);
/* Forgets the readings: after a gap they say nothing about now. */
void average_clear(average_t *average);

#endif
