/* Solve: from the points of a guided calibration to a calibration, and how well it explains them.
   Pure. Points are as in run.h. */
#ifndef SENSOR_SOLVE_H
#define SENSOR_SOLVE_H

#include <messages.h>

#include "calibration.h"

#define SOLVE_GRAVITY 9.80665 /* m/s2: the standard's, where no reference is given */

/* 0 .. 5 of +x -x +y -y +z -z; -1 of anything else. */
int solve_axis(const char *axis);
/* Whether the axis that a point names did point up; says in reason what did not. True of points
   that name none. */
bool solve_points_up(const sensor_calibration_point_t *point, char *reason, size_t size);

/* What the points of run come to; *out is the calibration in force before, and what it does not
   decide stays. share: of each point, see fit_target_t; only those of a LiDAR are looked at.
   ready, waiting for more points, or failed (*out is then as it was); advice says what to do. */
sensor_calibration_state_t solve(const sensor_calibration_run_t *run, const double *share,
                                 calibration_t *out, char *advice, size_t size);
/* Root mean square error of the points with a calibration, in the sensor's unit; LiDAR: metres by
   which the target's middle is misplaced. 0 without points. */
double solve_error(const sensor_calibration_run_t *run, const double *share,
                   const calibration_t *calibration);

#endif
