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
  static const size_t PLACES[] = {ESKF_X, ESKF_MAP_X};
  double *covariance = fusion->eskf.covariance;
  fusion->eskf.pose = pose2_compose(step, fusion->eskf.pose);
  for (size_t i = 0; i < sizeof PLACES / sizeof PLACES[0]; i++) {
    double *row = covariance + PLACES[i] * ESKF_STATES, *column = covariance + PLACES[i];
    turn(row, row + ESKF_STATES, 1, ESKF_STATES, step.theta);
    turn(column, column + 1, ESKF_STATES, ESKF_STATES, step.theta);
  }
}
