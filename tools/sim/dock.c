/* The docking sequence: approaching, docking, docked; undocking; fault on time-out and E-stop. */
#include "dock.h"

#include <math.h>

#define STANDSTILL_MPS 0.002

static void fail(dock_t *dock, uint16_t status, uint16_t code) {
  bool busy = dock->status & (DOCK_APPROACHING | DOCK_ALIGNING | DOCK_DOCKING);
  dock->status = status;
  dock->fault_code = code;
  dock->fault_count++;
  if (busy) dock->failed++;
}

void dock_start(dock_t *dock, double now_s) {
  if (dock->status & DOCK_ESTOP) return;
  dock->status = DOCK_APPROACHING;
  dock->started_s = now_s;
}

void dock_stop(dock_t *dock) {
  if (dock->status & DOCK_DOCKED)
    dock->status = DOCK_UNDOCKING;
  else if (!(dock->status & (DOCK_FAULT | DOCK_ESTOP)))
    dock->status = 0;
}

void dock_clear(dock_t *dock) {
  if (dock->status & (DOCK_FAULT | DOCK_ESTOP)) dock->status = 0;
  dock->fault_code = 0;
}

void dock_update(dock_t *dock, const dock_limits_t *limits, double now_s, double distance_m,
                 double speed_mps, bool estop) {
  bool busy = dock->status & (DOCK_APPROACHING | DOCK_ALIGNING | DOCK_DOCKING);
  if (estop) {
    if (!(dock->status & DOCK_ESTOP) && busy) fail(dock, DOCK_ESTOP, DOCK_FAULT_ESTOP);
    return;
  }
  if (busy) {
    bool near = fabs(distance_m) <= limits->approach_m;
    dock->status = near ? DOCK_DOCKING : DOCK_APPROACHING;
    if (fabs(distance_m) <= limits->accuracy_m && fabs(speed_mps) < STANDSTILL_MPS) {
      dock->status = DOCK_DOCKED;
      dock->done++;
      dock->last_ms = (uint16_t)fmin(65535.0, (now_s - dock->started_s) * 1000.0);
    } else if (now_s - dock->started_s > limits->timeout_s) {
      fail(dock, DOCK_FAULT, DOCK_FAULT_TIMEOUT);
    }
  }
  if ((dock->status & DOCK_DOCKED) && fabs(distance_m) > 0.05) dock->status = DOCK_UNDOCKING;
  if ((dock->status & DOCK_UNDOCKING) && fabs(distance_m) > limits->approach_m) dock->status = 0;
}
