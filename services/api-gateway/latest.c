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

latest_module_t *latest_module(latest_t *latest, uint8_t address) {
  for (uint32_t i = 0; i < latest->module_count; i++) {
    if (latest->modules[i].module.address == address) return &latest->modules[i];
  }
  if (latest->module_count == LATEST_MODULES) return NULL;
  latest->modules[latest->module_count].module.address = address;
  return &latest->modules[latest->module_count++];
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
