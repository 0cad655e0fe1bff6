/* The control socket's language: one command a line. The table of command_table.c is all there is
   to it: patterns of words and arguments, read here, listed by `gantry sim --help`. Pure. */
#ifndef GANTRY_SIM_COMMAND_H
#define GANTRY_SIM_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#define COMMAND_ARGS    5
#define COMMAND_WHY_MAX 512

typedef enum command_kind {
  COMMAND_SILENT,
  COMMAND_LOST,
  COMMAND_CRC,
  COMMAND_LATE,
  COMMAND_EXCEPTION,
  COMMAND_GARBAGE,
  COMMAND_ZEROS,
  COMMAND_ALIAS,
  COMMAND_CLEAR,
  COMMAND_CONFLICT,
  COMMAND_FIRMWARE,
  COMMAND_MODULE,
  COMMAND_NOISE,
  COMMAND_UNIQUE,
  COMMAND_ESTOP,
  COMMAND_DOOR,
  COMMAND_INPUT,
  COMMAND_MOTOR,
  COMMAND_IMU_RUN,
  COMMAND_IMU_FREEZE,
  COMMAND_IMU_FAIL,
  COMMAND_BATTERY,
  COMMAND_CHARGER,
  COMMAND_DOCK_FAULT,
  COMMAND_DOCK_CLEAR,
  COMMAND_DOCK_ANGLE,
  COMMAND_AXIS,
  COMMAND_OBSTACLE_ADD,
  COMMAND_OBSTACLE_MOVE,
  COMMAND_OBSTACLE_CLEAR,
  COMMAND_PERSON,
  COMMAND_PLACE,
  COMMAND_PUSH,
  COMMAND_SLIP,
  COMMAND_TAG_SAYS,
  COMMAND_TAG_CLEAR,
  COMMAND_PLUG_RS485,
  COMMAND_PLUG_LIDAR,
  COMMAND_LIDAR,
  COMMAND_LIDAR_BLIND,
  COMMAND_LIDAR_SPIKE,
  COMMAND_LIDAR_WEAK,
  COMMAND_LIDAR_SHADOW,
  COMMAND_SENSOR_STUCK,
  COMMAND_SENSOR_SIGN,
  COMMAND_SENSOR_VALUE,
  COMMAND_SENSOR_OFFSET,
  COMMAND_SENSOR_NOISE,
  COMMAND_SENSOR_SPIKE,
  COMMAND_SENSOR_FOR,
  COMMAND_SENSOR_CLEAR,
  COMMAND_WORLD_RUN,
  COMMAND_WORLD_STOP,
  COMMAND_WORLD_FREEZE,
  COMMAND_LINE_CLEAR,
  COMMAND_REG,
  COMMAND_SET,
  COMMAND_STATE,
  COMMAND_SEED,
  COMMAND_HELP,
  COMMAND_KINDS
} command_kind_t;

typedef struct command_row {
  const char *pattern; /* words in lower case, arguments in upper case */
  command_kind_t kind;
  bool on; /* of two commands of one kind: which */
  const char *doc;
} command_row_t;

/* What may stand for an upper-case word of a pattern. */
typedef struct command_arg {
  const char *name;
  double min, max;
  bool whole;
  const char *doc;
} command_arg_t;

typedef struct command {
  command_kind_t kind;
  bool on;
  double args[COMMAND_ARGS]; /* numbers in their order; a SHARE from 0 to 1; a TIME is two, in us */
} command_t;

/* Reads one line, without its newline. False when it is not a command of this language; then why
   names the word that is wrong and what is possible there, in printable ASCII without quotes. */
bool command_parse(const char *line, command_t *command, char why[COMMAND_WHY_MAX]);
/* The i-th pattern and the i-th argument, NULL behind the last. */
const command_row_t *command_row(size_t i);
const command_arg_t *command_arg(size_t i);

#endif
