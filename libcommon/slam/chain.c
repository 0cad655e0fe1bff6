/* The chain: keyframes placed against the last few alone. */
#include <gantry/slam/raycast.h>

#include "back_end.h"

/* A poorer fit leaves the front end's word standing. */
static const double INLIERS_MIN = 0.4;

static const double STEP_SIGMA_M = 0.02, STEP_SIGMA_RAD = 0.01;
static const double SUBMAP_SIGMA_M = 0.03, SUBMAP_SIGMA_RAD = 0.006;

static gantry_err_t carve(back_end_t *end, uint32_t index) {
  keyframe_points(end->keyframes[index], &end->points);
  return raycast_insert(end->recent, end->chain[index], &end->points);
}

/* Keeps the recent map between one and two submaps long. */
static gantry_err_t slide(back_end_t *end) {
  uint32_t length = end->config.submap_length;
  if (end->placed - end->recent_first < 2 * length) return GANTRY_OK;
  grid_clear(end->recent);
  end->recent_first = end->placed - length;
  for (uint32_t i = end->recent_first; i < end->placed; i++)
    GANTRY_TRY(carve(end, i));
  return GANTRY_OK;
}

static gantry_err_t tie(back_end_t *end, uint32_t from, uint32_t to, double sigma_m,
                        double sigma_rad) {
  pose_graph_edge_t edge = {.from = from,
                            .to = to,
                            .measured = pose2_between(end->chain[from], end->chain[to]),
                            .kernel = POSE_GRAPH_PLAIN};
  edge.information[0] = edge.information[4] = 1.0 / (sigma_m * sigma_m);
  edge.information[8] = 1.0 / (sigma_rad * sigma_rad);
  return pose_graph_add_edge(end->graph, &edge, NULL);
}

/* To the keyframe before, and to the first one of each submap it is in. */
static gantry_err_t tie_to_chain(back_end_t *end, uint32_t index) {
  uint32_t length = end->config.submap_length;
  uint32_t submap = index / length;
  GANTRY_TRY(tie(end, index - 1, index, STEP_SIGMA_M, STEP_SIGMA_RAD));
  if (index - 1 > submap * length)
    GANTRY_TRY(tie(end, submap * length, index, SUBMAP_SIGMA_M, SUBMAP_SIGMA_RAD));
  if (submap > 0) return tie(end, (submap - 1) * length, index, SUBMAP_SIGMA_M, SUBMAP_SIGMA_RAD);
  return GANTRY_OK;
}

/* Books a keyframe whose place is known. */
static gantry_err_t book(back_end_t *end, pose2_t place) {
  uint32_t index = end->placed++;
  end->chain[index] = place;
  end->path_m[index] = 0.0;
  if (index == 0) return GANTRY_OK;
  end->path_m[index] = end->path_m[index - 1] + pose2_distance(end->chain[index - 1], place);
  return tie_to_chain(end, index);
}

static pose2_t place_of(back_end_t *end, uint32_t index) {
  match_result_t match;
  pose2_t guess = pose2_compose(end->chain[index - 1], end->steps[index]);
  keyframe_points(end->keyframes[index], &end->points);
  gantry_err_t err = match_scan(end->recent_field, &end->points, guess, &end->match, &match);
  return err == GANTRY_OK && match.inlier_fraction >= INLIERS_MIN ? match.pose : guess;
}

gantry_err_t chain_place(back_end_t *end) {
  uint32_t index = end->placed;
  pose2_t place = end->chain[index];
  if (index > 0) {
    GANTRY_TRY(slide(end));
    GANTRY_TRY(distance_field_update(end->recent_field, end->recent));
    place = place_of(end, index);
    pose2_t step = pose2_between(end->chain[index - 1], place);
    pose_graph_set_pose(end->graph, index,
                        pose2_compose(pose_graph_pose(end->graph, index - 1), step));
  }
  GANTRY_TRY(book(end, place));
  return carve(end, index);
}

gantry_err_t chain_restore(back_end_t *end, pose2_t place) {
  return book(end, place);
}

gantry_err_t chain_resume(back_end_t *end) {
  uint32_t length = end->config.submap_length;
  end->searched = end->placed;
  end->recent_first = end->placed > length ? end->placed - length : 0;
  for (uint32_t i = end->recent_first; i < end->placed; i++)
    GANTRY_TRY(carve(end, i));
  return GANTRY_OK;
}
