/* The map's frame moves, and the estimate with it. */
#include <math.h>

#include "fusion.h"

/* Rows or columns x and y of a square matrix, turned: v' = R v. */
static void turn(double *x, double *y, size_t stride, size_t count, double theta) {
  double c = cos(theta), s = sin(theta);
  for (size_t i = 0; i < count; i++) {
    double before_x = x[i * stride], before_y = y[i * stride];
    x[i * stride] = c * before_x - s * before_y;
    y[i * stride] = s * before_x + c * before_y;
  }
}

void fusion_shift(fusion_t *fusion, pose2_t step) {
  enum { STATES = 3 };
  double *covariance = fusion->ekf.covariance;
  fusion->ekf.pose = pose2_compose(step, fusion->ekf.pose);
  turn(covariance, covariance + STATES, 1, STATES, step.theta);
  turn(covariance, covariance + 1, STATES, STATES, step.theta);
}
