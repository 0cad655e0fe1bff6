/* The estimate on made-up drives whose truth is known. */
#include <math.h>

#include <criterion/criterion.h>

#include "fusion.h"
#include "room.h"

#define MS 1000000ull
#define S  1000000000ull

static fusion_t fusion;
static fusion_pose_t said;
static float angle_rad[ROOM_RAYS], range_m[ROOM_RAYS];

static void setup(void) {
  fusion_rule_t rule = fusion_rule_default();
  cr_assert_eq(fusion_init(&fusion, &rule), GANTRY_OK);
}

static void teardown(void) {
  fusion_fini(&fusion);
}

TestSuite(fusion, .init = setup, .fini = teardown);

static bool scan(uint64_t time_ns, pose2_t truth) {
  room_scan(truth, angle_rad, range_m);
  return fusion_scan(&fusion, time_ns, angle_rad, range_m, ROOM_RAYS, &said);
}

static bool move(uint64_t time_ns, double x) {
  return fusion_motion(&fusion, time_ns, (pose2_t){x, 0, 0}, 0.5, 0, false);
}

static double x_at(uint64_t time_ns) {
  fusion_pose_t pose;
  fusion_pose_at(&fusion, time_ns, &pose);
  return pose.pose.x;
}

Test(fusion, has_no_pose_at_first) {
  cr_assert_not(fusion_pose_at(&fusion, S, &said));
  cr_assert_eq(fusion_state(&fusion, S), FUSION_UNAVAILABLE);
  cr_assert_lt(fusion_fix_age_s(&fusion, S), 0);
  cr_assert_lt(fusion_scan_age_s(&fusion, S), 0);
}

Test(fusion, begins_at_zero_wherever_odometry_begins) {
  fusion_motion(&fusion, S, (pose2_t){100, -50, 2}, 0, 0, false);

  cr_assert(fusion_pose_at(&fusion, S, &said));
  cr_assert_float_eq(said.pose.x, 0, 1e-12);
  cr_assert_float_eq(said.pose.theta, 0, 1e-12);
  cr_assert_eq(said.primary, FUSION_ODOMETRY);
  cr_assert_eq(fusion_state(&fusion, S), FUSION_DEAD_RECKONING);
}

Test(fusion, follows_odometry_in_the_frame_of_the_robot) {
  fusion_motion(&fusion, S, (pose2_t){0, 0, M_PI_2}, 0, 0, false);

  fusion_motion(&fusion, S + 50 * MS, (pose2_t){0, 1, M_PI_2}, 0, 0, false);

  cr_assert_float_eq(x_at(S + 50 * MS), 1, 1e-12);
}

Test(fusion, does_not_follow_a_counter_that_was_reset) {
  move(S, 0);
  move(S + 50 * MS, 3);

  fusion_motion(&fusion, S + 100 * MS, (pose2_t){0}, 0, 0, true);
  move(S + 150 * MS, 0.5);

  cr_assert_float_eq(x_at(S + 150 * MS), 3.5, 1e-9);
}

Test(fusion, does_not_follow_a_leap) {
  move(S, 0);

  bool used = move(S + 50 * MS, 50);

  cr_assert_not(used);
  cr_assert_float_eq(x_at(S + 50 * MS), 0, 1e-9);
}

Test(fusion, ignores_odometry_that_is_not_newer) {
  move(S, 0);

  cr_assert_not(move(S, 1));
  cr_assert_float_eq(x_at(S), 0, 1e-9);
}

Test(fusion, places_a_late_scan_where_the_robot_was) {
  for (uint64_t i = 0; i < 20; i++) {
    move(S + i * 50 * MS, 0.025 * (double)i);
    if (i % 2 == 1) scan(S + i * 50 * MS - 25 * MS, (pose2_t){0.025 * (double)i - 0.0125, 0, 0});
  }

  cr_assert(said.has_match);
  cr_assert_float_eq(said.pose.x, 0.475 - 0.0125, 0.01);
  cr_assert_float_eq(x_at(S + 950 * MS), 0.475, 0.01);
}

Test(fusion, does_not_count_a_turn_twice_when_odometry_is_late) {
  for (uint64_t i = 0; i < 10; i++) {
    move(S + i * 50 * MS, 0);
    if (i % 2 == 1) scan(S + i * 50 * MS, (pose2_t){0});
  }
  for (int i = 1; i <= 4; i++) /* the robot turns 0.25 rad a scan; only the scans tell */
    scan(S + 500 * MS + (uint64_t)i * 100 * MS, (pose2_t){.theta = 0.25 * i});

  fusion_motion(&fusion, S + 920 * MS, (pose2_t){.theta = 1}, 0, 0, false);

  fusion_pose_at(&fusion, S + 920 * MS, &said);
  cr_assert_float_eq(said.pose.theta, 1, 0.06, "%.3f rad", said.pose.theta);
}

Test(fusion, holds_the_room_against_odometry_that_is_wrong) {
  double worst = 0;
  for (int i = 0; i < 200; i++) {
    double angle = 0.04 * i, wrong = 0.042 * i;
    pose2_t truth = {0.8 * sin(angle), 0.8 * (1 - cos(angle)), angle};
    uint64_t now = S + (uint64_t)i * 100 * MS;
    fusion_motion(&fusion, now, (pose2_t){0.84 * sin(wrong), 0.84 * (1 - cos(wrong)), wrong}, 0.3,
                  0.4, false);
    scan(now, truth);
    worst = fmax(worst, hypot(said.pose.x - truth.x, said.pose.y - truth.y));
  }

  cr_assert_lt(worst, 0.05, "%.3f m off", worst);
  cr_assert_eq(said.primary, FUSION_LIDAR);
  cr_assert_eq(fusion_state(&fusion, S + 19900 * MS), FUSION_TRACKING);
}

Test(fusion, trusts_a_clear_scan_over_a_wheel_that_slipped) {
  for (uint64_t i = 0; i < 10; i++) {
    move(S + i * 100 * MS, 0);
    scan(S + i * 100 * MS, (pose2_t){0});
  }

  move(S + 1000 * MS, 0.35); /* the wheel turned, the robot did not */
  bool fits = scan(S + 1000 * MS, (pose2_t){0});

  cr_assert(fits);
  cr_assert_lt(hypot(said.pose.x, said.pose.y), 0.05, "%.3f", said.pose.x);
}

Test(fusion, stays_unsure_of_itself_while_it_stands) {
  for (uint64_t i = 0; i < 300; i++) {
    move(S + i * 100 * MS, 0);
    scan(S + i * 100 * MS, (pose2_t){0});
  }

  cr_assert_gt(sqrt(said.covariance[0]), 0.003);
  cr_assert_lt(sqrt(said.covariance[0]), 0.02);
}

Test(fusion, turns_unavailable_when_everything_stops) {
  move(S, 0);
  scan(S, (pose2_t){0});

  cr_assert_neq(fusion_state(&fusion, S + 900 * MS), FUSION_UNAVAILABLE);
  cr_assert_eq(fusion_state(&fusion, S + 1100 * MS), FUSION_UNAVAILABLE);
  fusion_pose_at(&fusion, S + 20 * S, &said);
  cr_assert_float_eq(said.confidence, 0, 1e-9);
  cr_assert_eq(said.sensors, 0);
}

Test(fusion, is_lost_when_scans_stop_fitting) {
  static int8_t wall[400];
  for (int i = 0; i < 400; i++)
    wall[i] = 1;
  tracker_t *prepared, *before;
  cr_assert_eq(tracking_prepare(0.05, (grid_box_t){-200, -200, 400, 1}, wall, &prepared),
               GANTRY_OK);
  before = tracking_adopt(&fusion.tracking, "map_1", prepared);
  tracker_destroy(&before);
  for (uint64_t i = 0; i < 3; i++) {
    move(S + i * 100 * MS, 0);
    scan(S + i * 100 * MS, (pose2_t){0});
  }

  cr_assert_eq(fusion_state(&fusion, S + 200 * MS), FUSION_LOST);
}

Test(fusion, takes_a_pose_by_hand_at_any_time) {
  move(S, 0);

  cr_assert_eq(fusion_set_pose(&fusion, S, (pose2_t){7, 8, 1}, 1, FUSION_MANUAL), GANTRY_OK);
  cr_assert_eq(fusion_set_pose(&fusion, S, (pose2_t){-70, 8, 1}, 0.5, FUSION_MANUAL), GANTRY_OK);

  cr_assert_float_eq(x_at(S), -70, 1e-9);
  cr_assert_float_eq(fusion_fix_age_s(&fusion, 3 * S), 2, 1e-9);
}

Test(fusion, gates_a_pose_that_a_sensor_gives) {
  move(S, 0);
  fusion_set_pose(&fusion, S, (pose2_t){7, 8, 0}, 1, FUSION_MANUAL);

  gantry_err_t far = fusion_set_pose(&fusion, S, (pose2_t){70, 8, 0}, 1, FUSION_RFID);
  gantry_err_t near = fusion_set_pose(&fusion, S, (pose2_t){7.05, 8, 0}, 1, FUSION_RFID);

  cr_assert_eq(far, GANTRY_E_REFUSED);
  cr_assert_eq(near, GANTRY_OK);
  cr_assert_float_eq(x_at(S), 7.025, 1e-6);
}

Test(fusion, keeps_its_frame_while_a_map_is_built) {
  move(S, 0);
  tracking_begin(&fusion.tracking, "map_1");

  cr_assert_eq(fusion_set_pose(&fusion, S, (pose2_t){7, 8, 0}, 1, FUSION_MANUAL),
               GANTRY_E_CONFLICT);
}

static uint64_t drawn(void) {
  return grid_known_cells(tracker_grid(fusion.tracking.tracker));
}

/* Drives on and sees a corner of the room that its map has not there. */
static void drive_carried(uint64_t time_ns, double x) {
  move(time_ns, x);
  scan(time_ns, (pose2_t){1.2, -1.4, -1.1});
}

Test(fusion, draws_nothing_that_cannot_be_where_it_thinks_it_is) {
  tracking_begin(&fusion.tracking, "map_1");
  move(S, 0);
  scan(S, (pose2_t){-1, -1, 0.3});
  uint64_t before = drawn();

  drive_carried(S + 100 * MS, 0.2);
  bool strange = said.strange;
  drive_carried(S + 200 * MS, 0.4);

  cr_assert(strange);
  cr_assert_eq(drawn(), before);
  cr_assert_eq(fusion.tracking.failures, 2, "a map that does not grow does not come to fit");
}

Test(fusion, draws_what_it_finds_after_a_way_in_the_dark) {
  tracking_begin(&fusion.tracking, "map_1");
  move(S, 0);
  scan(S, (pose2_t){-1, -1, 0.3});
  uint64_t before = drawn();

  drive_carried(S + 100 * MS, 0.6);

  cr_assert_not(said.strange);
  cr_assert_gt(drawn(), before);
}

Test(fusion, hears_other_sensors_without_moving) {
  move(S, 0);
  double before = x_at(S);

  fusion_range(&fusion, S, "P", 1, 0.9);
  fusion_accelerate(&fusion, S, 0, 0, 0.8);

  fusion_pose_at(&fusion, S, &said);
  cr_assert_float_eq(said.pose.x, before, 0);
  cr_assert_eq(said.sensors, 2);
  cr_assert(said.used[FUSION_PROXIMITY]);
  double sharpness = 1 / (1 + (said.covariance[0] + said.covariance[4]) / 0.09);
  cr_assert_float_eq(said.confidence, sharpness * (0.3 * 0.8 + 0.2 * 0.9) / 0.5, 1e-9);
}

Test(fusion, forgets_all_but_the_table_on_reset) {
  landmarks_put(&fusion.landmarks, &(landmark_t){.tag = "A"});
  move(S, 0);
  move(S + 50 * MS, 1);

  fusion_reset(&fusion);

  cr_assert_not(fusion_pose_at(&fusion, S, &said));
  cr_assert_eq(fusion.landmarks.count, 1);
  move(2 * S, 5);
  cr_assert_float_eq(x_at(2 * S), 0, 1e-12);
}

Test(fusion, survives_scans_of_nothing) {
  static float nothing[ROOM_RAYS];
  move(S, 0);

  bool none = fusion_scan(&fusion, S, angle_rad, nothing, 0, &said);
  bool empty = fusion_scan(&fusion, S, angle_rad, nothing, ROOM_RAYS, &said);
  for (int i = 0; i < ROOM_RAYS; i++)
    nothing[i] = NAN;
  bool nan = fusion_scan(&fusion, S, angle_rad, nothing, ROOM_RAYS, &said);

  cr_assert(!none && !empty && !nan);
  cr_assert(isfinite(said.pose.x));
}
