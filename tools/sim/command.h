/* The control socket's language: one command a line. Pure. */
#ifndef GANTRY_SIM_COMMAND_H
#define GANTRY_SIM_COMMAND_H

#include "plant.h"

typedef enum command_kind {
  COMMAND_FAULT,
  COMMAND_ESTOP,
  COMMAND_LIDAR,
  COMMAND_WORLD,
  COMMAND_OBSTACLE,
  COMMAND_UNPLUG,
  COMMAND_PLUG,
  COMMAND_STATE,
  COMMAND_LINE_CLEAR,
  COMMAND_REG,
  COMMAND_SEED,
} command_kind_t;

typedef enum world_mode { WORLD_RUNS, WORLD_STOPPED, WORLD_FROZEN } world_mode_t;

typedef struct command {
  command_kind_t kind;
  uint8_t unit;         /* fault, reg */
  uint16_t address;     /* reg */
  bool on;              /* estop; lidar start; obstacle add */
  bool lidar_port;      /* plug, unplug: the LiDAR's, else the Modbus line's */
  world_mode_t mode;    /* world */
  module_fault_t fault; /* fault: the fields below say which to take over */
  bool set_silent, set_garbage, set_exception, set_crc, set_late, clear;
  double x, y, radius_m; /* obstacle add */
} command_t;

/* Reads one line, without its newline. False when it is not a command of this language. */
bool command_parse(const char *line, command_t *command);
/* Takes what a fault command sets over into a module's faults. */
void command_apply_fault(const command_t *command, module_fault_t *fault);
/* The i-th line of the language's help, NULL behind the last. */
const char *command_help(size_t i);

#endif
