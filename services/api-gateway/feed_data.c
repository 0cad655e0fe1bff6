/* Sensor data and map patches: straight from the bus to those who listen, kept nowhere. */
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "active_map.h"
#include "feed.h"
#include "feed_sensors.h"
#include "view.h"
#include "ws.h"

enum { SENSOR_MS = 100 };

bool feed_allows(uint64_t *next_ns, uint64_t now_ns, uint32_t period_ms) {
  uint64_t period_ns = (uint64_t)period_ms * GANTRY_NS_PER_MS;
  uint64_t floor_ns = now_ns > period_ns ? now_ns - period_ns : 0;

  if (now_ns + period_ns / 4 < *next_ns) return false;
  *next_ns = (*next_ns > floor_ns ? *next_ns : floor_ns) + period_ns;
  return true;
}

/* When the table is full, the one that has said nothing for longest gives way. */
static uint64_t *sensor_pace(struct feed *feed, const char *sensor) {
  feed_pace_t *row = feed->paces;

  for (uint32_t i = 0; i < feed->pace_count; i++) {
    if (!strcmp(feed->paces[i].sensor, sensor)) return &feed->paces[i].next_ns;
    if (feed->paces[i].next_ns < row->next_ns) row = &feed->paces[i];
  }
  if (feed->pace_count < LATEST_SENSORS) row = &feed->paces[feed->pace_count++];
  *row = (feed_pace_t){0};
  snprintf(row->sensor, sizeof row->sensor, "%s", sensor);
  return &row->next_ns;
}

bool feed_sensor_is_due(gateway_t *gateway, const char *sensor) {
  if (!ws_is_heard(gateway->hub, WS_SENSOR_DATA)) return false;
  return feed_allows(sensor_pace(gateway->feed, sensor), clock_mono_ns(), SENSOR_MS);
}

void feed_sensor_send(gateway_t *gateway, const frame_t *frame, http_ws_sensor_t *data) {
  const latest_sensor_t *known = latest_find_sensor(gateway->latest, data->sensor_id);
  uint64_t now_ns = clock_mono_ns();
  stamp_t at = latest_stamp(frame, now_ns);
  ws_envelope_t envelope = {.type = WS_SENSOR_DATA,
                            .source = "sensor-processor",
                            .timestamp_ns = at.wall_ns,
                            .seq = ws_seq(gateway->hub, WS_SENSOR_DATA, true),
                            .trace = at.trace,
                            .age_ms = latest_age_ms(&at, now_ns),
                            .born_ns = at.born_ns};

  if (known && known->status.has_code && !data->has_code) {
    data->has_code = true;
    snprintf(data->code, sizeof data->code, "%s", known->status.code);
  }
  ws_broadcast(gateway->hub, ws_frame_new(&envelope, &HTTP_WS_SENSOR_DESC, data, data->sensor_id,
                                          &gateway->feed->scratch));
}

static void on_scan(const frame_t *frame, const void *body, void *arg) {
  const sensor_scan_t *scan = body;
  gateway_t *gateway = arg;
  http_ws_sensor_t data;

  gateway->latest->scan = *scan;
  gateway->latest->scan_at = latest_stamp(frame, clock_mono_ns());
  if (!feed_sensor_is_due(gateway, scan->sensor)) return;
  feed_scan(scan, &gateway->feed->data, &data);
  feed_sensor_send(gateway, frame, &data);
}

static void on_imu(const frame_t *frame, const void *body, void *arg) {
  const sensor_imu_t *imu = body;
  gateway_t *gateway = arg;
  http_ws_sensor_t data;

  if (!feed_sensor_is_due(gateway, imu->sensor)) return;
  feed_imu(imu, &gateway->feed->data, &data);
  feed_sensor_send(gateway, frame, &data);
}

static void on_range(const frame_t *frame, const void *body, void *arg) {
  const sensor_range_t *range = body;
  gateway_t *gateway = arg;
  http_ws_sensor_t data;

  if (!feed_sensor_is_due(gateway, range->sensor)) return;
  feed_range(range, &gateway->feed->data, &data);
  feed_sensor_send(gateway, frame, &data);
}

static void on_value(const frame_t *frame, const void *body, void *arg) {
  const sensor_value_t *value = body;
  gateway_t *gateway = arg;
  http_ws_sensor_t data;

  if (!feed_sensor_is_due(gateway, value->sensor)) return;
  feed_value(value, &gateway->feed->data, &data);
  feed_sensor_send(gateway, frame, &data);
}

static void on_tag(const frame_t *frame, const void *body, void *arg) {
  const sensor_tag_t *tag = body;
  gateway_t *gateway = arg;
  http_ws_sensor_t data;

  if (!feed_sensor_is_due(gateway, tag->sensor)) return;
  feed_tag(tag, &gateway->feed->data, &data);
  feed_sensor_send(gateway, frame, &data);
}

static void on_patch(const frame_t *frame, const void *body, void *arg) {
  const map_patch_t *patch = body;
  gateway_t *gateway = arg;
  buf_t *cells = &gateway->feed->data;
  stamp_t at = latest_stamp(frame, clock_mono_ns());
  http_ws_map_update_t update = {.revision = patch->revision,
                                 .previous = patch->previous,
                                 .resolution = patch->resolution * VIEW_MM,
                                 .column = patch->column,
                                 .row = patch->row,
                                 .width = patch->width,
                                 .height = patch->height};
  ws_envelope_t envelope = {.type = WS_MAP_UPDATE,
                            .source = "mapper",
                            .timestamp_ns = at.wall_ns,
                            .trace = at.trace,
                            .age_ms = -1};

  active_map_told(gateway->active_map, patch);
  if (!ws_is_heard(gateway->hub, WS_MAP_UPDATE)) return;
  buf_reset(cells);
  if (view_grid_runs(&patch->cells, patch->width, patch->height, cells) != GANTRY_OK) {
    log_warn("PATCH-BROKEN", "a patch of %s does not fill its rectangle", patch->map_id);
    return;
  }
  envelope.seq = ws_seq(gateway->hub, WS_MAP_UPDATE, true);
  snprintf(update.map_id, sizeof update.map_id, "%s", patch->map_id);
  update.occupancy_grid = (blob_t){.data = cells->data, .len = cells->len};
  ws_broadcast(gateway->hub, ws_frame_new(&envelope, &HTTP_WS_MAP_UPDATE_DESC, &update, "",
                                          &gateway->feed->scratch));
}

/* Sweeps are always heard: the newest answers requests. */
void feed_hear_sensors(gateway_t *gateway, bool on) {
  bus_t *bus = gateway->service->bus;

  if (gateway->feed->hears_sensors == on) return;
  gateway->feed->hears_sensors = on;
  bus_hear(bus, TOPIC_SENSOR_IMU, on_imu, on);
  bus_hear(bus, TOPIC_SENSOR_RANGE, on_range, on);
  bus_hear(bus, TOPIC_SENSOR_VALUE, on_value, on);
  bus_hear(bus, TOPIC_SENSOR_TAG, on_tag, on);
  feed_hear_batches(gateway, on);
}

gantry_err_t feed_data_start(gateway_t *gateway, gantry_fault_t *fault) {
  const feed_row_t ROWS[] = {
      {TOPIC_MAP_PATCH, on_patch},    {TOPIC_SENSOR_SCAN, on_scan},   {TOPIC_SENSOR_IMU, on_imu},
      {TOPIC_SENSOR_RANGE, on_range}, {TOPIC_SENSOR_VALUE, on_value}, {TOPIC_SENSOR_TAG, on_tag},
  };

  return feed_subscribe(gateway, ROWS, sizeof ROWS / sizeof ROWS[0], fault);
}
