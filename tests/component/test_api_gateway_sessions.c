/* Recording sessions at the door: who may, what is asked of whom, what is told. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/rpc_server.h>
#include <gantry/clock.h>
#include <gantry/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(api_gateway_sessions, .init = door_open_as_admin, .fini = door_close, .timeout = 30);

static const char ID[] = "3fa85f64-5717-4562-b3fc-2c963f66afa6";

/* Asks without envelope, and reads the answer by the schema of the documentation. */
static void expect_shape(const char *method, const char *path, const char *body,
                         uint32_t endpoint) {
  const endpoint_t *row = &CATALOGUE_ENDPOINTS[endpoint];
  gantry_fault_t fault = {0};
  char bare[160];
  void *value = calloc(1, row->answer->size);

  snprintf(bare, sizeof bare, "%s?envelope=none", path);
  answer_t answer = door_request(method, bare, body);
  cr_assert_eq(answer.status, row->status, "%s: %d %s", path, answer.status, answer.body);
  cr_expect_eq(json_read(row->answer, answer.body, answer.body_len, true, value, &fault), GANTRY_OK,
               "%s: %s %s in %s", path, fault.field, fault.detail, answer.body);
  free(value);
}

static void fill_session(session_session_t *session) {
  snprintf(session->session, sizeof session->session, "%s", ID);
  snprintf(session->name, sizeof session->name, "grip");
  session->state = SESSION_STATE_RECORDING;
  session->has_started = true;
  session->started = clock_wall_ns() - 2 * GANTRY_NS_PER_S;
}

static void fill_status(const request_t *request) {
  session_status_t *status = door_stub(request)->reply;

  fill_session(&status->session);
  status->readings = 41;
}

static void fill_summary(void) {
  session_summary_t *summary = door_stub(REQUEST_SESSION_SUMMARY)->reply;

  fill_session(&summary->row.session);
  summary->row.readings = 1200;
  summary->sensors_count = 1;
  snprintf(summary->sensors[0].sensor, sizeof summary->sensors[0].sensor, "FORCE_001");
  summary->sensors[0].has_p95 = true;
  summary->sensors[0].p95 = 15.5;
}

Test(api_gateway_sessions, start_and_stop_the_recorder_in_the_callers_name) {
  fill_session(door_stub(REQUEST_SESSION_START)->reply);
  fill_status(REQUEST_SESSION_STOP);

  answer_t answer =
      door_request("POST", "/api/v1/sessions/start", "{\"name\":\"grip\",\"sensors\":[\"A\"]}");

  cr_expect_eq(answer.status, 201, "%s", answer.body);
  expect_text(&answer, "{\"success\":true,\"data\":{\"session_id\":\"3fa85f64");
  expect_text(&answer, "\"request_id\":\"");
  stub_t *stub = door_stub(REQUEST_SESSION_START);
  const session_start_t *start = stub->takes;
  cr_assert_not_null(start);
  cr_expect_str_eq(start->name, "grip");
  cr_expect_eq(start->sensors_count, 1);
  cr_expect_str_eq(stub->actor, "admin");
  cr_expect_eq(door_request("POST", "/api/v1/sessions/start", NULL).status, 201, "all optional");
  answer = door_request("POST", "/api/v1/sessions/stop", NULL);
  expect_text(&answer, "\"total_readings\":41");
}

Test(api_gateway_sessions, have_the_shapes_of_the_documentation) {
  fill_session(door_stub(REQUEST_SESSION_START)->reply);
  fill_status(REQUEST_SESSION_STOP);
  fill_status(REQUEST_SESSION_RESET);
  fill_status(REQUEST_SESSION_STATUS);
  fill_summary();

  expect_shape("POST", "/api/v1/sessions/start", "{}", ENDPOINT_SESSIONS_START);
  expect_shape("POST", "/api/v1/sessions/stop", NULL, ENDPOINT_SESSIONS_STOP);
  expect_shape("POST", "/api/v1/sessions/reset", NULL, ENDPOINT_SESSIONS_RESET);
  expect_shape("GET", "/api/v1/sessions/status", NULL, ENDPOINT_SESSIONS_STATUS);
  expect_shape("GET", "/api/v1/sessions/summary", NULL, ENDPOINT_SESSIONS_SUMMARY);
  expect_shape("GET", "/api/v1/sessions/some-id", NULL, ENDPOINT_SESSIONS_ONE);
  expect_shape("GET", "/api/v1/sessions/some-id/summary", NULL, ENDPOINT_SESSIONS_ONE_SUMMARY);
  const session_key_t *key = door_stub(REQUEST_SESSION_SUMMARY)->takes;
  cr_assert_not_null(key);
  cr_expect_str_eq(key->session, "some-id");
}

Test(api_gateway_sessions, sum_up_the_current_one_by_its_id) {
  fill_status(REQUEST_SESSION_STATUS);
  fill_summary();

  answer_t answer = door_request("GET", "/api/v1/sessions/summary", NULL);

  expect_text(&answer, "\"p95\":15.5");
  const session_key_t *key = door_stub(REQUEST_SESSION_SUMMARY)->takes;
  cr_assert_not_null(key);
  cr_expect_str_eq(key->session, ID);
}

Test(api_gateway_sessions, say_so_when_nothing_was_recorded) {
  static const char *const PATHS[] = {"/api/v1/sessions/summary", "/api/v1/sessions/export/csv"};

  for (size_t i = 0; i < 2; i++) {
    answer_t answer = door_request("GET", PATHS[i], NULL);
    cr_expect_eq(answer.status, 404, "%s", PATHS[i]);
    expect_text(&answer, "NOTHING_RECORDED");
    expect_text(&answer, "/api/v1/sessions/start");
  }
}

Test(api_gateway_sessions, are_listed_by_pages_with_links) {
  session_list_t *list = door_stub(REQUEST_SESSION_LIST)->reply;
  list->rows_count = 2;
  fill_session(&list->rows[0].session);
  fill_session(&list->rows[1].session);
  list->total = 5;
  snprintf(list->cursor, sizeof list->cursor, "ab+c/=");

  answer_t answer = door_request("GET", "/api/v1/sessions?limit=2&name=gr%20ip", NULL);

  cr_expect_eq(answer.status, 200, "%s", answer.body);
  expect_text(&answer, "\"total_count\":5,\"page\":1,\"limit\":2,\"meta\":{\"page\":1,"
                       "\"per_page\":2,\"total\":5,\"total_pages\":3,\"cursor\":\"ab+c/=\"}");
  expect_text(&answer,
              "\"next\":\"/api/v1/sessions?limit=2&name=gr%20ip&page=2&cursor=ab%2Bc%2F%3D\"");
  const session_list_get_t *get = door_stub(REQUEST_SESSION_LIST)->takes;
  cr_assert_not_null(get);
  cr_expect_str_eq(get->name, "gr ip");
  cr_expect_eq(get->limit, 2);

  list->cursor[0] = '\0';
  answer = door_request("GET", "/api/v1/sessions?limit=2&page=2&cursor=ab%2Bc%2F%3D", NULL);
  expect_text(&answer, "\"page\":2");
  cr_expect_null(strstr(answer.body, "\"next\""));
  cr_expect_str_eq(get->cursor, "ab+c/=");
  answer = door_request("GET", "/api/v1/sessions?envelope=none", NULL);
  cr_expect_eq(answer.body[0], '[');
}

Test(api_gateway_sessions, are_deleted_without_a_body_in_the_answer) {
  session_key_t *gone = door_stub(REQUEST_SESSION_DELETE)->reply;
  snprintf(gone->session, sizeof gone->session, "some-id");
  answer_t answer = door_request("DELETE", "/api/v1/sessions/some-id", NULL);

  cr_expect_eq(answer.status, 204);
  cr_expect_eq(answer.body_len, 0);
  const session_key_t *key = door_stub(REQUEST_SESSION_DELETE)->takes;
  cr_assert_not_null(key);
  cr_expect_str_eq(key->session, "some-id");
  door_stub(REQUEST_SESSION_DELETE)->fail = GANTRY_E_CONFLICT;
  cr_expect_eq(door_request("DELETE", "/api/v1/sessions/some-id", NULL).status, 409);
}

Test(api_gateway_sessions, are_watched_by_viewers_run_by_operators_deleted_by_admins) {
  char viewer[1100], operator[1100];
  door_token(STORE_ROLE_VIEWER, 600, viewer, sizeof viewer);
  door_token(STORE_ROLE_OPERATOR, 600, operator, sizeof operator);
  fill_status(REQUEST_SESSION_STOP);

  cr_expect_eq(door_request_as(viewer, "GET", "/api/v1/sessions/status", NULL).status, 200);
  cr_expect_eq(door_request_as(viewer, "POST", "/api/v1/sessions/stop", NULL).status, 403);
  cr_expect_eq(door_request_as(operator, "POST", "/api/v1/sessions/stop", NULL).status, 200);
  cr_expect_eq(door_request_as(operator, "DELETE", "/api/v1/sessions/x", NULL).status, 403);
  cr_expect_eq(door_request_as("", "GET", "/api/v1/sessions", NULL).status, 401);
  cr_expect_eq(door_stub(REQUEST_SESSION_DELETE)->count, 0);
}

Test(api_gateway_sessions, hand_refusals_and_absence_on) {
  door_stub(REQUEST_SESSION_START)->fail = GANTRY_E_CONFLICT;
  snprintf(door_stub(REQUEST_SESSION_START)->detail, 64, "a session records already");
  door_stub(REQUEST_SESSION_STATUS)->fail = GANTRY_E_UNAVAILABLE;

  answer_t answer = door_request("POST", "/api/v1/sessions/start", "{}");

  cr_expect_eq(answer.status, 409);
  expect_text(&answer, "a session records already");
  cr_expect_eq(door_request("GET", "/api/v1/sessions/status", NULL).status, 503);
  cr_expect_eq(door_request("POST", "/api/v1/sessions/start", "{\"name\":5}").status, 422);
  cr_expect_eq(door_request("GET", "/api/v1/sessions?status=sleeping", NULL).status, 422);
  cr_expect_eq(door_request("PUT", "/api/v1/sessions/start", NULL).status, 405);
}

Test(api_gateway_sessions, give_their_readings_oldest_first) {
  door_request("GET", "/api/v1/sessions/some-id/readings?sensor_type=force", NULL);

  const store_readings_get_t *get = door_stub(REQUEST_STORE_READINGS)->takes;
  cr_assert_not_null(get);
  cr_expect_str_eq(get->session, "some-id");
  cr_expect_str_eq(get->type, "force");
  cr_expect_eq(get->order, STORE_ORDER_OLDEST_FIRST);
  cr_expect_eq(get->limit, 100);
}

static void play_no_session(rpc_context_t *call, const void *takes, void *arg) {
  (void)takes;
  (void)arg;
  rpc_fail(call, GANTRY_E_NOT_FOUND, "session", "no session s1");
}

static void play_turned_window(rpc_context_t *call, const void *takes, void *arg) {
  (void)takes;
  (void)arg;
  rpc_fail(call, GANTRY_E_SCHEMA, "to", "lies before `from`");
}

Test(api_gateway_sessions, names_a_field_at_fault_as_the_client_does) {
  door_stub(REQUEST_SESSION_SUMMARY)->play = play_no_session;
  door_stub(REQUEST_SESSION_LIST)->play = play_turned_window;

  answer_t answer = door_request("GET", "/api/v1/sessions/s1", NULL);
  cr_expect_eq(answer.status, 404);
  cr_expect_not_null(strstr(answer.body, "\"field\":\"session_id\""), "%s", answer.body);
  answer = door_request("GET", "/api/v1/sessions?status=stopped", NULL);
  cr_expect_eq(answer.status, 422);
  cr_expect_not_null(strstr(answer.body, "\"field\":\"end_time\""), "%s", answer.body);
}
