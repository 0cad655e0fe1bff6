/* The RS485 lines, the search for modules and registers in the shapes of the API. */
#include <math.h>
#include <stdio.h>

#include "view.h"

enum { LINE_ROWS = sizeof((http_bus_health_t *)0)->lines / sizeof(robot_line_t) };

bool view_is_answering(robot_module_status_t status) {
  return status == ROBOT_MODULE_STATUS_HEALTHY || status == ROBOT_MODULE_STATUS_WARNING ||
         status == ROBOT_MODULE_STATUS_ERROR || status == ROBOT_MODULE_STATUS_CONFLICT;
}

static bool answers(const latest_module_t *row, uint64_t now_ns) {
  return !latest_is_silent(&row->at, now_ns, LATEST_STATE_MS) &&
         view_is_answering(row->module.status);
}

uint32_t view_answering(const latest_t *latest, uint64_t now_ns) {
  uint32_t count = 0;

  for (uint32_t i = 0; i < latest->module_count; i++)
    count += answers(&latest->modules[i], now_ns);
  return count;
}

/* What a mandatory module lacks is an error, anything else that is not well a warning. */
static http_bus_status_t worst_of(const latest_t *latest, uint64_t now_ns, bool any_open,
                                  bool all_open) {
  http_bus_status_t worst = all_open ? HTTP_BUS_STATUS_ONLINE : HTTP_BUS_STATUS_WARNING;

  if (!any_open) return HTTP_BUS_STATUS_OFFLINE;
  for (uint32_t i = 0; i < latest->module_count; i++) {
    const latest_module_t *row = &latest->modules[i];
    bool well = answers(row, now_ns) && row->module.status == ROBOT_MODULE_STATUS_HEALTHY;
    if (!answers(row, now_ns) && row->module.mandatory) return HTTP_BUS_STATUS_ERROR;
    if (!well && row->module.status != ROBOT_MODULE_STATUS_QUARANTINED)
      worst = HTTP_BUS_STATUS_WARNING;
  }
  return worst;
}

static void add_line(const robot_line_t *line, http_bus_health_t *out) {
  out->lines[out->lines_count++] = *line;
  out->throughput += line->transactions;
  out->response_time_p95 = fmax(out->response_time_p95, line->response_p95_ms);
  out->utilisation = fmax(out->utilisation, line->utilisation);
}

void view_bus(const latest_t *latest, uint64_t now_ns, http_bus_health_t *out) {
  uint64_t requests = 0, failures = 0;
  bool any_open = false, all_open = true;

  *out = (http_bus_health_t){0};
  for (uint32_t i = 0; i < latest->line_count && out->lines_count < LINE_ROWS; i++) {
    const latest_line_t *row = &latest->lines[i];
    if (latest_is_silent(&row->at, now_ns, LATEST_STATE_MS)) continue;
    add_line(&row->line, out);
    requests += row->line.requests;
    failures += row->line.failures;
    any_open = any_open || row->line.open;
    all_open = all_open && row->line.open;
  }
  out->has_throughput = out->has_response_time_p95 = out->has_utilisation = out->lines_count > 0;
  out->has_error_rate = requests > 0;
  out->error_rate = requests ? fmin((double)failures / (double)requests, 1) : 0;
  out->has_last_scan = latest->discovery_at.known && latest->discovery.has_ended;
  out->last_scan = latest->discovery.ended;
  out->total_modules = latest->module_count;
  out->active_modules = view_answering(latest, now_ns);
  out->failed_modules = out->total_modules - out->active_modules;
  out->status = worst_of(latest, now_ns, any_open, all_open);
}

void view_scan(const robot_discovery_t *discovery, http_scan_t *out) {
  *out = (http_scan_t){
      .state = discovery->state,
      .is_running = discovery->state == ROBOT_DISCOVERY_STATE_RUNNING ||
                    discovery->state == ROBOT_DISCOVERY_STATE_PAUSED,
      .progress = discovery->progress * 100,
      .modules_found = discovery->found,
      .conflicts_count = discovery->conflicts_count,
      .has_start_time = discovery->has_started,
      .start_time = discovery->started,
      .has_end_time = discovery->has_ended,
      .end_time = discovery->ended,
  };
  for (uint32_t i = 0; i < discovery->conflicts_count; i++)
    out->conflicts[i] = discovery->conflicts[i];
  snprintf(out->status_message, sizeof out->status_message, "%s", discovery->detail);
}

void view_scan_result(const robot_module_t *module, http_scan_result_t *out) {
  *out = (http_scan_result_t){.address = module->address,
                              .port = latest_port(module),
                              .found = view_is_answering(module->status),
                              .conflict = module->status == ROBOT_MODULE_STATUS_CONFLICT ||
                                          module->has_conflict,
                              .response_time = module->response_ms};
  snprintf(out->addr, sizeof out->addr, "0x%02X", module->address);
  snprintf(out->name, sizeof out->name, "%s", module->name);
  snprintf(out->type, sizeof out->type, "0x%04X", module->type);
}

void view_register(const robot_register_value_t *row, http_register_row_t *out) {
  *out = (http_register_row_t){
      .has_value = row->has_value,
      .value = row->value,
      .has_text = row->has_text,
      .has_raw = row->has_raw,
      .raw = row->raw,
      .mode = !row->readable  ? HTTP_REGISTER_MODE_W
              : row->writable ? HTTP_REGISTER_MODE_RW
                              : HTTP_REGISTER_MODE_R,
      .access = row->access,
      .safety = row->safety,
      .has_status = row->has_value && (row->has_min || row->has_max),
      .has_min = row->has_min,
      .min = row->min,
      .has_max = row->has_max,
      .max = row->max,
      .has_age = row->has_age,
      .age = row->age,
  };
  bool out_of_range =
      (row->has_min && row->value < row->min) || (row->has_max && row->value > row->max);
  out->status = out_of_range ? HTTP_REGISTER_STATUS_CRITICAL : HTTP_REGISTER_STATUS_NORMAL;
  snprintf(out->address, sizeof out->address, "0x%04X", row->register_);
  snprintf(out->name, sizeof out->name, "%s", row->name);
  snprintf(out->text, sizeof out->text, "%s", row->text);
  snprintf(out->unit, sizeof out->unit, "%s", row->unit);
}

static bool was_read(const robot_register_value_t *row) {
  return row->has_raw || row->has_value || row->has_text;
}

void view_registers(const robot_register_values_t *values, bool only_read, uint64_t wall_ns,
                    http_module_registers_t *out) {
  double youngest_s = INFINITY;

  *out = (http_module_registers_t){.port = values->port};
  snprintf(out->module_addr, sizeof out->module_addr, "0x%02X", values->address);
  snprintf(out->module_name, sizeof out->module_name, "%s", values->module);
  for (uint32_t i = 0; i < values->values_count; i++) {
    const robot_register_value_t *row = &values->values[i];
    if (row->has_age) youngest_s = fmin(youngest_s, row->age);
    if (only_read && !was_read(row)) continue;
    view_register(row, &out->registers[out->registers_count++]);
  }
  out->has_last_updated = isfinite(youngest_s);
  if (out->has_last_updated) out->last_updated = wall_ns - (uint64_t)(youngest_s * 1e9);
}
