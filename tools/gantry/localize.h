/* Following a log on a chart, and trying to find its scans there without a guess. */
#ifndef GANTRY_TOOL_LOCALIZE_H
#define GANTRY_TOOL_LOCALIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "chart.h"
#include "path_file.h"
#include "scan_log.h"

typedef struct localize_options {
  const char *log, *map, *ref, *out;
  bool has_start;
  pose2_t start;
  uint32_t global; /* scans to find without a guess; 0: follow the log */
} localize_options_t;

typedef struct localize_times {
  float *ms; /* owned */
  size_t count, capacity;
} localize_times_t;

/* What following a log has come to. */
typedef struct localize_track {
  path_t path; /* from where the robot was found first */
  localize_times_t times;
  size_t unplaced; /* scans before it was found */
  size_t matched, lost, relocalizations, iterations;
  double search_s; /* spent in searches of the whole map, apart from times */
} localize_track_t;

/* Processor's time of this thread, s. */
double localize_clock_s(void);
/* GANTRY_E_INTERNAL without memory. */
gantry_err_t localize_times_add(localize_times_t *times, double seconds);
/* Sorts and gives mean and quantile, ms; 0 when there are none. */
double localize_times_mean(const localize_times_t *times);
double localize_times_quantile(localize_times_t *times, double share);

/* Follows the log from options->start, or from where its scans are found. */
gantry_err_t localize_follow(const chart_t *chart, const localize_options_t *options,
                             localize_track_t *out, gantry_fault_t *fault);
void localize_track_fini(localize_track_t *track);

/* Finds options->global scans of the log, drawn by a fixed seed, each in the whole map, and prints
   how many came within 0.25 m and 3 degrees of options->ref, or of where following finds them. */
gantry_err_t localize_globally(const chart_t *chart, const localize_options_t *options,
                               gantry_fault_t *fault);

#endif
