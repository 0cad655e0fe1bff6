/* Window: the newest values, in the order in which they came and sorted, for medians. Pure; the
   caller gives the memory. */
#ifndef SENSOR_SIGNAL_WINDOW_H
#define SENSOR_SIGNAL_WINDOW_H

#include <stdint.h>

typedef struct window {
  uint32_t size;  /* values held at most, 1 .. */
  uint32_t count; /* held now */
  uint32_t next;  /* where the next goes */
} window_t;

/* values: room for size, as they come. The oldest makes room when it is full. */
void window_push(window_t *window, double *values, double value);
/* The same with sorted, room for size as well, kept in rising order. */
void window_push_sorted(window_t *window, double *values, double *sorted, double value);

/* Of count > 0 finite values; no overflow. */
double window_mean(const double *values, uint32_t count);
/* Of count > 0 values in rising order. */
double window_median(const double *sorted, uint32_t count);
/* Median of |value - centre| of count > 0 values in rising order; logarithmic time. */
double window_deviation(const double *sorted, uint32_t count, double centre);

#endif
