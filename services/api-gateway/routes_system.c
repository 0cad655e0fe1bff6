/* Health, metrics, description, banner. */
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>
#include <openapi_data.h>

#include "call.h"
#include "exposition.h"

static void on_root(exchange_t *x) {
  http_banner_t banner = {.name = "gantry", .version = GANTRY_VERSION, .docs = "/docs"};

  exchange_answer(x, &banner);
}

static void on_health(exchange_t *x) {
  gateway_t *gateway = x->gateway;
  http_health_t health;

  health_view(gateway->latest, gateway->started_ns, clock_mono_ns(), &health);
  health.timestamp = clock_wall_ns();
  snprintf(health.version, sizeof health.version, "%s", GANTRY_VERSION);
  health.system = gateway->system;
  exchange_begin(x);
  (void)json_write(&HTTP_HEALTH_DESC, &health, &x->out);
  exchange_finish(x, strcmp(health.status, "unhealthy") ? 200 : 503, "application/json");
}

static void on_health_fast(exchange_t *x) {
  exchange_done(x, "The gateway is alive.");
}

static void on_metrics(exchange_t *x) {
  gateway_t *gateway = x->gateway;

  latest_service_t *own = latest_service(gateway->latest, "api-gateway");
  if (own) metrics_snapshot(gateway->service->metrics, &own->metrics);
  exchange_begin(x);
  exposition_write(gateway->latest, clock_mono_ns(), &x->out);
  exchange_finish(x, 200, "text/plain; version=0.0.4; charset=utf-8");
}

static void on_docs(exchange_t *x) {
  files_answer(x, "/docs");
}

static void on_openapi(exchange_t *x) {
  exchange_begin(x);
  buf_put(&x->out, OPENAPI_JSON, OPENAPI_JSON_LEN);
  exchange_finish(x, 200, "application/json");
}

const call_route_t ROUTES_SYSTEM[] = {
    {ENDPOINT_ROOT, on_root},
    {ENDPOINT_HEALTH, on_health},
    {ENDPOINT_SYSTEM_HEALTH, on_health},
    {ENDPOINT_SYSTEM_HEALTH_DETAILED, on_health},
    {ENDPOINT_HEALTH_FAST, on_health_fast},
    {ENDPOINT_METRICS, on_metrics},
    {ENDPOINT_DOCS, on_docs},
    {ENDPOINT_OPENAPI, on_openapi},
    {0, NULL},
};
