/* Inside of the pose graph: what graph, assembling and solving share. */
#ifndef GANTRY_SLAM_POSE_GRAPH_PARTS_H
#define GANTRY_SLAM_POSE_GRAPH_PARTS_H

#include <gantry/slam/pose_graph.h>

#include "block_cholesky.h"

typedef struct graph_node {
  pose2_t pose;
  double c, s; /* cosine and sine of theta */
} graph_node_t;

struct pose_graph {
  graph_node_t *nodes;
  uint32_t node_count, node_capacity;
  pose_graph_edge_t *edges;
  uint32_t edge_count, edge_capacity;

  bool structured;     /* what follows fits nodes and edges */
  uint32_t *anchor;    /* of each node: the one that holds it, and all that hang on it, in place */
  uint32_t *slots;     /* of each edge: its block */
  graph_node_t *moved; /* nodes after a step */
  double *right;       /* 3 a node: the right side */
  double *step;        /* 3 a node: the solution */
  double *damping;     /* 3 a node */
  double *scratch;     /* 3 a node */
  block_cholesky_t system;
};

/* An edge at two places: in the axes of the map, the way it is off, the information turned there,
   and the leg from one node to the other. */
typedef struct graph_term {
  double error[3];
  double information[6]; /* xx, xy, xt, yy, yt, tt */
  double leg_x, leg_y;
} graph_term_t;

graph_node_t graph_node_at(pose2_t pose);
graph_term_t graph_term(const pose_graph_edge_t *edge, const graph_node_t *nodes);
/* Squared standardised error. */
double graph_term_chi2(const graph_term_t *term);
/* What the kernel makes of it, and the share of say it leaves: the derivative of the former. */
double graph_kernel_cost(const pose_graph_edge_t *edge, double chi2);
double graph_kernel_weight(const pose_graph_edge_t *edge, double chi2);

/* Finds what holds still and the order of elimination, unless they are known. GANTRY_E_INTERNAL
   without memory. */
gantry_err_t graph_structure(pose_graph_t *graph);
/* Frees what graph_structure made. */
void graph_structure_fini(pose_graph_t *graph);
/* Fills matrix and right side at the poses held. */
void graph_linearise(pose_graph_t *graph);
/* Sum over the edges with kernels applied, at some places. */
double graph_cost(const pose_graph_t *graph, const graph_node_t *nodes);

#endif
