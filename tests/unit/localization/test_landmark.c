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

static landmark_pair_t pair;

static bool note(const char *tag, double x_m, double y_m, const pose2_t *at, bool passed) {
  landmark_t row = {.x_m = x_m, .y_m = y_m};
  snprintf(row.tag, sizeof row.tag, "%s", tag);
  return landmarks_note(&landmarks, &row, at, 0.2, passed, &pair);
}

Test(landmark, doubts_the_estimate_after_two_different_tags) {
  cr_assert_not(note("A", 0, 0, NULL, false));
  cr_assert_not(note("A", 0, 0, NULL, false));
  cr_assert(note("B", 4, 0, NULL, false));
  cr_assert_not(note("C", 8, 0, NULL, false), "the count begins anew");
}

Test(landmark, forgets_a_failure_when_a_tag_passes) {
  note("A", 0, 0, NULL, false);
  note("B", 4, 0, NULL, true);

  cr_assert_not(note("C", 8, 0, NULL, false));
}

Test(landmark, takes_the_heading_from_two_tags_that_the_odometry_came_between) {
  pose2_t here = {1, 1, 0}, there = {4.9, 1.1, 0};
  note("A", 10, 0, &here, false);

  cr_assert(note("B", 10, 4, &there, false));

  cr_assert(pair.has_heading);
  cr_assert_float_eq(pair.turn_rad, M_PI_2, 0.05);
  cr_assert_lt(pair.sigma_rad, 0.2);
}

Test(landmark, does_not_doubt_the_estimate_for_tags_that_contradict_one_another) {
  pose2_t here = {0}, there = {4, 0, 0}, beyond = {8, 0, 0};
  note("A", 0, 0, &here, false);

  cr_assert_not(note("B", 9, 0, &there, false), "9 m apart in the table, 4 m by the odometry");
  cr_assert(note("C", 13, 0, &beyond, false), "B and C agree");
}

Test(landmark, hears_a_tag_again_after_half_its_radius) {
  landmark_t tag = {.tag = "A"};
  cr_assert(landmark_is_news(&tag, 5, 0.2));

  landmark_use(&tag, 5);

  cr_assert_not(landmark_is_news(&tag, 5.05, 0.2));
  cr_assert(landmark_is_news(&tag, 5.11, 0.2));
}
