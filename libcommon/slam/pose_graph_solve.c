/* Gauss-Newton with a brake (Levenberg-Marquardt). */
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
    descend(graph, stop_m, stop_rad, &at);
    if (out.iterations == 0 && at.ended && !at.near) return GANTRY_E_INTERNAL;
    out.iterations++;
  }
  out.chi2_after = at.cost;
  out.converged = at.near;
  if (result) *result = out;
  return GANTRY_OK;
}
