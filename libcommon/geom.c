/* SE(2) arithmetic; symbols as in Sola, "A micro Lie theory", section 6. */
#include <gantry/geom.h>

#include <math.h>

double wrap_rad(double angle_rad) {
  double wrapped = fmod(angle_rad + M_PI, 2.0 * M_PI);
  if (wrapped < 0.0) wrapped += 2.0 * M_PI;
  return wrapped - M_PI;
}

pose2_t pose2_compose(pose2_t a, pose2_t b) {
  double c = cos(a.theta);
  double s = sin(a.theta);
  return (pose2_t){a.x + c * b.x - s * b.y, a.y + s * b.x + c * b.y, wrap_rad(a.theta + b.theta)};
}

pose2_t pose2_inverse(pose2_t a) {
  double c = cos(a.theta);
  double s = sin(a.theta);
  return (pose2_t){-c * a.x - s * a.y, s * a.x - c * a.y, wrap_rad(-a.theta)};
}

pose2_t pose2_between(pose2_t a, pose2_t b) {
  return pose2_compose(pose2_inverse(a), b);
}

double pose2_distance(pose2_t a, pose2_t b) {
  return hypot(b.x - a.x, b.y - a.y);
}
