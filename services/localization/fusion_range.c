/* Distances: what a sensor measures along its axis against what the map says stands there. */
#include <math.h>
#include <string.h>

#include <gantry/slam/raycast.h>

#include "fusion.h"

#define NEAR_WALL_CELLS 2.0 /* the field is read this far before the wall: there it has a slope */
#define GRAZING         0.5 /* least cosine between ray and the wall's normal */
#define FLAT            0.1 /* how far the field's slope may be from 1: corners are farther */
#define SHORT_QUALITY   0.3 /* what a reading of something unmapped is worth */
#define SAME_WALL_M     0.05 /* a straight wall is this near to where it should be, seen from aside */
#define ASIDE_SIGMAS    2.0

typedef struct sighting {
  double range_m;
  double slope[3]; /* of range_m in x, y, theta of the robot */
} sighting_t;

static const fusion_mount_t *mount_of(const fusion_rule_t *rule, const char *sensor) {
  for (int i = 0; i < FUSION_MOUNTS; i++)
    if (rule->mounts[i].sensor[0] != '\0' && strcmp(rule->mounts[i].sensor, sensor) == 0)
      return &rule->mounts[i];
  return NULL;
}

/* Where the ray meets the wall, between cells: some cells before it the field tells the distance of
   the wall and its normal. */
static bool look(fusion_t *fusion, pose2_t robot, pose2_t mount, double max_m, sighting_t *out) {
  grid_t *grid = tracker_grid(fusion->tracking.tracker);
  const distance_field_t *field = tracker_field(fusion->tracking.tracker);
  pose2_t eye = pose2_compose(robot, mount);
  double coarse_m, normal[2], before_m = NEAR_WALL_CELLS * grid_resolution_m(grid);
  if (!raycast_range(grid, eye, max_m, &coarse_m) || coarse_m <= before_m) return false;
  double c = cos(eye.theta), s = sin(eye.theta), way_m = coarse_m - before_m;
  double left_m = distance_field_at(field, eye.x + c * way_m, eye.y + s * way_m, normal);
  double towards = normal[0] * c + normal[1] * s;
  if (towards > -GRAZING || fabs(hypot(normal[0], normal[1]) - 1) > FLAT) return false;
  double range_m = way_m - left_m / towards;
  double by_x = -normal[0] / towards, by_y = -normal[1] / towards;
  double by_angle = -range_m * (normal[1] * c - normal[0] * s) / towards;
  double arm_x = eye.x - robot.x, arm_y = eye.y - robot.y;
  *out = (sighting_t){.range_m = range_m,
                      .slope = {by_x, by_y, by_angle - by_x * arm_y + by_y * arm_x}};
  return isfinite(range_m);
}

/* Lower triangle l with l l' = p. */
static void root3(const double p[9], double l[9]) {
  for (int i = 0; i < 3; i++)
    for (int j = 0; j <= i; j++) {
      double sum = p[i * 3 + j];
      for (int k = 0; k < j; k++)
        sum -= l[i * 3 + k] * l[j * 3 + k];
      l[i * 3 + j] = i == j ? sqrt(fmax(sum, 1e-12)) : sum / l[j * 3 + j];
    }
}

/* Whether the ray meets the same straight wall from wherever the robot may be: else a small error
   of the pose makes it another wall, and the filter would be sure of the wrong thing. */
static bool is_sure(fusion_t *fusion, pose2_t mount, double max_m, const sighting_t *wall) {
  double covariance[9], l[9] = {0};
  eskf_pose_covariance(&fusion->eskf, covariance);
  root3(covariance, l);
  for (int i = 0; i < 6; i++) {
    double sign = i % 2 ? ASIDE_SIGMAS : -ASIDE_SIGMAS;
    const double *column = l + i / 2;
    pose2_t robot = fusion->eskf.pose;
    double off[3] = {sign * column[0], sign * column[3], sign * column[6]};
    robot.x += off[0];
    robot.y += off[1];
    robot.theta += off[2];
    sighting_t aside;
    if (!look(fusion, robot, mount, max_m + 1, &aside)) return false;
    double straight_m = wall->range_m;
    for (int k = 0; k < 3; k++)
      straight_m += wall->slope[k] * off[k];
    if (fabs(aside.range_m - straight_m) > SAME_WALL_M) return false;
  }
  return true;
}

static fusion_range_result_t note(fusion_t *fusion, uint64_t time_ns, double quality, double nis,
                                  int m, fusion_range_result_t result) {
  confidence_note(&fusion->confidence, CONFIDENCE_PROXIMITY, quality, nis, m, time_ns);
  fusion->method_ns[FUSION_PROXIMITY] = time_ns;
  return result;
}

fusion_range_result_t fusion_range(fusion_t *fusion, uint64_t time_ns, const char *sensor,
                                   double range_m, double quality) {
  const fusion_rule_t *rule = &fusion->rule;
  const fusion_mount_t *mount = mount_of(rule, sensor);
  sighting_t wall;
  double nis = 0;
  fusion_advance(fusion, time_ns);
  pose2_t way = fusion_way(fusion, time_ns);
  bool usable = mount && fusion->has_pose && fusion->tracking.mode == TRACKING_LOADED &&
                isfinite(range_m) && range_m < rule->range_max_m;
  pose2_t eye = mount ? pose2_compose(way, mount->pose) : way;
  if (!usable || !look(fusion, fusion->eskf.pose, eye, rule->range_max_m, &wall) ||
      !is_sure(fusion, eye, rule->range_max_m, &wall))
    return note(fusion, time_ns, quality, 0, 0, FUSION_RANGE_UNMAPPED);
  double factor = confidence_covariance_factor(rule->confidence.weights[CONFIDENCE_PROXIMITY]);
  gantry_err_t err =
      eskf_update_range(&fusion->eskf, range_m, wall.range_m, wall.slope,
                        rule->range_sigma_m * sqrt(factor), ESKF_GATE_1 * rule->gate, &nis);
  fusion->nis = nis;
  if (err == GANTRY_OK) return note(fusion, time_ns, quality, nis, 1, FUSION_RANGE_USED);
  if (range_m < wall.range_m)
    return note(fusion, time_ns, SHORT_QUALITY * quality, 0, 0, FUSION_RANGE_SHORT);
  confidence_refuse(&fusion->confidence, CONFIDENCE_PROXIMITY);
  return FUSION_RANGE_REFUSED;
}
