/* State and prediction of the filter. A transition F is the identity and a few entries, so F P F'
   is done entry by entry (see mix). Corrections are in eskf_update.c. */
#include <gantry/slam/eskf.h>

#include <math.h>
#include <string.h>

#include "eskf_update.h"

#define N ESKF_STATES

#define START_SPEED_MPS    0.1
#define START_TURN_RADPS   0.1
#define START_BIAS_MPS2    0.2 /* a floor that slopes by one degree looks like 0.17 */
#define START_DRIFT_RADPS  0.002
#define STILL_SPEED_MPS    0.002
#define STILL_TURN_RADPS   0.002
#define STILL_ACCEL_MPS2   0.1
#define STANDS_M_PER_S     1e-6 /* odometry that changes less stands */
#define ACROSS_SIGMA_SHARE 10.0 /* a frame that leans in curves: far less is believed across */

eskf_noise_t eskf_noise_default(void) {
  return (eskf_noise_t){.accel_mps2_rthz = 0.05,
                        .accel_bias_walk = 0.01,
                        .turn_bias_walk = 0.0003,
                        .v_walk = 1,
                        .omega_walk = 1,
                        .along_m2_per_m = 0.01,
                        .across_m2_per_m = 0.0025,
                        .heading_rad2_per_m = 0.001,
                        .heading_rad2_per_rad = 0.01,
                        .scale_sigma = 0.02,
                        .map_sigma_m = 0.01,
                        .map_sigma_rad = 0.002,
                        .map_reach_m = 1};
}

static double *at(eskf_t *eskf, int i, int j) {
  return &eskf->covariance[i * N + j];
}

/* P = F P F' of an F that adds factor times state `from` to state `to`. */
static void mix(eskf_t *eskf, int to, int from, double factor) {
  for (int k = 0; k < N; k++)
    *at(eskf, to, k) += factor * *at(eskf, from, k);
  for (int k = 0; k < N; k++)
    *at(eskf, k, to) += factor * *at(eskf, k, from);
}

/* P = F P F' of an F that scales a state. */
static void scale(eskf_t *eskf, int state, double factor) {
  for (int k = 0; k < N; k++) {
    *at(eskf, state, k) *= factor;
    *at(eskf, k, state) *= factor;
  }
}

/* The state is not what it was: independent of all others, with this standard deviation. */
static void renew(eskf_t *eskf, int state, double sigma) {
  scale(eskf, state, 0);
  *at(eskf, state, state) = sigma * sigma;
}

void eskf_place(eskf_t *eskf, pose2_t pose, double sigma_m, double sigma_rad,
                const eskf_noise_t *noise) {
  eskf->pose = (pose2_t){pose.x, pose.y, wrap_rad(pose.theta)};
  renew(eskf, ESKF_X, sigma_m);
  renew(eskf, ESKF_Y, sigma_m);
  renew(eskf, ESKF_THETA, sigma_rad);
  renew(eskf, ESKF_MAP_X, noise->map_sigma_m);
  renew(eskf, ESKF_MAP_Y, noise->map_sigma_m);
  renew(eskf, ESKF_MAP_THETA, noise->map_sigma_rad);
}

void eskf_speed(eskf_t *eskf, double v_mps, double omega_radps) {
  eskf->v_mps = v_mps;
  eskf->omega_radps = omega_radps;
  renew(eskf, ESKF_V, START_SPEED_MPS);
  renew(eskf, ESKF_OMEGA, START_TURN_RADPS);
}

void eskf_init(eskf_t *eskf, pose2_t pose, double sigma_m, double sigma_rad,
               const eskf_noise_t *noise) {
  *eskf = (eskf_t){0};
  eskf_place(eskf, pose, sigma_m, sigma_rad, noise);
  eskf_speed(eskf, 0, 0);
  renew(eskf, ESKF_BIAS_X, START_BIAS_MPS2);
  renew(eskf, ESKF_BIAS_Y, START_BIAS_MPS2);
  renew(eskf, ESKF_BIAS_TURN, START_DRIFT_RADPS);
  renew(eskf, ESKF_SCALE, noise->scale_sigma);
}

void eskf_pose_covariance(const eskf_t *eskf, double out[9]) {
  for (int i = 0; i < 3; i++)
    memcpy(out + (size_t)i * 3, eskf->covariance + (size_t)i * N, 3 * sizeof *out);
}

static const int MAP_STATES[3] = {ESKF_MAP_X, ESKF_MAP_Y, ESKF_MAP_THETA};

void eskf_new_map(eskf_t *eskf) {
  for (int i = 0; i < 3; i++) {
    scale(eskf, MAP_STATES[i], 0);
    mix(eskf, MAP_STATES[i], ESKF_X + i, -1);
  }
}

/* The map's error at a place is another one some way on: a Gauss-Markov process of the way, about
   zero, or about the error of the pose that the map grows by. */
static void leave_place(eskf_t *eskf, double way_m, const eskf_noise_t *noise) {
  if (way_m <= 0 || noise->map_reach_m <= 0) return;
  double kept = exp(-way_m / noise->map_reach_m), fresh = 1 - kept * kept;
  for (int i = 0; i < 3; i++) {
    int state = MAP_STATES[i];
    double sigma = state == ESKF_MAP_THETA ? noise->map_sigma_rad : noise->map_sigma_m;
    scale(eskf, state, kept);
    if (eskf->map_grows) mix(eskf, state, ESKF_X + i, kept - 1);
    *at(eskf, state, state) += fresh * sigma * sigma;
  }
}

static void walk_turn(eskf_t *eskf, double dt_s, const eskf_noise_t *noise) {
  *at(eskf, ESKF_BIAS_TURN, ESKF_BIAS_TURN) += noise->turn_bias_walk * noise->turn_bias_walk * dt_s;
}

void eskf_wander(eskf_t *eskf, double dt_s, const eskf_noise_t *noise) {
  if (!(dt_s > 0)) return;
  *at(eskf, ESKF_V, ESKF_V) += noise->v_walk * noise->v_walk * dt_s;
  *at(eskf, ESKF_OMEGA, ESKF_OMEGA) += noise->omega_walk * noise->omega_walk * dt_s;
}

void eskf_predict(eskf_t *eskf, double dt_s, const eskf_noise_t *noise) {
  if (!(dt_s > 0)) return;
  double turn = eskf->omega_radps * dt_s, way = eskf->v_mps * dt_s;
  double c = cos(eskf->pose.theta + turn / 2), s = sin(eskf->pose.theta + turn / 2);
  mix(eskf, ESKF_X, ESKF_THETA, -s * way);
  mix(eskf, ESKF_X, ESKF_V, c * dt_s);
  mix(eskf, ESKF_X, ESKF_OMEGA, -s * way * dt_s / 2);
  mix(eskf, ESKF_Y, ESKF_THETA, c * way);
  mix(eskf, ESKF_Y, ESKF_V, s * dt_s);
  mix(eskf, ESKF_Y, ESKF_OMEGA, c * way * dt_s / 2);
  mix(eskf, ESKF_THETA, ESKF_OMEGA, dt_s);
  walk_turn(eskf, dt_s, noise);
  leave_place(eskf, fabs(way), noise);
  eskf->pose =
      (pose2_t){eskf->pose.x + c * way, eskf->pose.y + s * way, wrap_rad(eskf->pose.theta + turn)};
}

void eskf_odometry(eskf_t *eskf, pose2_t increment, double dt_s, const eskf_noise_t *noise) {
  double c = cos(eskf->pose.theta), s = sin(eskf->pose.theta);
  double way = hypot(increment.x, increment.y), turn = fabs(wrap_rad(increment.theta));
  if (!isfinite(way) || !isfinite(turn)) return;
  mix(eskf, ESKF_X, ESKF_SCALE, c * increment.x - s * increment.y);
  mix(eskf, ESKF_Y, ESKF_SCALE, s * increment.x + c * increment.y);
  increment.x *= 1 + eskf->scale;
  increment.y *= 1 + eskf->scale;
  mix(eskf, ESKF_X, ESKF_THETA, -s * increment.x - c * increment.y);
  mix(eskf, ESKF_Y, ESKF_THETA, c * increment.x - s * increment.y);
  if (dt_s > 0 && way + turn > STANDS_M_PER_S * dt_s) {
    mix(eskf, ESKF_THETA, ESKF_BIAS_TURN, -dt_s);
    walk_turn(eskf, dt_s, noise);
    increment.theta -= eskf->bias_turn_radps * dt_s;
  }
  double along = way * noise->along_m2_per_m, across = way * noise->across_m2_per_m;
  *at(eskf, ESKF_X, ESKF_X) += c * c * along + s * s * across;
  *at(eskf, ESKF_Y, ESKF_Y) += s * s * along + c * c * across;
  *at(eskf, ESKF_X, ESKF_Y) += c * s * (along - across);
  *at(eskf, ESKF_Y, ESKF_X) += c * s * (along - across);
  *at(eskf, ESKF_THETA, ESKF_THETA) +=
      way * noise->heading_rad2_per_m + turn * noise->heading_rad2_per_rad;
  leave_place(eskf, way, noise);
  eskf->pose = pose2_compose(eskf->pose, increment);
}

void eskf_accelerate(eskf_t *eskf, double along_mps2, double across_mps2, double dt_s,
                     const eskf_noise_t *noise) {
  if (!(dt_s > 0) || !isfinite(along_mps2) || !isfinite(across_mps2)) return;
  double walk = noise->accel_bias_walk * noise->accel_bias_walk * dt_s;
  eskf->v_mps += (along_mps2 - eskf->bias_x_mps2) * dt_s;
  mix(eskf, ESKF_V, ESKF_BIAS_X, -dt_s);
  *at(eskf, ESKF_V, ESKF_V) += noise->accel_mps2_rthz * noise->accel_mps2_rthz * dt_s;
  *at(eskf, ESKF_BIAS_X, ESKF_BIAS_X) += walk;
  *at(eskf, ESKF_BIAS_Y, ESKF_BIAS_Y) += walk;
  *at(eskf, ESKF_OMEGA, ESKF_OMEGA) += noise->omega_walk * noise->omega_walk * dt_s;
  double sigma = ACROSS_SIGMA_SHARE * noise->accel_mps2_rthz / sqrt(dt_s);
  eskf_observation_t seen = {
      .m = 1,
      .innovation = {across_mps2 - eskf->v_mps * eskf->omega_radps - eskf->bias_y_mps2},
      .jacobian = {[ESKF_V] = eskf->omega_radps, [ESKF_OMEGA] = eskf->v_mps, [ESKF_BIAS_Y] = 1},
      .covariance = {sigma * sigma}};
  eskf_correct(eskf, &seen, ESKF_GATE_1, NULL);
}

void eskf_update_still(eskf_t *eskf, double along_mps2, double across_mps2) {
  eskf_observation_t bias = {
      .m = 2,
      .innovation = {along_mps2 - eskf->bias_x_mps2, across_mps2 - eskf->bias_y_mps2},
      .jacobian = {[ESKF_BIAS_X] = 1, [N + ESKF_BIAS_Y] = 1},
      .covariance = {STILL_ACCEL_MPS2 * STILL_ACCEL_MPS2, 0, 0,
                     STILL_ACCEL_MPS2 * STILL_ACCEL_MPS2}};
  eskf_update_speed(eskf, 0, STILL_SPEED_MPS, 0, NULL);
  eskf_update_turn(eskf, 0, STILL_TURN_RADPS, 0, NULL);
  eskf_correct(eskf, &bias, 0, NULL);
}

void eskf_diffuse(eskf_t *eskf, double sigma_m, double sigma_rad) {
  *at(eskf, ESKF_X, ESKF_X) += sigma_m * sigma_m;
  *at(eskf, ESKF_Y, ESKF_Y) += sigma_m * sigma_m;
  *at(eskf, ESKF_THETA, ESKF_THETA) += sigma_rad * sigma_rad;
}

void eskf_inflate(eskf_t *eskf, pose2_t other) {
  double off[3] = {other.x - eskf->pose.x, other.y - eskf->pose.y,
                   wrap_rad(other.theta - eskf->pose.theta)};
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      *at(eskf, i, j) += off[i] * off[j];
}
