/* A polyline by its length. Between two segments the direction turns over a short stretch on either
   side of their corner: a robot cannot turn on the spot, and a drawn arc is a row of chords. */
#include <gantry/slam/rail.h>

#include <math.h>
#include <stddef.h>
#include <string.h>

#define TURN_M 0.3 /* the direction turns within this much of a corner, half a segment at most */
#define TIE_M  0.1 /* a place this much farther away ... */
#define NEAR_M 1.0 /* ... is taken when it is this near along the rail and the nearest is not */

static uint32_t segments(const rail_t *rail) {
  return rail->closed ? rail->count : rail->count - 1;
}

/* Where a segment ends. */
static uint32_t end_of(const rail_t *rail, uint32_t segment) {
  return segment + 1 < rail->count ? segment + 1 : 0;
}

static double segment_m(const rail_t *rail, uint32_t segment) {
  return rail->s_m[segment + 1] - rail->s_m[segment];
}

static double direction(const rail_t *rail, uint32_t segment) {
  uint32_t next = end_of(rail, segment);
  return atan2(rail->y_m[next] - rail->y_m[segment], rail->x_m[next] - rail->x_m[segment]);
}

/* Keeps a point unless it repeats the one before: no segment has length 0. */
static bool put(rail_t *rail, double x_m, double y_m) {
  if (!isfinite(x_m) || !isfinite(y_m)) return false;
  uint32_t last = rail->count - 1;
  if (rail->count > 0 && rail->x_m[last] == x_m && rail->y_m[last] == y_m) return true;
  rail->x_m[rail->count] = x_m;
  rail->y_m[rail->count++] = y_m;
  return true;
}

static void measure(rail_t *rail) {
  rail->s_m[0] = 0;
  for (uint32_t i = 0; i < rail->count; i++) {
    uint32_t next = end_of(rail, i);
    double way_m = hypot(rail->x_m[next] - rail->x_m[i], rail->y_m[next] - rail->y_m[i]);
    bool ends = !rail->closed && next == 0;
    rail->s_m[i + 1] = rail->s_m[i] + (ends ? 0 : way_m);
  }
}

gantry_err_t rail_init(rail_t *rail, const double *x_m, const double *y_m, uint32_t count,
                       bool closed) {
  memset(rail, 0, sizeof *rail);
  if (count > RAIL_POINTS_MAX) return GANTRY_E_INVALID;
  for (uint32_t i = 0; i < count; i++)
    if (!put(rail, x_m[i], y_m[i])) return GANTRY_E_INVALID;
  if (closed)
    while (rail->count > 1 && rail->x_m[0] == rail->x_m[rail->count - 1] &&
           rail->y_m[0] == rail->y_m[rail->count - 1])
      rail->count--;
  if (rail->count < (closed ? 3u : 2u)) return GANTRY_E_INVALID;
  rail->closed = closed;
  measure(rail);
  return GANTRY_OK;
}

double rail_length_m(const rail_t *rail) {
  return rail->s_m[rail->count];
}

/* How far the direction turns at the corner where a segment ends, and over which stretch. */
static double corner(const rail_t *rail, uint32_t segment, double *before_m, double *after_m) {
  uint32_t next = segment + 1 < segments(rail) ? segment + 1 : 0;
  *before_m = fmin(segment_m(rail, segment) / 2, TURN_M);
  *after_m = fmin(segment_m(rail, next) / 2, TURN_M);
  return wrap_rad(direction(rail, next) - direction(rail, segment));
}

static double smoothed(const rail_t *rail, uint32_t segment, double s_m) {
  double before_m, after_m, theta = direction(rail, segment);
  double from_m = s_m - rail->s_m[segment], to_m = rail->s_m[segment + 1] - s_m;
  uint32_t all = segments(rail);
  if (rail->closed || segment + 1 < all) {
    double turn = corner(rail, segment, &before_m, &after_m);
    if (to_m < before_m) return wrap_rad(theta + turn * (before_m - to_m) / (before_m + after_m));
  }
  if (rail->closed || segment > 0) {
    double turn = corner(rail, (segment > 0 ? segment : all) - 1, &before_m, &after_m);
    if (from_m < after_m) return wrap_rad(theta - turn * (after_m - from_m) / (before_m + after_m));
  }
  return wrap_rad(theta);
}

/* The place at s, which lies on that segment. */
static rail_place_t place_on(const rail_t *rail, uint32_t segment, double s_m) {
  uint32_t next = end_of(rail, segment);
  double share = (s_m - rail->s_m[segment]) / segment_m(rail, segment);
  rail_place_t place = {.s_m = s_m, .theta_rad = smoothed(rail, segment, s_m)};
  place.pose = (pose2_t){
      .x = rail->x_m[segment] + share * (rail->x_m[next] - rail->x_m[segment]),
      .y = rail->y_m[segment] + share * (rail->y_m[next] - rail->y_m[segment]),
      .theta = place.theta_rad,
  };
  return place;
}

rail_place_t rail_at(const rail_t *rail, double s_m) {
  double length_m = rail_length_m(rail);
  if (rail->closed) {
    s_m = fmod(s_m, length_m);
    if (s_m < 0) s_m += length_m;
  }
  s_m = isfinite(s_m) ? fmin(fmax(s_m, 0), length_m) : 0;
  uint32_t low = 0, high = segments(rail);
  while (high - low > 1) {
    uint32_t middle = (low + high) / 2;
    if (rail->s_m[middle] <= s_m)
      low = middle;
    else
      high = middle;
  }
  return place_on(rail, low, s_m);
}

/* Where the perpendicular from a point meets a segment, or the end of it that is nearer. */
static double foot(const rail_t *rail, uint32_t segment, double x_m, double y_m, double *s_m) {
  uint32_t next = end_of(rail, segment);
  double dx = rail->x_m[next] - rail->x_m[segment], dy = rail->y_m[next] - rail->y_m[segment];
  double px = x_m - rail->x_m[segment], py = y_m - rail->y_m[segment];
  double share = fmin(fmax((px * dx + py * dy) / (dx * dx + dy * dy), 0), 1);
  *s_m = rail->s_m[segment] + share * segment_m(rail, segment);
  return hypot(px - share * dx, py - share * dy);
}

static bool is_near(const rail_t *rail, double s_m, double near_s_m) {
  double apart_m = fabs(s_m - near_s_m);
  if (rail->closed) {
    apart_m = fmod(apart_m, rail_length_m(rail));
    apart_m = fmin(apart_m, rail_length_m(rail) - apart_m);
  }
  return apart_m <= NEAR_M;
}

rail_place_t rail_project(const rail_t *rail, double x_m, double y_m, double near_s_m) {
  double best_m = INFINITY, near_m = INFINITY, s_m;
  uint32_t best = 0, near = 0;
  for (uint32_t i = 0; i < segments(rail); i++) {
    double away_m = foot(rail, i, x_m, y_m, &s_m);
    if (away_m < best_m) {
      best_m = away_m;
      best = i;
    }
    if (isfinite(near_s_m) && is_near(rail, s_m, near_s_m) && away_m < near_m) {
      near_m = away_m;
      near = i;
    }
  }
  if (near_m <= best_m + TIE_M) best = near;
  best_m = foot(rail, best, x_m, y_m, &s_m);
  rail_place_t place = place_on(rail, best, s_m);
  double theta = direction(rail, best);
  double left = cos(theta) * (y_m - place.pose.y) - sin(theta) * (x_m - place.pose.x);
  place.across_m = left < 0 ? -best_m : best_m;
  return place;
}
