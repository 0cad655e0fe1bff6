/* The books of one line. Pure. */
#ifndef BRIDGE_LINE_COUNTS_H
#define BRIDGE_LINE_COUNTS_H

#include "rtu.h"

/* Since the thread was started. */
typedef struct line_counts {
  uint64_t requests, failures, timeouts, damaged, exceptions;
  uint64_t foreign; /* frames that answered nothing asked then; counted by whoever meets them */
  uint64_t skipped; /* polls that found no room */
  uint64_t lost;    /* results of polls that the loop was too busy to take */
  uint64_t busy_ns; /* requests, waits, answers and the silence after them */
  double load;      /* share of the line that the enabled polls need */
} line_counts_t;

/* Counts one transaction that held the line for busy_ns. */
void line_counts_add(line_counts_t *counts, rtu_outcome_t outcome, uint64_t busy_ns);
/* Takes load and skipped polls over from the queue. */
void line_counts_plan(line_counts_t *counts, const jobs_t *jobs);

#endif
