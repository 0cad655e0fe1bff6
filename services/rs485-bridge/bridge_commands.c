/* Commands and modes: requests to the pilot, and what it needs to know. */
#include "bridge_internal.h"

#include <stdio.h>
#include <strings.h>

#include <gantry/clock.h>

#define DEAD_MAN_MS 500 /* longest hold of a drive command */

static double real(const bridge_t *bridge, const char *key) {
  return config_real(bridge->service->config, key);
}

static const char *text(const bridge_t *bridge, const char *key) {
  return config_text(bridge->service->config, key);
}

pilot_t bridge_pilot(bridge_t *bridge) {
  return (pilot_t){.cfg = &bridge->pilot_cfg,
                   .robot = &bridge->robot,
                   .drive = &bridge->drive,
                   .commands = &bridge->commands};
}

pilot_input_t bridge_pilot_input(const bridge_t *bridge) {
  const zones_verdict_t *verdict = &bridge->verdict;
  const dock_state_t *dock = &bridge->dock;
  const char *home = text(bridge, "home_tag");
  bool seen = !bridge->reporting && verdict->clearance_m >= 0.0;
  return (pilot_input_t){.path_m = bridge->motion.path_m,
                         .speed_mps = bridge->motion.speed_mps,
                         .path_ns = bridge->motion_ns,
                         .at_home = home[0] && strcasecmp(home, bridge->tag_id) == 0,
                         .tags = bridge->tags,
                         .near = bridge->watch.verdict.pause,
                         .clearance_m = seen ? verdict->clearance_m : -1.0,
                         .dock_status = dock->status,
                         .dock_distance_m = dock->distance_m,
                         .approach_mps = dock->approach_mps,
                         .final_mps = dock->final_mps,
                         .dock_ns = dock->heard_ns};
}

void bridge_commands_init(bridge_t *bridge) {
  config_t *config = bridge->service->config;
  commands_init(&bridge->commands, real(bridge, "max_speed"));
  bridge->pilot_cfg = (pilot_cfg_t){.has_home = text(bridge, "home_tag")[0] != '\0',
                                    .home_backward = config_bool(config, "home_backward"),
                                    .stop_m = real(bridge, "zone_stop"),
                                    .dead_man_ms = DEAD_MAN_MS};
  robot_set_timeout(&bridge->robot, ROBOT_MOVE, (uint32_t)(1000.0 * real(bridge, "move_timeout")));
  robot_set_timeout(&bridge->robot, ROBOT_PAUSED,
                    (uint32_t)(1000.0 * real(bridge, "pause_timeout")));
  robot_set_timeout(&bridge->robot, ROBOT_DOCK, (uint32_t)(1000.0 * real(bridge, "dock_timeout")));
  bridge->told.state = bridge->robot.state;
}

void bridge_refuse(rpc_context_t *call, const pilot_answer_t *answer) {
  rpc_fail(call, answer->verdict == PILOT_INVALID ? GANTRY_E_INVALID : GANTRY_E_CONFLICT,
           answer->field, "%s", answer->why);
}

void bridge_config_failed(bridge_t *bridge, const char *setting) {
  char detail[96];
  if (bridge->robot.state != ROBOT_CONFIG) return;
  (void)snprintf(detail, sizeof detail, "it is not known whether %s was set; read it back",
                 setting);
  bridge_stop(bridge, STOP_CONFIG, detail, clock_mono_ns(), NULL);
}

static command_t command_of(const robot_command_t *takes) {
  return (command_t){.kind = (command_kind_t)takes->kind,
                     .backward =
                         takes->has_direction && takes->direction == ROBOT_DIRECTION_BACKWARD,
                     .speed = takes->has_speed ? takes->speed : -1.0,
                     .distance_m = takes->has_distance ? takes->distance : -1.0,
                     .acceleration = takes->has_acceleration ? takes->acceleration : -1.0,
                     .deceleration = takes->has_deceleration ? takes->deceleration : -1.0,
                     .preset = takes->has_preset ? (preset_t)takes->preset : PRESET_CUSTOM,
                     .timeout_ms = takes->has_timeout_ms ? takes->timeout_ms : 0};
}

static void describe(const robot_command_t *takes, char *out, size_t size) {
  size_t len =
      (size_t)snprintf(out, size, "%s", desc_enum_text(&ROBOT_COMMAND_KIND_ENUM, (int)takes->kind));
  if (takes->kind == ROBOT_COMMAND_KIND_MOVE && len < size)
    len += (size_t)snprintf(out + len, size - len, " %s",
                            takes->has_direction && takes->direction ? "backward" : "forward");
  if (takes->has_distance && len < size)
    len += (size_t)snprintf(out + len, size - len, " by %.3f m", takes->distance);
  if (takes->has_speed && len < size)
    len += (size_t)snprintf(out + len, size - len, " at %.0f %%", 100.0 * takes->speed);
  if (takes->has_preset && len < size)
    (void)snprintf(out + len, size - len, " %s",
                   desc_enum_text(&ROBOT_PRESET_ENUM, (int)takes->preset));
}

void bridge_reply_status(bridge_t *bridge, rpc_context_t *call, command_kind_t kind) {
  robot_status_t status;
  bridge_fill_status(bridge, &status);
  if (kind != COMMAND_NONE && status.command != (robot_command_kind_t)kind) {
    status.command = (robot_command_kind_t)kind; /* done, beside the one that runs */
    status.command_state = ROBOT_COMMAND_STATE_DONE;
    status.has_progress = false;
    status.command_detail[0] = '\0';
  }
  rpc_reply(call, &status);
}

/* Something is to begin to move that way, by itself. */
static bool refuse_way(bridge_t *bridge, rpc_context_t *call, const command_t *command,
                       uint64_t now_ns) {
  robot_state_t state = bridge->robot.state;
  bool stands = state == ROBOT_IDLE || state == ROBOT_PAUSED ||
                (state == ROBOT_DOCK && command->kind == COMMAND_UNDOCK);
  int way = command->backward ? -1 : 1;
  if (command->kind == COMMAND_HOME && bridge->pilot_cfg.home_backward) way = -1;
  if (command->kind == COMMAND_UNDOCK) way = -1;
  if (command->kind == COMMAND_RESUME) way = bridge->commands.goal.way;
  bool moves = command->kind == COMMAND_MOVE || command->kind == COMMAND_HOME ||
               command->kind == COMMAND_UNDOCK || command->kind == COMMAND_RESUME;
  return moves && stands && bridge_refuse_way(bridge, call, way, true, now_ns);
}

static void on_command(rpc_context_t *call, const void *takes, void *arg) {
  bridge_t *bridge = arg;
  const robot_command_t *wanted = takes;
  command_t command = command_of(wanted);
  uint64_t now_ns = clock_mono_ns();
  char what[96];
  describe(wanted, what, sizeof what);
  if (command.kind == COMMAND_CARGO_UP || command.kind == COMMAND_CARGO_DOWN) {
    bridge_cargo(bridge, call, command.kind, wanted->has_position ? wanted->position : -1.0);
    return;
  }
  if (command.kind == COMMAND_RESET) {
    robot_estop_reset_t reset = {.safe_confirm = wanted->has_safe_confirm && wanted->safe_confirm,
                                 .location_ok = wanted->has_location_ok && wanted->location_ok};
    if (bridge_reset(bridge, call, &reset)) bridge_reply_status(bridge, call, COMMAND_RESET);
    return;
  }
  char actor[51];
  (void)snprintf(actor, sizeof actor, "%s", rpc_actor(call));
  if (refuse_way(bridge, call, &command, now_ns)) {
    bridge_audit(bridge, actor, "robot.command", false, what);
    return;
  }
  robot_guards_t guards = bridge_guards(bridge);
  pilot_input_t input = bridge_pilot_input(bridge);
  pilot_answer_t answer = pilot_take(bridge_pilot(bridge), &command, &guards, &input, now_ns);
  bool taken = answer.verdict == PILOT_TAKEN;
  if (taken) {
    (void)snprintf(bridge->told.command_actor, sizeof bridge->told.command_actor, "%s", actor);
    (void)snprintf(bridge->told.command_what, sizeof bridge->told.command_what, "%s", what);
    bridge_act(bridge, answer.acts, now_ns);
    bridge_reply_status(bridge, call, command.kind);
    log_info("COMMAND-TAKEN", "%s", what);
  } else {
    bridge_refuse(call, &answer);
  }
  bridge_audit(bridge, actor, "robot.command", taken, taken ? what : answer.why);
}

static void on_status(rpc_context_t *call, const void *takes, void *arg) {
  (void)takes;
  bridge_reply_status(arg, call, COMMAND_NONE);
}

static void on_mode(rpc_context_t *call, const void *takes, void *arg) {
  bridge_t *bridge = arg;
  const robot_mode_set_t *wanted = takes;
  char actor[51], what[192];
  (void)snprintf(actor, sizeof actor, "%s", rpc_actor(call));
  pilot_answer_t answer = pilot_set_mode(bridge_pilot(bridge), (mode_id_t)wanted->mode);
  bool taken = answer.verdict == PILOT_TAKEN;
  (void)snprintf(what, sizeof what, "mode %s%s%s", mode_name((mode_id_t)wanted->mode),
                 wanted->reason[0] ? ": " : "", wanted->reason);
  if (taken) {
    bridge_tell(bridge);
    bridge_reply_status(bridge, call, COMMAND_NONE);
  } else {
    bridge_refuse(call, &answer);
  }
  bridge_audit(bridge, actor, "robot.mode", taken, taken ? what : answer.why);
}

void bridge_fill_limits(const bridge_t *bridge, robot_limits_t *out) {
  const zones_cfg_t *zones = &bridge->zones.cfg;
  double max_mps = bridge->drive.cfg.max_mps;
  *out = (robot_limits_t){.max_speed = max_mps,
                          .max_acceleration = bridge->drive.cfg.accel_mps2,
                          .max_deceleration = bridge->drive.cfg.decel_mps2,
                          .zone_stop = zones->stop_m,
                          .zone_slow = zones->slow_m,
                          .zone_clear = zones->clear_m,
                          .battery_min = bridge->watch.supervisor.cfg.battery_min,
                          .dead_man_ms = DEAD_MAN_MS,
                          .emergency_speed = mode_limit_mps(MODE_EMERGENCY, false, max_mps)};
}

static void on_limits(rpc_context_t *call, const void *takes, void *arg) {
  robot_limits_t limits;
  (void)takes;
  bridge_fill_limits(arg, &limits);
  rpc_reply(call, &limits);
}

gantry_err_t bridge_commands_serve(bridge_t *bridge) {
  rpc_server_t *server = bridge->service->server;
  GANTRY_TRY(rpc_serve(server, REQUEST_ROBOT_COMMAND, on_command, bridge));
  GANTRY_TRY(rpc_serve(server, REQUEST_ROBOT_STATUS, on_status, bridge));
  GANTRY_TRY(rpc_serve(server, REQUEST_ROBOT_MODE, on_mode, bridge));
  return rpc_serve(server, REQUEST_ROBOT_LIMITS, on_limits, bridge);
}
