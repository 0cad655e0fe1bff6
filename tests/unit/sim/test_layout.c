/* The rail is closed and smooth, tags lie on it, walls keep away from it. */
#include <math.h>

#include <criterion/criterion.h>

#include "layout.h"

Test(layout, closes_the_rail) {
  pose2_t begin = layout_rail_pose(0.0), end = layout_rail_pose(LAYOUT_RAIL_M - 1e-9);

  cr_assert_float_eq(pose2_distance(begin, end), 0.0, 1e-6);
  cr_assert_float_eq(wrap_rad(begin.theta - end.theta), 0.0, 1e-6);
}

Test(layout, moves_as_far_as_the_arc_length_says) {
  for (double s_m = 0.0; s_m < LAYOUT_RAIL_M; s_m += 0.01) {
    pose2_t here = layout_rail_pose(s_m), there = layout_rail_pose(s_m + 0.01);
    cr_assert_float_eq(pose2_distance(here, there), 0.01, 1e-6, "at %.2f m", s_m);
    cr_assert_float_eq(wrap_rad(there.theta - here.theta),
                       0.005 * (layout_rail_curvature(s_m) + layout_rail_curvature(s_m + 0.01)),
                       0.0026, "at %.2f m", s_m);
  }
}

Test(layout, turns_once_round_to_the_left) {
  double turned = 0.0;
  for (int i = 0; i < 6000; i++)
    turned += 0.01 * layout_rail_curvature(i * 0.01 + 0.005);

  cr_assert_float_eq(turned, 2.0 * M_PI, 0.02);
}

Test(layout, wraps_both_ways) {
  cr_assert_float_eq(layout_wrap_m(61.0), 1.0, 1e-12);
  cr_assert_float_eq(layout_wrap_m(-1.0), 59.0, 1e-12);
  cr_assert_lt(layout_wrap_m(-1e-18), LAYOUT_RAIL_M);
}

Test(layout, puts_a_tag_every_four_metres_on_the_rail) {
  for (size_t i = 0; i < LAYOUT_TAGS; i++) {
    tag_t tag = layout_tag(i);
    cr_assert_float_eq(tag.s_m, 4.0 * (double)i, 1e-12);
    cr_assert_float_eq(pose2_distance(tag.pose, layout_rail_pose(tag.s_m)), 0.0, 1e-12);
    for (size_t k = 0; k < i; k++)
      cr_assert_neq(layout_tag(k).id, tag.id);
  }
}

static double distance_to(const segment_t *wall, double x, double y) {
  double ex = wall->x1 - wall->x0, ey = wall->y1 - wall->y0;
  double share = ((x - wall->x0) * ex + (y - wall->y0) * ey) / (ex * ex + ey * ey);
  share = fmin(1.0, fmax(0.0, share));
  return hypot(x - wall->x0 - share * ex, y - wall->y0 - share * ey);
}

Test(layout, keeps_walls_outside_the_first_warning_zone) {
  size_t count = 0;
  const segment_t *walls = layout_walls(&count);
  for (double s_m = 0.0; s_m < LAYOUT_RAIL_M; s_m += 0.05) {
    pose2_t pose = layout_rail_pose(s_m);
    for (size_t i = 0; i < count; i++)
      cr_assert_gt(distance_to(&walls[i], pose.x, pose.y), 1.3, "wall %zu at %.2f m", i, s_m);
  }
}

Test(layout, casts_to_the_nearest_wall) {
  cr_assert_float_eq(layout_cast_m(0.0, -5.0, -M_PI / 2.0, 12.0), 1.8, 1e-9);
  cr_assert_float_eq(layout_cast_m(0.0, -5.0, M_PI / 2.0, 12.0), 2.4, 1e-9);
}

Test(layout, casts_no_further_than_asked) {
  cr_assert_float_eq(layout_cast_m(-8.0, -5.0, 0.0, 12.0), 12.0, 1e-12);
}

Test(layout, has_a_building_without_holes) {
  for (double s_m = 0.0; s_m < LAYOUT_RAIL_M; s_m += 1.0) {
    pose2_t pose = layout_rail_pose(s_m);
    for (int degree = 0; degree < 360; degree++)
      cr_assert_lt(layout_cast_m(pose.x, pose.y, degree * M_PI / 180.0, 100.0), 32.0,
                   "at %.0f m, %d degrees", s_m, degree);
  }
}
