/* The scans of a recorded CARMEN log, as points. */
#ifndef GANTRY_TOOL_SCAN_LOG_H
#define GANTRY_TOOL_SCAN_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/err.h>
#include <gantry/slam/carmen.h>
#include <gantry/slam/points.h>

typedef struct scan_log {
  double time_s; /* of the last scan read */
  pose2_t odometry;
  points_t points;
  /* Inside: */
  carmen_t *carmen;
  carmen_record_t record;
  carmen_beam_t beam;
  bool has_beam;
  uint32_t ray_count; /* beams that angle_rad was made for */
  float angle_rad[CARMEN_RANGES_MAX];
  pose2_t mount;
  points_gate_t gate;
} scan_log_t;

/* Opens a log; NULL with a fault as carmen_open. */
scan_log_t *scan_log_open(const char *path, gantry_fault_t *fault);
void scan_log_close(scan_log_t **self);
/* Reads on to the next scan and keeps its ranges; scan_log_points makes points of them.
   GANTRY_E_NOT_FOUND at the end; other errors as carmen_next. */
gantry_err_t scan_log_next(scan_log_t *log, gantry_fault_t *fault);
void scan_log_points(scan_log_t *log);

#endif
