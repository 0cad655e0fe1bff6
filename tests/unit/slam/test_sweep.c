/* Sweeps: rays of a moving scanner, straightened against a wall that is known. */
#include <math.h>

#include <criterion/criterion.h>

#include <gantry/slam/sweep.h>

enum { RAYS = 500 };

static float angles[RAYS], ranges[RAYS], straight_angles[RAYS], straight_ranges[RAYS];

/* A room with walls at x = 6, x = -5, y = 3 and y = -4, seen from a pose. */
static double distance_m(pose2_t from, double angle) {
  double heading = from.theta + angle, nearest = 100;
  double dx = cos(heading), dy = sin(heading);
  double along[] = {(6 - from.x) / dx, (-5 - from.x) / dx, (3 - from.y) / dy, (-4 - from.y) / dy};
  for (int i = 0; i < 4; i++)
    if (along[i] > 0 && along[i] < nearest) nearest = along[i];
  return nearest;
}

/* What a scanner sees that turns while the robot drives on an arc; the robot is at the origin in
   the middle of the turn. */
static sweep_t drive(double speed_mps, double turn_radps, double by_rad, pose2_t mount) {
  sweep_t sweep = {.turn_s = 0.1,
                   .from_rad = 0.3,
                   .by_rad = by_rad,
                   .speed_mps = speed_mps,
                   .turn_radps = turn_radps};
  for (int i = 0; i < RAYS; i++) {
    double share = (double)i / (RAYS - 1), dt_s = (share - 0.5) * sweep.turn_s;
    double turned = turn_radps * dt_s;
    double radius = turn_radps != 0 ? speed_mps / turn_radps : 0;
    pose2_t robot = {turn_radps != 0 ? radius * sin(turned) : speed_mps * dt_s,
                     turn_radps != 0 ? radius * (1 - cos(turned)) : 0, turned};
    angles[i] = (float)wrap_rad(sweep.from_rad + share * by_rad);
    ranges[i] = (float)distance_m(pose2_compose(robot, mount), (double)angles[i]);
  }
  return sweep;
}

/* The largest distance of a straightened return from the walls. */
static double worst_m(pose2_t mount) {
  double worst = 0;
  for (int i = 0; i < RAYS; i++) {
    double range = straight_ranges[i];
    pose2_t end = pose2_compose(mount, (pose2_t){range * cos((double)straight_angles[i]),
                                                 range * sin((double)straight_angles[i]), 0});
    double off =
        fmin(fmin(fabs(end.x - 6), fabs(end.x + 5)), fmin(fabs(end.y - 3), fabs(end.y + 4)));
    worst = fmax(worst, off);
  }
  return worst;
}

static void straighten(const sweep_t *sweep, pose2_t mount) {
  sweep_straighten(sweep, mount, angles, ranges, RAYS, straight_angles, straight_ranges);
}

Test(sweep, of_a_moving_robot_is_straightened) {
  pose2_t mounts[] = {{0}, {0.3, -0.1, 2.0}};
  double ways[] = {-2 * M_PI * 0.998, 2 * M_PI * 0.998};
  for (int m = 0; m < 2; m++)
    for (int w = 0; w < 2; w++) {
      sweep_t sweep = drive(0.5, 0.4, ways[w], mounts[m]);
      sweep_t blind = {0};

      straighten(&blind, mounts[m]);
      cr_assert_gt(worst_m(mounts[m]), 0.03);
      straighten(&sweep, mounts[m]);
      cr_assert_lt(worst_m(mounts[m]), 1e-5);
    }
}

Test(sweep, of_a_standing_robot_stays) {
  sweep_t sweep = drive(0, 0, -6.2, (pose2_t){0});

  straighten(&sweep, (pose2_t){0});

  for (int i = 0; i < RAYS; i++) {
    cr_assert_float_eq(straight_angles[i], angles[i], 1e-6);
    cr_assert_float_eq(straight_ranges[i], ranges[i], 1e-5);
  }
}

Test(sweep, leaves_no_return_as_it_is) {
  sweep_t sweep = drive(1, 0.5, -6.2, (pose2_t){0});
  ranges[3] = 0;
  ranges[4] = NAN;
  ranges[5] = INFINITY;

  straighten(&sweep, (pose2_t){0});

  cr_assert_eq(straight_ranges[3], 0);
  cr_assert(isnan(straight_ranges[4]));
  cr_assert(isinf(straight_ranges[5]));
}

Test(sweep, that_is_not_known_changes_nothing) {
  sweep_t odd[] = {{.turn_s = 0.1, .speed_mps = 1},
                   {.turn_s = 5, .by_rad = 6, .speed_mps = 1},
                   {.turn_s = 0.1, .by_rad = 6, .speed_mps = NAN},
                   {.turn_s = NAN, .by_rad = 6, .speed_mps = 1}};
  drive(1, 0, -6.2, (pose2_t){0});
  for (int k = 0; k < 4; k++) {
    straighten(&odd[k], (pose2_t){0});
    for (int i = 0; i < RAYS; i++)
      cr_assert(straight_angles[i] == angles[i] && straight_ranges[i] == ranges[i]);
  }
}
