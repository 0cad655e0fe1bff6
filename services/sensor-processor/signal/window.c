/* Newest values, sorted. One value is exchanged for another by moving those between their places:
   for windows of some dozens that beats heaps and trees. */
#include "window.h"

#include <math.h>
#include <string.h>

/* First place in sorted whose value is not less than value. */
static uint32_t place_of(const double *sorted, uint32_t count, double value) {
  uint32_t low = 0, high = count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (sorted[middle] < value)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void insert(double *sorted, uint32_t count, double value) {
  uint32_t at = place_of(sorted, count, value);
  memmove(sorted + at + 1, sorted + at, (count - at) * sizeof *sorted);
  sorted[at] = value;
}

static void exchange(double *sorted, uint32_t count, double old, double value) {
  uint32_t at = place_of(sorted, count, old);
  if (value > old) {
    for (; at + 1 < count && sorted[at + 1] < value; at++)
      sorted[at] = sorted[at + 1];
  } else {
    for (; at > 0 && sorted[at - 1] > value; at--)
      sorted[at] = sorted[at - 1];
  }
  sorted[at] = value;
}

void window_push(window_t *window, double *values, double value) {
  values[window->next] = value;
  window->next = window->next + 1 < window->size ? window->next + 1 : 0;
  window->count += window->count < window->size;
}

void window_push_sorted(window_t *window, double *values, double *sorted, double value) {
  if (window->count < window->size)
    insert(sorted, window->count, value);
  else
    exchange(sorted, window->count, values[window->next], value);
  window_push(window, values, value);
}

double window_mean(const double *values, uint32_t count) {
  /* Summed anew each time, so that no rounding error builds up; four sums at once for speed. */
  double sums[4] = {0};
  uint32_t i = 0;
  for (; i + 4 <= count; i += 4)
    for (uint32_t k = 0; k < 4; k++)
      sums[k] += values[i + k];
  for (; i < count; i++)
    sums[0] += values[i];
  double sum = sums[0] + sums[1] + (sums[2] + sums[3]);
  if (isfinite(sum)) return sum / count;
  double mean = 0;
  for (i = 0; i < count; i++)
    mean += values[i] / count;
  return mean;
}

static double middle_of(double a, double b) {
  double sum = a + b;
  return isfinite(sum) ? sum / 2 : a / 2 + b / 2;
}

double window_median(const double *sorted, uint32_t count) {
  double upper = sorted[count / 2];
  return count % 2 ? upper : middle_of(sorted[count / 2 - 1], upper);
}

double window_deviation(const double *sorted, uint32_t count, double centre) {
  /* The k values nearest to the centre stand together: find where they begin. */
  uint32_t k = count / 2 + 1, low = 0, high = count - k;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (centre - sorted[middle] > sorted[middle + k] - centre)
      low = middle + 1;
    else
      high = middle;
  }
  double left = fabs(sorted[low] - centre), right = fabs(sorted[low + k - 1] - centre);
  double farthest = fmax(left, right);
  if (count % 2) return farthest;
  /* The next nearer one is the other end, or the neighbour of the farthest. */
  double inner = left > right ? fabs(sorted[low + 1] - centre) : fabs(sorted[low + k - 2] - centre);
  return middle_of(fmax(inner, fmin(left, right)), farthest);
}
