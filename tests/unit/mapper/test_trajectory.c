/* A path that always fits. */
#include "trajectory.h"

#include <criterion/criterion.h>

static trajectory_t trajectory;

static void add(uint64_t count) {
  for (uint64_t i = 0; i < count; i++) {
    uint64_t index = trajectory.total;
    trajectory_add(&trajectory, (pose2_t){.x = (double)index}, index);
  }
}

Test(trajectory, keeps_every_point_while_there_is_room) {
  add(TRAJECTORY_MAX);

  cr_assert_eq(trajectory.count, TRAJECTORY_MAX);
  cr_assert_eq(trajectory.total, TRAJECTORY_MAX);
  cr_assert_eq(trajectory.points[TRAJECTORY_MAX - 1].wall_ns, TRAJECTORY_MAX - 1);
}

Test(trajectory, stays_even_and_bounded_for_a_long_drive) {
  add(TRAJECTORY_MAX * 5 + 3);

  cr_assert_leq(trajectory.count, TRAJECTORY_MAX);
  cr_assert_geq(trajectory.count, TRAJECTORY_MAX / 2);
  cr_assert_eq(trajectory.total, TRAJECTORY_MAX * 5 + 3);
  uint64_t step = trajectory.points[1].wall_ns - trajectory.points[0].wall_ns;
  for (uint32_t i = 0; i < trajectory.count; i++)
    cr_assert_eq(trajectory.points[i].wall_ns, i * step);
  cr_assert_lt(trajectory.total - trajectory.points[trajectory.count - 1].wall_ns, step + 1);
}

Test(trajectory, begins_anew_when_cleared) {
  add(TRAJECTORY_MAX * 2);
  trajectory_clear(&trajectory);
  add(3);

  cr_assert_eq(trajectory.count, 3);
  cr_assert_eq(trajectory.total, 3);
}
