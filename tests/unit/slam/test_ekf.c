/* The filter against closed forms and against chance. */
#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#include <gantry/slam/ekf.h>

static ekf_t ekf;
static const ekf_noise_t NOISE = {0.01, 0.0025, 0.001, 0.01};

static void start(double x, double y, double theta, double sigma_m, double sigma_rad) {
  ekf_init(&ekf, (pose2_t){x, y, theta}, sigma_m, sigma_rad);
}

static void assert_symmetric_positive(void) {
  const double *p = ekf.covariance;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      cr_assert_float_eq(p[3 * i + j], p[3 * j + i], 1e-12);
  double minor = p[0] * p[4] - p[1] * p[3];
  double det = p[0] * (p[4] * p[8] - p[5] * p[7]) - p[1] * (p[3] * p[8] - p[5] * p[6]) +
               p[2] * (p[3] * p[7] - p[4] * p[6]);
  cr_assert_gt(p[0], 0);
  cr_assert_gt(minor, 0);
  cr_assert_gt(det, 0);
}

Test(ekf, moves_along_its_heading) {
  start(1, 2, M_PI_2, 0.1, 0.1);

  ekf_predict(&ekf, (pose2_t){2, 0.5, 0.3}, &NOISE);

  cr_assert_float_eq(ekf.pose.x, 0.5, 1e-12);
  cr_assert_float_eq(ekf.pose.y, 4, 1e-12);
  cr_assert_float_eq(ekf.pose.theta, M_PI_2 + 0.3, 1e-12);
}

Test(ekf, turns_doubt_in_heading_into_doubt_across_the_way) {
  start(0, 0, 0, 0.01, 0.1);

  ekf_predict(&ekf, (pose2_t){10, 0, 0}, &NOISE);

  cr_assert_float_eq(ekf.covariance[4], 1e-4 + 100 * 0.01 + 10 * NOISE.across_m2_per_m, 1e-9);
  cr_assert_float_eq(ekf.covariance[0], 1e-4 + 10 * NOISE.along_m2_per_m, 1e-9);
}

Test(ekf, adds_the_same_variance_in_one_step_or_in_many) {
  start(0, 0, 0, 0.01, 0);
  for (int i = 0; i < 100; i++)
    ekf_predict(&ekf, (pose2_t){0.01, 0, 0}, &NOISE);
  double many = ekf.covariance[0];
  start(0, 0, 0, 0.01, 0);

  ekf_predict(&ekf, (pose2_t){1, 0, 0}, &NOISE);

  cr_assert_float_eq(many, ekf.covariance[0], 1e-12);
}

Test(ekf, adds_nothing_while_it_stands) {
  start(0, 0, 0, 0.1, 0.1);
  ekf_t before = ekf;

  ekf_predict(&ekf, (pose2_t){0}, &NOISE);

  for (int i = 0; i < 9; i++)
    cr_assert_float_eq(ekf.covariance[i], before.covariance[i], 1e-15);
}

Test(ekf, meets_a_position_of_equal_weight_half_way) {
  start(0, 0, 0, 0.1, 0.1);
  double nis;

  gantry_err_t err = ekf_update_position(&ekf, 0.2, -0.1, (pose2_t){0}, 0.1, EKF_GATE_2, &nis);

  cr_assert_eq(err, GANTRY_OK);
  cr_assert_float_eq(ekf.pose.x, 0.1, 1e-12);
  cr_assert_float_eq(ekf.pose.y, -0.05, 1e-12);
  cr_assert_float_eq(ekf.covariance[0], 0.005, 1e-12);
  cr_assert_float_eq(nis, (0.04 + 0.01) / 0.02, 1e-9);
}

Test(ekf, learns_its_heading_through_the_lever_arm) {
  start(0, 0, 0, 0.001, 0.3);
  pose2_t ahead = {1, 0, 0};

  for (int i = 0; i < 5; i++)
    ekf_update_position(&ekf, cos(0.1), sin(0.1), ahead, 0.01, 0, NULL);

  cr_assert_float_eq(ekf.pose.theta, 0.1, 0.01);
  assert_symmetric_positive();
}

Test(ekf, refuses_what_lies_beyond_the_gate_and_stays) {
  start(0, 0, 0, 0.1, 0.1);
  ekf_t before = ekf;
  double nis;

  gantry_err_t err = ekf_update_position(&ekf, 5, 0, (pose2_t){0}, 0.1, EKF_GATE_2, &nis);

  cr_assert_eq(err, GANTRY_E_REFUSED);
  cr_assert_gt(nis, EKF_GATE_2);
  cr_assert_eq(memcmp(&before, &ekf, sizeof ekf), 0);
}

Test(ekf, turns_the_short_way_round_at_pi) {
  start(0, 0, M_PI - 0.05, 0.1, 0.1);

  ekf_update_heading(&ekf, -M_PI + 0.05, 0.1, 0, NULL);

  cr_assert_float_eq(fabs(ekf.pose.theta), M_PI, 1e-9);
}

Test(ekf, weighs_each_axis_of_a_pose_by_its_own_doubt) {
  start(0, 0, 0, 0.1, 0.1);
  double covariance[9] = {0.01, 0, 0, 0, 1, 0, 0, 0, 0.01};

  ekf_update_pose(&ekf, (pose2_t){0.1, 0.1, 0.1}, covariance, 0, NULL);

  cr_assert_float_eq(ekf.pose.x, 0.05, 1e-9);
  cr_assert_float_eq(ekf.pose.y, 0.1 * 0.01 / 1.01, 1e-9);
  cr_assert_float_eq(ekf.pose.theta, 0.05, 1e-9);
  assert_symmetric_positive();
}

Test(ekf, refuses_measurements_that_are_none) {
  start(0, 0, 0, 0.1, 0.1);
  double negative[9] = {-1, 0, 0, 0, 1, 0, 0, 0, 1};

  cr_assert_eq(ekf_update_position(&ekf, NAN, 0, (pose2_t){0}, 0.1, 0, NULL), GANTRY_E_INVALID);
  cr_assert_eq(ekf_update_position(&ekf, 0, 0, (pose2_t){0}, 0, 0, NULL), GANTRY_E_INVALID);
  cr_assert_eq(ekf_update_heading(&ekf, INFINITY, 0.1, 0, NULL), GANTRY_E_INVALID);
  cr_assert_eq(ekf_update_pose(&ekf, (pose2_t){0}, negative, 0, NULL), GANTRY_E_INVALID);
  cr_assert_float_eq(ekf.pose.x, 0, 0);
}

Test(ekf, believes_a_far_pose_once_inflated) {
  start(0, 0, 0, 0.01, 0.01);
  pose2_t far = {3, -2, 0.5};
  double tight[9] = {1e-4, 0, 0, 0, 1e-4, 0, 0, 0, 1e-4};
  double nis;
  gantry_err_t before = ekf_update_pose(&ekf, far, tight, EKF_GATE_3, NULL);

  ekf_inflate(&ekf, far);
  gantry_err_t after = ekf_update_pose(&ekf, far, tight, EKF_GATE_3, &nis);

  cr_assert_eq(before, GANTRY_E_REFUSED);
  cr_assert_eq(after, GANTRY_OK);
  cr_assert_lt(nis, 1.01);
  cr_assert_lt(pose2_distance(ekf.pose, far), 0.05);
}

Test(ekf, grows_doubtful_by_diffusion) {
  start(0, 0, 0, 0.1, 0.1);

  ekf_diffuse(&ekf, 0.1, 0.2);

  cr_assert_float_eq(ekf.covariance[0], 0.02, 1e-12);
  cr_assert_float_eq(ekf.covariance[8], 0.05, 1e-12);
  cr_assert_gt(ekf_noise_default().along_m2_per_m, 0);
}

/* A fixed sequence of normal deviates (linear congruential, Box-Muller). */
static double normal(void) {
  static unsigned long long state = 1;
  double u[2];
  for (int i = 0; i < 2; i++) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    u[i] = ((double)(state >> 11) + 0.5) / 9007199254740992.0;
  }
  return sqrt(-2 * log(u[0])) * cos(2 * M_PI * u[1]);
}

/* Squared error in units of the covariance: its mean is 3 when the filter is honest. */
static double nees(pose2_t truth) {
  ekf_t copy = ekf;
  double covariance[9], nis;
  memcpy(covariance, copy.covariance, sizeof covariance);
  memset(copy.covariance, 0, sizeof copy.covariance);
  ekf_update_pose(&copy, truth, covariance, 0, &nis);
  return nis;
}

Test(ekf, is_as_sure_as_it_may_be) {
  pose2_t truth = {0};
  double sum = 0;
  int count = 0;
  start(0, 0, 0, 0.01, 0.01);
  truth = (pose2_t){0.01 * normal(), 0.01 * normal(), 0.01 * normal()};
  for (int i = 0; i < 4000; i++) {
    pose2_t step = {0.05, 0, 0.02 * sin(i * 0.01)};
    pose2_t real = step;
    double way = 0.05, turn = fabs(step.theta);
    real.x += normal() * sqrt(way * NOISE.along_m2_per_m);
    real.y += normal() * sqrt(way * NOISE.across_m2_per_m);
    real.theta +=
        normal() * sqrt(way * NOISE.heading_rad2_per_m + turn * NOISE.heading_rad2_per_rad);
    truth = pose2_compose(truth, real);
    ekf_predict(&ekf, step, &NOISE);
    if (i % 20 == 0)
      ekf_update_position(&ekf, truth.x + 0.1 * normal(), truth.y + 0.1 * normal(), (pose2_t){0},
                          0.1, 0, NULL);
    if (i % 7 != 0) continue;
    sum += nees(truth);
    count++;
  }
  double mean = sum / count;

  cr_assert_gt(mean, 2.2, "too unsure: %.2f", mean);
  cr_assert_lt(mean, 3.8, "too sure: %.2f", mean);
}
