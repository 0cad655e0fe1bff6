/* Log lines, out of the ring. */
#include <stdlib.h>

#include "call.h"

enum { LOGS_LIMIT = 100 };

static void on_logs(exchange_t *x) {
  const http_log_params_t *params = x->params;
  const log_entry_t *found[LOG_RING_ROWS];
  log_filter_t filter = {.level = params->has_level ? params->level : SYS_LOG_LEVEL_DEBUG,
                         .service = params->has_source ? params->source : NULL};
  uint32_t size = params->has_limit ? params->limit : LOGS_LIMIT;
  uint32_t page = params->has_page ? params->page : 1;
  uint64_t skip = (uint64_t)(page - 1) * size;
  http_log_page_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  answer->logs_count =
      log_ring_find(x->gateway->logs, &filter, skip, found, size, &answer->total_count);
  for (uint32_t i = 0; i < answer->logs_count; i++)
    log_ring_view(found[i], &answer->logs[i]);
  answer->page = page;
  answer->page_size = size;
  answer->has_next = skip + answer->logs_count < answer->total_count;
  exchange_answer(x, answer);
  free(answer);
}

const call_route_t ROUTES_LOGS[] = {
    {ENDPOINT_MONITORING_LOGS, on_logs},
    {ENDPOINT_DASHBOARD_LOGS, on_logs},
    {0, NULL},
};
