/* Runs filters over series for test_filters.py: jobs as doubles on standard input (kind, window,
   alpha, threshold, cutoff, rate, order, length, then the series), filtered series on standard
   output. */
#include <stdio.h>
#include <stdlib.h>

#include "signal/filter.h"

enum { KIND, WINDOW, ALPHA, THRESHOLD, CUTOFF, RATE, ORDER, LENGTH, HEADER };

static int run(const double *job) {
  filter_rule_t rule = {.kind = (filter_kind_t)job[KIND],
                        .window = (uint32_t)job[WINDOW],
                        .alpha = job[ALPHA],
                        .threshold = job[THRESHOLD],
                        .cutoff_hz = job[CUTOFF],
                        .rate_hz = job[RATE],
                        .order = (uint32_t)job[ORDER]};
  gantry_fault_t fault;
  filter_t *filter = malloc(filter_size(&rule));
  int result = filter && filter_init(filter, &rule, &fault) == GANTRY_OK ? 0 : 1;
  for (size_t left = (size_t)job[LENGTH]; result == 0 && left > 0; left--) {
    double value;
    bool outlier = false;
    if (fread(&value, sizeof value, 1, stdin) != 1) result = 2;
    value = filter_push(filter, value, &outlier);
    if (fwrite(&value, sizeof value, 1, stdout) != 1) result = 3;
  }
  free(filter);
  return result;
}

int main(void) {
  double job[HEADER];
  int result = 0;
  while (result == 0 && fread(job, sizeof *job, HEADER, stdin) == HEADER)
    result = run(job);
  return result;
}
