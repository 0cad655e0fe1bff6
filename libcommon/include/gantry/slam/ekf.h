/* Ekf: where a robot in the plane is and how sure that is. State x, y, theta with a 3 x 3
   covariance (row-major; m^2, m rad, rad^2). Odometry increments predict; tags, headings and whole
   poses correct, each gated by its normalised innovation squared (NIS). Updates in Joseph form, so
   that the covariance stays symmetric and positive (Bar-Shalom, Li, Kirubarajan 2001, ch. 5 and
   10). Pure; a value, nothing to free. */
#ifndef GANTRY_SLAM_EKF_H
#define GANTRY_SLAM_EKF_H

#include <gantry/err.h>
#include <gantry/geom.h>

/* 99 % quantiles of chi squared with one, two and three degrees of freedom. */
#define EKF_GATE_1 6.635
#define EKF_GATE_2 9.210
#define EKF_GATE_3 11.345

typedef struct ekf {
  pose2_t pose;
  double covariance[9];
} ekf_t;

/* Variance that motion adds, in proportion to it, so that many small steps count as one large. */
typedef struct ekf_noise {
  double along_m2_per_m;       /* along the robot's x, per metre */
  double across_m2_per_m;      /* along its y, per metre */
  double heading_rad2_per_m;   /* per metre */
  double heading_rad2_per_rad; /* per radian of turn */
} ekf_noise_t;

/* A poor skid-steered drive: 10 cm along, 5 cm across and 0.03 rad after one metre, 0.1 rad after
   one radian. */
ekf_noise_t ekf_noise_default(void);

/* Puts the robot at pose, each axis independent, with these standard deviations. */
void ekf_init(ekf_t *ekf, pose2_t pose, double sigma_m, double sigma_rad);

/* Moves by an increment given in the robot's frame. */
void ekf_predict(ekf_t *ekf, pose2_t increment, const ekf_noise_t *noise);

/* Adds variance without motion. Scans matched one after another against one map share that map's
   errors; without this their number alone would make the estimate look sure. */
void ekf_diffuse(ekf_t *ekf, double sigma_m, double sigma_rad);

/* Corrections. nis (may be NULL) always receives the NIS of the innovation. When it exceeds gate,
   nothing changes and GANTRY_E_REFUSED is returned; gate 0 takes everything. GANTRY_E_INVALID when
   a value is not finite or a variance not positive. */

/* The point `lever` of the robot (m, robot frame) lies at (x_m, y_m), to sigma_m each way. */
gantry_err_t ekf_update_position(ekf_t *ekf, double x_m, double y_m, pose2_t lever, double sigma_m,
                                 double gate, double *nis);
gantry_err_t ekf_update_heading(ekf_t *ekf, double theta_rad, double sigma_rad, double gate,
                                double *nis);
/* covariance is that of the measured pose, row-major. */
gantry_err_t ekf_update_pose(ekf_t *ekf, pose2_t measured, const double covariance[9], double gate,
                             double *nis);

/* Widens the covariance until a pose this far off is one standard deviation away: for when the
   robot is known to have slipped or been moved. */
void ekf_inflate(ekf_t *ekf, pose2_t other);

#endif
