/* Metrics, description, banner. */
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>
#include <openapi_data.h>

#include "call.h"
#include "exposition.h"
#include "health_view.h"
#include "range.h"

static void on_root(exchange_t *x) {
  http_health_t health;
  http_banner_t banner = {.name = "gantry", .version = GANTRY_VERSION, .docs = "/docs"};

  health_view(x->gateway->latest, x->gateway->started_ns, clock_mono_ns(), &health);
  banner.has_success = banner.has_status = banner.has_timestamp = true;
  banner.has_services = banner.has_system = true;
  banner.success = health.success;
  snprintf(banner.status, sizeof banner.status, "%s", health.status);
  banner.timestamp = clock_wall_ns();
  banner.services = health.services;
  banner.system = x->gateway->system;
  exchange_answer(x, &banner);
}

static void on_metrics(exchange_t *x) {
  gateway_t *gateway = x->gateway;

  latest_service_t *own = latest_service(gateway->latest, "api-gateway");
  if (own) metrics_snapshot(gateway->service->metrics, &own->metrics);
  exchange_begin(x);
  exposition_write(gateway->latest, clock_mono_ns(), &x->out);
  traffic_write(&gateway->traffic, &x->out);
  exchange_finish(x, 200, "text/plain; version=0.0.4; charset=utf-8");
}

static void on_docs(exchange_t *x) {
  files_answer(x, "/docs");
}

static void on_redoc(exchange_t *x) {
  x->head.extra = "Location: /docs\r\n";
  exchange_begin(x);
  exchange_finish(x, x->endpoint->status, NULL);
}

static void answer_text(exchange_t *x, const char *tag, blob_t plain, blob_t packed) {
  snprintf(x->etag, sizeof x->etag, "ETag: W/\"%s\"\r\n", tag);
  x->head.extra = x->etag;
  x->head.revalidated = true;
  if (range_tag_matches(x->if_none_match, tag, true)) {
    exchange_begin(x);
    exchange_finish(x, 304, NULL);
  } else {
    exchange_finish_either(x, "application/json", plain, packed);
  }
}

static blob_t text_of(const char *text, size_t len) {
  return (blob_t){.data = (const uint8_t *)text, .len = len};
}

static void on_openapi(exchange_t *x) {
  answer_text(x, OPENAPI_JSON_TAG, text_of(OPENAPI_JSON, OPENAPI_JSON_LEN),
              (blob_t){.data = OPENAPI_JSON_GZ, .len = OPENAPI_JSON_GZ_LEN});
}

static void on_asyncapi(exchange_t *x) {
  answer_text(x, ASYNCAPI_JSON_TAG, text_of(ASYNCAPI_JSON, ASYNCAPI_JSON_LEN),
              (blob_t){.data = ASYNCAPI_JSON_GZ, .len = ASYNCAPI_JSON_GZ_LEN});
}

/* ---- backup: storage names the file, no client does */

static void on_backup(exchange_t *x) {
  store_backup_t backup = {0};

  exchange_call(x, REQUEST_STORE_BACKUP, &backup, exchange_answer, NULL);
}

static void on_backup_state(exchange_t *x) {
  sys_empty_t nothing = {0};

  exchange_call(x, REQUEST_STORE_BACKUP_STATE, &nothing, exchange_answer, NULL);
}

const call_route_t ROUTES_SYSTEM[] = {
    {ENDPOINT_ROOT, on_root},
    {ENDPOINT_METRICS, on_metrics},
    {ENDPOINT_SYSTEM_BACKUP, on_backup},
    {ENDPOINT_SYSTEM_BACKUP_STATE, on_backup_state},
    {ENDPOINT_DOCS, on_docs},
    {ENDPOINT_REDOC, on_redoc},
    {ENDPOINT_OPENAPI, on_openapi},
    {ENDPOINT_ASYNCAPI, on_asyncapi},
    {0, NULL},
};
