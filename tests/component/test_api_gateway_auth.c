/* Health and metrics. Logging in is tested over a real storage: test_api_gateway_login.c. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(api_gateway_auth, .init = door_open_as_admin, .fini = door_close, .timeout = 30);

/* ---- system */

Test(api_gateway_auth, greets_in_json_and_shows_health_without_a_token) {
  door.token[0] = '\0';

  expect_route("GET", "/", NULL, ENDPOINT_ROOT);
  expect_route("GET", "/health/fast", NULL, ENDPOINT_HEALTH_FAST);
  answer_t health = expect_route("GET", "/health", NULL, ENDPOINT_HEALTH);
  expect_text(&health, "\"status\":\"degraded\"");
  expect_text(&health, "storage: not heard of yet");
}

/* Asks twenty times a second, within the limits, until word stands in the answer. */
static bool health_says(const char *word, uint32_t deadline_ms, answer_t *answer) {
  uint64_t end_ns = clock_mono_ns() + (uint64_t)deadline_ms * GANTRY_NS_PER_MS;

  while (clock_mono_ns() < end_ns) {
    *answer = door_request("GET", "/health", NULL);
    if (strstr(answer->body, word)) return true;
    harness_for(door.harness, 50);
  }
  return false;
}

static void say_healthy(harness_peer_t *peer, sys_status_t status) {
  sys_health_t health = {.status = status, .restarts = 3};

  snprintf(health.service, sizeof health.service, "%s", bus_service(peer->bus));
  cr_assert_eq(bus_publish(peer->bus, TOPIC_HEALTH, NULL, &health), GANTRY_OK);
}

static void say_all_healthy(void) {
  say_healthy(door.storage, SYS_STATUS_READY);
  say_healthy(door.bridge, SYS_STATUS_READY);
  say_healthy(door.sensors, SYS_STATUS_READY);
  say_healthy(door.localization, SYS_STATUS_READY);
  say_healthy(door.mapper, SYS_STATUS_READY);
}

Test(api_gateway_auth, is_healthy_once_all_six_say_so_and_names_the_one_that_leaves) {
  answer_t answer;
  door.token[0] = '\0';
  say_all_healthy();

  cr_assert(health_says("\"status\":\"healthy\"", 3000, &answer), "%s", answer.body);
  expect_text(&answer, "\"database\":\"healthy\"");
  expect_text(&answer, "\"restarts\":3");

  harness_leave(door.harness, &door.storage);
  cr_assert(health_says("\"status\":\"unhealthy\"", 5000, &answer), "%s", answer.body);
  cr_expect_eq(answer.status, 503);
  expect_text(&answer, "storage: silent for");
}

Test(api_gateway_auth, shows_metrics_and_its_own_description) {
  answer_t metrics = door_request("GET", "/metrics", NULL);
  cr_expect_eq(metrics.status, 200);
  expect_text(&metrics, "gantry_http_requests_total{service=\"api-gateway\"} ");
  expect_text(&metrics, "gantry_up{service=\"mapper\"} 0");

  answer_t openapi = door_request("GET", "/openapi.json", NULL);
  cr_expect_eq(openapi.status, 200);
  expect_text(&openapi, "\"openapi\"");
}
