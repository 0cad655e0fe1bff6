/* What can be done to one module: ping, reset, quarantine, release. */
#include "bridge_internal.h"

#include <stdio.h>

#define PING_ANSWER_US 100000u
#define BUSY_ANSWER_US 20000u /* while the robot may move, as a poll */
#define RESET_ERROR    0x0109
#define RESET_OLDER    0x00F4
#define CALL_ROUNDS    64 /* so that a result finds its own call in a slot that was used again */

static void reply(bridge_line_t *line, rpc_context_t *call, uint8_t address) {
  robot_module_t out;
  const module_copy_t *copy = bridge_module_at(line, address);
  if (!copy) {
    rpc_fail(call, GANTRY_E_NOT_FOUND, "address", "the module has been forgotten meanwhile");
    return;
  }
  bridge_fill_module(line, copy, &out);
  rpc_reply(call, &out);
}

static job_t job_of(const bridge_t *bridge, const module_row_t *row, bool reset) {
  module_row_t asked = *row;
  uint32_t answer_us = robot_may_move(&bridge->robot) ? BUSY_ANSWER_US : PING_ANSWER_US;
  asked.step = row->present_by == MODULE_STEP_DONE ? MODULE_STEP_IDENT : row->present_by;
  job_t job = module_ask(&asked, 0, answer_us);
  if (!reset) return job;
  job.function = LINE_WRITE_ONE; /* said once: the module may take it as a command each time */
  job.first = row->present_by == MODULE_STEP_OLDER ? RESET_OLDER : RESET_ERROR;
  job.count = job.least = job.most = 1;
  job.values[0] = 1;
  return job;
}

/* A slot for a call; those of callers that have given up are taken again. NULL when all are busy.
 */
static module_call_t *take_slot(bridge_t *bridge) {
  for (size_t i = 0; i < MODULE_CALLS_MAX; i++) {
    module_call_t *slot = &bridge->module_calls[i];
    if (slot->call && rpc_left_ms(slot->call) == 0) {
      rpc_fail(slot->call, GANTRY_E_TIMEOUT, "", "the line did not come to it in time");
      slot->call = NULL;
    }
    if (slot->call) continue;
    slot->round++;
    return slot;
  }
  return NULL;
}

static uint32_t tag_of(const bridge_t *bridge, const module_call_t *slot) {
  uint32_t place = (uint32_t)(slot - bridge->module_calls);
  return TAG_MODULE + MODULE_CALLS_MAX * (slot->round % CALL_ROUNDS) + place;
}

static void send(bridge_t *bridge, const bridge_line_t *line, rpc_context_t *call,
                 const module_row_t *row, bool reset) {
  module_call_t *slot = take_slot(bridge);
  job_t job = job_of(bridge, row, reset);
  if (slot) job.tag = tag_of(bridge, slot);
  if (!slot || !line->open || !port_submit(line->port, &job))
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "line %u takes no request now", line->number);
  else
    slot->call = call;
}

static void quarantine(bridge_t *bridge, bridge_line_t *line, rpc_context_t *call,
                       module_copy_t *copy, bool on) {
  char actor[51], detail[64];
  if (on && copy->row.mandatory &&
      (robot_may_move(&bridge->robot) || bridge_motion_sign(bridge) != 0)) {
    rpc_fail(call, GANTRY_E_CONFLICT, "act",
             "the robot does not move without this module; stop it first");
    return;
  }
  if (!port_quarantine(line->port, copy->row.address, on)) {
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "line %u takes no order now", line->number);
    return;
  }
  (void)snprintf(actor, sizeof actor, "%s", rpc_actor(call));
  (void)snprintf(detail, sizeof detail, "module 0x%02X on line %u", copy->row.address,
                 line->number);
  copy->row.quarantined = on; /* as the port will say in a moment */
  copy->row.state = MODULE_UNKNOWN;
  bridge->registry_changed = true;
  reply(line, call, copy->row.address);
  bridge_audit(bridge, actor, on ? "robot.quarantine" : "robot.release", true, detail);
  bridge_event(bridge, on ? "MODULE-QUARANTINED" : "MODULE-RELEASED", SYS_CATEGORY_MODULE,
               on ? SYS_SEVERITY_WARNING : SYS_SEVERITY_INFO, detail,
               on ? "left alone by order: neither polled nor probed"
                  : "asked and polled again by order");
}

void on_module_do(rpc_context_t *call, const void *takes, void *arg) {
  bridge_t *bridge = arg;
  const robot_module_do_t *order = takes;
  bridge_line_t *line = bridge_line(bridge, order->has_port ? order->port : 0);
  module_copy_t *copy = line ? bridge_module_at(line, order->address) : NULL;
  bool on_line = order->act == ROBOT_MODULE_ACT_PING || order->act == ROBOT_MODULE_ACT_RESET;
  if (!line)
    rpc_fail(call, GANTRY_E_NOT_FOUND, "port", "there is no line %u", order->port);
  else if (!copy)
    rpc_fail(call, GANTRY_E_NOT_FOUND, "address",
             "no module is known at 0x%02X on line %u; search for it", order->address,
             line->number);
  else if (!line->port)
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "port", "line %u has no device", line->number);
  else if (on_line && copy->row.quarantined)
    rpc_fail(call, GANTRY_E_CONFLICT, "act", "the module is quarantined; release it first");
  else if (order->act == ROBOT_MODULE_ACT_RESET && robot_may_move(&bridge->robot))
    rpc_fail(call, GANTRY_E_CONFLICT, "act", "the robot moves; stop it first");
  else if (on_line)
    send(bridge, line, call, &copy->row, order->act == ROBOT_MODULE_ACT_RESET);
  else
    quarantine(bridge, line, call, copy, order->act == ROBOT_MODULE_ACT_QUARANTINE);
}

void bridge_on_module_done(bridge_line_t *line, const port_result_t *result) {
  bridge_t *bridge = line->bridge;
  module_call_t *slot = &bridge->module_calls[(result->job.tag - TAG_MODULE) % MODULE_CALLS_MAX];
  rpc_context_t *call = slot->call;
  if (!call || tag_of(bridge, slot) != result->job.tag) return;
  slot->call = NULL;
  bool ping = result->job.function != LINE_WRITE_ONE;
  if (result->outcome == RTU_OK || (ping && result->outcome == RTU_EXCEPTION))
    reply(line, call, result->job.unit); /* who refuses is there */
  else if (result->outcome == RTU_EXCEPTION)
    rpc_fail(call, GANTRY_E_DEVICE, "address", "the module refuses: %s",
             rtu_exception_text(result->exception));
  else if (result->outcome == RTU_NO_PORT || result->outcome == RTU_ABANDONED)
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "line %u: %s", line->number,
             rtu_outcome_text(result->outcome));
  else
    rpc_fail(call, GANTRY_E_TIMEOUT, "address", "module 0x%02X: %s", result->job.unit,
             rtu_outcome_text(result->outcome));
}
