/* The simulator's transcript of a line, frame by frame. */
#ifndef GANTRY_TEST_LINE_FRAMES_H
#define GANTRY_TEST_LINE_FRAMES_H

#include "harness.h"
#include "sim_process.h"

#define ANY 0xFFFFu

/* How far apart requests for one block of one unit were. */
typedef struct line_gap {
  unsigned unit, first;
  unsigned strangers; /* units from this one on are not there */
  double last_ms, worst_ms;
  unsigned count;
  unsigned between, worst_between; /* requests to strangers between two of them */
} line_gap_t;

/* The end of the transcript after everything up to now has been written to it. */
long line_frames_now(harness_t *harness, const sim_process_t *sim);
/* Measures the requests since offset. */
void line_frames_gap(harness_t *harness, const sim_process_t *sim, long offset, line_gap_t *gap);
/* Requests since offset for that unit, function and first register; ANY for any. */
unsigned line_frames_count(harness_t *harness, const sim_process_t *sim, long offset, unsigned unit,
                           unsigned function, unsigned first);

#endif
