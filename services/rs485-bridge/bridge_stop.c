/* The stop: latched, written, read back, repeated until confirmed. Who waits for it:
   bridge_stop_calls.c. */
#include "bridge_internal.h"

#include <stdio.h>

#include <gantry/clock.h>

#define STOP_ANSWER_US                                                                             \
  8000u /* a motor module begins after 3 ms; a stop is said again rather than waited for */
#define ROUNDS_AT_ONCE 8u  /* in vain: a stop has nothing to wait for; a poll comes in between */
#define ROUNDS_SOON    16u /* then the motor is gone, and the line belongs to the others again */
#define RETRY_ONCE_MS  1u
#define RETRY_SOON_MS  20u
#define RETRY_MS       100u
#define ROUND_LIMIT_MS 500u /* then the round has lost a job or a result and is begun again */

static void submit_round(bridge_t *bridge) {
  stop_run_t *stop = &bridge->stop;
  const motors_t *wiring = &bridge->wiring;
  uint32_t tag = TAG_STOP + STOP_JOBS * (++stop->round % STOP_ROUNDS);
  stop->again = false;
  stop->waiting = 0;
  stop->round_ns = 0;
  stop->good = 0;
  bool whole = true;
  for (uint32_t i = 0; i < wiring->stop_count && bridge->port; i++) {
    job_t job = {.tag = tag + i,
                 .lane = JOB_SAFETY,
                 .answer_us = STOP_ANSWER_US,
                 .retries = wiring->stops[i].read ? 0 : 1,
                 .poll = JOB_NO_POLL};
    motors_stop_job(wiring, i, &job);
    if (port_submit(bridge->port, &job))
      stop->waiting |= 1u << i;
    else
      whole = false; /* the port has more orders than it takes: in a moment it has room */
  }
  loop_set(bridge->service->loop, stop->retry_alarm, whole ? ROUND_LIMIT_MS : RETRY_ONCE_MS);
}

static void retry(void *arg) {
  bridge_t *bridge = arg;
  if (bridge->stop.active) submit_round(bridge);
}

/* A round for a reason that arrived just now: at once, or right behind the one under way. */
static void write_stop(bridge_t *bridge, uint64_t arrived_ns, bool anew) {
  stop_run_t *stop = &bridge->stop;
  if (anew || !stop->active) {
    stop->failed = 0;
    stop->arrived_ns = arrived_ns;
    stop->stop_ms = stop->confirm_ms = -1.0;
  }
  stop->active = true;
  stop->again = stop->waiting != 0;
  if (!stop->again) submit_round(bridge);
}

gantry_err_t bridge_stop_prepare(bridge_t *bridge) {
  stop_run_t *stop = &bridge->stop;
  stop->retry_alarm = loop_alarm(bridge->service->loop, retry, bridge);
  return stop->retry_alarm ? bridge_stop_calls_prepare(bridge) : GANTRY_E_INTERNAL;
}

void bridge_stop(bridge_t *bridge, stop_cause_t cause, const char *detail, uint64_t arrived_ns,
                 rpc_context_t *call) {
  bool fresh = !bridge->robot.latched;
  if (fresh) bridge_trip_note(bridge, arrived_ns);
  drive_cut(&bridge->drive);
  bridge->motors.known = false;
  bridge->motors_off = false;
  bridge->stop.checks = false;
  write_stop(bridge, arrived_ns, fresh);
  if (robot_latch(&bridge->robot, cause, detail, arrived_ns))
    latch_keeper_set(bridge->latch, cause, detail);
  bridge->phase = ROBOT_STOP_PHASE_STOPPING;
  if (fresh) {
    bridge->stopped_wall_ns = clock_wall_ns();
    bridge->last_stop_ms = bridge->last_confirm_ms = -1.0;
    metric_add(bridge->trips_metric, 1.0);
  }
  bridge_publish_safety(bridge);
  if (call) bridge_stop_calls_add(bridge, call, arrived_ns);
  if (!fresh) return;
  log_warn("STOP-LATCHED", "%s: %s", stop_cause_name(cause), detail);
  bridge_event(bridge, "STOP-LATCHED", SYS_CATEGORY_STATE, SYS_SEVERITY_CRITICAL, "robot",
               bridge->robot.detail);
}

bool bridge_stop_sent(const bridge_t *bridge) {
  const stop_run_t *stop = &bridge->stop;
  return !stop->active || stop->stop_ms >= 0.0 || stop->failed > 0;
}

void bridge_verify_off(bridge_t *bridge) {
  bridge->motors_off = false;
  bridge->motors.known = false;
  if (!bridge->stop.active) bridge->stop.checks = true;
  write_stop(bridge, clock_mono_ns(), false);
}

/* The run's own reason has been served. */
static void record_run(bridge_t *bridge, bool asked) {
  stop_run_t *stop = &bridge->stop;
  char detail[192];
  if (!bridge->robot.latched || stop->checks) return;
  metric_observe(bridge->stop_metric, stop->stop_ms);
  metric_observe(bridge->confirm_metric, stop->confirm_ms);
  bridge_trip_words(bridge, stop->stop_ms, stop->confirm_ms, detail, sizeof detail);
  log_info("STOP-CONFIRMED", "%s", detail);
  if (!asked) bridge_audit(bridge, "", "robot.estop", true, detail);
}

/* Both motors are read back off: answer first, record after. */
static void confirm(bridge_t *bridge, uint64_t confirmed_ns) {
  stop_run_t *stop = &bridge->stop;
  bool served = stop->round_ns >= stop->arrived_ns && stop->confirm_ms < 0.0;
  bool asked = stop->call_count > 0;
  bridge->motors_off = true;
  bridge->motors.written = (drive_words_t){0}; /* the direction is to be written again */
  bridge->motors.known = true;
  stop->failed = 0;
  if (bridge->robot.latched) bridge->phase = ROBOT_STOP_PHASE_CONFIRMED;
  if (served) {
    stop->confirm_ms = clock_age_ms(confirmed_ns, stop->arrived_ns);
    bridge->last_stop_ms = stop->stop_ms;
    bridge->last_confirm_ms = stop->confirm_ms;
  }
  bridge_stop_calls_confirm(bridge, confirmed_ns);
  stop->active = stop->call_count > 0 || stop->round_ns < stop->arrived_ns;
  if (served) record_run(bridge, asked);
  bridge_publish_safety(bridge);
}

/* Once a run. A caller is told by its own time-out. */
static void say_unconfirmed(bridge_t *bridge) {
  static const char text[] = "the travel motor does not confirm the stop; still retrying";
  log_error("STOP-UNCONFIRMED", "%s", text);
  if (!bridge->robot.latched || bridge->stop.checks) return;
  bridge_event(bridge, "STOP-UNCONFIRMED", SYS_CATEGORY_STATE, SYS_SEVERITY_CRITICAL, "robot",
               text);
  if (bridge->stop.call_count == 0) bridge_audit(bridge, "", "robot.estop", false, text);
}

/* Somebody who waits for it has it said soon, however long it has been in vain. */
static uint32_t pause_ms(const stop_run_t *stop) {
  if (stop->failed <= ROUNDS_AT_ONCE) return RETRY_ONCE_MS;
  return stop->failed <= ROUNDS_SOON || stop->call_count > 0 ? RETRY_SOON_MS : RETRY_MS;
}

static void end_round(bridge_t *bridge, uint64_t now_ns) {
  stop_run_t *stop = &bridge->stop;
  bool off = stop->good == (1u << bridge->wiring.stop_count) - 1u;
  if (off)
    confirm(bridge, now_ns);
  else if (++stop->failed == 2)
    say_unconfirmed(bridge);
  if (!stop->active) return;
  if (off || stop->again)
    submit_round(bridge);
  else
    loop_set(bridge->service->loop, stop->retry_alarm, pause_ms(stop));
}

/* The first motor's frame is on the line: for everybody who came before it was sent. */
static void on_first_frame(bridge_t *bridge, const port_result_t *result) {
  stop_run_t *stop = &bridge->stop;
  stop->round_ns = result->sent_ns;
  if (stop->stop_ms < 0.0 && result->sent_ns >= stop->arrived_ns)
    stop->stop_ms = clock_age_ms(result->sent_end_ns, stop->arrived_ns);
  for (size_t i = 0; i < stop->call_count; i++) {
    stop_call_t *row = &stop->calls[i];
    if (row->stop_ms < 0.0 && result->sent_ns >= row->arrived_ns)
      row->stop_ms = clock_age_ms(result->sent_end_ns, row->arrived_ns);
  }
}

void bridge_on_stop_result(bridge_t *bridge, const port_result_t *result) {
  stop_run_t *stop = &bridge->stop;
  uint32_t place = result->job.tag - TAG_STOP, index = place % STOP_JOBS;
  if (!stop->active || place / STOP_JOBS != stop->round % STOP_ROUNDS) return;
  stop->waiting &= ~(1u << index);
  bool ok = result->outcome == RTU_OK;
  if (index == 0 && ok) on_first_frame(bridge, result);
  bool read = bridge->wiring.stops[index].read;
  if (ok && (!read || motors_stop_shows_off(&bridge->wiring, index, result->values)))
    stop->good |= 1u << index;
  if (stop->waiting == 0) end_round(bridge, ok ? result->last_byte_ns : clock_mono_ns());
}
