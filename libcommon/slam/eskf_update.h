/* One correction of the filter, inside libcommon/slam. */
#ifndef SLAM_ESKF_UPDATE_H
#define SLAM_ESKF_UPDATE_H

#include <gantry/slam/eskf.h>

#define ESKF_SEEN_MAX 3

/* An observation of m <= 3 numbers: innovation, Jacobian (m x ESKF_STATES) and covariance. */
typedef struct eskf_observation {
  int m;
  double innovation[ESKF_SEEN_MAX];
  double jacobian[ESKF_SEEN_MAX * ESKF_STATES];
  double covariance[ESKF_SEEN_MAX * ESKF_SEEN_MAX];
} eskf_observation_t;

/* Results as the corrections of eskf.h. */
gantry_err_t eskf_correct(eskf_t *eskf, const eskf_observation_t *seen, double gate, double *nis);

/* Only the NIS and the verdict of it. */
gantry_err_t eskf_judge(const eskf_t *eskf, const eskf_observation_t *seen, double gate,
                        double *nis);
/* H P H' (m x m): how far the estimate itself may be off what was observed. */
void eskf_expected(const eskf_t *eskf, const eskf_observation_t *seen, double *out);
/* The point `lever` at a place. */
eskf_observation_t eskf_position(const eskf_t *eskf, double x_m, double y_m, pose2_t lever,
                                 double sigma_m);

/* Symmetric positive definite inverse (n <= 3) by Cholesky; false when it is not. */
bool eskf_invert(const double *a, int n, double *out);

#endif
