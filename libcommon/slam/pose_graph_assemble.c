/* From edges to the normal equations: which nodes are free, and the sums over the edges.

   The error of an edge is in the axes of its first node: e = R'(t_to - t_from) - z, and the turn
   likewise. Turned into the axes of the map its derivatives are plain: for `to` the unit matrix,
   for `from` -T, where T is the unit matrix with -leg_y and leg_x in its last column. */
#include <stdlib.h>
#include <string.h>

#include "pose_graph_parts.h"

static uint32_t root_of(uint32_t *anchor, uint32_t node) {
  while (anchor[node] != node) {
    anchor[node] = anchor[anchor[node]];
    node = anchor[node];
  }
  return node;
}

/* What hangs together is held by its first node; for what hangs on node 0 that is node 0. */
static void find_anchors(pose_graph_t *graph) {
  uint32_t *anchor = graph->anchor;
  for (uint32_t i = 0; i < graph->node_count; i++)
    anchor[i] = i;
  for (uint32_t e = 0; e < graph->edge_count; e++) {
    const pose_graph_edge_t *edge = &graph->edges[e];
    uint32_t a = root_of(anchor, edge->from);
    uint32_t b = root_of(anchor, edge->to);
    anchor[a > b ? a : b] = a > b ? b : a;
  }
  for (uint32_t i = 0; i < graph->node_count; i++)
    anchor[i] = root_of(anchor, i);
}

/* An edge between two free nodes has a block of its own. */
static bool has_block(const pose_graph_t *graph, const pose_graph_edge_t *edge) {
  return graph->anchor[edge->from] != edge->from && graph->anchor[edge->to] != edge->to;
}

static gantry_err_t analyse(pose_graph_t *graph) {
  block_pair_t *pairs = malloc(((size_t)graph->edge_count + 1) * sizeof *pairs);
  uint32_t *slots = malloc(((size_t)graph->edge_count + 1) * sizeof *slots);
  gantry_err_t err = GANTRY_E_INTERNAL;
  if (!pairs || !slots) goto done;
  uint32_t count = 0;
  for (uint32_t e = 0; e < graph->edge_count; e++)
    if (has_block(graph, &graph->edges[e]))
      pairs[count++] = (block_pair_t){graph->edges[e].from, graph->edges[e].to};
  err = block_cholesky_analyse(&graph->system, graph->node_count, pairs, count, slots);
  if (err != GANTRY_OK) goto done;
  count = 0;
  for (uint32_t e = 0; e < graph->edge_count; e++)
    if (has_block(graph, &graph->edges[e])) graph->slots[e] = slots[count++];
done:
  free(pairs);
  free(slots);
  return err;
}

void graph_structure_fini(pose_graph_t *graph) {
  free(graph->anchor);
  free(graph->slots);
  free(graph->moved);
  free(graph->right);
  free(graph->step);
  free(graph->damping);
  free(graph->scratch);
}

gantry_err_t graph_structure(pose_graph_t *graph) {
  if (graph->structured) return GANTRY_OK;
  size_t nodes = (size_t)graph->node_count + 1;
  graph_structure_fini(graph);
  graph->anchor = malloc(nodes * sizeof *graph->anchor);
  graph->slots = malloc(((size_t)graph->edge_count + 1) * sizeof *graph->slots);
  graph->moved = malloc(nodes * sizeof *graph->moved);
  graph->right = malloc(3 * nodes * sizeof *graph->right);
  graph->step = malloc(3 * nodes * sizeof *graph->step);
  graph->damping = malloc(3 * nodes * sizeof *graph->damping);
  graph->scratch = malloc(3 * nodes * sizeof *graph->scratch);
  if (!graph->anchor || !graph->slots || !graph->moved || !graph->right || !graph->step ||
      !graph->damping || !graph->scratch)
    return GANTRY_E_INTERNAL;
  find_anchors(graph);
  GANTRY_TRY(analyse(graph));
  graph->structured = true;
  return GANTRY_OK;
}

/* One edge's matrix and vector, weighted. */
typedef struct share {
  double m[9], e[3];   /* information; information times error */
  double leg_x, leg_y; /* */
} share_t;

static share_t share_of(const pose_graph_edge_t *edge, const graph_term_t *term) {
  double w = graph_kernel_weight(edge, graph_term_chi2(term));
  const double *i = term->information;
  const double *e = term->error;
  share_t share = {.m = {w * i[0], w * i[1], w * i[2], w * i[1], w * i[3], w * i[4], w * i[2],
                         w * i[4], w * i[5]},
                   .leg_x = term->leg_x,
                   .leg_y = term->leg_y};
  for (size_t k = 0; k < 3; k++)
    share.e[k] = share.m[3 * k] * e[0] + share.m[3 * k + 1] * e[1] + share.m[3 * k + 2] * e[2];
  return share;
}

/* T'm, whose first two rows are those of m. */
static void turn_rows(const share_t *share, const double m[9], double out[9]) {
  memcpy(out, m, 6 * sizeof *m);
  for (size_t k = 0; k < 3; k++)
    out[6 + k] = m[6 + k] - share->leg_y * m[k] + share->leg_x * m[3 + k];
}

static void add_first(pose_graph_t *graph, uint32_t node, const share_t *share) {
  double rows[9], columns[9];
  turn_rows(share, share->m, rows);
  memcpy(columns, rows, sizeof rows);
  for (size_t k = 0; k < 3; k++)
    columns[3 * k + 2] += share->leg_x * rows[3 * k + 1] - share->leg_y * rows[3 * k];
  double *block = block_cholesky_diagonal(&graph->system, node);
  for (int k = 0; k < 9; k++)
    block[k] += columns[k];
  double *right = graph->right + 3 * (size_t)node;
  const double *e = share->e;
  right[0] += e[0];
  right[1] += e[1];
  right[2] += e[2] - share->leg_y * e[0] + share->leg_x * e[1];
}

static void add_second(pose_graph_t *graph, uint32_t node, const share_t *share) {
  double *block = block_cholesky_diagonal(&graph->system, node);
  for (int k = 0; k < 9; k++)
    block[k] += share->m[k];
  double *right = graph->right + 3 * (size_t)node;
  for (size_t k = 0; k < 3; k++)
    right[k] -= share->e[k];
}

void graph_linearise(pose_graph_t *graph) {
  block_cholesky_zero(&graph->system);
  memset(graph->right, 0, 3 * (size_t)graph->node_count * sizeof *graph->right);
  for (uint32_t i = 0; i < graph->node_count; i++) {
    if (graph->anchor[i] != i) continue;
    double *block = block_cholesky_diagonal(&graph->system, i);
    block[0] = block[4] = block[8] = 1;
  }
  for (uint32_t e = 0; e < graph->edge_count; e++) {
    const pose_graph_edge_t *edge = &graph->edges[e];
    graph_term_t term = graph_term(edge, graph->nodes);
    share_t share = share_of(edge, &term);
    if (graph->anchor[edge->from] != edge->from) add_first(graph, edge->from, &share);
    if (graph->anchor[edge->to] != edge->to) add_second(graph, edge->to, &share);
    if (!has_block(graph, edge)) continue;
    double block[9];
    turn_rows(&share, share.m, block);
    for (int k = 0; k < 9; k++)
      block[k] = -block[k];
    block_cholesky_add(&graph->system, (block_pair_t){edge->from, edge->to}, graph->slots[e],
                       block);
  }
}

double graph_cost(const pose_graph_t *graph, const graph_node_t *nodes) {
  double sum = 0;
  for (uint32_t e = 0; e < graph->edge_count; e++) {
    const pose_graph_edge_t *edge = &graph->edges[e];
    graph_term_t term = graph_term(edge, nodes);
    sum += graph_kernel_cost(edge, graph_term_chi2(&term));
  }
  return sum;
}
