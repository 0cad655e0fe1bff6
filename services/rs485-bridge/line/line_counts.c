/* Counts what went over one line. */
#include "line_counts.h"

void line_counts_add(line_counts_t *counts, rtu_outcome_t outcome, uint64_t busy_ns) {
  if (outcome == RTU_NO_PORT || outcome == RTU_RESTING) return;
  counts->requests++;
  counts->failures += outcome != RTU_OK;
  counts->timeouts += outcome == RTU_TIMEOUT;
  counts->damaged += outcome == RTU_DAMAGED;
  counts->exceptions += outcome == RTU_EXCEPTION;
  counts->busy_ns += busy_ns;
}

void line_counts_plan(line_counts_t *counts, const jobs_t *jobs) {
  counts->load = jobs_load(jobs);
  counts->skipped = 0;
  for (size_t i = 0; i < jobs->poll_count; i++)
    counts->skipped += jobs->polls[i].skipped;
}
