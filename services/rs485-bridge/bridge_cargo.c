/* Cargo: the lifter is enabled and told where to go. It moves by itself; a latched stop takes its
 * enable away. */
#include "bridge_internal.h"

#include <math.h>
#include <stdio.h>

#include <gantry/clock.h>

#define ANSWER_US 20000u

enum { CARGO_ENABLE, CARGO_TARGET, CARGO_OFF, CARGO_JOBS };

static const register_module_t *lifter_of(const bridge_t *bridge) {
  return registers_module(bridge->profile, "lifter");
}

static bool submit(bridge_t *bridge, uint32_t index, const register_row_t *row, uint16_t value) {
  if (!row || !bridge->port) return false;
  job_t job = {.tag = TAG_CARGO + index,
               .lane = JOB_COMMAND,
               .unit = lifter_of(bridge)->address,
               .function = LINE_WRITE_ONE,
               .first = row->address,
               .count = 1,
               .values = {value},
               .answer_us = ANSWER_US,
               .retries = 1,
               .poll = JOB_NO_POLL};
  return port_submit(bridge->port, &job);
}

static bool is_online(const bridge_t *bridge) {
  const module_row_t *row = bridge_module(bridge, "lifter");
  return row && row->state == MODULE_ONLINE;
}

/* True when it has refused. */
static bool refuse(bridge_t *bridge, rpc_context_t *call, const register_row_t *target) {
  const register_module_t *lifter = lifter_of(bridge);
  mode_id_t mode = bridge->commands.mode;
  if (!lifter || !target)
    rpc_fail(
        call, GANTRY_E_UNAVAILABLE, "",
        "cargo needs a lifter module, and profile %s knows no target of one; load one that does",
        bridge->profile->name);
  else if (!is_online(bridge))
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "",
             "cargo needs the lifter module at 0x%02X, and none answers there", lifter->address);
  else if (!mode_allows(mode, MODE_CARGO))
    rpc_fail(call, GANTRY_E_CONFLICT, "", "mode %s does not allow cargo; change the mode first",
             mode_name(mode));
  else if (bridge->robot.state != ROBOT_IDLE)
    rpc_fail(call, GANTRY_E_CONFLICT, "",
             "cargo moves only while the robot is idle, and it is in %s",
             robot_state_name(bridge->robot.state));
  else if (bridge->cargo.call)
    rpc_fail(call, GANTRY_E_CONFLICT, "", "the lifter is being told already; try again");
  else
    return false;
  return true;
}

void bridge_cargo(bridge_t *bridge, rpc_context_t *call, command_kind_t kind, double position) {
  const register_module_t *lifter = lifter_of(bridge);
  const register_row_t *target = registers_find(lifter, "target");
  if (refuse(bridge, call, target)) return;
  double share = position >= 0.0 ? position : kind == COMMAND_CARGO_UP ? 1.0 : 0.0;
  (void)submit(bridge, CARGO_ENABLE, registers_find(lifter, "enable"), 1);
  if (!submit(bridge, CARGO_TARGET, target, (uint16_t)lround(share / target->scale))) {
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "the RS485 port takes no request now");
    return;
  }
  bridge->cargo = (cargo_t){.call = call, .kind = kind, .share = share, .told = true};
}

void bridge_cargo_off(bridge_t *bridge) {
  if (!bridge->cargo.told) return;
  bridge->cargo.told = false;
  (void)submit(bridge, CARGO_OFF, registers_find(lifter_of(bridge), "enable"), 0);
}

void bridge_on_cargo_result(bridge_t *bridge, const port_result_t *result) {
  rpc_context_t *call = bridge->cargo.call;
  char actor[51], what[96];
  if (result->job.tag != TAG_CARGO + CARGO_TARGET || !call) return;
  bridge->cargo.call = NULL;
  bool taken = result->outcome == RTU_OK;
  (void)snprintf(actor, sizeof actor, "%s", rpc_actor(call));
  (void)snprintf(what, sizeof what, "the lifter %s %.0f %%", taken ? "goes to" : "did not take",
                 100.0 * bridge->cargo.share);
  if (taken) {
    commands_note(&bridge->commands, bridge->cargo.kind, COMMAND_DONE, what);
    bridge_tell(bridge);
    bridge_reply_status(bridge, call, bridge->cargo.kind);
  } else {
    rpc_fail(call, GANTRY_E_DEVICE, "", "%s: %s", what,
             result->outcome == RTU_EXCEPTION ? rtu_exception_text(result->exception)
                                              : rtu_outcome_text(result->outcome));
  }
  bridge_audit(bridge, actor, "robot.command", taken, what);
}
