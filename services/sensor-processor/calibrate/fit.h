/* Fit: the calibration that explains measured points best, by least squares. Pure. */
#ifndef SENSOR_FIT_H
#define SENSOR_FIT_H

#include <stdint.h>

#include <gantry/err.h>

#define FIT_CONDITION_MAX 10.0 /* of the points of fit_affine; six sides have 1 */

/* The line reference = scale * measured + offset. GANTRY_E_INVALID with fewer than 2 points, or
   when all were measured the same. */
gantry_err_t fit_line(const double *measured, const double *reference, uint32_t count,
                      double *scale, double *offset);

/* reference = matrix * measured + offset, matrix row by row. condition: how unevenly the measured
   points spread, longest over shortest axis of their cloud (1: as a ball; INFINITY: in one plane).
   GANTRY_E_INVALID with fewer than 4 points or a condition above FIT_CONDITION_MAX. */
gantry_err_t fit_affine(const double (*measured)[3], const double (*reference)[3], uint32_t count,
                        double matrix[9], double offset[3], double *condition);

/* A flat target seen by a LiDAR. */
typedef struct fit_target {
  double distance_m;    /* from the sensor, square to the target */
  double direction_rad; /* of that line */
  double share;         /* of an error common to all ranges that is in distance_m: mean cosine of
                           the rays to direction_rad */
  double residual_m;    /* root mean square distance of the points from the line */
} fit_target_t;

/* The straight line through the ends of rays. GANTRY_E_INVALID with fewer than 3 rays, or when no
   line comes of them. */
gantry_err_t fit_target(const double *angle_rad, const double *range_m, uint32_t count,
                        fit_target_t *out);

#endif
