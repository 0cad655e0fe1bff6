/* The stop: latched, written, read back, repeated until confirmed; and what makes the bridge stop
 * by itself. */
#include "bridge_internal.h"

#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "latch_file.h"

/* While moving, silence of this length is a loss. Standing, the robot is not ready meanwhile, and a
 * loss is latched when it lasts. */
#define SAFETY_LOST_NS   (150 * (uint64_t)GANTRY_NS_PER_MS)
#define STANDING_LOST_NS (2000 * (uint64_t)GANTRY_NS_PER_MS)
#define TRAVEL_LOST_NS   (1000 * (uint64_t)GANTRY_NS_PER_MS)
#define POWER_LOST_NS    (5000 * (uint64_t)GANTRY_NS_PER_MS)
#define LIDAR_FRESH_NS   (300 * (uint64_t)GANTRY_NS_PER_MS)
#define STOP_ANSWER_US                                                                             \
  8000u /* a motor module begins after 3 ms; a stop is said again rather than waited for */
#define RETRY_FIRST_MS                                                                             \
  1u /* the first repetition at once, later ones leave the line to the others */
#define RETRY_MS          100u
#define ROUND_LIMIT_MS    500u /* then the round has lost a job or a result and is begun again */
#define REPLY_MARGIN_MS   10u  /* the refusal must be there before the caller gives up */
#define MOTOR_FAULT_ESTOP 9    /* the drive's word for an open chain: no fault of its own */
#define MOVING_MPS        0.02

static const uint16_t motor_base[2] = {0x0000, 0x0010};

int bridge_motion_sign(const bridge_t *bridge) {
  double speed_mps = bridge->drive.setpoint_mps;
  if (speed_mps == 0.0 && bridge->motion.known) speed_mps = bridge->motion.speed_mps;
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
  for (size_t i = 0; i < bridge->module_count; i++) {
    const module_row_t *row = &bridge->modules[i].row;
    bool spared = bridge->robot.state == ROBOT_MOVE &&
                  row->address != bridge_unit(bridge, "safety") &&
                  row->address != bridge_unit(bridge, "travel_motor");
    if (row->mandatory && row->state != MODULE_ONLINE && !spared) return false;
  }
  return bridge->port_open && bridge->module_count > 0;
}

robot_guards_t bridge_guards(const bridge_t *bridge) {
  return (robot_guards_t){.modules_online = modules_suffice(bridge),
                          .estop_input = bridge->estop_input,
                          .safety_fresh =
                              is_fresh(clock_mono_ns(), bridge->safety_ns, SAFETY_LOST_NS),
                          .motors_off = bridge->motors_off,
                          .motor_fault = has_motor_fault(bridge)};
}

static void submit_round(bridge_t *bridge) {
  stop_run_t *stop = &bridge->stop;
  uint8_t unit = bridge_unit(bridge, "travel_motor");
  stop->waiting = 0;
  stop->rounds++;
  loop_set(bridge->service->loop, stop->retry_alarm, ROUND_LIMIT_MS);
  for (uint32_t i = 0; i < STOP_JOBS && bridge->port; i++) {
    bool write = i < 2;
    job_t job = {.tag = TAG_STOP + i,
                 .lane = JOB_SAFETY,
                 .unit = unit,
                 .function = write ? LINE_WRITE_MANY : LINE_READ_HOLDING,
                 .first = (uint16_t)(motor_base[i % 2] + 1), /* enable and set-point, both zero */
                 .count = 2,
                 .least = 2,
                 .most = write ? 2 : 4,
                 .answer_us = STOP_ANSWER_US,
                 .retries = write ? 1 : 0,
                 .poll = JOB_NO_POLL};
    if (port_submit(bridge->port, &job)) stop->waiting |= 1u << i;
  }
}

static void retry(void *arg) {
  bridge_t *bridge = arg;
  if (bridge->stop.active) submit_round(bridge);
}

static void fail_calls(void *arg) {
  bridge_t *bridge = arg;
  stop_run_t *stop = &bridge->stop;
  if (!stop->deadline_set) return; /* answered meanwhile */
  stop->deadline_set = false;
  bridge->phase = ROBOT_STOP_PHASE_UNCONFIRMED;
  bridge_publish_safety(bridge);
  for (size_t i = 0; i < stop->call_count; i++)
    rpc_fail(stop->calls[i], GANTRY_E_TIMEOUT, "",
             "the stop is latched but not confirmed by the travel motor; still retrying");
  if (stop->call_count)
    bridge_audit(bridge, stop->actor, "robot.estop", false,
                 "stop not confirmed in time; still retrying");
  stop->call_count = 0;
}

gantry_err_t bridge_stop_prepare(bridge_t *bridge) {
  stop_run_t *stop = &bridge->stop;
  stop->deadline_alarm = loop_alarm(bridge->service->loop, fail_calls, bridge);
  stop->retry_alarm = loop_alarm(bridge->service->loop, retry, bridge);
  return stop->deadline_alarm && stop->retry_alarm ? GANTRY_OK : GANTRY_E_INTERNAL;
}

static void begin_run(bridge_t *bridge, uint64_t arrived_ns) {
  stop_run_t *stop = &bridge->stop;
  if (!stop->active) {
    stop->active = true;
    stop->rounds = 0;
    stop->had_first = false;
    stop->acked[0] = stop->acked[1] = stop->confirmed[0] = stop->confirmed[1] = false;
    stop->arrived_ns = arrived_ns;
    stop->stop_ms = stop->confirm_ms = -1.0;
    submit_round(bridge);
  }
}

static void add_call(bridge_t *bridge, rpc_context_t *call) {
  stop_run_t *stop = &bridge->stop;
  if (stop->call_count == STOP_CALLS_MAX) {
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "the stop is under way for too many callers already");
    return;
  }
  (void)snprintf(stop->actor, sizeof stop->actor, "%s", rpc_actor(call));
  uint32_t left_ms = rpc_left_ms(call);
  stop->calls[stop->call_count++] = call;
  if (stop->deadline_set) return;
  stop->deadline_set = true;
  loop_set(bridge->service->loop, stop->deadline_alarm,
           left_ms > REPLY_MARGIN_MS ? left_ms - REPLY_MARGIN_MS : 1);
}

void bridge_stop(bridge_t *bridge, stop_cause_t cause, const char *detail, uint64_t arrived_ns,
                 rpc_context_t *call) {
  drive_cut(&bridge->drive);
  bridge->motors.known = false;
  bridge->motors_off = false;
  begin_run(bridge, arrived_ns);
  bool fresh = robot_latch(&bridge->robot, cause, detail, arrived_ns);
  bridge->phase = ROBOT_STOP_PHASE_STOPPING;
  if (fresh) {
    bridge->stopped_wall_ns = clock_wall_ns();
    bridge->last_stop_ms = bridge->last_confirm_ms = -1.0;
    metric_add(bridge->trips_metric, 1.0);
  }
  bridge_publish_safety(bridge);
  if (call) add_call(bridge, call);
  if (!fresh) return;
  log_warn("STOP-LATCHED", "%s: %s", stop_cause_name(cause), detail);
  if (latch_file_write(bridge->latch_path, cause, detail) != GANTRY_OK)
    log_error("LATCH-NOT-KEPT", "the latch could not be written to %s", bridge->latch_path);
}

void bridge_verify_off(bridge_t *bridge) {
  bridge->motors_off = false;
  bridge->motors.known = false;
  begin_run(bridge, clock_mono_ns());
}

static void answer_calls(bridge_t *bridge) {
  stop_run_t *stop = &bridge->stop;
  robot_safety_t safety;
  bridge_fill_safety(bridge, &safety);
  for (size_t i = 0; i < stop->call_count; i++)
    rpc_reply(stop->calls[i], &safety);
  stop->call_count = 0;
  stop->deadline_set = false;
}

/* Both motors are read back off: answer first, record after. */
static void confirm(bridge_t *bridge) {
  stop_run_t *stop = &bridge->stop;
  bool asked = stop->call_count > 0;
  char detail[160];
  stop->active = false;
  bridge->motors_off = true;
  bridge->motors.written = (drive_words_t){0}; /* the direction is to be written again */
  bridge->motors.known = true;
  bridge->last_stop_ms = stop->stop_ms;
  bridge->last_confirm_ms = stop->confirm_ms;
  if (bridge->robot.latched) bridge->phase = ROBOT_STOP_PHASE_CONFIRMED;
  answer_calls(bridge);
  bridge_publish_safety(bridge);
  if (!bridge->robot.latched) return;
  metric_observe(bridge->stop_metric, stop->stop_ms);
  metric_observe(bridge->confirm_metric, stop->confirm_ms);
  (void)snprintf(detail, sizeof detail,
                 "%s; first motor's frame after %.1f ms, read back after %.1f ms",
                 stop_cause_name(bridge->robot.cause), stop->stop_ms, stop->confirm_ms);
  log_info("STOP-CONFIRMED", "%s", detail);
  bridge_audit(bridge, asked ? stop->actor : "", "robot.estop", true, detail);
  bridge_event(bridge, "STOP-LATCHED", SYS_CATEGORY_STATE, SYS_SEVERITY_CRITICAL, "robot",
               bridge->robot.detail);
}

static void end_round(bridge_t *bridge) {
  stop_run_t *stop = &bridge->stop;
  if (stop->acked[0] && stop->acked[1] && stop->confirmed[0] && stop->confirmed[1]) {
    confirm(bridge);
    return;
  }
  if (stop->rounds == 2)
    log_error("STOP-UNCONFIRMED", "the travel motor does not confirm the stop; still retrying");
  uint32_t delay_ms = stop->rounds < 2 ? RETRY_FIRST_MS : RETRY_MS;
  loop_set(bridge->service->loop, stop->retry_alarm, delay_ms);
}

void bridge_on_stop_result(bridge_t *bridge, const port_result_t *result) {
  stop_run_t *stop = &bridge->stop;
  uint32_t index = result->job.tag - TAG_STOP;
  if (!stop->active || index >= STOP_JOBS) return;
  stop->waiting &= ~(1u << index);
  bool ok = result->outcome == RTU_OK;
  if (index == 0 && ok && !stop->had_first) {
    stop->had_first = true;
    stop->stop_ms = clock_age_ms(result->sent_end_ns, stop->arrived_ns);
  }
  if (index < 2 && ok) stop->acked[index] = true;
  if (index >= 2) {
    stop->confirmed[index - 2] = ok && result->values[0] == 0 && result->values[1] == 0;
    if (ok) stop->confirm_ms = clock_age_ms(result->last_byte_ns, stop->arrived_ns);
  }
  if (stop->waiting == 0) end_round(bridge);
}

static void judge_zones(bridge_t *bridge, uint64_t now_ns) {
  zones_verdict_t verdict =
      zones_judge(&bridge->zones, bridge_motion_sign(bridge), now_ns, LIDAR_FRESH_NS);
  bool contact = bridge->module_zone == ZONE_CRITICAL && bridge_motion_sign(bridge) != 0;
  char detail[96];
  if (bridge->reporting) verdict.factor = 1.0;
  bool changed = verdict.zone != bridge->verdict.zone;
  bridge->verdict = verdict;
  if ((verdict.stop || contact) && !bridge->reporting && !bridge->robot.latched) {
    (void)snprintf(detail, sizeof detail, "an obstacle %.2f m away in the way of travel",
                   verdict.clearance_m < 0.0 ? 0.0 : verdict.clearance_m);
    bridge_stop(bridge, STOP_ZONE, detail, now_ns, NULL);
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
    if (latch_file_clear(bridge->latch_path) != GANTRY_OK)
      log_error("LATCH-NOT-CLEARED", "%s could not be removed", bridge->latch_path);
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
