/* How good the map is, measured on a part of the keyframes spread over the drive. */
#include <math.h>

#include <gantry/slam/raycast.h>

#include "slam_parts.h"

enum { FITTED_MAX = 400, RAYS_MAX = 40 };
/* A wall this far before the end of a ray was crossed by it. */
static const double CROSSED_M = 0.3;

static void fit(const slam_t *slam, const points_t *points, pose2_t pose, slam_look_t *sums) {
  match_result_t match;
  if (tracker_look(slam->tracker, pose, points) != GANTRY_OK) return;
  const match_config_t *config = &slam->config.tracker.match;
  if (match_score(tracker_field(slam->tracker), points, pose, config, &match) != GANTRY_OK) return;
  sums->residual_m += match.mean_residual_m;
  sums->inliers += match.inlier_fraction;
  sums->fitted++;
}

static void cast(const grid_t *grid, const points_t *points, pose2_t pose, slam_look_t *sums) {
  pose2_t origin = {points->origin_x_m, points->origin_y_m, 0.0};
  uint32_t stride = points->count / RAYS_MAX + 1;
  for (uint32_t i = 0; i < points->count; i += stride) {
    double dx = (double)points->x_m[i] - origin.x;
    double dy = (double)points->y_m[i] - origin.y;
    origin.theta = atan2(dy, dx);
    double wall_m;
    double until_m = hypot(dx, dy) - CROSSED_M;
    sums->rays++;
    sums->crossing +=
        until_m > 0.0 && raycast_range(grid, pose2_compose(pose, origin), until_m, &wall_m);
  }
}

static slam_quality_t sum_up(const slam_t *slam, const slam_look_t *sums) {
  slam_counts_t counts = slam_counts(slam);
  slam_quality_t quality = {.coverage = grid_explored_fraction(tracker_grid(slam->tracker)),
                            .keyframes = slam->count,
                            .submaps = (uint32_t)counts.submaps,
                            .closures = (uint32_t)counts.closures,
                            .refused = (uint32_t)counts.refused};
  if (sums->fitted) quality.residual_m = sums->residual_m / sums->fitted;
  if (sums->fitted) quality.inliers = sums->inliers / sums->fitted;
  if (sums->rays) quality.consistency = 1.0 - (double)sums->crossing / sums->rays;
  return quality;
}

bool slam_look_on(const slam_t *slam, slam_look_t *look, slam_quality_t *out) {
  points_t points;
  if (look->stride == 0) look->stride = slam->count / FITTED_MAX + 1;
  if (look->next < slam->count) {
    keyframe_points(slam->keyframes[look->next], &points);
    fit(slam, &points, slam->poses[look->next], look);
    cast(tracker_grid(slam->tracker), &points, slam->poses[look->next], look);
    look->next += look->stride;
  }
  if (look->next < slam->count) return false;
  *out = sum_up(slam, look);
  *look = (slam_look_t){0};
  return true;
}

slam_quality_t slam_quality(const slam_t *slam) {
  slam_look_t look = {0};
  slam_quality_t quality;
  while (!slam_look_on(slam, &look, &quality))
    continue;
  return quality;
}
