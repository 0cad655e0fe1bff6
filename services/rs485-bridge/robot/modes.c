/* Tables of modes, words and lamps. */
#include "modes.h"

#include <math.h>

static const struct {
  const char *name;
  unsigned acts;
} modes[MODES] = {
    [MODE_AUTO] = {"auto",
                   MODE_MOVE | MODE_HOME | MODE_DOCK | MODE_UNDOCK | MODE_CARGO | MODE_SPEED},
    [MODE_MANUAL] = {"manual", MODE_JOG | MODE_CARGO | MODE_SPEED | MODE_WRITE},
    [MODE_SEMI] = {"semi", MODE_JOG | MODE_MOVE | MODE_HOME | MODE_DOCK | MODE_UNDOCK | MODE_CARGO |
                               MODE_SPEED},
    [MODE_MAINTENANCE] = {"maintenance",
                          MODE_JOG | MODE_CARGO | MODE_SPEED | MODE_CONFIGURE | MODE_WRITE},
    [MODE_EMERGENCY] = {"emergency", MODE_JOG | MODE_HOME | MODE_UNDOCK},
};

bool mode_allows(mode_id_t mode, mode_act_t act) {
  return (unsigned)mode < MODES && (modes[mode].acts & (unsigned)act) != 0;
}

const char *mode_name(mode_id_t mode) {
  return (unsigned)mode < MODES ? modes[mode].name : "?";
}

double mode_limit_mps(mode_id_t mode, bool jog, double max_mps) {
  if (mode == MODE_MAINTENANCE) return MODE_SLOW_SHARE * max_mps;
  if (mode == MODE_EMERGENCY) return fmin(max_mps, jog ? MODE_CREEP_MPS : MODE_SAFETY_MPS);
  return max_mps;
}

bool mode_is_held(mode_id_t mode) {
  return mode == MODE_SEMI;
}

bool mode_is_spared(mode_id_t mode) {
  return mode == MODE_EMERGENCY;
}

/* BOOT and INIT take no order and end by themselves only if every module comes: to whoever knows
   these seven words that is an error, not idleness. CONFIG stands by order and goes on after it. */
word_t word_of(robot_state_t state, bool charging) {
  switch (state) {
  case ROBOT_IDLE:
    return charging ? WORD_CHARGING : WORD_IDLE;
  case ROBOT_MOVE:
    return WORD_MOVING;
  case ROBOT_DOCK:
    return WORD_DOCKING;
  case ROBOT_PAUSED:
  case ROBOT_CONFIG:
    return WORD_PAUSED;
  case ROBOT_ESTOP:
  case ROBOT_SAFE:
    return WORD_EMERGENCY_STOP;
  default:
    return WORD_ERROR;
  }
}

lamps_t lamps_of(robot_state_t state) {
  static const lamps_t lamps[ROBOT_STATES] = {
      [ROBOT_BOOT] = {LAMP_FAST, LAMP_FAST, LAMP_OFF, LAMP_OFF, LAMP_OFF},
      [ROBOT_INIT] = {LAMP_SLOW, LAMP_SLOW, LAMP_OFF, LAMP_OFF, LAMP_OFF},
      [ROBOT_IDLE] = {LAMP_ON, LAMP_ON, LAMP_SLOW, LAMP_ON, LAMP_OFF},
      [ROBOT_MOVE] = {LAMP_ON, LAMP_FAST, LAMP_ON, LAMP_ON, LAMP_OFF},
      [ROBOT_DOCK] = {LAMP_ON, LAMP_PULSE, LAMP_ON, LAMP_ON, LAMP_OFF},
      [ROBOT_PAUSED] = {LAMP_ON, LAMP_PULSE, LAMP_ON, LAMP_ON, LAMP_OFF},
      [ROBOT_CONFIG] = {LAMP_ON, LAMP_SLOW, LAMP_SLOW, LAMP_ON, LAMP_OFF},
      [ROBOT_SAFE] = {LAMP_ON, LAMP_ON, LAMP_OFF, LAMP_OFF, LAMP_SLOW},
      [ROBOT_FAULT] = {LAMP_ON, LAMP_OFF, LAMP_OFF, LAMP_OFF, LAMP_FAST},
      [ROBOT_ESTOP] = {LAMP_ON, LAMP_OFF, LAMP_OFF, LAMP_OFF, LAMP_ON},
      [ROBOT_SHUTDOWN] = {LAMP_SLOW, LAMP_OFF, LAMP_OFF, LAMP_OFF, LAMP_OFF},
  };
  return (unsigned)state < ROBOT_STATES ? lamps[state] : (lamps_t){0};
}
