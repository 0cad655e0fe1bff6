/* The graph itself: nodes, edges, and what a single edge says. */
#include <gantry/slam/pose_graph.h>

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pose_graph_parts.h"

enum { FIRST_CAPACITY = 64, EDGES_MAX = 1 << 24 };

pose_graph_t *pose_graph_new(void) {
  return calloc(1, sizeof(pose_graph_t));
}

void pose_graph_destroy(pose_graph_t **self) {
  pose_graph_t *graph = *self;
  if (!graph) return;
  block_cholesky_fini(&graph->system);
  free(graph->nodes);
  free(graph->edges);
  graph_structure_fini(graph);
  free(graph);
  *self = NULL;
}

static bool is_finite(pose2_t pose) {
  return isfinite(pose.x) && isfinite(pose.y) && isfinite(pose.theta);
}

/* Makes room for one more of an array; false without memory. */
static bool reserve(void **items, size_t size, uint32_t count, uint32_t *capacity) {
  if (count < *capacity) return true;
  uint32_t wanted = *capacity ? *capacity * 2 : FIRST_CAPACITY;
  void *bigger = realloc(*items, wanted * size);
  if (!bigger) return false;
  *items = bigger;
  *capacity = wanted;
  return true;
}

/* As wrap_rad, quick where nothing is to be done. */
static double wrap_near(double angle_rad) {
  return angle_rad >= -M_PI && angle_rad < M_PI ? angle_rad : wrap_rad(angle_rad);
}

graph_node_t graph_node_at(pose2_t pose) {
  pose.theta = wrap_near(pose.theta);
  return (graph_node_t){.pose = pose, .c = cos(pose.theta), .s = sin(pose.theta)};
}

gantry_err_t pose_graph_add_node(pose_graph_t *graph, pose2_t pose, uint32_t *index) {
  if (!is_finite(pose)) return GANTRY_E_INVALID;
  if (graph->node_count >= POSE_GRAPH_NODES_MAX) return GANTRY_E_TOO_LARGE;
  void *nodes = graph->nodes;
  if (!reserve(&nodes, sizeof *graph->nodes, graph->node_count, &graph->node_capacity))
    return GANTRY_E_INTERNAL;
  graph->nodes = nodes;
  graph->nodes[graph->node_count] = graph_node_at(pose);
  if (index) *index = graph->node_count;
  graph->node_count++;
  graph->structured = false;
  return GANTRY_OK;
}

static bool is_information(const double m[9]) {
  for (size_t i = 0; i < 9; i++)
    if (!isfinite(m[i])) return false;
  for (size_t i = 0; i < 3; i++)
    for (size_t j = 0; j < i; j++)
      if (fabs(m[3 * i + j] - m[3 * j + i]) > 1e-6 * sqrt(fabs(m[4 * i] * m[4 * j]))) return false;
  double d1 = m[4] - m[1] * m[1] / m[0];
  double l = m[5] - m[1] * m[2] / m[0];
  return m[0] > 0 && d1 > 0 && m[8] - m[2] * m[2] / m[0] - l * l / d1 > 0;
}

static bool is_edge(const pose_graph_t *graph, const pose_graph_edge_t *edge) {
  bool scaled = edge->kernel == POSE_GRAPH_HUBER || edge->kernel == POSE_GRAPH_DCS;
  return edge->from < graph->node_count && edge->to < graph->node_count && edge->from != edge->to &&
         is_finite(edge->measured) && is_information(edge->information) &&
         (scaled ? isfinite(edge->scale) && edge->scale > 0 : edge->kernel == POSE_GRAPH_PLAIN);
}

gantry_err_t pose_graph_add_edge(pose_graph_t *graph, const pose_graph_edge_t *edge,
                                 uint32_t *index) {
  if (!is_edge(graph, edge)) return GANTRY_E_INVALID;
  if (graph->edge_count >= EDGES_MAX) return GANTRY_E_TOO_LARGE;
  void *edges = graph->edges;
  if (!reserve(&edges, sizeof *graph->edges, graph->edge_count, &graph->edge_capacity))
    return GANTRY_E_INTERNAL;
  graph->edges = edges;
  graph->edges[graph->edge_count] = *edge;
  if (index) *index = graph->edge_count;
  graph->edge_count++;
  graph->structured = false;
  return GANTRY_OK;
}

uint32_t pose_graph_node_count(const pose_graph_t *graph) {
  return graph->node_count;
}

uint32_t pose_graph_edge_count(const pose_graph_t *graph) {
  return graph->edge_count;
}

pose2_t pose_graph_pose(const pose_graph_t *graph, uint32_t node) {
  assert(node < graph->node_count);
  return graph->nodes[node].pose;
}

void pose_graph_set_pose(pose_graph_t *graph, uint32_t node, pose2_t pose) {
  assert(node < graph->node_count && is_finite(pose));
  graph->nodes[node] = graph_node_at(pose);
}

const pose_graph_edge_t *pose_graph_edge(const pose_graph_t *graph, uint32_t edge) {
  assert(edge < graph->edge_count);
  return &graph->edges[edge];
}

graph_term_t graph_term(const pose_graph_edge_t *edge, const graph_node_t *nodes) {
  const graph_node_t *from = &nodes[edge->from];
  const graph_node_t *to = &nodes[edge->to];
  const double *m = edge->information;
  double c = from->c;
  double s = from->s;
  graph_term_t term = {.leg_x = to->pose.x - from->pose.x, .leg_y = to->pose.y - from->pose.y};
  term.error[0] = term.leg_x - (c * edge->measured.x - s * edge->measured.y);
  term.error[1] = term.leg_y - (s * edge->measured.x + c * edge->measured.y);
  term.error[2] = wrap_near(to->pose.theta - from->pose.theta - edge->measured.theta);
  /* R I R' for the turn R of the first node. */
  double cross = c * s * (m[0] - m[4]);
  term.information[0] = c * c * m[0] - 2 * c * s * m[1] + s * s * m[4];
  term.information[1] = cross + (c * c - s * s) * m[1];
  term.information[2] = c * m[2] - s * m[5];
  term.information[3] = s * s * m[0] + 2 * c * s * m[1] + c * c * m[4];
  term.information[4] = s * m[2] + c * m[5];
  term.information[5] = m[8];
  return term;
}

double graph_term_chi2(const graph_term_t *term) {
  const double *e = term->error;
  const double *m = term->information;
  return e[0] * e[0] * m[0] + e[1] * e[1] * m[3] + e[2] * e[2] * m[5] +
         2 * (e[0] * e[1] * m[1] + e[0] * e[2] * m[2] + e[1] * e[2] * m[4]);
}

/* Huber 1964. Dynamic covariance scaling as the kernel that it is (MacTavish, Barfoot 2015). */
double graph_kernel_cost(const pose_graph_edge_t *edge, double chi2) {
  double k = edge->scale;
  switch (edge->kernel) {
  case POSE_GRAPH_HUBER:
    return chi2 <= k * k ? chi2 : 2 * k * sqrt(chi2) - k * k;
  case POSE_GRAPH_DCS:
    return chi2 <= k ? chi2 : 3 * k - 4 * k * k / (k + chi2);
  default:
    return chi2;
  }
}

double graph_kernel_weight(const pose_graph_edge_t *edge, double chi2) {
  double k = edge->scale;
  switch (edge->kernel) {
  case POSE_GRAPH_HUBER:
    return chi2 <= k * k ? 1 : k / sqrt(chi2);
  case POSE_GRAPH_DCS:
    return chi2 <= k ? 1 : 4 * k * k / ((k + chi2) * (k + chi2));
  default:
    return 1;
  }
}

double pose_graph_chi2(const pose_graph_t *graph, uint32_t edge) {
  assert(edge < graph->edge_count);
  graph_term_t term = graph_term(&graph->edges[edge], graph->nodes);
  return graph_term_chi2(&term);
}

double pose_graph_weight(const pose_graph_t *graph, uint32_t edge) {
  return graph_kernel_weight(&graph->edges[edge], pose_graph_chi2(graph, edge));
}
