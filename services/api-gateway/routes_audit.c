/* The audit log: read by page, and its chain verified. Nothing here writes. */
#include <stdio.h>
#include <string.h>

#include "call.h"
#include "envelope.h"

enum { AUDIT_LIMIT = 50, VERIFY_LIMIT = 5000 };

static uint32_t limit_of(const exchange_t *x) {
  const http_audit_params_t *params = x->params;

  return params->has_limit ? params->limit : AUDIT_LIMIT;
}

static void view_entry(const store_audit_row_t *row, http_audit_entry_t *out) {
  *out = (http_audit_entry_t){.id = row->id, .timestamp = row->time, .success = row->entry.success};
  snprintf(out->service, sizeof out->service, "%s", row->service);
  snprintf(out->actor, sizeof out->actor, "%s", row->entry.actor);
  snprintf(out->action, sizeof out->action, "%s", row->entry.action);
  snprintf(out->resource, sizeof out->resource, "%s", row->entry.resource);
  snprintf(out->address, sizeof out->address, "%.47s", row->entry.address);
  snprintf(out->detail, sizeof out->detail, "%s", row->entry.detail);
}

static void on_page(exchange_t *x, const void *reply) {
  const store_audit_page_t *rows = reply;
  envelope_page_t page = {.limit = limit_of(x), .cursor = rows->cursor};
  http_audit_entry_t entry;

  envelope_list_begin(x);
  for (uint32_t i = 0; i < rows->rows_count; i++) {
    view_entry(&rows->rows[i], &entry);
    envelope_list_add(x, &entry);
  }
  envelope_list_end(x, &page);
}

static void on_audit(exchange_t *x) {
  const http_audit_params_t *params = x->params;
  store_audit_get_t get = {.has_actor = params->has_actor,
                           .has_action = params->has_action,
                           .has_resource = params->has_resource,
                           .has_success = params->has_success,
                           .success = params->success,
                           .has_from = params->has_start_time,
                           .from = params->start_time,
                           .has_to = params->has_end_time,
                           .to = params->end_time,
                           .limit = limit_of(x),
                           .has_cursor = params->has_cursor};

  snprintf(get.actor, sizeof get.actor, "%s", params->actor);
  snprintf(get.action, sizeof get.action, "%s", params->action);
  snprintf(get.resource, sizeof get.resource, "%s", params->resource);
  snprintf(get.cursor, sizeof get.cursor, "%s", params->cursor);
  exchange_call(x, REQUEST_STORE_AUDIT, &get, on_page, NULL);
}

static void on_verify(exchange_t *x) {
  const http_audit_verify_params_t *params = x->params;
  store_audit_verify_t verify = {.after = params->has_after ? params->after : 0,
                                 .limit = params->has_limit ? params->limit : VERIFY_LIMIT};

  exchange_call(x, REQUEST_STORE_AUDIT_VERIFY, &verify, exchange_answer, NULL);
}

const call_route_t ROUTES_AUDIT[] = {
    {ENDPOINT_AUDIT, on_audit},
    {ENDPOINT_AUDIT_VERIFY, on_verify},
    {0, NULL},
};
