/* Register requests that wait for the line: their slots, their results. */
#include "bridge_registers.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* To the first byte of an answer. A module that is not there holds the line twice as long; the
   safety poll must not miss its 150 ms for that. A write may take a module longer, while nothing
   moves. */
#define ANSWER_US       20000u
#define WRITE_ANSWER_US 60000u
#define CALL_ROUNDS     64 /* so that a result finds its own call in a slot that was used again */

static_assert((int)REGISTER_TEXT4 == (int)ROBOT_REGISTER_TYPE_TEXT4, "type codes agree");
static_assert((int)REGISTER_SYSTEM == (int)ROBOT_REGISTER_ACCESS_SYSTEM, "access codes agree");

void bridge_fill_register(const register_row_t *row, robot_register_value_t *out) {
  double low = (double)row->min * row->scale, high = (double)row->max * row->scale;
  *out = (robot_register_value_t){.register_ = row->address,
                                  .type = (robot_register_type_t)row->type,
                                  .access = (robot_register_access_t)row->access,
                                  .readable = (row->flags & REGISTER_READ) != 0,
                                  .writable = (row->flags & REGISTER_WRITE) != 0,
                                  .safety = (row->flags & REGISTER_SAFETY) != 0};
  (void)snprintf(out->name, sizeof out->name, "%s", row->name);
  (void)snprintf(out->unit, sizeof out->unit, "%s", row->unit);
  if (!out->writable) return;
  out->has_min = out->has_max = true;
  out->min = fmin(low, high);
  out->max = fmax(low, high);
}

void bridge_fill_value(const register_row_t *row, const uint16_t words[2], double age_s,
                       robot_register_value_t *out) {
  const register_view_t view = {.first = row->address, .count = row->words, .values = words};
  out->has_age = true;
  out->age = age_s;
  if (row->type == REGISTER_TEXT4) {
    char text[REGISTERS_TEXT4];
    registers_text(row, view, text);
    out->has_text = true;
    (void)snprintf(out->text, sizeof out->text, "%s", text);
    return;
  }
  out->has_raw = out->has_value = true;
  out->raw = registers_raw(row, view);
  out->value = registers_value(row, view);
}

void bridge_fill_head(const bridge_line_t *line, uint8_t unit, const register_module_t *module,
                      robot_register_values_t *out) {
  out->address = unit;
  out->port = line->number;
  if (module)
    (void)snprintf(out->module, sizeof out->module, "%s", module->name);
  else
    (void)snprintf(out->module, sizeof out->module, "module_%02x", unit);
}

/* ---- calls that wait for the line */

/* A slot for a call; those of callers that have given up are taken again. NULL when all are busy.
 */
static register_call_t *take_slot(bridge_t *bridge) {
  for (size_t i = 0; i < READ_CALLS_MAX; i++) {
    register_call_t *slot = &bridge->reads[i];
    if (slot->call && rpc_left_ms(slot->call) == 0) {
      rpc_fail(slot->call, GANTRY_E_TIMEOUT, "", "the line did not come to it in time");
      slot->call = NULL;
    }
    if (slot->call) continue;
    *slot = (register_call_t){.round = slot->round + 1};
    return slot;
  }
  return NULL;
}

static uint32_t tag_of(const bridge_t *bridge, const register_call_t *slot) {
  uint32_t place = (uint32_t)(slot - bridge->reads);
  return TAG_READ + READ_CALLS_MAX * (slot->round % CALL_ROUNDS) + place;
}

register_call_t *bridge_register_begin(bridge_t *bridge, rpc_context_t *call, bridge_line_t *line,
                                       uint8_t unit, register_step_t step) {
  register_call_t *slot = take_slot(bridge);
  if (!slot) {
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "too many register requests wait; try again");
    return NULL;
  }
  slot->call = call;
  slot->line = line;
  slot->unit = unit;
  slot->step = step;
  return slot;
}

void bridge_register_submit(bridge_t *bridge, register_call_t *slot, job_t *job) {
  job->tag = tag_of(bridge, slot);
  job->lane = JOB_COMMAND;
  job->unit = slot->unit;
  bool reads = job->function == LINE_READ_HOLDING || job->function == LINE_READ_INPUT;
  job->answer_us = reads || robot_may_move(&bridge->robot) ? ANSWER_US : WRITE_ANSWER_US;
  job->patient = true;
  job->poll = JOB_NO_POLL;
  if (slot->line->open && port_submit(slot->line->port, job)) return;
  const char *written = slot->step == CALL_BACK ? "written, but not confirmed: " : "";
  if (slot->step == CALL_BACK)
    bridge_register_record(bridge, slot->call, false, "%s at 0x%02X: not confirmed",
                           slot->row->name, slot->unit);
  rpc_fail(slot->call, GANTRY_E_UNAVAILABLE, "", "%sline %u takes no request now: %s", written,
           slot->line->number, slot->line->open ? "too many wait" : slot->line->detail);
  slot->call = NULL;
}

void bridge_register_record(bridge_t *bridge, rpc_context_t *call, bool success, const char *format,
                            ...) {
  char actor[51], detail[192];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(detail, sizeof detail, format, args);
  va_end(args);
  (void)snprintf(actor, sizeof actor, "%s", rpc_actor(call));
  bridge_audit(bridge, actor, "robot.register_write", success, detail);
}

/* ---- results */

static void reply_value(register_call_t *slot, const uint16_t *words) {
  robot_register_value_t out;
  bridge_fill_register(slot->row, &out);
  if (words) bridge_fill_value(slot->row, words, 0.0, &out);
  rpc_reply(slot->call, &out);
}

static void reply_row(register_call_t *slot, const uint16_t *words) {
  robot_register_values_t *out = calloc(1, sizeof *out);
  const register_module_t *module = registers_module_at(slot->line->cfg.profile, slot->unit);
  if (!out) {
    rpc_fail(slot->call, GANTRY_E_INTERNAL, "", "out of memory");
    return;
  }
  bridge_fill_head(slot->line, slot->unit, module, out);
  bridge_fill_register(slot->row, &out->values[out->values_count++]);
  bridge_fill_value(slot->row, words, 0.0, &out->values[0]);
  rpc_reply(slot->call, out);
  free(out);
}

static void reply_words(register_call_t *slot, const port_result_t *result) {
  robot_registers_t out = {.address = result->job.unit,
                           .register_ = result->job.first,
                           .values_count = result->job.count};
  memcpy(out.values, result->values, result->job.count * sizeof out.values[0]);
  rpc_reply(slot->call, &out);
}

static void fail_call(bridge_t *bridge, register_call_t *slot, const port_result_t *result) {
  bool wrote = slot->step == CALL_WRITE || slot->step == CALL_BACK;
  const char *what = slot->step == CALL_BACK ? "written, but not confirmed: " : "";
  if (wrote)
    bridge_register_record(bridge, slot->call, false, "%s at 0x%02X: %s%s", slot->row->name,
                           slot->unit, what,
                           result->outcome == RTU_EXCEPTION ? rtu_exception_text(result->exception)
                                                            : rtu_outcome_text(result->outcome));
  if (result->outcome == RTU_EXCEPTION)
    rpc_fail(slot->call, result->exception == 2 ? GANTRY_E_NOT_FOUND : GANTRY_E_DEVICE, "register",
             "%sthe module refuses: %s", what, rtu_exception_text(result->exception));
  else if (result->outcome == RTU_NO_PORT)
    rpc_fail(slot->call, GANTRY_E_UNAVAILABLE, "", "%sline %u: %s", what, slot->line->number,
             rtu_outcome_text(result->outcome));
  else if (result->outcome == RTU_ABANDONED && wrote)
    rpc_fail(slot->call, GANTRY_E_CONFLICT, "",
             "%sa stop came first; read the register before it is written again", what);
  else
    rpc_fail(slot->call, result->outcome == RTU_DAMAGED ? GANTRY_E_DEVICE : GANTRY_E_TIMEOUT,
             "address", "%smodule 0x%02X: %s", what, slot->unit, rtu_outcome_text(result->outcome));
  if (wrote && result->outcome != RTU_EXCEPTION) bridge_config_failed(bridge, slot->row->name);
}

/* Read back: modules acknowledge writes that they do not carry out. */
static void confirm(bridge_t *bridge, register_call_t *slot, const port_result_t *result) {
  const register_view_t view = {
      .first = result->job.first, .count = result->job.count, .values = result->values};
  long long wrote = slot->raw, is = registers_raw(slot->row, view);
  bridge_register_record(bridge, slot->call, wrote == is,
                         "%s at 0x%02X: wrote %lld, reads back %lld", slot->row->name, slot->unit,
                         wrote, is);
  if (wrote == is)
    reply_value(slot, result->values);
  else
    rpc_fail(slot->call, GANTRY_E_DEVICE, "value",
             "%s was acknowledged but not taken: wrote %lld, reads back %lld", slot->row->name,
             wrote, is);
  if (wrote != is) bridge_config_failed(bridge, slot->row->name);
}

static void end_write(bridge_t *bridge, register_call_t *slot) {
  bridge_register_record(bridge, slot->call, true, "%s at 0x%02X: wrote %lld", slot->row->name,
                         slot->unit, (long long)slot->raw);
  reply_value(slot, NULL);
}

static void read_back(bridge_t *bridge, register_call_t *slot) {
  job_t job = {.function = LINE_READ_HOLDING,
               .first = slot->row->address,
               .count = slot->row->words,
               .retries = 1};
  slot->step = CALL_BACK;
  bridge_register_submit(bridge, slot, &job);
}

void bridge_on_read_result(bridge_t *bridge, const port_result_t *result) {
  uint32_t place = result->job.tag - TAG_READ;
  register_call_t *slot = &bridge->reads[place % READ_CALLS_MAX];
  if (!slot->call || tag_of(bridge, slot) != result->job.tag) return;
  if (result->outcome != RTU_OK) {
    fail_call(bridge, slot, result);
  } else if (slot->step == CALL_WRITE && (slot->row->flags & REGISTER_READ)) {
    read_back(bridge, slot);
    return;
  } else if (slot->step == CALL_WRITE) {
    end_write(bridge, slot);
  } else if (slot->step == CALL_BACK) {
    confirm(bridge, slot, result);
  } else if (slot->step == CALL_ROW) {
    reply_row(slot, result->values);
  } else {
    reply_words(slot, result);
  }
  slot->call = NULL;
}
