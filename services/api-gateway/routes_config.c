/* The settings of the whole robot: shown as they are obeyed, changed, compared. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>

#include "call.h"
#include "settings.h"
#include "version_tag.h"
#include "view.h"

static const sys_empty_t NOTHING = {0};

/* in_force NULL: the bridge does not answer. */
static void view_system(const gateway_t *gateway, const robot_in_force_t *in_force,
                        http_system_settings_t *out) {
  const store_setting_info_t *info = &gateway->settings.info;

  *out = (http_system_settings_t){.emergency_stop_timeout = settings_estop_ms(gateway),
                                  .safety_temperature_threshold = settings_hot_c(gateway),
                                  .version = info->version,
                                  .has_updated_by = info->version != 0,
                                  .has_updated_at = info->version != 0,
                                  .updated_at = info->created};
  snprintf(out->updated_by, sizeof out->updated_by, "%s", info->created_by);
  out->has_pending = !in_force || in_force->version != info->version;
  if (!in_force) {
    snprintf(out->pending, sizeof out->pending,
             "rs485-bridge does not answer: what it obeys is not known");
    return;
  }
  snprintf(out->pending, sizeof out->pending, "rs485-bridge obeys version %u", in_force->version);
  out->has_robot_speed_limit = out->has_telemetry_interval = out->has_max_battery_discharge = true;
  out->has_telemetry_collected = true;
  out->robot_speed_limit = in_force->max_speed;
  out->telemetry_interval = in_force->telemetry_interval;
  out->max_battery_discharge = in_force->battery_min * 100;
  out->telemetry_collected = in_force->telemetry_collected;
}

/* ---- shown */

static void on_system_in_force(exchange_t *x, const void *reply) {
  http_system_settings_t answer;

  view_system(x->gateway, reply, &answer);
  if (!answer.has_pending) version_tag_put(x, answer.version); /* else it shows another's values */
  exchange_answer(x, &answer);
}

static void on_system_unknown(exchange_t *x, const gantry_fault_t *fault) {
  (void)fault;
  on_system_in_force(x, NULL);
}

static void on_system(exchange_t *x) {
  exchange_call(x, REQUEST_ROBOT_SETTINGS, &NOTHING, on_system_in_force, on_system_unknown);
}

/* ---- changed */

/* Kept by now; the bridge hears of it and obeys within milliseconds. */
static void on_system_kept(exchange_t *x, const robot_in_force_t *before) {
  (void)before;
  on_system(x);
}

typedef struct bound {
  const char *field;
  double min, max;
  const double *value; /* NULL: not given */
} bound_t;

/* Spoken of by name; false: answered already. */
static bool is_within(exchange_t *x, const bound_t *bound) {
  if (!bound->value || (*bound->value >= bound->min && *bound->value <= bound->max)) return true;
  if (*bound->value <= 0)
    exchange_fail(x, GANTRY_E_REFUSED, "VALIDATION_ERROR", bound->field,
                  "%s has to be greater than 0", bound->field);
  else
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, bound->field, "has to lie between %g and %g",
                  bound->min, bound->max);
  return false;
}

static void change(exchange_t *x, const http_system_patch_t *body) {
  const bound_t BOUNDS[] = {
      {"robot_speed_limit", 0.01, 20,
       body->has_robot_speed_limit ? &body->robot_speed_limit : NULL},
      {"emergency_stop_timeout", 100, 2000,
       body->has_emergency_stop_timeout ? &body->emergency_stop_timeout : NULL},
      {"telemetry_interval", 100, 3600000,
       body->has_telemetry_interval ? &body->telemetry_interval : NULL},
      {"safety_temperature_threshold", 1, 200,
       body->has_safety_temperature_threshold ? &body->safety_temperature_threshold : NULL},
      {"max_battery_discharge", 1, 99,
       body->has_max_battery_discharge ? &body->max_battery_discharge : NULL}};
  robot_settings_t patch = {.has_robot_speed_limit = body->has_robot_speed_limit,
                            .robot_speed_limit = body->robot_speed_limit,
                            .has_emergency_stop_timeout = body->has_emergency_stop_timeout,
                            .has_telemetry_interval = body->has_telemetry_interval,
                            .has_safety_temperature_threshold =
                                body->has_safety_temperature_threshold,
                            .safety_temperature_threshold = body->safety_temperature_threshold,
                            .has_max_battery_discharge = body->has_max_battery_discharge,
                            .max_battery_discharge = body->max_battery_discharge};
  bool given = false;

  for (size_t i = 0; i < sizeof BOUNDS / sizeof BOUNDS[0]; i++) {
    if (!is_within(x, &BOUNDS[i])) return;
    given = given || BOUNDS[i].value;
  }
  if (!given) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "", "Name at least one setting to change.");
    return;
  }
  patch.emergency_stop_timeout = (uint32_t)body->emergency_stop_timeout;
  patch.telemetry_interval = (uint32_t)body->telemetry_interval;
  settings_change(x, &patch, "set by the API", on_system_kept);
}

static void on_patch(exchange_t *x) {
  change(x, x->body);
}

static void on_put(exchange_t *x) {
  const http_system_put_t *body = x->body;
  http_system_patch_t all = {.has_robot_speed_limit = true,
                             .robot_speed_limit = body->robot_speed_limit,
                             .has_emergency_stop_timeout = true,
                             .emergency_stop_timeout = body->emergency_stop_timeout,
                             .has_telemetry_interval = true,
                             .telemetry_interval = body->telemetry_interval,
                             .has_safety_temperature_threshold = true,
                             .safety_temperature_threshold = body->safety_temperature_threshold,
                             .has_max_battery_discharge = true,
                             .max_battery_discharge = body->max_battery_discharge};

  change(x, &all);
}

/* ---- all together: two who are asked one after the other, each may be silent */

static http_config_current_t *current_of(exchange_t *x) {
  return (http_config_current_t *)(void *)x->scratch.data;
}

static void on_retention(exchange_t *x, const void *reply) {
  http_config_current_t *current = current_of(x);
  const store_setting_t *setting = reply;
  gantry_fault_t fault;

  current->has_retention =
      setting && json_read(&STORE_RETENTION_DESC, setting->data, strlen(setting->data), false,
                           &current->retention, &fault) == GANTRY_OK;
  exchange_answer(x, current);
}

static void on_no_retention(exchange_t *x, const gantry_fault_t *fault) {
  (void)fault;
  on_retention(x, NULL);
}

static void on_current_in_force(exchange_t *x, const void *reply) {
  http_config_current_t *current = current_of(x);
  store_setting_key_t key = {.kind = "store.retention"};

  view_system(x->gateway, reply, &current->system);
  current->has_robot = view_limits_known(x->gateway->latest, clock_mono_ns());
  if (current->has_robot) current->robot = x->gateway->latest->limits;
  exchange_call(x, REQUEST_STORE_SETTING_GET, &key, on_retention, on_no_retention);
}

static void on_current_unknown(exchange_t *x, const gantry_fault_t *fault) {
  (void)fault;
  on_current_in_force(x, NULL);
}

static void on_current(exchange_t *x) {
  static const sys_log_level_t LEVELS[] = {SYS_LOG_LEVEL_DEBUG, SYS_LOG_LEVEL_INFO,
                                           SYS_LOG_LEVEL_WARN, SYS_LOG_LEVEL_ERROR};
  const gateway_t *gateway = x->gateway;
  const config_t *config = gateway->service->config;
  http_config_current_t *current;

  buf_reset(&x->scratch);
  current = (void *)buf_reserve(&x->scratch, sizeof *current);
  if (!current) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  memset(current, 0, sizeof *current);
  current->gateway =
      (http_gateway_settings_t){.rate_per_min = config_real(config, "rate_per_min"),
                                .rate_burst = config_real(config, "rate_burst"),
                                .login_per_min = config_real(config, "login_per_min"),
                                .access_s = gateway->access_s,
                                .refresh_s = gateway->refresh_s,
                                .body_s = gateway->body_s,
                                .log_level = LEVELS[log_get_level()]};
  snprintf(current->gateway.cors_origins, sizeof current->gateway.cors_origins, "%s",
           gateway->origins);
  exchange_call(x, REQUEST_ROBOT_SETTINGS, &NOTHING, on_current_in_force, on_current_unknown);
}

/* ---- compared */

static void add_check(http_config_validation_t *out, const char *field, bool valid,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));

static void add_check(http_config_validation_t *out, const char *field, bool valid,
                      const char *format, ...) {
  http_config_check_t *check = &out->checks[out->checks_count++];
  va_list args;

  *check = (http_config_check_t){.valid = valid};
  out->valid = out->valid && valid;
  snprintf(check->field, sizeof check->field, "%s", field);
  va_start(args, format);
  vsnprintf(check->message, sizeof check->message, format, args);
  va_end(args);
}

static void check_stop(const gateway_t *gateway, http_config_validation_t *out) {
  const latest_t *latest = gateway->latest;
  uint32_t limit_ms = settings_estop_ms(gateway);
  bool known = latest->safety_at.known && latest->safety.has_confirm_ms;

  if (known)
    add_check(out, "emergency_stop_timeout", latest->safety.confirm_ms < limit_ms,
              "the last stop was confirmed after %.1f ms, %u ms are waited for",
              latest->safety.confirm_ms, limit_ms);
  else
    add_check(out, "emergency_stop_timeout", true,
              "%u ms are waited for; no stop was made yet to compare with", limit_ms);
}

static void on_validation_in_force(exchange_t *x, const void *reply) {
  const robot_in_force_t *in_force = reply;
  const settings_copy_t *copy = &x->gateway->settings;
  const robot_settings_t *given = &copy->given;
  http_config_validation_t answer = {.valid = true};

  add_check(&answer, "robot.settings", in_force->version == copy->info.version,
            "version %u is kept, rs485-bridge obeys version %u", copy->info.version,
            in_force->version);
  add_check(&answer, "robot_speed_limit",
            !given->has_robot_speed_limit || given->robot_speed_limit <= in_force->configured_speed,
            "%.2f m/s is in force; the option max_speed of rs485-bridge is %.2f m/s",
            in_force->max_speed, in_force->configured_speed);
  check_stop(x->gateway, &answer);
  add_check(&answer, "telemetry_interval", in_force->unkept == 0,
            "%llu records since the bridge's start, %llu of them not kept as its outbox was full",
            (unsigned long long)in_force->samples, (unsigned long long)in_force->unkept);
  exchange_answer(x, &answer);
}

static void on_validation_unknown(exchange_t *x, const gantry_fault_t *fault) {
  http_config_validation_t answer = {.valid = true};

  add_check(&answer, "robot.settings", false, "rs485-bridge does not say what it obeys: %.100s",
            fault->detail[0] ? fault->detail : gantry_err_name(fault->err));
  check_stop(x->gateway, &answer);
  exchange_answer(x, &answer);
}

static void on_validation(exchange_t *x) {
  exchange_call(x, REQUEST_ROBOT_SETTINGS, &NOTHING, on_validation_in_force, on_validation_unknown);
}

const call_route_t ROUTES_CONFIG[] = {
    {ENDPOINT_CONFIG_CURRENT, on_current},       {ENDPOINT_CONFIG_SYSTEM, on_system},
    {ENDPOINT_CONFIG_SYSTEM_PUT, on_put},        {ENDPOINT_CONFIG_SYSTEM_PATCH, on_patch},
    {ENDPOINT_CONFIG_VALIDATION, on_validation}, {0, NULL},
};
