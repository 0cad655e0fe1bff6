/* Gauss-Newton with a brake (Levenberg-Marquardt), and the covariance between two nodes. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "pose_graph_parts.h"

/* The brake, as a share of the diagonal: off, first pulled, so strong that there is no way down. */
static const double BRAKE_FIRST = 1e-4;
static const double BRAKE_FACTOR = 10;
static const double BRAKE_MAX = 1e8;
/* A change of the error by this share is rounding: no step leads further down. */
static const double ROUNDING = 1e-13;

/* In proportion to the diagonal, x and y alike, so that a turned map is solved the same way. */
static void set_damping(pose_graph_t *graph, double brake) {
  for (uint32_t i = 0; i < graph->node_count; i++) {
    const double *block = block_cholesky_diagonal(&graph->system, i);
    double *damping = graph->damping + 3 * (size_t)i;
    damping[0] = damping[1] = brake * (block[0] + block[4]) / 2;
    damping[2] = brake * block[8];
  }
}

/* From nodes to moved; whether any step is longer than the stops. */
static bool move(pose_graph_t *graph, const double *step, double stop_m, double stop_rad) {
  bool far = false;
  for (uint32_t i = 0; i < graph->node_count; i++) {
    if (graph->anchor[i] == i) {
      graph->moved[i] = graph->nodes[i];
      continue;
    }
    const double *d = step + 3 * (size_t)i;
    pose2_t pose = graph->nodes[i].pose;
    graph->moved[i] = graph_node_at((pose2_t){pose.x + d[0], pose.y + d[1], pose.theta + d[2]});
    far = far || hypot(d[0], d[1]) > stop_m || fabs(d[2]) > stop_rad;
  }
  return far;
}

typedef struct descent {
  double cost, brake;
  bool moved; /* a step was taken */
  bool ended; /* it was within the stops, or there is no way down */
  bool near;  /* within the stops */
} descent_t;

/* One step from where the equations were last summed up; the brake is pulled until it leads down.
 */
static void descend(pose_graph_t *graph, double stop_m, double stop_rad, descent_t *at) {
  at->moved = false;
  for (;; at->brake = at->brake > 0 ? at->brake * BRAKE_FACTOR : BRAKE_FIRST) {
    if (at->brake > BRAKE_MAX) {
      at->ended = true;
      return;
    }
    set_damping(graph, at->brake);
    if (!block_cholesky_factor(&graph->system, graph->damping)) continue;
    memcpy(graph->step, graph->right, 3 * (size_t)graph->node_count * sizeof *graph->step);
    block_cholesky_solve(&graph->system, graph->step, graph->scratch);
    bool far = move(graph, graph->step, stop_m, stop_rad);
    double cost = graph_cost(graph, graph->moved);
    bool floor = fabs(cost - at->cost) <= ROUNDING * at->cost;
    at->near = (!far || floor) && at->brake < 1;
    at->ended = at->near;
    if (cost <= at->cost) {
      graph_node_t *nodes = graph->nodes;
      memcpy(nodes, graph->moved, graph->node_count * sizeof *nodes);
      at->cost = cost;
      at->moved = true;
      at->brake = at->brake > BRAKE_FIRST ? at->brake / BRAKE_FACTOR : 0;
      return;
    }
    if (at->near) return;
  }
}

gantry_err_t pose_graph_solve(pose_graph_t *graph, uint32_t iterations_max, double stop_m,
                              double stop_rad, pose_graph_result_t *result) {
  pose_graph_result_t out = {0};
  if (result) *result = out;
  GANTRY_TRY(graph_structure(graph));
  descent_t at = {.cost = graph_cost(graph, graph->nodes)};
  if (!isfinite(at.cost)) return GANTRY_E_INTERNAL;
  out.chi2_before = at.cost;
  while (out.iterations < iterations_max && !at.ended) {
    graph_linearise(graph);
    graph->factored = false;
    descend(graph, stop_m, stop_rad, &at);
    if (out.iterations == 0 && at.ended && !at.near) return GANTRY_E_INTERNAL;
    out.iterations++;
  }
  out.chi2_after = at.cost;
  out.converged = at.near;
  graph->solved = true;
  if (result) *result = out;
  return GANTRY_OK;
}

/* out = a b. */
static void multiply(const double a[9], const double b[9], double out[9]) {
  for (size_t i = 0; i < 3; i++)
    for (size_t j = 0; j < 3; j++)
      out[3 * i + j] = a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j];
}

/* out += a b c'. */
static void add_product(const double a[9], const double b[9], const double c[9], double out[9]) {
  double ab[9];
  multiply(a, b, ab);
  for (size_t i = 0; i < 3; i++)
    for (size_t j = 0; j < 3; j++)
      out[3 * i + j] +=
          ab[3 * i] * c[3 * j] + ab[3 * i + 1] * c[3 * j + 1] + ab[3 * i + 2] * c[3 * j + 2];
}

gantry_err_t pose_graph_relative_covariance(pose_graph_t *graph, uint32_t from, uint32_t to,
                                            double covariance[9]) {
  if (from >= graph->node_count || to >= graph->node_count) return GANTRY_E_INVALID;
  if (!graph->solved) return GANTRY_E_UNAVAILABLE;
  if (graph->anchor[from] != graph->anchor[to]) return GANTRY_E_NOT_FOUND;
  memset(covariance, 0, 9 * sizeof *covariance);
  if (from == to) return GANTRY_OK;
  if (!graph->factored) {
    graph_linearise(graph);
    if (!block_cholesky_factor(&graph->system, NULL)) return GANTRY_E_INTERNAL;
    graph->factored = true;
  }
  double aa[9], ab[9], bb[9], ba[9];
  block_cholesky_inverse(&graph->system, from, to, aa, ab, bb);
  if (graph->anchor[from] == from) memset(aa, 0, sizeof aa);
  if (graph->anchor[to] == to) memset(bb, 0, sizeof bb);
  for (size_t i = 0; i < 9; i++)
    ba[i] = ab[i % 3 * 3 + i / 3];
  /* Derivatives of the pose of `to` as seen from `from`: R' for `to`, -R'T for `from`. */
  const graph_node_t *a = &graph->nodes[from];
  const graph_node_t *b = &graph->nodes[to];
  double x = b->pose.x - a->pose.x;
  double y = b->pose.y - a->pose.y;
  double of_to[9] = {a->c, a->s, 0, -a->s, a->c, 0, 0, 0, 1};
  double of_from[9] = {-a->c, -a->s, a->c * y - a->s * x, a->s, -a->c, -a->s * y - a->c * x, 0,
                       0,     -1};
  add_product(of_from, aa, of_from, covariance);
  add_product(of_from, ab, of_to, covariance);
  add_product(of_to, ba, of_from, covariance);
  add_product(of_to, bb, of_to, covariance);
  return GANTRY_OK;
}
