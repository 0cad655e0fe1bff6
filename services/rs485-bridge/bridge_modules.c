/* The registry as the bus sees it, discovery and register reads on request. */
#include "bridge_internal.h"

#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#define HEALTH_FAIR     80.0
#define HEALTH_POOR     40.0
#define MOVING_READ_MAX 8  /* as the longest poll */
#define ABSENT_AFTER    10 /* failures in a row */

static module_copy_t *copy_of(bridge_t *bridge, uint8_t address) {
  for (size_t i = 0; i < bridge->module_count; i++)
    if (bridge->modules[i].row.address == address) return &bridge->modules[i];
  if (address == 0 || bridge->module_count == MODULES_MAX) return NULL;
  module_copy_t *copy = &bridge->modules[bridge->module_count++];
  *copy = (module_copy_t){0};
  return copy;
}

uint64_t bridge_seen_ns(const bridge_t *bridge, const char *module) {
  uint8_t address = bridge_unit(bridge, module);
  for (size_t i = 0; i < bridge->module_count; i++)
    if (bridge->modules[i].row.address == address) return bridge->modules[i].row.seen_ns;
  return 0;
}

static void module_name(const bridge_t *bridge, uint8_t address, char *out, size_t size) {
  const register_module_t *known = registers_module_at(bridge->profile, address);
  if (known)
    (void)snprintf(out, size, "%s", known->name);
  else
    (void)snprintf(out, size, "module_%02x", address);
}

static robot_module_status_t status_of(const module_row_t *row) {
  if (row->state == MODULE_UNKNOWN) return ROBOT_MODULE_STATUS_UNKNOWN;
  if (row->state == MODULE_OFFLINE)
    return row->faults >= ABSENT_AFTER ? ROBOT_MODULE_STATUS_LOST : ROBOT_MODULE_STATUS_OFFLINE;
  double health = module_health(row);
  if (health < HEALTH_POOR) return ROBOT_MODULE_STATUS_ERROR;
  return health < HEALTH_FAIR ? ROBOT_MODULE_STATUS_WARNING : ROBOT_MODULE_STATUS_HEALTHY;
}

static void fill_version(char *out, size_t size, uint16_t version) {
  (void)snprintf(out, size, "%u.%u", version >> 8, version & 0xFFu);
}

static void fill_module(const bridge_t *bridge, const module_copy_t *copy, robot_module_t *out) {
  const module_row_t *row = &copy->row;
  *out = (robot_module_t){.address = row->address,
                          .type = row->type,
                          .status = status_of(row),
                          .mandatory = row->mandatory,
                          .serial = row->serial,
                          .device_id = row->device_id,
                          .requests = row->requests,
                          .failures = row->failures,
                          .timeouts = row->timeouts,
                          .crc_errors = row->damaged,
                          .exceptions = row->exceptions,
                          .response_ms = module_response_ms(row),
                          .health = module_health(row)};
  module_name(bridge, row->address, out->name, sizeof out->name);
  fill_version(out->firmware, sizeof out->firmware, row->firmware);
  fill_version(out->hardware, sizeof out->hardware, row->hardware);
  (void)snprintf(out->profile, sizeof out->profile, "%s", bridge->profile->name);
  if (row->seen_ns == 0) return;
  out->has_last_seen = out->has_age = true;
  out->last_seen = copy->seen_wall_ns;
  out->age = clock_age_ms(clock_mono_ns(), row->seen_ns) / 1000.0;
}

static void say_change(bridge_t *bridge, const port_result_t *result) {
  char name[32], text[128];
  module_name(bridge, result->module.address, name, sizeof name);
  if (result->change == MODULE_CAME) {
    (void)snprintf(text, sizeof text, "module %s at 0x%02X answers", name, result->module.address);
    log_info("MODULE-ONLINE", "%s", text);
    bridge_event(bridge, "MODULE-ONLINE", SYS_CATEGORY_MODULE, SYS_SEVERITY_INFO, name, text);
  } else if (result->change == MODULE_WENT) {
    (void)snprintf(text, sizeof text, "module %s at 0x%02X does not answer", name,
                   result->module.address);
    log_warn("MODULE-OFFLINE", "%s", text);
    bridge_event(bridge, "MODULE-OFFLINE", SYS_CATEGORY_MODULE, SYS_SEVERITY_ERROR, name, text);
  } else if (result->change == MODULE_KNOWN && result->module.identified &&
             result->module.device_id != result->module.address) {
    (void)snprintf(text, sizeof text, "module at 0x%02X says its address is 0x%02X",
                   result->module.address, result->module.device_id);
    log_warn("MODULE-CONFLICT", "%s", text);
    bridge_event(bridge, "MODULE-CONFLICT", SYS_CATEGORY_MODULE, SYS_SEVERITY_WARNING, name, text);
  }
}

static bool is_scanned(const bridge_t *bridge) {
  for (size_t i = 0; i < bridge->module_count; i++)
    if (bridge->modules[i].row.state == MODULE_UNKNOWN) return false;
  return true;
}

static void answer_discovery(bridge_t *bridge) {
  if (!bridge->discovering || !is_scanned(bridge)) return;
  rpc_context_t *call = bridge->discovering;
  bridge->discovering = NULL;
  on_modules(call, NULL, bridge);
}

void bridge_on_module(bridge_t *bridge, const port_result_t *result) {
  module_copy_t *copy = copy_of(bridge, result->module.address);
  if (!copy) return;
  if (result->module.seen_ns != copy->row.seen_ns) copy->seen_wall_ns = clock_wall_ns();
  copy->row = result->module;
  if (result->change != MODULE_SAME) say_change(bridge, result);
  bool travel = result->module.address == bridge_unit(bridge, "travel_motor");
  if (result->change == MODULE_CAME && travel && !robot_may_move(&bridge->robot))
    bridge_verify_off(bridge);
  answer_discovery(bridge);
}

void bridge_publish_modules(void *arg) {
  bridge_t *bridge = arg;
  robot_module_t module;
  for (size_t i = 0; i < bridge->module_count; i++) {
    fill_module(bridge, &bridge->modules[i], &module);
    (void)bus_publish(bridge->service->bus, TOPIC_ROBOT_MODULE, module.name, &module);
  }
}

void on_modules(rpc_context_t *call, const void *takes, void *arg) {
  (void)takes;
  bridge_t *bridge = arg;
  robot_modules_t out = {.modules_count = (uint32_t)bridge->module_count};
  for (size_t i = 0; i < bridge->module_count; i++)
    fill_module(bridge, &bridge->modules[i], &out.modules[i]);
  rpc_reply(call, &out);
}

void on_discover(rpc_context_t *call, const void *takes, void *arg) {
  (void)takes;
  bridge_t *bridge = arg;
  if (!bridge->port || !bridge->port_open) {
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "the RS485 port is not open: %s", bridge->port_detail);
  } else if (bridge->discovering || bridge->robot.state == ROBOT_MOVE) {
    rpc_fail(call, GANTRY_E_CONFLICT, "", "%s",
             bridge->discovering ? "a discovery runs already" : "the robot moves; stop it first");
  } else {
    for (size_t i = 0; i < bridge->module_count; i++)
      bridge->modules[i].row.state = MODULE_UNKNOWN;
    bridge->discovering = call;
    if (port_discover(bridge->port)) return;
    bridge->discovering = NULL;
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "the port is too busy to take the order; try again");
  }
}

void on_registers_read(rpc_context_t *call, const void *takes, void *arg) {
  bridge_t *bridge = arg;
  const robot_registers_read_t *read = takes;
  uint32_t slot = 0;
  while (slot < READ_CALLS_MAX && bridge->reads[slot].call)
    slot++;
  job_t job = {.tag = TAG_READ + slot,
               .lane = JOB_COMMAND,
               .unit = read->address,
               .function = LINE_READ_HOLDING,
               .first = read->register_,
               .count = read->count,
               .answer_us = 100000,
               .retries = 1,
               .poll = JOB_NO_POLL};
  if (read->count > 125 || (uint32_t)read->register_ + read->count > 0x10000)
    rpc_fail(call, GANTRY_E_INVALID, "count", "registers end at 0xFFFF; at most 125 a read");
  else if (robot_may_move(&bridge->robot) && read->count > MOVING_READ_MAX)
    rpc_fail(call, GANTRY_E_CONFLICT, "count",
             "at most %d registers a read while the robot moves: a stop waits for the answer",
             MOVING_READ_MAX);
  else if (slot == READ_CALLS_MAX || !bridge->port || !bridge->port_open ||
           !port_submit(bridge->port, &job))
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "the RS485 port takes no request now");
  else
    bridge->reads[slot].call = call;
}

void bridge_on_read_result(bridge_t *bridge, const port_result_t *result) {
  uint32_t slot = result->job.tag - TAG_READ;
  if (slot >= READ_CALLS_MAX || !bridge->reads[slot].call) return;
  rpc_context_t *call = bridge->reads[slot].call;
  bridge->reads[slot].call = NULL;
  if (result->outcome == RTU_OK) {
    robot_registers_t out = {.address = result->job.unit,
                             .register_ = result->job.first,
                             .values_count = result->job.count};
    memcpy(out.values, result->values, result->job.count * sizeof out.values[0]);
    rpc_reply(call, &out);
  } else if (result->outcome == RTU_EXCEPTION) {
    rpc_fail(call, result->exception == 2 ? GANTRY_E_NOT_FOUND : GANTRY_E_DEVICE, "register",
             "the module refuses: %s", rtu_exception_text(result->exception));
  } else {
    rpc_fail(call, result->outcome == RTU_NO_PORT ? GANTRY_E_UNAVAILABLE : GANTRY_E_TIMEOUT,
             "address", "module 0x%02X: %s", result->job.unit, rtu_outcome_text(result->outcome));
  }
}
