/* Rows, rates and sweeps. */
#include "telemetry_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/json.h>

#define OBSTACLE_GAP_M 0.3f /* as sensor-processor counts them by default */

enum { OBSTACLE_POINTS = 3 };

#define SOURCE(name, service, topic, rate, at, value)                                              \
  { name, service, topic, rate, offsetof(latest_t, at), offsetof(latest_t, value) }

const telemetry_source_t TELEMETRY_SOURCES[] = {
    SOURCE("motion", "rs485-bridge", TOPIC_ROBOT_MOTION, LATEST_RATE_MOTION, motion_at, motion),
    SOURCE("power", "rs485-bridge", TOPIC_ROBOT_POWER, LATEST_RATE_POWER, power_at, power),
    SOURCE("safety", "rs485-bridge", TOPIC_ROBOT_SAFETY, LATEST_RATE_SAFETY, safety_at, safety),
    SOURCE("status", "rs485-bridge", TOPIC_ROBOT_STATUS, LATEST_RATE_STATUS, status_at, status),
    SOURCE("led", "rs485-bridge", TOPIC_ROBOT_LED, LATEST_RATE_LED, led_at, led),
    SOURCE("discovery", "rs485-bridge", TOPIC_ROBOT_DISCOVERY, LATEST_RATE_DISCOVERY, discovery_at,
           discovery),
    SOURCE("position", "localization", TOPIC_LOC_POSE, LATEST_RATE_POSE, pose_at, pose),
    SOURCE("localization", "localization", TOPIC_LOC_STATUS, LATEST_RATE_LOCALIZATION,
           loc_status_at, loc_status),
    SOURCE("map", "mapper", TOPIC_MAP_STATUS, LATEST_RATE_MAP, map_status_at, map_status),
    SOURCE("session", "sensor-processor", TOPIC_SESSION_STATUS, LATEST_RATE_SESSION, session_at,
           session),
};
const size_t TELEMETRY_SOURCE_COUNT = sizeof TELEMETRY_SOURCES / sizeof TELEMETRY_SOURCES[0];

const stamp_t *telemetry_stamp(const telemetry_source_t *source, const latest_t *latest) {
  return (const stamp_t *)(const void *)((const char *)latest + source->at);
}

const void *telemetry_value(const telemetry_source_t *source, const latest_t *latest) {
  return (const char *)latest + source->value;
}

void view_telemetry_performance(const latest_t *latest, uint64_t now_ns,
                                http_telemetry_performance_t *out) {
  memset(out, 0, sizeof *out);
  for (size_t i = 0; i < TELEMETRY_SOURCE_COUNT; i++) {
    const telemetry_source_t *source = &TELEMETRY_SOURCES[i];
    const stamp_t *at = telemetry_stamp(source, latest);
    http_telemetry_source_t *row = &out->sources[out->sources_count++];
    snprintf(row->source, sizeof row->source, "%s", source->name);
    row->rate_hz = latest_rate_hz(latest, source->rate, now_ns);
    row->expected_hz = source->topic->rate_hz;
    row->has_age_ms = at->known;
    row->age_ms = latest_age_ms(at, now_ns);
  }
}

/* ---- records */

static const char *safety_word(const robot_telemetry_t *telemetry) {
  if (telemetry->latched) return "emergency";
  return telemetry->zone == ROBOT_ZONE_NONE ? "normal" : "warning";
}

gantry_err_t view_telemetry_row(const store_readings_row_t *row, http_telemetry_row_t *out) {
  robot_telemetry_t telemetry;
  gantry_fault_t fault = {0};

  if (!row->has_data) return GANTRY_E_SCHEMA;
  GANTRY_TRY(json_read(&ROBOT_TELEMETRY_DESC, (const char *)row->data.data,
                       strnlen((const char *)row->data.data, row->data.len), false, &telemetry,
                       &fault));
  *out = (http_telemetry_row_t){.timestamp = row->time,
                                .mode = telemetry.mode,
                                .has_motor_speed = telemetry.has_speed,
                                .motor_speed = telemetry.speed,
                                .motor_setpoint = telemetry.setpoint,
                                .has_dock_status = telemetry.has_docked,
                                .has_battery_level = telemetry.has_charge,
                                .battery_level = telemetry.charge * 100,
                                .has_battery_voltage = telemetry.has_voltage,
                                .battery_voltage = telemetry.voltage,
                                .has_battery_current = telemetry.has_current,
                                .battery_current = telemetry.current,
                                .has_battery_temperature = telemetry.has_temperature,
                                .battery_temperature = telemetry.temperature};
  snprintf(out->robot_status, sizeof out->robot_status, "%s",
           telemetry.latched ? "emergency_stop"
                             : desc_enum_text(&ROBOT_WORD_ENUM, (int)telemetry.word));
  snprintf(out->safety_status, sizeof out->safety_status, "%s", safety_word(&telemetry));
  snprintf(out->dock_status, sizeof out->dock_status, "%s",
           telemetry.docked ? "docked" : "undocked");
  return GANTRY_OK;
}

/* ---- the newest sweep */

static float degrees(float rad) {
  return rad * (float)(180 / M_PI);
}

static float apart_m(const http_lidar_point_t *a, const http_lidar_point_t *b) {
  float turn = (a->angle - b->angle) * (float)(M_PI / 180);
  float square = a->distance * a->distance + b->distance * b->distance -
                 2 * a->distance * b->distance * cosf(turn);

  return sqrtf(fmaxf(square, 0));
}

static int by_distance(const void *a, const void *b) {
  float left = ((const http_lidar_obstacle_t *)a)->distance;
  float right = ((const http_lidar_obstacle_t *)b)->distance;

  return (left > right) - (left < right);
}

static http_lidar_obstacle_t obstacle_of(const http_lidar_point_t *points, uint32_t count) {
  const http_lidar_point_t *nearest = points;

  for (uint32_t i = 1; i < count; i++)
    if (points[i].distance < nearest->distance) nearest = &points[i];
  return (http_lidar_obstacle_t){.angle = nearest->angle,
                                 .distance = nearest->distance,
                                 .width = apart_m(&points[0], &points[count - 1]),
                                 .points = count};
}

static void find_obstacles(http_lidar_scan_t *out) {
  enum { ROOM = sizeof out->obstacles / sizeof out->obstacles[0], ALL = 2048 / OBSTACLE_POINTS };
  http_lidar_obstacle_t all[ALL + 1];
  uint32_t count = 0;

  for (uint32_t first = 0, end; first < out->points_count; first = end) {
    for (end = first + 1; end < out->points_count; end++)
      if (apart_m(&out->points[end - 1], &out->points[end]) > OBSTACLE_GAP_M) break;
    if (end - first >= OBSTACLE_POINTS)
      all[count++] = obstacle_of(&out->points[first], end - first);
  }
  qsort(all, count, sizeof all[0], by_distance);
  out->obstacle_count = count;
  out->obstacles_count = count < ROOM ? count : ROOM;
  memcpy(out->obstacles, all, out->obstacles_count * sizeof all[0]);
}

void view_lidar_scan(const sensor_scan_t *scan, http_lidar_scan_t *out) {
  memset(out, 0, sizeof *out);
  snprintf(out->sensor_id, sizeof out->sensor_id, "%s", scan->sensor);
  out->source = scan->source;
  out->seq = scan->seq;
  out->scan_quality = scan->quality;
  out->rejected = scan->rejected;
  for (uint32_t i = 0; i < scan->ranges_count && i < scan->angles_count; i++) {
    if (scan->ranges[i] <= 0) continue;
    out->points[out->points_count++] =
        (http_lidar_point_t){.angle = degrees(scan->angles[i]),
                             .distance = scan->ranges[i],
                             .intensity = i < scan->qualities_count ? scan->qualities[i] : 0};
  }
  find_obstacles(out);
}
