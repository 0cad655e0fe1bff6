/* Registers of the modules by name: read as polled last, written one by one and read back. The role
   of who writes is vouched for here; range and access are judged by the bridge. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "call.h"
#include "roles.h"
#include "view.h"

static void fail_memory(exchange_t *x) {
  exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
}

/* ---- reading */

static void on_registers_reply(exchange_t *x, const void *reply) {
  http_module_registers_answer_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    fail_memory(x);
    return;
  }
  answer->success = true;
  answer->timestamp = clock_wall_ns();
  view_registers(reply, false, answer->timestamp, &answer->data);
  snprintf(answer->message, sizeof answer->message, "%u registers of %s.",
           answer->data.registers_count, answer->data.module_name);
  exchange_answer(x, answer);
  free(answer);
}

static void on_registers(exchange_t *x) {
  const http_module_at_t *at = x->params;
  robot_registers_of_t of = {
      .address = (uint8_t)at->address, .has_port = at->has_port, .port = (uint8_t)at->port};

  exchange_call(x, REQUEST_ROBOT_REGISTERS, &of, on_registers_reply, NULL);
}

static void on_values_reply(exchange_t *x, const void *reply) {
  http_module_registers_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    fail_memory(x);
    return;
  }
  view_registers(reply, true, clock_wall_ns(), answer);
  exchange_answer(x, answer);
  free(answer);
}

static void on_values(exchange_t *x) {
  const http_telemetry_module_params_t *at = x->params;
  robot_registers_of_t of = {
      .address = (uint8_t)at->id, .has_port = at->has_port, .port = (uint8_t)at->port};

  exchange_call(x, REQUEST_ROBOT_REGISTERS, &of, on_values_reply, NULL);
}

/* ---- newest values of all: one module is asked after the other, kept in scratch */

typedef struct walk {
  uint32_t next; /* row of the module table to be looked at next */
  uint32_t asked;
  http_telemetry_modules_t answer;
} walk_t;

static void walk_on(exchange_t *x);

static void on_walk_reply(exchange_t *x, const void *reply) {
  walk_t *walk = (void *)x->scratch.data;
  http_telemetry_modules_t *answer = &walk->answer;

  view_registers(reply, true, clock_wall_ns(), &answer->modules[answer->modules_count++]);
  walk_on(x);
}

/* A module that the profile does not know, or that has just gone, is left out; a bridge that has
   gone ends it. */
static void on_walk_failed(exchange_t *x, const gantry_fault_t *fault) {
  if (fault->err == GANTRY_E_UNAVAILABLE || fault->err == GANTRY_E_TIMEOUT)
    exchange_fail_fault(x, fault);
  else
    walk_on(x);
}

static void walk_on(exchange_t *x) {
  walk_t *walk = (void *)x->scratch.data;
  const latest_t *latest = x->gateway->latest;

  while (walk->next < latest->module_count) {
    const robot_module_t *module = &latest->modules[walk->next++].module;
    if (!view_is_answering(module->status)) continue;
    robot_registers_of_t of = {
        .address = module->address, .has_port = true, .port = latest_port(module)};
    exchange_call(x, REQUEST_ROBOT_REGISTERS, &of, on_walk_reply, on_walk_failed);
    return;
  }
  walk->answer.timestamp = clock_wall_ns();
  walk->answer.total_count = walk->answer.modules_count;
  exchange_answer(x, &walk->answer);
}

static void on_all_values(exchange_t *x) {
  buf_reset(&x->scratch);
  void *room = buf_reserve(&x->scratch, sizeof(walk_t));
  if (!room) {
    fail_memory(x);
    return;
  }
  memset(room, 0, sizeof(walk_t));
  walk_on(x);
}

/* ---- writing */

static robot_register_write_t write_as(const exchange_t *x) {
  const http_module_at_t *at = x->params;
  bool admin = x->caller.role == STORE_ROLE_ADMIN;

  return (robot_register_write_t){
      .address = (uint8_t)at->address,
      .has_port = at->has_port,
      .port = (uint8_t)at->port,
      .access = admin ? ROBOT_REGISTER_ACCESS_ADMIN : ROBOT_REGISTER_ACCESS_USER,
      .safety = roles_allow(x->caller.role, "safety:configure"),
      .has_value = true,
  };
}

/* "0x7002" or "28674"; false for anything else. */
static bool parse_register(const char *text, uint16_t *out) {
  char *end;
  long value = strtol(text, &end, 0);

  if (end == text || *end || value < 0 || value > UINT16_MAX) return false;
  *out = (uint16_t)value;
  return true;
}

static void on_written(exchange_t *x, const void *reply) {
  http_register_answer_t answer = {.success = true, .timestamp = clock_wall_ns()};

  view_register(reply, &answer.data);
  snprintf(answer.message, sizeof answer.message, "%s was written and read back.",
           answer.data.name);
  exchange_answer(x, &answer);
}

/* The field as it is called here. */
static void on_write_failed(exchange_t *x, const gantry_fault_t *fault) {
  gantry_fault_t told = *fault;

  if (!strcmp(told.field, "register")) snprintf(told.field, sizeof told.field, "register_address");
  exchange_fail_fault(x, &told);
}

static void on_register_set(exchange_t *x) {
  const http_register_set_t *body = x->body;
  robot_register_write_t write = write_as(x);

  if (body->has_force && body->force) {
    exchange_fail(x, GANTRY_E_REFUSED, NULL, "force", "A write is not forced past its range.");
    return;
  }
  if (body->has_name == body->has_register_address) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "register_address",
                  "Give either register_address or name.");
    return;
  }
  write.has_register = body->has_register_address;
  if (write.has_register && !parse_register(body->register_address, &write.register_)) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "register_address",
                  "An address is a number from 0x0000 to 0xFFFF.");
    return;
  }
  write.has_name = body->has_name;
  snprintf(write.name, sizeof write.name, "%s", body->name);
  write.value = body->value;
  exchange_call(x, REQUEST_ROBOT_REGISTER_WRITE, &write, on_written, on_write_failed);
}

/* ---- writing several: the answer so far is kept in scratch */

static void configure_next(exchange_t *x);

static void on_configured(exchange_t *x, const void *reply) {
  http_module_configured_t *answer = (void *)x->scratch.data;

  view_register(reply, &answer->data[answer->data_count++]);
  configure_next(x);
}

static void on_configure_failed(exchange_t *x, const gantry_fault_t *fault) {
  const http_module_configured_t *answer = (const void *)x->scratch.data;
  const http_module_configure_t *body = x->body;
  gantry_fault_t told = *fault;

  snprintf(told.field, sizeof told.field, "registers[%u].value", answer->data_count);
  snprintf(told.detail, sizeof told.detail, "%.140s (%u of %u are written)", fault->detail,
           answer->data_count, body->registers_count);
  exchange_fail_fault(x, &told);
}

static void configure_next(exchange_t *x) {
  http_module_configured_t *answer = (void *)x->scratch.data;
  const http_module_configure_t *body = x->body;
  robot_register_write_t write = write_as(x);

  if (answer->data_count == body->registers_count) {
    answer->success = true;
    answer->timestamp = clock_wall_ns();
    snprintf(answer->message, sizeof answer->message, "%u registers were written and read back.",
             answer->data_count);
    exchange_answer(x, answer);
    return;
  }
  write.has_name = true;
  snprintf(write.name, sizeof write.name, "%s", body->registers[answer->data_count].name);
  write.value = body->registers[answer->data_count].value;
  exchange_call(x, REQUEST_ROBOT_REGISTER_WRITE, &write, on_configured, on_configure_failed);
}

static void on_configure(exchange_t *x) {
  const http_module_configure_t *body = x->body;

  if (body->registers_count == 0) {
    exchange_fail(x, GANTRY_E_SCHEMA, NULL, "registers", "Name at least one register.");
    return;
  }
  buf_reset(&x->scratch);
  void *room = buf_reserve(&x->scratch, sizeof(http_module_configured_t));
  if (!room) {
    fail_memory(x);
    return;
  }
  memset(room, 0, sizeof(http_module_configured_t));
  configure_next(x);
}

const call_route_t ROUTES_REGISTERS[] = {
    {ENDPOINT_RS485_MODULE_REGISTERS, on_registers},
    {ENDPOINT_RS485_MODULE_REGISTER_SET, on_register_set},
    {ENDPOINT_RS485_MODULE_CONFIGURE, on_configure},
    {ENDPOINT_TELEMETRY_MODULES, on_all_values},
    {ENDPOINT_TELEMETRY_MODULE, on_values},
    {0, NULL},
};
