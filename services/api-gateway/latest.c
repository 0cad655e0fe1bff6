/* Tables of newest values. A few dozen rows: a linear search beats what would have to be kept in
   order for another. */
#include "latest.h"

#include <stdio.h>
#include <string.h>

stamp_t latest_stamp(const sys_header_t *header, uint64_t now_ns) {
  uint64_t age_ns = header->mono > header->born ? header->mono - header->born : 0;

  return (stamp_t){.known = true,
                   .heard_ns = now_ns,
                   .born_ns = now_ns > age_ns ? now_ns - age_ns : 0,
                   .wall_ns = header->wall > age_ns ? header->wall - age_ns : 0,
                   .trace = header->trace};
}

static double since_ms(uint64_t then_ns, uint64_t now_ns) {
  return now_ns > then_ns ? (double)(now_ns - then_ns) / 1e6 : 0;
}

double latest_age_ms(const stamp_t *at, uint64_t now_ns) {
  return at->known ? since_ms(at->born_ns, now_ns) : 0;
}

bool latest_is_stale(const stamp_t *at, uint64_t now_ns, double limit_ms) {
  return !at->known || since_ms(at->born_ns, now_ns) > limit_ms;
}

bool latest_is_silent(const stamp_t *at, uint64_t now_ns, double limit_ms) {
  return !at->known || since_ms(at->heard_ns, now_ns) > limit_ms;
}

const latest_sensor_t *latest_find_sensor(const latest_t *latest, const char *sensor) {
  for (uint32_t i = 0; i < latest->sensor_count; i++) {
    if (!strcmp(latest->sensors[i].status.sensor, sensor)) return &latest->sensors[i];
  }
  return NULL;
}

latest_sensor_t *latest_sensor(latest_t *latest, const char *sensor) {
  const latest_sensor_t *found = latest_find_sensor(latest, sensor);

  if (found) return &latest->sensors[found - latest->sensors];
  if (latest->sensor_count == LATEST_SENSORS) return NULL;
  latest_sensor_t *row = &latest->sensors[latest->sensor_count++];
  snprintf(row->status.sensor, sizeof row->status.sensor, "%s", sensor);
  return row;
}

uint8_t latest_port(const robot_module_t *module) {
  return module->has_port && module->port ? module->port : 1;
}

latest_module_t *latest_module(latest_t *latest, uint8_t port, uint8_t address) {
  for (uint32_t i = 0; i < latest->module_count; i++) {
    const robot_module_t *module = &latest->modules[i].module;
    if (module->address == address && latest_port(module) == port) return &latest->modules[i];
  }
  if (latest->module_count == LATEST_MODULES) return NULL;
  latest_module_t *row = &latest->modules[latest->module_count++];
  row->module.address = address;
  row->module.has_port = true;
  row->module.port = port;
  return row;
}

void latest_drop_modules(latest_t *latest, uint64_t now_ns) {
  uint32_t kept = 0;

  for (uint32_t i = 0; i < latest->module_count; i++) {
    if (latest_is_silent(&latest->modules[i].at, now_ns, LATEST_STATE_MS)) continue;
    if (kept != i) latest->modules[kept] = latest->modules[i];
    kept++;
  }
  memset(&latest->modules[kept], 0, (latest->module_count - kept) * sizeof latest->modules[0]);
  latest->module_count = kept;
}

latest_line_t *latest_line(latest_t *latest, uint8_t port) {
  for (uint32_t i = 0; i < latest->line_count; i++) {
    if (latest->lines[i].line.port == port) return &latest->lines[i];
  }
  if (latest->line_count == LATEST_LINES) return NULL;
  latest->lines[latest->line_count].line.port = port;
  return &latest->lines[latest->line_count++];
}

const latest_service_t *latest_find_service(const latest_t *latest, const char *service) {
  for (uint32_t i = 0; i < latest->service_count; i++) {
    if (!strcmp(latest->services[i].name, service)) return &latest->services[i];
  }
  return NULL;
}

latest_service_t *latest_service(latest_t *latest, const char *service) {
  const latest_service_t *found = latest_find_service(latest, service);

  if (found) return &latest->services[found - latest->services];
  if (latest->service_count == LATEST_SERVICES) return NULL;
  latest_service_t *row = &latest->services[latest->service_count++];
  snprintf(row->name, sizeof row->name, "%s", service);
  return row;
}
