/* Stop, reset, jog, and the robot at a glance. The stop waits for nothing but the line. */
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "call.h"
#include "settings.h"
#include "view.h"

/* ---- emergency stop */

static const char UNCONFIRMED[] = "ESTOP_UNCONFIRMED";

static void on_estop_reply(exchange_t *x, const void *reply) {
  const robot_safety_t *safety = reply;
  http_stopped_t stopped = {.timestamp = clock_wall_ns()};

  if (!safety->latched || !safety->motors_off) {
    exchange_fail(x, GANTRY_E_TIMEOUT, UNCONFIRMED, "",
                  "The stop is latched but the motors did not confirm it; it is being repeated.");
    return;
  }
  stopped.success = true;
  stopped.response_time_ms = clock_age_ms(clock_mono_ns(), x->cause.born_ns);
  snprintf(stopped.message, sizeof stopped.message,
           "Stopped and latched; both motors read back off.");
  snprintf(stopped.status, sizeof stopped.status, "emergency_stop");
  stopped.has_stop_ms = safety->has_stop_ms;
  stopped.stop_ms = safety->stop_ms;
  stopped.has_confirm_ms = safety->has_confirm_ms;
  stopped.confirm_ms = safety->confirm_ms;
  x->gateway->stops_confirmed++;
  metric_observe(x->gateway->metrics.stop_ms, stopped.response_time_ms);
  exchange_answer(x, &stopped);
}

/* Whatever went wrong: not confirmed, hence never a success; only an absent bridge is told apart.
 */
static void on_estop_failed(exchange_t *x, const gantry_fault_t *fault) {
  log_error("ESTOP-UNCONFIRMED", "the stop was not confirmed: %s", fault->detail);
  if (fault->err == GANTRY_E_UNAVAILABLE) {
    exchange_fail(x, GANTRY_E_UNAVAILABLE, "MODULE_OFFLINE", "",
                  "The stop is NOT confirmed: rs485-bridge is not there. Use the hardware stop.");
    return;
  }
  exchange_fail(x, GANTRY_E_TIMEOUT, UNCONFIRMED, "", "The stop is NOT confirmed: %.120s",
                fault->detail[0] ? fault->detail : gantry_err_name(fault->err));
}

static void on_estop(exchange_t *x) {
  const http_estop_t *body = x->body;
  robot_estop_t estop = {.cause = ROBOT_CAUSE_SOFTWARE};

  snprintf(estop.reason, sizeof estop.reason, "%s",
           body->has_reason ? body->reason : "emergency stop by the API");
  x->gateway->stops++;
  log_warn("ESTOP-REQUESTED", "%s stops the robot: %s", x->caller.name, estop.reason);
  exchange_call_within(x, settings_estop_ms(x->gateway), REQUEST_ROBOT_ESTOP, &estop,
                       on_estop_reply, on_estop_failed);
}

static void on_reset_reply(exchange_t *x, const void *reply) {
  const robot_safety_t *safety = reply;

  if (safety->latched) {
    exchange_fail(x, GANTRY_E_CONFLICT, "SAFETY_VIOLATION", "", "The stop is still latched: %s",
                  safety->detail);
    return;
  }
  exchange_done(x, "The latched stop has been left.");
}

static void on_reset(exchange_t *x) {
  const http_estop_reset_t *body = x->body;
  robot_estop_reset_t reset = {.safe_confirm = body->safe_confirm,
                               .location_ok = body->location_ok};

  if (!body->safe_confirm || !body->location_ok) {
    exchange_fail(x, GANTRY_E_REFUSED, "SAFETY_VIOLATION",
                  body->safe_confirm ? "location_ok" : "safe_confirm",
                  "A latched stop is left only with safe_confirm and location_ok true.");
    return;
  }
  snprintf(reset.reason, sizeof reset.reason, "%s", body->reason);
  exchange_call(x, REQUEST_ROBOT_ESTOP_RESET, &reset, on_reset_reply, NULL);
}

/* ---- driving */

static void on_jog_reply(exchange_t *x, const void *reply) {
  const robot_driving_t *driving = reply;
  const http_jog_t *jog = x->body;
  http_jogging_t answer = {.success = true,
                           .direction = jog->direction,
                           .speed = jog->speed,
                           .setpoint = driving->setpoint,
                           .hold_ms = driving->hold_ms,
                           .timestamp = clock_wall_ns()};

  snprintf(answer.message, sizeof answer.message, "Driving for %u ms unless renewed.",
           driving->hold_ms);
  exchange_answer(x, &answer);
}

static void on_jog(exchange_t *x) {
  const http_jog_t *jog = x->body;
  robot_drive_t drive = {
      .direction = jog->direction, .speed = jog->speed, .hold_ms = jog->dead_man_ms};

  exchange_call(x, REQUEST_ROBOT_DRIVE, &drive, on_jog_reply, NULL);
}

static void on_stop_reply(exchange_t *x, const void *reply) {
  (void)reply;
  exchange_done(x, "The robot ramps to a stop.");
}

static void on_stop(exchange_t *x) {
  sys_empty_t nothing = {0};

  exchange_call(x, REQUEST_ROBOT_HALT, &nothing, on_stop_reply, NULL);
}

/* ---- newest values */

static void on_status(exchange_t *x) {
  http_robot_status_t status;

  view_robot_status(x->gateway->latest, x->gateway->robot, clock_mono_ns(), clock_wall_ns(),
                    &status);
  exchange_answer(x, &status);
}

static void on_safety_status(exchange_t *x) {
  http_safety_status_t status;

  view_safety(x->gateway->latest, clock_mono_ns(), clock_wall_ns(), &status);
  exchange_answer(x, &status);
}

static void on_telemetry(exchange_t *x) {
  http_telemetry_t telemetry;

  view_telemetry(x->gateway->latest, clock_mono_ns(), clock_wall_ns(), &telemetry);
  exchange_answer(x, &telemetry);
}

static void on_position(exchange_t *x) {
  http_position_answer_m_t answer = {.success = true};

  if (!view_position_deg(x->gateway->latest, clock_mono_ns(), &answer.position)) {
    exchange_fail(x, GANTRY_E_UNAVAILABLE, NULL, "", "No fresh position is known.");
    return;
  }
  answer.last_updated = answer.position.timestamp;
  exchange_answer(x, &answer);
}

static void on_battery(exchange_t *x) {
  http_battery_t battery;

  if (view_battery(x->gateway->latest, clock_mono_ns(), &battery))
    exchange_answer(x, &battery);
  else
    exchange_fail(x, GANTRY_E_UNAVAILABLE, "MODULE_OFFLINE", "", "The power module is silent.");
}

const call_route_t ROUTES_ROBOT[] = {
    {ENDPOINT_ROBOT_EMERGENCY_STOP, on_estop},
    {ENDPOINT_SAFETY_EMERGENCY_STOP, on_estop},
    {ENDPOINT_SAFETY_EMERGENCY, on_estop},
    {ENDPOINT_ROBOT_EMERGENCY_STOP_RESET, on_reset},
    {ENDPOINT_ROBOT_JOG, on_jog},
    {ENDPOINT_ROBOT_STOP, on_stop},
    {ENDPOINT_ROBOT_STATUS, on_status},
    {ENDPOINT_ROBOT_POSITION, on_position},
    {ENDPOINT_ROBOT_BATTERY, on_battery},
    {ENDPOINT_SAFETY_STATUS, on_safety_status},
    {ENDPOINT_TELEMETRY_CURRENT, on_telemetry},
    {0, NULL},
};
