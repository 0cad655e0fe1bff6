/* Bounds of the specification. */
#include "limits.h"

#include <math.h>

static const limit_t DEFAULTS[LIMITS_FIELD_COUNT] = {
    [LIMITS_SIGNAL] = {0, 1, 0},
    [LIMITS_TAG_DISTANCE] = {0, 1.0, 0},
    [LIMITS_TAG_ANGLE] = {-M_PI, M_PI, 0},
    [LIMITS_ACCELERATION] = {-20, 20, 400},
    [LIMITS_MAGNITUDE] = {0, 30, 0},
    [LIMITS_PROXIMITY] = {0, 1.0, 20},
    [LIMITS_PROXIMITY_CONFIDENCE] = {0, 1, 0},
    [LIMITS_RANGE] = {0, 40, 0},
    [LIMITS_LIDAR_RESOLUTION] = {0.1, 10, 0},
    [LIMITS_LIDAR_MAX_RANGE] = {10, 1000, 0},
    [LIMITS_LIDAR_MIN_RANGE] = {0.1, 100, 0},
};

limits_t limits_default(void) {
  limits_t limits;
  for (int i = 0; i < LIMITS_FIELD_COUNT; i++)
    limits.fields[i] = DEFAULTS[i];
  return limits;
}

limits_verdict_t limit_check(const limit_t *limit, double value) {
  bool inside = isfinite(value) && value >= limit->min && value <= limit->max;
  return inside ? LIMITS_VALID : LIMITS_OUTSIDE;
}
