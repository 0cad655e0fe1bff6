/* The registry as the bus sees it. */
#include "bridge_internal.h"

#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#define HEALTH_FAIR 80.0
#define HEALTH_POOR 40.0

module_copy_t *bridge_module_add(bridge_line_t *line, uint8_t address) {
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

module_copy_t *bridge_module_at(bridge_line_t *line, uint8_t address) {
  for (size_t i = 0; i < line->module_count; i++)
    if (line->modules[i].row.address == address) return &line->modules[i];
  return NULL;
}

uint64_t bridge_told_ns(const bridge_t *bridge, const char *module) {
  const module_row_t *row = bridge_module(bridge, module);
  return row ? row->told_ns : 0;
}

void bridge_module_name(const bridge_line_t *line, uint8_t address, char *out, size_t size) {
  const register_module_t *known = registers_module_at(line->cfg.profile, address);
  if (known)
    (void)snprintf(out, size, "%s", known->name);
  else
    (void)snprintf(out, size, "module_%02x", address);
}

/* The last part of the module's topic: its name, and on further lines line and address. */
void bridge_module_key(const bridge_line_t *line, uint8_t address, char *out, size_t size) {
  if (line->number == 1)
    bridge_module_name(line, address, out, size);
  else
    (void)snprintf(out, size, "%u-0x%02x", line->number, address);
}

robot_module_status_t bridge_module_status(const module_row_t *row) {
  if (row->quarantined) return ROBOT_MODULE_STATUS_QUARANTINED;
  if (row->state == MODULE_UNKNOWN) return ROBOT_MODULE_STATUS_UNKNOWN;
  if (row->state == MODULE_OFFLINE)
    return row->faults >= MODULE_ABSENT_AFTER ? ROBOT_MODULE_STATUS_LOST
                                              : ROBOT_MODULE_STATUS_OFFLINE;
  if (module_conflicts(row)) return ROBOT_MODULE_STATUS_CONFLICT;
  double health = module_stats_health(&row->stats);
  if (health < HEALTH_POOR) return ROBOT_MODULE_STATUS_ERROR;
  return health < HEALTH_FAIR ? ROBOT_MODULE_STATUS_WARNING : ROBOT_MODULE_STATUS_HEALTHY;
}

static void fill_version(char *out, size_t size, uint16_t version) {
  (void)snprintf(out, size, "%u.%u", version >> 8, version & 0xFFu);
}

static void fill_books(const module_stats_t *stats, robot_module_t *out) {
  out->has_semantic_ok = out->has_out_of_range = out->has_zeros = out->has_malformed = true;
  out->has_foreign = out->has_response_p95_ms = true;
  out->semantic_ok = stats->in_range;
  out->out_of_range = stats->out_of_range;
  out->zeros = stats->zeros;
  out->malformed = stats->malformed;
  out->foreign = stats->foreign;
  out->response_p95_ms = response_window_p95_ms(&stats->responses);
}

void bridge_fill_module(const bridge_line_t *line, const module_copy_t *copy, robot_module_t *out) {
  const module_row_t *row = &copy->row;
  *out = (robot_module_t){.address = row->address,
                          .type = row->type,
                          .status = bridge_module_status(row),
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
  bridge_module_name(line, row->address, out->name, sizeof out->name);
  fill_version(out->firmware, sizeof out->firmware, row->firmware);
  fill_version(out->hardware, sizeof out->hardware, row->hardware);
  (void)snprintf(out->profile, sizeof out->profile, "%s", line->cfg.profile->name);
  (void)snprintf(out->serial_text, sizeof out->serial_text, "%s", row->letters);
  out->has_serial_text = row->letters[0] != '\0';
  out->has_port = true;
  out->port = line->number;
  out->has_conflict = module_conflicts(row);
  out->conflict = out->has_conflict ? row->device_id : 0;
  out->has_quarantined = out->has_absent = true;
  out->quarantined = row->quarantined;
  out->absent = row->faults >= MODULE_ABSENT_AFTER;
  fill_books(&row->stats, out);
  out->has_last_seen = copy->seen_wall_ns != 0; /* perhaps in an earlier life */
  out->last_seen = copy->seen_wall_ns;
  if (row->seen_ns == 0) return;
  out->has_age = true;
  out->age = clock_age_ms(clock_mono_ns(), row->seen_ns) / 1000.0;
}

static void forget(bridge_line_t *line, module_copy_t *copy) {
  size_t after = line->module_count - (size_t)(copy - line->modules) - 1;
  memmove(copy, copy + 1, after * sizeof *copy);
  line->module_count--;
}

void bridge_on_module(bridge_line_t *line, const port_result_t *result) {
  bridge_t *bridge = line->bridge;
  module_copy_t *copy = bridge_module_add(line, result->module.address);
  if (!copy) return;
  if (result->module.seen_ns != copy->row.seen_ns) copy->seen_wall_ns = clock_wall_ns();
  copy->row = result->module;
  bridge_module_news(line, copy, result->change);
  if (result->change != MODULE_SAME && result->change != MODULE_KNOWN)
    bridge->registry_changed = true;
  bool travel = line->number == 1 && copy->row.address == bridge_unit(bridge, "travel_motor");
  if (result->change == MODULE_CAME && travel && !robot_may_move(&bridge->robot))
    bridge_verify_off(bridge);
  bool safety = line->number == 1 && copy->row.address == bridge_unit(bridge, "safety");
  if (safety && (result->change == MODULE_CAME || result->change == MODULE_WENT))
    bridge_watch_module(bridge);
  if (result->change == MODULE_REMOVED) forget(line, copy);
}

/* Type 0: the profile or the module does not say. */
static bool is_alien(const bridge_line_t *line, const module_row_t *row) {
  const register_module_t *known = registers_module_at(line->cfg.profile, row->address);
  return row->identified && row->type != 0 && known && known->type != 0 && known->type != row->type;
}

bool bridge_module_serves(const bridge_line_t *line, const module_row_t *row) {
  return row->state == MODULE_ONLINE && !is_alien(line, row);
}

bool bridge_missing(const bridge_t *bridge, char *out, size_t size) {
  const bridge_line_t *line = &bridge->lines[0];
  char silent[64] = "", name[32];
  for (size_t i = 0; i < line->module_count && bridge->port; i++) {
    const module_row_t *row = &line->modules[i].row;
    size_t len = strlen(silent);
    if (!row->mandatory || bridge_module_serves(line, row)) continue;
    bridge_module_name(line, row->address, name, sizeof name);
    if (row->quarantined) {
      (void)snprintf(out, size, "module %s (0x%02X) is quarantined; release it", name,
                     row->address);
      return true;
    }
    if (row->state == MODULE_ONLINE) {
      (void)snprintf(out, size, "module %s (0x%02X) says it is of type %u; put the right one there",
                     name, row->address, row->type);
      return true;
    }
    (void)snprintf(silent + len, sizeof silent - len, "%s0x%02X", len ? ", " : "", row->address);
  }
  if (silent[0]) (void)snprintf(out, size, "modules without answer: %s", silent);
  return silent[0] != '\0';
}

void bridge_publish_modules(void *arg) {
  bridge_t *bridge = arg;
  robot_module_t module;
  char key[32];
  for (size_t i = 0; i < bridge->line_count; i++) {
    const bridge_line_t *line = &bridge->lines[i];
    for (size_t k = 0; k < line->module_count; k++) {
      bridge_fill_module(line, &line->modules[k], &module);
      bridge_module_key(line, module.address, key, sizeof key);
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
      bridge_fill_module(line, &line->modules[k], &out.modules[out.modules_count++]);
  }
  rpc_reply(call, &out);
}
