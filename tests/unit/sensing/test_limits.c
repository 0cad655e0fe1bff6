/* Bounds and rates of change. */
#include <math.h>

#include <criterion/criterion.h>

#include "defaults.h"

Test(limits, takes_what_lies_on_the_bounds) {
  limit_t limit = {-1, 2, 0};

  cr_assert_eq(limit_check(&limit, -1), LIMITS_VALID);
  cr_assert_eq(limit_check(&limit, 2), LIMITS_VALID);
}

Test(limits, refuses_what_lies_outside_or_is_no_number) {
  limit_t limit = {-1, 2, 0};

  cr_assert_eq(limit_check(&limit, 2.001), LIMITS_OUTSIDE);
  cr_assert_eq(limit_check(&limit, -1.001), LIMITS_OUTSIDE);
  cr_assert_eq(limit_check(&limit, NAN), LIMITS_OUTSIDE);
  cr_assert_eq(limit_check(&limit, INFINITY), LIMITS_OUTSIDE);
}

Test(limits, holds_the_bounds_of_the_specification) {
  limits_t limits = default_limits();

  cr_assert_eq(limits.fields[LIMITS_SIGNAL].max, 1);
  cr_assert_eq(limits.fields[LIMITS_TAG_DISTANCE].max, 1.0);
  cr_assert_eq(limits.fields[LIMITS_ACCELERATION].min, -20);
  cr_assert_eq(limits.fields[LIMITS_MAGNITUDE].max, 30);
  cr_assert_eq(limits.fields[LIMITS_PROXIMITY].max, 1.0);
  cr_assert_eq(limits.fields[LIMITS_LIDAR_MAX_RANGE].min, 10);
}
