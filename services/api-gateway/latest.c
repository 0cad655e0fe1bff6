/* Tables of newest values. A few dozen rows: a linear search beats what would have to be kept in
   order for another. */
#include "latest.h"

#include <stdio.h>
#include <string.h>

static double since_ms(uint64_t then_ns, uint64_t now_ns) {
  return now_ns > then_ns ? (double)(now_ns - then_ns) / 1e6 : 0;
}

stamp_t latest_stamp(const frame_t *frame, uint64_t now_ns) {
  const sys_header_t *header = &frame->header;
  uint64_t age_ns = header->mono > header->born ? header->mono - header->born : 0;
  uint64_t sent_ns = frame->local && header->mono < now_ns ? header->mono : now_ns;

  return (stamp_t){.known = true,
                   .heard_ns = now_ns,
                   .born_ns = sent_ns > age_ns ? sent_ns - age_ns : 0,
                   .wall_ns = header->wall > age_ns ? header->wall - age_ns : 0,
                   .trace = header->trace};
}

void latest_note(latest_t *latest, latest_rate_t whose, uint64_t now_ns) {
  latest_count_t *row = &latest->rates[whose];
  double span_s = (double)(now_ns - row->began_ns) / 1e9;

  if (row->began_ns == 0 || span_s > LATEST_STATE_MS / 1000.0) {
    *row = (latest_count_t){.began_ns = now_ns};
    return;
  }
  row->count++;
  if (span_s < 0.999) return; /* a message a second comes a little early now and then */
  *row = (latest_count_t){.began_ns = now_ns, .rate_hz = row->count / span_s};
}

double latest_rate_hz(const latest_t *latest, latest_rate_t whose, uint64_t now_ns) {
  const latest_count_t *row = &latest->rates[whose];

  return row->began_ns && since_ms(row->began_ns, now_ns) <= LATEST_STATE_MS ? row->rate_hz : 0;
}

void latest_take_settings(latest_t *latest, const robot_status_t *status) {
  latest->status.mode = status->mode;
  latest->status.preset = status->preset;
  latest->status.speed_share = status->speed_share;
  latest->status.speed_limit = status->speed_limit;
  latest->status.acceleration = status->acceleration;
  latest->status.deceleration = status->deceleration;
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
