/* Turns readings into rows. */
#include "reading_row.h"

#include <gantry/json.h>
#include <math.h>
#include <string.h>

#define MM_PER_M    1000.0
#define DEG_PER_RAD (180.0 / M_PI)
#define DATA_MAX    65535u /* sensor.reading */

static void begin(buf_t *json) {
  json->limit = DATA_MAX;
  buf_reset(json);
  buf_put_text(json, "{");
}

static bool finish(buf_t *json, recorder_row_t *row) {
  buf_put_text(json, "}");
  row->json = (const char *)json->data;
  row->json_len = json->len;
  return buf_err(json) == GANTRY_OK;
}

static void put_key(buf_t *json, const char *key) {
  buf_printf(json, "%s\"%s\":", json->len > 1 ? "," : "", key);
}

static void put_number(buf_t *json, const char *key, double value) {
  put_key(json, key);
  json_write_number(json, value);
}

static void put_bool(buf_t *json, const char *key, bool value) {
  put_key(json, key);
  buf_put_text(json, value ? "true" : "false");
}

static void put_text(buf_t *json, const char *key, const char *value) {
  put_key(json, key);
  json_write_text(json, value, strlen(value));
}

bool reading_row_scan(const sensor_scan_t *scan, buf_t *json, recorder_row_t *out) {
  *out = (recorder_row_t){.sensor = scan->sensor,
                          .code = "lidar",
                          .unit = "",
                          .family = SENSOR_TYPE_LIDAR,
                          .source = scan->source,
                          .quality = (float)scan->quality};
  begin(json);
  buf_put_text(json, "\"scan_data\":[");
  for (uint32_t i = 0; i < scan->ranges_count; i++)
    buf_printf(json, "%s%.0f", i ? "," : "", (double)scan->ranges[i] * MM_PER_M);
  buf_put_text(json, "],\"angles\":[");
  for (uint32_t i = 0; i < scan->angles_count; i++)
    buf_printf(json, "%s%.1f", i ? "," : "", (double)scan->angles[i] * DEG_PER_RAD);
  buf_put_text(json, "]");
  put_number(json, "rejected", scan->rejected);
  put_number(json, "obstacle_count", scan->obstacles);
  return finish(json, out);
}

bool reading_row_imu(const sensor_imu_t *imu, buf_t *json, recorder_row_t *out) {
  *out = (recorder_row_t){.sensor = imu->sensor,
                          .code = "accelerometer",
                          .unit = "",
                          .family = SENSOR_TYPE_ACCELEROMETER,
                          .source = imu->source,
                          .quality = (float)imu->quality,
                          .validity = imu->validity};
  begin(json);
  put_number(json, "x", imu->x);
  put_number(json, "y", imu->y);
  put_number(json, "z", imu->z);
  if (imu->has_yaw_rate) put_number(json, "yaw_rate", imu->yaw_rate);
  put_bool(json, "is_moving", imu->moving);
  return finish(json, out);
}

bool reading_row_range(const sensor_range_t *range, buf_t *json, recorder_row_t *out) {
  *out = (recorder_row_t){.sensor = range->sensor,
                          .code = desc_enum_text(&SENSOR_TYPE_ENUM, (int)range->type),
                          .unit = "m",
                          .family = range->type,
                          .source = range->source,
                          .has_value = range->valid,
                          .value = range->range,
                          .quality = (float)range->quality,
                          .validity = range->validity};
  begin(json);
  if (range->valid) put_number(json, "distance", range->range * MM_PER_M);
  put_bool(json, "obstacle_detected", range->obstacle);
  put_number(json, "confidence", range->quality);
  return finish(json, out);
}

bool reading_row_tag(const sensor_tag_t *tag, buf_t *json, recorder_row_t *out) {
  *out = (recorder_row_t){.sensor = tag->sensor,
                          .code = "rfid",
                          .unit = "",
                          .family = SENSOR_TYPE_RFID,
                          .source = tag->source,
                          .quality = (float)tag->quality};
  begin(json);
  put_text(json, "rfid_id", tag->tag);
  put_number(json, "signal_strength", tag->signal);
  put_number(json, "position_confidence", tag->confidence);
  return finish(json, out);
}

void reading_row_value(const sensor_value_t *value, const char *code, recorder_row_t *out) {
  *out = (recorder_row_t){.sensor = value->sensor,
                          .code = code,
                          .unit = value->unit,
                          .family = SENSOR_TYPE_VALUE,
                          .source = value->source,
                          .has_value = true,
                          .value = value->value,
                          .quality = (float)value->quality,
                          .validity = value->validity};
}
