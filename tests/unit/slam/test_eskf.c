/* The filter against closed forms. */
#include <math.h>

#include <criterion/criterion.h>

#include <gantry/slam/eskf.h>

#define N ESKF_STATES

static eskf_t eskf;
static eskf_noise_t noise;

static void start(double x, double y, double theta, double sigma_m, double sigma_rad) {
  noise = eskf_noise_default();
  noise.scale_sigma = 0;
  eskf_init(&eskf, (pose2_t){x, y, theta}, sigma_m, sigma_rad, &noise);
}

/* As if the map had no error. */
static void start_exact(double sigma_m, double sigma_rad) {
  noise = eskf_noise_default();
  noise.map_sigma_m = noise.map_sigma_rad = 0;
  eskf_init(&eskf, (pose2_t){0}, sigma_m, sigma_rad, &noise);
}

static void assert_same(const eskf_t *before) {
  const double *was = (const double *)before, *is = (const double *)&eskf;
  for (size_t i = 0; i < sizeof eskf / sizeof *is; i++)
    cr_assert(was[i] == is[i], "number %zu", i);
}

static double p(int i, int j) {
  return eskf.covariance[i * N + j];
}

Test(eskf, moves_along_its_heading_by_odometry) {
  start(1, 2, M_PI_2, 0.1, 0.1);

  eskf_odometry(&eskf, (pose2_t){2, 0.5, 0.3}, 0.05, &noise);

  cr_assert_float_eq(eskf.pose.x, 0.5, 1e-12);
  cr_assert_float_eq(eskf.pose.y, 4, 1e-12);
  cr_assert_float_eq(eskf.pose.theta, M_PI_2 + 0.3, 1e-12);
}

Test(eskf, goes_on_along_an_arc_with_its_speeds) {
  start(0, 0, 0, 0.1, 0.1);
  eskf.v_mps = 1;
  eskf.omega_radps = 0.5;

  for (int i = 0; i < 1000; i++)
    eskf_predict(&eskf, 0.001, &noise);

  cr_assert_float_eq(eskf.pose.theta, 0.5, 1e-9);
  cr_assert_float_eq(eskf.pose.x, sin(0.5) / 0.5, 1e-6);
  cr_assert_float_eq(eskf.pose.y, (1 - cos(0.5)) / 0.5, 1e-6);
}

Test(eskf, turns_doubt_in_heading_into_doubt_across_the_way) {
  start(0, 0, 0, 0.01, 0.1);

  eskf_odometry(&eskf, (pose2_t){10, 0, 0}, 1, &noise);

  cr_assert_float_eq(p(ESKF_Y, ESKF_Y), 1e-4 + 100 * 0.01 + 10 * noise.across_m2_per_m, 1e-9);
  cr_assert_float_eq(p(ESKF_X, ESKF_X), 1e-4 + 10 * noise.along_m2_per_m, 1e-9);
}

Test(eskf, adds_the_same_variance_in_one_step_or_in_many) {
  start(0, 0, 0, 0.01, 0);
  for (int i = 0; i < 100; i++)
    eskf_odometry(&eskf, (pose2_t){0.01, 0, 0}, 0.01, &noise);
  double many = p(ESKF_X, ESKF_X);
  start(0, 0, 0, 0.01, 0);

  eskf_odometry(&eskf, (pose2_t){1, 0, 0}, 1, &noise);

  cr_assert_float_eq(many, p(ESKF_X, ESKF_X), 1e-9);
}

Test(eskf, adds_nothing_while_odometry_stands) {
  start(0, 0, 0, 0.1, 0.1);
  eskf_t before = eskf;

  eskf_odometry(&eskf, (pose2_t){0}, 0.05, &noise);

  assert_same(&before);
}

Test(eskf, gains_speed_from_acceleration_less_its_bias) {
  start(0, 0, 0, 0.1, 0.1);
  eskf.bias_x_mps2 = 0.1;

  for (int i = 0; i < 100; i++)
    eskf_accelerate(&eskf, 0.6, 0, 0.01, &noise);

  cr_assert_float_eq(eskf.v_mps, 0.5, 1e-9);
  cr_assert_float_eq(eskf.pose.x, 0, 0, "the pose waits for time or odometry");
}

Test(eskf, learns_its_biases_while_it_stands) {
  start(0, 0, 0, 0.1, 0.1);
  for (int i = 0; i < 200; i++) {
    eskf_accelerate(&eskf, 0.15, -0.07, 0.01, &noise);
    eskf_update_still(&eskf, 0.15, -0.07);
  }

  cr_assert_float_eq(eskf.bias_x_mps2, 0.15, 0.005);
  cr_assert_float_eq(eskf.bias_y_mps2, -0.07, 0.005);
  cr_assert_float_eq(eskf.v_mps, 0, 1e-3);
  cr_assert_lt(sqrt(p(ESKF_V, ESKF_V)), 0.005);
}

Test(eskf, learns_the_drift_of_the_odometry_from_headings) {
  start(0, 0, 0, 0.1, 0.1);
  for (int i = 0; i < 2000; i++) {
    double truth = 0;
    eskf_odometry(&eskf, (pose2_t){0.01, 0, 0.003 * 0.1}, 0.1, &noise);
    if (i % 10 == 0) eskf_update_heading(&eskf, truth, 0.01, 0, NULL);
  }

  cr_assert_float_eq(eskf.bias_turn_radps, 0.003, 0.001, "%g", eskf.bias_turn_radps);
  cr_assert_lt(fabs(eskf.pose.theta), 0.005);
}

Test(eskf, learns_the_scale_of_the_odometry_from_places) {
  start(0, 0, 0, 0.1, 0.01);
  eskf.covariance[ESKF_SCALE * N + ESKF_SCALE] = 0.02 * 0.02;
  noise.along_m2_per_m = 1e-4;
  for (int i = 1; i <= 10; i++) {
    eskf_odometry(&eskf, (pose2_t){4, 0, 0}, 8, &noise);
    eskf_update_position(&eskf, 4 * 0.99 * i, 0, (pose2_t){0}, 0.02, 0, NULL);
  }

  cr_assert_float_eq(eskf.scale, -0.01, 0.003, "%g", eskf.scale);
}

Test(eskf, feels_wheels_that_do_not_agree_with_the_acceleration) {
  double nis;
  start(0, 0, 0, 0.1, 0.1);
  for (int i = 0; i < 100; i++)
    eskf_update_still(&eskf, 0, 0);
  for (int i = 0; i < 5; i++)
    eskf_accelerate(&eskf, 0, 0, 0.01, &noise);

  gantry_err_t slips = eskf_update_speed(&eskf, 0.4, 0.02, 9, &nis);

  cr_assert_eq(slips, GANTRY_E_REFUSED);
  cr_assert_gt(nis, 9);
  cr_assert_eq(eskf_update_speed(&eskf, 0.01, 0.02, 9, &nis), GANTRY_OK);
}

Test(eskf, meets_a_position_of_equal_weight_half_way) {
  start(0, 0, 0, 0.1, 0.1);
  double nis;

  gantry_err_t err = eskf_update_position(&eskf, 0.2, -0.1, (pose2_t){0}, 0.1, ESKF_GATE_2, &nis);

  cr_assert_eq(err, GANTRY_OK);
  cr_assert_float_eq(eskf.pose.x, 0.1, 1e-12);
  cr_assert_float_eq(eskf.pose.y, -0.05, 1e-12);
  cr_assert_float_eq(p(ESKF_X, ESKF_X), 0.005, 1e-12);
  cr_assert_float_eq(nis, (0.04 + 0.01) / 0.02, 1e-9);
}

Test(eskf, learns_its_heading_through_the_lever_arm) {
  start(0, 0, 0, 0.001, 0.3);
  pose2_t ahead = {1, 0, 0};

  for (int i = 0; i < 5; i++)
    eskf_update_position(&eskf, cos(0.1), sin(0.1), ahead, 0.01, 0, NULL);

  cr_assert_float_eq(eskf.pose.theta, 0.1, 0.01);
}

Test(eskf, refuses_what_lies_beyond_the_gate_and_stays) {
  start(0, 0, 0, 0.1, 0.1);
  eskf_t before = eskf;
  double nis;

  cr_assert_eq(eskf_update_position(&eskf, 5, 0, (pose2_t){0}, 0.1, ESKF_GATE_2, &nis),
               GANTRY_E_REFUSED);
  cr_assert_gt(nis, ESKF_GATE_2);
  cr_assert_eq(eskf_update_within(&eskf, 5, 0, (pose2_t){0}, 0.2, 0.02, ESKF_GATE_2, &nis),
               GANTRY_E_REFUSED);
  cr_assert_gt(nis, ESKF_GATE_2);

  assert_same(&before);
}

Test(eskf, turns_the_short_way_round_at_pi) {
  start(0, 0, M_PI - 0.05, 0.1, 0.1);

  eskf_update_heading(&eskf, -M_PI + 0.05, 0.1, 0, NULL);

  cr_assert_float_eq(fabs(eskf.pose.theta), M_PI, 1e-9);
}

Test(eskf, weighs_each_axis_of_a_pose_by_its_own_doubt) {
  start(0, 0, 0, 0.1, 0.1);
  double covariance[9] = {0.01, 0, 0, 0, 1, 0, 0, 0, 0.01};

  eskf_update_pose(&eskf, (pose2_t){0.1, 0.1, 0.1}, covariance, 0, NULL);

  cr_assert_float_eq(eskf.pose.x, 0.05, 1e-9);
  cr_assert_float_eq(eskf.pose.y, 0.1 * 0.01 / 1.01, 1e-9);
  cr_assert_float_eq(eskf.pose.theta, 0.05, 1e-9);
}

Test(eskf, learns_from_a_range_along_its_slope_only) {
  start_exact(0.1, 0.1);
  double slope[3] = {-1, 0, 0}; /* a wall ahead */

  eskf_update_range(&eskf, 1.9, 2.0, slope, 0.1, ESKF_GATE_1, NULL);

  cr_assert_float_eq(eskf.pose.x, 0.05, 1e-9);
  cr_assert_float_eq(eskf.pose.y, 0, 1e-12);
  cr_assert_float_eq(p(ESKF_Y, ESKF_Y), 0.01, 1e-12);
}

Test(eskf, is_drawn_to_a_line_across_it_only) {
  start_exact(0.1, 0.1);
  eskf.pose = (pose2_t){0.3, 0.2, 0};

  eskf_update_line(&eskf, 0, 0, M_PI_4, 1e-4, 0, NULL);

  cr_assert_float_eq(eskf.pose.x, 0.25, 1e-4);
  cr_assert_float_eq(eskf.pose.y, 0.25, 1e-4);
  cr_assert_float_eq(p(ESKF_X, ESKF_X) + p(ESKF_X, ESKF_Y), 0.01, 1e-6,
                     "along the line: as before");
}

Test(eskf, is_never_surer_of_a_pose_than_the_map_at_that_place) {
  double tight[9] = {1e-6, 0, 0, 0, 1e-6, 0, 0, 0, 1e-6};
  start(0, 0, 0, 1, 1);

  for (int i = 0; i < 10000; i++)
    eskf_update_match(&eskf, (pose2_t){0.02, 0, 0}, tight, 0, NULL);

  cr_assert_float_eq(eskf.pose.x, 0.02, 1e-4);
  cr_assert_float_eq(sqrt(p(ESKF_X, ESKF_X)), noise.map_sigma_m, 1e-4);
  cr_assert_float_eq(sqrt(p(ESKF_THETA, ESKF_THETA)), noise.map_sigma_rad, 1e-4);
}

/* Scans against a map of one's own tell the way, and its errors add up. */
Test(eskf, grows_unsure_of_the_place_as_its_own_map_grows) {
  double tight[9] = {1e-6, 0, 0, 0, 1e-6, 0, 0, 0, 1e-6}, nis;
  start(0, 0, 0, 0.001, 0.001);
  eskf.map_grows = true;
  eskf_new_map(&eskf);

  for (int i = 0; i < 400; i++) {
    eskf_odometry(&eskf, (pose2_t){0.1, 0, 0}, 0.2, &noise);
    eskf_update_match(&eskf, eskf.pose, tight, 0, NULL);
  }
  eskf_update_match(&eskf, pose2_compose(eskf.pose, (pose2_t){0.05, 0, 0}), tight, 0, &nis);

  double way_m = 40, expected = noise.map_sigma_m * sqrt(2 * way_m / noise.map_reach_m);
  cr_assert_float_eq(sqrt(p(ESKF_X, ESKF_X)), expected, 0.3 * expected);
  cr_assert_gt(nis, ESKF_GATE_3, "a leap between two scans still shows: %g", nis);
}

Test(eskf, still_sees_a_millimetre_between_two_scans_at_one_place) {
  double tight[9] = {1e-8, 0, 0, 0, 1e-8, 0, 0, 0, 1e-8};
  double nis;
  start(0, 0, 0, 1, 1);
  for (int i = 0; i < 100; i++)
    eskf_update_match(&eskf, (pose2_t){0}, tight, 0, NULL);

  eskf_update_match(&eskf, (pose2_t){0.001, 0, 0}, tight, ESKF_GATE_3, &nis);

  cr_assert_gt(nis, ESKF_GATE_3, "%g", nis);
}

Test(eskf, refuses_measurements_that_are_none) {
  start(0, 0, 0, 0.1, 0.1);
  double negative[9] = {-1, 0, 0, 0, 1, 0, 0, 0, 1}, slope[3] = {NAN, 0, 0};
  pose2_t here = {0};
  eskf_t before = eskf;

  cr_assert_eq(eskf_update_position(&eskf, NAN, 0, here, 0.1, 0, NULL), GANTRY_E_INVALID);
  cr_assert_eq(eskf_update_position(&eskf, 0, 0, here, 0, 0, NULL), GANTRY_E_INVALID);
  cr_assert_eq(eskf_update_within(&eskf, 0, 0, here, 0, 0.1, 0, NULL), GANTRY_E_INVALID);
  cr_assert_eq(eskf_update_within(&eskf, 0, NAN, here, 0.2, 0.1, 0, NULL), GANTRY_E_INVALID);
  cr_assert_eq(eskf_update_heading(&eskf, INFINITY, 0.1, 0, NULL), GANTRY_E_INVALID);
  cr_assert_eq(eskf_update_pose(&eskf, here, negative, 0, NULL), GANTRY_E_INVALID);
  cr_assert_eq(eskf_update_range(&eskf, 1, 1, slope, 0.1, 0, NULL), GANTRY_E_INVALID);
  cr_assert_eq(eskf_update_speed(&eskf, NAN, 0.1, 0, NULL), GANTRY_E_INVALID);
  eskf_accelerate(&eskf, NAN, 0, 0.1, &noise);
  eskf_odometry(&eskf, (pose2_t){NAN, 0, 0}, 0.1, &noise);
  eskf_predict(&eskf, -1, &noise);

  assert_same(&before);
}

Test(eskf, believes_a_far_pose_once_inflated) {
  start(0, 0, 0, 0.01, 0.01);
  pose2_t far = {3, -2, 0.5};
  double tight[9] = {1e-4, 0, 0, 0, 1e-4, 0, 0, 0, 1e-4};
  double nis;
  gantry_err_t before = eskf_update_pose(&eskf, far, tight, ESKF_GATE_3, NULL);

  eskf_inflate(&eskf, far);
  gantry_err_t after = eskf_update_pose(&eskf, far, tight, ESKF_GATE_3, &nis);

  cr_assert_eq(before, GANTRY_E_REFUSED);
  cr_assert_eq(after, GANTRY_OK);
  cr_assert_lt(nis, 1.01);
  cr_assert_lt(pose2_distance(eskf.pose, far), 0.05);
}

Test(eskf, grows_doubtful_by_diffusion) {
  double covariance[9];
  start(0, 0, 0, 0.1, 0.1);

  eskf_diffuse(&eskf, 0.1, 0.2);

  eskf_pose_covariance(&eskf, covariance);
  cr_assert_float_eq(covariance[0], 0.02, 1e-12);
  cr_assert_float_eq(covariance[8], 0.05, 1e-12);
}

Test(eskf, keeps_what_it_learned_of_itself_when_put_elsewhere) {
  start(0, 0, 0, 0.1, 0.1);
  eskf.v_mps = 0.4;
  eskf.bias_x_mps2 = 0.1;
  eskf_odometry(&eskf, (pose2_t){1, 0, 0}, 1, &noise);

  eskf_place(&eskf, (pose2_t){7, 8, 4}, 0.2, 0.3, &noise);

  cr_assert_float_eq(eskf.pose.theta, 4 - 2 * M_PI, 1e-12);
  cr_assert_float_eq(eskf.v_mps, 0.4, 0);
  cr_assert_float_eq(eskf.bias_x_mps2, 0.1, 0);
  cr_assert_float_eq(p(ESKF_X, ESKF_X), 0.04, 1e-12);
  cr_assert_float_eq(p(ESKF_THETA, ESKF_BIAS_TURN), 0, 0);
}
