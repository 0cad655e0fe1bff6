/* The dock module's part in a command: its orders, what it answers, what it says while docking; and
 * the end of its work when the robot has given it up or is stopped. */
#include "bridge_internal.h"

#include <gantry/clock.h>

#include "plan.h"

#define DOCKING_NS (100 * (uint64_t)GANTRY_NS_PER_MS)
#define BACK_M     0.5 /* the documents' approach distance, where the module tells none */
#define BACK_MPS   0.1

#define TELL_NS    (250 * (uint64_t)GANTRY_NS_PER_MS)
#define TRIES_SAID 3

enum {
  DOCK_READ,
  DOCK_CLEAR,
  DOCK_ENABLE,
  DOCK_START,
  DOCK_LEAVE,
  DOCK_GIVE_UP,
  DOCK_EMERGENCY,
  DOCK_JOBS,
  DOCK_ROUNDS = 256
};
enum { DOCK_AT_WORK = 0x17 }; /* of its status: approaching, aligning, docking, undocking */

static const register_row_t *row_of(const bridge_t *bridge, const char *name) {
  return registers_find(registers_module(bridge->profile, "dock"), name);
}

static bool submit(bridge_t *bridge, uint32_t index, const char *name, line_function_t function) {
  const register_row_t *row = row_of(bridge, name);
  if (!row || !bridge->port) return false;
  uint32_t tag = TAG_DOCK + DOCK_JOBS * (bridge->dock.round % DOCK_ROUNDS) + index;
  job_t job = bridge_register_job(tag, bridge_unit(bridge, "dock"), row, function, 1);
  return port_submit(bridge->port, &job);
}

static void poll_fast(bridge_t *bridge, bool fast) {
  if (!bridge->port || bridge->dock.fast == fast) return;
  const plan_t *plan = port_plan(bridge->port);
  int poll =
      plan_find(plan, registers_module(bridge->profile, "dock"), row_of(bridge, "dock_status"));
  if (poll == JOB_NO_POLL) return;
  uint64_t period_ns = (uint64_t)(1e9 / plan->polls[poll].rate_hz);
  bool done = port_set_period(bridge->port, poll, fast ? DOCKING_NS : period_ns);
  if (done) bridge->dock.fast = fast;
}

static void order_start(bridge_t *bridge) {
  dock_state_t *dock = &bridge->dock;
  poll_fast(bridge, true);
  /* Whatever it said last: a stop may have reached it since. */
  (void)submit(bridge, DOCK_CLEAR, "command_clear", LINE_WRITE_ONE);
  (void)submit(bridge, DOCK_ENABLE, "command_enable", LINE_WRITE_ONE);
  (void)submit(bridge, DOCK_READ, "dock_timeout", LINE_READ_HOLDING);
  dock->ordered = submit(bridge, DOCK_START, "command_dock", LINE_WRITE_ONE);
}

static void order_leave(bridge_t *bridge) {
  (void)submit(bridge, DOCK_READ, "approach_distance", LINE_READ_HOLDING);
  bridge->dock.ordered = submit(bridge, DOCK_LEAVE, "command_stop", LINE_WRITE_ONE);
}

void bridge_dock_order(bridge_t *bridge, unsigned acts) {
  dock_state_t *dock = &bridge->dock;
  const commands_t *commands = &bridge->commands;
  bool starts = acts & ACT_DOCK;
  bool leaves = !starts && commands->kind == COMMAND_UNDOCK && commands->goal.waits;
  dock->given_up = !starts && !leaves;
  if (dock->given_up) {
    dock->told_ns = 0;
    bridge_dock_end(bridge);
    return;
  }
  dock->round++;
  if (starts)
    order_start(bridge);
  else
    order_leave(bridge);
}

/* Never before the motors' frames, and of no more weight than a command: it delays no stop. A stop
 * on its way may take this write out of the queue; then it is written again. */
void bridge_dock_end(bridge_t *bridge) {
  dock_state_t *dock = &bridge->dock;
  uint64_t now_ns = clock_mono_ns();
  bool estop = bridge->robot.latched;
  bool wanted = estop ? dock->at_work || dock->ordered : dock->given_up;
  if (!wanted || estop != dock->told_estop) {
    dock->told_ns = 0;
    dock->failed = 0;
    dock->told_estop = estop;
  }
  if (!wanted || (estop && !bridge_stop_sent(bridge))) return;
  if (dock->told_ns != 0 && now_ns - dock->told_ns < TELL_NS) return;
  if (estop ? submit(bridge, DOCK_EMERGENCY, "command_estop", LINE_WRITE_ONE)
            : submit(bridge, DOCK_GIVE_UP, "command_stop", LINE_WRITE_ONE))
    dock->told_ns = now_ns;
}

static void on_told(bridge_t *bridge, bool taken) {
  dock_state_t *dock = &bridge->dock;
  static const char words[] = "the dock module does not acknowledge its stop; still telling it";
  if (taken) {
    dock->ordered = dock->at_work = dock->given_up = false;
    dock->answered_ns = clock_mono_ns();
  } else if (++dock->failed == TRIES_SAID) {
    log_error("DOCK-NOT-STOPPED", "%s", words);
    bridge_event(bridge, "DOCK-NOT-STOPPED", SYS_CATEGORY_STATE, SYS_SEVERITY_ERROR, "dock", words);
  }
}

/* What the module was asked for before its order: how long it may dock, or how far to back off. */
static void take_setting(bridge_t *bridge, const port_result_t *result) {
  const register_row_t *timeout = row_of(bridge, "dock_timeout");
  commands_t *commands = &bridge->commands;
  if (result->outcome != RTU_OK) return;
  if (!timeout || result->job.first != timeout->address)
    bridge->dock.back_m = 1e-3 * result->values[0];
  else if (commands->deadline_ns == 0 && commands->state == COMMAND_RUNNING)
    commands->deadline_ns =
        commands->goal.asked_ns + result->values[0] * UINT64_C(1000) * GANTRY_NS_PER_MS;
}

/* The order itself, after all that was asked for before it. */
static void on_answer(bridge_t *bridge, rtu_outcome_t outcome) {
  dock_state_t *dock = &bridge->dock;
  uint64_t now_ns = clock_mono_ns();
  pilot_input_t input = bridge_pilot_input(bridge);
  double back_mps = dock->approach_mps > 0.0 ? dock->approach_mps : BACK_MPS;
  double back_m = dock->back_m > 0.0 ? dock->back_m : BACK_M;
  dock->ordered = false;
  dock->answered_ns = now_ns;
  dock->at_work = dock->at_work || outcome != RTU_EXCEPTION; /* unheard, it may have been taken */
  bridge_act(
      bridge,
      pilot_dock_answer(bridge_pilot(bridge), outcome == RTU_OK, back_m, back_mps, &input, now_ns),
      now_ns);
}

void bridge_on_dock_result(bridge_t *bridge, const port_result_t *result) {
  dock_state_t *dock = &bridge->dock;
  uint32_t place = result->job.tag - TAG_DOCK, index = place % DOCK_JOBS;
  if (place / DOCK_JOBS != dock->round % DOCK_ROUNDS) return;
  if (index == DOCK_READ) take_setting(bridge, result);
  if (index == DOCK_START || index == DOCK_LEAVE) on_answer(bridge, result->outcome);
  if (index == DOCK_GIVE_UP || index == DOCK_EMERGENCY) on_told(bridge, result->outcome == RTU_OK);
}

/* Whether it still has to be stopped, by its own word. */
static void follow_work(bridge_t *bridge, bool docking) {
  dock_state_t *dock = &bridge->dock;
  bool awaited = docking && !(dock->status & DOCK_DOCKED);
  dock->at_work = (dock->status & DOCK_AT_WORK) != 0 || awaited;
  if (!dock->at_work) dock->given_up = false;
}

void bridge_on_dock(bridge_t *bridge, const port_result_t *result, register_view_t view) {
  dock_state_t *dock = &bridge->dock;
  double status = 0.0;
  if (!readings_get(&bridge->readings, READING_DOCK_STATUS, view, &status)) return;
  if (!readings_get(&bridge->readings, READING_DOCK_DISTANCE, view, &dock->distance_m)) return;
  (void)readings_get(&bridge->readings, READING_APPROACH_SPEED, view, &dock->approach_mps);
  (void)readings_get(&bridge->readings, READING_FINAL_SPEED, view, &dock->final_mps);
  dock->status = (uint16_t)status;
  dock->heard_ns = result->last_byte_ns;
  bool docking = bridge->robot.state == ROBOT_DOCK;
  bool counts = !dock->ordered && result->sent_ns > dock->answered_ns;
  if (!docking) poll_fast(bridge, false);
  if (counts) follow_work(bridge, docking);
  if (counts && docking && (dock->status & DOCK_ESTOP) && !bridge->robot.latched)
    bridge_stop(bridge, STOP_DOCK, "the dock module reports an emergency stop",
                result->last_byte_ns, NULL);
}
