/* Telemetry at the door: sources out of the newest values, records out of storage, the newest
   sweep. Pure; time is an argument. */
#ifndef GATEWAY_TELEMETRY_VIEW_H
#define GATEWAY_TELEMETRY_VIEW_H

#include <gantry/catalogue.h>

#include "latest.h"

/* One source of telemetry. */
typedef struct telemetry_source {
  const char *name;
  const char *service;
  const topic_t *topic;
  latest_rate_t rate;
  size_t at, value; /* offsets of its stamp and its message in latest_t */
} telemetry_source_t;

extern const telemetry_source_t TELEMETRY_SOURCES[];
extern const size_t TELEMETRY_SOURCE_COUNT;

const stamp_t *telemetry_stamp(const telemetry_source_t *source, const latest_t *latest);
const void *telemetry_value(const telemetry_source_t *source, const latest_t *latest);

void view_telemetry_performance(const latest_t *latest, uint64_t now_ns,
                                http_telemetry_performance_t *out);
/* A stored record. GANTRY_E_SCHEMA when it is none of telemetry. */
gantry_err_t view_telemetry_row(const store_readings_row_t *row, http_telemetry_row_t *out);
/* Returns and obstacles: runs of at least three neighbouring returns no more than 0.3 m apart. */
void view_lidar_scan(const sensor_scan_t *scan, http_lidar_scan_t *out);

#endif
