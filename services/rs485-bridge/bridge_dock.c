/* The dock module's part in a command: its orders, what it answers, what it says while docking. */
#include "bridge_internal.h"

#include <gantry/clock.h>

#include "plan.h"

#define DOCKING_NS (100 * (uint64_t)GANTRY_NS_PER_MS)
#define BACK_M     0.5 /* the documents' approach distance, where the module tells none */
#define BACK_MPS   0.1

enum { DOCK_READ, DOCK_CLEAR, DOCK_ENABLE, DOCK_START, DOCK_STOP, DOCK_JOBS };

static const register_row_t *row_of(const bridge_t *bridge, const char *name) {
  return registers_find(registers_module(bridge->profile, "dock"), name);
}

static void submit(bridge_t *bridge, uint32_t index, const char *name, line_function_t function) {
  const register_row_t *row = row_of(bridge, name);
  if (!row || !bridge->port) return;
  uint8_t unit = bridge_unit(bridge, "dock");
  job_t job = bridge_register_job(TAG_DOCK + index, unit, row, function, 1);
  if (port_submit(bridge->port, &job)) bridge->dock.waiting |= 1u << index;
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

void bridge_dock_order(bridge_t *bridge, unsigned acts) {
  dock_state_t *dock = &bridge->dock;
  dock->waiting = 0;
  if (acts & ACT_DOCK) {
    poll_fast(bridge, true);
    if (dock->status & (DOCK_FAULT | DOCK_ESTOP))
      submit(bridge, DOCK_CLEAR, "command_clear", LINE_WRITE_ONE);
    submit(bridge, DOCK_ENABLE, "command_enable", LINE_WRITE_ONE);
    submit(bridge, DOCK_READ, "dock_timeout", LINE_READ_HOLDING);
    submit(bridge, DOCK_START, "command_dock", LINE_WRITE_ONE);
  } else {
    submit(bridge, DOCK_READ, "approach_distance", LINE_READ_HOLDING);
    submit(bridge, DOCK_STOP, "command_stop", LINE_WRITE_ONE);
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

void bridge_on_dock_result(bridge_t *bridge, const port_result_t *result) {
  uint32_t index = result->job.tag - TAG_DOCK;
  if (index >= DOCK_JOBS || !(bridge->dock.waiting & 1u << index)) return;
  bridge->dock.waiting &= ~(1u << index);
  if (index == DOCK_READ) take_setting(bridge, result);
  command_kind_t kind = bridge->commands.kind;
  bool ends = (index == DOCK_START && kind == COMMAND_DOCK) ||
              (index == DOCK_STOP && kind == COMMAND_UNDOCK);
  if (!ends) return;
  uint64_t now_ns = clock_mono_ns();
  pilot_input_t input = bridge_pilot_input(bridge);
  double back_mps = bridge->dock.approach_mps > 0.0 ? bridge->dock.approach_mps : BACK_MPS;
  double back_m = bridge->dock.back_m > 0.0 ? bridge->dock.back_m : BACK_M;
  bool taken = result->outcome == RTU_OK;
  bridge_act(bridge,
             pilot_dock_answer(bridge_pilot(bridge), taken, back_m, back_mps, &input, now_ns),
             now_ns);
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
  if (!docking) poll_fast(bridge, false);
  if (docking && (dock->status & DOCK_ESTOP) && !bridge->robot.latched)
    bridge_stop(bridge, STOP_DOCK, "the dock module reports an emergency stop",
                result->last_byte_ns, NULL);
}
