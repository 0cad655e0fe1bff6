/* A drive round a block of corridors with bad odometry: does the ring close, with walls drawn
   once, and are places that merely look alike left apart? */
#include <math.h>

#include <criterion/criterion.h>

#include <gantry/slam/slam.h>

enum { NICHES = 12, RAYS = 180, SCANS_A_SIDE = 48 };

static const double INNER_M = 4.0, OUTER_M = 6.0; /* the corridor lies between two squares */

typedef struct wall {
  double x0, y0, x1, y1;
} wall_t;

static wall_t walls[4 * 2 + 3 * NICHES];
static unsigned wall_count;
static points_t points;

static void add_wall(double x0, double y0, double x1, double y1) {
  walls[wall_count++] = (wall_t){x0, y0, x1, y1};
}

static void build(bool niches) {
  wall_count = 0;
  const double half[] = {INNER_M, OUTER_M};
  for (unsigned i = 0; i < 2; i++) {
    add_wall(-half[i], -half[i], half[i], -half[i]);
    add_wall(half[i], -half[i], half[i], half[i]);
    add_wall(half[i], half[i], -half[i], half[i]);
    add_wall(-half[i], half[i], -half[i], -half[i]);
  }
  /* Posts along the inner walls, each at a place of its own. */
  for (unsigned i = 0; niches && i < NICHES; i++) {
    double along = -3.4 + 1.3 * (i / 4) + 0.37 * (i % 3);
    double out = INNER_M + 0.15 + 0.05 * (i % 4);
    const double turn[4][4] = {{1, 0, 0, -1}, {0, 1, 1, 0}, {-1, 0, 0, 1}, {0, -1, -1, 0}};
    const double *t = turn[i % 4];
    for (int k = 0; k < 3; k++) {
      double a0 = k == 2 ? along + 0.3 : along;
      double a1 = k == 0 ? along : along + 0.3;
      double d0 = k == 0 ? INNER_M : out;
      double d1 = k == 2 ? INNER_M : out;
      add_wall(t[0] * a0 + t[2] * d0, t[1] * a0 + t[3] * d0, t[0] * a1 + t[2] * d1,
               t[1] * a1 + t[3] * d1);
    }
  }
}

static double range_at(double x, double y, double angle) {
  double nearest = 8.0; /* what lies farther is not seen: drift must show */
  double dx = cos(angle);
  double dy = sin(angle);
  for (unsigned i = 0; i < wall_count; i++) {
    double wx = walls[i].x1 - walls[i].x0;
    double wy = walls[i].y1 - walls[i].y0;
    double cross = dx * wy - dy * wx;
    if (fabs(cross) < 1e-12) continue;
    double ox = walls[i].x0 - x;
    double oy = walls[i].y0 - y;
    double range = (ox * wy - oy * wx) / cross;
    double along = (ox * dy - oy * dx) / cross;
    if (range > 0 && along >= 0 && along <= 1 && range < nearest) nearest = range;
  }
  return nearest;
}

static void scan_at(pose2_t pose) {
  float angle_rad[RAYS];
  float range_m[RAYS];
  points_gate_t gate = points_gate_default();
  gate.max_m = 8.0;
  for (int i = 0; i < RAYS; i++) {
    angle_rad[i] = (float)(M_PI * (2.0 * i / RAYS - 1.0));
    range_m[i] = (float)range_at(pose.x, pose.y, pose.theta + (double)angle_rad[i]);
  }
  points_from_scan(&points, angle_rad, range_m, RAYS, (pose2_t){0}, &gate);
}

/* Round the corridor's middle, counter-clockwise, turning at the corners. */
static pose2_t drive(int scan) {
  const double middle = (INNER_M + OUTER_M) / 2;
  int side = scan / SCANS_A_SIDE;
  double part = (double)(scan % SCANS_A_SIDE) / SCANS_A_SIDE;
  double turn = fmax(0.0, part - 0.8) / 0.2;
  double along = -middle + 2 * middle * fmin(1.0, part / 0.8);
  pose2_t first = {along, -middle, turn * M_PI_2};
  return pose2_compose((pose2_t){.theta = side * M_PI_2}, first);
}

/* The world as the robot's own frame sees it: the drive begins at (0, 0, 0). */
static pose2_t truth(int scan) {
  return pose2_between(drive(0), drive(scan));
}

static slam_t *map_drive(int sides, bool closures) {
  slam_config_t config = slam_config_default();
  config.closures = closures;
  config.threads = 1;
  slam_t *slam = slam_new(&config);
  pose2_t odometry = {0};
  slam_result_t result;
  for (int i = 0; i < sides * SCANS_A_SIDE; i++) {
    pose2_t step = i ? pose2_between(drive(i - 1), drive(i)) : (pose2_t){0};
    step.x *= 1.03;
    step.theta *= 1.02;
    odometry = pose2_compose(odometry, step);
    scan_at(drive(i));
    cr_assert_eq(slam_feed(slam, 0.2 * i, odometry, &points, &result), GANTRY_OK);
  }
  slam_correction_t correction;
  cr_assert_eq(slam_finish(slam, NULL, NULL, &correction), GANTRY_OK);
  return slam;
}

static double worst_m(const slam_t *slam) {
  double worst = 0.0;
  for (size_t i = 0; i < slam_scan_count(slam); i++)
    worst = fmax(worst, pose2_distance(slam_scan_pose(slam, i, NULL), truth((int)i)));
  return worst;
}

/* Occupied cells farther than 0.15 m from every wall. */
static unsigned stray_cells(slam_t *slam) {
  grid_box_t box;
  unsigned stray = 0;
  const grid_t *grid = slam_grid(slam);
  cr_assert(grid_bounds(grid, &box));
  for (uint32_t row = 0; row < box.height; row++)
    for (uint32_t column = 0; column < box.width; column++) {
      int32_t cx = box.min_x + (int32_t)column;
      int32_t cy = box.min_y + (int32_t)row;
      if (grid_state(grid, cx, cy) != GRID_OCCUPIED) continue;
      pose2_t at = pose2_compose(drive(0), (pose2_t){(cx + 0.5) * 0.05, (cy + 0.5) * 0.05, 0});
      double nearest = 1.0;
      for (int i = 0; i < 36; i++)
        nearest = fmin(nearest, range_at(at.x, at.y, i * M_PI / 18));
      stray += nearest > 0.15;
    }
  return stray;
}

Test(slam_loop, closes_a_ring_with_its_walls_drawn_once) {
  build(true);

  slam_t *slam = map_drive(5, true);

  cr_expect_gt(slam_counts(slam).closures, 5);
  cr_expect_lt(worst_m(slam), 0.15, "%.3f m off", worst_m(slam));
  cr_expect_lt(stray_cells(slam), 10, "%u cells where no wall is", stray_cells(slam));
  slam_destroy(&slam);
}

/* Four corners and corridors that are all alike: within the first lap nothing is seen twice, so
   whatever is accepted would be wrong. */
Test(slam_loop, takes_no_place_for_another_that_looks_the_same) {
  build(false);

  slam_t *slam = map_drive(3, true);

  const slam_closure_t *closures;
  uint32_t count = slam_closures(slam, &closures);
  for (uint32_t i = 0; i < count; i++) {
    if (closures[i].verdict != SLAM_ACCEPTED) continue;
    pose2_t measured = closures[i].measured;
    cr_expect_lt(hypot(measured.x, measured.y), 4.0, "%u to %u", closures[i].from, closures[i].to);
  }
  double turned = slam_scan_pose(slam, slam_scan_count(slam) - 1, NULL).theta;
  cr_expect_lt(fabs(wrap_rad(turned - truth(3 * SCANS_A_SIDE - 1).theta)), 0.1);
  cr_expect_lt(worst_m(slam), 0.6, "%.3f m off", worst_m(slam));
  slam_destroy(&slam);
}

Test(slam_loop, makes_hardly_a_keyframe_more_of_a_ring_driven_again_and_again) {
  enum { LAPS = 10, LATE = 7, SCANS_A_LAP = 4 * SCANS_A_SIDE };
  build(true);

  slam_t *slam = map_drive(4 * LAPS, true);

  uint32_t count = slam_keyframe_count(slam);
  uint32_t late = 0;
  for (uint32_t i = 0; i < count; i++)
    late += slam_keyframe_scan(slam, i) >= LATE * SCANS_A_LAP;
  cr_expect_lt(late, SCANS_A_LAP, "%u of %u in the last three laps", late, count);
  cr_expect_eq(slam_scan_count(slam), (size_t)(LAPS * SCANS_A_LAP));
  cr_expect_lt(worst_m(slam), 0.15, "%.3f m off", worst_m(slam));
  slam_destroy(&slam);
}
