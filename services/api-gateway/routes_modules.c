/* What hangs on the line, as its bridge told last. */
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
  const http_module_params_t *params = x->params;
  const latest_t *latest = x->gateway->latest;
  http_module_answer_t answer = {.success = true, .timestamp = clock_wall_ns()};

  for (uint32_t i = 0; i < latest->module_count; i++) {
    if (latest->modules[i].module.address != params->address) continue;
    view_module(latest, &latest->modules[i], clock_mono_ns(), &answer.data);
    snprintf(answer.message, sizeof answer.message, "Module %s.", answer.data.name);
    exchange_answer(x, &answer);
    return;
  }
  exchange_fail(x, GANTRY_E_NOT_FOUND, NULL, "address", "No module answers at address %u.",
                params->address);
}

const call_route_t ROUTES_MODULES[] = {
    {ENDPOINT_RS485_MODULES, on_list},
    {ENDPOINT_RS485_MODULE, on_one},
    {0, NULL},
};
