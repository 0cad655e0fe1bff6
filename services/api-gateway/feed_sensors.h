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

/* Walks the objects of a batch whose types are not those of the topics above. Begins zeroed. */
typedef struct feed_object {
  uint32_t next; /* of which_objects */
  size_t offset; /* of the next object's text */
  uint32_t row;  /* the one at hand */
  const sensor_series_key_t *series;
  const char *json;
  size_t len;
} feed_object_t;

/* The next one; false at the end, or where the batch does not hold what it says. */
bool feed_next_object(const sensor_readings_t *batch, feed_object_t *object);
/* Its frame; data is borrowed from the batch. */
void feed_object(const sensor_readings_t *batch, const feed_object_t *object,
                 http_ws_sensor_t *out);

#endif
