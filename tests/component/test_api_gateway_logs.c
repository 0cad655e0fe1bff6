/* Log lines at the door. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <string.h>

TestSuite(api_gateway_logs, .init = door_open_as_admin, .fini = door_close, .timeout = 30);

static answer_t expect_ok(const char *path) {
  answer_t answer = door_request("GET", path, NULL);

  cr_expect_eq(answer.status, 200, "%s: %d %s", path, answer.status, answer.body);
  return answer;
}

static void write_line(harness_peer_t *peer, sys_log_level_t level, const char *text) {
  sys_log_line_t line = {.time = 1000 * GANTRY_NS_PER_S, .level = level, .has_trace = true};

  line.trace = 0xABC;
  snprintf(line.id, sizeof line.id, "TEST");
  snprintf(line.message, sizeof line.message, "%s", text);
  cr_assert_eq(bus_publish(peer->bus, TOPIC_LOG, NULL, &line), GANTRY_OK);
}

static bool is_told(void *arg) {
  return strstr(door_request("GET", "/api/v1/monitoring/logs", NULL).body, arg) != NULL;
}

static int place(const char *body, const char *text) {
  const char *at = strstr(body, text);

  return at ? (int)(at - body) : -1;
}

Test(api_gateway_logs, come_from_all_services_newest_first) {
  cr_assert(harness_heard(door.harness, door.bridge->bus, "log.rs485-bridge", 5000));
  cr_assert(harness_heard(door.harness, door.mapper->bus, "log.mapper", 5000));
  write_line(door.bridge, SYS_LOG_LEVEL_INFO, "first line");
  cr_assert(door_until(is_told, "first line", 5000));
  write_line(door.mapper, SYS_LOG_LEVEL_WARN, "second line");
  cr_assert(door_until(is_told, "second line", 5000));

  answer_t answer = expect_ok("/api/v1/dashboard/logs?limit=1000");
  int first = place(answer.body, "\"message\":\"first line\",\"source\":\"rs485-bridge\"");
  int second = place(answer.body, "\"message\":\"second line\",\"source\":\"mapper\"");
  cr_expect(second > 0 && first > second, "%s", answer.body);
  cr_expect_not_null(strstr(answer.body, "{\"code\":\"TEST\",\"trace\":\"0000000000000abc\"}"));
  cr_expect_not_null(strstr(answer.body, "\"timestamp\":\"1970-01-01T00:16:40"));
  cr_expect_not_null(strstr(answer.body, "\"source\":\"api-gateway\""), "its own lines, too");

  answer = expect_ok("/api/v1/monitoring/logs?level=warn&source=mapper");
  cr_expect_not_null(strstr(answer.body, "second line"));
  cr_expect_null(strstr(answer.body, "first line"));
  cr_expect_not_null(strstr(answer.body, "\"total_count\":1,"), "%s", answer.body);
}

Test(api_gateway_logs, turn_pages) {
  cr_assert(harness_heard(door.harness, door.bridge->bus, "log.rs485-bridge", 5000));
  for (int i = 1; i <= 5; i++) {
    char text[16];
    snprintf(text, sizeof text, "line-%d.", i);
    write_line(door.bridge, SYS_LOG_LEVEL_ERROR, text);
    cr_assert(door_until(is_told, text, 5000));
  }

  answer_t answer =
      expect_ok("/api/v1/dashboard/logs?level=error&source=rs485-bridge&limit=2&page=2");
  cr_expect(place(answer.body, "line-3.") > 0 && place(answer.body, "line-2.") > 0);
  cr_expect(place(answer.body, "line-4.") < 0 && place(answer.body, "line-1.") < 0);
  cr_expect_not_null(
      strstr(answer.body, "\"total_count\":5,\"page\":2,\"page_size\":2,\"has_next\":true"));
  answer = expect_ok("/api/v1/dashboard/logs?level=error&source=rs485-bridge&limit=2&page=3");
  cr_expect_not_null(strstr(answer.body, "\"has_next\":false"));
  cr_expect_eq(door_request("GET", "/api/v1/dashboard/logs?level=loud", NULL).status, 422);
  cr_expect_eq(door_request("GET", "/api/v1/dashboard/logs?limit=1001", NULL).status, 422);
}

Test(api_gateway_logs, know_the_events_from_before_a_restart) {
  store_events_t *events = door_stub(REQUEST_STORE_EVENTS)->reply;
  char data[96];
  events->rows_count = 1;
  events->rows[0].time = 1000 * GANTRY_NS_PER_S;
  events->rows[0].event.severity = SYS_SEVERITY_CRITICAL;
  snprintf(events->rows[0].service, sizeof events->rows[0].service, "mapper");
  snprintf(events->rows[0].event.id, sizeof events->rows[0].event.id, "OLD");
  snprintf(events->rows[0].event.message, sizeof events->rows[0].event.message, "long ago");
  snprintf(data, sizeof data, "data=%s", door.folder);

  harness_close(door.harness, &door.run);
  /* ZeroMQ lets go of the old addresses from a thread of its own. */
  for (int i = 0; i < 100 && !door.run; i++) {
    gantry_fault_t fault;
    harness_for(door.harness, 20);
    (void)harness_try_open(door.harness, &GATEWAY_SERVICE,
                           (const char *[]){"port=0", "hash_cost=1", data, NULL}, &door.run,
                           &fault);
  }
  cr_assert_not_null(door.run);
  door.gateway = service_self(door.run);

  cr_assert(door_until(is_told, "long ago", 8000));
  answer_t answer = expect_ok("/api/v1/monitoring/logs?level=error&source=mapper");
  cr_expect_not_null(strstr(answer.body, "\"id\":1,\"level\":\"error\",\"message\":\"long ago\""));
}
