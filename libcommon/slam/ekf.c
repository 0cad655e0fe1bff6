/* The filter: 3 x 3 and smaller matrices by hand. */
#include <gantry/slam/ekf.h>

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* An observation of m <= 3 numbers: innovation, Jacobian (m x 3) and covariance (m x m). */
typedef struct observation {
  int m;
  double innovation[3], jacobian[9], covariance[9];
} observation_t;

ekf_noise_t ekf_noise_default(void) {
  return (ekf_noise_t){.along_m2_per_m = 0.01,
                       .across_m2_per_m = 0.0025,
                       .heading_rad2_per_m = 0.001,
                       .heading_rad2_per_rad = 0.01};
}

void ekf_init(ekf_t *ekf, pose2_t pose, double sigma_m, double sigma_rad) {
  *ekf = (ekf_t){.pose = pose};
  ekf->pose.theta = wrap_rad(pose.theta);
  ekf->covariance[0] = ekf->covariance[4] = sigma_m * sigma_m;
  ekf->covariance[8] = sigma_rad * sigma_rad;
}

/* out (n x p) = a (n x m) b (m x p); out is neither a nor b. */
static void multiply(const double *a, const double *b, int n, int m, int p, double *out) {
  for (int i = 0; i < n; i++)
    for (int k = 0; k < p; k++) {
      double sum = 0;
      for (int j = 0; j < m; j++)
        sum += a[i * m + j] * b[j * p + k];
      out[i * p + k] = sum;
    }
}

/* out (m x n) = a' of a (n x m). */
static void transpose(const double *a, int n, int m, double *out) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++)
      out[j * n + i] = a[i * m + j];
}

/* out = j p j' with p symmetric (m x m), j (n x m). */
static void propagate(const double *j, const double *p, int n, int m, double *out) {
  double jp[9], turned[9];
  multiply(j, p, n, m, m, jp);
  transpose(j, n, m, turned);
  multiply(jp, turned, n, m, n, out);
}

/* Symmetric positive definite inverse by Cholesky; false when it is not. */
static bool invert(const double *a, int n, double *out) {
  double l[9] = {0};
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++) {
      double sum = a[i * n + j];
      for (int k = 0; k < j; k++)
        sum -= l[i * n + k] * l[j * n + k];
      if (i == j && !(sum > 0)) return false;
      l[i * n + j] = i == j ? sqrt(sum) : sum / l[j * n + j];
    }
  for (int column = 0; column < n; column++) {
    double y[3];
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

void ekf_predict(ekf_t *ekf, pose2_t increment, const ekf_noise_t *noise) {
  double c = cos(ekf->pose.theta), s = sin(ekf->pose.theta);
  double f[9] = {
      1, 0, -s * increment.x - c * increment.y, 0, 1, c * increment.x - s * increment.y, 0, 0, 1};
  double turn[9] = {c, -s, 0, s, c, 0, 0, 0, 1};
  double way_m = hypot(increment.x, increment.y), turned_rad = fabs(wrap_rad(increment.theta));
  double q[9] = {way_m * noise->along_m2_per_m,
                 0,
                 0,
                 0,
                 way_m * noise->across_m2_per_m,
                 0,
                 0,
                 0,
                 way_m * noise->heading_rad2_per_m + turned_rad * noise->heading_rad2_per_rad};
  double moved[9], added[9];
  propagate(f, ekf->covariance, 3, 3, moved);
  propagate(turn, q, 3, 3, added);
  for (int i = 0; i < 9; i++)
    ekf->covariance[i] = moved[i] + added[i];
  ekf->pose = pose2_compose(ekf->pose, increment);
}

void ekf_diffuse(ekf_t *ekf, double sigma_m, double sigma_rad) {
  ekf->covariance[0] += sigma_m * sigma_m;
  ekf->covariance[4] += sigma_m * sigma_m;
  ekf->covariance[8] += sigma_rad * sigma_rad;
}

static bool all_finite(const double *values, int n) {
  for (int i = 0; i < n; i++)
    if (!isfinite(values[i])) return false;
  return true;
}

/* P = (I - K H) P (I - K H)' + K R K'. */
static void correct(ekf_t *ekf, const observation_t *seen, const double *gain) {
  double keep[9], kept[9], noise[9], step[3];
  multiply(gain, seen->jacobian, 3, seen->m, 3, keep);
  for (int i = 0; i < 9; i++)
    keep[i] = (i % 4 == 0) - keep[i];
  propagate(keep, ekf->covariance, 3, 3, kept);
  propagate(gain, seen->covariance, 3, seen->m, noise);
  for (int i = 0; i < 9; i++)
    ekf->covariance[i] = kept[i] + noise[i];
  multiply(gain, seen->innovation, 3, seen->m, 1, step);
  ekf->pose.x += step[0];
  ekf->pose.y += step[1];
  ekf->pose.theta = wrap_rad(ekf->pose.theta + step[2]);
}

static gantry_err_t update(ekf_t *ekf, const observation_t *seen, double gate, double *nis) {
  int m = seen->m;
  double s[9], s_inverse[9], turned[9], pht[9], gain[9], weighted[3], distance;
  if (nis) *nis = 0;
  if (!all_finite(seen->innovation, m) || !all_finite(seen->covariance, m * m))
    return GANTRY_E_INVALID;
  if (!invert(seen->covariance, m, s_inverse)) return GANTRY_E_INVALID;
  propagate(seen->jacobian, ekf->covariance, m, 3, s);
  for (int i = 0; i < m * m; i++)
    s[i] += seen->covariance[i];
  if (!invert(s, m, s_inverse)) return GANTRY_E_INVALID;
  multiply(s_inverse, seen->innovation, m, m, 1, weighted);
  multiply(seen->innovation, weighted, 1, m, 1, &distance);
  if (nis) *nis = distance;
  if (gate > 0 && distance > gate) return GANTRY_E_REFUSED;
  transpose(seen->jacobian, m, 3, turned);
  multiply(ekf->covariance, turned, 3, 3, m, pht);
  multiply(pht, s_inverse, 3, m, m, gain);
  correct(ekf, seen, gain);
  return GANTRY_OK;
}

gantry_err_t ekf_update_position(ekf_t *ekf, double x_m, double y_m, pose2_t lever, double sigma_m,
                                 double gate, double *nis) {
  double c = cos(ekf->pose.theta), s = sin(ekf->pose.theta);
  double ahead = c * lever.x - s * lever.y, aside = s * lever.x + c * lever.y;
  observation_t seen = {.m = 2,
                        .innovation = {x_m - ekf->pose.x - ahead, y_m - ekf->pose.y - aside},
                        .jacobian = {1, 0, -aside, 0, 1, ahead},
                        .covariance = {sigma_m * sigma_m, 0, 0, sigma_m * sigma_m}};
  return update(ekf, &seen, gate, nis);
}

gantry_err_t ekf_update_heading(ekf_t *ekf, double theta_rad, double sigma_rad, double gate,
                                double *nis) {
  observation_t seen = {.m = 1,
                        .innovation = {wrap_rad(theta_rad - ekf->pose.theta)},
                        .jacobian = {0, 0, 1},
                        .covariance = {sigma_rad * sigma_rad}};
  return update(ekf, &seen, gate, nis);
}

gantry_err_t ekf_update_pose(ekf_t *ekf, pose2_t measured, const double covariance[9], double gate,
                             double *nis) {
  observation_t seen = {.m = 3,
                        .innovation = {measured.x - ekf->pose.x, measured.y - ekf->pose.y,
                                       wrap_rad(measured.theta - ekf->pose.theta)},
                        .jacobian = {1, 0, 0, 0, 1, 0, 0, 0, 1}};
  memcpy(seen.covariance, covariance, sizeof seen.covariance);
  return update(ekf, &seen, gate, nis);
}

void ekf_inflate(ekf_t *ekf, pose2_t other) {
  double off[3] = {other.x - ekf->pose.x, other.y - ekf->pose.y,
                   wrap_rad(other.theta - ekf->pose.theta)};
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      ekf->covariance[3 * i + j] += off[i] * off[j];
}
