/* The registry as the bus sees it, discovery and register reads on request. */
#include "bridge_internal.h"

#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#define HEALTH_FAIR  80.0
#define HEALTH_POOR  40.0
#define ABSENT_AFTER 10 /* failures in a row */

static module_copy_t *copy_of(bridge_line_t *line, uint8_t address) {
  size_t at = 0;
  while (at < line->module_count && line->modules[at].row.address < address)
    at++;
  module_copy_t *copy = &line->modules[at];
  if (at < line->module_count && copy->row.address == address) return copy;
  if (address == 0 || line->module_count == MODULES_MAX) return NULL;
  memmove(copy + 1, copy, (line->module_count++ - at) * sizeof *copy);
  *copy = (module_copy_t){.row.address = address};
  return copy;
}

uint64_t bridge_seen_ns(const bridge_t *bridge, const char *module) {
  const module_row_t *row = bridge_module(bridge, module);
  return row ? row->seen_ns : 0;
}

static void module_name(const bridge_line_t *line, uint8_t address, char *out, size_t size) {
  const register_module_t *known = registers_module_at(line->cfg.profile, address);
  if (known)
    (void)snprintf(out, size, "%s", known->name);
  else
    (void)snprintf(out, size, "module_%02x", address);
}

/* The last part of the module's topic: its name, and on further lines line and address. */
static void module_key(const bridge_line_t *line, uint8_t address, char *out, size_t size) {
  if (line->number == 1)
    module_name(line, address, out, size);
  else
    (void)snprintf(out, size, "%u-0x%02x", line->number, address);
}

static robot_module_status_t status_of(const module_row_t *row) {
  if (row->state == MODULE_UNKNOWN) return ROBOT_MODULE_STATUS_UNKNOWN;
  if (row->state == MODULE_OFFLINE)
    return row->faults >= ABSENT_AFTER ? ROBOT_MODULE_STATUS_LOST : ROBOT_MODULE_STATUS_OFFLINE;
  double health = module_stats_health(&row->stats);
  if (health < HEALTH_POOR) return ROBOT_MODULE_STATUS_ERROR;
  return health < HEALTH_FAIR ? ROBOT_MODULE_STATUS_WARNING : ROBOT_MODULE_STATUS_HEALTHY;
}

static void fill_version(char *out, size_t size, uint16_t version) {
  (void)snprintf(out, size, "%u.%u", version >> 8, version & 0xFFu);
}

static void fill_module(const bridge_line_t *line, const module_copy_t *copy, robot_module_t *out) {
  const module_row_t *row = &copy->row;
  *out = (robot_module_t){.address = row->address,
                          .type = row->type,
                          .status = status_of(row),
                          .mandatory = row->mandatory,
                          .serial = row->serial,
                          .device_id = row->device_id,
                          .requests = row->stats.requests,
                          .failures = row->stats.failures,
                          .timeouts = row->stats.timeouts,
                          .crc_errors = row->stats.damaged,
                          .exceptions = row->stats.exceptions,
                          .response_ms = module_stats_response_ms(&row->stats),
                          .health = module_stats_health(&row->stats)};
  module_name(line, row->address, out->name, sizeof out->name);
  fill_version(out->firmware, sizeof out->firmware, row->firmware);
  fill_version(out->hardware, sizeof out->hardware, row->hardware);
  (void)snprintf(out->profile, sizeof out->profile, "%s", line->cfg.profile->name);
  out->has_port = true;
  out->port = line->number;
  if (row->seen_ns == 0) return;
  out->has_last_seen = out->has_age = true;
  out->last_seen = copy->seen_wall_ns;
  out->age = clock_age_ms(clock_mono_ns(), row->seen_ns) / 1000.0;
}

static void say_change(bridge_line_t *line, const port_result_t *result) {
  bridge_t *bridge = line->bridge;
  const module_row_t *row = &result->module;
  char name[32], key[32], text[128];
  module_name(line, row->address, name, sizeof name);
  module_key(line, row->address, key, sizeof key);
  if (result->change == MODULE_CAME) {
    (void)snprintf(text, sizeof text, "module %s at 0x%02X on line %u answers", name, row->address,
                   line->number);
    log_info("MODULE-ONLINE", "%s", text);
    bridge_event(bridge, "MODULE-ONLINE", SYS_CATEGORY_MODULE, SYS_SEVERITY_INFO, key, text);
  } else if (result->change == MODULE_WENT) {
    (void)snprintf(text, sizeof text, "module %s at 0x%02X on line %u does not answer", name,
                   row->address, line->number);
    log_warn("MODULE-OFFLINE", "%s", text);
    bridge_event(bridge, "MODULE-OFFLINE", SYS_CATEGORY_MODULE, SYS_SEVERITY_ERROR, key, text);
  } else if (result->change == MODULE_KNOWN && row->identified && row->device_id != row->address) {
    (void)snprintf(text, sizeof text, "module at 0x%02X on line %u says its address is 0x%02X",
                   row->address, line->number, row->device_id);
    log_warn("MODULE-CONFLICT", "%s", text);
    bridge_event(bridge, "MODULE-CONFLICT", SYS_CATEGORY_MODULE, SYS_SEVERITY_WARNING, key, text);
  }
}

static bool is_searching(const bridge_t *bridge) {
  for (size_t i = 0; i < bridge->line_count; i++) {
    const bridge_line_t *line = &bridge->lines[i];
    bool begun = line->search.run >= line->search_run;
    bool under_way =
        line->search.state == DISCOVERY_RUNNING || line->search.state == DISCOVERY_PAUSED;
    if (line->open && (under_way || !begun)) return true;
  }
  return false;
}

static void answer_discovery(bridge_t *bridge) {
  if (!bridge->discovering || is_searching(bridge)) return;
  rpc_context_t *call = bridge->discovering;
  bridge->discovering = NULL;
  on_modules(call, NULL, bridge);
}

void bridge_on_module(bridge_line_t *line, const port_result_t *result) {
  bridge_t *bridge = line->bridge;
  module_copy_t *copy = copy_of(line, result->module.address);
  if (!copy) {
    answer_discovery(bridge);
    return;
  }
  if (result->module.seen_ns != copy->row.seen_ns) copy->seen_wall_ns = clock_wall_ns();
  copy->row = result->module;
  if (line->number != 1) copy->row.mandatory = false;
  if (result->change != MODULE_SAME) say_change(line, result);
  bool travel = line->number == 1 && copy->row.address == bridge_unit(bridge, "travel_motor");
  if (result->change == MODULE_CAME && travel && !robot_may_move(&bridge->robot))
    bridge_verify_off(bridge);
  bool safety = line->number == 1 && copy->row.address == bridge_unit(bridge, "safety");
  if (safety && (result->change == MODULE_CAME || result->change == MODULE_WENT))
    bridge_watch_module(bridge);
  answer_discovery(bridge);
}

void bridge_publish_modules(void *arg) {
  bridge_t *bridge = arg;
  robot_module_t module;
  char key[32];
  for (size_t i = 0; i < bridge->line_count; i++) {
    const bridge_line_t *line = &bridge->lines[i];
    for (size_t k = 0; k < line->module_count; k++) {
      fill_module(line, &line->modules[k], &module);
      module_key(line, module.address, key, sizeof key);
      (void)bus_publish(bridge->service->bus, TOPIC_ROBOT_MODULE, key, &module);
    }
  }
}

void on_modules(rpc_context_t *call, const void *takes, void *arg) {
  (void)takes;
  bridge_t *bridge = arg;
  robot_modules_t out = {.modules_count = 0};
  const uint32_t most = sizeof out.modules / sizeof out.modules[0];
  for (size_t i = 0; i < bridge->line_count; i++) {
    const bridge_line_t *line = &bridge->lines[i];
    for (size_t k = 0; k < line->module_count && out.modules_count < most; k++)
      fill_module(line, &line->modules[k], &out.modules[out.modules_count++]);
  }
  rpc_reply(call, &out);
}

static bool start_discovery(bridge_t *bridge) {
  bool started = false;
  for (size_t i = 0; i < bridge->line_count; i++) {
    bridge_line_t *line = &bridge->lines[i];
    if (!line->open || !port_search(line->port, SEARCH_START, 0, 0)) continue;
    started = true;
    line->search_run = line->search.run + 1;
  }
  return started;
}

void on_discover(rpc_context_t *call, const void *takes, void *arg) {
  (void)takes;
  bridge_t *bridge = arg;
  if (bridge->discovering || bridge->robot.state == ROBOT_MOVE)
    rpc_fail(call, GANTRY_E_CONFLICT, "", "%s",
             bridge->discovering ? "a discovery runs already" : "the robot moves; stop it first");
  else if (start_discovery(bridge))
    bridge->discovering = call;
  else
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "no RS485 port takes the order: %s",
             bridge->lines[0].detail);
}
