/* Corrections of the filter (Bar-Shalom, Li, Kirubarajan 2001, ch. 5 and 10). */
#include "eskf_update.h"

#include <math.h>
#include <string.h>

#define N         ESKF_STATES
#define M         ESKF_SEEN_MAX
#define ESTIMATED ESKF_MAP_X /* states from here on are considered only */

bool eskf_invert(const double *a, int n, double *out) {
  double l[M * M] = {0};
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++) {
      double sum = a[i * n + j];
      for (int k = 0; k < j; k++)
        sum -= l[i * n + k] * l[j * n + k];
      if (i == j && !(sum > 0)) return false;
      l[i * n + j] = i == j ? sqrt(sum) : sum / l[j * n + j];
    }
  for (int column = 0; column < n; column++) {
    double y[M];
    for (int i = 0; i < n; i++) {
      y[i] = i == column;
      for (int k = 0; k < i; k++)
        y[i] -= l[i * n + k] * y[k];
      y[i] /= l[i * n + i];
    }
    for (int i = n - 1; i >= 0; i--) {
      for (int k = i + 1; k < n; k++)
        y[i] -= l[k * n + i] * out[k * n + column];
      out[i * n + column] = y[i] / l[i * n + i];
    }
  }
  return true;
}

static void shift(eskf_t *eskf, const double step[N]) {
  eskf->pose.x += step[ESKF_X];
  eskf->pose.y += step[ESKF_Y];
  eskf->pose.theta = wrap_rad(eskf->pose.theta + step[ESKF_THETA]);
  eskf->v_mps += step[ESKF_V];
  eskf->omega_radps += step[ESKF_OMEGA];
  eskf->bias_x_mps2 += step[ESKF_BIAS_X];
  eskf->bias_y_mps2 += step[ESKF_BIAS_Y];
  eskf->bias_turn_radps += step[ESKF_BIAS_TURN];
  eskf->scale += step[ESKF_SCALE];
}

/* out (N x m) = P H'. */
static void spread(const double *p, const eskf_observation_t *seen, double *out) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < seen->m; j++) {
      double sum = 0;
      for (int k = 0; k < N; k++)
        sum += p[i * N + k] * seen->jacobian[j * N + k];
      out[i * seen->m + j] = sum;
    }
}

/* P = (I - K H) P (I - K H)' + K R K', which holds for any gain K: first A = P - K (P H')', then
   P = A - (A H' - K R) K'. Written to both halves alike, so that it stays symmetric. */
static void join(double *p, const eskf_observation_t *seen, const double *pht, const double *gain) {
  int m = seen->m;
  double left[N * M];
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < m; k++)
        p[i * N + j] -= gain[i * m + k] * pht[j * m + k];
  spread(p, seen, left);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < m; j++)
      for (int k = 0; k < m; k++)
        left[i * m + j] -= gain[i * m + k] * seen->covariance[k * m + j];
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < m; k++)
        p[i * N + j] -= left[i * m + k] * gain[j * m + k];
  for (int i = 0; i < N; i++)
    for (int j = 0; j < i; j++)
      p[i * N + j] = p[j * N + i] = (p[i * N + j] + p[j * N + i]) / 2;
}

static bool all_finite(const double *values, int n) {
  for (int i = 0; i < n; i++)
    if (!isfinite(values[i])) return false;
  return true;
}

/* m x m, from P H'. */
static void expect(const eskf_observation_t *seen, const double *pht, double *out) {
  int m = seen->m;
  for (int i = 0; i < m; i++)
    for (int j = 0; j < m; j++) {
      double sum = 0;
      for (int k = 0; k < N; k++)
        sum += seen->jacobian[i * N + k] * pht[k * m + j];
      out[i * m + j] = sum;
    }
}

void eskf_expected(const eskf_t *eskf, const eskf_observation_t *seen, double *out) {
  double pht[N * M];
  spread(eskf->covariance, seen, pht);
  expect(seen, pht, out);
}

static bool is_usable(const eskf_observation_t *seen) {
  double inverse[M * M];
  return all_finite(seen->innovation, seen->m) && all_finite(seen->covariance, seen->m * seen->m) &&
         all_finite(seen->jacobian, seen->m * N) && eskf_invert(seen->covariance, seen->m, inverse);
}

/* The inverse of S = H P H' + R, and the verdict. */
static gantry_err_t judge(const eskf_observation_t *seen, const double *pht, double gate,
                          double *inverse, double *nis) {
  int m = seen->m;
  double s[M * M] = {0}, distance = 0;
  expect(seen, pht, s);
  for (int i = 0; i < m * m; i++)
    s[i] += seen->covariance[i];
  if (!eskf_invert(s, m, inverse)) return GANTRY_E_INVALID;
  for (int i = 0; i < m; i++)
    for (int j = 0; j < m; j++)
      distance += seen->innovation[i] * inverse[i * m + j] * seen->innovation[j];
  if (nis) *nis = distance;
  return gate > 0 && distance > gate ? GANTRY_E_REFUSED : GANTRY_OK;
}

gantry_err_t eskf_judge(const eskf_t *eskf, const eskf_observation_t *seen, double gate,
                        double *nis) {
  double pht[N * M], inverse[M * M];
  if (nis) *nis = 0;
  if (!is_usable(seen)) return GANTRY_E_INVALID;
  spread(eskf->covariance, seen, pht);
  return judge(seen, pht, gate, inverse, nis);
}

gantry_err_t eskf_correct(eskf_t *eskf, const eskf_observation_t *seen, double gate, double *nis) {
  int m = seen->m;
  double pht[N * M], inverse[M * M], gain[N * M] = {0}, step[N] = {0};
  if (nis) *nis = 0;
  if (!is_usable(seen)) return GANTRY_E_INVALID;
  spread(eskf->covariance, seen, pht);
  GANTRY_TRY(judge(seen, pht, gate, inverse, nis));
  for (int i = 0; i < ESTIMATED; i++)
    for (int j = 0; j < m; j++) {
      for (int k = 0; k < m; k++)
        gain[i * m + j] += pht[i * m + k] * inverse[k * m + j];
      step[i] += gain[i * m + j] * seen->innovation[j];
    }
  join(eskf->covariance, seen, pht, gain);
  shift(eskf, step);
  return GANTRY_OK;
}

eskf_observation_t eskf_position(const eskf_t *eskf, double x_m, double y_m, pose2_t lever,
                                 double sigma_m) {
  double c = cos(eskf->pose.theta), s = sin(eskf->pose.theta);
  double ahead = c * lever.x - s * lever.y, aside = s * lever.x + c * lever.y;
  return (eskf_observation_t){
      .m = 2,
      .innovation = {x_m - eskf->pose.x - ahead, y_m - eskf->pose.y - aside},
      .jacobian = {[ESKF_X] = 1, [ESKF_THETA] = -aside, [N + ESKF_Y] = 1, [N + ESKF_THETA] = ahead},
      .covariance = {sigma_m * sigma_m, 0, 0, sigma_m * sigma_m}};
}

gantry_err_t eskf_update_position(eskf_t *eskf, double x_m, double y_m, pose2_t lever,
                                  double sigma_m, double gate, double *nis) {
  eskf_observation_t seen = eskf_position(eskf, x_m, y_m, lever, sigma_m);
  return eskf_correct(eskf, &seen, gate, nis);
}

/* One state seen as it is. */
static gantry_err_t update_state(eskf_t *eskf, int state, double innovation, double sigma,
                                 double gate, double *nis) {
  eskf_observation_t seen = {.m = 1, .innovation = {innovation}, .covariance = {sigma * sigma}};
  seen.jacobian[state] = 1;
  return eskf_correct(eskf, &seen, gate, nis);
}

gantry_err_t eskf_update_heading(eskf_t *eskf, double theta_rad, double sigma_rad, double gate,
                                 double *nis) {
  double innovation = wrap_rad(theta_rad - eskf->pose.theta);
  return update_state(eskf, ESKF_THETA, innovation, sigma_rad, gate, nis);
}

gantry_err_t eskf_update_speed(eskf_t *eskf, double v_mps, double sigma_mps, double gate,
                               double *nis) {
  return update_state(eskf, ESKF_V, v_mps - eskf->v_mps, sigma_mps, gate, nis);
}

gantry_err_t eskf_update_turn(eskf_t *eskf, double omega_radps, double sigma_radps, double gate,
                              double *nis) {
  return update_state(eskf, ESKF_OMEGA, omega_radps - eskf->omega_radps, sigma_radps, gate, nis);
}

static gantry_err_t update_pose(eskf_t *eskf, pose2_t measured, const double covariance[9],
                                double map, double gate, double *nis) {
  eskf_observation_t seen = {.m = 3,
                             .innovation = {measured.x - eskf->pose.x, measured.y - eskf->pose.y,
                                            wrap_rad(measured.theta - eskf->pose.theta)},
                             .jacobian = {[ESKF_X] = 1,
                                          [N + ESKF_Y] = 1,
                                          [2 * N + ESKF_THETA] = 1,
                                          [ESKF_MAP_X] = map,
                                          [N + ESKF_MAP_Y] = map,
                                          [2 * N + ESKF_MAP_THETA] = map}};
  memcpy(seen.covariance, covariance, sizeof seen.covariance);
  return eskf_correct(eskf, &seen, gate, nis);
}

gantry_err_t eskf_update_pose(eskf_t *eskf, pose2_t measured, const double covariance[9],
                              double gate, double *nis) {
  return update_pose(eskf, measured, covariance, 0, gate, nis);
}

gantry_err_t eskf_update_match(eskf_t *eskf, pose2_t measured, const double covariance[9],
                               double gate, double *nis) {
  return update_pose(eskf, measured, covariance, 1, gate, nis);
}

gantry_err_t eskf_update_range(eskf_t *eskf, double range_m, double expected_m,
                               const double slope[3], double sigma_m, double gate, double *nis) {
  eskf_observation_t seen = {
      .m = 1, .innovation = {range_m - expected_m}, .covariance = {sigma_m * sigma_m}};
  for (int i = 0; i < 3; i++)
    seen.jacobian[ESKF_X + i] = seen.jacobian[ESKF_MAP_X + i] = slope[i];
  return eskf_correct(eskf, &seen, gate, nis);
}

gantry_err_t eskf_update_line(eskf_t *eskf, double x_m, double y_m, double theta_rad,
                              double sigma_m, double gate, double *nis) {
  double c = cos(theta_rad), s = sin(theta_rad);
  eskf_observation_t seen = {
      .m = 1,
      .innovation = {-s * (x_m - eskf->pose.x) + c * (y_m - eskf->pose.y)},
      .jacobian = {[ESKF_X] = -s, [ESKF_Y] = c, [ESKF_MAP_X] = -s, [ESKF_MAP_Y] = c},
      .covariance = {sigma_m * sigma_m}};
  return eskf_correct(eskf, &seen, gate, nis);
}
