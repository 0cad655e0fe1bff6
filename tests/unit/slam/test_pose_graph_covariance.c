/* How sure the pose graph is of its poses, against dense algebra and differences. */
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include <gantry/slam/pose_graph.h>

enum { SMALL = 8, FREE = 3 * (SMALL - 1) };

static pose_graph_t *graph;

static void setup(void) {
  graph = pose_graph_new();
}

static void teardown(void) {
  pose_graph_destroy(&graph);
}

TestSuite(pose_graph_covariance, .init = setup, .fini = teardown);

static pose_graph_edge_t edge_of(uint32_t from, uint32_t to, pose2_t measured) {
  return (pose_graph_edge_t){.from = from,
                             .to = to,
                             .measured = measured,
                             .information = {2500, 700, -900, 700, 2500, 2000, -900, 2000, 40000}};
}

static void add_edge(uint32_t from, uint32_t to, pose2_t measured) {
  pose_graph_edge_t edge = edge_of(from, to, measured);
  cr_assert_eq(pose_graph_add_edge(graph, &edge, NULL), GANTRY_OK);
}

static void solve(void) {
  pose_graph_result_t result;
  cr_assert_eq(pose_graph_solve(graph, 50, 1e-9, 1e-9, &result), GANTRY_OK);
  cr_assert(result.converged);
}

/* A bend that almost closes, with three closures that do not quite agree. */
static void bend(void) {
  const pose2_t step = {1, 0.2, 0.9};
  const uint32_t pairs[3][2] = {{7, 0}, {1, 6}, {5, 2}};
  pose2_t at = {0, 0, 0};
  for (uint32_t i = 0; i < SMALL; i++) {
    cr_assert_eq(pose_graph_add_node(graph, at, NULL), GANTRY_OK);
    at = pose2_compose(at, step);
  }
  for (uint32_t i = 1; i < SMALL; i++)
    add_edge(i - 1, i, step);
  for (int i = 0; i < 3; i++) {
    pose2_t seen =
        pose2_between(pose_graph_pose(graph, pairs[i][0]), pose_graph_pose(graph, pairs[i][1]));
    add_edge(pairs[i][0], pairs[i][1], pose2_compose(seen, (pose2_t){0.02 * i, -0.01, 0.004 * i}));
  }
}

static void residual(const pose_graph_edge_t *edge, double out[3]) {
  pose2_t seen =
      pose2_between(pose_graph_pose(graph, edge->from), pose_graph_pose(graph, edge->to));
  out[0] = seen.x - edge->measured.x;
  out[1] = seen.y - edge->measured.y;
  out[2] = wrap_rad(seen.theta - edge->measured.theta);
}

/* Derivatives of out by unknown u (node 1 + u / 3), by central differences. */
static void derive(const pose_graph_edge_t *edge, int u, double out[3]) {
  const double step = 1e-6;
  uint32_t node = 1 + (uint32_t)u / 3;
  pose2_t at = pose_graph_pose(graph, node);
  double side[2][3];
  for (int i = 0; i < 2; i++) {
    pose2_t moved = at;
    *(u % 3 == 0 ? &moved.x : u % 3 == 1 ? &moved.y : &moved.theta) += i ? step : -step;
    pose_graph_set_pose(graph, node, moved);
    residual(edge, side[i]);
  }
  pose_graph_set_pose(graph, node, at);
  for (int i = 0; i < 3; i++)
    out[i] = wrap_rad(side[1][i] - side[0][i]) / (2 * step);
}

/* Gauss-Jordan with pivots; a becomes its inverse. */
static void invert(double a[FREE][FREE]) {
  static double wide[FREE][2 * FREE];
  for (int i = 0; i < FREE; i++)
    for (int j = 0; j < FREE; j++) {
      wide[i][j] = a[i][j];
      wide[i][FREE + j] = i == j;
    }
  for (int k = 0; k < FREE; k++) {
    int best = k;
    for (int i = k; i < FREE; i++)
      if (fabs(wide[i][k]) > fabs(wide[best][k])) best = i;
    for (int j = 0; j < 2 * FREE; j++) {
      double swap = wide[k][j];
      wide[k][j] = wide[best][j];
      wide[best][j] = swap;
    }
    for (int i = 0; i < FREE; i++) {
      double factor = wide[i][k] / wide[k][k];
      for (int j = 0; i != k && j < 2 * FREE; j++)
        wide[i][j] -= factor * wide[k][j];
    }
  }
  for (int i = 0; i < FREE; i++)
    for (int j = 0; j < FREE; j++)
      a[i][j] = wide[i][FREE + j] / wide[i][i];
}

/* The dense inverse of the sum of J' I J over the edges. */
static void dense_covariance(double h[FREE][FREE]) {
  memset(h, 0, sizeof(double[FREE][FREE]));
  for (uint32_t e = 0; e < pose_graph_edge_count(graph); e++) {
    const pose_graph_edge_t *edge = pose_graph_edge(graph, e);
    double j[FREE][3];
    for (int u = 0; u < FREE; u++)
      derive(edge, u, j[u]);
    for (int u = 0; u < FREE; u++)
      for (int v = 0; v < FREE; v++)
        for (int i = 0; i < 9; i++)
          h[u][v] += j[u][i / 3] * edge->information[i] * j[v][i % 3];
  }
  invert(h);
}

Test(pose_graph_covariance, is_what_dense_algebra_says) {
  static double p[FREE][FREE];
  bend();
  solve();
  dense_covariance(p);

  for (uint32_t from = 0; from < SMALL; from++)
    for (uint32_t to = 0; to < SMALL; to++) {
      double covariance[9];
      pose_graph_edge_t pair = edge_of(from, to, (pose2_t){0, 0, 0});
      double j[FREE][3], wanted[9] = {0};
      for (int u = 0; u < FREE; u++)
        derive(&pair, u, j[u]);
      for (int u = 0; u < FREE; u++)
        for (int v = 0; v < FREE; v++)
          for (int i = 0; i < 9; i++)
            wanted[i] += j[u][i / 3] * p[u][v] * j[v][i % 3];

      cr_assert_eq(pose_graph_relative_covariance(graph, from, to, covariance), GANTRY_OK);

      for (int i = 0; i < 9; i++)
        cr_assert_float_eq(covariance[i], wanted[i], 1e-9, "%u to %u [%d]: %g, not %g", from, to, i,
                           covariance[i], wanted[i]);
    }
}

Test(pose_graph_covariance, is_refused_where_there_is_none) {
  double covariance[9];
  bend();
  cr_assert_eq(pose_graph_relative_covariance(graph, 0, 1, covariance), GANTRY_E_UNAVAILABLE);
  solve();
  cr_assert_eq(pose_graph_relative_covariance(graph, 0, SMALL, covariance), GANTRY_E_INVALID);

  cr_assert_eq(pose_graph_add_node(graph, (pose2_t){0, 0, 0}, NULL), GANTRY_OK);
  cr_assert_eq(pose_graph_relative_covariance(graph, 0, 1, covariance), GANTRY_E_UNAVAILABLE);
  solve();
  cr_assert_eq(pose_graph_relative_covariance(graph, 0, SMALL, covariance), GANTRY_E_NOT_FOUND);
}
