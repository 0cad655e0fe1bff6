/* The docking sequence of module 5: it watches the approach and says when the robot is docked;
   the motors stay with their own registers. Pure. */
#ifndef GANTRY_SIM_DOCK_H
#define GANTRY_SIM_DOCK_H

#include <stdbool.h>
#include <stdint.h>

enum {
  DOCK_APPROACHING = 0x01,
  DOCK_ALIGNING = 0x02,
  DOCK_DOCKING = 0x04,
  DOCK_DOCKED = 0x08,
  DOCK_UNDOCKING = 0x10,
  DOCK_FAULT = 0x20,
  DOCK_ESTOP = 0x80,
};

enum { DOCK_FAULT_TIMEOUT = 2, DOCK_FAULT_ESTOP = 5 };

typedef struct dock_limits {
  double approach_m, accuracy_m, timeout_s;
} dock_limits_t;

typedef struct dock {
  uint16_t status; /* DOCK_ bits; 0 is idle */
  uint16_t fault_code, fault_count;
  uint16_t done, failed, last_ms;
  double started_s;
} dock_t;

/* Start (command 8001): from any state but E-stop. */
void dock_start(dock_t *dock, double now_s);
/* Stop (command 8002): a docked robot undocks, an approach ends. */
void dock_stop(dock_t *dock);
/* Clear faults (command 8004). */
void dock_clear(dock_t *dock);
/* One look: distance_m is signed along the rail, positive while the dock lies ahead. */
void dock_update(dock_t *dock, const dock_limits_t *limits, double now_s, double distance_m,
                 double speed_mps, bool estop);

#endif
