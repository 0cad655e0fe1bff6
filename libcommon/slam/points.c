/* Scan to points: gate, project through the mount, thin out what lies close together. */
#include <gantry/slam/points.h>

#include <math.h>
#include <stdbool.h>

points_gate_t points_gate_default(void) {
  return (points_gate_t){.min_m = 0.05, .max_m = 80.0, .spacing_m = 0.0};
}

uint32_t points_from_scan(points_t *points, const float *angle_rad, const float *range_m,
                          uint32_t ray_count, pose2_t mount, const points_gate_t *gate) {
  float min_m = (float)gate->min_m;
  float max_m = (float)fmin(gate->max_m, POINTS_RANGE_MAX_M);
  float spacing_2 = (float)(gate->spacing_m * gate->spacing_m);
  float theta = (float)mount.theta;
  points->origin_x_m = (float)mount.x;
  points->origin_y_m = (float)mount.y;
  points->count = 0;
  points->dropped = 0;
  for (uint32_t i = 0; i < ray_count; i++) {
    /* Written so that NaN fails. A range of 0 is no return whatever the gate allows. */
    bool usable =
        range_m[i] > 0.0f && range_m[i] >= min_m && range_m[i] < max_m && isfinite(angle_rad[i]);
    if (!usable || points->count == POINTS_CAPACITY) {
      points->dropped++;
      continue;
    }
    float x = points->origin_x_m + range_m[i] * cosf(angle_rad[i] + theta);
    float y = points->origin_y_m + range_m[i] * sinf(angle_rad[i] + theta);
    if (points->count > 0) {
      float dx = x - points->x_m[points->count - 1];
      float dy = y - points->y_m[points->count - 1];
      if (dx * dx + dy * dy < spacing_2) continue;
    }
    points->x_m[points->count] = x;
    points->y_m[points->count++] = y;
  }
  return points->count;
}

double points_reach_m(const points_t *points) {
  float x = points->origin_x_m, y = points->origin_y_m, most = x * x + y * y;
  for (uint32_t i = 0; i < points->count; i++) {
    float square = points->x_m[i] * points->x_m[i] + points->y_m[i] * points->y_m[i];
    most = square > most ? square : most;
  }
  return sqrt((double)most);
}
