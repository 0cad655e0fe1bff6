/* Drive commands and the set-points on their way to the motors. One step is on the line at a time;
   a zero at once goes by the safety lane. */
#include "bridge_internal.h"

#include <stdio.h>

#include <gantry/clock.h>

#define STEP_NS         (100 * (uint64_t)GANTRY_NS_PER_MS) /* the ramp's step: two frames of 6 ms each */
#define WRITE_ANSWER_US 20000u
#define DRIVE_SPEED     MOTORS_MAX
#define DRIVE_JOBS      (MOTORS_MAX + MOTORS_MAX * MOTOR_FRAMES_MAX)

static void submit(bridge_t *bridge, uint32_t index, const job_t *job) {
  if (port_submit(bridge->port, job))
    bridge->motors.waiting |= 1u << index;
  else
    bridge->motors.known = false; /* said again at the next step */
}

static job_t drive_job(uint32_t index, job_lane_t lane) {
  return (job_t){.tag = TAG_DRIVE + index,
                 .lane = lane,
                 .answer_us = WRITE_ANSWER_US,
                 .retries = 1,
                 .poll = JOB_NO_POLL};
}

static void write_direction(bridge_t *bridge, uint32_t motor, uint16_t direction) {
  job_t job = drive_job(motor, JOB_COMMAND);
  motors_direction_job(&bridge->wiring, motor, direction == 2, &job);
  submit(bridge, motor, &job);
}

static void write_speed(bridge_t *bridge, uint32_t motor, drive_words_t words, job_lane_t lane) {
  for (uint32_t frame = 0; frame < bridge->wiring.motors[motor].write_count; frame++) {
    uint32_t index = DRIVE_SPEED + motor + MOTORS_MAX * frame;
    job_t job = drive_job(index, lane);
    motors_speed_job(&bridge->wiring, motor, frame, words.enable, words.speed, &job);
    submit(bridge, index, &job);
  }
}

/* Tells both motors what they have not been told yet. Motors that are being read back off are not
 * enabled: what was read would not hold. */
static void write_motors(bridge_t *bridge, job_lane_t lane, uint64_t now_ns) {
  drive_run_t *motors = &bridge->motors;
  drive_words_t words = pilot_words(bridge_pilot(bridge));
  bool same = motors->known && words.enable == motors->written.enable &&
              words.speed == motors->written.speed &&
              (!words.enable || words.direction == motors->written.direction);
  if (same || !bridge->port) return;
  if (words.enable && (motors->waiting || bridge->stop.active)) return;
  if (words.enable) bridge->motors_off = false;
  bool turn = words.enable && (!motors->known || words.direction != motors->written.direction);
  if (!words.enable && motors->known) words.direction = motors->written.direction;
  motors->written = words;
  motors->known = true;
  motors->wrote_ns = now_ns;
  for (uint32_t i = 0; i < bridge->wiring.count && turn; i++)
    write_direction(bridge, i, words.direction);
  for (uint32_t i = 0; i < bridge->wiring.count; i++)
    write_speed(bridge, i, words, lane);
}

void bridge_on_drive_result(bridge_t *bridge, const port_result_t *result) {
  uint32_t index = result->job.tag - TAG_DRIVE;
  if (index >= DRIVE_JOBS) return;
  bridge->motors.waiting &= ~(1u << index);
  if (result->outcome != RTU_OK) bridge->motors.known = false; /* said again at the next step */
}

static void ramp(bridge_t *bridge, uint64_t now_ns) {
  unsigned acts = pilot_ramp(bridge_pilot(bridge), bridge->verdict.factor, now_ns);
  write_motors(bridge, acts & ACT_CUT ? JOB_SAFETY : JOB_COMMAND, now_ns);
  if (acts & ACT_CUT) log_info("DRIVE-LET-GO", "the drive command was not renewed: set-point zero");
  if (acts & ACT_CHANGED) bridge_tell(bridge);
}

void bridge_act(bridge_t *bridge, unsigned acts, uint64_t now_ns) {
  bool rested = drive_rests(&bridge->drive) || bridge->drive.stepped_ns == 0;
  if (acts & ACT_CUT) write_motors(bridge, JOB_SAFETY, now_ns);
  if (acts & ACT_SOON && rested) bridge->drive.stepped_ns = 0;
  if (acts & (ACT_DOCK | ACT_DOCK_STOP)) bridge_dock_order(bridge, acts);
  if (acts & ACT_CHANGED) bridge_tell(bridge);
  if (acts & ACT_SOON) ramp(bridge, now_ns);
}

void bridge_drive_tick(void *arg) {
  bridge_t *bridge = arg;
  uint64_t now_ns = clock_mono_ns();
  pilot_input_t input = bridge_pilot_input(bridge);
  bridge_act(bridge, pilot_step(bridge_pilot(bridge), &input, now_ns), now_ns);
  if (bridge->robot.latched) return;
  bool due = now_ns - bridge->motors.wrote_ns >= STEP_NS;
  bool unsaid = !bridge->motors.known && bridge->motors.waiting == 0;
  if (robot_may_move(&bridge->robot) ? due : unsaid) ramp(bridge, now_ns);
}

static void let_go(void *arg) {
  bridge_t *bridge = arg;
  uint64_t now_ns = clock_mono_ns();
  bridge->motors.hold_timer = 0;
  if (bridge->robot.latched || bridge->robot.state != ROBOT_MOVE) return;
  uint32_t left_ms = drive_hold_ms(&bridge->drive, now_ns);
  if (left_ms > 0)
    bridge->motors.hold_timer = loop_after(bridge->service->loop, left_ms, let_go, bridge);
  else
    ramp(bridge, now_ns);
}

static void hold(bridge_t *bridge, uint32_t hold_ms) {
  if (bridge->motors.hold_timer) loop_cancel(bridge->service->loop, bridge->motors.hold_timer);
  bridge->motors.hold_timer = loop_after(bridge->service->loop, hold_ms, let_go, bridge);
}

static void reply_driving(bridge_t *bridge, rpc_context_t *call, uint64_t now_ns) {
  robot_driving_t driving = {.state = (robot_fsm_state_t)bridge->robot.state,
                             .setpoint = bridge->drive.target_mps,
                             .hold_ms = drive_hold_ms(&bridge->drive, now_ns)};
  rpc_reply(call, &driving);
}

bool bridge_refuse_way(bridge_t *bridge, rpc_context_t *call, int way, bool waits,
                       uint64_t now_ns) {
  zones_verdict_t ahead = zones_judge(&bridge->zones, way, now_ns, ZONES_FRESH_NS);
  if (bridge->stop.active) {
    rpc_fail(call, GANTRY_E_CONFLICT, "", "the motors are being read back; try again");
    return true;
  }
  if (bridge->reporting) return false;
  bool blocked = ahead.stop || (waits && ahead.pause);
  if (ahead.blind)
    rpc_fail(call, GANTRY_E_CONFLICT, "",
             "neither range sensors nor LiDAR say what is in the way; restore one of them");
  else if (blocked)
    rpc_fail(call, GANTRY_E_CONFLICT, "direction",
             "an obstacle stands %.2f m away there; clear it or drive the other way",
             ahead.clearance_m);
  return ahead.blind || blocked;
}

void on_drive(rpc_context_t *call, const void *takes, void *arg) {
  bridge_t *bridge = arg;
  const robot_drive_t *drive = takes;
  uint64_t now_ns = clock_mono_ns();
  robot_guards_t guards = bridge_guards(bridge);
  bool backward = drive->direction == ROBOT_DIRECTION_BACKWARD;
  bool begins = bridge->robot.state == ROBOT_IDLE;
  if (begins && drive->speed > 0.0 &&
      bridge_refuse_way(bridge, call, backward ? -1 : 1, false, now_ns))
    return;
  guards.blind = guards.blind && drive->speed > 0.0;
  pilot_answer_t answer =
      pilot_jog(bridge_pilot(bridge), drive->speed, backward, drive->hold_ms, &guards, now_ns);
  if (answer.verdict != PILOT_TAKEN) {
    bridge_refuse(call, &answer);
    return;
  }
  hold(bridge, drive->hold_ms);
  bridge_act(bridge, answer.acts, now_ns);
  if (now_ns - bridge->motors.wrote_ns >= STEP_NS) ramp(bridge, now_ns);
  reply_driving(bridge, call, now_ns);
}

void on_halt(rpc_context_t *call, const void *takes, void *arg) {
  (void)takes;
  bridge_t *bridge = arg;
  uint64_t now_ns = clock_mono_ns();
  command_t stop = {.kind = COMMAND_STOP};
  pilot_input_t input = bridge_pilot_input(bridge);
  robot_guards_t guards = {0};
  pilot_answer_t answer = pilot_take(bridge_pilot(bridge), &stop, &guards, &input, now_ns);
  if (answer.verdict != PILOT_TAKEN) {
    bridge_refuse(call, &answer);
    return;
  }
  if (bridge->motors.hold_timer) loop_cancel(bridge->service->loop, bridge->motors.hold_timer);
  bridge->motors.hold_timer = 0;
  bridge_act(bridge, answer.acts, now_ns);
  reply_driving(bridge, call, now_ns);
}
