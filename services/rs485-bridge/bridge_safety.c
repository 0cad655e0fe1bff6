/* What makes the bridge stop by itself, and the requests to stop and to reset. */
#include "bridge_internal.h"

#include <stdio.h>

#include <gantry/clock.h>

/* While moving, silence of this length is a loss. Standing, the robot is not ready meanwhile, and a
 * loss is latched when it lasts. */
#define SAFETY_LOST_NS    (150 * (uint64_t)GANTRY_NS_PER_MS)
#define STANDING_LOST_NS  (2000 * (uint64_t)GANTRY_NS_PER_MS)
#define TRAVEL_LOST_NS    (1000 * (uint64_t)GANTRY_NS_PER_MS)
#define POWER_LOST_NS     (5000 * (uint64_t)GANTRY_NS_PER_MS)
#define MOTOR_FAULT_ESTOP 9 /* the drive's word for an open chain: no fault of its own */
#define MOVING_MPS        0.02

int bridge_motion_sign(const bridge_t *bridge) {
  double setpoint_mps = bridge->drive.setpoint_mps; /* however slow: it is on its way there */
  if (setpoint_mps != 0.0) return setpoint_mps > 0.0 ? 1 : -1;
  double speed_mps = bridge->motion.known ? bridge->motion.speed_mps : 0.0;
  if (speed_mps > MOVING_MPS) return 1;
  return speed_mps < -MOVING_MPS ? -1 : 0;
}

static bool is_fresh(uint64_t now_ns, uint64_t then_ns, uint64_t limit_ns) {
  return then_ns != 0 && (then_ns > now_ns || now_ns - then_ns <= limit_ns);
}

static bool has_motor_fault(const bridge_t *bridge) {
  for (int i = 0; i < 2; i++)
    if (bridge->motor_error[i] != 0 && bridge->motor_error[i] != MOTOR_FAULT_ESTOP) return true;
  return false;
}

/* While moving, a lost dock module is logged, not a reason to stop. */
static bool modules_suffice(const bridge_t *bridge) {
  for (size_t i = 0; i < bridge->lines[0].module_count; i++) {
    const module_row_t *row = &bridge->lines[0].modules[i].row;
    bool spared = bridge->robot.state == ROBOT_MOVE &&
                  row->address != bridge_unit(bridge, "safety") &&
                  row->address != bridge_unit(bridge, "travel_motor");
    if (row->mandatory && row->state != MODULE_ONLINE && !spared) return false;
  }
  return bridge->lines[0].open && bridge->lines[0].module_count > 0;
}

robot_guards_t bridge_guards(const bridge_t *bridge) {
  uint64_t now_ns = clock_mono_ns();
  bool blind = zones_judge(&bridge->zones, 0, now_ns, ZONES_FRESH_NS).blind;
  return (robot_guards_t){.modules_online = modules_suffice(bridge),
                          .estop_input = bridge->estop_input,
                          .safety_fresh = is_fresh(now_ns, bridge->safety_ns, SAFETY_LOST_NS),
                          .motors_off = bridge->motors_off,
                          .blind = blind && !bridge->reporting,
                          .motor_fault = has_motor_fault(bridge)};
}

static void judge_zones(bridge_t *bridge, uint64_t now_ns) {
  zones_verdict_t verdict =
      zones_judge(&bridge->zones, bridge_motion_sign(bridge), now_ns, ZONES_FRESH_NS);
  bool contact = bridge->module_zone == ZONE_CRITICAL && bridge_motion_sign(bridge) != 0;
  char detail[96];
  if (bridge->reporting) verdict.factor = 1.0;
  bool changed = verdict.zone != bridge->verdict.zone;
  bridge->verdict = verdict;
  if ((verdict.stop || contact) && !bridge->reporting && !bridge->robot.latched) {
    (void)snprintf(detail, sizeof detail, "an obstacle %.2f m away in the way of travel",
                   verdict.clearance_m < 0.0 ? 0.0 : verdict.clearance_m);
    bridge_stop(bridge, STOP_ZONE, detail, now_ns, NULL);
  } else if (verdict.blind && bridge->robot.state == ROBOT_MOVE && !bridge->reporting) {
    bridge_stop(bridge, STOP_MODULE_LOSS, "neither range sensors nor LiDAR say what is in the way",
                now_ns, NULL);
  } else if (changed) {
    bridge_publish_safety(bridge);
  }
}

static void watch_modules(bridge_t *bridge, const robot_guards_t *guards, uint64_t now_ns) {
  bool moving = bridge->robot.state == ROBOT_MOVE;
  if (bridge->robot.state == ROBOT_IDLE) bridge->was_ready = true;
  if (bridge->robot.latched || !bridge->was_ready) return;
  if (moving && !guards->safety_fresh)
    bridge_stop(bridge, STOP_MODULE_LOSS, "the safety module has not answered for 150 ms", now_ns,
                NULL);
  else if (!is_fresh(now_ns, bridge->safety_ns, STANDING_LOST_NS))
    bridge_stop(bridge, STOP_MODULE_LOSS, "the safety module has not answered for 2 s", now_ns,
                NULL);
  else if (moving && !is_fresh(now_ns, bridge_seen_ns(bridge, "travel_motor"), TRAVEL_LOST_NS))
    bridge_stop(bridge, STOP_MODULE_LOSS, "the travel motor has not answered for 1 s", now_ns,
                NULL);
  else if (moving && !is_fresh(now_ns, bridge_seen_ns(bridge, "power"), POWER_LOST_NS))
    bridge_stop(bridge, STOP_MODULE_LOSS, "the power module has not answered for 5 s", now_ns,
                NULL);
  else if (guards->motor_fault)
    bridge_stop(bridge, STOP_MOTOR_FAULT, "a motor reports a fault", now_ns, NULL);
}

void bridge_supervise(void *arg) {
  bridge_t *bridge = arg;
  uint64_t now_ns = clock_mono_ns();
  robot_state_t before = bridge->robot.state;
  robot_guards_t guards = bridge_guards(bridge);
  if (bridge->robot.state == ROBOT_BOOT)
    (void)robot_apply(&bridge->robot, ROBOT_BOOT_COMPLETE, &guards, now_ns, NULL, 0);
  if (bridge->robot.state == ROBOT_INIT && bridge->motors_off)
    (void)robot_apply(&bridge->robot, ROBOT_INIT_COMPLETE, &guards, now_ns, NULL, 0);
  watch_modules(bridge, &guards, now_ns);
  if (bridge->robot.state == ROBOT_IDLE && !(guards.modules_online && guards.safety_fresh)) {
    (void)robot_apply(&bridge->robot, ROBOT_LOST, &guards, now_ns, NULL, 0);
    /* The way out of INIT leads over motors that were read back off. */
    if (!bridge->motors_off) bridge_verify_off(bridge);
  }
  judge_zones(bridge, now_ns);
  if (bridge->robot.state == before) return;
  log_info("STATE-CHANGED", "%s to %s", robot_state_name(before),
           robot_state_name(bridge->robot.state));
  bridge_publish_safety(bridge);
}

void on_estop(rpc_context_t *call, const void *takes, void *arg) {
  const robot_estop_t *estop = takes;
  stop_cause_t cause = estop->cause == ROBOT_CAUSE_NETWORK ? STOP_NETWORK : STOP_SOFTWARE;
  bridge_stop(arg, cause, estop->reason[0] ? estop->reason : "stop requested", rpc_arrived_ns(call),
              call);
}

void on_estop_reset(rpc_context_t *call, const void *takes, void *arg) {
  bridge_t *bridge = arg;
  const robot_estop_reset_t *reset = takes;
  robot_guards_t guards = bridge_guards(bridge);
  uint64_t now_ns = clock_mono_ns();
  char why[128] = "", actor[51];
  (void)snprintf(actor, sizeof actor, "%s", rpc_actor(call));
  guards.safe_confirm = reset->safe_confirm;
  guards.location_ok = reset->location_ok;
  bool done = robot_apply(&bridge->robot, ROBOT_RESET, &guards, now_ns, why, sizeof why);
  if (done) {
    robot_safety_t safety;
    (void)robot_apply(&bridge->robot, ROBOT_INIT_COMPLETE, &guards, now_ns, NULL, 0);
    bridge->phase = ROBOT_STOP_PHASE_NONE;
    latch_keeper_set(bridge->latch, STOP_NONE, "");
    bridge_fill_safety(bridge, &safety);
    rpc_reply(call, &safety);
    bridge_publish_safety(bridge);
    log_info("STOP-RESET", "%s", reset->reason);
  } else {
    bool confirmed = reset->safe_confirm && reset->location_ok;
    rpc_fail(call, confirmed ? GANTRY_E_CONFLICT : GANTRY_E_REFUSED,
             reset->safe_confirm ? (confirmed ? "" : "location_ok") : "safe_confirm", "%s", why);
  }
  bridge_audit(bridge, actor, "robot.estop_reset", done, done ? reset->reason : why);
}
