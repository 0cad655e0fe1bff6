/* Sensor messages as the door shows them. Pure. */
#ifndef GATEWAY_FEED_SENSORS_H
#define GATEWAY_FEED_SENSORS_H

#include <gantry/buf.h>
#include <messages.h>

/* Each fills out, its data written into json (emptied first): millimetres and degrees, as the API's
   users know sensor payloads. */
void feed_scan(const sensor_scan_t *scan, buf_t *json, http_ws_sensor_t *out);
void feed_imu(const sensor_imu_t *imu, buf_t *json, http_ws_sensor_t *out);
void feed_range(const sensor_range_t *range, buf_t *json, http_ws_sensor_t *out);
void feed_value(const sensor_value_t *value, buf_t *json, http_ws_sensor_t *out);
void feed_tag(const sensor_tag_t *tag, buf_t *json, http_ws_sensor_t *out);

#endif
