/* Scan to points: gates, mount, thinning, capacity. */
#include <math.h>

#include <criterion/criterion.h>

#include <gantry/slam/points.h>

static points_t points;
static const pose2_t AT_CENTRE = {0};

static void scan(const float *angle_rad, const float *range_m, uint32_t count, pose2_t mount) {
  points_gate_t gate = {.min_m = 0.1, .max_m = 12.0, .spacing_m = 0.03};
  points_from_scan(&points, angle_rad, range_m, count, mount, &gate);
}

Test(points, lie_where_the_ray_ended) {
  const float angle[] = {0.0f, (float)M_PI / 2};
  const float range[] = {2.0f, 3.0f};

  scan(angle, range, 2, AT_CENTRE);

  cr_assert_eq(points.count, 2);
  cr_assert_float_eq(points.x_m[0], 2.0, 1e-6);
  cr_assert_float_eq(points.y_m[0], 0.0, 1e-6);
  cr_assert_float_eq(points.x_m[1], 0.0, 1e-6);
  cr_assert_float_eq(points.y_m[1], 3.0, 1e-6);
}

Test(points, go_through_the_mount) {
  const float angle[] = {0.0f};
  const float range[] = {2.0f};

  scan(angle, range, 1, (pose2_t){.x = 0.5, .y = -0.25, .theta = M_PI / 2});

  cr_assert_float_eq(points.x_m[0], 0.5, 1e-6);
  cr_assert_float_eq(points.y_m[0], 1.75, 1e-6);
  cr_assert_float_eq(points.origin_x_m, 0.5, 1e-6);
  cr_assert_float_eq(points.origin_y_m, -0.25, 1e-6);
}

Test(points, leave_out_what_is_no_return) {
  const float angle[] = {0.0f, 0.1f, 0.2f, 0.3f, 0.4f, 0.5f, NAN};
  const float range[] = {0.0f, NAN, INFINITY, 0.05f, 12.0f, -1.0f, 1.0f};

  scan(angle, range, 7, AT_CENTRE);

  cr_assert_eq(points.count, 0);
  cr_assert_eq(points.dropped, 7);
}

Test(points, treat_zero_as_no_return_even_without_a_minimum) {
  const float angle[] = {0.0f};
  const float range[] = {0.0f};
  points_gate_t gate = {.min_m = 0.0, .max_m = 12.0, .spacing_m = 0.0};

  cr_assert_eq(points_from_scan(&points, angle, range, 1, AT_CENTRE, &gate), 0);
}

Test(points, end_at_a_kilometre_whatever_the_gate_says) {
  const float angle[] = {0.0f, 0.1f};
  const float range[] = {999.0f, 1e20f};
  points_gate_t gate = {.min_m = 0.0, .max_m = 1e30, .spacing_m = 0.0};

  cr_assert_eq(points_from_scan(&points, angle, range, 2, AT_CENTRE, &gate), 1);
}

Test(points, skip_neighbours_closer_than_the_spacing) {
  const float angle[] = {0.0f, 0.0f, 0.0f, 0.0f};
  const float range[] = {1.0f, 1.02f, 1.04f, 1.05f};

  scan(angle, range, 4, AT_CENTRE);

  cr_assert_eq(points.count, 2);
  cr_assert_float_eq(points.x_m[1], 1.04, 1e-6);
  cr_assert_eq(points.dropped, 0);
}

Test(points, count_what_exceeds_the_capacity) {
  static float angle[POINTS_CAPACITY + 5];
  static float range[POINTS_CAPACITY + 5];
  for (uint32_t i = 0; i < POINTS_CAPACITY + 5; i++) {
    angle[i] = 0.001f * (float)i;
    range[i] = 11.0f - 0.005f * (float)(i % 2);
  }
  points_gate_t gate = {.min_m = 0.1, .max_m = 12.0, .spacing_m = 0.0};

  points_from_scan(&points, angle, range, POINTS_CAPACITY + 5, AT_CENTRE, &gate);

  cr_assert_eq(points.count, POINTS_CAPACITY);
  cr_assert_eq(points.dropped, 5);
}
