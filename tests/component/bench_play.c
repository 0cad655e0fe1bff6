/* Sensor-processor of a test bench, played. */
#include "bench_play.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <gantry/clock.h>
#include <gantry/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char BENCH_PLAY_ID[] = "3fa85f64-5717-4562-b3fc-2c963f66afa6";

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

void bench_play_open(void) {
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

/* ---- what sensor-processor says */

void bench_play_session(session_session_t *session, session_state_t state) {
  *session = (session_session_t){.state = state, .has_started = true};
  snprintf(session->session, sizeof session->session, "%s", BENCH_PLAY_ID);
  session->started = 1700000000 * GANTRY_NS_PER_S;
  session->has_stopped = state != SESSION_STATE_RECORDING;
  session->stopped = session->started + 2500 * GANTRY_NS_PER_MS;
}

void bench_play_say(session_state_t state) {
  session_session_t session;

  bench_play_session(&session, state);
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
void bench_play_readings(uint64_t time_ns) {
  static const char *const TYPES[] = {"force", "motor", "camera", "lidar"};
  static const char IMAGE[] = "{\"image_id\":1001,\"resolution\":\"640x480\"}";
  sensor_readings_t *batch = calloc(1, sizeof *batch);

  for (; batch->series_count < 4; batch->series_count++) {
    sensor_series_key_t *series = &batch->series[batch->series_count];
    snprintf(series->sensor, sizeof series->sensor, "%s", TYPES[batch->series_count]);
    snprintf(series->type, sizeof series->type, "%s", TYPES[batch->series_count]);
    snprintf(series->session, sizeof series->session, "%s", BENCH_PLAY_ID);
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
