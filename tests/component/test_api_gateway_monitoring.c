/* Load, health and the alerts that come of them, made true and false again. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLOW_MS = 200 }; /* above the limits set below */

static char proc[64]; /* what the gateway takes for /proc */

static void write_proc(const char *name, const char *text) {
  char path[96];

  snprintf(path, sizeof path, "%s/%s", proc, name);
  FILE *file = fopen(path, "we");
  cr_assert_not_null(file);
  fputs(text, file);
  fclose(file);
}

/* Time goes on for the processors: busy or not. */
static void pass_time(bool busy) {
  static unsigned busy_jiffies = 1000, idle_jiffies = 1000;
  char text[96];

  *(busy ? &busy_jiffies : &idle_jiffies) += 100;
  snprintf(text, sizeof text, "cpu  %u 0 0 %u 0 0 0 0\n", busy_jiffies, idle_jiffies);
  write_proc("stat", text);
  write_proc("meminfo", busy ? "MemTotal: 1000 kB\nMemAvailable: 50 kB\n"
                             : "MemTotal: 1000 kB\nMemAvailable: 900 kB\n");
}

static void set_up(void) {
  char setting[96];

  snprintf(proc, sizeof proc, "/tmp/gantry-proc-XXXXXX");
  cr_assert_not_null(mkdtemp(proc));
  pass_time(false);
  snprintf(setting, sizeof setting, "procfs=%s", proc);
  door_open_with((const char *[]){setting, "alert_hold_s=1", "history_s=1", "alert_api_ms=150",
                                  "alert_database_ms=150", "alert_websocket_ms=150",
                                  "rate_per_min=100000", "rate_burst=10000", NULL});
  door_login();
}

static void tear_down(void) {
  static const char *const NAMES[] = {"stat", "meminfo", ""};

  door_close();
  for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
    char path[96];
    snprintf(path, sizeof path, "%s/%s", proc, NAMES[i]);
    (void)remove(path);
  }
}

TestSuite(api_gateway_monitoring, .init = set_up, .fini = tear_down, .timeout = 40);

static answer_t get(const char *path) {
  return door_request("GET", path, NULL);
}

/* Asks, expects success, and reads the answer by its schema; data: within {success, data, ...}. */
static answer_t expect_shape(const char *path, const desc_t *desc, bool data) {
  gantry_fault_t fault = {0};
  answer_t answer = get(path);
  char bare[160];
  void *value = calloc(1, desc->size);

  cr_assert_eq(answer.status, 200, "%s: %d %s", path, answer.status, answer.body);
  if (data) {
    expect_text(&answer, "\"success\":true,\"data\":{");
    snprintf(bare, sizeof bare, "%s%cenvelope=none", path, strchr(path, '?') ? '&' : '?');
    answer = get(bare);
  }
  cr_expect_eq(json_read(desc, answer.body, answer.body_len, true, value, &fault), GANTRY_OK,
               "%s: %s %s in %s", path, fault.field, fault.detail, answer.body);
  free(value);
  return answer;
}

/* ---- alerts that come and go */

static bool slow; /* what is asked of the neighbours takes long */

static void play_slowly(rpc_context_t *call, const void *takes, void *arg) {
  (void)takes;
  uint64_t begun_ns = clock_mono_ns();
  while (slow && clock_age_ms(clock_mono_ns(), begun_ns) < SLOW_MS)
    continue; /* busy, as a slow neighbour is */
  rpc_reply(call, ((stub_t *)arg)->reply);
}

static void publish_pose(bool old) {
  loc_pose_t pose = {.confidence = 0.9};
  cause_t cause = cause_new(clock_mono_ns() - (old ? 1000 : 0) * GANTRY_NS_PER_MS);

  bus_publish_from(door.localization->bus, &cause, TOPIC_LOC_POSE, NULL, &pose);
}

static unsigned raised(void) {
  answer_t answer = get("/api/v1/monitoring/status");
  unsigned count = 0;

  cr_assert_eq(answer.status, 200, "%s", answer.body);
  for (const char *at = answer.body; (at = strstr(at, "\"raised\":true")); at++)
    count++;
  return count;
}

static const char *const CODES[] = {"API-SLOW", "WEBSOCKET-LATE", "DATABASE-SLOW", "CPU-HIGH",
                                    "MEMORY-HIGH"};
enum { CODE_COUNT = sizeof CODES / sizeof CODES[0] };

Test(api_gateway_monitoring, raises_an_alert_for_each_limit_and_clears_it) {
  int status;
  uint64_t end_ns = clock_mono_ns() + 12 * GANTRY_NS_PER_S;
  inbox_t *said = harness_collect(door.harness, "alert.api-gateway");
  door_stub(REQUEST_MAP_INFO)->play = play_slowly;
  door_stub(REQUEST_STORE_ALERTS)->play = play_slowly;
  cr_assert(harness_heard(door.harness, door.localization->bus, "loc.pose", 2000));
  int fd = door_ws("/ws/map", door.token, &status);
  cr_assert_eq(status, 101);

  harness_for(door.harness, 20);
  publish_pose(true);
  slow = true;
  do {
    pass_time(true);
    (void)get("/api/v1/map/current");
    for (int i = 0; i < 6; i++)
      (void)get("/health/live");
    harness_for(door.harness, 50);
  } while (raised() < CODE_COUNT && clock_mono_ns() < end_ns);

  answer_t answer = get("/api/v1/monitoring/alerts/active");
  for (size_t i = 0; i < CODE_COUNT; i++)
    expect_text(&answer, CODES[i]);
  expect_text(&answer, "\"source\":\"api-gateway\"");
  const sys_alerts_t *alerts = inbox_newest(said, "alert.api-gateway");
  cr_assert_not_null(alerts);
  cr_expect_eq(alerts->alerts_count, CODE_COUNT, "others hear of it, too");

  slow = false;
  end_ns = clock_mono_ns() + 15 * GANTRY_NS_PER_S;
  do {
    pass_time(false);
    for (int i = 0; i < 20; i++)
      (void)get("/health/live");
    publish_pose(false);
    harness_for(door.harness, 30);
  } while (raised() > 0 && clock_mono_ns() < end_ns);

  answer = get("/api/v1/monitoring/alerts/active");
  for (size_t i = 0; i < CODE_COUNT; i++)
    cr_expect_null(strstr(answer.body, CODES[i]), "%s in %s", CODES[i], answer.body);
  close(fd);
}

Test(api_gateway_monitoring, takes_one_slow_answer_for_no_slow_door) {
  door_stub(REQUEST_MAP_INFO)->play = play_slowly;
  slow = true;
  (void)get("/api/v1/map/current");
  slow = false;

  harness_for(door.harness, 1500); /* alert_hold_s and half as long */

  answer_t answer = get("/api/v1/monitoring/alerts/active");
  expect_text(&answer, "\"total_count\":0");
}

/* ---- health */

static void publish_health(harness_peer_t *peer, const char *service) {
  sys_health_t health = {.status = SYS_STATUS_READY};
  char topic[48];

  snprintf(health.service, sizeof health.service, "%s", service);
  snprintf(topic, sizeof topic, "health.%s", service);
  cr_assert(harness_heard(door.harness, peer->bus, topic, 2000));
  cr_assert_eq(bus_publish(peer->bus, TOPIC_HEALTH, NULL, &health), GANTRY_OK);
}

Test(api_gateway_monitoring, is_ready_when_storage_and_the_bridge_are_there) {
  answer_t answer = door_request_as("", "GET", "/health/ready", NULL);
  cr_expect_eq(answer.status, 503);
  expect_text(&answer, "NOT_READY");
  expect_text(&answer, "storage is not heard of yet, rs485-bridge is not heard of yet");
  cr_expect_eq(door_request_as("", "GET", "/health/live", NULL).status, 200);

  publish_health(door.storage, "storage");
  publish_health(door.bridge, "rs485-bridge");
  uint64_t end_ns = clock_mono_ns() + 3 * GANTRY_NS_PER_S;
  do {
    harness_for(door.harness, 10);
    answer = door_request_as("", "GET", "/health/ready", NULL);
  } while (answer.status != 200 && clock_mono_ns() < end_ns);
  cr_expect_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"status\":\"ready\"");
}

Test(api_gateway_monitoring, answers_each_route_by_its_schema_with_live_figures) {
  publish_health(door.mapper, "mapper");
  harness_for(door.harness, 30);

  answer_t answer = expect_shape("/api/v1/health/status", &HTTP_HEALTH_SHORT_DESC, false);
  expect_text(&answer, "\"status\":\"degraded\"");
  answer = expect_shape("/api/v1/health/metrics", &HTTP_LOAD_METRICS_DESC, false);
  expect_text(&answer, "\"memory_usage\":10,");
  expect_text(&answer, "\"name\":\"mapper\",\"status\":\"ready\",\"cpu\":0,");
  expect_text(&answer, "\"name\":\"localization\",\"status\":\"starting\"}");
  expect_shape("/api/v1/health/detailed", &HTTP_HEALTH_DESC, false);
  expect_shape("/api/v1/monitoring/health", &HTTP_HEALTH_DESC, false);
  expect_shape("/api/v1/monitoring/metrics", &HTTP_LOAD_METRICS_DESC, true);
  expect_shape("/api/v1/monitoring/performance", &HTTP_PERFORMANCE_DESC, true);
  expect_shape("/api/v1/monitoring/current", &HTTP_PERFORMANCE_DESC, true);
  answer = expect_shape("/api/v1/monitoring/status", &HTTP_MONITORING_STATUS_DESC, true);
  expect_text(&answer, "{\"name\":\"cpu_percent\",\"value\":0,\"limit\":80,\"clear\":72,"
                       "\"raised\":false}");
  expect_text(&answer, "\"history_period\":1,\"history_rows\":10080");
  cr_expect_eq(door_request_as("", "GET", "/api/v1/monitoring/status", NULL).status, 401);
}

/* ---- history */

Test(api_gateway_monitoring, remembers_load_row_by_row) {
  answer_t answer;
  uint64_t end_ns = clock_mono_ns() + 6 * GANTRY_NS_PER_S;
  do {
    harness_for(door.harness, 100);
    answer = get("/api/v1/monitoring/metrics/history?hours=1");
  } while (!strstr(answer.body, "response_time") && clock_mono_ns() < end_ns);

  answer =
      expect_shape("/api/v1/monitoring/metrics/history?hours=1", &HTTP_LOAD_HISTORY_DESC, true);
  expect_text(&answer, "\"memory_usage\":10");
  expect_text(&answer, "\"response_time\":");
  answer = expect_shape("/api/v1/monitoring/performance/summary", &HTTP_LOAD_SUMMARY_DESC, true);
  expect_text(&answer, "\"hours\":24");
  expect_text(&answer, "{\"name\":\"memory_usage\",\"mean\":10,\"highest\":10,\"newest\":10}");
  expect_text(&answer, "{\"name\":\"websocket_age\"}");
  cr_expect_eq(get("/api/v1/monitoring/metrics/history?hours=169").status, 422);
}

/* ---- /metrics */

Test(api_gateway_monitoring, counts_requests_by_template_and_class) {
  (void)get("/api/v1/map/map_0a1b2c3d");
  (void)get("/api/v1/map/map_else");
  (void)get("/no/such/page");

  answer_t answer = door_request_as("", "GET", "/metrics", NULL);

  cr_expect_eq(answer.status, 200);
  expect_text(&answer, "# TYPE gantry_http_request_seconds histogram\n");
  expect_text(&answer, "gantry_http_request_seconds_count{service=\"api-gateway\",method=\"GET\","
                       "route=\"/api/v1/map/{map_id}\",status=\"");
  expect_text(&answer, "route=\"other\",status=\"4xx\",le=\"+Inf\"} 1\n");
  cr_expect_null(strstr(answer.body, "map_0a1b2c3d"));
  expect_text(&answer, "gantry_build_info{service=\"api-gateway\",version=\"");
  expect_text(&answer, "gantry_ws_clients{service=\"api-gateway\"} 0\n");
}
