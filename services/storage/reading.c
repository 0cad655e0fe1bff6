/* Turns states of the robot into rows. */
#include "reading.h"

#include <gantry/json.h>
#include <stdio.h>
#include <stdlib.h>

#define DATA_MAX 65535u /* sensor.reading */

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
