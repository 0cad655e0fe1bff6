/* Match: finds the pose at which a scan fits a distance field. Gauss-Newton on the squared
   distances with a Cauchy kernel in three stages, ever narrower; when the fit stays poor a
   correlative search around the guess finds a better start (Olson 2009, coarse level only). Pure.
 */
#ifndef GANTRY_SLAM_MATCH_H
#define GANTRY_SLAM_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/err.h>
#include <gantry/geom.h>
#include <gantry/slam/distance_field.h>
#include <gantry/slam/points.h>

#define MATCH_POINTS_MIN 10 /* fewer points do not make a pose */

typedef struct match_config {
  double wide_m;       /* Cauchy scale of the first stage: 0.20 m */
  double middle_m;     /* of the second, and of the residuals told: 0.05 m */
  double narrow_m;     /* of the third: 0.02 m, under half a cell, which is what a wall is worth */
  double prior_weight; /* the guess counts as this many perfectly seen points: 0.3 */
  double corridor_weight;   /* and along a corridor, where the scan is blind, as this many: 10 */
  double stop_m;            /* the last stage ends when a step is below this: 0.001 m */
  double stop_rad;          /* and below this: 0.0002 rad */
  uint32_t iterations_max;  /* steps a stage: 20 */
  double inlier_m;          /* a point this near to an obstacle fits: 0.15 m */
  double rescue_residual_m; /* mean residual above which the search runs; 0 never: 0.12 m */
  double rescue_gain;       /* its pose is taken below this part of the old residual: 0.8 */
  double rescue_reach_m;    /* search window, each way: 0.4 m */
  double rescue_step_m;     /* 0.1 m */
  double rescue_reach_rad;  /* 0.5 rad */
  double rescue_step_rad;   /* 2 degrees */
  uint32_t rescue_points;   /* points scored a pose: 45 */
} match_config_t;

typedef struct match_result {
  pose2_t pose;           /* robot in the field's frame */
  double mean_residual_m; /* mean distance of all points, each at most the truncation */
  double inlier_fraction; /* points within inlier_m of an obstacle, 0 .. 1 */
  double hessian[9];      /* sum of w J'J over x, y, theta, row-major, residuals in m */
  double variance_m2;     /* weighted variance of one residual */
  uint32_t iterations;    /* Gauss-Newton steps in all */
  bool converged;         /* the last stage ended by its stop rule */
  bool rescued;           /* the pose comes from the correlative search */
} match_result_t;

match_config_t match_config_default(void);

/* Matches points against field from guess. GANTRY_E_INVALID when the guess is not finite,
   GANTRY_E_UNAVAILABLE when there are fewer than MATCH_POINTS_MIN points; otherwise GANTRY_OK and
   out is filled, also when the fit is poor: judge it by inlier_fraction and mean_residual_m. */
gantry_err_t match_scan(const distance_field_t *field, const points_t *points, pose2_t guess,
                        const match_config_t *config, match_result_t *out);

/* Residuals, inliers and Hessian of points at a pose, without moving it. Errors as match_scan. */
gantry_err_t match_score(const distance_field_t *field, const points_t *points, pose2_t pose,
                         const match_config_t *config, match_result_t *out);

/* Pose covariance variance_m2 * hessian^-1 over x, y, theta (m^2, m rad, rad^2), row-major, with
   1 cm and 0.1 degree added as a floor; an axis the scan does not see gets up to 1 m / 1 rad. */
void match_covariance(const match_result_t *result, double covariance[9]);

#endif
