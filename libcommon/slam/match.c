/* Gauss-Newton on the distance field, and the correlative search for scans it cannot place. */
#include <gantry/slam/match.h>

#include <math.h>
#include <string.h>

#include "corridor.h"
#include "match_sums.h"

/* All stages but the last may stop earlier by this: the next goes on from there. */
static const double STAGE_SLACK = 5.0;

match_config_t match_config_default(void) {
  return (match_config_t){.wide_m = 0.20,
                          .middle_m = 0.05,
                          .narrow_m = 0.02,
                          .prior_weight = 0.3,
                          .corridor_weight = 10.0,
                          .stop_m = 0.001,
                          .stop_rad = 0.0002,
                          .iterations_max = 20,
                          .inlier_m = 0.15,
                          .rescue_residual_m = 0.12,
                          .rescue_gain = 0.8,
                          .rescue_reach_m = 0.4,
                          .rescue_step_m = 0.1,
                          .rescue_reach_rad = 0.5,
                          .rescue_step_rad = 0.034906585,
                          .rescue_points = 45};
}

/* Solves the symmetric 3x3 system by its LDL' factors; false when it is not positive definite. */
static bool solve(const double h[9], const double b[3], double out[3]) {
  double d0 = h[0];
  if (!(d0 > 0.0)) return false;
  double l10 = h[1] / d0;
  double l20 = h[2] / d0;
  double d1 = h[4] - l10 * h[1];
  if (!(d1 > 0.0)) return false;
  double l21 = (h[5] - l20 * h[1]) / d1;
  double d2 = h[8] - l20 * h[2] - l21 * l21 * d1;
  if (!(d2 > 0.0)) return false;
  double y0 = b[0];
  double y1 = b[1] - l10 * y0;
  double y2 = b[2] - l20 * y0 - l21 * y1;
  out[2] = y2 / d2;
  out[1] = y1 / d1 - l21 * out[2];
  out[0] = y0 / d0 - l10 * out[1] - l20 * out[2];
  return true;
}

static void hessian_of(const match_sums_t *sums, double h[9]) {
  h[0] = sums->xx;
  h[4] = sums->yy;
  h[8] = sums->tt;
  h[1] = h[3] = sums->xy;
  h[2] = h[6] = sums->xt;
  h[5] = h[7] = sums->yt;
}

/* The direction along a corridor, in the field's frame, and as how many points the guess counts
   there. */
typedef struct blind {
  bool seen;
  double c, s, weight;
} blind_t;

/* One Gauss-Newton step; false when the scan does not see enough to make one. The prior pulls to
   the guess and so decides along a corridor, where the scan says nothing; the little damping keeps
   a nearly blind axis from overshooting (Levenberg 1944). */
static bool step(const match_sums_t *sums, pose2_t pose, pose2_t guess, double prior_weight,
                 const blind_t *blind, double out[3]) {
  const double damping = 3e-4;
  double h[9];
  double pull[3] = {guess.x - pose.x, guess.y - pose.y, wrap_rad(guess.theta - pose.theta)};
  double gradient[3] = {prior_weight * pull[0] - sums->x, prior_weight * pull[1] - sums->y,
                        prior_weight * pull[2] - sums->t};
  hessian_of(sums, h);
  double along = blind->c * pull[0] + blind->s * pull[1];
  gradient[0] += blind->weight * along * blind->c;
  gradient[1] += blind->weight * along * blind->s;
  h[0] += blind->weight * blind->c * blind->c;
  h[1] += blind->weight * blind->c * blind->s;
  h[4] += blind->weight * blind->s * blind->s;
  h[3] = h[1];
  double level = damping * (h[0] + h[4]) + prior_weight + 1e-9;
  h[0] += level;
  h[4] += level;
  h[8] += damping * h[8] + prior_weight + 1e-9;
  return solve(h, gradient, out);
}

/* What is matched, and how. */
typedef struct task {
  field_view_t view;
  const points_t *points;
  const match_config_t *config;
  blind_t blind;
} task_t;

static match_sums_t sums_at(task_t *task, pose2_t pose, double cauchy_m) {
  return match_sums_at(&task->view, task->points, pose, cauchy_m, task->config->inlier_m);
}

/* Runs one stage; true when it ended by the stop rule, taken `slack` times. */
static bool descend(task_t *task, pose2_t guess, double cauchy_m, double slack,
                    match_result_t *result) {
  const match_config_t *config = task->config;
  for (uint32_t i = 0; i < config->iterations_max; i++) {
    double delta[3];
    match_sums_t sums = sums_at(task, result->pose, cauchy_m);
    if (!step(&sums, result->pose, guess, config->prior_weight, &task->blind, delta)) return false;
    result->iterations++;
    result->pose.x += delta[0];
    result->pose.y += delta[1];
    result->pose.theta = wrap_rad(result->pose.theta + delta[2]);
    if (hypot(delta[0], delta[1]) < slack * config->stop_m &&
        fabs(delta[2]) < slack * config->stop_rad)
      return true;
  }
  return false;
}

static void fill(const match_sums_t *sums, uint32_t count, match_result_t *result) {
  hessian_of(sums, result->hessian);
  result->mean_residual_m = (double)sums->residual / count;
  result->inlier_fraction = (double)sums->inliers / count;
  result->variance_m2 =
      sums->weight > 0.0f ? (double)sums->weighted_square / (double)sums->weight : 0.0;
}

static blind_t blind_of(const points_t *points, pose2_t guess, const match_config_t *config) {
  double along_rad;
  if (!corridor_seen(points, &along_rad)) return (blind_t){0};
  along_rad += guess.theta;
  return (blind_t){true, cos(along_rad), sin(along_rad), config->corridor_weight};
}

/* Takes what the Hessian claims to know of the blind direction out of it. */
static void blindfold(const blind_t *blind, double h[9]) {
  double c = blind->c;
  double s = blind->s;
  double across = s * s * h[0] - 2.0 * s * c * h[1] + c * c * h[4]; /* n'Hn, n = (-s, c) */
  double across_turn = c * h[5] - s * h[2];
  h[0] = across * s * s;
  h[1] = h[3] = -across * s * c;
  h[4] = across * c * c;
  h[2] = h[6] = -across_turn * s;
  h[5] = h[7] = across_turn * c;
}

static match_result_t refine(task_t *task, pose2_t guess) {
  const match_config_t *config = task->config;
  match_result_t result = {.pose = guess};
  descend(task, guess, config->wide_m, STAGE_SLACK, &result);
  descend(task, guess, config->middle_m, STAGE_SLACK, &result);
  result.converged = descend(task, guess, config->narrow_m, 1.0, &result);
  match_sums_t sums = sums_at(task, result.pose, config->middle_m);
  fill(&sums, task->points->count, &result);
  if (task->blind.seen) blindfold(&task->blind, result.hessian);
  return result;
}

/* A thinned scan turned for the search, as cells from the middle of the window. */
typedef struct turned {
  uint32_t count;
  int32_t x[POINTS_CAPACITY], y[POINTS_CAPACITY];
} turned_t;

/* floor for values well inside an int32_t; the library's needs SSE 4.1 to be as quick. */
static inline int32_t floor_int(float value) {
  int32_t whole = (int32_t)value;
  return whole - (value < (float)whole);
}

static void turn_scan(const distance_field_t *field, const points_t *points, pose2_t pose,
                      uint32_t stride, turned_t *out) {
  match_frame_t frame = match_frame_of(field, pose);
  out->count = 0;
  for (uint32_t i = 0; i < points->count; i += stride) {
    float x = frame.c * points->x_m[i] - frame.s * points->y_m[i] + frame.x + 0.5f;
    float y = frame.s * points->x_m[i] + frame.c * points->y_m[i] + frame.y + 0.5f;
    out->x[out->count] = frame.cell_x + floor_int(x);
    out->y[out->count++] = frame.cell_y + floor_int(y);
  }
}

/* Sum of the distances, in bytes, of a turned scan shifted by whole cells; gives up at `enough`. */
static uint32_t coarse_cost(field_view_t *view, const turned_t *scan, int32_t shift_x,
                            int32_t shift_y, uint32_t enough) {
  uint32_t cost = 0;
  for (uint32_t i = 0; i < scan->count && cost < enough; i++)
    cost += *field_cell(view, scan->x[i] + shift_x, scan->y[i] + shift_y);
  return cost;
}

static pose2_t search(task_t *task, pose2_t guess) {
  const distance_field_t *field = task->view.field;
  const match_config_t *config = task->config;
  uint32_t wanted = config->rescue_points ? config->rescue_points : 1;
  uint32_t stride = task->points->count > wanted ? task->points->count / wanted : 1;
  int32_t turns = (int32_t)(config->rescue_reach_rad / config->rescue_step_rad + 0.5);
  int32_t shifts = (int32_t)(config->rescue_reach_m / config->rescue_step_m + 0.5);
  int32_t cells = (int32_t)(config->rescue_step_m / field->resolution_m + 0.5);
  uint32_t best = UINT32_MAX;
  pose2_t found = guess;
  turned_t scan;
  if (cells == 0) cells = 1;
  for (int32_t turn = -turns; turn <= turns; turn++) {
    pose2_t pose = {guess.x, guess.y, guess.theta + turn * config->rescue_step_rad};
    turn_scan(field, task->points, pose, stride, &scan);
    for (int32_t iy = -shifts; iy <= shifts; iy++)
      for (int32_t ix = -shifts; ix <= shifts; ix++) {
        uint32_t cost = coarse_cost(&task->view, &scan, ix * cells, iy * cells, best);
        if (cost >= best) continue;
        best = cost;
        found = (pose2_t){guess.x + ix * cells * field->resolution_m,
                          guess.y + iy * cells * field->resolution_m, wrap_rad(pose.theta)};
      }
  }
  return found;
}

static gantry_err_t check(const distance_field_t *field, const points_t *points, pose2_t guess) {
  double limit_m = GRID_COORD_MAX * field->resolution_m / 2;
  if (!(fabs(guess.x) < limit_m && fabs(guess.y) < limit_m && isfinite(guess.theta)))
    return GANTRY_E_INVALID;
  return points->count < MATCH_POINTS_MIN ? GANTRY_E_UNAVAILABLE : GANTRY_OK;
}

gantry_err_t match_scan(const distance_field_t *field, const points_t *points, pose2_t guess,
                        const match_config_t *config, match_result_t *out) {
  GANTRY_TRY(check(field, points, guess));
  task_t task = {.points = points, .config = config};
  field_view_init(&task.view, field);
  task.blind = blind_of(points, guess, config);
  *out = refine(&task, guess);
  bool may_search = config->rescue_residual_m > 0.0 && config->rescue_step_m > 0.0 &&
                    config->rescue_step_rad > 0.0;
  if (!may_search || out->mean_residual_m <= config->rescue_residual_m) return GANTRY_OK;

  match_result_t second = refine(&task, search(&task, guess));
  second.iterations += out->iterations;
  second.rescued = true;
  /* A search that finds little more has found another stretch of the same corridor. */
  if (second.mean_residual_m < config->rescue_gain * out->mean_residual_m) *out = second;
  return GANTRY_OK;
}

gantry_err_t match_score(const distance_field_t *field, const points_t *points, pose2_t pose,
                         const match_config_t *config, match_result_t *out) {
  GANTRY_TRY(check(field, points, pose));
  task_t task = {.points = points, .config = config};
  field_view_init(&task.view, field);
  match_sums_t sums = sums_at(&task, pose, config->middle_m);
  *out = (match_result_t){.pose = pose};
  fill(&sums, points->count, out);
  return GANTRY_OK;
}

void match_covariance(const match_result_t *result, double covariance[9]) {
  const double floor_m2 = 0.01 * 0.01;
  const double floor_rad2 = (M_PI / 1800.0) * (M_PI / 1800.0);
  /* One weak observation of 1 m and 1 rad bounds the axes the scan does not see. */
  double variance_m2 = fmax(result->variance_m2, floor_m2);
  double h[9];
  memcpy(h, result->hessian, sizeof h);
  for (size_t i = 0; i < 9; i += 4)
    h[i] += variance_m2;
  for (int column = 0; column < 3; column++) {
    double unit[3] = {column == 0, column == 1, column == 2};
    double solution[3];
    if (!solve(h, unit, solution)) memcpy(solution, unit, sizeof solution);
    for (int row = 0; row < 3; row++)
      covariance[3 * row + column] = variance_m2 * solution[row];
  }
  covariance[0] += floor_m2;
  covariance[4] += floor_m2;
  covariance[8] += floor_rad2;
}
