/* A ring of response times. */
#include "response_window.h"

#include <stdlib.h>
#include <string.h>

#define STEPS_PER_MS 100.0

void response_window_add(response_window_t *window, double response_ms) {
  double steps = response_ms * STEPS_PER_MS + 0.5;
  uint16_t step = steps < 0.0 ? 0 : steps > UINT16_MAX ? UINT16_MAX : (uint16_t)steps;
  window->newest[window->count++ % RESPONSES_MAX] = step;
}

static int compare(const void *one, const void *other) {
  return (int)*(const uint16_t *)one - (int)*(const uint16_t *)other;
}

double response_window_p95_ms(const response_window_t *window) {
  uint16_t sorted[RESPONSES_MAX];
  size_t count = window->count < RESPONSES_MAX ? window->count : RESPONSES_MAX;
  if (count == 0) return 0.0;
  memcpy(sorted, window->newest, count * sizeof sorted[0]);
  qsort(sorted, count, sizeof sorted[0], compare);
  size_t place = (count * 95 + 99) / 100 - 1;
  return sorted[place] / STEPS_PER_MS;
}
