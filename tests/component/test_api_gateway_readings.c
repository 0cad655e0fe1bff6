/* Readings of any type at the door, and how sensors are treated. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(api_gateway_readings, .init = door_open_as_admin, .fini = door_close, .timeout = 30);

static answer_t expect_ok(const char *method, const char *path, const char *body) {
  answer_t answer = door_request(method, path, body);

  cr_expect_eq(answer.status, 200, "%s %s: %d %s", method, path, answer.status, answer.body);
  return answer;
}

static void fill_reading(store_readings_row_t *row, const char *sensor) {
  snprintf(row->sensor, sizeof row->sensor, "%s", sensor);
  snprintf(row->type, sizeof row->type, "force");
  snprintf(row->unit, sizeof row->unit, "N");
  row->has_value = true;
  row->value = 12.5;
  row->quality = 0.75;
  row->source = SYS_SOURCE_SIMULATED;
  row->time = 1000 * GANTRY_NS_PER_S;
}

/* ---- out */

Test(api_gateway_readings, are_found_by_every_filter) {
  store_readings_page_t *page = door_stub(REQUEST_STORE_READINGS)->reply;
  page->rows_count = 2;
  fill_reading(&page->rows[0], "FORCE_001");
  fill_reading(&page->rows[1], "CAM_001");
  page->rows[1].has_value = false;
  page->rows[1].has_data = true;
  page->rows[1].data = (blob_t){.data = (const uint8_t *)"{\"brightness\":7}", .len = 16};
  snprintf(page->cursor, sizeof page->cursor, "next");

  answer_t answer = expect_ok("GET",
                              "/api/v1/sensors/readings?sensor_type=force&sensor_id=FORCE_001"
                              "&session_id=s1&limit=2&start_time=2026-01-01T00:00:00Z"
                              "&end_time=2026-01-02T00:00:00Z&order=oldest_first",
                              NULL);

  expect_text(&answer, "\"sensor_id\":\"FORCE_001\",\"sensor_type\":\"force\",\"value\":12.5");
  expect_text(&answer, "\"source\":\"simulated\"");
  expect_text(&answer, "\"timestamp\":\"1970-01-01T00:16:40");
  expect_text(&answer, "\"data\":{\"brightness\":7}");
  expect_text(&answer, "\"cursor\":\"next\"");
  const store_readings_get_t *get = door_stub(REQUEST_STORE_READINGS)->takes;
  cr_assert_not_null(get);
  cr_expect_str_eq(get->type, "force");
  cr_expect_str_eq(get->session, "s1");
  cr_expect_eq(get->order, STORE_ORDER_OLDEST_FIRST);
  cr_expect_eq(get->to - get->from, 86400 * GANTRY_NS_PER_S);
  cr_expect_eq(get->limit, 2);
  cr_expect_eq(door_request("GET", "/api/v1/sensors/readings?limit=1001", NULL).status, 422);
  cr_expect_eq(door_request("GET", "/api/v1/sensors/readings?start_time=noon", NULL).status, 422);
}

Test(api_gateway_readings, are_an_empty_list_where_none_fit) {
  door_stub(REQUEST_STORE_READINGS)->fail = GANTRY_E_NOT_FOUND;
  door_stub(REQUEST_STORE_LATEST)->fail = GANTRY_E_NOT_FOUND;
  session_summary_t *summary = door_stub(REQUEST_SESSION_SUMMARY)->reply;
  snprintf(summary->row.session.session, sizeof summary->row.session.session, "s1");

  static const char *const PATHS[] = {"/api/v1/sensors/readings?sensor_type=none",
                                      "/api/v1/sensors/readings/latest?sensor_id=none",
                                      "/api/v1/sessions/s1/readings"};
  for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
    answer_t answer = expect_ok("GET", PATHS[i], NULL);
    expect_text(&answer, "\"data\":[]");
  }
  door_stub(REQUEST_SESSION_SUMMARY)->fail = GANTRY_E_NOT_FOUND;
  cr_expect_eq(door_request("GET", "/api/v1/sessions/s1/readings", NULL).status, 404);
  door_stub(REQUEST_STORE_READINGS)->fail = GANTRY_E_UNAVAILABLE;
  cr_expect_eq(door_request("GET", "/api/v1/sensors/readings", NULL).status, 503);
}

Test(api_gateway_readings, tell_the_newest_of_each_sensor) {
  store_latest_t *latest = door_stub(REQUEST_STORE_LATEST)->reply;
  latest->rows_count = 1;
  fill_reading(&latest->rows[0], "FORCE_001");

  answer_t answer = expect_ok("GET", "/api/v1/sensors/readings/latest?sensor_type=force", NULL);

  expect_text(&answer, "\"total_count\":1");
  const store_latest_get_t *get = door_stub(REQUEST_STORE_LATEST)->takes;
  cr_assert_not_null(get);
  cr_expect_str_eq(get->type, "force");
  cr_expect_not(get->has_sensor);
}

Test(api_gateway_readings, are_summed_up_by_sensor_or_by_a_type_that_one_sensor_has) {
  store_latest_t *latest = door_stub(REQUEST_STORE_LATEST)->reply;
  store_aggregate_t *sums = door_stub(REQUEST_STORE_AGGREGATE)->reply;
  const store_aggregate_get_t *get = door_stub(REQUEST_STORE_AGGREGATE)->takes;
  cr_assert_not_null(get);
  sums->bucket = 60;
  sums->rows_count = 1;
  sums->rows[0].count = 3;
  latest->rows_count = 1;
  fill_reading(&latest->rows[0], "FORCE_001");

  answer_t answer = expect_ok("GET",
                              "/api/v1/sensors/readings/"
                              "aggregated?sensor_type=force&interval_seconds=60&hours_back=2",
                              NULL);

  expect_text(&answer, "\"total_intervals\":1");
  cr_expect_str_eq(get->sensor, "FORCE_001");
  cr_expect_eq(get->to - get->from, 7200 * GANTRY_NS_PER_S);
  expect_ok("GET",
            "/api/v1/sensors/readings/aggregated?sensor_id=X&start_time=2026-01-01T00:00:00Z"
            "&end_time=2026-01-01T00:01:00Z",
            NULL);
  cr_expect_str_eq(get->sensor, "X");
  cr_expect_eq(get->to - get->from, 60 * GANTRY_NS_PER_S);

  latest->rows_count = 2;
  fill_reading(&latest->rows[1], "FORCE_002");
  answer = door_request("GET", "/api/v1/sensors/readings/aggregated?sensor_type=force", NULL);
  cr_expect_eq(answer.status, 422);
  expect_text(&answer, "2 sensors are of type force");
  latest->rows_count = 0;
  cr_expect_eq(
      door_request("GET", "/api/v1/sensors/readings/aggregated?sensor_type=none", NULL).status,
      404);
  cr_expect_eq(door_request("GET", "/api/v1/sensors/readings/aggregated", NULL).status, 422);
  cr_expect_eq(door_request("GET",
                            "/api/v1/sensors/readings/aggregated?sensor_id=X"
                            "&start_time=2026-01-02T00:00:00Z&end_time=2026-01-01T00:00:00Z",
                            NULL)
                   .status,
               422);
}

Test(api_gateway_readings, show_what_rules_have_found) {
  store_events_t *events = door_stub(REQUEST_STORE_EVENTS)->reply;
  events->rows_count = 1;
  sys_event_t *event = &events->rows[0].event;
  snprintf(event->subject, sizeof event->subject, "FORCE_001");
  event->severity = SYS_SEVERITY_ERROR;
  event->has_data = true;
  snprintf(event->data, sizeof event->data,
           "{\"rule\":\"force_high\",\"session\":\"s1\",\"actual\":81.5}");

  answer_t answer = expect_ok(
      "GET", "/api/v1/sensors/validation?limit=7&severity=warning&sensor_id=FORCE_001", NULL);

  expect_text(&answer, "\"session_id\":\"s1\",\"rule\":\"force_high\",\"status\":\"error\"");
  expect_text(&answer, "\"actual\":81.5}");
  const store_events_get_t *get = door_stub(REQUEST_STORE_EVENTS)->takes;
  cr_assert_not_null(get);
  cr_expect(get->has_category);
  cr_expect_eq(get->category, SYS_CATEGORY_VALIDATION);
  cr_expect_eq(get->severity, SYS_SEVERITY_WARNING);
  cr_expect_str_eq(get->subject, "FORCE_001");
  cr_expect_eq(get->limit, 7);
}

/* ---- in */

Test(api_gateway_readings, go_in_by_batches_with_a_verdict_by_counts) {
  sensor_taken_t *taken = door_stub(REQUEST_SENSOR_INGEST_BATCH)->reply;
  taken->accepted = 1;
  taken->refused = 1;
  snprintf(taken->fault, sizeof taken->fault, "reading 1: above 1000 N");

  answer_t answer =
      expect_ok("POST", "/api/v1/sensors/readings",
                "{\"readings\":[{\"sensor_id\":\"F\",\"sensor_type\":\"force\",\"value\":1,"
                "\"timestamp\":\"2026-01-01T00:00:00Z\"},{\"sensor_id\":\"F\",\"sensor_type\":"
                "\"force\",\"value\":2000,\"timestamp\":\"2026-01-01T00:00:01Z\"}]}");

  expect_text(&answer, "\"accepted\":1,\"refused\":1,\"repeated\":0");
  expect_text(&answer, "above 1000 N");
  const sensor_readings_t *batch = door_stub(REQUEST_SENSOR_INGEST_BATCH)->takes;
  cr_assert_not_null(batch);
  cr_expect_eq(batch->value_count, 2);
  cr_expect_eq(batch->value[1], 2000);
  answer = door_request("POST", "/api/v1/sensors/readings",
                        "{\"readings\":[{\"sensor_id\":\"F\",\"sensor_type\":\"force\","
                        "\"timestamp\":\"2026-01-01T00:00:00Z\"}]}");
  cr_expect_eq(answer.status, 422);
  expect_text(&answer, "\"field\":\"readings[0]\"");
  cr_expect_eq(door_stub(REQUEST_SENSOR_INGEST_BATCH)->count, 1);
}

static const char EXTENDED[] =
    "{\"sensor_type\":\"force\",\"sensor_id\":\"F\",\"data\":{\"value\":3},\"quality\":1}";

Test(api_gateway_readings, of_registered_types_are_refused_one_by_one) {
  answer_t answer = door_request("POST", "/api/v1/sensors/data", EXTENDED);

  cr_expect_eq(answer.status, 422);
  expect_text(&answer, "allow_extended_types");
}

static void open_extended(void) {
  door_open_with((const char *[]){"allow_extended_types=true", NULL});
  door_login();
}

TestSuite(api_gateway_extended, .init = open_extended, .fini = door_close, .timeout = 30);

Test(api_gateway_extended, takes_registered_types) {
  const sensor_ingest_t *ingest = door_takes_readings();

  expect_ok("POST", "/api/v1/sensors/data", EXTENDED);

  cr_expect_eq(ingest->type, SENSOR_TYPE_VALUE);
  cr_expect_str_eq(ingest->code, "force");
}

static void on_bad_refused(rpc_context_t *call, const void *takes, void *arg) {
  static sensor_verdicts_t gives;
  const blob_t *items = &((const sensor_ingest_each_t *)takes)->items;

  (void)arg;
  memset(&gives, 0, sizeof gives);
  for (size_t at = 0; at < items->len;) {
    uint32_t len;
    sensor_verdict_t *row = &gives.rows[gives.rows_count++];
    memcpy(&len, items->data + at + 8, sizeof len);
    snprintf(row->sensor, sizeof row->sensor, "F");
    if (memmem(items->data + at, 12 + len, "BAD", 3)) {
      snprintf(row->err, sizeof row->err, "%s", gantry_err_name(GANTRY_E_INVALID));
      snprintf(row->field, sizeof row->field, "data.value");
    }
    at += 12 + len;
  }
  rpc_reply(call, &gives);
}

static int send_reading(const char *sensor) {
  char request[2400], body[200];
  int fd = door_connect();

  snprintf(body, sizeof body,
           "{\"sensor_type\":\"force\",\"sensor_id\":\"%s\",\"data\":{\"value\":1},\"quality\":1}",
           sensor);
  int len = snprintf(request, sizeof request,
                     "POST /api/v1/sensors/data HTTP/1.1\r\nHost: localhost\r\n"
                     "Authorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n%s",
                     door.token, strlen(body), body);
  door_send(fd, request, (size_t)len);
  return fd;
}

Test(api_gateway_extended, answers_each_of_those_that_come_at_once) {
  static const char *const SENSORS[] = {"F1", "BAD", "F2", "BAD", "F3", "F4"};
  int fds[6];
  door_stub(REQUEST_SENSOR_INGEST_EACH)->play = on_bad_refused;

  for (int i = 0; i < 6; i++)
    fds[i] = send_reading(SENSORS[i]);

  for (int i = 0; i < 6; i++)
    cr_expect_eq(door_answer(fds[i]).status, !strcmp(SENSORS[i], "BAD") ? 422 : 200, "%d", i);
}

Test(api_gateway_extended, says_when_the_disk_took_none) {
  door_stub(REQUEST_SENSOR_INGEST_EACH)->fail = GANTRY_E_UNAVAILABLE;

  cr_expect_eq(door_request("POST", "/api/v1/sensors/data", EXTENDED).status, 503);
}

/* ---- how sensors are treated */

Test(api_gateway_readings, have_types_that_can_be_listed_and_registered) {
  static const char RULE[] =
      "{\"kind\":\"scalar\",\"unit\":\"N\",\"max\":1000,\"fields\":[],\"family\":\"test_bench\","
      "\"doc\":\"Grip force.\"}";
  sensor_type_list_t *list = door_stub(REQUEST_SENSOR_TYPES)->reply;
  store_setting_t *stored = door_stub(REQUEST_STORE_SETTING_PUT)->reply;
  snprintf(stored->info.scope, sizeof stored->info.scope, "force");
  snprintf(stored->data, sizeof stored->data, "%s", RULE);
  list->types_count = 1;
  list->types[0].family = SENSOR_TYPE_VALUE;
  snprintf(list->types[0].code, sizeof list->types[0].code, "force");

  answer_t answer = expect_ok("GET", "/api/v1/sensors/types", NULL);
  expect_text(&answer,
              "{\"code\":\"force\",\"sensor_type\":\"value\",\"rule\":{\"kind\":\"scalar\"");
  answer = expect_ok("PUT", "/api/v1/sensors/types/force", RULE);
  expect_text(&answer, "\"max\":1000");
  const store_setting_put_t *put = door_stub(REQUEST_STORE_SETTING_PUT)->takes;
  cr_assert_not_null(put);
  cr_expect_str_eq(put->kind, "sensor.type_rule");
  cr_expect_str_eq(put->scope, "force");
  cr_expect_eq(door_request("PUT", "/api/v1/sensors/types/No-Code", RULE).status, 422);
  cr_expect_eq(door_request("PUT", "/api/v1/sensors/types/force", "{}").status, 422);
  char operator[1100];
  door_token(STORE_ROLE_OPERATOR, 600, operator, sizeof operator);
  cr_expect_eq(door_request_as(operator, "PUT", "/api/v1/sensors/types/force", RULE).status, 403);
}

Test(api_gateway_readings, have_scores_that_are_explained) {
  sensor_explained_t *explained = door_stub(REQUEST_SENSOR_EXPLAIN)->reply;
  snprintf(explained->status.sensor, sizeof explained->status.sensor, "PROX_001");
  explained->quality_count = 1;
  snprintf(explained->quality[0].name, sizeof explained->quality[0].name, "consistency");

  answer_t answer = expect_ok("GET", "/api/v1/sensors/explain/PROX_001", NULL);

  expect_text(&answer, "\"quality\":[{\"name\":\"consistency\"");
  door_stub(REQUEST_SENSOR_EXPLAIN)->fail = GANTRY_E_NOT_FOUND;
  cr_expect_eq(door_request("GET", "/api/v1/sensors/explain/NONE", NULL).status, 404);
}

Test(api_gateway_readings, of_simulators_can_be_made_faulty) {
  answer_t answer = expect_ok(
      "POST", "/api/v1/sensors/simulate",
      "{\"sensor_type\":\"force\",\"event\":\"spike\",\"duration\":0.5,\"amplitude\":100}");

  expect_text(&answer, "\"running\":false");
  const sensor_simulate_t *fault = door_stub(REQUEST_SENSOR_SIMULATE)->takes;
  cr_assert_not_null(fault);
  cr_expect_eq(fault->event, SENSOR_FAULT_SPIKE);
  cr_expect_eq(fault->amplitude, 100);
  answer = door_request("POST", "/api/v1/sensors/simulate",
                        "{\"sensor_type\":\"force\",\"event\":\"explode\"}");
  cr_expect_eq(answer.status, 422);
  expect_text(&answer, "event");
}

/* ---- calibration */

Test(api_gateway_readings, are_calibrated_by_values_or_by_a_guided_run) {
  sensor_calibration_run_t *run = door_stub(REQUEST_SENSOR_CALIBRATION_BEGIN)->reply;
  snprintf(run->advice, sizeof run->advice, "Keep it at rest.");
  snprintf(run->calibration, sizeof run->calibration, "{\"offset\":0.5}");

  answer_t answer =
      expect_ok("POST", "/api/v1/sensors/calibrate/F", "{\"method\":\"rest\",\"reference\":0}");

  expect_text(&answer, "\"calibration_data\":{\"offset\":0.5},\"run\":{");
  expect_text(&answer, "Keep it at rest.");
  const sensor_calibration_begin_t *begin = door_stub(REQUEST_SENSOR_CALIBRATION_BEGIN)->takes;
  cr_assert_not_null(begin);
  cr_expect_str_eq(begin->sensor, "F");
  cr_expect_eq(begin->method, SENSOR_CALIBRATION_METHOD_REST);
  cr_expect_eq(door_stub(REQUEST_SENSOR_CALIBRATE)->count, 0);
  static const char *const BAD[] = {"{\"method\":\"guess\"}", "{\"method\":5}",
                                    "{\"method\":\"rest\",\"sensor\":\"other\"}"};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
    cr_expect_eq(door_request("POST", "/api/v1/sensors/calibrate/F", BAD[i]).status, 422, "%s",
                 BAD[i]);
  cr_expect_eq(door_stub(REQUEST_SENSOR_CALIBRATION_BEGIN)->count, 1);
}

Test(api_gateway_readings, have_calibrations_to_look_at_activate_and_go_back_to) {
  sensor_calibrated_t *active = door_stub(REQUEST_SENSOR_CALIBRATION_ACTIVATE)->reply;
  sensor_calibration_versions_t *stored = door_stub(REQUEST_STORE_CALIBRATIONS)->reply;
  sensor_sensor_key_t *cancelled = door_stub(REQUEST_SENSOR_CALIBRATION_CANCEL)->reply;
  stub_t *state = door_stub(REQUEST_SENSOR_CALIBRATION_STATE);
  snprintf(cancelled->sensor, sizeof cancelled->sensor, "F");
  snprintf(active->sensor, sizeof active->sensor, "F");
  snprintf(active->calibration, sizeof active->calibration, "{\"offset\":1}");
  *(sensor_calibrated_t *)door_stub(REQUEST_SENSOR_CALIBRATION_ROLLBACK)->reply = *active;
  stored->versions_count = 1;
  stored->versions[0].version = 3;

  answer_t answer = expect_ok("GET", "/api/v1/sensors/calibrate/F", NULL);
  expect_text(&answer, "\"run\":{");
  expect_text(&answer, "\"version\":3");
  state->fail = GANTRY_E_NOT_FOUND;
  answer = expect_ok("GET", "/api/v1/sensors/calibrate/F", NULL);
  cr_expect_null(strstr(answer.body, "\"run\""));
  answer = expect_ok("POST", "/api/v1/sensors/calibrate/F/activate", NULL);
  expect_text(&answer, "\"calibration_data\":{\"offset\":1}");
  expect_ok("POST", "/api/v1/sensors/calibrate/F/rollback", "{\"version\":2}");
  expect_ok("POST", "/api/v1/sensors/calibrate/F/rollback", NULL);
  expect_ok("POST", "/api/v1/sensors/calibrate/F/cancel", NULL);
  const sensor_calibration_rollback_t *back = door_stub(REQUEST_SENSOR_CALIBRATION_ROLLBACK)->takes;
  cr_assert_not_null(back);
  cr_expect_not(back->has_version);
  state->fail = GANTRY_E_UNAVAILABLE;
  cr_expect_eq(door_request("GET", "/api/v1/sensors/calibrate/F", NULL).status, 503);
}
