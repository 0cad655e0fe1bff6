/* Pose graph: poses in the plane (nodes) and relative poses measured between them (edges), brought
   into the arrangement that contradicts the measurements least: Gauss-Newton on SE(2) with sparse
   Cholesky factors (Grisetti, Kuemmerle, Stachniss, Burgard 2010), the order of elimination kept
   while the structure stays. Robust kernels let a wrong edge lose its say. Node 0 stands still, and
   so does the first node of whatever no edge ties to it. Pure; not thread-safe. */
#ifndef GANTRY_SLAM_POSE_GRAPH_H
#define GANTRY_SLAM_POSE_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/err.h>
#include <gantry/geom.h>

#define POSE_GRAPH_NODES_MAX 262144

typedef struct pose_graph pose_graph_t;

typedef enum pose_graph_kernel {
  POSE_GRAPH_PLAIN, /* squared error */
  POSE_GRAPH_HUBER, /* scale: standardised error where it turns linear */
  POSE_GRAPH_DCS    /* dynamic covariance scaling (Agarwal et al. 2013); scale: phi */
} pose_graph_kernel_t;

typedef struct pose_graph_edge {
  uint32_t from, to;
  pose2_t measured;      /* to as seen from from */
  double information[9]; /* inverse covariance over x, y, theta of measured, row-major */
  pose_graph_kernel_t kernel;
  double scale;
} pose_graph_edge_t;

typedef struct pose_graph_result {
  uint32_t iterations;
  double chi2_before, chi2_after; /* with kernels applied */
  bool converged;
} pose_graph_result_t;

pose_graph_t *pose_graph_new(void);
void pose_graph_destroy(pose_graph_t **self);

/* Appends; *index (may be NULL) is counted from 0. GANTRY_E_INVALID for values that are not finite,
   nodes that do not exist or are the same, an information matrix that is not symmetric and positive
   definite, or a kernel whose scale is not positive;
   GANTRY_E_TOO_LARGE at POSE_GRAPH_NODES_MAX nodes, GANTRY_E_INTERNAL without memory. */
gantry_err_t pose_graph_add_node(pose_graph_t *graph, pose2_t pose, uint32_t *index);
gantry_err_t pose_graph_add_edge(pose_graph_t *graph, const pose_graph_edge_t *edge,
                                 uint32_t *index);

uint32_t pose_graph_node_count(const pose_graph_t *graph);
uint32_t pose_graph_edge_count(const pose_graph_t *graph);
pose2_t pose_graph_pose(const pose_graph_t *graph, uint32_t node);
/* pose must be finite. */
void pose_graph_set_pose(pose_graph_t *graph, uint32_t node, pose2_t pose);
/* Borrowed until an edge is added. */
const pose_graph_edge_t *pose_graph_edge(const pose_graph_t *graph, uint32_t edge);

/* Squared standardised error of an edge at the poses now held, without its kernel. */
double pose_graph_chi2(const pose_graph_t *graph, uint32_t edge);
/* How much of its say the kernel leaves the edge now, 0 .. 1. */
double pose_graph_weight(const pose_graph_t *graph, uint32_t edge);

/* At most iterations_max steps; ends when no pose moves by more than stop_m and stop_rad. Poses
   never get worse: a step that raises the error is shortened (Levenberg-Marquardt). result may be
   NULL. GANTRY_E_INTERNAL without memory or when the factorisation fails (poses as before). */
gantry_err_t pose_graph_solve(pose_graph_t *graph, uint32_t iterations_max, double stop_m,
                              double stop_rad, pose_graph_result_t *result);

#endif
