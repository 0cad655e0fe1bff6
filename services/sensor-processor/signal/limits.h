/* Limits: which values a sensor of a family can plausibly report, and how fast they can change
   (judged by its chain). Table driven; SI units. Pure. */
#ifndef SENSOR_LIMITS_H
#define SENSOR_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

/* What is checked. The order is that of the table and of the settings. */
typedef enum limits_field {
  LIMITS_SIGNAL,               /* rfid, 0 .. 1 */
  LIMITS_TAG_DISTANCE,         /* rfid, m */
  LIMITS_TAG_ANGLE,            /* rfid, rad */
  LIMITS_ACCELERATION,         /* accelerometer, one axis, m/s2 */
  LIMITS_MAGNITUDE,            /* accelerometer, length of the vector, m/s2 */
  LIMITS_PROXIMITY,            /* proximity, m */
  LIMITS_PROXIMITY_CONFIDENCE, /* proximity, 0 .. 1 */
  LIMITS_RANGE,                /* other distance sensors, m */
  LIMITS_LIDAR_RESOLUTION,     /* lidar, degrees a step as the API gives it */
  LIMITS_LIDAR_MAX_RANGE,      /* lidar, as the API gives it */
  LIMITS_LIDAR_MIN_RANGE,      /* lidar, as the API gives it */
  LIMITS_FIELD_COUNT
} limits_field_t;

typedef enum limits_verdict {
  LIMITS_VALID,   /* within bounds */
  LIMITS_OUTSIDE, /* out of bounds, or no number */
} limits_verdict_t;

typedef struct limit {
  double min, max;   /* inclusive */
  double per_second; /* fastest change; 0: any */
} limit_t;

typedef struct limits {
  limit_t fields[LIMITS_FIELD_COUNT];
} limits_t;

/* NaN and infinity are LIMITS_OUTSIDE. */
limits_verdict_t limit_check(const limit_t *limit, double value);

#endif
