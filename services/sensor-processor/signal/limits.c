/* A value against its bounds. */
#include "limits.h"

#include <math.h>

limits_verdict_t limit_check(const limit_t *limit, double value) {
  bool inside = isfinite(value) && value >= limit->min && value <= limit->max;
  return inside ? LIMITS_VALID : LIMITS_OUTSIDE;
}
