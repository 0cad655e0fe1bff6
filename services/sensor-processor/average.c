/* The moving average; summed anew each time, so that no rounding error builds up. */
#include "average.h"

void average_init(average_t *average, uint32_t window) {
  *average = (average_t){.window = window};
  if (average->window < 1) average->window = 1;
  if (average->window > AVERAGE_WINDOW_MAX) average->window = AVERAGE_WINDOW_MAX;
}

double average_push(average_t *average, double value) {
  average->values[average->next] = value;
  average->next = (average->next + 1) % average->window;
  if (average->count < average->window) average->count++;
  double sum = 0;
  for (uint32_t i = 0; i < average->count; i++)
    sum += average->values[i];
  return sum / average->count;
}

void average_clear(average_t *average) {
  average->count = 0;
  average->next = 0;
}
