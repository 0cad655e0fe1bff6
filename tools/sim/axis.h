/* A driven axis between two ends: the lifter, the cargo door. Pure. */
#ifndef GANTRY_SIM_AXIS_H
#define GANTRY_SIM_AXIS_H

#include <stdbool.h>
#include <stdint.h>

enum {
  AXIS_READY = 0x01,
  AXIS_MOVING = 0x02,
  AXIS_AT_TARGET = 0x04,
  AXIS_LOW_END = 0x08,
  AXIS_HIGH_END = 0x10,
  AXIS_FAULT = 0x20,
  AXIS_ESTOP = 0x80,
};

enum { AXIS_FAULT_POSITION = 5 }; /* as a motor's: it does not get where it should */

typedef struct axis {
  double position; /* 0 low or closed, 1 high or open */
  double stuck_s;  /* how long it should have moved and did not */
  bool jammed;     /* by command: it cannot move */
  uint16_t status, fault, moves;
} axis_t;

typedef struct axis_command {
  bool enabled, estop;
  double target; /* 0 to 1 */
  double speed;  /* share of the way a second */
} axis_command_t;

void axis_step(axis_t *axis, const axis_command_t *command, double dt_s);

#endif
