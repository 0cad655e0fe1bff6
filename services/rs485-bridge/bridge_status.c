/* robot.status and robot.led; and what follows from a change of state. */
#include "bridge_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

static_assert((int)COMMAND_SHUTDOWN == (int)ROBOT_COMMAND_KIND_SHUTDOWN, "command codes agree");
static_assert((int)COMMAND_CANCELLED == (int)ROBOT_COMMAND_STATE_CANCELLED, "outcomes agree");
static_assert((int)PRESET_MAX == (int)ROBOT_PRESET_MAX, "preset codes agree");
static_assert((int)MODE_EMERGENCY == (int)ROBOT_MODE_EMERGENCY, "mode codes agree");
static_assert((int)WORD_PAUSED == (int)ROBOT_WORD_PAUSED, "words agree");
static_assert((int)LAMP_PULSE == (int)ROBOT_LED_PATTERN_PULSE, "lamp patterns agree");

#define LED_NS  (1000 * (uint64_t)GANTRY_NS_PER_MS)
#define KEPT_NS (1000 * (uint64_t)GANTRY_NS_PER_MS)

/* Why a move would be refused now, tried on a copy. */
static void fill_ready(bridge_t *bridge, uint64_t now_ns, robot_status_t *out) {
  robot_t robot = bridge->robot;
  robot_guards_t guards = bridge_guards(bridge);
  bool by_command = mode_allows(bridge->commands.mode, MODE_MOVE);
  guards = commands_guards(&bridge->commands, by_command ? COMMAND_MOVE : COMMAND_NONE, &guards);
  if (robot_may_move(&robot))
    (void)snprintf(out->waits_for, sizeof out->waits_for, "%s is under way",
                   bridge->commands.state == COMMAND_RUNNING ? command_name(bridge->commands.kind)
                                                             : "a jog");
  else if (robot.latched)
    (void)snprintf(out->waits_for, sizeof out->waits_for, "stopped: %.70s; %s", robot.detail,
                   bridge->stop.active ? "the motors are not read back off yet"
                                       : "see to it, then reset with a confirmation");
  else if (bridge->stop.active)
    (void)snprintf(out->waits_for, sizeof out->waits_for, "the motors are being read back");
  else
    out->ready =
        robot_apply(&robot, ROBOT_DRIVE, &guards, now_ns, out->waits_for, sizeof out->waits_for);
  if (!out->ready && !guards.modules_online && !robot.latched)
    (void)bridge_missing(bridge, out->waits_for, sizeof out->waits_for);
}

void bridge_fill_status(bridge_t *bridge, robot_status_t *out) {
  const commands_t *commands = &bridge->commands;
  uint64_t now_ns = clock_mono_ns();
  *out = (robot_status_t){
      .state = (robot_fsm_state_t)bridge->robot.state,
      .word = (robot_word_t)word_of(bridge->robot.state,
                                    bridge->power.charging == ROBOT_CHARGE_CHARGING),
      .mode = (robot_mode_t)commands->mode,
      .in_state = clock_age_ms(now_ns, bridge->robot.since_ns) / 1000.0,
      .command = (robot_command_kind_t)commands->kind,
      .command_id = commands->id,
      .command_state = (robot_command_state_t)commands->state,
      .has_progress = commands->progress >= 0.0,
      .progress = commands->progress >= 0.0 ? commands->progress : 0.0,
      .speed_limit = pilot_limit_mps(bridge_pilot(bridge)) * bridge->verdict.factor,
      .speed_share = commands->share,
      .acceleration = commands->accel_share * bridge->drive.cfg.accel_mps2,
      .deceleration = commands->decel_share * bridge->drive.cfg.decel_mps2,
      .preset = (robot_preset_t)commands->preset,
      .dock_status = bridge->dock.status,
      .docked = (bridge->dock.status & DOCK_DOCKED) != 0};
  (void)snprintf(out->command_detail, sizeof out->command_detail, "%s", commands->detail);
  bridge_describe(bridge, out->degraded, sizeof out->degraded);
  fill_ready(bridge, now_ns, out);
}

static void publish_led(bridge_t *bridge) {
  lamps_t lamps = lamps_of(bridge->robot.state);
  robot_led_t led = {.power = (robot_led_pattern_t)lamps.power,
                     .system = (robot_led_pattern_t)lamps.system,
                     .comm = (robot_led_pattern_t)lamps.comm,
                     .net = (robot_led_pattern_t)lamps.net,
                     .error = (robot_led_pattern_t)lamps.error};
  bridge->told.led_ns = clock_mono_ns();
  (void)bus_publish(bridge->service->bus, TOPIC_ROBOT_LED, NULL, &led);
}

void bridge_publish_limits(bridge_t *bridge) {
  robot_limits_t limits;
  bridge_fill_limits(bridge, &limits);
  (void)bus_publish(bridge->service->bus, TOPIC_ROBOT_LIMITS, NULL, &limits);
}

void bridge_publish_status(void *arg) {
  bridge_t *bridge = arg;
  robot_status_t status;
  bridge_fill_status(bridge, &status);
  (void)bus_publish(bridge->service->bus, TOPIC_ROBOT_STATUS, NULL, &status);
  if (clock_mono_ns() - bridge->told.led_ns < LED_NS) return;
  publish_led(bridge);
  bridge_publish_limits(bridge);
}

/* A bridge that dies while the robot drives finds that on the disk, and starts stopped. */
static void keep_drive(bridge_t *bridge) {
  bool moves = robot_may_move(&bridge->robot);
  if (moves == bridge->told.moved) return;
  bridge->told.moved = moves;
  if (moves)
    latch_keeper_set(bridge->latch, STOP_RESTART,
                     "the bridge was restarted while the robot was driving");
  else if (!bridge->robot.latched)
    latch_keeper_set(bridge->latch, STOP_NONE, "");
}

static void say_state(bridge_t *bridge, robot_state_t before) {
  char text[128];
  (void)snprintf(text, sizeof text, "%s to %s", robot_state_name(before),
                 robot_state_name(bridge->robot.state));
  log_info("STATE-CHANGED", "%s", text);
  bridge_event(bridge, "STATE-CHANGED", SYS_CATEGORY_STATE, SYS_SEVERITY_INFO, "robot", text);
  bridge_publish_safety(bridge);
  publish_led(bridge);
}

static void say_command(bridge_t *bridge) {
  static const char *const words[] = {"is told", "has begun", "is done", "has failed",
                                      "was cancelled"};
  const commands_t *commands = &bridge->commands;
  char text[192];
  (void)snprintf(text, sizeof text, "%s %s%s%s", command_name(commands->kind),
                 words[commands->state], commands->detail[0] ? ": " : "", commands->detail);
  bool failed = commands->state == COMMAND_FAILED;
  log_info("COMMAND-CHANGED", "%s", text);
  bridge_event(bridge, failed ? "COMMAND-FAILED" : "COMMAND-CHANGED", SYS_CATEGORY_STATE,
               failed ? SYS_SEVERITY_WARNING : SYS_SEVERITY_INFO, "robot", text);
}

/* For the history of commands. */
static void publish_commanded(bridge_t *bridge) {
  const commands_t *commands = &bridge->commands;
  robot_commanded_t commanded = {.id = commands->id,
                                 .kind = (robot_command_kind_t)commands->kind,
                                 .state = (robot_command_state_t)commands->state};
  if (commands->id == 0) return;
  (void)snprintf(commanded.what, sizeof commanded.what, "%s", bridge->told.command_what);
  (void)snprintf(commanded.actor, sizeof commanded.actor, "%s", bridge->told.command_actor);
  (void)snprintf(commanded.detail, sizeof commanded.detail, "%s", commands->detail);
  (void)bus_publish(bridge->service->bus, TOPIC_ROBOT_COMMANDED, NULL, &commanded);
}

static void say_overdue(bridge_t *bridge) {
  char why[128] = "", text[192];
  robot_t robot = bridge->robot;
  robot_guards_t guards = bridge_guards(bridge);
  (void)robot_apply(&robot, ROBOT_INIT_COMPLETE, &guards, clock_mono_ns(), why, sizeof why);
  (void)snprintf(text, sizeof text, "not ready after %.0f s, still waiting: %s",
                 robot.timeout_ms[ROBOT_INIT] / 1000.0, why);
  log_warn("INIT-OVERDUE", "%s", text);
  bridge_event(bridge, "INIT-OVERDUE", SYS_CATEGORY_STATE, SYS_SEVERITY_WARNING, "robot", text);
}

/* A stop from before the restart, as an event. Not at once: whoever keeps events has to have found
 * the new process first. */
static void say_kept(bridge_t *bridge) {
  char text[192];
  if (bridge->told.kept || bridge->robot.state != ROBOT_SAFE ||
      clock_mono_ns() - bridge->robot.since_ns < KEPT_NS)
    return;
  bridge->told.kept = true;
  (void)snprintf(text, sizeof text, "started with a latched stop: %s", bridge->robot.detail);
  bridge_event(bridge, "STOP-KEPT", SYS_CATEGORY_STATE, SYS_SEVERITY_CRITICAL, "robot", text);
}

void bridge_tell(bridge_t *bridge) {
  told_t *told = &bridge->told;
  const commands_t *commands = &bridge->commands;
  robot_state_t before = told->state;
  bool state = told->state != bridge->robot.state;
  bool command = told->command_id != commands->id || told->command_state != commands->state;
  bool overdue = bridge->robot.overdue && !told->overdue;
  bool mode = told->mode != commands->mode;
  told->state = bridge->robot.state;
  told->command_id = commands->id;
  told->command_state = commands->state;
  told->mode = commands->mode;
  told->overdue = bridge->robot.overdue;
  keep_drive(bridge);
  bridge_cargo_off(bridge);
  bridge_dock_end(bridge);
  if (state) say_state(bridge, before);
  if (command) {
    say_command(bridge);
    publish_commanded(bridge);
  }
  if (overdue) say_overdue(bridge);
  say_kept(bridge);
  if (mode) log_info("MODE-CHANGED", "mode %s", mode_name(commands->mode));
  if (state || command || mode) bridge_publish_status(bridge);
}
