/* Sides, one after another: shapes are small. */
#include "polygon.h"

#include <math.h>

bool polygon_contains(const polygon_point_t *corners, uint32_t count, polygon_point_t point) {
  /* Crossings of a ray towards +x (Shimrat 1962): an odd number is inside. */
  bool inside = false;
  for (uint32_t i = 0, j = count - 1; i < count; j = i++) {
    polygon_point_t a = corners[i], b = corners[j];
    if ((a.y_m > point.y_m) == (b.y_m > point.y_m)) continue;
    double at_m = a.x_m + (point.y_m - a.y_m) / (b.y_m - a.y_m) * (b.x_m - a.x_m);
    if (point.x_m < at_m) inside = !inside;
  }
  return inside;
}

static double side_distance_m(polygon_point_t a, polygon_point_t b, polygon_point_t point) {
  double dx = b.x_m - a.x_m, dy = b.y_m - a.y_m, length2 = dx * dx + dy * dy;
  double share = length2 > 0 ? ((point.x_m - a.x_m) * dx + (point.y_m - a.y_m) * dy) / length2 : 0;
  share = fmin(fmax(share, 0), 1);
  return hypot(point.x_m - a.x_m - share * dx, point.y_m - a.y_m - share * dy);
}

double polygon_distance_m(const polygon_point_t *corners, uint32_t count, bool closed,
                          polygon_point_t point) {
  double nearest_m = side_distance_m(corners[count - 1], corners[closed ? 0 : count - 1], point);
  for (uint32_t i = 0; i + 1 < count; i++)
    nearest_m = fmin(nearest_m, side_distance_m(corners[i], corners[i + 1], point));
  return nearest_m;
}

/* Above 0: a, b, c turn left. */
static double turn(polygon_point_t a, polygon_point_t b, polygon_point_t c) {
  return (b.x_m - a.x_m) * (c.y_m - a.y_m) - (b.y_m - a.y_m) * (c.x_m - a.x_m);
}

static bool is_between(polygon_point_t a, polygon_point_t b, polygon_point_t c) {
  return fmin(a.x_m, b.x_m) <= c.x_m && c.x_m <= fmax(a.x_m, b.x_m) &&
         fmin(a.y_m, b.y_m) <= c.y_m && c.y_m <= fmax(a.y_m, b.y_m);
}

static bool sides_touch(polygon_point_t a, polygon_point_t b, polygon_point_t c,
                        polygon_point_t d) {
  double abc = turn(a, b, c), abd = turn(a, b, d), cda = turn(c, d, a), cdb = turn(c, d, b);
  if (((abc > 0 && abd < 0) || (abc < 0 && abd > 0)) &&
      ((cda > 0 && cdb < 0) || (cda < 0 && cdb > 0)))
    return true;
  return (abc == 0 && is_between(a, b, c)) || (abd == 0 && is_between(a, b, d)) ||
         (cda == 0 && is_between(c, d, a)) || (cdb == 0 && is_between(c, d, b));
}

bool polygon_crosses_itself(const polygon_point_t *corners, uint32_t count) {
  for (uint32_t i = 0; i + 2 < count; i++)
    for (uint32_t j = i + 2; j < count; j++) {
      uint32_t after = (j + 1) % count;
      if (after == i) continue; /* neighbours share a corner */
      if (sides_touch(corners[i], corners[i + 1], corners[j], corners[after])) return true;
    }
  return false;
}

double polygon_area_m2(const polygon_point_t *corners, uint32_t count) {
  double twice = 0;
  for (uint32_t i = 1; i + 1 < count; i++)
    twice += turn(corners[0], corners[i], corners[i + 1]);
  return fabs(twice) / 2;
}
