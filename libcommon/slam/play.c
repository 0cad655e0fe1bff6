/* Walks along the valley in which a scan lies. */
#include "play.h"

#include <math.h>

#include "corridor.h"

/* Steps along the valley, and how far aside each looks for its floor. */
static const double STEP_M = 0.1, ASIDE_M = 0.025;
/* A point this far from a wall misses it. The fit is noticeably worse when one point in twelve
   more does: fewer may be people, glass or noise. */
static const double MISS_M = 0.15, WORSE_SHARE = 1.0 / 12.0;
enum { LOOKED_AT_MAX = 90 };

/* A place beside the match: along the axis, and aside of it. */
typedef struct spot {
  double along_m, aside_m;
} spot_t;

typedef struct valley {
  const distance_field_t *field;
  const points_t *points;
  pose2_t pose;
  double x, y; /* its direction, to begin with */
} valley_t;

/* Along most of the walls; where none are made out, along what the residuals change least by. The
   Hessian is the poorer guide: inside a wall the field is flat. */
static void weak_axis(const match_result_t *match, valley_t *valley) {
  const double *h = match->hessian;
  double along_rad, across_share;
  if (corridor_walls(valley->points, &along_rad, &across_share))
    along_rad += match->pose.theta;
  else
    along_rad = 0.5 * (atan2(2.0 * h[1], h[0] - h[4]) + M_PI);
  valley->x = cos(along_rad);
  valley->y = sin(along_rad);
}

/* Mean distance of the points from a wall, none above MISS_M. */
static double height_at(const valley_t *valley, spot_t spot) {
  double dx = valley->pose.x + spot.along_m * valley->x - spot.aside_m * valley->y;
  double dy = valley->pose.y + spot.along_m * valley->y + spot.aside_m * valley->x;
  double c = cos(valley->pose.theta);
  double s = sin(valley->pose.theta);
  const points_t *points = valley->points;
  uint32_t stride = 1 + points->count / LOOKED_AT_MAX;
  double sum_m = 0.0;
  uint32_t count = 0;
  for (uint32_t i = 0; i < points->count; i += stride, count++) {
    double x = dx + c * points->x_m[i] - s * points->y_m[i];
    double y = dy + s * points->x_m[i] + c * points->y_m[i];
    sum_m += fmin(distance_field_at(valley->field, x, y, NULL), MISS_M);
  }
  return count ? sum_m / count : MISS_M;
}

/* The last spot in steps of step_m that lies no higher than limit; what lies between may. Where all
   are as high as each other it goes straight on: to one side it would pass the next one by. */
static spot_t walk(const valley_t *valley, double step_m, double reach_m, double limit) {
  static const int SIDES[] = {0, -1, 1};
  spot_t last = {0};
  spot_t at = {0};
  long steps = lround(floor(reach_m / STEP_M));
  for (long i = 1; i <= steps; i++) {
    spot_t floor_spot = {0};
    double lowest = INFINITY;
    for (int side = 0; side < 3; side++) {
      spot_t spot = {step_m * (double)i, at.aside_m + SIDES[side] * ASIDE_M};
      double height = height_at(valley, spot);
      if (height >= lowest) continue;
      lowest = height;
      floor_spot = spot;
    }
    at = floor_spot;
    if (lowest <= limit) last = at;
  }
  return last;
}

play_t play_of(const distance_field_t *field, const points_t *points, const match_result_t *match,
               double reach_m) {
  valley_t valley = {.field = field, .points = points, .pose = match->pose};
  weak_axis(match, &valley);
  double limit = height_at(&valley, (spot_t){0}) + MISS_M * WORSE_SHARE;
  spot_t ahead = walk(&valley, STEP_M, reach_m, limit);
  spot_t behind = walk(&valley, -STEP_M, reach_m, limit);
  play_t play = {.far_m = fmax(ahead.along_m, -behind.along_m)};
  double along_m = ahead.along_m - behind.along_m;
  double aside_m = ahead.aside_m - behind.aside_m;
  double length_m = hypot(along_m, aside_m);
  if (length_m == 0.0) return play;
  play.axis_x = (along_m * valley.x - aside_m * valley.y) / length_m;
  play.axis_y = (along_m * valley.y + aside_m * valley.x) / length_m;
  return play;
}

void play_add(const play_t *play, double covariance[9]) {
  double variance = play->far_m * play->far_m;
  double xy = variance * play->axis_x * play->axis_y;
  covariance[0] += variance * play->axis_x * play->axis_x;
  covariance[1] += xy;
  covariance[3] += xy;
  covariance[4] += variance * play->axis_y * play->axis_y;
}
