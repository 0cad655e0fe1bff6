/* Modules and battery out of the newest values. A silent bridge leaves its modules offline. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "view.h"

static bool power_known(const latest_t *latest, uint64_t now_ns) {
  return !latest_is_stale(&latest->power_at, now_ns, LATEST_POWER_MS);
}

static uint32_t percent_of(const robot_power_t *power) {
  return (uint32_t)lround(power->charge * 100);
}

bool view_battery(const latest_t *latest, uint64_t now_ns, http_battery_t *out) {
  const robot_power_t *power = &latest->power;

  *out = (http_battery_t){.battery_level = percent_of(power),
                          .voltage = power->voltage,
                          .current = power->current,
                          .temperature = power->temperature,
                          .charging_status = power->charging,
                          .timestamp = latest->power_at.wall_ns};
  return power_known(latest, now_ns);
}

static void view_values(const latest_t *latest, http_module_values_t *out) {
  const robot_power_t *power = &latest->power;

  *out = (http_module_values_t){.battery = percent_of(power),
                                .voltage = power->voltage,
                                .current = power->current,
                                .temperature = power->temperature,
                                .timestamp = latest->power_at.wall_ns};
}

void view_module(const latest_t *latest, const latest_module_t *row, uint64_t now_ns,
                 http_module_info_t *out) {
  const robot_module_t *module = &row->module;
  bool silent = latest_is_silent(&row->at, now_ns, LATEST_STATE_MS);

  *out = (http_module_info_t){
      .address = module->address,
      .status = silent ? ROBOT_MODULE_STATUS_OFFLINE : module->status,
      .has_last_seen = module->has_last_seen,
      .last_seen = module->last_seen,
      .has_last_seen_ms = module->has_age,
      .last_seen_ms = module->age * 1000 + latest_age_ms(&row->at, now_ns),
      .error_rate = module->requests ? (double)module->failures / (double)module->requests : 0,
      .response_time = module->response_ms,
      .mandatory = module->mandatory,
      .has_port = true,
      .port = latest_port(module),
      .has_health = true,
      .health = module->health,
      .has_serial = true,
      .serial = module->serial,
      .has_profile = true,
      .has_conflict = module->has_conflict,
      .conflict = module->conflict,
      .has_quarantined = module->has_quarantined,
      .quarantined = module->quarantined,
      .has_response_time_p95 = module->has_response_p95_ms,
      .response_time_p95 = module->response_p95_ms,
      .has_requests = true,
      .requests = module->requests,
      .has_failures = true,
      .failures = module->failures,
  };
  snprintf(out->addr, sizeof out->addr, "0x%02X", module->address);
  snprintf(out->name, sizeof out->name, "%s", module->name);
  snprintf(out->type, sizeof out->type, "0x%04X", module->type);
  snprintf(out->fw_version, sizeof out->fw_version, "%s", module->firmware);
  snprintf(out->profile, sizeof out->profile, "%s", module->profile);
  snprintf(out->version, sizeof out->version, "%s", module->hardware);
  out->has_real_time = !strcmp(module->name, "power") && power_known(latest, now_ns);
  if (out->has_real_time) view_values(latest, &out->real_time);
}
