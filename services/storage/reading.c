/* Turns readings into rows. */
#include "reading.h"

#include <gantry/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MM_PER_M    1000.0
#define DEG_PER_RAD (180.0 / M_PI)
#define DATA_MAX    65535u /* sensor.reading */

void row_from_frame(row_t *row, const frame_t *frame) {
  const sys_header_t *header = &frame->header;
  row->ts_us = header->wall / 1000;
  row->trace = header->trace;
  row->boot = header->boot;
  row->seq = header->seq;
  snprintf(row->service, sizeof row->service, "%s", header->from);
  snprintf(row->robot, sizeof row->robot, "%s", header->robot);
}

static void begin(row_t *row, const char *sensor, const char *type, double quality,
                  sensor_validity_t validity, sys_source_t source) {
  row->kind = ROW_READING;
  row->reading = (row_reading_t){.quality = quality, .validity = validity, .source = source};
  snprintf(row->reading.sensor, sizeof row->reading.sensor, "%s", sensor);
  snprintf(row->reading.type, sizeof row->reading.type, "%s", type);
}

/* Hands the buffer's text to the row. */
static bool finish(row_t *row, buf_t *buf) {
  buf_put_byte(buf, 0);
  if (buf_err(buf) != GANTRY_OK) {
    buf_fini(buf);
    return false;
  }
  row->data = buf->data;
  return true;
}

static void put_number(buf_t *buf, const char *key, double value) {
  buf_printf(buf, "%s\"%s\":", buf->len > 1 ? "," : "", key);
  json_write_number(buf, value);
}

static void put_bool(buf_t *buf, const char *key, bool value) {
  buf_printf(buf, "%s\"%s\":%s", buf->len > 1 ? "," : "", key, value ? "true" : "false");
}

static void put_text(buf_t *buf, const char *key, const char *value) {
  buf_printf(buf, "%s\"%s\":", buf->len > 1 ? "," : "", key);
  json_write_text(buf, value, strlen(value));
}

bool reading_from_scan(row_t *row, const sensor_scan_t *scan) {
  buf_t buf = {.limit = DATA_MAX + 1};
  begin(row, scan->sensor, "lidar", scan->quality, SENSOR_VALIDITY_VALID, scan->source);
  buf_put_text(&buf, "{\"scan_data\":[");
  for (uint32_t i = 0; i < scan->ranges_count; i++)
    buf_printf(&buf, "%s%.0f", i ? "," : "", (double)scan->ranges[i] * MM_PER_M);
  buf_put_text(&buf, "],\"angles\":[");
  for (uint32_t i = 0; i < scan->angles_count; i++)
    buf_printf(&buf, "%s%.1f", i ? "," : "", (double)scan->angles[i] * DEG_PER_RAD);
  buf_put_text(&buf, "]");
  put_number(&buf, "rejected", scan->rejected);
  put_number(&buf, "obstacle_count", scan->obstacles);
  buf_put_text(&buf, "}");
  return finish(row, &buf);
}

bool reading_from_imu(row_t *row, const sensor_imu_t *imu) {
  buf_t buf = {.limit = DATA_MAX + 1};
  begin(row, imu->sensor, "accelerometer", imu->quality, imu->validity, imu->source);
  buf_put_text(&buf, "{");
  put_number(&buf, "x", imu->x);
  put_number(&buf, "y", imu->y);
  put_number(&buf, "z", imu->z);
  if (imu->has_yaw_rate) put_number(&buf, "yaw_rate", imu->yaw_rate);
  put_bool(&buf, "is_moving", imu->moving);
  buf_put_text(&buf, "}");
  return finish(row, &buf);
}

bool reading_from_range(row_t *row, const sensor_range_t *range) {
  buf_t buf = {.limit = DATA_MAX + 1};
  begin(row, range->sensor, desc_enum_text(&SENSOR_TYPE_ENUM, (int)range->type), range->quality,
        range->validity, range->source);
  row->reading.has_value = range->valid;
  row->reading.value = range->range;
  buf_put_text(&buf, "{");
  if (range->valid) put_number(&buf, "distance", range->range * MM_PER_M);
  put_bool(&buf, "obstacle_detected", range->obstacle);
  put_number(&buf, "confidence", range->quality);
  buf_put_text(&buf, "}");
  return finish(row, &buf);
}

bool reading_from_value(row_t *row, const sensor_value_t *value) {
  begin(row, value->sensor, "value", value->quality, value->validity, value->source);
  row->reading.has_value = true;
  row->reading.value = value->value;
  snprintf(row->reading.unit, sizeof row->reading.unit, "%s", value->unit);
  row->data = NULL;
  return true;
}

bool reading_from_tag(row_t *row, const sensor_tag_t *tag) {
  buf_t buf = {.limit = DATA_MAX + 1};
  begin(row, tag->sensor, "rfid", tag->quality, SENSOR_VALIDITY_VALID, tag->source);
  buf_put_text(&buf, "{");
  put_text(&buf, "rfid_id", tag->tag);
  put_number(&buf, "signal_strength", tag->signal);
  put_number(&buf, "position_confidence", tag->confidence);
  buf_put_text(&buf, "}");
  return finish(row, &buf);
}

bool reading_from_power(row_t *row, const robot_power_t *power) {
  buf_t buf = {.limit = DATA_MAX + 1};
  begin(row, "robot.power", "power", 1.0, SENSOR_VALIDITY_VALID, power->source);
  row->reading.has_value = true;
  row->reading.value = power->charge;
  if (json_write(&ROBOT_POWER_DESC, power, &buf) != GANTRY_OK) {
    buf_fini(&buf);
    return false;
  }
  return finish(row, &buf);
}

bool reading_from_module(row_t *row, const robot_module_t *module) {
  buf_t buf = {.limit = DATA_MAX + 1};
  begin(row, "", "module", 1.0, SENSOR_VALIDITY_VALID, SYS_SOURCE_HARDWARE);
  snprintf(row->reading.sensor, sizeof row->reading.sensor, "robot.module.%u", module->address);
  row->reading.has_value = true;
  row->reading.value = module->health;
  if (json_write(&ROBOT_MODULE_DESC, module, &buf) != GANTRY_OK) {
    buf_fini(&buf);
    return false;
  }
  return finish(row, &buf);
}
