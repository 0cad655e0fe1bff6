/* Commands to the robot, and how far they have come. */
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "call.h"
#include "view.h"

static void send_command(exchange_t *x, const robot_command_t *command, exchange_reply_fn fn) {
  exchange_call(x, REQUEST_ROBOT_COMMAND, command, fn, NULL);
}

/* ---- any command */

static void write_outcome(const robot_status_t *status, char *out, size_t size) {
  static const char *const OUTCOMES[ROBOT_COMMAND_STATE_COUNT] = {
      [ROBOT_COMMAND_STATE_NONE] = "is taken",
      [ROBOT_COMMAND_STATE_RUNNING] = "has begun",
      [ROBOT_COMMAND_STATE_DONE] = "is done",
      [ROBOT_COMMAND_STATE_FAILED] = "has failed",
      [ROBOT_COMMAND_STATE_CANCELLED] = "has been cancelled",
  };

  snprintf(out, size, "%s %s%s%s", desc_enum_text(&ROBOT_COMMAND_KIND_ENUM, (int)status->command),
           OUTCOMES[status->command_state], status->command_detail[0] ? ": " : ".",
           status->command_detail);
}

static void on_command_reply(exchange_t *x, const void *reply) {
  const robot_status_t *status = reply;
  bool full = x->endpoint->body == &HTTP_COMMAND_REQUEST_DESC;
  http_command_answer_t answer = {.success = status->command_state != ROBOT_COMMAND_STATE_FAILED,
                                  .timestamp = clock_wall_ns()};

  (void)view_command(status, &answer.command);
  write_outcome(status, answer.message, sizeof answer.message);
  if (full) {
    const http_command_request_t *body = x->body;
    answer.command.has_parameters = body->has_parameters;
    answer.command.parameters = body->parameters;
    answer.command.has_priority = true;
    answer.command.priority = body->has_priority ? body->priority : 1;
    answer.command.has_timeout = body->has_timeout;
    answer.command.timeout = body->timeout;
  }
  exchange_answer(x, &answer);
}

static void on_control(exchange_t *x) {
  static const robot_command_kind_t KINDS[HTTP_COMMAND_TYPE_COUNT] = {
      [HTTP_COMMAND_TYPE_MOVE] = ROBOT_COMMAND_KIND_MOVE,
      [HTTP_COMMAND_TYPE_STOP] = ROBOT_COMMAND_KIND_STOP,
      [HTTP_COMMAND_TYPE_PAUSE] = ROBOT_COMMAND_KIND_PAUSE,
      [HTTP_COMMAND_TYPE_RESUME] = ROBOT_COMMAND_KIND_RESUME,
      [HTTP_COMMAND_TYPE_RESET] = ROBOT_COMMAND_KIND_RESET,
      [HTTP_COMMAND_TYPE_HOME] = ROBOT_COMMAND_KIND_HOME,
      [HTTP_COMMAND_TYPE_DOCK] = ROBOT_COMMAND_KIND_DOCK,
      [HTTP_COMMAND_TYPE_UNDOCK] = ROBOT_COMMAND_KIND_UNDOCK,
  };
  const http_command_request_t *body = x->body;
  const http_command_parameters_t *how = &body->parameters;
  robot_command_t command = {.kind = KINDS[body->command_type]};

  command.has_direction = how->has_direction;
  command.direction = how->direction;
  command.has_speed = how->has_speed;
  command.speed = how->speed;
  command.has_distance = how->has_distance;
  command.distance = how->distance;
  command.has_safe_confirm = how->has_safe_confirm;
  command.safe_confirm = how->safe_confirm;
  command.has_location_ok = how->has_location_ok;
  command.location_ok = how->location_ok;
  command.has_timeout_ms = body->has_timeout && body->timeout > 0;
  command.timeout_ms = (uint32_t)(body->timeout * 1000);
  send_command(x, &command, on_command_reply);
}

static void on_pause(exchange_t *x) {
  send_command(x, &(robot_command_t){.kind = ROBOT_COMMAND_KIND_PAUSE}, on_command_reply);
}

static void on_resume(exchange_t *x) {
  send_command(x, &(robot_command_t){.kind = ROBOT_COMMAND_KIND_RESUME}, on_command_reply);
}

static void on_reset(exchange_t *x) {
  const http_reset_request_t *body = x->body;
  robot_command_t command = {.kind = ROBOT_COMMAND_KIND_RESET,
                             .has_safe_confirm = body->has_safe_confirm,
                             .safe_confirm = body->safe_confirm,
                             .has_location_ok = body->has_location_ok,
                             .location_ok = body->location_ok};

  send_command(x, &command, on_command_reply);
}

static void on_last_command(exchange_t *x) {
  const latest_t *latest = x->gateway->latest;
  http_last_command_t answer = {.success = true, .timestamp = clock_wall_ns()};

  if (!view_status_known(latest, clock_mono_ns())) {
    exchange_fail(x, GANTRY_E_UNAVAILABLE, NULL, "", "rs485-bridge does not tell what it does.");
    return;
  }
  answer.has_command = view_command(&latest->status, &answer.command);
  if (answer.has_command)
    write_outcome(&latest->status, answer.message, sizeof answer.message);
  else
    snprintf(answer.message, sizeof answer.message, "Nothing was commanded yet.");
  exchange_answer(x, &answer);
}

/* ---- movements: the path or the query names the direction */

/* What was asked for, out of path and query. */
static robot_command_t asked_movement(const exchange_t *x) {
  robot_command_t command = {.kind = ROBOT_COMMAND_KIND_MOVE, .has_direction = true};

  if (x->endpoint_id == ENDPOINT_ROBOT_MOVE) {
    const http_move_params_t *params = x->params;
    command.direction = params->direction;
    command.has_speed = params->has_speed;
    command.speed = params->speed;
    command.has_distance = params->has_distance;
    command.distance = params->distance;
    return command;
  }
  const http_move_on_params_t *params = x->params;
  bool back = x->endpoint_id == ENDPOINT_ROBOT_MOVE_BACKWARD;
  command.direction = back ? ROBOT_DIRECTION_BACKWARD : ROBOT_DIRECTION_FORWARD;
  command.has_speed = params->has_speed;
  command.speed = params->speed;
  command.has_distance = params->has_distance;
  command.distance = params->distance;
  return command;
}

static void answer_movement(exchange_t *x, double duration_s) {
  robot_command_t asked = asked_movement(x);
  http_movement_t answer = {.success = true,
                            .has_speed = asked.has_speed,
                            .speed = asked.speed,
                            .has_distance = asked.has_distance,
                            .distance = asked.distance,
                            .has_estimated_duration = duration_s >= 0,
                            .estimated_duration = duration_s,
                            .timestamp = clock_wall_ns()};

  snprintf(answer.direction, sizeof answer.direction, "%s",
           desc_enum_text(&ROBOT_DIRECTION_ENUM, (int)asked.direction));
  if (asked.has_distance)
    snprintf(answer.message, sizeof answer.message, "The robot moves %s by %g m.", answer.direction,
             asked.distance);
  else
    snprintf(answer.message, sizeof answer.message, "The robot moves %s until it is stopped.",
             answer.direction);
  exchange_answer(x, &answer);
}

static void on_move_reply(exchange_t *x, const void *reply) {
  const latest_t *latest = x->gateway->latest;
  const robot_status_t *status = reply;
  robot_command_t asked = asked_movement(x);
  double share = asked.has_speed ? asked.speed : status->speed_share;
  bool known = asked.has_distance && view_limits_known(latest, clock_mono_ns());

  answer_movement(
      x, known ? view_duration_s(status, share * latest->limits.max_speed, asked.distance) : -1);
}

static void on_move(exchange_t *x) {
  robot_command_t command = asked_movement(x);

  send_command(x, &command, on_move_reply);
}

static void on_halted(exchange_t *x, const void *reply) {
  http_movement_t answer = {
      .success = true, .direction = "stop", .has_speed = true, .timestamp = clock_wall_ns()};

  (void)reply;
  snprintf(answer.message, sizeof answer.message, "The robot ramps to a stop.");
  exchange_answer(x, &answer);
}

static void on_move_stop(exchange_t *x) {
  sys_empty_t nothing = {0};

  exchange_call(x, REQUEST_ROBOT_HALT, &nothing, on_halted, NULL);
}

/* ---- cargo */

static void on_cargo_reply(exchange_t *x, const void *reply) {
  const http_cargo_params_t *params = x->params;
  bool up = x->endpoint_id == ENDPOINT_ROBOT_CARGO_UP;
  http_movement_t answer = {.success = true,
                            .has_position = params->has_position,
                            .position = params->position,
                            .timestamp = clock_wall_ns()};

  snprintf(answer.direction, sizeof answer.direction, up ? "up" : "down");
  write_outcome(reply, answer.message, sizeof answer.message);
  exchange_answer(x, &answer);
}

static void on_cargo(exchange_t *x) {
  const http_cargo_params_t *params = x->params;
  bool up = x->endpoint_id == ENDPOINT_ROBOT_CARGO_UP;
  robot_command_t command = {.kind =
                                 up ? ROBOT_COMMAND_KIND_CARGO_UP : ROBOT_COMMAND_KIND_CARGO_DOWN,
                             .has_position = params->has_position,
                             .position = params->position / 100};

  send_command(x, &command, on_cargo_reply);
}

const call_route_t ROUTES_COMMAND[] = {
    {ENDPOINT_ROBOT_CONTROL, on_control},
    {ENDPOINT_ROBOT_COMMAND, on_control},
    {ENDPOINT_ROBOT_PAUSE, on_pause},
    {ENDPOINT_ROBOT_RESUME, on_resume},
    {ENDPOINT_ROBOT_RESET, on_reset},
    {ENDPOINT_ROBOT_LAST_COMMAND, on_last_command},
    {ENDPOINT_ROBOT_MOVE, on_move},
    {ENDPOINT_ROBOT_MOVE_FORWARD, on_move},
    {ENDPOINT_ROBOT_MOVE_BACKWARD, on_move},
    {ENDPOINT_ROBOT_MOVE_STOP, on_move_stop},
    {ENDPOINT_ROBOT_CARGO_UP, on_cargo},
    {ENDPOINT_ROBOT_CARGO_DOWN, on_cargo},
    {0, NULL},
};
