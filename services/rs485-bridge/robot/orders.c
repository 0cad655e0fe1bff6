/* Orders to the pilot: what each does in which state and mode. */
#include "pilot.h"

#include <math.h>
#include <stdio.h>

#define NS_PER_MS UINT64_C(1000000)

static const robot_guards_t none = {0};

static pilot_answer_t taken(unsigned acts) {
  return (pilot_answer_t){.verdict = PILOT_TAKEN, .acts = acts, .field = ""};
}

static pilot_answer_t refused(pilot_verdict_t verdict, const char *field, const char *why) {
  pilot_answer_t answer = {.verdict = verdict, .field = field};
  (void)snprintf(answer.why, sizeof answer.why, "%s", why);
  return answer;
}

static pilot_answer_t conflict(const char *why) {
  return refused(PILOT_CONFLICT, "", why);
}

/* The state machine's own answer. */
static bool apply(pilot_t pilot, robot_event_t event, const robot_guards_t *guards, uint64_t now_ns,
                  pilot_answer_t *answer) {
  *answer = taken(ACT_CHANGED);
  if (robot_apply(pilot.robot, event, guards, now_ns, answer->why, sizeof answer->why)) return true;
  answer->verdict = PILOT_CONFLICT;
  answer->acts = 0;
  return false;
}

static bool is_running(pilot_t pilot) {
  return pilot.commands->state == COMMAND_RUNNING && robot_may_move(pilot.robot);
}

/* A second order while one is under way; false when nothing is. */
static bool refuse_busy(pilot_t pilot, pilot_answer_t *answer) {
  if (!robot_may_move(pilot.robot)) return false;
  *answer = refused(PILOT_CONFLICT, "", "");
  if (is_running(pilot))
    (void)snprintf(answer->why, sizeof answer->why, "%s is under way; stop it first",
                   command_name(pilot.commands->kind));
  else
    (void)snprintf(answer->why, sizeof answer->why, "a jog is under way; let go first");
  return true;
}

static bool refuse_mode(pilot_t pilot, mode_act_t act, command_kind_t kind,
                        pilot_answer_t *answer) {
  if (mode_allows(pilot.commands->mode, act)) return false;
  *answer = refused(PILOT_CONFLICT, "", "");
  (void)snprintf(
      answer->why, sizeof answer->why, "mode %s does not allow %s; change the mode first",
      mode_name(pilot.commands->mode), kind == COMMAND_NONE ? "a jog" : command_name(kind));
  return true;
}

static void begin(pilot_t pilot, const command_t *command, uint64_t now_ns) {
  commands_t *commands = pilot.commands;
  commands_begin(commands, command->kind, command->timeout_ms, now_ns);
  commands->hold_ns = now_ns + pilot.cfg->dead_man_ms * NS_PER_MS;
}

static pilot_answer_t refuse_long(pilot_t pilot, double distance_m, double speed_mps,
                                  uint32_t limit_ms) {
  pilot_answer_t answer = refused(PILOT_INVALID, "distance", "");
  double ramp_s = 0.5 * speed_mps * (1.0 / pilot.drive->accel_mps2 + 1.0 / pilot.drive->decel_mps2);
  double needs_s = distance_m / speed_mps + ramp_s;
  if (needs_s <= limit_ms * 1e-3) return taken(0);
  (void)snprintf(
      answer.why, sizeof answer.why,
      "%.1f m at %.2f m/s take %.0f s, longer than the %.0f s of a move; send a shorter one",
      distance_m, speed_mps, needs_s, limit_ms * 1e-3);
  return answer;
}

static pilot_answer_t take_move(pilot_t pilot, const command_t *command,
                                const robot_guards_t *guards, const pilot_input_t *input,
                                uint64_t now_ns) {
  commands_t *commands = pilot.commands;
  pilot_answer_t answer;
  bool home = command->kind == COMMAND_HOME;
  double speed_mps = commands_limit_mps(commands, false);
  if (!home && command->speed >= 0.0)
    speed_mps = fmin(speed_mps, command->speed * commands->max_mps);
  if (refuse_busy(pilot, &answer) ||
      refuse_mode(pilot, home ? MODE_HOME : MODE_MOVE, command->kind, &answer))
    return answer;
  if (home && !pilot.cfg->has_home)
    return refused(PILOT_CONFLICT, "home_tag",
                   "no home is known; put the id of a tag on the rail into the setting home_tag");
  if (speed_mps <= 0.0) return refused(PILOT_INVALID, "speed", "to stand, send stop");
  if (!home && command->distance_m == 0.0)
    return refused(PILOT_INVALID, "distance", "a distance is more than 0 m");
  if (!home && command->distance_m > 0.0) {
    answer =
        refuse_long(pilot, command->distance_m, speed_mps, pilot.robot->timeout_ms[ROBOT_MOVE]);
    if (answer.verdict != PILOT_TAKEN) return answer;
  }
  robot_guards_t counts = commands_guards(commands, command->kind, guards);
  if (!apply(pilot, ROBOT_DRIVE, &counts, now_ns, &answer)) return answer;
  bool backward = home ? pilot.cfg->home_backward : command->backward;
  begin(pilot, command, now_ns);
  follow_begin(commands, backward ? -1 : 1, speed_mps, home ? -1.0 : command->distance_m,
               input->path_m, input->tags);
  answer.acts |= ACT_SOON;
  return answer;
}

/* What begins once the dock module has taken its order. */
static void begin_at_dock(pilot_t pilot, const command_t *command, int way, double distance_m,
                          const pilot_input_t *input, uint64_t now_ns) {
  commands_t *commands = pilot.commands;
  begin(pilot, command, now_ns);
  follow_begin(commands, way, commands_limit_mps(commands, false), distance_m, input->path_m,
               input->tags);
  commands->goal.waits = true;
  commands->goal.asked_ns = now_ns;
}

/* Docking may take over from a move: the dock lies on the way. */
static pilot_answer_t take_dock(pilot_t pilot, const command_t *command,
                                const robot_guards_t *guards, uint64_t now_ns,
                                const pilot_input_t *input) {
  pilot_answer_t answer;
  bool moves = pilot.robot->state == ROBOT_MOVE && is_running(pilot) && !pilot.robot->ending &&
               (pilot.commands->kind == COMMAND_MOVE || pilot.commands->kind == COMMAND_HOME);
  if (!moves && refuse_busy(pilot, &answer)) return answer;
  if (refuse_mode(pilot, MODE_DOCK, COMMAND_DOCK, &answer)) return answer;
  if (input->dock_ns != 0 && (input->dock_status & DOCK_DOCKED))
    return conflict("the robot is docked");
  robot_guards_t counts = commands_guards(pilot.commands, COMMAND_DOCK, guards);
  if (!apply(pilot, ROBOT_APPROACH, &counts, now_ns, &answer)) return answer;
  begin_at_dock(pilot, command, 1, -1.0, input, now_ns);
  answer.acts |= ACT_DOCK;
  return answer;
}

/* From the dock, or out of a docking under way. */
static pilot_answer_t take_undock(pilot_t pilot, const command_t *command,
                                  const robot_guards_t *guards, uint64_t now_ns,
                                  const pilot_input_t *input) {
  pilot_answer_t answer;
  bool docking = pilot.robot->state == ROBOT_DOCK && !pilot.robot->ending;
  if (!docking && refuse_busy(pilot, &answer)) return answer;
  if (refuse_mode(pilot, MODE_UNDOCK, COMMAND_UNDOCK, &answer)) return answer;
  if (!docking && !(input->dock_ns != 0 && (input->dock_status & DOCK_DOCKED)))
    return conflict("the robot is not docked");
  if (docking && pilot.drive->setpoint_mps != 0.0)
    return conflict("docking is under way; stop it first");
  robot_guards_t counts = commands_guards(pilot.commands, COMMAND_UNDOCK, guards);
  if (!apply(pilot, ROBOT_DRIVE, &counts, now_ns, &answer)) return answer;
  begin_at_dock(pilot, command, -1, 0.0, input, now_ns);
  answer.acts |= ACT_DOCK_STOP;
  return answer;
}

static pilot_answer_t take_stop(pilot_t pilot, uint64_t now_ns) {
  pilot_answer_t answer;
  if (pilot.robot->latched) return conflict("a stop is latched; the robot stands already");
  if (!robot_may_move(pilot.robot)) {
    commands_note(pilot.commands, COMMAND_STOP, COMMAND_DONE, "the robot stood already");
    return taken(ACT_CHANGED);
  }
  bool docking = pilot.robot->state == ROBOT_DOCK;
  bool ran = is_running(pilot);
  command_kind_t was = pilot.commands->kind;
  if (!apply(pilot, ROBOT_HALT, &none, now_ns, &answer)) return answer;
  drive_halt(pilot.drive);
  if (ran && was == COMMAND_STOP) return answer;
  commands_begin(pilot.commands, COMMAND_STOP, 0, now_ns);
  (void)snprintf(pilot.commands->detail, sizeof pilot.commands->detail, "%s was cancelled",
                 ran ? command_name(was) : "a jog");
  answer.acts |= ACT_SOON | (docking ? ACT_DOCK_STOP : 0u);
  return answer;
}

static pilot_answer_t take_pause(pilot_t pilot, uint64_t now_ns) {
  pilot_answer_t answer;
  if (pilot.robot->state == ROBOT_MOVE && !is_running(pilot))
    return conflict("a jog ends by letting go; only a command can be paused");
  if (!apply(pilot, ROBOT_PAUSE, &none, now_ns, &answer)) return answer;
  drive_halt(pilot.drive);
  (void)snprintf(pilot.commands->detail, sizeof pilot.commands->detail, "paused by command");
  answer.acts |= ACT_SOON;
  return answer;
}

static pilot_answer_t take_resume(pilot_t pilot, const robot_guards_t *guards, uint64_t now_ns) {
  pilot_answer_t answer;
  robot_guards_t counts = commands_guards(pilot.commands, pilot.commands->kind, guards);
  if (!apply(pilot, ROBOT_RESUME, &counts, now_ns, &answer)) return answer;
  pilot.commands->hold_ns = now_ns + pilot.cfg->dead_man_ms * NS_PER_MS;
  pilot.commands->detail[0] = '\0';
  answer.acts |= ACT_SOON;
  return answer;
}

static pilot_answer_t take_speed(pilot_t pilot, const command_t *command) {
  pilot_answer_t answer;
  const char *field = "";
  if (refuse_mode(pilot, MODE_SPEED, command->kind, &answer)) return answer;
  const char *why = commands_set_speed(pilot.commands, command, &field);
  if (why) return refused(PILOT_INVALID, field, why);
  commands_note(pilot.commands, command->kind, COMMAND_DONE, "");
  return taken(ACT_CHANGED);
}

static pilot_answer_t take_configure(pilot_t pilot, const command_t *command,
                                     const robot_guards_t *guards, uint64_t now_ns) {
  pilot_answer_t answer;
  if (refuse_busy(pilot, &answer) || refuse_mode(pilot, MODE_CONFIGURE, command->kind, &answer))
    return answer;
  if (apply(pilot, ROBOT_CONFIGURE, guards, now_ns, &answer)) begin(pilot, command, now_ns);
  return answer;
}

static pilot_answer_t take_configured(pilot_t pilot, uint64_t now_ns) {
  pilot_answer_t answer;
  if (pilot.robot->state != ROBOT_CONFIG) return conflict("the robot is not being configured");
  if (apply(pilot, ROBOT_CONFIGURED, &none, now_ns, &answer))
    commands_end(pilot.commands, COMMAND_DONE, "");
  return answer;
}

static pilot_answer_t take_shutdown(pilot_t pilot, uint64_t now_ns) {
  pilot_answer_t answer;
  if (refuse_busy(pilot, &answer)) return answer;
  if (apply(pilot, ROBOT_SHUT_DOWN, &none, now_ns, &answer))
    commands_note(pilot.commands, COMMAND_SHUTDOWN, COMMAND_DONE, "restart the bridge to go on");
  return answer;
}

pilot_answer_t pilot_take(pilot_t pilot, const command_t *command, const robot_guards_t *guards,
                          const pilot_input_t *input, uint64_t now_ns) {
  switch (command->kind) {
  case COMMAND_MOVE:
  case COMMAND_HOME:
    return take_move(pilot, command, guards, input, now_ns);
  case COMMAND_DOCK:
    return take_dock(pilot, command, guards, now_ns, input);
  case COMMAND_UNDOCK:
    return take_undock(pilot, command, guards, now_ns, input);
  case COMMAND_STOP:
    return take_stop(pilot, now_ns);
  case COMMAND_PAUSE:
    return take_pause(pilot, now_ns);
  case COMMAND_RESUME:
    return take_resume(pilot, guards, now_ns);
  case COMMAND_SPEED:
  case COMMAND_PRESET:
    return take_speed(pilot, command);
  case COMMAND_CONFIGURE:
    return take_configure(pilot, command, guards, now_ns);
  case COMMAND_CONFIGURED:
    return take_configured(pilot, now_ns);
  case COMMAND_SHUTDOWN:
    return take_shutdown(pilot, now_ns);
  default:
    return refused(PILOT_INVALID, "kind", "name a command");
  }
}

pilot_answer_t pilot_jog(pilot_t pilot, double share, bool backward, uint32_t hold_ms,
                         const robot_guards_t *guards, uint64_t now_ns) {
  pilot_answer_t answer;
  commands_t *commands = pilot.commands;
  if (is_running(pilot) && commands->kind != COMMAND_STOP) {
    if (!mode_is_held(commands->mode) || !robot_may_drive(pilot.robot)) {
      (void)refuse_busy(pilot, &answer);
      return answer;
    }
    commands->hold_ns = now_ns + hold_ms * NS_PER_MS;
    return taken(0);
  }
  if (refuse_mode(pilot, MODE_JOG, COMMAND_NONE, &answer)) return answer;
  robot_guards_t counts = commands_guards(commands, COMMAND_NONE, guards);
  bool began = pilot.robot->state == ROBOT_IDLE;
  if (!apply(pilot, ROBOT_DRIVE, &counts, now_ns, &answer)) return answer;
  if (commands->state == COMMAND_RUNNING)
    commands_end(commands, COMMAND_CANCELLED, "a jog took over");
  drive_command(pilot.drive, share, backward, hold_ms, now_ns);
  answer.acts = began ? ACT_CHANGED | ACT_SOON : 0u;
  return answer;
}

pilot_answer_t pilot_set_mode(pilot_t pilot, mode_id_t mode) {
  if ((unsigned)mode >= MODES) return refused(PILOT_INVALID, "mode", "name a mode");
  if (robot_may_move(pilot.robot) || pilot.robot->state == ROBOT_CONFIG)
    return conflict("the mode changes only while nothing is under way; stop first");
  pilot.commands->mode = mode;
  return taken(ACT_CHANGED);
}
