/* Alerts under their aliases: what holds out of what services say, what is over out of storage, and
   who did what about it. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/alerts.h>
#include <gantry/clock.h>
#include <gantry/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static store_alerts_get_t asked; /* by a route, not by the gateway itself */
static store_alerts_t kept;      /* what the played storage answers to routes */
static store_alerts_t held;      /* and to the gateway */

static void play_alerts(rpc_context_t *call, const void *takes, void *arg) {
  const store_alerts_get_t *get = takes;

  (void)arg;
  if (!get->has_held) asked = *get;
  rpc_reply(call, get->has_held ? &held : &kept);
}

static void set_up(void) {
  door_open_as_admin();
  door_stub(REQUEST_STORE_ALERTS)->play = play_alerts;
}

TestSuite(api_gateway_alerts, .init = set_up, .fini = door_close, .timeout = 30);

static const uint64_t RAISED_NS = 1767225600000000000u;

static uint64_t number_of(const char *code) {
  return alerts_number("mapper", code, "zone_1", RAISED_NS);
}

/* What the mapper says is wrong, by codes apart by spaces; the first is critical. */
static void publish(const char *const *codes) {
  sys_alerts_t *alerts = calloc(1, sizeof *alerts);

  snprintf(alerts->service, sizeof alerts->service, "mapper");
  for (; *codes; codes++) {
    sys_alert_entry_t *entry = &alerts->alerts[alerts->alerts_count];
    snprintf(entry->id, sizeof entry->id, "%s", *codes);
    snprintf(entry->subject, sizeof entry->subject, "zone_1");
    snprintf(entry->message, sizeof entry->message, "%s is raised", *codes);
    entry->severity = alerts->alerts_count++ ? SYS_SEVERITY_WARNING : SYS_SEVERITY_CRITICAL;
    entry->raised = RAISED_NS;
  }
  cr_assert(harness_heard(door.harness, door.mapper->bus, "alert.mapper", 2000));
  cr_assert_eq(bus_publish(door.mapper->bus, TOPIC_ALERT, NULL, alerts), GANTRY_OK);
  free(alerts);
}

static store_alert_row_t *keep(const char *code, sys_severity_t severity) {
  store_alert_row_t *row = &kept.rows[kept.rows_count++];

  row->id = number_of(code);
  row->severity = severity;
  row->raised = RAISED_NS;
  snprintf(row->service, sizeof row->service, "mapper");
  snprintf(row->code, sizeof row->code, "%s", code);
  snprintf(row->subject, sizeof row->subject, "zone_1");
  snprintf(row->message, sizeof row->message, "%s is raised", code);
  kept.total = kept.rows_count;
  return row;
}

/* Asks until the answer holds text, at most three seconds. */
static answer_t expect_soon(const char *path, const char *text) {
  answer_t answer = {0};
  uint64_t end_ns = clock_mono_ns() + 3 * GANTRY_NS_PER_S;

  while (clock_mono_ns() < end_ns) {
    answer = door_request("GET", path, NULL);
    if (answer.status == 200 && strstr(answer.body, text)) break;
    harness_for(door.harness, 10);
  }
  expect_text(&answer, text);
  return answer;
}

static void expect_shape(const answer_t *answer, const desc_t *desc) {
  gantry_fault_t fault = {0};
  void *value = calloc(1, desc->size);

  cr_assert_eq(answer->status, 200, "%s", answer->body);
  cr_expect_eq(json_read(desc, answer->body, answer->body_len, true, value, &fault), GANTRY_OK,
               "%s %s in %s", fault.field, fault.detail, answer->body);
  free(value);
}

/* ---- what holds */

Test(api_gateway_alerts, shows_what_holds_gravest_first_and_no_longer_than_it_holds) {
  publish((const char *[]){"ZONE-FORBIDDEN", "ZONE-SLOW", NULL});

  answer_t answer = expect_soon("/api/v1/monitoring/alerts/active", "ZONE-SLOW is raised");
  expect_shape(&answer, &HTTP_ACTIVE_ALERTS_DESC);
  expect_text(&answer, "\"total_count\":2,\"critical_count\":1,\"error_count\":0,"
                       "\"warning_count\":1");
  expect_text(&answer, "\"alerts\":[{\"id\":");
  expect_text(&answer, "\"title\":\"Zone forbidden\"");
  expect_text(&answer, "\"timestamp\":\"2026-01-01T00:00:00.000000Z\"");
  cr_expect_lt(strstr(answer.body, "ZONE-FORBIDDEN"), strstr(answer.body, "ZONE-SLOW"));

  publish((const char *[]){NULL});
  answer = expect_soon("/api/v1/monitoring/alerts/active", "\"total_count\":0");
  expect_text(&answer, "\"alerts\":[]");
}

Test(api_gateway_alerts, knows_after_a_start_what_people_did_before) {
  held.rows_count = 1;
  held.rows[0] = *keep("ZONE-SLOW", SYS_SEVERITY_CRITICAL);
  held.rows[0].has_acknowledged_by = held.rows[0].has_acknowledged_at = true;
  held.rows[0].acknowledged_at = RAISED_NS + 1000000000u;
  snprintf(held.rows[0].acknowledged_by, sizeof held.rows[0].acknowledged_by, "anna");
  publish((const char *[]){"ZONE-SLOW", NULL});

  (void)expect_soon("/api/v1/monitoring/alerts/active", "\"acknowledged_by\":\"anna\"");

  held.rows[0].has_resolved_by = held.rows[0].has_resolved_at = true;
  held.rows[0].resolved_at = RAISED_NS + 2000000000u;
  (void)expect_soon("/api/v1/monitoring/alerts/active", "\"total_count\":0");
}

Test(api_gateway_alerts, name_a_service_that_falls_silent) {
  sys_health_t health = {.service = "mapper", .status = SYS_STATUS_READY};
  cr_assert(harness_heard(door.harness, door.mapper->bus, "health.mapper", 2000));
  bus_publish(door.mapper->bus, TOPIC_HEALTH, NULL, &health);
  harness_for(door.harness, 50);
  answer_t answer = door_request("GET", "/api/v1/monitoring/alerts/active", NULL);
  expect_text(&answer, "\"total_count\":0");
  uint64_t end_ns = clock_mono_ns() + 12 * GANTRY_NS_PER_S;

  harness_leave(door.harness, &door.mapper);

  while (strstr(answer.body, "\"total_count\":0") && clock_mono_ns() < end_ns) {
    harness_for(door.harness, 50);
    answer = door_request("GET", "/api/v1/monitoring/alerts/active", NULL);
  }
  expect_text(&answer, "\"title\":\"Service down\",\"message\":\"mapper is not heard\"");
  expect_text(&answer, "\"critical_count\":1");
}

/* ---- what is stored */

Test(api_gateway_alerts, are_listed_by_page_gravity_and_state) {
  (void)keep("ZONE-SLOW", SYS_SEVERITY_WARNING);
  kept.total = 41;

  answer_t answer =
      door_request("GET", "/api/v1/dashboard/alerts?page=2&page_size=20&severity=medium", NULL);
  expect_shape(&answer, &HTTP_ALERTS_DESC);
  expect_text(&answer, "\"total_count\":41,\"page\":2,\"page_size\":20,\"has_next\":true");
  expect_text(&answer, "\"severity\":\"medium\",\"level\":\"warning\",\"status\":\"active\"");
  cr_expect_eq(asked.offset, 20);
  cr_expect_eq(asked.limit, 20);
  cr_expect(asked.has_least && asked.has_most);
  cr_expect_eq(asked.least, SYS_SEVERITY_INFO);
  cr_expect_eq(asked.most, SYS_SEVERITY_WARNING);

  answer = door_request("GET", "/api/v1/monitoring/alerts/by-level/error?status=inactive", NULL);
  expect_shape(&answer, &HTTP_ALERTS_DESC);
  cr_expect_eq(asked.least, SYS_SEVERITY_ERROR);
  cr_expect_eq(asked.most, SYS_SEVERITY_ERROR);
  cr_expect(asked.has_state);
  cr_expect_eq(asked.state, STORE_ALERT_STATE_INACTIVE);

  answer = door_request("GET", "/api/v1/monitoring/alerts", NULL);
  expect_shape(&answer, &HTTP_ALERTS_DESC);
  cr_expect_not(asked.has_state || asked.has_least);
  answer = door_request("GET", "/api/v1/monitoring/alerts/by-level/loud", NULL);
  cr_expect_eq(answer.status, 422);
  expect_text(&answer, "level");
  cr_expect_eq(door_request("GET", "/api/v1/dashboard/alerts?page_size=101", NULL).status, 422);
}

Test(api_gateway_alerts, are_a_plain_list_for_safety_clients) {
  keep("ZONE-SLOW", SYS_SEVERITY_WARNING)->has_acknowledged_at = true;

  answer_t answer = door_request("GET", "/api/v1/safety/alerts?limit=7", NULL);

  cr_assert_eq(answer.status, 200, "%s", answer.body);
  cr_expect_eq(answer.body[0], '[');
  expect_text(&answer, "\"type\":\"ZONE-SLOW\",\"severity\":\"warning\","
                       "\"message\":\"ZONE-SLOW is raised\",\"timestamp\":\"2026-");
  expect_text(&answer, "\"acknowledged\":true}]");
  cr_expect_eq(asked.limit, 7);
}

Test(api_gateway_alerts, say_so_when_storage_is_away_but_keep_showing_what_holds) {
  door_stub(REQUEST_STORE_ALERTS)->play = NULL;
  door_stub(REQUEST_STORE_ALERTS)->fail = GANTRY_E_UNAVAILABLE;
  publish((const char *[]){"ZONE-SLOW", NULL});

  cr_expect_eq(door_request("GET", "/api/v1/dashboard/alerts", NULL).status, 503);
  (void)expect_soon("/api/v1/monitoring/alerts/active", "ZONE-SLOW");
}

/* ---- what people do */

Test(api_gateway_alerts, are_acknowledged_under_each_alias_in_the_name_of_who_asks) {
  static const char *const PATHS[] = {"/api/v1/safety/alerts/%llu/acknowledge",
                                      "/api/v1/monitoring/alerts/%llu/acknowledge",
                                      "/api/v1/dashboard/alerts/%llu/acknowledge"};
  stub_t *stub = door_stub(REQUEST_STORE_ALERT_ACK);
  store_alert_row_t *row = stub->reply;
  char path[120];
  *row = *keep("ZONE-SLOW", SYS_SEVERITY_WARNING);
  row->has_acknowledged_by = row->has_acknowledged_at = true;
  row->acknowledged_at = RAISED_NS;
  snprintf(row->acknowledged_by, sizeof row->acknowledged_by, "admin");

  for (unsigned i = 0; i < 3; i++) {
    snprintf(path, sizeof path, PATHS[i], (unsigned long long)row->id);
    answer_t answer = door_request("POST", path, NULL);
    expect_shape(&answer, &HTTP_ALERT_MARKED_DESC);
    expect_text(&answer, "\"success\":true");
    expect_text(&answer, "\"acknowledged_by\":\"admin\",\"timestamp\":\"2026-01-01T");
    cr_expect_eq(stub->count, i + 1);
    cr_expect_eq(((store_alert_key_t *)stub->takes)->id, row->id);
    cr_expect_str_eq(stub->actor, "admin");
  }
}

Test(api_gateway_alerts, that_are_unknown_are_404) {
  door_stub(REQUEST_STORE_ALERT_ACK)->fail = GANTRY_E_NOT_FOUND;
  door_stub(REQUEST_STORE_ALERT_RESOLVE)->fail = GANTRY_E_NOT_FOUND;

  cr_expect_eq(door_request("POST", "/api/v1/safety/alerts/77/acknowledge", NULL).status, 404);
  cr_expect_eq(door_request("POST", "/api/v1/monitoring/alerts/77/resolve", NULL).status, 404);
  cr_expect_eq(door_request("POST", "/api/v1/dashboard/alerts/none/resolve", NULL).status, 404);
  cr_expect_eq(door_stub(REQUEST_STORE_ALERT_RESOLVE)->count, 1);
}

Test(api_gateway_alerts, are_acknowledged_by_operators_and_not_by_viewers) {
  char token[1100];
  const char *path = "/api/v1/dashboard/alerts/7/acknowledge";

  door_token(STORE_ROLE_VIEWER, 60, token, sizeof token);
  cr_expect_eq(door_request_as(token, "POST", path, NULL).status, 403);
  cr_expect_eq(door_request_as(token, "GET", "/api/v1/dashboard/alerts", NULL).status, 200);
  door_token(STORE_ROLE_OPERATOR, 60, token, sizeof token);
  cr_expect_eq(door_request_as(token, "POST", path, NULL).status, 200);
  cr_expect_eq(
      door_request_as(token, "DELETE", "/api/v1/monitoring/alerts/clear-resolved", NULL).status,
      403);
}

static const char *expect_frame(int fd, const char *word) {
  const char *frame = door_ws_expect(fd, word, NULL, 3000);

  cr_assert_not_null(frame, "no frame with %s", word);
  return frame;
}

/* As storage tells every gateway, whichever was asked. */
static void tell_marked(const store_alert_row_t *row, bool resolved) {
  store_alert_marked_t marked = {.alert = *row, .resolved = resolved};

  cr_assert(harness_heard(door.harness, door.storage->bus, "store.alert_marked", 2000));
  cr_assert_eq(bus_publish(door.storage->bus, TOPIC_STORE_ALERT_MARKED, NULL, &marked), GANTRY_OK);
}

Test(api_gateway_alerts, are_told_as_a_list_whenever_it_changes) {
  int status;
  int fd = door_ws("/ws/alerts", door.token, &status);
  expect_frame(fd, "\"type\":\"active_alerts_update\",\"data\":{\"alerts\":[],\"total_count\":0");

  publish((const char *[]){"ZONE-FORBIDDEN", "ZONE-SLOW", NULL});
  const char *frame = expect_frame(fd, "\"type\":\"active_alerts_update\"");
  cr_expect_not_null(strstr(frame, "\"total_count\":2,\"critical_count\":1"), "%s", frame);
  cr_expect_not_null(strstr(frame, "\"priority\":1"), "%s", frame);

  publish((const char *[]){"ZONE-FORBIDDEN", NULL});
  frame = expect_frame(fd, "\"type\":\"active_alerts_update\"");
  cr_expect_not_null(strstr(frame, "\"total_count\":1,\"critical_count\":1"), "%s", frame);
  publish((const char *[]){"ZONE-FORBIDDEN", NULL});
  cr_expect_null(door_ws_expect(fd, "active_alerts_update", NULL, 400), "nothing has changed");
  close(fd);
}

Test(api_gateway_alerts, that_were_marked_at_another_gateway_are_told_here_too) {
  int status;
  store_alert_row_t *row = keep("ZONE-SLOW", SYS_SEVERITY_CRITICAL);
  int fd = door_ws("/ws/alerts", door.token, &status);
  publish((const char *[]){"ZONE-SLOW", NULL});
  expect_frame(fd, "\"total_count\":1");

  row->has_acknowledged_by = row->has_acknowledged_at = true;
  row->acknowledged_at = RAISED_NS + 1;
  snprintf(row->acknowledged_by, sizeof row->acknowledged_by, "anna");
  held = kept;
  tell_marked(row, false);
  const char *frame = expect_frame(fd, "\"change\":\"acknowledged\"");
  cr_expect_not_null(strstr(frame, "\"acknowledged_by\":\"anna\""), "%s", frame);
  frame = expect_frame(fd, "\"type\":\"active_alerts_update\"");
  cr_expect_not_null(strstr(frame, "\"acknowledged_by\":\"anna\""), "%s", frame);

  row->has_resolved_by = row->has_resolved_at = true;
  row->resolved_at = RAISED_NS + 2;
  held = kept;
  tell_marked(row, true);
  expect_frame(fd, "\"change\":\"resolved\"");
  expect_frame(fd, "\"total_count\":0");
  close(fd);
}

Test(api_gateway_alerts, leave_the_active_ones_when_resolved_and_sockets_are_told) {
  int status;
  char path[120];
  store_alert_row_t *row = door_stub(REQUEST_STORE_ALERT_RESOLVE)->reply;
  *row = *keep("ZONE-SLOW", SYS_SEVERITY_CRITICAL);
  row->has_acknowledged_by = row->has_acknowledged_at = true;
  row->has_resolved_by = row->has_resolved_at = true;
  row->acknowledged_at = row->resolved_at = RAISED_NS;
  snprintf(row->resolved_by, sizeof row->resolved_by, "admin");
  int fd = door_ws("/ws/alerts", door.token, &status);
  cr_assert_eq(status, 101);
  publish((const char *[]){"ZONE-SLOW", NULL});
  expect_frame(fd, "\"change\":\"raised\"");

  snprintf(path, sizeof path, "/api/v1/dashboard/alerts/%llu/resolve", (unsigned long long)row->id);
  held = (store_alerts_t){.rows_count = 1, .total = 1, .rows = {*row}};
  answer_t answer = door_request("POST", path, NULL);
  cr_assert_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "its cause still holds");
  expect_text(&answer, "\"status\":\"resolved\"");

  tell_marked(row, true);
  const char *frame = expect_frame(fd, "\"change\":\"resolved\"");
  cr_expect_not_null(strstr(frame, "\"resolved_by\":\"admin\""), "%s", frame);
  answer = door_request("GET", "/api/v1/monitoring/alerts/active", NULL);
  expect_text(&answer, "\"total_count\":0");
  held.rows_count = 0;
  publish((const char *[]){NULL});
  expect_frame(fd, "\"change\":\"cleared\"");
  close(fd);
}

Test(api_gateway_alerts, that_are_over_are_forgotten_on_request) {
  ((store_count_t *)door_stub(REQUEST_STORE_ALERTS_FORGET)->reply)->count = 3;

  answer_t answer = door_request("DELETE", "/api/v1/monitoring/alerts/clear-resolved", NULL);

  expect_shape(&answer, &HTTP_ALERTS_FORGOTTEN_DESC);
  expect_text(&answer, "\"cleared_count\":3");
}
