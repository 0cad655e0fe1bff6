/* Bus handlers. Position frames leave from the handler itself: nothing waits for a timer. */
#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "active_map.h"
#include "view.h"
#include "ws.h"

enum { TICK_MS = 100, STATUS_MIN_MS = 200, STATUS_MAX_MS = 1000, POSITION_MS = 50 };

/* ---- frames */

static ws_frame_t *position_frame(gateway_t *gateway, uint64_t now_ns, bool to_all) {
  const stamp_t *at = &gateway->latest->pose_at;
  http_map_position_t position;
  ws_envelope_t envelope = {.type = WS_POSITION,
                            .source = "localization",
                            .timestamp_ns = at->wall_ns,
                            .trace = at->trace,
                            .age_ms = latest_age_ms(at, now_ns),
                            .born_ns = at->born_ns};

  if (!view_latest_position(gateway->latest, now_ns, &position)) return NULL;
  envelope.seq = ws_seq(gateway->hub, WS_POSITION, to_all);
  return ws_frame_new(&envelope, &HTTP_MAP_POSITION_DESC, &position, "", &gateway->feed->scratch);
}

static ws_frame_t *telemetry_frame(gateway_t *gateway, uint64_t now_ns, bool to_all,
                                   const char *name) {
  http_telemetry_t telemetry;
  ws_envelope_t envelope = {.type = WS_TELEMETRY,
                            .name = name,
                            .source = "rs485-bridge",
                            .timestamp_ns = clock_wall_ns(),
                            .seq = ws_seq(gateway->hub, WS_TELEMETRY, to_all),
                            .trace = gateway->latest->motion_at.trace,
                            .age_ms = -1};

  view_telemetry(gateway->latest, now_ns, envelope.timestamp_ns, &telemetry);
  return ws_frame_new(&envelope, &HTTP_TELEMETRY_DESC, &telemetry, "", &gateway->feed->scratch);
}

static ws_frame_t *status_frame(gateway_t *gateway, uint64_t now_ns, bool to_all,
                                const char *name) {
  const latest_t *latest = gateway->latest;
  http_ws_status_t status = {0};
  ws_envelope_t envelope = {.type = WS_STATUS,
                            .name = name,
                            .source = "api-gateway",
                            .timestamp_ns = clock_wall_ns(),
                            .seq = ws_seq(gateway->hub, WS_STATUS, to_all),
                            .age_ms = -1};

  snprintf(status.robot_status, sizeof status.robot_status, "%s", view_robot_word(latest, now_ns));
  snprintf(status.mapping_status, sizeof status.mapping_status, "%s",
           view_mapping_word(latest, now_ns));
  snprintf(status.system_health, sizeof status.system_health, "%s",
           health_word(latest, gateway->started_ns, now_ns));
  status.has_safety = !latest_is_silent(&latest->safety_at, now_ns, LATEST_STATE_MS);
  status.safety = latest->safety;
  status.has_activity = !latest_is_silent(&latest->status_at, now_ns, LATEST_STATE_MS);
  status.activity = latest->status;
  status.has_led = !latest_is_silent(&latest->led_at, now_ns, LATEST_STATE_MS);
  status.led = latest->led;
  status.has_discovery = !latest_is_silent(&latest->discovery_at, now_ns, LATEST_STATE_MS);
  status.discovery = latest->discovery;
  status.has_mapping = !latest_is_silent(&latest->map_status_at, now_ns, LATEST_STATE_MS);
  status.mapping = latest->map_status;
  status.has_localization = !latest_is_silent(&latest->loc_status_at, now_ns, LATEST_STATE_MS);
  view_localization(latest, &status.localization);
  return ws_frame_new(&envelope, &HTTP_WS_STATUS_DESC, &status, "", &gateway->feed->scratch);
}

ws_frame_t *feed_snapshot(gateway_t *gateway, ws_type_t type, uint32_t index) {
  uint64_t now_ns = clock_mono_ns();

  if (type == WS_ALERT) return feed_alert_snapshot(gateway, index);
  if (index > 0) return NULL;
  /* A fresh pose is followed by the next within a period; one that stands still has to be told. */
  bool stale = latest_is_stale(&gateway->latest->pose_at, now_ns, LATEST_MOTION_MS);
  if (type == WS_POSITION) return stale ? position_frame(gateway, now_ns, false) : NULL;
  if (type == WS_TELEMETRY) return telemetry_frame(gateway, now_ns, false, NULL);
  if (type == WS_SESSION) return feed_session_frame(gateway, false);
  if (type == WS_RS485) return feed_lines_frame(gateway);
  if (type == WS_ACTIVE_ALERTS_UPDATE) return feed_active_alerts(gateway, false);
  return type == WS_STATUS ? status_frame(gateway, now_ns, false, NULL) : NULL;
}

ws_frame_t *feed_greeting(gateway_t *gateway, const char *path) {
  uint64_t now_ns = clock_mono_ns();

  if (!strcmp(path, "/ws/telemetry"))
    return telemetry_frame(gateway, now_ns, false, "telemetry_update");
  if (!strcmp(path, "/ws/status")) return status_frame(gateway, now_ns, false, "status_update");
  return NULL;
}

/* ---- handlers: newest values */

static void on_pose(const frame_t *frame, const void *body, void *arg) {
  gateway_t *gateway = arg;
  uint64_t now_ns = clock_mono_ns();

  gateway->latest->pose = *(const loc_pose_t *)body;
  gateway->latest->pose_at = latest_stamp(frame, now_ns);
  latest_note(gateway->latest, LATEST_RATE_POSE, now_ns);
  if (!ws_is_heard(gateway->hub, WS_POSITION)) return;
  if (!feed_allows(&gateway->feed->position_next_ns, now_ns, POSITION_MS)) return;
  ws_broadcast(gateway->hub, position_frame(gateway, clock_mono_ns(), true));
}

static void on_loc_status(const frame_t *frame, const void *body, void *arg) {
  latest_t *latest = ((gateway_t *)arg)->latest;

  latest->loc_status = *(const loc_status_t *)body;
  latest->loc_status_at = latest_stamp(frame, clock_mono_ns());
  latest_note(latest, LATEST_RATE_LOCALIZATION, latest->loc_status_at.heard_ns);
}

static void on_map_status(const frame_t *frame, const void *body, void *arg) {
  gateway_t *gateway = arg;
  const map_status_t *status = body;
  latest_t *latest = gateway->latest;

  const map_status_t *before = &latest->map_status;
  if (status->mapping != before->mapping || status->phase != before->phase ||
      status->progress != before->progress || status->correction != before->correction)
    gateway->feed->status_changed = true;
  latest->map_status = *status;
  active_map_heard(gateway->active_map, status->map_id, status->revision);
  latest->map_status_at = latest_stamp(frame, clock_mono_ns());
  latest_note(latest, LATEST_RATE_MAP, latest->map_status_at.heard_ns);
}

static void on_sensor_status(const frame_t *frame, const void *body, void *arg) {
  const sensor_status_t *status = body;
  latest_sensor_t *row = latest_sensor(((gateway_t *)arg)->latest, status->sensor);

  if (!row) return;
  row->status = *status;
  row->at = latest_stamp(frame, clock_mono_ns());
}

static void on_health(const frame_t *frame, const void *body, void *arg) {
  latest_service_t *row = latest_service(((gateway_t *)arg)->latest, frame->header.from);

  if (!row) return;
  row->health = *(const sys_health_t *)body;
  row->health_at = latest_stamp(frame, clock_mono_ns());
}

static void on_metrics(const frame_t *frame, const void *body, void *arg) {
  latest_service_t *row = latest_service(((gateway_t *)arg)->latest, frame->header.from);

  if (row) row->metrics = *(const sys_metrics_t *)body;
}

/* ---- timers */

static void on_tick(void *arg) {
  gateway_t *gateway = arg;
  struct feed *feed = gateway->feed;
  uint64_t now_ns = clock_mono_ns();
  double status_ms = clock_age_ms(now_ns, feed->status_sent_ns);

  if (ws_is_heard(gateway->hub, WS_TELEMETRY)) {
    ws_broadcast(gateway->hub, telemetry_frame(gateway, now_ns, true, NULL));
  }
  if (status_ms >= STATUS_MAX_MS || (feed->status_changed && status_ms >= STATUS_MIN_MS)) {
    feed->status_changed = false;
    feed->status_sent_ns = now_ns;
    if (ws_is_heard(gateway->hub, WS_STATUS))
      ws_broadcast(gateway->hub, status_frame(gateway, now_ns, true, NULL));
  }
  if (!ws_is_heard(gateway->hub, WS_SENSOR_DATA)) feed_hear_sensors(gateway, false);
  feed_alerts_tick(gateway);
  feed_lines_tick(gateway, now_ns);
  ws_tick(gateway->hub, clock_wall_ns() / GANTRY_NS_PER_S);
  if (clock_age_ms(now_ns, feed->second_ns) < 1000) return;
  feed->second_ns = now_ns;
  monitor_tick(gateway);
}

gantry_err_t feed_subscribe(gateway_t *gateway, const feed_row_t *rows, size_t count,
                            gantry_fault_t *fault) {
  for (size_t i = 0; i < count; i++) {
    gantry_err_t err =
        bus_subscribe(gateway->service->bus, rows[i].topic, NULL, 0, rows[i].handler, gateway);
    if (err != GANTRY_OK)
      return fault_set(fault, err, "", "%s cannot be subscribed", rows[i].topic->pattern);
  }
  return GANTRY_OK;
}

gantry_err_t feed_start(gateway_t *gateway, gantry_fault_t *fault) {
  const feed_row_t ROWS[] = {
      {TOPIC_LOC_POSE, on_pose},         {TOPIC_LOC_STATUS, on_loc_status},
      {TOPIC_MAP_STATUS, on_map_status}, {TOPIC_SENSOR_STATUS, on_sensor_status},
      {TOPIC_HEALTH, on_health},         {TOPIC_METRICS, on_metrics},
  };

  gateway->feed = calloc(1, sizeof *gateway->feed);
  if (!gateway->feed) return GANTRY_E_INTERNAL;
  gateway->feed->hears_sensors = true; /* as whoever has just subscribed */
  GANTRY_TRY(feed_subscribe(gateway, ROWS, sizeof ROWS / sizeof ROWS[0], fault));
  GANTRY_TRY(feed_alerts_start(gateway, fault));
  GANTRY_TRY(feed_robot_start(gateway, fault));
  GANTRY_TRY(feed_data_start(gateway, fault));
  GANTRY_TRY(feed_session_start(gateway, fault));
  GANTRY_TRY(feed_log_start(gateway, fault));
  gateway->feed->timer = loop_every(gateway->service->loop, TICK_MS, on_tick, gateway);
  return gateway->feed->timer ? GANTRY_OK : GANTRY_E_INTERNAL;
}

void feed_stop(gateway_t *gateway) {
  if (!gateway->feed) return;
  if (gateway->feed->timer) loop_cancel(gateway->service->loop, gateway->feed->timer);
  feed_log_stop(gateway);
  buf_fini(&gateway->feed->scratch);
  buf_fini(&gateway->feed->data);
  free(gateway->feed);
  gateway->feed = NULL;
}
