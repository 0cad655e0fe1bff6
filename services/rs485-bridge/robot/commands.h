/* What the robot was told last, and how far it has come; mode and speed settings. Pure. */
#ifndef BRIDGE_COMMANDS_H
#define BRIDGE_COMMANDS_H

#include "modes.h"

/* Codes of enum robot.command_kind. */
typedef enum command_kind {
  COMMAND_NONE,
  COMMAND_MOVE,
  COMMAND_STOP,
  COMMAND_PAUSE,
  COMMAND_RESUME,
  COMMAND_RESET,
  COMMAND_HOME,
  COMMAND_DOCK,
  COMMAND_UNDOCK,
  COMMAND_SPEED,
  COMMAND_PRESET,
  COMMAND_CARGO_UP,
  COMMAND_CARGO_DOWN,
  COMMAND_CONFIGURE,
  COMMAND_CONFIGURED,
  COMMAND_SHUTDOWN,
  COMMANDS
} command_kind_t;

/* Codes of enum robot.command_state. */
typedef enum command_state {
  COMMAND_UNTOLD,
  COMMAND_RUNNING,
  COMMAND_DONE,
  COMMAND_FAILED,
  COMMAND_CANCELLED
} command_state_t;

/* Codes of enum robot.preset. */
typedef enum preset {
  PRESET_CUSTOM,
  PRESET_SLOW,
  PRESET_NORMAL,
  PRESET_FAST,
  PRESET_MAX,
  PRESETS
} preset_t;

typedef struct command {
  command_kind_t kind;
  bool backward;
  double speed;                      /* share of the highest speed; negative: as set */
  double distance_m;                 /* of a move; negative: until stopped */
  double acceleration, deceleration; /* shares; negative: as set */
  preset_t preset;
  uint32_t timeout_ms; /* 0: the state's own */
} command_t;

/* Where a command is to end. */
typedef struct command_goal {
  int way;           /* +1 forward, -1 backward */
  double speed_mps;  /* at most */
  double distance_m; /* negative: open */
  double begun_path_m;
  bool waits;                        /* for the dock module to take its order */
  uint64_t asked_ns;                 /* of it */
  bool entered;                      /* home: the tag has been seen, */
  double enter_path_m, leave_path_m; /* first and last there */
  bool returns;                      /* home: back to the tag that was run over */
  uint32_t tags;
  double left_m; /* dock: still to go when the odometer said left_path_m, signed */
  double left_path_m;
  double first_left_m;
  uint64_t left_ns;
} command_goal_t;

typedef struct commands {
  double max_mps; /* what shares are shares of */
  mode_id_t mode;
  double share, accel_share, decel_share;
  preset_t preset;
  command_kind_t kind; /* the last one */
  uint32_t id;         /* counts them */
  command_state_t state;
  command_state_t outcome; /* what it becomes once the robot stands */
  char detail[128];
  double progress;      /* negative: unknown */
  uint64_t deadline_ns; /* of the command's own time-out; 0: none */
  uint64_t hold_ns;     /* where the mode wants it: the dead man holds until then */
  command_goal_t goal;
} commands_t;

/* Mode manual, full shares. */
void commands_init(commands_t *commands, double max_mps);
/* A new command begins; it becomes DONE when nothing else is said before the robot stands. */
void commands_begin(commands_t *commands, command_kind_t kind, uint32_t timeout_ms,
                    uint64_t now_ns);
void commands_end(commands_t *commands, command_state_t state, const char *detail);
/* A command that takes no time; it is not recorded over one that runs. */
void commands_note(commands_t *commands, command_kind_t kind, command_state_t state,
                   const char *detail);
/* Takes the shares of a speed or preset command. NULL, or what is wrong with *field. */
const char *commands_set_speed(commands_t *commands, const command_t *command, const char **field);
/* Highest speed in force, m/s, by settings, mode and preset. */
double commands_limit_mps(const commands_t *commands, bool jog);
/* The guards that count for a kind in the present mode; COMMAND_NONE is a jog. */
robot_guards_t commands_guards(const commands_t *commands, command_kind_t kind,
                               const robot_guards_t *guards);
const char *command_name(command_kind_t kind);

#endif
