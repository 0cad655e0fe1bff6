/* localization of a robot that hangs from a rail drawn into its map. */
#include <math.h>
#include <stdio.h>

#include <criterion/criterion.h>

#include "localization_room.h"

#define MAP "map_0000000f"

static play_t play;
static harness_peer_t *mapper;

static void setup(void) {
  play_begin(&play);
  mapper = room_mapper(&play, MAP);
}

static void teardown(void) {
  play_end(&play);
}

TestSuite(localization_rail, .init = setup, .fini = teardown);

/* From (-3, -1) to (3, -1). */
static void draw_rail(void) {
  map_shape_t rail = {.shape_id = "rail", .kind = MAP_SHAPE_KIND_RAIL, .points_count = 2};
  rail.points[0] = (map_point_t){-3, -1};
  rail.points[1] = (map_point_t){3, -1};
  room_map.has_shapes = true;
  room_map.shapes_count = 1;
  room_map.shapes[0] = rail;
}

/* Placed 3 cm beside the line, then driven by wheels that believe they turn. */
static void drive(void) {
  pose2_t odometry = {0};
  play_open(&play, NULL);
  play_move(&play, odometry);
  play_next(&play);
  cr_assert(room_loaded(&play, mapper, MAP, false));
  cr_assert_eq(play_set_pose(&play, -2, -0.97, 0.02), GANTRY_OK);
  for (int i = 0; i < 40; i++) {
    play_move(&play, odometry);
    harness_for(play.h, 25);
    odometry = pose2_compose(odometry, (pose2_t){0.02, 0, 0.02});
  }
}

static bool is_on(void *arg) {
  const loc_status_t *status = inbox_newest(play.states, "loc.status");
  return status && status->on_rail == *(const bool *)arg && status->fix_age > 0;
}

Test(localization_rail, holds_the_pose_on_the_line_whatever_the_wheels_say_of_turning) {
  const bool on = true;
  draw_rail();

  drive();

  const loc_pose_t *pose = inbox_newest(play.poses, "loc.pose");
  cr_assert_float_eq(pose->y, -1, 0.02);
  cr_assert_float_eq(pose->theta, 0, 0.02);
  cr_assert_float_eq(pose->x, -1.22, 0.06);
  cr_assert(harness_until(play.h, is_on, (void *)&on, 2000));
  const loc_status_t *status = inbox_newest(play.states, "loc.status");
  cr_assert(status->has_rail_s);
  cr_assert_float_eq(status->rail_s, pose->x + 3, 0.06);
}

Test(localization_rail, follows_the_wheels_where_there_is_none) {
  drive();

  const loc_pose_t *pose = inbox_newest(play.poses, "loc.pose");
  cr_assert_gt(pose->theta, 0.5);
  const loc_status_t *status = inbox_newest(play.states, "loc.status");
  cr_assert_not(status->has_rail_s);
}
