/* Tags as absolute fixes. */
#include <math.h>

#include <criterion/criterion.h>

#include "fusion.h"
#include "room.h"

#define MS 1000000ull
#define S  1000000000ull

static fusion_t fusion;

static void setup(void) {
  fusion_rule_t rule = fusion_rule_default();
  rule.antenna = (pose2_t){0.2, 0, 0};
  cr_assert_eq(fusion_init(&fusion, &rule), GANTRY_OK);
  landmark_t rows[] = {
      {.tag = "A", .x_m = 5, .y_m = 2, .has_orientation = true, .orientation_rad = M_PI_2},
      {.tag = "B", .x_m = 5, .y_m = 6},
      {.tag = "C", .x_m = 30, .y_m = 30},
      {.tag = "D", .x_m = 34, .y_m = 30},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    landmarks_put(&fusion.landmarks, &rows[i]);
}

static void teardown(void) {
  fusion_fini(&fusion);
}

TestSuite(fusion_tag, .init = setup, .fini = teardown);

static pose2_t pose(void) {
  fusion_pose_t out;
  fusion_pose_at(&fusion, S, &out);
  return out.pose;
}

static fusion_tag_result_t see(const char *tag) {
  return fusion_tag(&fusion, S, tag, 0.9, 0.95);
}

Test(fusion_tag, gives_the_first_pose_through_the_lever_arm) {
  cr_assert_eq(see("A"), FUSION_TAG_RESTARTED);

  cr_assert_float_eq(pose().x, 5, 1e-9);
  cr_assert_float_eq(pose().y, 1.8, 1e-9);
  cr_assert_float_eq(pose().theta, M_PI_2, 1e-9);
  cr_assert_eq(fusion.tag_fixes, 1);
}

Test(fusion_tag, keeps_the_heading_when_the_tag_has_none) {
  cr_assert_eq(see("B"), FUSION_TAG_RESTARTED);

  cr_assert_float_eq(pose().x, 4.8, 1e-9);
  cr_assert_float_eq(pose().theta, 0, 1e-9);
  cr_assert_gt(fusion.eskf.covariance[ESKF_THETA * ESKF_STATES + ESKF_THETA], 0.9,
               "the heading is not known");
}

Test(fusion_tag, pulls_a_pose_that_has_drifted) {
  see("A");
  fusion_motion(&fusion, S, (pose2_t){0}, 0.5, 0, false);
  fusion_motion(&fusion, S + 50 * MS, (pose2_t){3.7, 0, 0}, 0.5, 0, false);
  double before = fabs(fusion.eskf.pose.y - 5.8);

  cr_assert_eq(fusion_tag(&fusion, S + 50 * MS, "B", 0.9, 0.95), FUSION_TAG_USED);

  cr_assert_lt(fabs(fusion.eskf.pose.y - 5.8), before / 2);
}

Test(fusion_tag, counts_for_where_the_robot_was_when_it_saw_it) {
  for (uint64_t i = 0; i <= 20; i++)
    fusion_motion(&fusion, S + i * 50 * MS, (pose2_t){0.05 * (double)i, 0, 0}, 1, 0, false);

  cr_assert_eq(fusion_tag(&fusion, S + 500 * MS, "A", 0.9, 0.95), FUSION_TAG_RESTARTED);

  cr_assert_float_eq(fusion.eskf.pose.x, 5, 1e-9);
  cr_assert_float_eq(fusion.eskf.pose.y, 1.8 + 0.5, 1e-9);
}

Test(fusion_tag, ignores_the_unknown_and_the_weak) {
  cr_assert_eq(see("X"), FUSION_TAG_UNKNOWN);
  cr_assert_eq(fusion_tag(&fusion, S, "A", 0.4, 0), FUSION_TAG_WEAK);

  cr_assert_eq(fusion.tags_refused, 2);
  cr_assert_eq(fusion.tag_fixes, 0);
}

Test(fusion_tag, refuses_one_wrong_tag) {
  see("A");
  pose2_t before = pose();

  cr_assert_eq(see("C"), FUSION_TAG_REFUSED);
  cr_assert_eq(see("C"), FUSION_TAG_REFUSED, "the same tag again proves nothing");

  cr_assert_lt(pose2_distance(before, pose()), 1e-9);
}

Test(fusion_tag, begins_anew_when_two_different_tags_disagree) {
  see("A");
  see("C");

  cr_assert_eq(see("D"), FUSION_TAG_RESTARTED);

  cr_assert_lt(hypot(pose().x - 34, pose().y - 30), 0.21);
}

/* Matches the room, which was drawn from here, as a stored map. */
static void match_the_room(void) {
  static float angle_rad[ROOM_RAYS], range_m[ROOM_RAYS];
  fusion_pose_t said;
  room_scan((pose2_t){0}, angle_rad, range_m);
  fusion_motion(&fusion, S, (pose2_t){0}, 0, 0, false);
  fusion_scan(&fusion, S, angle_rad, range_m, ROOM_RAYS, &said);
  tracking_freeze(&fusion.tracking);
  cr_assert(fusion_scan(&fusion, S, angle_rad, range_m, ROOM_RAYS, &said));
}

Test(fusion_tag, refuses_one_wrong_tag_where_scans_fit_the_map) {
  match_the_room();
  pose2_t before = pose();

  cr_assert_eq(see("C"), FUSION_TAG_REFUSED);

  cr_assert_lt(pose2_distance(before, pose()), 1e-9);
}

Test(fusion_tag, never_tears_a_map_that_is_being_built) {
  see("A");
  tracking_begin(&fusion.tracking, "map_1");
  pose2_t before = pose();
  see("C");

  cr_assert_eq(see("D"), FUSION_TAG_REFUSED);
  cr_assert_lt(pose2_distance(before, pose()), 1e-9);
}

Test(fusion_tag, leaves_the_frame_alone_of_a_map_that_began_without_one) {
  tracking_begin(&fusion.tracking, "map_1");
  fusion_motion(&fusion, S, (pose2_t){0}, 0, 0, false);
  fusion_motion(&fusion, S + 50 * MS, (pose2_t){5, 2, 0}, 0.5, 0, false);
  pose2_t before = pose();

  cr_assert_eq(see("A"), FUSION_TAG_ELSEWHERE, "by chance it is right there");
  cr_assert_eq(see("C"), FUSION_TAG_ELSEWHERE);

  cr_assert_lt(pose2_distance(before, pose()), 1e-9);
  cr_assert_eq(fusion.fix, FUSION_FIX_NONE);
  cr_assert_eq(fusion.tags_refused, 0);
}

Test(fusion_tag, opens_its_gate_by_setting) {
  fusion_rule_t rule = fusion.rule;
  see("A");
  rule.gate = 0;

  fusion_set_rule(&fusion, &rule);

  cr_assert_eq(see("C"), FUSION_TAG_USED);
}
