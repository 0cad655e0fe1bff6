/* Recording sessions, and those readings that come by the batch alone. */
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "feed.h"
#include "feed_sensors.h"
#include "view_sessions.h"
#include "ws.h"

ws_frame_t *feed_session_frame(gateway_t *gateway, bool to_all) {
  const stamp_t *at = &gateway->latest->session_at;
  http_session_status_t status;
  ws_envelope_t envelope = {.type = WS_SESSION,
                            .source = "sensor-processor",
                            .timestamp_ns = clock_wall_ns(),
                            .trace = at->trace,
                            .age_ms = -1};

  if (latest_is_silent(at, clock_mono_ns(), LATEST_STATE_MS)) return NULL;
  view_session_status(&gateway->latest->session, envelope.timestamp_ns, &status);
  envelope.seq = ws_seq(gateway->hub, WS_SESSION, to_all);
  return ws_frame_new(&envelope, &HTTP_SESSION_STATUS_DESC, &status, "", &gateway->feed->scratch);
}

static void tell(gateway_t *gateway, const frame_t *frame) {
  gateway->latest->session_at = latest_stamp(frame, clock_mono_ns());
  latest_note(gateway->latest, LATEST_RATE_SESSION, gateway->latest->session_at.heard_ns);
  if (ws_is_heard(gateway->hub, WS_SESSION))
    ws_broadcast(gateway->hub, feed_session_frame(gateway, true));
}

static void on_status(const frame_t *frame, const void *body, void *arg) {
  gateway_t *gateway = arg;

  gateway->latest->session = *(const session_status_t *)body;
  tell(gateway, frame);
}

/* Told at once; what is counted follows with the status. */
static void on_changed(const frame_t *frame, const void *body, void *arg) {
  gateway_t *gateway = arg;
  const session_session_t *session = body;
  session_status_t *status = &gateway->latest->session;

  if (strcmp(session->session, status->session.session) != 0)
    *status = (session_status_t){.bench = status->bench};
  status->session = *session;
  tell(gateway, frame);
}

/* The newest object of each sensor: numbers come by topics of their own. */
static void on_readings(const frame_t *frame, const void *body, void *arg) {
  const sensor_readings_t *batch = body;
  gateway_t *gateway = arg;
  feed_object_t object = {0};
  http_ws_sensor_t data;

  if (!ws_is_heard(gateway->hub, WS_SENSOR_DATA)) return;
  while (feed_next_object(batch, &object)) {
    if (!feed_sensor_is_due(gateway, object.series->sensor)) continue;
    feed_object(batch, &object, &data);
    feed_sensor_send(gateway, frame, &data);
  }
}

void feed_hear_batches(gateway_t *gateway, bool on) {
  bus_hear(gateway->service->bus, TOPIC_SENSOR_READINGS, on_readings, on);
}

gantry_err_t feed_session_start(gateway_t *gateway, gantry_fault_t *fault) {
  const feed_row_t ROWS[] = {
      {TOPIC_SESSION_STATUS, on_status},
      {TOPIC_SESSION_CHANGED, on_changed},
      {TOPIC_SENSOR_READINGS, on_readings},
  };

  return feed_subscribe(gateway, ROWS, sizeof ROWS / sizeof ROWS[0], fault);
}
