/* Payloads of `sensor_data` frames. */
#include "feed_sensors.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gantry/json.h>

static void fill(http_ws_sensor_t *out, sensor_type_t type, const char *sensor, double quality,
                 sys_source_t source, const buf_t *json) {
  memset(out, 0, sizeof *out);
  out->sensor_type = type;
  snprintf(out->sensor_id, sizeof out->sensor_id, "%s", sensor);
  out->quality = quality;
  out->source = source;
  out->data = (blob_t){.data = json->data, .len = json->len};
}

static void put_number(buf_t *json, const char *key, double value) {
  buf_printf(json, "%s\"%s\":", json->len > 1 ? "," : "", key);
  json_write_number(json, value);
}

static void put_text(buf_t *json, const char *key, const char *value) {
  buf_printf(json, "%s\"%s\":", json->len > 1 ? "," : "", key);
  json_write_text(json, value, strlen(value));
}

static void put_bool(buf_t *json, const char *key, bool value) {
  buf_printf(json, "%s\"%s\":%s", json->len > 1 ? "," : "", key, value ? "true" : "false");
}

static void begin(buf_t *json) {
  buf_reset(json);
  buf_put_byte(json, '{');
}

/* Rays without a return are left out. A hundredth of a degree and a millimetre are finer than any
   scanner here. */
void feed_scan(const sensor_scan_t *scan, buf_t *json, http_ws_sensor_t *out) {
  bool first = true;

  begin(json);
  buf_put_text(json, "\"scan_data\":[");
  for (uint32_t i = 0; i < scan->ranges_count && i < scan->angles_count; i++) {
    if (scan->ranges[i] <= 0) continue;
    unsigned quality = i < scan->qualities_count ? scan->qualities[i] : 0;
    buf_printf(json, "%s{\"angle\":%.2f,\"distance\":%.0f,\"quality\":%u}", first ? "" : ",",
               (double)scan->angles[i] * 180 / M_PI, (double)scan->ranges[i] * 1000, quality);
    first = false;
  }
  buf_put_byte(json, ']');
  put_number(json, "obstacle_count", scan->obstacles);
  put_number(json, "seq", (double)scan->seq);
  buf_put_byte(json, '}');
  fill(out, SENSOR_TYPE_LIDAR, scan->sensor, scan->quality, scan->source, json);
}

void feed_imu(const sensor_imu_t *imu, buf_t *json, http_ws_sensor_t *out) {
  begin(json);
  put_number(json, "x", imu->x);
  put_number(json, "y", imu->y);
  put_number(json, "z", imu->z);
  if (imu->has_yaw_rate) put_number(json, "yaw_rate", imu->yaw_rate);
  put_bool(json, "is_moving", imu->moving);
  buf_put_byte(json, '}');
  fill(out, SENSOR_TYPE_ACCELEROMETER, imu->sensor, imu->quality, imu->source, json);
}

void feed_range(const sensor_range_t *range, buf_t *json, http_ws_sensor_t *out) {
  begin(json);
  if (range->valid) put_number(json, "distance", range->range * 1000);
  put_bool(json, "valid", range->valid);
  put_bool(json, "obstacle_detected", range->obstacle);
  buf_put_byte(json, '}');
  fill(out, range->type, range->sensor, range->quality, range->source, json);
}

void feed_value(const sensor_value_t *value, buf_t *json, http_ws_sensor_t *out) {
  begin(json);
  put_number(json, "value", value->value);
  put_text(json, "unit", value->unit);
  buf_put_byte(json, '}');
  fill(out, SENSOR_TYPE_VALUE, value->sensor, value->quality, value->source, json);
}

void feed_tag(const sensor_tag_t *tag, buf_t *json, http_ws_sensor_t *out) {
  begin(json);
  put_text(json, "rfid_id", tag->tag);
  put_number(json, "signal_strength", tag->signal);
  put_number(json, "position_confidence", tag->confidence);
  buf_put_byte(json, '}');
  fill(out, SENSOR_TYPE_RFID, tag->sensor, tag->quality, tag->source, json);
}

/* ---- objects out of batches */

static bool has_topic(const char *code) {
  int family = desc_enum_value(&SENSOR_TYPE_ENUM, code, strlen(code));

  return family >= 0 && family != SENSOR_TYPE_VALUE && family != SENSOR_TYPE_OBJECT;
}

static bool step(const sensor_readings_t *batch, feed_object_t *object) {
  const char *objects = (const char *)batch->objects.data;

  if (object->next >= batch->which_objects_count) return false;
  object->row = batch->which_objects[object->next++];
  if (object->row >= batch->which_count || object->offset >= batch->objects.len) return false;
  if (batch->which[object->row] >= batch->series_count) return false;
  object->series = &batch->series[batch->which[object->row]];
  object->json = objects + object->offset;
  object->len = strnlen(object->json, batch->objects.len - object->offset);
  object->offset += object->len + 1;
  return object->row < batch->time_count && object->row < batch->quality_count &&
         object->row < batch->validity_count;
}

bool feed_next_object(const sensor_readings_t *batch, feed_object_t *object) {
  while (step(batch, object))
    if (!has_topic(object->series->type)) return true;
  return false;
}

void feed_object(const sensor_readings_t *batch, const feed_object_t *object,
                 http_ws_sensor_t *out) {
  const sensor_series_key_t *series = object->series;
  uint8_t validity = batch->validity[object->row];

  memset(out, 0, sizeof *out);
  out->sensor_type = SENSOR_TYPE_OBJECT;
  snprintf(out->sensor_id, sizeof out->sensor_id, "%s", series->sensor);
  snprintf(out->code, sizeof out->code, "%s", series->type);
  snprintf(out->session_id, sizeof out->session_id, "%s", series->session);
  out->has_code = true;
  out->has_session_id = series->session[0] != '\0';
  out->data = (blob_t){.data = (const uint8_t *)object->json, .len = object->len};
  out->quality = (double)batch->quality[object->row];
  out->source = series->source;
  out->has_status = validity < SENSOR_VALIDITY_COUNT;
  out->status = out->has_status ? (sensor_validity_t)validity : SENSOR_VALIDITY_ERROR;
  out->has_timestamp = true;
  out->timestamp = batch->time[object->row];
}
