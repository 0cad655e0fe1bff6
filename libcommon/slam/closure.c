/* Closures: keyframes that see again what an old submap holds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/slam/search_match.h>

#include "back_end.h"
#include "play.h"

/* How far the chain may have drifted, a metre travelled since the last closure. */
static const double DRIFT_PER_M = 0.01;
static const double REACH_M = 3.0, REACH_MAX_M = 12.0;
enum { SUBMAPS_A_SEARCH = 3, WITHIN_STRIDE = 4 };
/* Of a closure that moves nothing much one is enough; a bigger jump needs a second that agrees. */
static const double PLAUSIBLE_M = 0.5, PLAUSIBLE_RAD = 0.1;
static const double AGREE_M = 0.3, AGREE_RAD = 0.05;
/* A closure joins two passes, each of which errs as one match does, and the map between them. */
static const double PASSES_VARIANCE = 4.0;
/* How far a closure looks for other places as good, and beyond which play along one axis it says no
   more how far the robot has come. */
static const double PLAY_M = 1.0, PLAY_MAX_M = 4.0, FIRM_M = 0.5;
/* Where the front end's word of a place differs by more than this from the graph's. */
static const double DIFFERS_M = 0.3, DIFFERS_RAD = 0.1;
/* Beyond this drift a match from the graph's pose that fails is followed by a search. */
static const double SEARCH_DRIFT_M = 0.3, SEARCH_MARGIN_M = 1.0, SEARCH_RAD = 0.35;
/* A second place that fits nearly as well makes the first one worth nothing. */
static const double RIVAL_INLIERS = 0.9;
/* Closures that move less than this confirm the graph, and its solution waits for more. */
static const double CONFIRMS_M = 0.03, CONFIRMS_RAD = 0.005;
static const double INLIER_M = 0.15;
/* A ray within WALL_M of a wall, farther than CLEAR_M from its ends, crosses it. */
static const double WALL_M = 0.04, CLEAR_M = 0.4, RAY_STEP_M = 0.07;
enum { JUDGED_MAX = 180 };
/* Closures that the rest contradicts by more than this many sigmas pull no harder than that. */
static const double HUBER_SCALE = 1.0;

typedef struct candidate {
  uint32_t submap, nearest; /* its keyframe nearest to the one searched */
  double distance_m;
  pose2_t seen;   /* the one searched, from there, as far as is known */
  double drift_m; /* how far off that may be */
} candidate_t;

void information_of(const double covariance[9], double turn_rad, double out[9]) {
  double c = cos(turn_rad);
  double s = sin(turn_rad);
  const double *k = covariance;
  /* R' C R with R the turn about z. */
  double xx = c * c * k[0] + 2 * c * s * k[1] + s * s * k[4];
  double xy = (c * c - s * s) * k[1] + c * s * (k[4] - k[0]);
  double yy = s * s * k[0] - 2 * c * s * k[1] + c * c * k[4];
  double xt = c * k[2] + s * k[5];
  double yt = -s * k[2] + c * k[5];
  double tt = k[8];
  double det = xx * (yy * tt - yt * yt) - xy * (xy * tt - yt * xt) + xt * (xy * yt - yy * xt);
  out[0] = (yy * tt - yt * yt) / det;
  out[1] = out[3] = (xt * yt - xy * tt) / det;
  out[2] = out[6] = (xy * yt - xt * yy) / det;
  out[4] = (xx * tt - xt * xt) / det;
  out[5] = out[7] = (xy * xt - xx * yt) / det;
  out[8] = (xx * yy - xy * xy) / det;
}

/* Where a keyframe is: by the front end, or, without its word, by the graph. */
static pose2_t place_of(const back_end_t *end, const pose2_t *front, uint32_t keyframe) {
  return front ? front[keyframe] : pose_graph_pose(end->graph, keyframe);
}

/* The nearest keyframe of a submap, every few looked at. */
static candidate_t nearest_in(const back_end_t *end, const pose2_t *front, uint32_t submap,
                              uint32_t keyframe) {
  pose2_t pose = place_of(end, front, keyframe);
  uint32_t first = submap * end->config.submap_length;
  candidate_t found = {.submap = submap, .distance_m = INFINITY};
  for (uint32_t i = first; i < first + 2 * end->config.submap_length; i += WITHIN_STRIDE) {
    double distance_m = pose2_distance(place_of(end, front, i), pose);
    if (distance_m >= found.distance_m) continue;
    found.distance_m = distance_m;
    found.nearest = i;
  }
  found.seen = pose2_between(place_of(end, front, found.nearest), pose);
  return found;
}

/* The nearest submaps that are old enough, nearest first. */
static uint32_t nearest_submaps(const back_end_t *end, const pose2_t *front, uint32_t keyframe,
                                double drift_m, candidate_t out[SUBMAPS_A_SEARCH]) {
  uint32_t length = end->config.submap_length;
  uint32_t count = 0;
  for (uint32_t submap = 0; (submap + 3) * length <= keyframe; submap++) {
    candidate_t found = nearest_in(end, front, submap, keyframe);
    found.drift_m = drift_m;
    if (found.distance_m > REACH_M + drift_m) continue;
    uint32_t at = count < SUBMAPS_A_SEARCH ? count++ : SUBMAPS_A_SEARCH;
    while (at > 0 && out[at - 1].distance_m > found.distance_m) {
      if (at < SUBMAPS_A_SEARCH) out[at] = out[at - 1];
      at--;
    }
    if (at < SUBMAPS_A_SEARCH) out[at] = found;
  }
  return count;
}

/* True when a ray runs through a wall well before it ends. */
static bool crosses(const distance_field_t *field, pose2_t from, double to_x, double to_y) {
  double length_m = hypot(to_x - from.x, to_y - from.y);
  long steps = lround((length_m - 2.0 * CLEAR_M) / RAY_STEP_M);
  for (long i = 0; i <= steps; i++) {
    double part = (CLEAR_M + RAY_STEP_M * (double)i) / length_m;
    double x = from.x + part * (to_x - from.x);
    double y = from.y + part * (to_y - from.y);
    if (distance_field_at(field, x, y, NULL) < WALL_M) return true;
  }
  return false;
}

/* Share of the rays that end near a wall and cross none on the way (a scan laid on the far side of
   a wall fits its points as well), and how near those end. */
static void judge(const distance_field_t *field, const points_t *points, pose2_t pose,
                  slam_closure_t *closure) {
  pose2_t origin =
      pose2_compose(pose, (pose2_t){(double)points->origin_x_m, (double)points->origin_y_m, 0.0});
  double c = cos(pose.theta);
  double s = sin(pose.theta);
  double sum_m = 0.0;
  uint32_t near = 0;
  uint32_t judged = 0;
  for (uint32_t i = 0; i < points->count; i += 1 + points->count / JUDGED_MAX) {
    double x = pose.x + c * points->x_m[i] - s * points->y_m[i];
    double y = pose.y + s * points->x_m[i] + c * points->y_m[i];
    double distance_m = distance_field_at(field, x, y, NULL);
    judged++;
    if (distance_m >= INLIER_M || crosses(field, origin, x, y)) continue;
    near++;
    sum_m += distance_m;
  }
  closure->score = judged ? (double)near / judged : 0.0;
  closure->residual_m = near ? sum_m / near : INLIER_M;
}

/* True when the robot at pose (chain's frame) stands in sight of the submap's keyframe nearest to
   it, which becomes the closure's other end. A scan that faces one long wall fits behind the wall
   as well, and there no keyframe has been. */
static bool is_in_sight(const back_end_t *end, const candidate_t *candidate, pose2_t pose,
                        slam_closure_t *closure) {
  uint32_t first = candidate->submap * end->config.submap_length;
  for (uint32_t i = first; i < first + 2 * end->config.submap_length; i++)
    if (pose2_distance(end->chain[i], pose) < pose2_distance(end->chain[closure->from], pose))
      closure->from = i;
  pose2_t there = end->chain[closure->from];
  return pose2_distance(there, pose) < REACH_M &&
         !crosses(end->submaps[candidate->submap].field, there, pose.x, pose.y);
}

static slam_verdict_t verdict_of(const back_end_t *end, const slam_closure_t *closure) {
  if (closure->score < end->config.closure_score) return SLAM_LOW_SCORE;
  if (closure->residual_m > end->config.closure_residual_m) return SLAM_HIGH_RESIDUAL;
  return SLAM_ACCEPTED;
}

static gantry_err_t keep(back_end_t *end, const slam_closure_t *closure) {
  if (end->closure_count == end->closure_capacity) {
    uint32_t capacity = end->closure_capacity ? end->closure_capacity * 2 : 256;
    slam_closure_t *closures = realloc(end->closures, capacity * sizeof *closures);
    if (closures) end->closures = closures;
    uint32_t *edges = realloc(end->closure_edges, capacity * sizeof *edges);
    if (edges) end->closure_edges = edges;
    if (!closures || !edges) return GANTRY_E_INTERNAL;
    end->closure_capacity = capacity;
  }
  end->closure_edges[end->closure_count] = UINT32_MAX;
  end->closures[end->closure_count++] = *closure;
  return GANTRY_OK;
}

static gantry_err_t tie(back_end_t *end, uint32_t index) {
  const slam_closure_t *closure = &end->closures[index];
  pose_graph_edge_t edge = {.from = closure->from,
                            .to = closure->to,
                            .measured = closure->measured,
                            .kernel = POSE_GRAPH_HUBER,
                            .scale = HUBER_SCALE};
  memcpy(edge.information, closure->information, sizeof edge.information);
  GANTRY_TRY(pose_graph_add_edge(end->graph, &edge, &end->closure_edges[index]));
  if (closure->firm) end->closed_path_m = end->path_m[closure->to];
  end->unsolved++;
  return GANTRY_OK;
}

/* True when two closures say the same of the drift between their places. */
static bool agree(const back_end_t *end, const slam_closure_t *a, const slam_closure_t *b) {
  pose2_t there =
      pose2_compose(pose2_between(end->chain[a->from], end->chain[b->from]), b->measured);
  pose2_t here = pose2_compose(a->measured, pose2_between(end->chain[a->to], end->chain[b->to]));
  pose2_t off = pose2_between(here, there);
  double way_m = fabs(end->path_m[a->from] - end->path_m[b->from]) +
                 fabs(end->path_m[a->to] - end->path_m[b->to]);
  return hypot(off.x, off.y) < AGREE_M + DRIFT_PER_M * way_m && fabs(off.theta) < AGREE_RAD;
}

/* Accepts a closure and those that waited for one like it. */
static gantry_err_t settle(back_end_t *end, uint32_t index) {
  slam_closure_t *closure = &end->closures[index];
  pose2_t expected = pose2_between(pose_graph_pose(end->graph, closure->from),
                                   pose_graph_pose(end->graph, closure->to));
  pose2_t jump = pose2_between(expected, closure->measured);
  bool plausible = hypot(jump.x, jump.y) < PLAUSIBLE_M && fabs(jump.theta) < PLAUSIBLE_RAD;
  bool found = false;
  for (uint32_t i = index; !plausible && i-- > 0;) {
    slam_closure_t *other = &end->closures[i];
    if (other->verdict != SLAM_WAITING || other->to == closure->to) continue;
    if (!agree(end, other, closure)) continue;
    found = true;
    other->verdict = SLAM_ACCEPTED;
    GANTRY_TRY(tie(end, i));
  }
  closure->verdict = plausible || found ? SLAM_ACCEPTED : SLAM_WAITING;
  end->solve_wanted = end->solve_wanted || found || hypot(jump.x, jump.y) > CONFIRMS_M ||
                      fabs(jump.theta) > CONFIRMS_RAD;
  return closure->verdict == SLAM_ACCEPTED ? tie(end, index) : GANTRY_OK;
}

/* Branch and bound where drift may have carried the guess out of the match's reach. Leaves match
   and closure alone when nothing better is found. */
static gantry_err_t search_wide(back_end_t *end, const candidate_t *candidate, pose2_t guess,
                                match_result_t *match, slam_closure_t *closure) {
  double reach_m = SEARCH_MARGIN_M + candidate->drift_m;
  search_window_t window = {
      .centre = guess, .reach_x_m = reach_m, .reach_y_m = reach_m, .reach_rad = SEARCH_RAD};
  search_match_t found;
  gantry_err_t err = submap_prepare_search(end, candidate->submap);
  if (err != GANTRY_OK) return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
  const submap_t *submap = &end->submaps[candidate->submap];
  keyframe_points(end->keyframes[closure->to], &end->points);
  err = search_and_match(submap->search, submap->field, &end->points, &window,
                         end->config.closure_score, &end->match, &found);
  if (err != GANTRY_OK) return err == GANTRY_E_NOT_FOUND ? GANTRY_OK : err;
  *match = found.best;
  judge(submap->field, &end->points, match->pose, closure);
  closure->verdict = verdict_of(end, closure);
  bool rival = found.has_runner_up &&
               found.runner_up.inlier_fraction > RIVAL_INLIERS * found.best.inlier_fraction;
  if (rival && closure->verdict == SLAM_ACCEPTED) closure->verdict = SLAM_INCONSISTENT;
  return GANTRY_OK;
}

/* How far the closure may be believed, and in which direction. */
static void weigh(const back_end_t *end, const candidate_t *candidate, const match_result_t *match,
                  slam_closure_t *closure) {
  double covariance[9];
  double reach_m = fmin(PLAY_M + candidate->drift_m, PLAY_MAX_M);
  play_t play = play_of(end->submaps[candidate->submap].field, &end->points, match, reach_m);
  match_covariance(match, covariance);
  for (size_t i = 0; i < 9; i++)
    covariance[i] *= PASSES_VARIANCE;
  play_add(&play, covariance);
  information_of(covariance, end->chain[closure->from].theta, closure->information);
  closure->firm = play.far_m < FIRM_M;
}

static gantry_err_t try_submap(back_end_t *end, uint32_t keyframe, const candidate_t *candidate) {
  submap_t *submap = NULL;
  GANTRY_TRY(submap_draw(end, candidate->submap, &submap));
  keyframe_points(end->keyframes[keyframe], &end->points);
  pose2_t guess = pose2_compose(end->chain[candidate->nearest], candidate->seen);
  match_result_t match;
  gantry_err_t err = match_scan(submap->field, &end->points, guess, &end->match, &match);
  end->counts.searches++;
  if (err != GANTRY_OK) return err == GANTRY_E_UNAVAILABLE ? GANTRY_OK : err;
  slam_closure_t closure = {.from = candidate->nearest, .to = keyframe};
  judge(submap->field, &end->points, match.pose, &closure);
  closure.verdict = verdict_of(end, &closure);
  bool wide = closure.verdict != SLAM_ACCEPTED && candidate->drift_m > SEARCH_DRIFT_M;
  if (wide) GANTRY_TRY(search_wide(end, candidate, guess, &match, &closure));
  if (!is_in_sight(end, candidate, match.pose, &closure) && closure.verdict == SLAM_ACCEPTED)
    closure.verdict = SLAM_INCONSISTENT;
  closure.measured = pose2_between(end->chain[closure.from], match.pose);
  if (closure.verdict == SLAM_ACCEPTED) weigh(end, candidate, &match, &closure);
  /* Along bare walls a search finds any place; only a match stays at its guess there. */
  if (wide && !closure.firm && closure.verdict == SLAM_ACCEPTED)
    closure.verdict = SLAM_INCONSISTENT;
  GANTRY_TRY(keep(end, &closure));
  return closure.verdict == SLAM_ACCEPTED ? settle(end, end->closure_count - 1) : GANTRY_OK;
}

/* True when front end and graph see the keyframe elsewhere from the candidate. */
static bool differs(const back_end_t *end, uint32_t keyframe, const candidate_t *candidate) {
  pose2_t graph = pose2_between(pose_graph_pose(end->graph, candidate->nearest),
                                pose_graph_pose(end->graph, keyframe));
  pose2_t off = pose2_between(graph, candidate->seen);
  return hypot(off.x, off.y) > DIFFERS_M || fabs(off.theta) > DIFFERS_RAD;
}

static gantry_err_t search_by(back_end_t *end, const pose2_t *front, uint32_t keyframe,
                              double drift_m) {
  candidate_t candidates[SUBMAPS_A_SEARCH];
  uint32_t count = nearest_submaps(end, front, keyframe, drift_m, candidates);
  for (uint32_t i = 0; i < count; i++)
    if (!front || differs(end, keyframe, &candidates[i]))
      GANTRY_TRY(try_submap(end, keyframe, &candidates[i]));
  return GANTRY_OK;
}

gantry_err_t closure_search(back_end_t *end, uint32_t keyframe) {
  double drift_m = DRIFT_PER_M * (end->path_m[keyframe] - end->closed_path_m);
  uint32_t before = end->closure_count;
  GANTRY_TRY(search_by(end, NULL, keyframe, fmin(drift_m, REACH_MAX_M)));
  for (uint32_t i = before; i < end->closure_count; i++)
    if (end->closures[i].verdict == SLAM_ACCEPTED) return GANTRY_OK;
  /* The front end matches the whole map: where the chain went wrong it may have found back. */
  return end->front ? search_by(end, end->front, keyframe, 0.0) : GANTRY_OK;
}

gantry_err_t closure_restore(back_end_t *end, const slam_closure_t *closure) {
  GANTRY_TRY(keep(end, closure));
  return closure->verdict == SLAM_ACCEPTED ? tie(end, end->closure_count - 1) : GANTRY_OK;
}

void closure_review(back_end_t *end) {
  for (uint32_t i = 0; i < end->closure_count; i++) {
    if (end->closure_edges[i] == UINT32_MAX) continue;
    bool heard = pose_graph_weight(end->graph, end->closure_edges[i]) >= 0.05;
    end->closures[i].verdict = heard ? SLAM_ACCEPTED : SLAM_REJECTED_BY_GRAPH;
  }
}
