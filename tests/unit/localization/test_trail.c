/* Trail: where the robot was by the wheel's way. */
#include <criterion/criterion.h>

#include "trail.h"

Test(trail, tells_the_pose_between_two_that_were_noted) {
  trail_t trail = {0};
  pose2_t pose;
  for (int i = 0; i < 200; i++)
    trail_push(&trail, 0.05 * i, (pose2_t){0.049 * i, 1, 0});

  cr_assert(trail_at(&trail, 9.025, &pose));
  cr_assert_float_eq(pose.x, 0.049 * 180.5, 1e-9);
  cr_assert_not(trail_at(&trail, 1.0, &pose)); /* too long ago */
  cr_assert_not(trail_at(&trail, 11.0, &pose));
}

Test(trail, keeps_its_length_while_the_robot_creeps) {
  trail_t trail = {0};
  pose2_t pose;
  trail_push(&trail, 0, (pose2_t){0});
  for (int i = 1; i <= 1000; i++)
    trail_push(&trail, 0.0005 * i, (pose2_t){0.0005 * i, 0, 0});

  cr_assert(trail_at(&trail, 0.2, &pose));
  cr_assert_float_eq(pose.x, 0.2, 1e-9);
}

Test(trail, tells_the_newest_of_two_passes) {
  trail_t trail = {0};
  pose2_t pose;
  for (int i = 0; i <= 10; i++)
    trail_push(&trail, 0.1 * i, (pose2_t){0.1 * i, 1, 0});
  for (int i = 9; i >= 0; i--)
    trail_push(&trail, 0.1 * i, (pose2_t){0.1 * i, 2, 0});

  cr_assert(trail_at(&trail, 0.55, &pose));
  cr_assert_eq(pose.y, 2);
}

Test(trail, forgets_when_the_frame_moves) {
  trail_t trail = {0};
  pose2_t pose;
  trail_push(&trail, 0, (pose2_t){0});
  trail_push(&trail, 1, (pose2_t){1, 0, 0});

  trail_clear(&trail);

  cr_assert_not(trail_at(&trail, 0.5, &pose));
}

Test(trail, forgets_when_the_estimate_jumps) {
  trail_t trail = {0};
  pose2_t pose;
  trail_push(&trail, 0, (pose2_t){0});
  trail_push(&trail, 1, (pose2_t){1, 0, 0});
  trail_push(&trail, 1.1, (pose2_t){5, 0, 0});

  cr_assert_not(trail_at(&trail, 0.5, &pose));
}
