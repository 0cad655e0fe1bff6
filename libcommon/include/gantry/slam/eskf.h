/* Eskf: error-state Kalman filter of a robot in the plane (Sola 2017, ch. 5, reduced to the plane):
   where it is, how it moves, and the biases of what tells so. State: x, y, theta, forward speed v,
   turn rate omega, accelerometer bias along and across, turn-rate bias and scale error of the
   odometry, and the error of the map at this place in x, y, theta. Updates in Joseph form, each
   gated by its normalised innovation squared (NIS). Pure; a value, nothing to free.

   The error of the map is considered, not estimated (Schmidt 1966): it takes no correction, but its
   covariance with the pose is kept. So a thousand scans matched at one place make the pose no surer
   than the map there is, and scans at different places still help one another. */
#ifndef GANTRY_SLAM_ESKF_H
#define GANTRY_SLAM_ESKF_H

#include <stdbool.h>

#include <gantry/err.h>
#include <gantry/geom.h>

enum {
  ESKF_X,
  ESKF_Y,
  ESKF_THETA,
  ESKF_V,
  ESKF_OMEGA,
  ESKF_BIAS_X,
  ESKF_BIAS_Y,
  ESKF_BIAS_TURN,
  ESKF_SCALE,
  ESKF_MAP_X,
  ESKF_MAP_Y,
  ESKF_MAP_THETA,
  ESKF_STATES
};

/* 99 % quantiles of chi squared with one, two and three degrees of freedom. */
#define ESKF_GATE_1 6.635
#define ESKF_GATE_2 9.210
#define ESKF_GATE_3 11.345

typedef struct eskf {
  pose2_t pose;
  double v_mps, omega_radps;
  double bias_x_mps2, bias_y_mps2, bias_turn_radps;
  double scale; /* the way made is 1 + scale times what odometry says */
  bool map_grows;
  double covariance[ESKF_STATES * ESKF_STATES]; /* row-major, in the order above */
} eskf_t;

/* Variance that grows in proportion to time or way, so that many small steps count as one large. */
typedef struct eskf_noise {
  double accel_mps2_rthz;    /* white noise of the accelerometer */
  double accel_bias_walk;    /* m/s2 per root second */
  double turn_bias_walk;     /* rad/s per root second */
  double v_walk, omega_walk; /* how fast speed and turn rate change unseen, per root second */
  double along_m2_per_m, across_m2_per_m, heading_rad2_per_m, heading_rad2_per_rad; /* odometry */
  double scale_sigma;                /* how wrong the odometry's scale may be at first */
  double map_sigma_m, map_sigma_rad; /* error of the map at one place */
  double map_reach_m;                /* after this way it is another error, to 1 / e */
} eskf_noise_t;

/* A poor skid-steered drive: 10 cm along, 5 cm across and 0.03 rad after one metre, 0.1 rad after
   one radian; a cheap accelerometer; a map good to a centimetre. */
eskf_noise_t eskf_noise_default(void);

/* At pose, standing still, nothing known of the biases; each axis with these standard deviations.
 */
void eskf_init(eskf_t *eskf, pose2_t pose, double sigma_m, double sigma_rad,
               const eskf_noise_t *noise);
/* Puts the robot elsewhere: the speeds and biases learned stay. */
void eskf_place(eskf_t *eskf, pose2_t pose, double sigma_m, double sigma_rad,
                const eskf_noise_t *noise);
/* The speeds begin anew at these: what was made of them by wrong corrections is forgotten. */
void eskf_speed(eskf_t *eskf, double v_mps, double omega_radps);
/* Covariance of x, y, theta, row-major. */
void eskf_pose_covariance(const eskf_t *eskf, double out[9]);

/* Time passes: the pose goes on with v and omega. Negative or zero times do nothing, here and
   below. */
void eskf_predict(eskf_t *eskf, double dt_s, const eskf_noise_t *noise);
/* An increment of odometry in the robot's frame over dt_s moves the pose, rid of the bias and
   scale error (odometry that stands has none). What it says of the speeds is for eskf_update_speed.
 */
void eskf_odometry(eskf_t *eskf, pose2_t increment, double dt_s, const eskf_noise_t *noise);
/* An acceleration over dt_s (robot frame, gravity removed) drives v; across, it tells v times
   omega. The pose stays. */
void eskf_accelerate(eskf_t *eskf, double along_mps2, double across_mps2, double dt_s,
                     const eskf_noise_t *noise);
/* For dt_s nobody told how the speeds changed. */
void eskf_wander(eskf_t *eskf, double dt_s, const eskf_noise_t *noise);

/* Corrections. nis (may be NULL) always receives the NIS. Beyond gate nothing changes and
   GANTRY_E_REFUSED is returned; gate 0 takes everything. GANTRY_E_INVALID when a value is not
   finite or a variance not positive. */

/* The point `lever` of the robot (m, robot frame) lies at (x_m, y_m), to sigma_m each way. */
gantry_err_t eskf_update_position(eskf_t *eskf, double x_m, double y_m, pose2_t lever,
                                  double sigma_m, double gate, double *nis);
/* The point `lever` lies somewhere within radius_m of (x_m, y_m); beyond that its likelihood falls
   off with edge_m. Who knows already that it is inside learns nothing. By matching mean and
   covariance (assumed density), which is not exact: tell it once at a place, not again and again.
   Gated as a position to radius / 2. */
gantry_err_t eskf_update_within(eskf_t *eskf, double x_m, double y_m, pose2_t lever,
                                double radius_m, double edge_m, double gate, double *nis);
gantry_err_t eskf_update_heading(eskf_t *eskf, double theta_rad, double sigma_rad, double gate,
                                 double *nis);
/* A whole pose, row-major covariance; from outside, or by matching a scan against the map, whose
   error it then has, too. */
gantry_err_t eskf_update_pose(eskf_t *eskf, pose2_t measured, const double covariance[9],
                              double gate, double *nis);
gantry_err_t eskf_update_match(eskf_t *eskf, pose2_t measured, const double covariance[9],
                               double gate, double *nis);
gantry_err_t eskf_update_speed(eskf_t *eskf, double v_mps, double sigma_mps, double gate,
                               double *nis);
gantry_err_t eskf_update_turn(eskf_t *eskf, double omega_radps, double sigma_radps, double gate,
                              double *nis);
/* A distance `range_m` along a ray of which the map says `expected_m`, and how that changes with
   x, y and theta. */
gantry_err_t eskf_update_range(eskf_t *eskf, double range_m, double expected_m,
                               const double slope[3], double sigma_m, double gate, double *nis);
/* The pose lies on a line through (x, y) along theta: only what is across it is corrected. The line
   is drawn in the map, whose error it has. */
gantry_err_t eskf_update_line(eskf_t *eskf, double x_m, double y_m, double theta_rad,
                              double sigma_m, double gate, double *nis);
/* Standing still: no speed, no turn, and what the accelerometer says is its bias. */
void eskf_update_still(eskf_t *eskf, double along_mps2, double across_mps2);

/* The map begins anew around the robot: its error is that of the pose. */
void eskf_new_map(eskf_t *eskf);
/* Adds variance without motion. */
void eskf_diffuse(eskf_t *eskf, double sigma_m, double sigma_rad);
/* Widens the covariance until a pose this far off is one standard deviation away: for when the
   robot is known to have slipped or been moved. */
void eskf_inflate(eskf_t *eskf, pose2_t other);

#endif
