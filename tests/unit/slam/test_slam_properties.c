/* What must hold of mapping whatever the drive: where the frame lies, which way round things are
   counted, and what comes of input that says nothing. */
#include <math.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include <gantry/slam/slam.h>

#include "world.h"

enum { SCANS = 120, RAYS = 360 };

typedef struct drive {
  pose2_t start;          /* of the robot in the world */
  pose2_t odometry_frame; /* */
  double turns;           /* whole turns added to odometry's theta, more with every scan */
  bool mirrored;          /* the world and the drive, left for right */
  bool clockwise;         /* the scanner counts its rays the other way */
} drive_t;

/* A lap of an oval and a bit, as seen from the start. */
static pose2_t truth(int scan) {
  double angle = 0.06 * scan;
  return (pose2_t){.x = 0.8 * sin(angle), .y = 0.6 * (1 - cos(angle)), .theta = wrap_rad(angle)};
}

static pose2_t mirror(pose2_t pose) {
  return (pose2_t){pose.x, -pose.y, wrap_rad(-pose.theta)};
}

static pose2_t odometry_of(const drive_t *drive, int scan) {
  pose2_t raw = truth(scan);
  raw.x *= 1.03;
  raw.y *= 0.98;
  raw.theta += 0.0005 * scan;
  if (drive->mirrored) raw = mirror(raw);
  pose2_t out = pose2_compose(drive->odometry_frame, raw);
  out.theta += 2 * M_PI * drive->turns * scan;
  return out;
}

static void scan_of(const drive_t *drive, int scan, points_t *points) {
  static float angle_rad[RAYS], range_m[RAYS];
  points_gate_t gate = points_gate_default();
  pose2_t at = pose2_compose(drive->start, truth(scan));
  for (int i = 0; i < RAYS; i++) {
    double angle = (drive->clockwise ? -1 : 1) * (2.0 * M_PI * i / RAYS - M_PI);
    double in_world = drive->mirrored ? -angle : angle;
    angle_rad[i] = (float)angle;
    range_m[i] = (float)world_range((pose2_t){at.x, at.y, at.theta + in_world});
  }
  points_from_scan(points, angle_rad, range_m, RAYS, (pose2_t){0}, &gate);
}

static slam_t *begin(uint32_t threads) {
  slam_config_t config = slam_config_default();
  config.threads = threads;
  config.submap_length = 10;
  return slam_new(&config);
}

/* The poses of a whole drive, once it has ended. */
static void map(const drive_t *drive, pose2_t poses[SCANS]) {
  static points_t points;
  slam_t *slam = begin(1);
  slam_result_t result;
  slam_correction_t correction;
  for (int i = 0; i < SCANS; i++) {
    scan_of(drive, i, &points);
    cr_assert_eq(slam_feed(slam, 0.1 * i, odometry_of(drive, i), &points, &result), GANTRY_OK);
  }
  cr_assert_eq(slam_finish(slam, NULL, NULL, &correction), GANTRY_OK);
  cr_assert_eq(slam_scan_count(slam), SCANS);
  for (size_t i = 0; i < SCANS; i++)
    poses[i] = slam_scan_pose(slam, i, NULL);
  slam_destroy(&slam);
}

static void assert_near(pose2_t pose, pose2_t wanted, double tolerance_m, double tolerance_rad,
                        int scan) {
  cr_assert_lt(pose2_distance(pose, wanted), tolerance_m, "scan %d: %.4f m off", scan,
               pose2_distance(pose, wanted));
  cr_assert_lt(fabs(wrap_rad(pose.theta - wanted.theta)), tolerance_rad, "scan %d: %.4f rad off",
               scan, wrap_rad(pose.theta - wanted.theta));
}

Test(slam_properties, a_robot_may_start_anywhere_and_look_anywhere) {
  static const pose2_t STARTS[] = {
      {0, 0, 0}, {0.31, -0.17, 0.4}, {-0.5, 0.8, 1.3}, {0.1, 0.1, M_PI}, {0.7, 1.2, -2.2}};
  static pose2_t poses[SCANS];

  for (unsigned s = 0; s < sizeof STARTS / sizeof *STARTS; s++) {
    map(&(drive_t){.start = STARTS[s]}, poses);

    for (int i = 0; i < SCANS; i++)
      assert_near(poses[i], truth(i), 0.03, 0.015, i);
  }
}

Test(slam_properties, the_frame_of_odometry_does_not_matter) {
  static pose2_t here[SCANS], there[SCANS];
  map(&(drive_t){0}, here);

  map(&(drive_t){.odometry_frame = {4000, -2500, 2.8}}, there);

  for (int i = 0; i < SCANS; i++)
    assert_near(there[i], here[i], 0.005, 0.002, i);
}

Test(slam_properties, whole_turns_of_odometry_do_not_matter) {
  static pose2_t plain[SCANS], wound[SCANS];
  map(&(drive_t){0}, plain);

  map(&(drive_t){.turns = -3}, wound);

  for (int i = 0; i < SCANS; i++)
    assert_near(wound[i], plain[i], 0.005, 0.002, i);
}

Test(slam_properties, a_mirrored_world_gives_a_mirrored_drive) {
  static pose2_t poses[SCANS];

  map(&(drive_t){.mirrored = true}, poses);

  for (int i = 0; i < SCANS; i++)
    assert_near(poses[i], mirror(truth(i)), 0.03, 0.015, i);
}

Test(slam_properties, rays_may_be_counted_either_way) {
  static pose2_t plain[SCANS], clockwise[SCANS];
  map(&(drive_t){0}, plain);

  map(&(drive_t){.clockwise = true}, clockwise);

  for (int i = 0; i < SCANS; i++)
    assert_near(clockwise[i], plain[i], 0.01, 0.004, i);
}

/* Scans that say nothing leave the map as it was: odometry carries on, and the next real scan finds
   its place. */
static void drive_blind(float range_m) {
  static points_t points;
  static float angle_rad[RAYS], ranges_m[RAYS];
  const drive_t drive = {0};
  points_gate_t gate = points_gate_default();
  slam_t *slam = begin(2);
  slam_result_t result;
  slam_correction_t correction;
  for (int i = 0; i < RAYS; i++) {
    angle_rad[i] = (float)(2.0 * M_PI * i / RAYS);
    ranges_m[i] = range_m;
  }
  for (int i = 0; i < SCANS; i++) {
    bool blind = i < 3 || (i >= 40 && i < 50);
    uint64_t revision = grid_revision(slam_grid(slam));
    scan_of(&drive, i, &points);
    if (blind) points_from_scan(&points, angle_rad, ranges_m, RAYS, (pose2_t){0}, &gate);

    cr_assert_eq(slam_feed(slam, 0.1 * i, odometry_of(&drive, i), &points, &result), GANTRY_OK);

    cr_assert_not(blind && (result.tracker.matched || result.keyframe));
    if (blind) cr_assert_eq(grid_revision(slam_grid(slam)), revision);
  }
  cr_assert_eq(slam_finish(slam, NULL, NULL, &correction), GANTRY_OK);
  for (int i = 0; i < SCANS; i++)
    assert_near(slam_scan_pose(slam, (size_t)i, NULL), truth(i), 0.06, 0.03, i);
  slam_destroy(&slam);
}

Test(slam_properties, scans_of_nan_change_nothing) {
  drive_blind(NAN);
}

Test(slam_properties, scans_of_no_return_change_nothing) {
  drive_blind(0.0f);
  drive_blind(81.0f);
  drive_blind(INFINITY);
}

Test(slam_properties, a_drive_of_no_return_alone_has_an_empty_map) {
  static points_t nothing;
  slam_t *slam = begin(1);
  slam_result_t result;
  slam_correction_t correction;
  buf_t saved = {0};
  const drive_t drive = {0};
  for (int i = 0; i < SCANS; i++)
    cr_assert_eq(slam_feed(slam, 0.1 * i, odometry_of(&drive, i), &nothing, &result), GANTRY_OK);

  cr_assert_eq(slam_finish(slam, NULL, NULL, &correction), GANTRY_OK);

  cr_assert_eq(slam_scan_count(slam), SCANS);
  cr_assert_eq(grid_known_cells(slam_grid(slam)), 0);
  cr_assert_eq(slam_save(slam, &saved), GANTRY_OK);
  assert_near(slam_scan_pose(slam, 30, NULL), odometry_of(&drive, 30), 1e-9, 1e-9, 30);
  buf_fini(&saved);
  slam_destroy(&slam);
}

/* Walls along the way and nothing else: how far the robot went only odometry knows. */
Test(slam_properties, a_bare_corridor_is_mapped_by_odometry) {
  static points_t points;
  slam_t *slam = begin(1);
  slam_result_t result;
  slam_correction_t correction;
  for (int i = 0; i < 2 * SCANS; i++) {
    double way = 0.1 * (i < SCANS ? i : 2 * SCANS - i);
    points.count = 0;
    for (int k = -40; k <= 40; k++)
      for (int side = -1; side <= 1; side += 2) {
        points.x_m[points.count] = 0.1f * (float)k;
        points.y_m[points.count++] = 1.02f * (float)side;
      }
    cr_assert_eq(slam_feed(slam, 0.1 * i, (pose2_t){way, 0, 0}, &points, &result), GANTRY_OK);
    assert_near(result.tracker.pose, (pose2_t){way, 0, 0}, 0.5, 0.02, i);
  }
  cr_assert_eq(slam_finish(slam, NULL, NULL, &correction), GANTRY_OK);
  assert_near(slam_scan_pose(slam, SCANS, NULL), (pose2_t){0.1 * SCANS, 0, 0}, 0.5, 0.02, SCANS);
  slam_destroy(&slam);
}

Test(slam_properties, odometry_that_is_no_pose_is_refused_and_forgotten) {
  static points_t points;
  static const double BAD[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300};
  const drive_t drive = {0};
  slam_t *slam = begin(1);
  slam_result_t result;

  for (int i = 0; i < SCANS; i++) {
    scan_of(&drive, i, &points);
    if (i % 10 == 5) {
      pose2_t bad = odometry_of(&drive, i);
      *(i % 3 == 0 ? &bad.x : i % 3 == 1 ? &bad.y : &bad.theta) = BAD[i / 10 % 5];
      cr_assert_eq(slam_feed(slam, 0.1 * i, bad, &points, &result), GANTRY_E_INVALID, "scan %d", i);
      cr_assert_eq(slam_insert(slam, 0.1 * i, bad, 0, &points, &result), GANTRY_E_INVALID);
    }
    cr_assert_eq(slam_feed(slam, 0.1 * i, odometry_of(&drive, i), &points, &result), GANTRY_OK);
    assert_near(result.tracker.pose, truth(i), 0.04, 0.02, i);
  }
  cr_assert_eq(slam_scan_count(slam), SCANS);
  slam_destroy(&slam);
}
