/* The chain: keyframes placed against the last few alone. */
#include <math.h>
#include <string.h>

#include <gantry/slam/raycast.h>

#include "back_end.h"
#include "play.h"

/* A poorer fit leaves the front end's word standing. */
static const double INLIERS_MIN = 0.4;

/* What odometry is worth: so much at a stand, and this share of the way and of the turn. */
static const double ODOMETRY_M = 0.02, ODOMETRY_RAD = 0.01, ODOMETRY_SHARE = 0.1;
/* How far a submap may be bent, one sigma, on top of how well its keyframes fit. */
static const double BEND_M = 0.1, BEND_RAD = 0.02;
/* How far a step looks for other places as good. */
static const double PLAY_M = 0.6;
/* Of a place that came without its covariance. */
static const double PLACE_M = 0.02, PLACE_RAD = 0.01;
/* The recent map holds between this many submaps' lengths and twice as many. */
enum { RECENT_LENGTHS = 2 };

static gantry_err_t carve(back_end_t *end, uint32_t index) {
  keyframe_points(end->keyframes[index], &end->points);
  return raycast_insert(end->recent, end->chain[index], &end->points);
}

static gantry_err_t slide(back_end_t *end) {
  uint32_t length = RECENT_LENGTHS * end->config.submap_length;
  if (end->placed - end->recent_first < 2 * length) return GANTRY_OK;
  grid_clear(end->recent);
  end->recent_first = end->placed - length;
  for (uint32_t i = end->recent_first; i < end->placed; i++)
    GANTRY_TRY(carve(end, i));
  return GANTRY_OK;
}

/* Odometry speaks of a step from keyframe to keyframe; along a corridor it alone does. */
static void add_odometry(pose2_t step, double information[9]) {
  double sigma_m = ODOMETRY_M + ODOMETRY_SHARE * hypot(step.x, step.y);
  double sigma_rad = ODOMETRY_RAD + ODOMETRY_SHARE * fabs(step.theta);
  information[0] += 1.0 / (sigma_m * sigma_m);
  information[4] += 1.0 / (sigma_m * sigma_m);
  information[8] += 1.0 / (sigma_rad * sigma_rad);
}

/* covariance: of the place of `to` in the recent map, chain's axes; NULL: it did not fit. */
static gantry_err_t tie(back_end_t *end, uint32_t from, uint32_t to, const double *covariance) {
  pose_graph_edge_t edge = {.from = from,
                            .to = to,
                            .measured = pose2_between(end->chain[from], end->chain[to]),
                            .kernel = POSE_GRAPH_PLAIN};
  bool is_step = to - from == 1;
  if (!covariance && !is_step) return GANTRY_OK;
  if (covariance) {
    double wide[9];
    memcpy(wide, covariance, sizeof wide);
    wide[0] += is_step ? 0.0 : BEND_M * BEND_M;
    wide[4] += is_step ? 0.0 : BEND_M * BEND_M;
    wide[8] += is_step ? 0.0 : BEND_RAD * BEND_RAD;
    information_of(wide, end->chain[from].theta, edge.information);
  }
  if (is_step) add_odometry(edge.measured, edge.information);
  return pose_graph_add_edge(end->graph, &edge, NULL);
}

/* To the keyframe before, and to the first one of each submap it is in. */
static gantry_err_t tie_to_chain(back_end_t *end, uint32_t index, const double *covariance) {
  uint32_t length = end->config.submap_length;
  uint32_t submap = index / length;
  GANTRY_TRY(tie(end, index - 1, index, covariance));
  if (index - 1 > submap * length) GANTRY_TRY(tie(end, submap * length, index, covariance));
  return submap > 0 ? tie(end, (submap - 1) * length, index, covariance) : GANTRY_OK;
}

/* Books a keyframe at its place. */
static gantry_err_t book(back_end_t *end, pose2_t place, const double *covariance) {
  uint32_t index = end->placed++;
  end->chain[index] = place;
  end->path_m[index] = 0.0;
  if (index == 0) return GANTRY_OK;
  end->path_m[index] = end->path_m[index - 1] + pose2_distance(end->chain[index - 1], place);
  return tie_to_chain(end, index, covariance);
}

/* True when the keyframe fits the recent map. */
static bool find_place(back_end_t *end, uint32_t index, pose2_t *place, double covariance[9]) {
  match_result_t match;
  *place = pose2_compose(end->chain[index - 1], end->steps[index]);
  keyframe_points(end->keyframes[index], &end->points);
  gantry_err_t err = match_scan(end->recent_field, &end->points, *place, &end->match, &match);
  if (err != GANTRY_OK || match.inlier_fraction < INLIERS_MIN) return false;
  *place = match.pose;
  play_t play = play_of(end->recent_field, &end->points, &match, PLAY_M);
  match_covariance(&match, covariance);
  play_add(&play, covariance);
  return true;
}

gantry_err_t chain_place(back_end_t *end) {
  uint32_t index = end->placed;
  pose2_t place = end->chain[index];
  double covariance[9];
  bool fits = false;
  if (index > 0) {
    GANTRY_TRY(slide(end));
    GANTRY_TRY(distance_field_update(end->recent_field, end->recent));
    fits = find_place(end, index, &place, covariance);
    pose2_t step = pose2_between(end->chain[index - 1], place);
    pose_graph_set_pose(end->graph, index,
                        pose2_compose(pose_graph_pose(end->graph, index - 1), step));
  }
  GANTRY_TRY(book(end, place, fits ? covariance : NULL));
  return carve(end, index);
}

gantry_err_t chain_restore(back_end_t *end, pose2_t place) {
  const double covariance[9] = {
      [0] = PLACE_M * PLACE_M, [4] = PLACE_M * PLACE_M, [8] = PLACE_RAD * PLACE_RAD};
  return book(end, place, covariance);
}

gantry_err_t chain_resume(back_end_t *end) {
  uint32_t length = RECENT_LENGTHS * end->config.submap_length;
  end->searched = end->placed;
  end->recent_first = end->placed > length ? end->placed - length : 0;
  for (uint32_t i = end->recent_first; i < end->placed; i++)
    GANTRY_TRY(carve(end, i));
  return GANTRY_OK;
}
