/* The moving average; summed anew each time, so that no rounding error builds up. */
#include "filter.h"

void filter_init(filter_t *filter, uint32_t window) {
  *filter = (filter_t){.window = window};
  if (filter->window < 1) filter->window = 1;
  if (filter->window > FILTER_WINDOW_MAX) filter->window = FILTER_WINDOW_MAX;
}

double filter_push(filter_t *filter, double value) {
  filter->values[filter->next] = value;
  filter->next = (filter->next + 1) % filter->window;
  if (filter->count < filter->window) filter->count++;
  double sum = 0;
  for (uint32_t i = 0; i < filter->count; i++)
    sum += filter->values[i];
  return sum / filter->count;
}

void filter_clear(filter_t *filter) {
  filter->count = 0;
  filter->next = 0;
}
