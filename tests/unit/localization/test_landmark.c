/* Surveyed tags. */
#include <math.h>
#include <stdio.h>

#include <criterion/criterion.h>

#include "landmark.h"

static landmarks_t landmarks;

Test(landmark, finds_and_replaces_tags) {
  landmarks_put(&landmarks, &(landmark_t){.tag = "A", .x_m = 1});
  landmarks_put(&landmarks, &(landmark_t){.tag = "A", .x_m = 2});

  cr_assert_eq(landmarks.count, 1);
  cr_assert_float_eq(landmarks_find(&landmarks, "A")->x_m, 2, 0);
  cr_assert_null(landmarks_find(&landmarks, "B"));
  landmarks_clear(&landmarks);
  cr_assert_null(landmarks_find(&landmarks, "A"));
}

Test(landmark, holds_a_thousand) {
  landmark_t row = {0};
  for (int i = 0; i < LANDMARK_CAPACITY; i++) {
    snprintf(row.tag, sizeof row.tag, "%08X", (unsigned)i);
    cr_assert(landmarks_put(&landmarks, &row));
  }

  snprintf(row.tag, sizeof row.tag, "one more");

  cr_assert_not(landmarks_put(&landmarks, &row));
}

Test(landmark, puts_the_robot_behind_its_antenna) {
  landmark_t tag = {.x_m = 5, .y_m = 2};

  pose2_t robot = landmark_robot(&tag, (pose2_t){0.3, 0.1, 0}, M_PI_2);

  cr_assert_float_eq(robot.x, 5.1, 1e-12);
  cr_assert_float_eq(robot.y, 1.7, 1e-12);
  cr_assert_float_eq(landmark_sigma_m(0.2), 0.1, 1e-12);
}

Test(landmark, doubts_the_estimate_after_two_different_tags) {
  cr_assert_not(landmarks_note(&landmarks, "A", false));
  cr_assert_not(landmarks_note(&landmarks, "A", false));
  cr_assert(landmarks_note(&landmarks, "B", false));
  cr_assert_not(landmarks_note(&landmarks, "C", false), "the count begins anew");
}

Test(landmark, forgets_a_failure_when_a_tag_passes) {
  landmarks_note(&landmarks, "A", false);
  landmarks_note(&landmarks, "B", true);

  cr_assert_not(landmarks_note(&landmarks, "C", false));
}
