/* The docking sequence of module 5: it watches the approach, holds the robot at the mark, and says
   when it is docked; the speed of the approach stays with the motor registers. Pure. */
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
  DOCK_CALIBRATING = 0x40,
  DOCK_ESTOP = 0x80,
  DOCK_BUSY = DOCK_APPROACHING | DOCK_ALIGNING | DOCK_DOCKING
};

enum {
  DOCK_FAULT_TIMEOUT = 2,
  DOCK_FAULT_ALIGNMENT = 3,
  DOCK_FAULT_POSITION = 4,
  DOCK_FAULT_ESTOP = 5,
  DOCK_FAULT_CALIBRATION = 6
};

typedef enum dock_outcome { DOCK_TAKEN, DOCK_REFUSED, DOCK_OCCUPIED } dock_outcome_t;

typedef struct dock_limits {
  double approach_m, accuracy_m, timeout_s;
  double debounce_s;
  double tolerance_rad;
  unsigned retries;
} dock_limits_t;

/* What the module sees. */
typedef struct dock_look {
  double now_s;
  double distance_m; /* along the rail, positive while the dock lies ahead */
  double angle_rad;  /* of the robot to the dock */
  double speed_mps;
  bool estop;
} dock_look_t;

typedef struct dock {
  uint16_t status; /* DOCK_ bits; 0 is idle */
  uint16_t fault_code, fault_count;
  uint16_t done, failed, last_ms;
  unsigned tries; /* that ended beyond the mark, of this sequence */
  bool disabled, beyond;
  double started_s;
  double since_s; /* when it came to rest where it is */
  bool rests;
} dock_t;

/* Enable (command 8000): a disabled module starts nothing. */
void dock_enable(dock_t *dock, bool on);
/* Start (command 8001): from idle, docked or fault. */
dock_outcome_t dock_start(dock_t *dock, double now_s);
/* Stop (command 8002): a docked robot undocks, an approach ends. */
void dock_stop(dock_t *dock);
/* E-stop (command 8003): as the chain does while it docks. */
void dock_estop(dock_t *dock);
/* Clear faults (command 8004). */
void dock_clear(dock_t *dock);
/* Calibrate (command 8005): two seconds in which the robot must stand. */
dock_outcome_t dock_calibrate(dock_t *dock, double now_s);
/* Fails with a code. */
void dock_fail(dock_t *dock, uint16_t code);
void dock_update(dock_t *dock, const dock_limits_t *limits, const dock_look_t *look);
/* What of a wanted speed the module lets through: near the mark it slows the robot down, at the
   mark it holds it; a docked robot is free to leave backwards. */
double dock_steer_mps(const dock_t *dock, double distance_m, double accuracy_m, double wanted_mps);

#endif
