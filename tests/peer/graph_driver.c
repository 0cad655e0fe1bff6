/* Solves a pose graph for test_graphs.py: as doubles on standard input the number of nodes and of
   edges, a pose a node, then an edge's from, to, measured pose, information (9), kernel and scale;
   on standard output gantry_err_t, chi2 before and after, converged, and a pose a node. */
#include <stdio.h>
#include <string.h>

#include <gantry/slam/pose_graph.h>

enum { EDGE = 16 };

static bool get(double *numbers, size_t count) {
  return fread(numbers, sizeof *numbers, count, stdin) == count;
}

static bool read_graph(pose_graph_t *graph) {
  double counts[2], node[3], edge[EDGE];
  if (!get(counts, 2)) return false;
  for (uint32_t i = 0; i < (uint32_t)counts[0]; i++)
    if (!get(node, 3) ||
        pose_graph_add_node(graph, (pose2_t){node[0], node[1], node[2]}, NULL) != GANTRY_OK)
      return false;
  for (uint32_t i = 0; i < (uint32_t)counts[1]; i++) {
    if (!get(edge, EDGE)) return false;
    pose_graph_edge_t out = {.from = (uint32_t)edge[0],
                             .to = (uint32_t)edge[1],
                             .measured = {edge[2], edge[3], edge[4]},
                             .kernel = (pose_graph_kernel_t)edge[14],
                             .scale = edge[15]};
    memcpy(out.information, edge + 5, sizeof out.information);
    if (pose_graph_add_edge(graph, &out, NULL) != GANTRY_OK) return false;
  }
  return true;
}

static bool solve(pose_graph_t *graph) {
  pose_graph_result_t result;
  gantry_err_t err = pose_graph_solve(graph, 100, 1e-9, 1e-9, &result);
  double head[4] = {(double)err, result.chi2_before, result.chi2_after, result.converged};
  fwrite(head, sizeof *head, 4, stdout);
  uint32_t count = pose_graph_node_count(graph);
  for (uint32_t i = 0; i < count; i++) {
    pose2_t pose = pose_graph_pose(graph, i);
    fwrite(&pose, sizeof pose, 1, stdout);
  }
  return fflush(stdout) == 0;
}

int main(void) {
  pose_graph_t *graph = pose_graph_new();
  if (!graph || !read_graph(graph)) return 1;
  bool done = solve(graph);
  pose_graph_destroy(&graph);
  return done ? 0 : 2;
}
