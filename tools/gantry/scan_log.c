/* Reads a log scan by scan. */
#include "scan_log.h"

#include <stdlib.h>

scan_log_t *scan_log_open(const char *path, gantry_fault_t *fault) {
  scan_log_t *log = calloc(1, sizeof *log);
  if (!log) {
    fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
    return NULL;
  }
  log->carmen = carmen_open(path, fault);
  if (!log->carmen) scan_log_close(&log);
  return log;
}

void scan_log_close(scan_log_t **self) {
  if (!*self) return;
  carmen_close(&(*self)->carmen);
  free(*self);
  *self = NULL;
}

/* Adapts angles, mount and gate to the beams of a scan with this many ranges. */
static void aim(scan_log_t *log, uint32_t ray_count) {
  if (log->ray_count == ray_count) return;
  carmen_beam_t beam = log->has_beam ? log->beam : carmen_beam_default(ray_count);
  log->ray_count = ray_count;
  log->mount = (pose2_t){.x = beam.laser_x_m};
  log->gate = points_gate_default();
  log->gate.max_m = beam.no_return_m;
  for (uint32_t i = 0; i < ray_count; i++)
    log->angle_rad[i] = (float)(beam.first_rad + beam.step_rad * i);
}

gantry_err_t scan_log_next(scan_log_t *log, gantry_fault_t *fault) {
  for (;;) {
    GANTRY_TRY(carmen_next(log->carmen, &log->record, fault));
    if (log->record.kind == CARMEN_BEAM) {
      log->beam = log->record.beam;
      log->has_beam = true;
      log->ray_count = 0;
    }
    if (log->record.kind != CARMEN_FLASER) continue;
    log->time_s = log->record.time_s;
    log->odometry = log->record.odometry;
    return GANTRY_OK;
  }
}

void scan_log_points(scan_log_t *log) {
  aim(log, log->record.range_count);
  points_from_scan(&log->points, log->angle_rad, log->record.range_m, log->record.range_count,
                   log->mount, &log->gate);
}
