/* The record of the last command, and the settings of speed. */
#include "commands.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_MS   UINT64_C(1000000)
#define SHARE_LEAST 0.01 /* below, the motors would not turn */

static const double preset_shares[PRESETS] = {
    [PRESET_SLOW] = 0.25, [PRESET_NORMAL] = 0.5, [PRESET_FAST] = 0.75, [PRESET_MAX] = 1.0};

const char *command_name(command_kind_t kind) {
  static const char *const names[COMMANDS] = {
      "none",   "move",  "stop",   "pause",    "resume",     "reset",     "home",       "dock",
      "undock", "speed", "preset", "cargo_up", "cargo_down", "configure", "configured", "shutdown"};
  return (unsigned)kind < COMMANDS ? names[kind] : "?";
}

void commands_init(commands_t *commands, double max_mps) {
  memset(commands, 0, sizeof *commands);
  commands->max_mps = max_mps;
  commands->mode = MODE_MANUAL;
  commands->share = commands->accel_share = commands->decel_share = 1.0;
  commands->preset = PRESET_MAX;
  commands->progress = -1.0;
}

void commands_begin(commands_t *commands, command_kind_t kind, uint32_t timeout_ms,
                    uint64_t now_ns) {
  commands->kind = kind;
  commands->id++;
  commands->state = COMMAND_RUNNING;
  commands->outcome = COMMAND_DONE;
  commands->detail[0] = '\0';
  commands->progress = -1.0;
  commands->deadline_ns = timeout_ms ? now_ns + timeout_ms * NS_PER_MS : 0;
  commands->goal = (command_goal_t){.way = 1, .distance_m = -1.0};
}

void commands_end(commands_t *commands, command_state_t state, const char *detail) {
  commands->state = state;
  commands->deadline_ns = 0;
  if (state == COMMAND_DONE && commands->progress >= 0.0) commands->progress = 1.0;
  if (detail) (void)snprintf(commands->detail, sizeof commands->detail, "%s", detail);
}

void commands_note(commands_t *commands, command_kind_t kind, command_state_t state,
                   const char *detail) {
  if (commands->state == COMMAND_RUNNING) return;
  commands_begin(commands, kind, 0, 0);
  commands_end(commands, state, detail);
}

const char *commands_set_speed(commands_t *commands, const command_t *command, const char **field) {
  const double shares[] = {command->speed, command->acceleration, command->deceleration};
  static const char *const fields[] = {"speed", "acceleration", "deceleration"};
  double *const targets[] = {&commands->share, &commands->accel_share, &commands->decel_share};
  if (command->kind == COMMAND_PRESET) {
    *field = "preset";
    if (command->preset == PRESET_CUSTOM || (unsigned)command->preset >= PRESETS)
      return "name one of slow, normal, fast, max";
    commands->preset = command->preset;
    commands->share = preset_shares[command->preset];
    return NULL;
  }
  *field = "speed";
  if (shares[0] < 0.0 && shares[1] < 0.0 && shares[2] < 0.0)
    return "give a speed, an acceleration or a deceleration";
  for (size_t i = 0; i < 3; i++) {
    *field = fields[i];
    if (shares[i] >= 0.0 && !(shares[i] >= SHARE_LEAST && shares[i] <= 1.0))
      return "a share lies between 0.01 and 1; to stand, send stop";
  }
  for (size_t i = 0; i < 3; i++)
    if (shares[i] >= 0.0) *targets[i] = shares[i];
  if (shares[0] >= 0.0) commands->preset = PRESET_CUSTOM;
  return NULL;
}

double commands_limit_mps(const commands_t *commands, bool jog) {
  return fmin(commands->share * commands->max_mps,
              mode_limit_mps(commands->mode, jog, commands->max_mps));
}

robot_guards_t commands_guards(const commands_t *commands, command_kind_t kind,
                               const robot_guards_t *guards) {
  robot_guards_t out = *guards;
  /* Whoever jogs looks where the robot goes, and may take an empty one to its charger. */
  bool spared = kind == COMMAND_NONE || mode_is_spared(commands->mode);
  if (spared) out.battery_low = false;
  if (spared || kind == COMMAND_UNDOCK) out.pose_lost = false;
  return out;
}
