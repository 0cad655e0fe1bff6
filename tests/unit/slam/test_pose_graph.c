/* The pose graph against known answers, dense algebra and chance. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include <gantry/slam/pose_graph.h>

static const double INFORMATION[9] = {2500, 0, 0, 0, 2500, 0, 0, 0, 40000}; /* 2 cm, 5 mrad */

static pose_graph_t *graph;

static void setup(void) {
  graph = pose_graph_new();
}

static void teardown(void) {
  pose_graph_destroy(&graph);
}

TestSuite(pose_graph, .init = setup, .fini = teardown);

static void add_node(pose2_t pose) {
  cr_assert_eq(pose_graph_add_node(graph, pose, NULL), GANTRY_OK);
}

static pose_graph_edge_t edge_of(uint32_t from, uint32_t to, pose2_t measured) {
  pose_graph_edge_t edge = {.from = from, .to = to, .measured = measured};
  memcpy(edge.information, INFORMATION, sizeof INFORMATION);
  return edge;
}

static uint32_t add_edge(uint32_t from, uint32_t to, pose2_t measured) {
  uint32_t index = 0;
  pose_graph_edge_t edge = edge_of(from, to, measured);
  cr_assert_eq(pose_graph_add_edge(graph, &edge, &index), GANTRY_OK);
  return index;
}

static uint32_t add_robust(uint32_t from, uint32_t to, pose2_t measured, pose_graph_kernel_t kernel,
                           double scale) {
  uint32_t index = 0;
  pose_graph_edge_t edge = edge_of(from, to, measured);
  edge.kernel = kernel;
  edge.scale = scale;
  cr_assert_eq(pose_graph_add_edge(graph, &edge, &index), GANTRY_OK);
  return index;
}

static pose_graph_result_t solve(void) {
  pose_graph_result_t result;
  cr_assert_eq(pose_graph_solve(graph, 50, 1e-9, 1e-9, &result), GANTRY_OK);
  return result;
}

static void assert_pose(uint32_t node, pose2_t wanted, double tolerance) {
  pose2_t pose = pose_graph_pose(graph, node);
  cr_assert_float_eq(pose.x, wanted.x, tolerance, "node %u: x %g, not %g", node, pose.x, wanted.x);
  cr_assert_float_eq(pose.y, wanted.y, tolerance, "node %u: y %g, not %g", node, pose.y, wanted.y);
  cr_assert_float_eq(wrap_rad(pose.theta - wanted.theta), 0, tolerance, "node %u: theta %g, not %g",
                     node, pose.theta, wanted.theta);
}

/* Numbers that look random and are the same each time. */
static uint64_t noise_state;

static double uniform(void) {
  noise_state = noise_state * 6364136223846793005u + 1442695040888963407u;
  return (double)(noise_state >> 11) / 9007199254740992.0;
}

static double normal(void) {
  double radius = sqrt(-2 * log(uniform() + 1e-300));
  return radius * cos(2 * M_PI * uniform());
}

static pose2_t noisy(pose2_t pose) {
  return (pose2_t){pose.x + 0.02 * normal(), pose.y + 0.02 * normal(),
                   pose.theta + 0.005 * normal()};
}

enum { DRIVE = 300 };

/* Laps round a square of 10 m, and closures where the drive comes by again; poses by odometry. */
static void drive(uint64_t seed, pose2_t truth[DRIVE], pose2_t odometry[DRIVE]) {
  noise_state = seed;
  truth[0] = odometry[0] = (pose2_t){0, 0, 0};
  for (int i = 1; i < DRIVE; i++) {
    pose2_t step = {0.5, 0, i % 20 == 0 ? M_PI_2 : 0};
    truth[i] = pose2_compose(truth[i - 1], step);
  }
  add_node(odometry[0]);
  for (uint32_t i = 1; i < DRIVE; i++) {
    pose2_t measured = noisy(pose2_between(truth[i - 1], truth[i]));
    odometry[i] = pose2_compose(odometry[i - 1], measured);
    add_node(odometry[i]);
    add_edge(i - 1, i, measured);
  }
  for (uint32_t i = 80; i < DRIVE; i += 7)
    add_edge(i - 80, i, noisy(pose2_between(truth[i - 80], truth[i])));
}

static double rms_error(const pose2_t *truth) {
  double sum = 0;
  for (uint32_t i = 0; i < DRIVE; i++) {
    double d = pose2_distance(pose_graph_pose(graph, i), truth[i]);
    sum += d * d;
  }
  return sqrt(sum / DRIVE);
}

Test(pose_graph, leaves_alone_what_agrees) {
  add_node((pose2_t){0, 0, 0});
  add_node((pose2_t){1, 0, M_PI_2});
  add_edge(0, 1, (pose2_t){1, 0, M_PI_2});

  pose_graph_result_t result = solve();

  cr_assert(result.converged);
  cr_assert_lt(result.chi2_after, 1e-20);
  assert_pose(1, (pose2_t){1, 0, M_PI_2}, 1e-12);
}

/* Four legs that each turn 0.04 rad too far, the fourth back to the beginning: all the same, so
   that each gives way by 0.04 rad and what remains is the square of side 1. */
Test(pose_graph, closes_a_square_that_odometry_left_open) {
  pose2_t at = {0, 0, 0};
  add_node(at);
  for (uint32_t i = 1; i < 4; i++) {
    at = pose2_compose(at, (pose2_t){1, 0, M_PI_2 + 0.04});
    add_node(at);
    add_edge(i - 1, i, (pose2_t){1, 0, M_PI_2 + 0.04});
  }
  add_edge(3, 0, (pose2_t){1, 0, M_PI_2 + 0.04});

  pose_graph_result_t result = solve();

  cr_assert(result.converged);
  assert_pose(0, (pose2_t){0, 0, 0}, 0);
  assert_pose(1, (pose2_t){1, 0, M_PI_2}, 1e-7);
  assert_pose(2, (pose2_t){1, 1, M_PI}, 1e-7);
  assert_pose(3, (pose2_t){0, 1, -M_PI_2}, 1e-7);
  cr_assert_float_eq(result.chi2_after, 4 * 0.04 * 0.04 * INFORMATION[8], 1e-6);
}

Test(pose_graph, weighs_two_measurements_by_their_information) {
  add_node((pose2_t){0, 0, 0});
  add_node((pose2_t){0, 0, 0});
  pose_graph_edge_t weak = edge_of(0, 1, (pose2_t){1, 0, 0});
  pose_graph_edge_t strong = edge_of(0, 1, (pose2_t){2, 0, 0});
  for (int i = 0; i < 9; i++)
    strong.information[i] *= 3;
  cr_assert_eq(pose_graph_add_edge(graph, &weak, NULL), GANTRY_OK);
  cr_assert_eq(pose_graph_add_edge(graph, &strong, NULL), GANTRY_OK);

  solve();

  assert_pose(1, (pose2_t){1.75, 0, 0}, 1e-9);
}

Test(pose_graph, comes_to_the_least_error_that_noise_allows) {
  static pose2_t truth[DRIVE], odometry[DRIVE];
  drive(1, truth, odometry);
  double before = rms_error(truth);

  pose_graph_result_t result = solve();

  double freedom = 3.0 * (pose_graph_edge_count(graph) - (DRIVE - 1));
  cr_assert(result.converged);
  cr_assert_lt(fabs(result.chi2_after - freedom), 4 * sqrt(2 * freedom), "chi2 %g of %g",
               result.chi2_after, freedom);
  cr_assert_lt(rms_error(truth), 0.75 * before, "%g m, %g m by odometry", rms_error(truth), before);
  assert_pose(0, (pose2_t){0, 0, 0}, 0);
}

/* At the least error no small move of any pose makes it less: what the Jacobians promise, measured
   by differences of chi2 alone. */
Test(pose_graph, ends_where_numeric_derivatives_vanish) {
  static pose2_t truth[DRIVE], odometry[DRIVE];
  drive(2, truth, odometry);
  solve();
  double largest = 0;

  for (uint32_t node = 1; node < DRIVE; node += 13)
    for (int axis = 0; axis < 3; axis++) {
      const double step = 1e-5;
      pose2_t at = pose_graph_pose(graph, node);
      double chi2[2] = {0, 0};
      for (int side = 0; side < 2; side++) {
        pose2_t moved = at;
        *(axis == 0 ? &moved.x : axis == 1 ? &moved.y : &moved.theta) += side ? step : -step;
        pose_graph_set_pose(graph, node, moved);
        for (uint32_t e = 0; e < pose_graph_edge_count(graph); e++)
          chi2[side] += pose_graph_chi2(graph, e);
      }
      pose_graph_set_pose(graph, node, at);
      largest = fmax(largest, fabs(chi2[1] - chi2[0]) / (2 * step));
    }

  cr_assert_lt(largest, 1e-2, "slope %g, of an information of 4e4", largest);
}

/* With the exact derivatives an error shrinks quadratically; a wrong one would make it linear. */
Test(pose_graph, needs_few_steps) {
  static pose2_t truth[DRIVE], odometry[DRIVE];
  drive(3, truth, odometry);

  pose_graph_result_t result = solve();

  cr_assert_leq(result.iterations, 9, "%u steps", result.iterations);
}

Test(pose_graph, never_makes_the_error_greater) {
  static pose2_t truth[DRIVE], odometry[DRIVE];
  drive(4, truth, odometry);
  for (uint32_t i = 1; i < DRIVE; i++) /* so far off that plain Gauss-Newton overshoots */
    pose_graph_set_pose(graph, i, (pose2_t){10 * normal(), 10 * normal(), 3 * normal()});
  double last = INFINITY;

  for (int i = 0; i < 60; i++) {
    pose_graph_result_t result;
    cr_assert_eq(pose_graph_solve(graph, 1, 0, 0, &result), GANTRY_OK);

    cr_assert_leq(result.chi2_after, result.chi2_before);
    cr_assert_leq(result.chi2_before, last * (1 + 1e-12));
    last = result.chi2_after;
  }
}

Test(pose_graph, takes_the_say_from_a_wrong_closure) {
  static pose2_t truth[DRIVE], odometry[DRIVE];
  drive(5, truth, odometry);
  solve();
  double right = rms_error(truth);
  uint32_t wrong = add_robust(17, 211, (pose2_t){0.3, 0.1, 0.2}, POSE_GRAPH_DCS, 5);

  solve();

  cr_assert_lt(pose_graph_weight(graph, wrong), 0.05);
  cr_assert_lt(rms_error(truth), right + 0.01, "%g m, %g m without it", rms_error(truth), right);
}

Test(pose_graph, keeps_the_say_of_a_right_closure) {
  static pose2_t truth[DRIVE], odometry[DRIVE];
  drive(6, truth, odometry);
  uint32_t right =
      add_robust(17, 257, noisy(pose2_between(truth[17], truth[257])), POSE_GRAPH_DCS, 12);

  solve();

  cr_assert_gt(pose_graph_weight(graph, right), 0.9);
}

Test(pose_graph, counts_a_far_error_linearly_under_huber) {
  add_node((pose2_t){0, 0, 0});
  add_node((pose2_t){0, 0, 0});
  add_node((pose2_t){0, 0, 0});
  add_edge(0, 1, (pose2_t){1, 0, 0});
  add_edge(0, 2, (pose2_t){1, 0, 0});
  uint32_t far = add_robust(0, 1, (pose2_t){3, 0, 0}, POSE_GRAPH_HUBER, 2);

  pose_graph_result_t result = solve();

  /* The plain edge pulls 2500 d, the far one never more than 2 * 50. */
  assert_pose(1, (pose2_t){1.04, 0, 0}, 1e-6);
  assert_pose(2, (pose2_t){1, 0, 0}, 1e-9);
  cr_assert_float_eq(pose_graph_weight(graph, far), 2 / (1.96 * 50), 1e-6);
  cr_assert_float_eq(result.chi2_after, 4 + 2 * 2 * 1.96 * 50 - 4, 1e-6);
}

Test(pose_graph, does_not_care_where_and_how_turned_the_map_lies) {
  static pose2_t truth[DRIVE], odometry[DRIVE];
  static pose2_t flat[DRIVE];
  const pose2_t shift = {1000, -500, 2.5};
  drive(7, truth, odometry);
  for (uint32_t i = 0; i < DRIVE; i++) /* far enough off that the brake is pulled */
    pose_graph_set_pose(graph, i, pose2_compose(odometry[i], (pose2_t){normal(), normal(), 1}));
  for (uint32_t i = 0; i < DRIVE; i++)
    flat[i] = pose_graph_pose(graph, i);
  pose_graph_result_t here, there;
  cr_assert_eq(pose_graph_solve(graph, 4, 0, 0, &here), GANTRY_OK);
  for (uint32_t i = 0; i < DRIVE; i++) {
    pose2_t solved = pose_graph_pose(graph, i);
    pose_graph_set_pose(graph, i, pose2_compose(shift, flat[i]));
    flat[i] = solved;
  }

  cr_assert_eq(pose_graph_solve(graph, 4, 0, 0, &there), GANTRY_OK);

  cr_assert_float_eq(there.chi2_after, here.chi2_after, 1e-4 * here.chi2_after);
  for (uint32_t i = 0; i < DRIVE; i++)
    assert_pose(i, pose2_compose(shift, flat[i]), 1e-4);
}

Test(pose_graph, takes_the_short_way_round_at_pi) {
  add_node((pose2_t){0, 0, M_PI - 0.01});
  add_node((pose2_t){0, 0, M_PI - 0.01});
  add_edge(0, 1, (pose2_t){0, 0, 0.02});

  pose_graph_result_t result = solve();

  assert_pose(1, (pose2_t){0, 0, -M_PI + 0.01}, 1e-9);
  cr_assert_float_eq(result.chi2_before, 0.02 * 0.02 * INFORMATION[8], 1e-9);
}

Test(pose_graph, holds_what_no_edge_ties_to_the_rest) {
  for (int i = 0; i < 6; i++)
    add_node((pose2_t){i, 0, 0});
  add_edge(1, 0, (pose2_t){-2, 0, 0});
  add_edge(5, 3, (pose2_t){0, 1, 0});

  cr_assert(solve().converged);

  assert_pose(0, (pose2_t){0, 0, 0}, 0);
  assert_pose(1, (pose2_t){2, 0, 0}, 1e-9);
  assert_pose(2, (pose2_t){2, 0, 0}, 0);
  assert_pose(3, (pose2_t){3, 0, 0}, 0);
  assert_pose(4, (pose2_t){4, 0, 0}, 0);
  assert_pose(5, (pose2_t){3, -1, 0}, 1e-9);
}

Test(pose_graph, goes_on_after_nodes_and_edges_came) {
  add_node((pose2_t){0, 0, 0});
  add_node((pose2_t){0, 0, 0});
  add_edge(0, 1, (pose2_t){1, 0, 0});
  solve();
  add_node((pose2_t){9, 9, 1});
  add_edge(1, 2, (pose2_t){1, 0, 0});
  add_edge(0, 2, (pose2_t){2.3, 0, 0});
  solve();
  assert_pose(1, (pose2_t){1.1, 0, 0}, 1e-9);
  assert_pose(2, (pose2_t){2.2, 0, 0}, 1e-9);
}

Test(pose_graph, refuses_what_it_cannot_weigh) {
  add_node((pose2_t){0, 0, 0});
  add_node((pose2_t){1, 0, 0});
  const pose_graph_edge_t good = edge_of(0, 1, (pose2_t){1, 0, 0});
  pose_graph_edge_t bad[9];
  for (int i = 0; i < 9; i++)
    bad[i] = good;
  bad[0].to = 2;
  bad[1].to = 0;
  bad[2].measured.theta = NAN;
  bad[3].information[8] = 0;
  bad[4].information[1] = bad[4].information[3] = 2501; /* indefinite */
  bad[5].information[1] = 1;                            /* not symmetric */
  bad[6].information[4] = INFINITY;
  bad[7].kernel = POSE_GRAPH_DCS; /* scale 0 */
  bad[8].kernel = (pose_graph_kernel_t)7;

  for (int i = 0; i < 9; i++)
    cr_assert_eq(pose_graph_add_edge(graph, &bad[i], NULL), GANTRY_E_INVALID, "edge %d", i);
  cr_assert_eq(pose_graph_add_node(graph, (pose2_t){INFINITY, 0, 0}, NULL), GANTRY_E_INVALID);

  cr_assert_eq(pose_graph_add_edge(graph, &good, NULL), GANTRY_OK);
  cr_assert_eq(pose_graph_node_count(graph), 2);
  cr_assert_eq(pose_graph_edge_count(graph), 1);
}
