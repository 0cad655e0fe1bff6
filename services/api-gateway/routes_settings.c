/* Mode, speeds and limits of the robot. */
#include <stdio.h>

#include <gantry/clock.h>

#include "call.h"
#include "settings.h"
#include "view.h"

static const sys_empty_t NOTHING = {0};

static bool status_is_known(exchange_t *x) {
  if (view_status_known(x->gateway->latest, clock_mono_ns())) return true;
  exchange_fail(x, GANTRY_E_UNAVAILABLE, NULL, "", "rs485-bridge does not tell what it does.");
  return false;
}

/* ---- mode */

static void on_mode(exchange_t *x) {
  const latest_t *latest = x->gateway->latest;
  http_mode_answer_t answer = {
      .success = true, .mode = latest->status.mode, .timestamp = latest->status_at.wall_ns};

  if (status_is_known(x)) exchange_answer(x, &answer);
}

static void on_mode_reply(exchange_t *x, const void *reply) {
  const robot_status_t *status = reply;
  const robot_mode_t *previous = (const void *)x->scratch.data;
  http_mode_changed_t answer = {
      .success = true, .current_mode = status->mode, .timestamp = clock_wall_ns()};

  latest_take_settings(x->gateway->latest, status);
  answer.has_previous_mode = x->scratch.len == sizeof *previous;
  if (answer.has_previous_mode) answer.previous_mode = *previous;
  snprintf(answer.message, sizeof answer.message, "The mode is %s.",
           desc_enum_text(&ROBOT_MODE_ENUM, (int)status->mode));
  exchange_answer(x, &answer);
}

static void on_mode_set(exchange_t *x) {
  const http_mode_request_t *body = x->body;
  const latest_t *latest = x->gateway->latest;
  robot_mode_set_t set = {.mode = body->mode};

  if (body->has_force && body->force) {
    exchange_fail(x, GANTRY_E_REFUSED, "SAFETY_VIOLATION", "force",
                  "A mode is not forced; do what the refusal names, then ask again.");
    return;
  }
  snprintf(set.reason, sizeof set.reason, "%s",
           body->has_reason && body->reason[0] ? body->reason : "set by the API");
  buf_reset(&x->scratch);
  if (view_status_known(latest, clock_mono_ns()))
    buf_put(&x->scratch, &latest->status.mode, sizeof latest->status.mode);
  exchange_call(x, REQUEST_ROBOT_MODE, &set, on_mode_reply, NULL);
}

/* ---- speeds: what the bridge says of them, as shares of its limits */

static bool limits_are_known(exchange_t *x) {
  if (view_limits_known(x->gateway->latest, clock_mono_ns())) return true;
  exchange_fail(x, GANTRY_E_UNAVAILABLE, NULL, "",
                "rs485-bridge does not tell what the robot may do at most.");
  return false;
}

static void answer_speed(exchange_t *x, const robot_status_t *status,
                         const robot_limits_t *limits) {
  http_speed_answer_t answer;

  view_speed(status, limits, &answer);
  answer.timestamp = clock_wall_ns();
  snprintf(answer.message, sizeof answer.message, "Speed %.0f %%, preset %s.", answer.speed * 100,
           desc_enum_text(&ROBOT_PRESET_ENUM, (int)answer.preset));
  exchange_answer(x, &answer);
}

static void on_speed_limits(exchange_t *x, const void *reply) {
  answer_speed(x, (const void *)x->scratch.data, reply);
}

/* The speed is set by now: limits that were not heard of late are no reason to say it failed. */
static void on_speed_reply(exchange_t *x, const void *reply) {
  latest_t *latest = x->gateway->latest;

  latest_take_settings(latest, reply);
  if (view_limits_known(latest, clock_mono_ns())) {
    answer_speed(x, reply, &latest->limits);
    return;
  }
  buf_reset(&x->scratch);
  buf_put(&x->scratch, reply, sizeof(robot_status_t));
  if (buf_err(&x->scratch) == GANTRY_OK)
    exchange_call(x, REQUEST_ROBOT_LIMITS, &NOTHING, on_speed_limits, NULL);
  else
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
}

static void on_speed(exchange_t *x) {
  const latest_t *latest = x->gateway->latest;

  if (status_is_known(x) && limits_are_known(x)) answer_speed(x, &latest->status, &latest->limits);
}

static void on_speed_set(exchange_t *x) {
  const http_speed_request_t *body = x->body;
  robot_command_t command = {.kind = ROBOT_COMMAND_KIND_SPEED,
                             .has_speed = true,
                             .speed = body->speed,
                             .has_acceleration = body->has_acceleration,
                             .acceleration = body->acceleration,
                             .has_deceleration = body->has_deceleration,
                             .deceleration = body->deceleration};

  exchange_call(x, REQUEST_ROBOT_COMMAND, &command, on_speed_reply, NULL);
}

static void on_preset(exchange_t *x) {
  static const robot_preset_t PRESETS[HTTP_PRESET_COUNT] = {
      [HTTP_PRESET_SLOW] = ROBOT_PRESET_SLOW,
      [HTTP_PRESET_NORMAL] = ROBOT_PRESET_NORMAL,
      [HTTP_PRESET_FAST] = ROBOT_PRESET_FAST,
      [HTTP_PRESET_MAX] = ROBOT_PRESET_MAX,
  };
  const http_preset_request_t *body = x->body;
  robot_command_t command = {
      .kind = ROBOT_COMMAND_KIND_PRESET, .has_preset = true, .preset = PRESETS[body->preset]};

  exchange_call(x, REQUEST_ROBOT_COMMAND, &command, on_speed_reply, NULL);
}

/* ---- limits */

static void on_configuration(exchange_t *x) {
  static const sys_log_level_t LEVELS[] = {SYS_LOG_LEVEL_DEBUG, SYS_LOG_LEVEL_INFO,
                                           SYS_LOG_LEVEL_WARN, SYS_LOG_LEVEL_ERROR};
  const robot_limits_t *limits = &x->gateway->latest->limits;
  http_configuration_t answer = {
      .max_speed = limits->max_speed,
      .max_acceleration = limits->max_acceleration,
      .max_deceleration = limits->max_deceleration,
      .safety_distance = limits->zone_stop,
      .slow_distance = limits->zone_slow,
      .emergency_stop_timeout = settings_estop_ms(x->gateway),
      .battery_warning_threshold = limits->battery_min * 100,
      .temperature_warning_threshold = settings_hot_c(x->gateway),
      .dead_man_ms = limits->dead_man_ms,
      .emergency_speed = limits->emergency_speed,
      .auto_dock_enabled = false,
      .obstacle_detection_enabled = true,
      .logging_level = LEVELS[log_get_level()],
  };

  if (limits_are_known(x)) exchange_answer(x, &answer);
}

const call_route_t ROUTES_SETTINGS[] = {
    {ENDPOINT_ROBOT_MODE, on_mode},
    {ENDPOINT_ROBOT_MODE_SET, on_mode_set},
    {ENDPOINT_ROBOT_SPEED, on_speed},
    {ENDPOINT_ROBOT_SPEED_SET, on_speed_set},
    {ENDPOINT_ROBOT_SPEED_PRESET, on_preset},
    {ENDPOINT_ROBOT_CONFIGURATION, on_configuration},
    {0, NULL},
};
