/* The gateway's glue: options, start, stop. */
#include "gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "active_map.h"
#include "audit_trail.h"
#include "bench/bench.h"
#include "exchange.h"
#include "feed.h"
#include "first_user.h"
#include "gateway_internal.h"
#include "http.h"
#include "identity_feed.h"
#include "ingest_pool.h"
#include "request_limits.h"
#include "settings.h"
#include "ws.h"

enum { TOKENS_KEPT = 4096 };

static const option_t OPTIONS[] = {
    {"host", OPTION_TEXT, "127.0.0.1", 0, 63, NULL, "Address to listen on; 0.0.0.0 for all."},
    {"port", OPTION_INT, "8000", 0, 65535, NULL,
     "Port to listen on; 0 takes a free one. The port in use stands in <data>/gateway.port."},
    {"web_root", OPTION_TEXT, "", 0, 400, NULL,
     "Folder of the dashboard's files; empty serves none."},
    {"cors_origins", OPTION_TEXT,
     "http://localhost:3000 http://localhost:5173 http://localhost:8000 http://localhost:8080", 0,
     1000, NULL, "Origins whose pages may use the API, apart by spaces."},
    {"issuer", OPTION_TEXT, "gantry", 0, 31, NULL, "Issuer of tokens."},
    {"audience", OPTION_TEXT, "", 0, 31, NULL, "Audience of tokens; empty: the issuer."},
    {"token_algorithm", OPTION_CHOICE, "HS256", 0, 0, "HS256|EdDSA",
     "How tokens are signed: by <data>/token-secret, or by <data>/token-key, whose public half "
     "stands at /.well-known/jwks.json. No other is accepted."},
    {"lock_after", OPTION_INT, "5", 1, 100, NULL, "Failed logins in a row that lock a user."},
    {"lock_s", OPTION_INT, "1800", 1, 86400, NULL, "For how long, seconds."},
    {"sessions_max", OPTION_INT, "3", 1, 64, NULL,
     "Sessions a user may have; one more ends the one unused for longest."},
    {"password_days", OPTION_INT, "0", 0, 3650, NULL,
     "Age at which a password has to be changed, days; 0: never."},
    {"access_s", OPTION_INT, "1800", 1, 86400, NULL, "Life of an access token, seconds."},
    {"refresh_s", OPTION_INT, "604800", 1, 31536000, NULL, "Life of a refresh token, seconds."},
    {"refresh_grace_s", OPTION_INT, "10", 0, 60, NULL,
     "So long after its use a refresh token may be shown again, and brings the same successor: an "
     "answer was lost, or two tabs share a session; 0: never."},
    {"rate_per_min", OPTION_REAL, "1000", 1, 1e9, NULL,
     "Requests a minute and address, and a minute and user; WebSockets and TLS handshakes of an "
     "address, too."},
    {"rate_burst", OPTION_REAL, "100", 1, 1e9, NULL, "Requests an address may send at once."},
    {"login_per_min", OPTION_REAL, "10", 1, 1e9, NULL, "Logins a minute and address."},
    {"robot_per_min", OPTION_REAL, "100", 1, 1e9, NULL,
     "Commands to the robot a minute and user; stops, pauses and jogs are not counted."},
    {"telemetry_per_min", OPTION_REAL, "1000", 1, 1e9, NULL,
     "Requests to /telemetry a minute and user."},
    {"monitoring_per_min", OPTION_REAL, "200", 1, 1e9, NULL,
     "Requests to /monitoring a minute and user."},
    {"allowed_hosts", OPTION_TEXT, "", 0, 1000, NULL,
     "Names by which the gateway may be asked for, beside addresses and localhost, apart by "
     "spaces; *.example.org takes all below, * any."},
    {"tls_cert", OPTION_TEXT, "", 0, 400, NULL,
     "PEM file with the certificate and those that vouch for it; empty: no encryption. Read again "
     "when it changes."},
    {"tls_key", OPTION_TEXT, "", 0, 400, NULL, "PEM file with its private key."},
    {"trusted_proxies", OPTION_TEXT, "", 0, 1000, NULL,
     "Addresses and networks whose X-Forwarded-For and X-Forwarded-Proto are believed, apart by "
     "spaces."},
    {"connections_per_address", OPTION_INT, "256", 1, 16384, NULL,
     "Connections an address may hold open; raise it behind a reverse proxy."},
    {"ws_per_user", OPTION_INT, "10", 1, 16384, NULL, "WebSockets a user may hold open."},
    {"ws_deflate", OPTION_BOOL, "false", 0, 0, NULL,
     "WebSocket messages are compressed for clients that offer it (permessage-deflate)."},
    {"head_s", OPTION_INT, "10", 1, 3600, NULL,
     "Longest the head of a request may take to arrive, seconds."},
    {"body_s", OPTION_INT, "60", 1, 3600, NULL,
     "Longest a body may take to arrive, and 64 KiB of a download to be taken, seconds."},
    {"allow_extended_types", OPTION_BOOL, "false", 0, 0, NULL,
     "POST /sensors/data takes every registered type, not only the robot's four."},
    {"bench_port", OPTION_INT, "0", 0, 65535, NULL,
     "Port of the test-bench profile, where nobody logs in; 0: none. 8010 is customary."},
    {"bench_host", OPTION_TEXT, "127.0.0.1", 0, 63, NULL, "Address that it listens on."},
    {"bench_exposed", OPTION_BOOL, "false", 0, 0, NULL,
     "bench_host may be another than this machine's own: whoever reaches it may use it."},
    {"bench_origins", OPTION_TEXT, "[\"http://localhost:3000\", \"http://localhost:5173\"]", 0, 900,
     NULL, "Origins whose pages may use it, as a JSON list."},
    {"alert_api_ms", OPTION_REAL, "100", 0, 1e6, NULL,
     "Alert when 95 of 100 answers take longer, ms, ten seconds together."},
    {"alert_websocket_ms", OPTION_REAL, "50", 0, 1e6, NULL,
     "Alert when 95 of 100 frames to WebSockets are older, ms."},
    {"alert_database_ms", OPTION_REAL, "10", 0, 1e6, NULL,
     "Alert when a small query to storage takes longer, ms."},
    {"alert_cpu_percent", OPTION_REAL, "80", 0, 100, NULL, "Alert when the processors are busier."},
    {"alert_memory_percent", OPTION_REAL, "85", 0, 100, NULL, "Alert when more memory is used."},
    {"alert_disk_percent", OPTION_REAL, "90", 0, 100, NULL, "Alert when more of the disk is used."},
    {"alert_hold_s", OPTION_INT, "10", 1, 3600, NULL,
     "How long a limit has to be crossed until its alert is raised, and be well kept until it "
     "clears, seconds."},
    {"procfs", OPTION_TEXT, "/proc", 1, 400, NULL,
     "Where the load of the machine is read: in a container, the place of the host's /proc."},
    {"history_s", OPTION_INT, "60", 1, 3600, NULL,
     "Seconds between two rows of <data>/load-history, which keeps 10,080 of them."},
    {"hash_cost", OPTION_INT, "5", 1, 11, NULL, "yescrypt cost of new password hashes."},
};

static gantry_err_t open_key(gateway_t *gateway, const config_t *config, gantry_fault_t *fault) {
  char path[512];
  uint8_t secret[AUTH_SECRET_BYTES];
  const char *issuer = config_text(config, "issuer"), *audience = config_text(config, "audience");
  bool eddsa = !strcmp(config_text(config, "token_algorithm"), "EdDSA");

  snprintf(path, sizeof path, "%s/%s", gateway->data, eddsa ? "token-key" : "token-secret");
  GANTRY_TRY(auth_secret(path, secret, fault));
  gantry_err_t err = auth_new(eddsa ? AUTH_EDDSA : AUTH_HS256, secret, issuer,
                              audience[0] ? audience : issuer, &gateway->auth);
  explicit_bzero(secret, sizeof secret);
  if (err != GANTRY_OK) return fault_set(fault, err, "", "OpenSSL offers no signature for tokens");
  return GANTRY_OK;
}

static gantry_err_t open_auth(gateway_t *gateway, const config_t *config, gantry_fault_t *fault) {
  uint64_t secrets[2];

  GANTRY_TRY(open_key(gateway, config, fault));
  GANTRY_TRY(auth_random(secrets, sizeof secrets));
  GANTRY_TRY(token_cache_new(TOKENS_KEPT, secrets, &gateway->tokens));
  GANTRY_TRY(identity_new(&gateway->identity));
  gateway->lock_after = (uint32_t)config_int(config, "lock_after");
  gateway->lock_s = (uint32_t)config_int(config, "lock_s");
  gateway->grace_s = (uint32_t)config_int(config, "refresh_grace_s");
  gateway->sessions_max = (uint32_t)config_int(config, "sessions_max");
  gateway->password_days = (uint32_t)config_int(config, "password_days");
  return password_new(gateway->service->loop, (unsigned)config_int(config, "hash_cost"),
                      &gateway->passwords);
}

static void open_metrics(gateway_t *gateway) {
  metrics_t *metrics = gateway->service->metrics;
  gateway_metrics_t *own = &gateway->metrics;

  own->requests =
      metrics_counter(metrics, "gantry_http_requests_total", "", "HTTP requests answered.");
  own->client_errors = metrics_counter(metrics, "gantry_http_errors_total", "class=\"4xx\"",
                                       "HTTP errors answered.");
  own->server_errors = metrics_counter(metrics, "gantry_http_errors_total", "class=\"5xx\"",
                                       "HTTP errors answered.");
  own->limited =
      metrics_counter(metrics, "gantry_http_limited_total", "", "Requests over a rate limit.");
  own->unadmitted = metrics_counter(metrics, "gantry_http_unadmitted_total", "",
                                    "Connections refused: too many of one address.");
  own->ws_clients = metrics_gauge(metrics, "gantry_ws_clients", "", "Open WebSocket connections.");
  own->ws_frames = metrics_counter(metrics, "gantry_ws_frames_total", "", "WebSocket frames sent.");
  own->ws_dropped = metrics_counter(metrics, "gantry_ws_dropped_total", "",
                                    "Frames that slow clients lost to newer ones.");
  own->ws_refused =
      metrics_counter(metrics, "gantry_ws_refused_total", "", "Upgrades and frames refused.");
  own->pose_age_ms =
      metrics_summary(metrics, "gantry_pose_age_ms", "", "Sensor byte to WebSocket frame, ms.");
  own->stop_ms =
      metrics_summary(metrics, "gantry_stop_ms", "", "Stop request to confirmed answer, ms.");
}

/* The port for those who started us with port 0. */
static gantry_err_t write_port(const gateway_t *gateway, gantry_fault_t *fault) {
  char path[512];
  FILE *file;

  snprintf(path, sizeof path, "%s/gateway.port", gateway->data);
  file = fopen(path, "we");
  if (!file) return fault_set(fault, GANTRY_E_INVALID, "data", "%s cannot be written", path);
  fprintf(file, "%d\n", gateway->port);
  return fclose(file) == 0
             ? GANTRY_OK
             : fault_set(fault, GANTRY_E_INVALID, "data", "%s cannot be written", path);
}

static gantry_err_t open_all(gateway_t *gateway, const config_t *config, gantry_fault_t *fault) {
  /* The first stop finds its connection. */
  (void)rpc_connect(gateway->service->client, REQUEST_ROBOT_ESTOP, NULL);
  GANTRY_TRY(open_auth(gateway, config, fault));
  GANTRY_TRY(limits_start(gateway));
  GANTRY_TRY(audit_trail_start(gateway));
  GANTRY_TRY(ingest_pool_new(gateway, &gateway->readings));
  if (picture_new(gateway->service->loop, &gateway->pictures) != GANTRY_OK)
    return fault_set(fault, GANTRY_E_INTERNAL, "", "the thread that draws maps cannot start");
  if (active_map_new(gateway, &gateway->active_map) != GANTRY_OK)
    return fault_set(fault, GANTRY_E_INTERNAL, "",
                     "the thread that draws the live map cannot start");
  GANTRY_TRY(traffic_init(&gateway->traffic));
  GANTRY_TRY(monitor_start(gateway, config, fault));
  const ws_settings_t settings = {.per_user = (uint32_t)config_int(config, "ws_per_user"),
                                  .deflate = config_bool(config, "ws_deflate")};
  GANTRY_TRY(ws_hub_new(gateway, &settings, &gateway->hub));
  GANTRY_TRY(feed_start(gateway, fault));
  GANTRY_TRY(identity_feed_start(gateway, fault));
  GANTRY_TRY(settings_start(gateway, fault));
  GANTRY_TRY(
      http_open(gateway, config_text(config, "host"), (int)config_int(config, "port"), fault));
  GANTRY_TRY(bench_start(gateway, fault));
  GANTRY_TRY(write_port(gateway, fault));
  GANTRY_TRY(first_user_start(gateway));
  log_info("GATEWAY-LISTENS", "http%s://%s:%d", config_text(config, "tls_cert")[0] ? "s" : "",
           config_text(config, "host"), gateway->port);
  return GANTRY_OK;
}

static void stop(void **self) {
  gateway_t *gateway = *self;

  if (!gateway) return;
  if (gateway->hub) ws_rounds_end(gateway->hub, UINT32_MAX);
  settings_stop(gateway);
  feed_stop(gateway);
  monitor_stop(gateway);
  identity_feed_stop(gateway);
  ws_hub_destroy(&gateway->hub);
  bench_stop(gateway);
  http_close(gateway);
  password_destroy(&gateway->passwords);
  picture_destroy(&gateway->pictures);
  active_map_destroy(&gateway->active_map);
  first_user_stop(gateway);
  ingest_pool_destroy(&gateway->readings);
  exchange_abandon_all(gateway);
  audit_trail_stop(gateway);
  auth_destroy(&gateway->auth);
  limits_stop(gateway);
  token_cache_destroy(&gateway->tokens);
  identity_destroy(&gateway->identity);
  free(gateway->latest);
  free(gateway->alarms);
  traffic_fini(&gateway->traffic);
  free(gateway);
  *self = NULL;
}

static gantry_err_t start(service_t *service, void **self, gantry_fault_t *fault) {
  const config_t *config = service->config;
  gateway_t *gateway = calloc(1, sizeof *gateway);

  if (!gateway) return GANTRY_E_INTERNAL;
  *self = gateway;
  gateway->service = service;
  gateway->started_ns = clock_mono_ns();
  gateway->started_wall_ns = clock_wall_ns();
  gateway->latest = calloc(1, sizeof *gateway->latest);
  gateway->alarms = calloc(1, sizeof *gateway->alarms);
  if (!gateway->latest || !gateway->alarms) return GANTRY_E_INTERNAL;
  gateway->data = config_text(config, "data");
  gateway->robot = config_text(config, "robot");
  gateway->origins = config_text(config, "cors_origins");
  gateway->web_root = config_text(config, "web_root");
  gateway->access_s = (uint32_t)config_int(config, "access_s");
  gateway->refresh_s = (uint32_t)config_int(config, "refresh_s");
  gateway->extended_types = config_bool(config, "allow_extended_types");
  gateway->body_s = (uint32_t)config_int(config, "body_s");
  open_metrics(gateway);
  return open_all(gateway, config, fault);
}

bool gateway_knows_users(const gateway_t *gateway) {
  return identity_is_known(gateway->identity);
}

int gateway_port(const gateway_t *gateway) {
  return gateway->port;
}

/* Its own health is taken from here: a service does not hear itself. */
static void health(void *self, sys_health_t *out) {
  gateway_t *gateway = self;
  latest_service_t *own = latest_service(gateway->latest, "api-gateway");

  if (!own) return;
  own->health = *out;
  own->health_at =
      (stamp_t){.known = true, .heard_ns = clock_mono_ns(), .born_ns = clock_mono_ns()};
}

const service_def_t GATEWAY_SERVICE = {
    .name = "api-gateway",
    .doc = "REST and WebSocket for people and programs; the only service that speaks HTTP.",
    .options = OPTIONS,
    .option_count = sizeof OPTIONS / sizeof OPTIONS[0],
    .start = start,
    .stop = stop,
    .health = health,
};
