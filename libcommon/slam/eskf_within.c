/* "It is in this disc": the estimate of the point, cut to the disc, has another mean and covariance
   (assumed density filtering, Maybeck 1982, ch. 12). The position that would have told so if it
   had a normal error is what corrects the state. All in the principal axes of the estimate, where
   its density is the product of two. */
#include <math.h>
#include <stddef.h>

#include "eskf_update.h"

#define N       ESKF_STATES
#define CELLS   24   /* of the integral, each way */
#define SIGMAS  5    /* what lies beyond does not count */
#define NOTHING 1e-4 /* information below this part of what is known is none */

/* The disc and its likelihood as the estimate's axes see it, the estimate being at (0, 0). */
typedef struct disc {
  double x, y, radius, edge;
} disc_t;

typedef struct moments {
  double mean[2], covariance[4];
} moments_t;

static double likelihood(const disc_t *disc, double x, double y) {
  double beyond = (hypot(x - disc->x, y - disc->y) - disc->radius) / disc->edge;
  return beyond <= 0 ? 1 : exp(-beyond * beyond / 2);
}

/* Where to integrate along one axis: where both the density and the disc have something. */
static bool overlap(double sigma, double centre, double reach, double *from, double *step) {
  double low = fmax(-SIGMAS * sigma, centre - reach), high = fmin(SIGMAS * sigma, centre + reach);
  *from = low;
  *step = (high - low) / CELLS;
  return high > low;
}

/* Moments of the density cut to the disc, by the midpoint rule; false when nothing is left. */
static bool cut(const double sigma[2], const disc_t *disc, moments_t *out) {
  double x0, y0, dx, dy, sums[6] = {0}, reach = disc->radius + SIGMAS * disc->edge;
  if (!overlap(sigma[0], disc->x, reach, &x0, &dx) || !overlap(sigma[1], disc->y, reach, &y0, &dy))
    return false;
  for (int i = 0; i < CELLS; i++)
    for (int j = 0; j < CELLS; j++) {
      double x = x0 + (i + 0.5) * dx, y = y0 + (j + 0.5) * dy;
      double u = x / sigma[0], v = y / sigma[1];
      double p = exp(-(u * u + v * v) / 2) * likelihood(disc, x, y);
      double terms[6] = {1, x, y, x * x, x * y, y * y};
      for (int k = 0; k < 6; k++)
        sums[k] += p * terms[k];
    }
  if (!(sums[0] > 0)) return false;
  double x = sums[1] / sums[0], y = sums[2] / sums[0], xy = sums[4] / sums[0] - x * y;
  *out = (moments_t){.mean = {x, y},
                     .covariance = {sums[3] / sums[0] - x * x, xy, xy, sums[5] / sums[0] - y * y}};
  return true;
}

/* The measurement of the point that takes an estimate of (0, 0) with sigma to out: R is the inverse
   of the information gained, the innovation (S + R) S^-1 mean. False when nothing was gained. */
static bool equivalent(const double sigma[2], const moments_t *out, eskf_observation_t *seen) {
  double gained[4], s[2] = {sigma[0] * sigma[0], sigma[1] * sigma[1]};
  if (!eskf_invert(out->covariance, 2, gained)) return false;
  for (size_t i = 0; i < 2; i++)
    gained[3 * i] -= 1 / s[i];
  if (gained[0] * s[0] + gained[3] * s[1] < NOTHING) return false;
  for (size_t i = 0; i < 2; i++)
    gained[3 * i] += NOTHING / s[i];
  if (!eskf_invert(gained, 2, seen->covariance)) return false;
  for (size_t i = 0; i < 2; i++)
    seen->innovation[i] = out->mean[i] + seen->covariance[2 * i] * out->mean[0] / s[0] +
                          seen->covariance[2 * i + 1] * out->mean[1] / s[1];
  seen->m = 2;
  return true;
}

/* Turns a position's two rows into the principal axes of its covariance s. */
static void to_axes(eskf_observation_t *seen, const double s[4], double sigma[2]) {
  double angle = atan2(2 * s[1], s[0] - s[3]) / 2, c = cos(angle), sn = sin(angle);
  double x = seen->innovation[0], y = seen->innovation[1];
  seen->innovation[0] = c * x + sn * y;
  seen->innovation[1] = -sn * x + c * y;
  for (int k = 0; k < N; k++) {
    double a = seen->jacobian[k], b = seen->jacobian[N + k];
    seen->jacobian[k] = c * a + sn * b;
    seen->jacobian[N + k] = -sn * a + c * b;
  }
  double middle = (s[0] + s[3]) / 2, half = hypot((s[0] - s[3]) / 2, s[1]);
  sigma[0] = sqrt(middle + half);
  sigma[1] = sqrt(fmax(middle - half, 1e-12 * (middle + half)));
}

gantry_err_t eskf_update_within(eskf_t *eskf, double x_m, double y_m, pose2_t lever,
                                double radius_m, double edge_m, double gate, double *nis) {
  double s[4], sigma[2];
  moments_t after;
  if (nis) *nis = 0;
  if (!(radius_m > 0) || !(edge_m > 0) || !isfinite(radius_m) || !isfinite(edge_m))
    return GANTRY_E_INVALID;
  eskf_observation_t seen = eskf_position(eskf, x_m, y_m, lever, radius_m / 2);
  GANTRY_TRY(eskf_judge(eskf, &seen, gate, nis));
  eskf_expected(eskf, &seen, s);
  to_axes(&seen, s, sigma);
  disc_t disc = {seen.innovation[0], seen.innovation[1], radius_m, edge_m};
  if (!cut(sigma, &disc, &after)) /* nothing of the estimate lies there */
    return gate > 0 ? GANTRY_E_REFUSED
                    : eskf_update_position(eskf, x_m, y_m, lever, radius_m / 2, 0, NULL);
  return equivalent(sigma, &after, &seen) ? eskf_correct(eskf, &seen, 0, NULL) : GANTRY_OK;
}
