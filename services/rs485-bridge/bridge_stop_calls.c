/* Who waits for a stop. A caller waits for the motors first: both read back by frames of its own.
   Then for the latch, which is to survive a killed bridge before anybody relies on it; that wait
   is short and never the reason for a refusal. */
#include "bridge_internal.h"

#include <stdio.h>

#include <gantry/clock.h>

#define REPLY_MARGIN_MS 10u /* the answer must be there before the caller gives up */
#define LATCH_WAIT_NS   (100 * (uint64_t)GANTRY_NS_PER_MS)

static void arm_deadline(bridge_t *bridge) {
  const stop_run_t *stop = &bridge->stop;
  uint64_t now_ns = clock_mono_ns(), first_ns = UINT64_MAX;
  for (size_t i = 0; i < stop->call_count; i++)
    if (stop->calls[i].deadline_ns < first_ns) first_ns = stop->calls[i].deadline_ns;
  for (size_t i = 0; i < stop->answer_count; i++)
    if (stop->answers[i].until_ns < first_ns) first_ns = stop->answers[i].until_ns;
  if (first_ns == UINT64_MAX) return;
  uint64_t left_ns = first_ns > now_ns ? first_ns - now_ns : 0;
  loop_set(bridge->service->loop, stop->deadline_alarm, (uint32_t)(left_ns / GANTRY_NS_PER_MS) + 1);
}

static void fail_call(bridge_t *bridge, rpc_context_t *call) {
  char actor[51];
  (void)snprintf(actor, sizeof actor, "%s", rpc_actor(call));
  rpc_fail(call, GANTRY_E_TIMEOUT, "",
           "the stop is latched but not confirmed by the travel motor; still retrying");
  bridge_audit(bridge, actor, "robot.estop", false, "stop not confirmed in time; still retrying");
}

static void fail_calls(bridge_t *bridge, uint64_t now_ns) {
  stop_run_t *stop = &bridge->stop;
  size_t kept = 0;
  for (size_t i = 0; i < stop->call_count; i++) {
    stop_call_t row = stop->calls[i];
    if (row.deadline_ns > now_ns) {
      stop->calls[kept++] = row;
      continue;
    }
    if (bridge->phase != ROBOT_STOP_PHASE_UNCONFIRMED) {
      bridge->phase = ROBOT_STOP_PHASE_UNCONFIRMED;
      bridge_publish_safety(bridge);
    }
    fail_call(bridge, row.call);
  }
  stop->call_count = kept;
}

static void answer(bridge_t *bridge, const stop_answer_t *row) {
  char actor[51], detail[192];
  (void)snprintf(actor, sizeof actor, "%s", rpc_actor(row->call));
  rpc_reply(row->call, &row->safety);
  bridge_trip_words(bridge, row->safety.stop_ms, row->safety.confirm_ms, detail, sizeof detail);
  bridge_audit(bridge, actor, "robot.estop", true, detail);
}

static void answer_due(bridge_t *bridge, uint64_t now_ns) {
  stop_run_t *stop = &bridge->stop;
  bool handed = latch_keeper_is_handed(bridge->latch);
  size_t kept = 0;
  for (size_t i = 0; i < stop->answer_count; i++) {
    if (!handed && stop->answers[i].until_ns > now_ns)
      stop->answers[kept++] = stop->answers[i];
    else
      answer(bridge, &stop->answers[i]);
  }
  stop->answer_count = kept;
}

static void on_deadline(void *arg) {
  uint64_t now_ns = clock_mono_ns();
  answer_due(arg, now_ns);
  fail_calls(arg, now_ns);
  arm_deadline(arg);
}

gantry_err_t bridge_stop_calls_prepare(bridge_t *bridge) {
  bridge->stop.deadline_alarm = loop_alarm(bridge->service->loop, on_deadline, bridge);
  return bridge->stop.deadline_alarm ? GANTRY_OK : GANTRY_E_INTERNAL;
}

void bridge_stop_calls_add(bridge_t *bridge, rpc_context_t *call, uint64_t arrived_ns) {
  stop_run_t *stop = &bridge->stop;
  if (stop->call_count + stop->answer_count == STOP_CALLS_MAX) {
    rpc_fail(call, GANTRY_E_TIMEOUT, "",
             "the stop is latched and under way; too many callers wait for it to be confirmed");
    return;
  }
  uint32_t left_ms = rpc_left_ms(call);
  left_ms = left_ms > REPLY_MARGIN_MS ? left_ms - REPLY_MARGIN_MS : 1;
  stop->calls[stop->call_count++] =
      (stop_call_t){.call = call,
                    .arrived_ns = arrived_ns,
                    .deadline_ns = clock_mono_ns() + left_ms * (uint64_t)GANTRY_NS_PER_MS,
                    .stop_ms = -1.0};
  arm_deadline(bridge);
}

/* What is true now is the answer, whatever else happens while it waits for the latch. */
static void prepare_answer(bridge_t *bridge, const stop_call_t *call, uint64_t confirmed_ns) {
  stop_answer_t *row = &bridge->stop.answers[bridge->stop.answer_count++];
  uint64_t patience_ns = clock_mono_ns() + LATCH_WAIT_NS;
  row->call = call->call;
  row->until_ns = call->deadline_ns < patience_ns ? call->deadline_ns : patience_ns;
  bridge_fill_safety(bridge, &row->safety);
  row->safety.has_stop_ms = row->safety.has_confirm_ms = true;
  row->safety.stop_ms = call->stop_ms;
  row->safety.confirm_ms = clock_age_ms(confirmed_ns, call->arrived_ns);
}

void bridge_stop_calls_confirm(bridge_t *bridge, uint64_t confirmed_ns) {
  stop_run_t *stop = &bridge->stop;
  size_t kept = 0;
  for (size_t i = 0; i < stop->call_count; i++) {
    if (stop->calls[i].arrived_ns <= stop->round_ns)
      prepare_answer(bridge, &stop->calls[i], confirmed_ns);
    else
      stop->calls[kept++] = stop->calls[i];
  }
  stop->call_count = kept;
  bridge_stop_calls_latched(bridge);
}

void bridge_stop_calls_latched(bridge_t *bridge) {
  answer_due(bridge, clock_mono_ns());
  arm_deadline(bridge);
}
