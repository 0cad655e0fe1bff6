/* Plane geometry: angles and SE(2) poses. Right-handed, theta 0 along +x, counter-clockwise,
   metres and radians. Pure. */
#ifndef GANTRY_GEOM_H
#define GANTRY_GEOM_H

typedef struct pose2 {
  double x, y;  /* m */
  double theta; /* rad */
} pose2_t;

/* The same angle in [-pi, pi). */
double wrap_rad(double angle_rad);
/* b, given in the frame of a, expressed in the frame a is given in: a (+) b. theta is wrapped. */
pose2_t pose2_compose(pose2_t a, pose2_t b);
/* b as seen from a: (-)a (+) b. Both in one frame. theta is wrapped. */
pose2_t pose2_between(pose2_t a, pose2_t b);
/* (-)a. */
pose2_t pose2_inverse(pose2_t a);
/* Distance between the two origins, m. */
double pose2_distance(pose2_t a, pose2_t b);

#endif
