/* /ws/sensor-data: frames byte for byte, in order, none left out. */
#include "bench_play.h"

#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

TestSuite(api_gateway_bench_ws, .init = bench_play_open, .fini = door_close, .timeout = 30);

static void expect_frame(int fd, const char *word, const char *text) {
  const char *frame = door_ws_expect(fd, word, NULL, 5000);

  cr_assert_not_null(frame, "no frame with %s", word);
  if (text) cr_expect_str_eq(frame, text, "%s", frame);
}

Test(api_gateway_bench_ws, tells_an_alert_before_its_reading_and_leaves_none_out) {
  int status;
  int fd = door_ws("/ws/sensor-data", "", &status);
  cr_assert_geq(fd, 0, "%d", status);
  expect_frame(fd, "connection_established",
               "{\"type\": \"connection_established\", \"data\": {\"message\": \"Connected to the "
               "test bench\", \"sensors_active\": {\"force\": false, \"motor\": false, \"camera\": "
               "false}, \"recording\": false}}");

  bench_play_say(SESSION_STATE_RECORDING);
  bench_play_readings(1700000000 * GANTRY_NS_PER_S);

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

/* Batches come as fast as the bus brings them; the client reads when all are there. */
Test(api_gateway_bench_ws, tells_every_reading_of_a_burst_in_order) {
  enum { BATCHES = 600 };
  int status;
  int fd = door_ws("/ws/sensor-data", "", &status);
  cr_assert_geq(fd, 0, "%d", status);
  bench_play_say(SESSION_STATE_RECORDING);
  expect_frame(fd, "system_status", NULL);

  for (uint64_t i = 0; i < BATCHES; i++)
    bench_play_readings((1700000000 + i) * GANTRY_NS_PER_S);

  for (unsigned i = 0; i < BATCHES; i++) {
    char first[64], last[64];
    snprintf(first, sizeof first, "\"timestamp\": %u.0, \"sensor_type\": \"force\"",
             1700000000 + i);
    snprintf(last, sizeof last, "\"timestamp\": %u.002, \"sensor_type\": \"camera\"",
             1700000000 + i);
    const char *frame = door_ws_expect(fd, NULL, NULL, 5000);
    cr_assert(frame && strstr(frame, first), "%s in %s", first, frame ? frame : "none");
    cr_assert_not_null(door_ws_expect(fd, NULL, NULL, 5000));
    cr_assert_not_null(door_ws_expect(fd, NULL, NULL, 5000));
    frame = door_ws_expect(fd, NULL, NULL, 5000);
    cr_assert(frame && strstr(frame, last), "%s in %s", last, frame ? frame : "none");
  }
  close(fd);
}

/* A gateway that started within a session, or missed its end, hears of it by the status. */
Test(api_gateway_bench_ws, takes_up_a_session_from_its_status) {
  session_status_t session = {0};
  int status;
  cr_assert(harness_heard(door.harness, door.sensors->bus, "session.status", 5000));
  int fd = door_ws("/ws/sensor-data", "", &status);
  cr_assert_geq(fd, 0, "%d", status);
  bench_play_session(&session.session, SESSION_STATE_RECORDING);

  cr_assert_eq(bus_publish(door.sensors->bus, TOPIC_SESSION_STATUS, NULL, &session), GANTRY_OK);

  expect_frame(fd, "\"recording\": true", NULL);
  bench_play_session(&session.session, SESSION_STATE_STOPPED);
  cr_assert_eq(bus_publish(door.sensors->bus, TOPIC_SESSION_STATUS, NULL, &session), GANTRY_OK);
  expect_frame(fd, "\"recording\": false", NULL); /* when the bus has repeated it */
  close(fd);
}

static void send_text(int fd, const char *text) {
  door_ws_send(fd, 1, text, strlen(text));
}

Test(api_gateway_bench_ws, answers_each_kind_of_frame_and_stays_open) {
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

Test(api_gateway_bench_ws, upgrades_nowhere_else) {
  int status;

  cr_expect_lt(door_ws("/ws/other", "", &status), 0);
  cr_expect_eq(status, 403);
  cr_expect_lt(door_ws("/ws", "", &status), 0);
  cr_expect_eq(status, 403);
}
