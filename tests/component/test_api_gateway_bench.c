/* The routes of the test-bench profile: shapes and errors, byte for byte where its clients read
   them so. */
#include "bench_play.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <string.h>

TestSuite(api_gateway_bench, .init = bench_play_open, .fini = door_close, .timeout = 30);

static void expect(const char *method, const char *path, int status, const char *body) {
  answer_t answer = door_request(method, path, NULL);

  cr_expect_eq(answer.status, status, "%s: %d", path, answer.status);
  cr_expect_str_eq(answer.body, body, "%s: %s", path, answer.body);
}

static bool has_three(void *arg) {
  (void)arg;
  answer_t answer = door_request("GET", "/api/v1/sensors/readings/latest", NULL);

  return strstr(answer.body, "\"total_readings\":3") != NULL;
}

static void record(uint64_t time_ns) {
  bench_play_say(SESSION_STATE_RECORDING);
  bench_play_readings(time_ns);
  cr_assert(door_until(has_three, NULL, 5000), "the readings did not come");
}

Test(api_gateway_bench, answers_bare_and_without_login) {
  expect("GET", "/", 200,
         "{\"message\":\"Gantry test bench\",\"version\":\"" GANTRY_VERSION
         "\",\"status\":\"operational\"}");
  expect("GET", "/api/v1/sensors/readings", 200, "[]");
  expect("GET", "/api/v1/sensors/validation", 200, "[]");
  answer_t answer = door_request("GET", "/openapi.json", NULL);
  expect_text(&answer, "\"/api/v1/sessions/export/csv\"");
  cr_expect_null(strstr(answer.body, "emergency"), "routes of another profile");
}

Test(api_gateway_bench, writes_readings_as_seconds_and_fractions) {
  record(1700000000 * GANTRY_NS_PER_S);

  expect("GET", "/api/v1/sensors/readings", 200,
         "[{\"timestamp\":1700000000.0,\"sensor_type\":\"force\",\"value\":10.0},"
         "{\"timestamp\":1700000000.001,\"sensor_type\":\"force\",\"value\":81.5},"
         "{\"timestamp\":1700000000.002,\"sensor_type\":\"camera\","
         "\"value\":{\"image_id\":1001,\"resolution\":\"640x480\"}}]");
  expect("GET", "/api/v1/sensors/readings?sensor_type=force&limit=1", 200,
         "[{\"timestamp\":1700000000.001,\"sensor_type\":\"force\",\"value\":81.5}]");
  expect("GET", "/api/v1/sensors/readings?end_time=0", 200, "[]");
  expect("GET", "/api/v1/sensors/readings?start_time=1700000000.002&limit=1000", 200,
         "[{\"timestamp\":1700000000.002,\"sensor_type\":\"camera\","
         "\"value\":{\"image_id\":1001,\"resolution\":\"640x480\"}}]");
  answer_t answer = door_request("GET", "/api/v1/sensors/readings/latest", NULL);
  expect_text(&answer, "\"value\":81.5},\"motor\":null,\"camera\":{");
  expect("GET", "/api/v1/sensors/validation", 200,
         "[{\"sensor_type\":\"force\",\"status\":\"error\",\"message\":\"Too strong.\","
         "\"timestamp\":1700000000.001,\"details\":{\"threshold\":80}}]");
}

Test(api_gateway_bench, sums_by_intervals_from_the_begin_of_the_window) {
  record(clock_wall_ns() - GANTRY_NS_PER_S);

  answer_t answer =
      door_request("GET", "/api/v1/sensors/readings/aggregated?sensor_type=force", NULL);
  expect_text(&answer, "{\"sensor_type\":\"force\",\"interval_seconds\":60,\"hours_back\":1,"
                       "\"total_intervals\":1,\"data\":[{\"interval_start\":");
  expect_text(&answer, "\"count\":2,\"average\":45.75,\"min\":10.0,\"max\":81.5,\"timestamp\":\"");
  answer = door_request("GET", "/api/v1/sensors/readings/aggregated?sensor_type=camera", NULL);
  expect_text(&answer, "\"total_intervals\":0,\"data\":[]}");
  expect("GET", "/api/v1/sensors/readings/aggregated?sensor_type=motor", 200,
         "{\"message\":\"No data found for sensor type: motor\"}");
}

Test(api_gateway_bench, refuses_in_the_words_its_clients_know) {
  expect("GET", "/api/v1/sensors/readings?limit=0", 422,
         "{\"detail\":[{\"loc\":[\"query\",\"limit\"],\"msg\":\"Input should be greater than or "
         "equal to 1\",\"type\":\"greater_than_equal\"}]}");
  expect("GET", "/api/v1/sensors/readings?limit=x", 422,
         "{\"detail\":[{\"loc\":[\"query\",\"limit\"],\"msg\":\"Input should be a valid integer, "
         "unable to parse string\",\"type\":\"int_parsing\"}]}");
  expect("GET", "/api/v1/sensors/readings?start_time=1e400", 422,
         "{\"detail\":[{\"loc\":[\"query\",\"start_time\"],\"msg\":\"Input should be a valid "
         "number, unable to parse string\",\"type\":\"float_parsing\"}]}");
  cr_expect_eq(door_request("GET", "/api/v1/sensors/readings?end_time=nan", NULL).status, 422);
  expect("GET", "/api/v1/sensors/readings?sensor_type=lidar", 422,
         "{\"detail\":[{\"loc\":[\"query\",\"sensor_type\"],\"msg\":\"Input should be 'force', "
         "'motor' or 'camera'\",\"type\":\"enum\"}]}");
  expect("GET", "/api/v1/sensors/readings/aggregated", 422,
         "{\"detail\":[{\"loc\":[\"query\",\"sensor_type\"],\"msg\":\"Field required\","
         "\"type\":\"missing\"}]}");
  expect("GET", "/nowhere", 404, "{\"detail\":\"Not Found\"}");
  expect("POST", "/health", 405, "{\"detail\":\"Method Not Allowed\"}");
  expect("GET", "/ws/sensor-data", 404, "{\"detail\":\"This path speaks WebSocket.\"}");
  answer_t answer = door_request("GET", "/api/v1/sensors/readings/?limit=5&start_time=1", NULL);
  cr_expect_eq(answer.status, 307);
  cr_expect_not_null(
      strstr(answer.head, "Location: /api/v1/sensors/readings?limit=5&start_time=1\r\n"));
  answer = door_request("POST", "/api/v1/sessions/start", "[1]");
  cr_expect_eq(answer.status, 422);
  expect_text(&answer, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"");
  answer = door_request("POST", "/api/v1/sessions/start", "{\"name\":");
  expect_text(&answer, "\"type\":\"json_invalid\"}]}");
  answer =
      door_request("POST", "/api/v1/sensors/simulate?sensor_type=force&event_type=quake", NULL);
  cr_expect_eq(answer.status, 422);
  expect_text(&answer, "\"event_type\"");
}

Test(api_gateway_bench, starts_and_stops_as_its_own_account) {
  bench_play_session(door_stub(REQUEST_SESSION_START)->reply, SESSION_STATE_RECORDING);
  session_status_t *status = door_stub(REQUEST_SESSION_STOP)->reply;
  bench_play_session(&status->session, SESSION_STATE_STOPPED);
  status->types_count = 2;
  status->types[0] = (session_by_type_t){.type = "force", .count = 30};
  status->types[1] = (session_by_type_t){.type = "lidar", .count = 7};
  status->findings = 2;
  status->has_first = status->has_last = true;
  status->first = status->session.started;
  status->last = status->first + 2 * GANTRY_NS_PER_S;
  inbox_t *audit = harness_collect(door.harness, "audit.");

  answer_t answer = door_request("POST", "/api/v1/sessions/start",
                                 "{\"name\":\"grip\",\"description\":null,\"more\":1}");

  cr_expect_eq(answer.status, 200);
  cr_expect_str_eq(answer.body,
                   "{\"session_id\":\"3fa85f64-5717-4562-b3fc-2c963f66afa6\",\"status\":"
                   "\"recording\",\"started_at\":\"2023-11-15T05:13:20.000000\","
                   "\"duration_seconds\":null,\"data_points\":0}",
                   "%s", answer.body);
  stub_t *stub = door_stub(REQUEST_SESSION_START);
  const session_start_t *start = stub->takes;
  cr_assert_not_null(start);
  cr_expect_str_eq(stub->actor, "compat:rts");
  cr_expect_str_eq(start->name, "grip");
  cr_expect_eq(start->sensors_count, 3);
  cr_expect_eq(door_request("POST", "/api/v1/sessions/start", "null").status, 200);
  expect("POST", "/api/v1/sessions/stop", 200,
         "{\"session_id\":\"3fa85f64-5717-4562-b3fc-2c963f66afa6\",\"total_readings\":30,"
         "\"session_duration\":2.5,\"validation_alerts\":2,\"export_path\":null,"
         "\"summary_stats\":{\"total_readings\":30,\"sensor_breakdown\":{\"force\":30},"
         "\"validation_alerts\":2,\"session_duration_seconds\":2.0,\"recording_active\":false,"
         "\"connected_clients\":0}}");
  cr_assert(harness_collected(door.harness, audit, 3, 3000));
  const sys_audit_t *said = inbox_body(audit, 0);
  cr_expect_str_eq(said->actor, "compat:rts");
  cr_expect_str_eq(said->action, "sessions_start");
}

Test(api_gateway_bench, says_400_for_a_state_and_503_for_absence) {
  stub_t *stop = door_stub(REQUEST_SESSION_STOP);
  stop->fail = GANTRY_E_CONFLICT;
  snprintf(stop->detail, sizeof stop->detail, "No session records.");

  expect("POST", "/api/v1/sessions/stop", 400, "{\"detail\":\"No session records.\"}");
  stop->fail = GANTRY_E_UNAVAILABLE;
  cr_expect_eq(door_request("POST", "/api/v1/sessions/stop", NULL).status, 503);
  expect("GET", "/api/v1/sessions/export/csv", 400, "{\"detail\":\"No data to export\"}");
  answer_t answer = door_request("GET", "/api/v1/sessions/summary", NULL);
  expect_text(&answer, "\"session_duration\":null");
  expect_text(&answer, "\"summary_stats\":{\"message\":\"No data available\"}");
}

/* Storage hears of a session's end behind its readings: until then a CSV would lack some. */
static void tell_end_late(rpc_context_t *call, const void *takes, void *arg) {
  session_summary_t *summary = ((stub_t *)arg)->reply;

  (void)takes;
  if (((stub_t *)arg)->count < 3) {
    rpc_fail(call, GANTRY_E_NOT_FOUND, "", "no such session");
    return;
  }
  bench_play_session(&summary->row.session,
                     ((stub_t *)arg)->count < 6 ? SESSION_STATE_RECORDING : SESSION_STATE_STOPPED);
  rpc_reply(call, summary);
}

Test(api_gateway_bench, exports_when_storage_has_all_of_it) {
  static const char CSV[] = "timestamp,sensor_type\r\n";
  session_status_t *status = door_stub(REQUEST_SESSION_STATUS)->reply;
  bench_play_session(&status->session, SESSION_STATE_STOPPED);
  status->types_count = 1;
  status->types[0] = (session_by_type_t){.type = "force", .count = 30};
  door_stub(REQUEST_SESSION_SUMMARY)->play = tell_end_late;
  session_measured_t *measured = door_stub(REQUEST_SESSION_MEASURE)->reply;
  *measured = (session_measured_t){.done = true, .size = sizeof CSV - 1, .tag = "t1"};
  session_exported_t *piece = door_stub(REQUEST_SESSION_EXPORT)->reply;
  *piece = (session_exported_t){.done = true, .tag = "t1"};
  piece->data = (blob_t){.data = (const uint8_t *)CSV, .len = sizeof CSV - 1};

  answer_t answer = door_request("GET", "/api/v1/sessions/export/csv", NULL);

  cr_expect_eq(answer.status, 200, "%s", answer.body);
  cr_expect_str_eq(answer.body, CSV);
  cr_expect_eq(door_stub(REQUEST_SESSION_SUMMARY)->count, 6);
  cr_expect_not_null(strstr(answer.head, "Content-Type: application/octet-stream\r\n"));
  cr_expect_not_null(strstr(answer.head, "Last-Modified: Tue, 14 Nov 2023 22:13:22 GMT\r\n"));
  cr_expect_not_null(strstr(answer.head, "ETag: \"t1\"\r\n"));
  cr_expect_not_null(strstr(answer.head, "attachment; filename=\"sensor_data_2"));
}

static answer_t ask_cors(const char *method, const char *origin) {
  char request[256];
  int len = snprintf(request, sizeof request,
                     "%s / HTTP/1.1\r\nHost: x\r\nOrigin: %s\r\n"
                     "Access-Control-Request-Method: GET\r\n\r\n",
                     method, origin);

  return door_raw(request, (size_t)len);
}

Test(api_gateway_bench, answers_preflights_of_its_own_origins) {
  answer_t answer = ask_cors("OPTIONS", "http://localhost:5173");
  cr_expect_eq(answer.status, 200);
  cr_expect_not_null(strstr(answer.head, "text/plain"));
  cr_expect_not_null(strstr(answer.head, "Access-Control-Max-Age: 600"));
  cr_expect_not_null(strstr(answer.head, "Allow-Credentials: true"));
  cr_expect_eq(ask_cors("OPTIONS", "http://evil.example").status, 400);
  answer = ask_cors("GET", "http://evil.example");
  cr_expect_eq(answer.status, 200);
  cr_expect_null(strstr(answer.head, "Access-Control-Allow-Origin"));
}

static int start_from(const char *origin) {
  char request[320];
  int len = snprintf(request, sizeof request,
                     "POST /api/v1/sessions/start HTTP/1.1\r\nHost: x\r\nOrigin: %s\r\n"
                     "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
                     origin);

  return door_raw(request, (size_t)len).status;
}

Test(api_gateway_bench, lets_no_page_of_elsewhere_start_a_session) {
  char own[64], longer[200];
  session_session_t *session = door_stub(REQUEST_SESSION_START)->reply;

  bench_play_session(session, SESSION_STATE_RECORDING);
  snprintf(own, sizeof own, "http://localhost:%d", door.port);
  memset(longer, 'a', sizeof longer);
  longer[sizeof longer - 1] = '\0';

  cr_expect_eq(start_from("http://evil.example"), 403);
  cr_expect_eq(start_from("null"), 403);
  cr_expect_eq(start_from(longer), 403);
  cr_expect_eq(door_stub(REQUEST_SESSION_START)->count, 0, "it has been asked for");
  cr_expect_eq(start_from("http://localhost:3000"), 200);
  cr_expect_eq(start_from(own), 200, "a page of this listener");
  cr_expect_eq(door_stub(REQUEST_SESSION_START)->count, 2);
}

Test(api_gateway_bench, is_not_there_unless_asked_for_and_not_for_strangers, .init = NULL,
     .fini = NULL) {
  harness_t *harness = harness_new();
  service_run_t *run;
  gantry_fault_t fault = {0};

  gantry_err_t err = harness_try_open(
      harness, &GATEWAY_SERVICE,
      (const char *const[]){"port=0", "bench_port=1", "bench_host=0.0.0.0", NULL}, &run, &fault);
  cr_expect_eq(err, GANTRY_E_INVALID);
  cr_expect_str_eq(fault.field, "bench_host");
  cr_expect_not_null(strstr(fault.detail, "bench_exposed"));
  harness_destroy(&harness);
}
