/* Ranges by the intersection of a ray with line segments. */
#include "world.h"

#include <math.h>

typedef struct wall {
  double x0, y0, x1, y1;
} wall_t;

static const wall_t WALLS[] = {{-3, -2, 5, -2},      {5, -2, 5, 1},        {5, 1, 5.6, 1},
                               {5.6, 1, 5.6, 2},     {5.6, 2, 5, 2},       {5, 2, 5, 4},
                               {5, 4, -3, 4},        {-3, 4, -3, -2},      {1, 4, 1, 2.2},
                               {2.5, -1, 3.0, -1},   {3.0, -1, 3.0, -0.5}, {3.0, -0.5, 2.5, -0.5},
                               {2.5, -0.5, 2.5, -1}, {-3, 1.5, -1.8, 2.1}};

/* The room stands askew to the axes: walls along the grid's lines would all be off by the same part
   of a cell, which no real building is. */
static const pose2_t ROOM = {.x = 0.013, .y = -0.021, .theta = 0.2};

double world_range(pose2_t pose) {
  double nearest = INFINITY;
  pose = pose2_between(ROOM, pose);
  double dx = cos(pose.theta);
  double dy = sin(pose.theta);
  for (unsigned i = 0; i < sizeof WALLS / sizeof *WALLS; i++) {
    double wx = WALLS[i].x1 - WALLS[i].x0;
    double wy = WALLS[i].y1 - WALLS[i].y0;
    double cross = dx * wy - dy * wx;
    if (fabs(cross) < 1e-12) continue;
    double ox = WALLS[i].x0 - pose.x;
    double oy = WALLS[i].y0 - pose.y;
    double range = (ox * wy - oy * wx) / cross;
    double along = (ox * dy - oy * dx) / cross;
    if (range > 0 && along >= 0 && along <= 1 && range < nearest) nearest = range;
  }
  return isinf(nearest) ? 0.0 : nearest;
}

void world_scan(pose2_t pose, uint32_t rays, points_t *points) {
  float angle_rad[POINTS_CAPACITY];
  float range_m[POINTS_CAPACITY];
  points_gate_t gate = points_gate_default();
  for (uint32_t i = 0; i < rays; i++) {
    double angle = 2.0 * M_PI * i / rays - M_PI;
    angle_rad[i] = (float)angle;
    range_m[i] = (float)world_range((pose2_t){pose.x, pose.y, pose.theta + angle});
  }
  points_from_scan(points, angle_rad, range_m, rays, (pose2_t){0}, &gate);
}
