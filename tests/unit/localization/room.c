/* Rays against segments. The walls lie on cell centres of a 50 mm grid: on a border, where a return
   falls into one cell or the other is chance. */
#include "room.h"

#include <math.h>
#include <stddef.h>

static const struct {
  double x0, y0, x1, y1;
} WALLS[] = {
    {-4.025, -3.025, 4.025, -3.025}, {4.025, -3.025, 4.025, 3.025}, {4.025, 3.025, -4.025, 3.025},
    {-4.025, 3.025, -4.025, -3.025}, {1.025, 1.025, 1.525, 1.025},  {1.525, 1.025, 1.525, 1.625},
    {1.525, 1.625, 1.025, 1.625},    {1.025, 1.625, 1.025, 1.025},  {-4.025, 0.525, -3.025, 0.525}};

double room_range(double x_m, double y_m, double angle_rad) {
  double best = 0, c = cos(angle_rad), s = sin(angle_rad);
  for (size_t i = 0; i < sizeof WALLS / sizeof WALLS[0]; i++) {
    double ex = WALLS[i].x1 - WALLS[i].x0, ey = WALLS[i].y1 - WALLS[i].y0;
    double det = ex * s - ey * c, px = WALLS[i].x0 - x_m, py = WALLS[i].y0 - y_m;
    if (fabs(det) < 1e-12) continue;
    double range = (ex * py - ey * px) / det, share = (c * py - s * px) / det;
    if (range > 0 && share >= 0 && share <= 1 && (best == 0 || range < best)) best = range;
  }
  return best;
}

void room_scan(pose2_t pose, float *angle_rad, float *range_m) {
  for (int i = 0; i < ROOM_RAYS; i++) {
    double angle = -M_PI + i * 2 * M_PI / ROOM_RAYS;
    angle_rad[i] = (float)angle;
    range_m[i] = (float)room_range(pose.x, pose.y, pose.theta + angle);
  }
}
