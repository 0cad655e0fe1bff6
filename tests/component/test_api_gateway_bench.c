/* The test-bench profile behind its own listener: shapes, errors, WebSocket frames, byte for byte
   where its clients read them so. */
#include "door.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char ID[] = "3fa85f64-5717-4562-b3fc-2c963f66afa6";

/* A port that was free a moment ago. */
static int free_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t len = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);

  cr_assert_eq(bind(fd, (struct sockaddr *)&address, len), 0);
  cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
  close(fd);
  return ntohs(address.sin_port);
}

static void open_bench(void) {
  char port[32];
  int number = free_port();

  snprintf(port, sizeof port, "bench_port=%d", number);
  setenv("TZ", "Asia/Bangkok", 1);
  door_open_with((const char *const[]){port, NULL});
  door.port = number;
  cr_assert(
      harness_heard(door.harness, door.sensors->bus, "sensor.readings.sensor-processor", 5000));
  cr_assert(harness_heard(door.harness, door.sensors->bus, "session.changed", 5000));
}

TestSuite(api_gateway_bench, .init = open_bench, .fini = door_close, .timeout = 30);

static void expect_text(const answer_t *answer, const char *text) {
  cr_expect_not_null(strstr(answer->body, text), "%s in %s", text, answer->body);
}

static void expect(const char *method, const char *path, int status, const char *body) {
  answer_t answer = door_request(method, path, NULL);

  cr_expect_eq(answer.status, status, "%s: %d", path, answer.status);
  cr_expect_str_eq(answer.body, body, "%s: %s", path, answer.body);
}

/* ---- what sensor-processor says */

static void fill_session(session_session_t *session, session_state_t state) {
  *session = (session_session_t){.state = state, .has_started = true};
  snprintf(session->session, sizeof session->session, "%s", ID);
  session->started = 1700000000 * GANTRY_NS_PER_S;
  session->has_stopped = state != SESSION_STATE_RECORDING;
  session->stopped = session->started + 2500 * GANTRY_NS_PER_MS;
}

static void say_session(session_state_t state) {
  session_session_t session;

  fill_session(&session, state);
  cr_assert_eq(bus_publish(door.sensors->bus, TOPIC_SESSION_CHANGED, NULL, &session), GANTRY_OK);
}

static void add_row(sensor_readings_t *batch, uint8_t series, uint64_t time_ns, double value) {
  uint32_t row = batch->which_count++;

  batch->time_count = batch->number_count = batch->value_count = batch->which_count;
  batch->quality_count = batch->validity_count = batch->which_count;
  batch->which[row] = series;
  batch->time[row] = time_ns;
  batch->value[row] = value;
}

/* A force of 10, a lidar's row, one of 81.5 that a rule has met, and an image. */
static void say_readings(uint64_t time_ns) {
  static const char *const TYPES[] = {"force", "motor", "camera", "lidar"};
  static const char IMAGE[] = "{\"image_id\":1001,\"resolution\":\"640x480\"}";
  sensor_readings_t *batch = calloc(1, sizeof *batch);

  for (; batch->series_count < 4; batch->series_count++) {
    sensor_series_key_t *series = &batch->series[batch->series_count];
    snprintf(series->sensor, sizeof series->sensor, "%s", TYPES[batch->series_count]);
    snprintf(series->type, sizeof series->type, "%s", TYPES[batch->series_count]);
    snprintf(series->session, sizeof series->session, "%s", ID);
  }
  add_row(batch, 0, time_ns, 10);
  add_row(batch, 3, time_ns, 1);
  add_row(batch, 0, time_ns + GANTRY_NS_PER_MS, 81.5);
  add_row(batch, 2, time_ns + 2 * GANTRY_NS_PER_MS, 0);
  batch->findings_count = 1;
  batch->findings[0] = (sensor_finding_t){.row = 2, .severity = SYS_SEVERITY_CRITICAL};
  snprintf(batch->findings[0].rule, sizeof batch->findings[0].rule, "force_high");
  snprintf(batch->findings[0].message, sizeof batch->findings[0].message, "Too strong.");
  snprintf(batch->findings[0].details, sizeof batch->findings[0].details, "{\"threshold\":80}");
  batch->which_objects[batch->which_objects_count++] = 3;
  batch->objects = (blob_t){.data = (const uint8_t *)IMAGE, .len = sizeof IMAGE};
  cr_assert_eq(bus_publish(door.sensors->bus, TOPIC_SENSOR_READINGS, "sensor-processor", batch),
               GANTRY_OK);
  free(batch);
}

static bool has_three(void *arg) {
  (void)arg;
  answer_t answer = door_request("GET", "/api/v1/sensors/readings/latest", NULL);

  return strstr(answer.body, "\"total_readings\":3") != NULL;
}

static void record(uint64_t time_ns) {
  say_session(SESSION_STATE_RECORDING);
  say_readings(time_ns);
  cr_assert(door_until(has_three, NULL, 5000), "the readings did not come");
}

/* ---- routes */

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
  fill_session(door_stub(REQUEST_SESSION_START)->reply, SESSION_STATE_RECORDING);
  session_status_t *status = door_stub(REQUEST_SESSION_STOP)->reply;
  fill_session(&status->session, SESSION_STATE_STOPPED);
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

/* ---- WebSocket */

static void expect_frame(int fd, const char *word, const char *text) {
  const char *frame = door_ws_expect(fd, word, NULL, 5000);

  cr_assert_not_null(frame, "no frame with %s", word);
  if (text) cr_expect_str_eq(frame, text, "%s", frame);
}

Test(api_gateway_bench, tells_an_alert_before_its_reading_and_leaves_none_out) {
  int status;
  int fd = door_ws("/ws/sensor-data", "", &status);
  cr_assert_geq(fd, 0, "%d", status);
  expect_frame(fd, "connection_established",
               "{\"type\": \"connection_established\", \"data\": {\"message\": \"Connected to the "
               "test bench\", \"sensors_active\": {\"force\": false, \"motor\": false, \"camera\": "
               "false}, \"recording\": false}}");

  say_session(SESSION_STATE_RECORDING);
  say_readings(1700000000 * GANTRY_NS_PER_S);

  expect_frame(fd, "system_status", NULL);
  expect_frame(fd, NULL,
               "{\"type\": \"sensor_data\", \"data\": {\"timestamp\": 1700000000.0, "
               "\"sensor_type\": \"force\", \"value\": 10.0}}");
  expect_frame(fd, NULL,
               "{\"type\": \"validation\", \"data\": {\"sensor_type\": \"force\", \"status\": "
               "\"error\", \"message\": \"Too strong.\", \"timestamp\": 1700000000.001, "
               "\"details\": {\"threshold\": 80}}}");
  expect_frame(fd, NULL,
               "{\"type\": \"sensor_data\", \"data\": {\"timestamp\": 1700000000.001, "
               "\"sensor_type\": \"force\", \"value\": 81.5}}");
  expect_frame(fd, NULL,
               "{\"type\": \"sensor_data\", \"data\": {\"timestamp\": 1700000000.002, "
               "\"sensor_type\": \"camera\", \"value\": {\"image_id\": 1001, \"resolution\": "
               "\"640x480\"}}}");
  close(fd);
}

static void send_text(int fd, const char *text) {
  door_ws_send(fd, 1, text, strlen(text));
}

Test(api_gateway_bench, answers_each_kind_of_frame_and_stays_open) {
  int status;
  int fd = door_ws("/ws/sensor-data", "", &status);
  cr_assert_geq(fd, 0, "%d", status);

  send_text(fd, "{\"type\":\"ping\",\"timestamp\":[1,\"a,b:c\"]}");
  expect_frame(fd, "pong", "{\"type\": \"pong\", \"timestamp\": [1, \"a,b:c\"]}");
  send_text(fd, "{\"type\":\"ping\"}");
  expect_frame(fd, "pong", "{\"type\": \"pong\", \"timestamp\": null}");
  send_text(fd, "{\"type\":\"subscribe\"}");
  expect_frame(fd, "confirmed", "{\"type\": \"subscription_confirmed\", \"data\": {}}");
  send_text(fd, "{\"type\":\"subscribe\",\"data\":{\"a\":1}}");
  expect_frame(fd, "confirmed", "{\"type\": \"subscription_confirmed\", \"data\": {\"a\": 1}}");
  send_text(fd, "{\"type\":\"get_status\"}");
  expect_frame(fd, "system_status",
               "{\"type\": \"system_status\", \"data\": {\"sensors\": {\"force\": false, "
               "\"motor\": false, \"camera\": false}, \"recording\": false, \"data_summary\": "
               "{\"message\": \"No data available\"}}}");
  static const char *const BAD[] = {"{}", "{\"type\":\"dance\"}", "{\"type\":7}", "[]", "nonsense"};
  for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
    send_text(fd, BAD[i]);
    expect_frame(fd, "\"type\": \"error\", \"message\": \"", NULL);
  }
  door_ws_send(fd, 2, "{}", 2);
  expect_frame(fd, "\"type\": \"error\"", NULL);
  send_text(fd, "{\"type\":\"ping\",\"timestamp\":1}");
  expect_frame(fd, "pong", "{\"type\": \"pong\", \"timestamp\": 1}");
  close(fd);
}

Test(api_gateway_bench, upgrades_nowhere_else) {
  int status;

  cr_expect_lt(door_ws("/ws/other", "", &status), 0);
  cr_expect_eq(status, 403);
  cr_expect_lt(door_ws("/ws", "", &status), 0);
  cr_expect_eq(status, 403);
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
