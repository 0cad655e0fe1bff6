/* What hangs on the line, as its bridge told last, and what can be done to it. */
#include <stdio.h>
#include <stdlib.h>

#include <gantry/clock.h>

#include "call.h"
#include "view.h"

static void on_list(exchange_t *x) {
  const latest_t *latest = x->gateway->latest;
  http_module_list_t *list = calloc(1, sizeof *list);

  if (!list) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  list->success = true;
  list->timestamp = clock_wall_ns();
  list->data_count = latest->module_count;
  for (uint32_t i = 0; i < latest->module_count; i++)
    view_module(latest, &latest->modules[i], clock_mono_ns(), &list->data[i]);
  snprintf(list->message, sizeof list->message, "%u modules are known.", latest->module_count);
  exchange_answer(x, list);
  free(list);
}

static void on_one(exchange_t *x) {
  const http_module_at_t *at = x->params;
  const latest_t *latest = x->gateway->latest;
  uint32_t port = at->has_port ? at->port : 1;
  http_module_answer_t answer = {.success = true, .timestamp = clock_wall_ns()};

  for (uint32_t i = 0; i < latest->module_count; i++) {
    const robot_module_t *module = &latest->modules[i].module;
    if (module->address != at->address || latest_port(module) != port) continue;
    view_module(latest, &latest->modules[i], clock_mono_ns(), &answer.data);
    snprintf(answer.message, sizeof answer.message, "Module %s.", answer.data.name);
    exchange_answer(x, &answer);
    return;
  }
  exchange_fail(x, GANTRY_E_NOT_FOUND, NULL, "address",
                "No module answers at address %u of line %u.", at->address, port);
}

/* ---- acts */

static void on_acted(exchange_t *x, const void *reply) {
  latest_module_t row = {.module = *(const robot_module_t *)reply};
  uint64_t now_ns = clock_mono_ns();
  http_module_answer_t answer = {.success = true, .timestamp = clock_wall_ns()};

  row.at = (stamp_t){.known = true, .heard_ns = now_ns, .born_ns = now_ns};
  view_module(x->gateway->latest, &row, now_ns, &answer.data);
  snprintf(answer.message, sizeof answer.message, "Module %s is %s.", answer.data.name,
           desc_enum_text(&ROBOT_MODULE_STATUS_ENUM, (int)answer.data.status));
  exchange_answer(x, &answer);
}

static void act(exchange_t *x, robot_module_act_t what) {
  const http_module_at_t *at = x->params;
  robot_module_do_t module_do = {.address = (uint8_t)at->address,
                                 .has_port = at->has_port,
                                 .port = (uint8_t)at->port,
                                 .act = what};

  exchange_call(x, REQUEST_ROBOT_MODULE_DO, &module_do, on_acted, NULL);
}

static void on_ping(exchange_t *x) {
  act(x, ROBOT_MODULE_ACT_PING);
}

static void on_reset(exchange_t *x) {
  act(x, ROBOT_MODULE_ACT_RESET);
}

static void on_quarantine(exchange_t *x) {
  const http_quarantine_request_t *body = x->body;
  bool release = body->has_quarantined && !body->quarantined;

  act(x, release ? ROBOT_MODULE_ACT_RELEASE : ROBOT_MODULE_ACT_QUARANTINE);
}

const call_route_t ROUTES_MODULES[] = {
    {ENDPOINT_RS485_MODULE_PING, on_ping},
    {ENDPOINT_RS485_MODULE_RESET, on_reset},
    {ENDPOINT_RS485_MODULE_QUARANTINE, on_quarantine},
    {ENDPOINT_RS485_MODULES, on_list},
    {ENDPOINT_RS485_MODULE, on_one},
    {0, NULL},
};
