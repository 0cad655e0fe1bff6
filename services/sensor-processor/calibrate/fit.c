/* Least squares in the form that a handful of points needs: centred, then the normal equations,
   which lose no digits worth naming while the condition is below FIT_CONDITION_MAX. */
#include "fit.h"

#include <math.h>

#include <gantry/geom.h>

/* Gauss's regression of reference on measured:
   scale = sum((m - mean m)(r - mean r)) / sum((m - mean m)^2). */
gantry_err_t fit_line(const double *measured, const double *reference, uint32_t count,
                      double *scale, double *offset) {
  double m = 0, r = 0, mm = 0, mr = 0;
  for (uint32_t i = 0; i < count; i++) {
    m += measured[i] / count;
    r += reference[i] / count;
  }
  for (uint32_t i = 0; i < count; i++) {
    mm += (measured[i] - m) * (measured[i] - m);
    mr += (measured[i] - m) * (reference[i] - r);
  }
  if (count < 2 || !(mm > 0)) return GANTRY_E_INVALID;
  *scale = mr / mm;
  *offset = r - *scale * m;
  return GANTRY_OK;
}

/* ---- three axes */

static void mean_of(const double (*points)[3], uint32_t count, double mean[3]) {
  for (int axis = 0; axis < 3; axis++) {
    mean[axis] = 0;
    for (uint32_t i = 0; i < count; i++)
      mean[axis] += points[i][axis] / count;
  }
}

/* out[i][k] = sum((a_i - mean a_i)(b_k - mean b_k)) over the points. */
static void scatter(const double (*a)[3], const double *mean_a, const double (*b)[3],
                    const double *mean_b, uint32_t count, double out[3][3]) {
  for (int i = 0; i < 3; i++)
    for (int k = 0; k < 3; k++) {
      out[i][k] = 0;
      for (uint32_t n = 0; n < count; n++)
        out[i][k] += (a[n][i] - mean_a[i]) * (b[n][k] - mean_b[k]);
    }
}

/* Of a 3x3 matrix without its row i and column k, taken round: a signed minor. */
static double cofactor(const double m[3][3], int i, int k) {
  int a = (i + 1) % 3, b = (i + 2) % 3, c = (k + 1) % 3, d = (k + 2) % 3;
  return m[a][c] * m[b][d] - m[a][d] * m[b][c];
}

static double determinant(const double m[3][3]) {
  return m[0][0] * cofactor(m, 0, 0) + m[0][1] * cofactor(m, 0, 1) + m[0][2] * cofactor(m, 0, 2);
}

/* Root of the greatest over the least eigenvalue of a symmetric matrix, in closed form: O. K.
   Smith, Communications of the ACM 4 (1961), p. 168. m = p b + q I; the eigenvalues of b are
   2 cos(phi + 2 k pi / 3). */
static double condition_of(const double m[3][3]) {
  double q = (m[0][0] + m[1][1] + m[2][2]) / 3, p2 = 0, b[3][3];
  for (int i = 0; i < 3; i++)
    for (int k = 0; k < 3; k++)
      p2 += (m[i][k] - (i == k ? q : 0)) * (m[i][k] - (i == k ? q : 0)) / 6;
  double p = sqrt(p2);
  if (!(q > 0)) return INFINITY;
  if (p <= 1e-15 * q) return 1;
  for (int i = 0; i < 3; i++)
    for (int k = 0; k < 3; k++)
      b[i][k] = (m[i][k] - (i == k ? q : 0)) / p;
  double phi = acos(fmin(1, fmax(-1, determinant(b) / 2))) / 3;
  double greatest = q + 2 * p * cos(phi), least = q + 2 * p * cos(phi + 2 * M_PI / 3);
  return least > 1e-12 * greatest ? sqrt(greatest / least) : INFINITY;
}

/* matrix = S_rm inv(S_mm), offset = mean r - matrix mean m. */
gantry_err_t fit_affine(const double (*measured)[3], const double (*reference)[3], uint32_t count,
                        double matrix[9], double offset[3], double *condition) {
  double mean_m[3], mean_r[3], mm[3][3], rm[3][3];
  *condition = INFINITY;
  if (count < 4) return GANTRY_E_INVALID;
  mean_of(measured, count, mean_m);
  mean_of(reference, count, mean_r);
  scatter(measured, mean_m, measured, mean_m, count, mm);
  scatter(reference, mean_r, measured, mean_m, count, rm);
  *condition = condition_of(mm);
  if (!(*condition <= FIT_CONDITION_MAX)) return GANTRY_E_INVALID;
  double volume = determinant(mm);
  for (int i = 0; i < 3; i++) {
    offset[i] = mean_r[i];
    for (int k = 0; k < 3; k++) {
      double cell = 0;
      for (int n = 0; n < 3; n++)
        cell += rm[i][n] * cofactor(mm, k, n) / volume; /* mm is symmetric, as is its inverse */
      matrix[3 * i + k] = cell;
      offset[i] -= cell * mean_m[k];
    }
  }
  return GANTRY_OK;
}

/* ---- a flat target */

/* The line of least squared distances goes through the middle of the points along the main axis of
   their scatter: K. Pearson, Philosophical Magazine 2 (1901), p. 559. */
gantry_err_t fit_target(const double *angle_rad, const double *range_m, uint32_t count,
                        fit_target_t *out) {
  double x = 0, y = 0, xx = 0, yy = 0, xy = 0;
  if (count < 3) return GANTRY_E_INVALID;
  for (uint32_t i = 0; i < count; i++) {
    x += range_m[i] * cos(angle_rad[i]) / count;
    y += range_m[i] * sin(angle_rad[i]) / count;
  }
  for (uint32_t i = 0; i < count; i++) {
    double dx = range_m[i] * cos(angle_rad[i]) - x, dy = range_m[i] * sin(angle_rad[i]) - y;
    xx += dx * dx / count;
    yy += dy * dy / count;
    xy += dx * dy / count;
  }
  double apart = hypot(xx - yy, 2 * xy); /* of the two eigenvalues of the scatter */
  if (!(apart > 0)) return GANTRY_E_INVALID;
  double square = atan2(2 * xy, xx - yy) / 2 + M_PI / 2;
  double distance = x * cos(square) + y * sin(square);
  if (distance < 0) square += M_PI;
  *out = (fit_target_t){.distance_m = fabs(distance),
                        .direction_rad = wrap_rad(square),
                        .residual_m = sqrt(fmax(0, (xx + yy - apart) / 2))};
  for (uint32_t i = 0; i < count; i++)
    out->share += cos(angle_rad[i] - square) / count;
  return GANTRY_OK;
}
