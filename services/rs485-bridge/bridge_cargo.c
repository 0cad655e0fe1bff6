/* Cargo: the lifter is enabled and, once it has taken that, told where to go. It moves by itself; a
 * latched stop takes its enable away. */
#include "bridge_internal.h"

#include <stdio.h>

#include <gantry/clock.h>

#include "register_rules.h"

#define OFF_RETRY_NS (500 * (uint64_t)GANTRY_NS_PER_MS)

enum { CARGO_ENABLE, CARGO_TARGET, CARGO_OFF };

static const register_module_t *lifter_of(const bridge_t *bridge) {
  return registers_module(bridge->profile, "lifter");
}

static bool submit(bridge_t *bridge, uint32_t index, const register_row_t *row, uint16_t value) {
  if (!row || !bridge->port) return false;
  uint8_t unit = lifter_of(bridge)->address;
  job_t job = bridge_register_job(TAG_CARGO + index, unit, row, LINE_WRITE_ONE, value);
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

/* What the target register is to say for that share of the way; false when it cannot. */
static bool find_target(const register_module_t *lifter, const register_row_t *target, double share,
                        uint16_t *out) {
  const register_wish_t wish = {
      .access = REGISTER_SYSTEM, .safety = true, .scaled = true, .value = share};
  char why[160];
  int64_t raw = 0;
  if (target->words != 1 ||
      register_judge(lifter, target, &wish, &raw, why, sizeof why) != REGISTER_FINE)
    return false;
  *out = (uint16_t)raw;
  return true;
}

void bridge_cargo(bridge_t *bridge, rpc_context_t *call, command_kind_t kind, double position) {
  const register_module_t *lifter = lifter_of(bridge);
  const register_row_t *target = registers_find(lifter, "target");
  const register_row_t *enable = registers_find(lifter, "enable");
  uint16_t raw = 0;
  if (refuse(bridge, call, target)) return;
  double share = position >= 0.0 ? position : kind == COMMAND_CARGO_UP ? 1.0 : 0.0;
  if (!find_target(lifter, target, share, &raw)) {
    rpc_fail(call, GANTRY_E_INVALID, "position",
             "the lifter's target takes no %g; correct its scale and range in the profile", share);
    return;
  }
  if (enable ? !submit(bridge, CARGO_ENABLE, enable, 1)
             : !submit(bridge, CARGO_TARGET, target, raw)) {
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "the RS485 port takes no request now");
    return;
  }
  bridge->cargo = (cargo_t){
      .call = call, .kind = kind, .share = share, .target = raw, .enabled = enable != NULL};
}

void bridge_cargo_off(bridge_t *bridge) {
  cargo_t *cargo = &bridge->cargo;
  uint64_t now_ns = clock_mono_ns();
  if (!bridge->robot.latched) cargo->off_ns = 0;
  if (!bridge->robot.latched || !cargo->enabled || !bridge_stop_sent(bridge)) return;
  if (cargo->off_ns != 0 && now_ns - cargo->off_ns < OFF_RETRY_NS) return;
  if (submit(bridge, CARGO_OFF, registers_find(lifter_of(bridge), "enable"), 0))
    cargo->off_ns = now_ns;
}

/* why: NULL when the lifter has taken its target. */
static void answer(bridge_t *bridge, const char *why) {
  cargo_t *cargo = &bridge->cargo;
  rpc_context_t *call = cargo->call;
  char actor[51], what[96];
  cargo->call = NULL;
  (void)snprintf(actor, sizeof actor, "%s", rpc_actor(call));
  (void)snprintf(what, sizeof what, "the lifter %s %.0f %%", why ? "did not take" : "goes to",
                 100.0 * cargo->share);
  if (why) {
    rpc_fail(call, GANTRY_E_DEVICE, "", "%s: %s", what, why);
  } else {
    commands_note(&bridge->commands, cargo->kind, COMMAND_DONE, what);
    bridge_tell(bridge);
    bridge_reply_status(bridge, call, cargo->kind);
  }
  bridge_audit(bridge, actor, "robot.command", why == NULL, what);
}

void bridge_on_cargo_result(bridge_t *bridge, const port_result_t *result) {
  uint32_t index = result->job.tag - TAG_CARGO;
  bool taken = result->outcome == RTU_OK;
  if (index == CARGO_OFF && taken && bridge->robot.latched) bridge->cargo.enabled = false;
  if (index == CARGO_OFF || !bridge->cargo.call) return;
  if (!taken)
    answer(bridge, result->outcome == RTU_EXCEPTION ? rtu_exception_text(result->exception)
                                                    : rtu_outcome_text(result->outcome));
  else if (index == CARGO_TARGET)
    answer(bridge, NULL);
  else if (bridge->robot.state != ROBOT_IDLE) /* since it was asked */
    answer(bridge, "the robot is no longer idle");
  else if (!submit(bridge, CARGO_TARGET, registers_find(lifter_of(bridge), "target"),
                   bridge->cargo.target))
    answer(bridge, "the RS485 port takes no request now");
}
