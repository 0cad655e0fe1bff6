/* Modes: who may drive, and how fast; and the words and lamps that tell the robot's state. Pure
   tables; docs/robot.md shows them. */
#ifndef BRIDGE_MODES_H
#define BRIDGE_MODES_H

#include "robot_state.h"

/* Codes of enum robot.mode. */
typedef enum mode_id {
  MODE_AUTO,
  MODE_MANUAL,
  MODE_SEMI,
  MODE_MAINTENANCE,
  MODE_EMERGENCY,
  MODES
} mode_id_t;

/* What a mode may allow. Stop, pause, resume, reset and shut-down are allowed in all. */
typedef enum mode_act {
  MODE_JOG = 1,
  MODE_MOVE = 2,
  MODE_HOME = 4,
  MODE_DOCK = 8,
  MODE_UNDOCK = 16,
  MODE_CARGO = 32,
  MODE_SPEED = 64,
  MODE_CONFIGURE = 128,
  MODE_WRITE = 256 /* of registers, by hand */
} mode_act_t;

#define MODE_SLOW_SHARE 0.25 /* of the highest speed, in maintenance */
#define MODE_CREEP_MPS  0.1  /* jog in emergency */
#define MODE_SAFETY_MPS 0.5  /* commands in emergency */

bool mode_allows(mode_id_t mode, mode_act_t act);
/* Highest speed of a jog or of a command, m/s, of max_mps at most. */
double mode_limit_mps(mode_id_t mode, bool jog, double max_mps);
/* Whether a command moves only while the dead man is held. */
bool mode_is_held(mode_id_t mode);
/* Whether battery and pose do not count: to get out of a bad place. */
bool mode_is_spared(mode_id_t mode);
const char *mode_name(mode_id_t mode);

/* Codes of enum robot.word: the state in the vocabulary of the web API. */
typedef enum state_word {
  WORD_IDLE,
  WORD_MOVING,
  WORD_DOCKING,
  WORD_CHARGING,
  WORD_ERROR,
  WORD_EMERGENCY_STOP,
  WORD_PAUSED
} word_t;

/* charging: the charger is at work. */
word_t word_of(robot_state_t state, bool charging);

/* Codes of enum robot.led_pattern; slow is 1 Hz, fast 5 Hz. */
typedef enum lamp { LAMP_OFF, LAMP_ON, LAMP_SLOW, LAMP_FAST, LAMP_PULSE } lamp_t;

typedef struct lamps {
  lamp_t power, system, comm, net, error;
} lamps_t;

lamps_t lamps_of(robot_state_t state);

#endif
