/* What makes the bridge stop by itself, and the requests to stop and to reset. */
#include "bridge_internal.h"

#include <math.h>
#include <stdio.h>

#include <gantry/clock.h>

#define MOVING_MPS 0.02

int bridge_motion_sign(const bridge_t *bridge) {
  double setpoint_mps = bridge->drive.setpoint_mps; /* however slow: it is on its way there */
  if (setpoint_mps != 0.0) return setpoint_mps > 0.0 ? 1 : -1;
  double speed_mps = bridge->motion.known ? bridge->motion.speed_mps : 0.0;
  if (speed_mps > MOVING_MPS) return 1;
  return speed_mps < -MOVING_MPS ? -1 : 0;
}

/* While moving, a lost dock module is logged, not a reason to stop. */
static bool modules_suffice(const bridge_t *bridge) {
  const bridge_line_t *line = &bridge->lines[0];
  for (size_t i = 0; i < line->module_count; i++) {
    const module_row_t *row = &line->modules[i].row;
    bool spared = bridge->robot.state == ROBOT_MOVE &&
                  row->address != bridge_unit(bridge, "safety") &&
                  row->address != bridge_unit(bridge, "travel_motor");
    if (row->mandatory && !bridge_module_serves(line, row) && !spared) return false;
  }
  return line->open && line->module_count > 0;
}

robot_guards_t bridge_guards(const bridge_t *bridge) {
  uint64_t now_ns = clock_mono_ns();
  supervisor_input_t input = bridge_watch_input(bridge, now_ns);
  robot_guards_t guards = {.modules_online = modules_suffice(bridge),
                           .motors_off = bridge->motors_off,
                           .latch_lost = bridge->latch_lost,
                           .blind = input.zones.blind && !bridge->reporting};
  supervisor_guard(&bridge->watch.supervisor, &input, now_ns, &guards);
  return guards;
}

/* What is left of the speed, with an absolute limit told as a share of what is asked for. */
static double share_left(const bridge_t *bridge, const supervisor_verdict_t *verdict) {
  double asked_mps = fabs(bridge->drive.target_mps);
  double share = asked_mps > verdict->limit_mps ? verdict->limit_mps / asked_mps : 1.0;
  return fmin(verdict->factor, share);
}

static void watch(bridge_t *bridge, uint64_t now_ns) {
  supervisor_verdict_t verdict = bridge_watch(bridge, now_ns);
  zones_verdict_t zones = bridge->watch.zones;
  bool changed = zones.zone != bridge->verdict.zone;
  zones.factor = share_left(bridge, &verdict);
  bridge->verdict = zones;
  if (bridge->robot.state == ROBOT_IDLE) bridge->was_ready = true;
  if (verdict.stop != STOP_NONE)
    bridge_stop(bridge, verdict.stop, verdict.detail, now_ns, NULL);
  else if (changed)
    bridge_publish_safety(bridge);
}

void bridge_supervise(void *arg) {
  bridge_t *bridge = arg;
  uint64_t now_ns = clock_mono_ns();
  robot_guards_t guards = bridge_guards(bridge);
  if (bridge->robot.state == ROBOT_BOOT)
    (void)robot_apply(&bridge->robot, ROBOT_BOOT_COMPLETE, &guards, now_ns, NULL, 0);
  if (bridge->robot.state == ROBOT_INIT && bridge->motors_off)
    (void)robot_apply(&bridge->robot, ROBOT_INIT_COMPLETE, &guards, now_ns, NULL, 0);
  watch(bridge, now_ns);
  if (bridge->robot.state == ROBOT_IDLE &&
      !(guards.modules_online && guards.safety_fresh && !guards.auto_reset)) {
    (void)robot_apply(&bridge->robot, ROBOT_LOST, &guards, now_ns, NULL, 0);
    /* The way out of INIT leads over motors that were read back off. */
    if (!bridge->motors_off) bridge_verify_off(bridge);
  }
  bridge_tell(bridge);
}

void on_estop(rpc_context_t *call, const void *takes, void *arg) {
  const robot_estop_t *estop = takes;
  stop_cause_t cause = estop->cause == ROBOT_CAUSE_NETWORK ? STOP_NETWORK : STOP_SOFTWARE;
  bridge_stop(arg, cause, estop->reason[0] ? estop->reason : "stop requested", rpc_arrived_ns(call),
              call);
}

bool bridge_reset(bridge_t *bridge, rpc_context_t *call, const robot_estop_reset_t *reset) {
  robot_guards_t guards = bridge_guards(bridge);
  uint64_t now_ns = clock_mono_ns();
  char why[128] = "", actor[51];
  (void)snprintf(actor, sizeof actor, "%s", rpc_actor(call));
  guards.safe_confirm = reset->safe_confirm;
  guards.location_ok = reset->location_ok;
  bool done = robot_apply(&bridge->robot, ROBOT_RESET, &guards, now_ns, why, sizeof why);
  if (done) {
    (void)robot_apply(&bridge->robot, ROBOT_INIT_COMPLETE, &guards, now_ns, NULL, 0);
    bridge->phase = ROBOT_STOP_PHASE_NONE;
    latch_keeper_set(bridge->latch, STOP_NONE, "");
    log_info("STOP-RESET", "reset by %s%s%s", actor[0] ? actor : "the command line",
             reset->reason[0] ? ": " : "", reset->reason);
    bridge_tell(bridge);
  } else {
    bool confirmed = reset->safe_confirm && reset->location_ok;
    rpc_fail(call, confirmed ? GANTRY_E_CONFLICT : GANTRY_E_REFUSED,
             reset->safe_confirm ? (confirmed ? "" : "location_ok") : "safe_confirm", "%s", why);
  }
  bridge_audit(bridge, actor, "robot.estop_reset", done, done ? reset->reason : why);
  return done;
}

void on_estop_reset(rpc_context_t *call, const void *takes, void *arg) {
  robot_safety_t safety;
  if (!bridge_reset(arg, call, takes)) return;
  bridge_fill_safety(arg, &safety);
  rpc_reply(call, &safety);
}
