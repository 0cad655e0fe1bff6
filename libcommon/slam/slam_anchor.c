/* Anchors: where the map lies among surveyed points. The rigid motion that brings weighted pairs of
   points together best is closed in the plane (Horn 1987, for two dimensions); who contradicts it
   is left out, the worst first, as long as most remain. */
#include <math.h>
#include <stdlib.h>

#include "slam_parts.h"

#define RECENT      100 /* keyframes among which a point's nearest is looked for */
#define SPREAD_M    1.5 /* root mean square distance from their middle that tells a heading */
#define CONTRADICTS 0.3 /* m: farther off than any surveyed tag is read */

typedef struct pair {
  double from_x, from_y, to_x, to_y, weight;
} pair_t;

gantry_err_t slam_keep_anchor(slam_t *slam, const slam_anchor_t *anchor) {
  if (slam->anchor_count == SLAM_ANCHORS_MAX) return GANTRY_E_TOO_LARGE;
  if (slam->anchor_count == slam->anchor_capacity) {
    uint32_t capacity = slam->anchor_capacity ? slam->anchor_capacity * 2 : 64;
    slam_anchor_t *anchors = realloc(slam->anchors, capacity * sizeof *anchors);
    if (!anchors) return GANTRY_E_INTERNAL;
    slam->anchors = anchors;
    slam->anchor_capacity = capacity;
  }
  slam->anchors[slam->anchor_count++] = *anchor;
  return GANTRY_OK;
}

gantry_err_t slam_anchor(slam_t *slam, double seen_x_m, double seen_y_m, uint32_t number,
                         double x_m, double y_m, double sigma_m) {
  if (!isfinite(seen_x_m) || !isfinite(seen_y_m) || !isfinite(x_m) || !isfinite(y_m) ||
      !(sigma_m > 0 && isfinite(sigma_m)) || number > slam->number)
    return GANTRY_E_INVALID;
  if (slam->count == 0) return GANTRY_E_UNAVAILABLE;
  pose2_t seen = {seen_x_m, seen_y_m, 0};
  for (uint32_t i = number; i < slam->number; i++)
    seen = pose2_compose(slam->steps[i], seen);
  uint32_t nearest = slam->count - 1, last = slam->count > RECENT ? slam->count - RECENT : 0;
  for (uint32_t i = slam->count; i-- > last;)
    if (pose2_distance(slam->poses[i], seen) < pose2_distance(slam->poses[nearest], seen))
      nearest = i;
  pose2_t offset = pose2_between(slam->poses[nearest], seen);
  slam_anchor_t anchor = {.keyframe = nearest,
                          .seen_x_m = offset.x,
                          .seen_y_m = offset.y,
                          .x_m = x_m,
                          .y_m = y_m,
                          .weight = 1 / (sigma_m * sigma_m)};
  return slam_keep_anchor(slam, &anchor);
}

/* False when the points lie too close together. */
static bool fit(const pair_t *pairs, uint32_t count, pose2_t *step) {
  double sum = 0, ax = 0, ay = 0, bx = 0, by = 0, dot = 0, cross = 0, spread = 0;
  for (uint32_t i = 0; i < count; i++) {
    const pair_t *pair = &pairs[i];
    sum += pair->weight;
    ax += pair->weight * pair->from_x;
    ay += pair->weight * pair->from_y;
    bx += pair->weight * pair->to_x;
    by += pair->weight * pair->to_y;
  }
  ax /= sum, ay /= sum, bx /= sum, by /= sum;
  for (uint32_t i = 0; i < count; i++) {
    const pair_t *pair = &pairs[i];
    double fx = pair->from_x - ax, fy = pair->from_y - ay;
    double tx = pair->to_x - bx, ty = pair->to_y - by;
    dot += pair->weight * (fx * tx + fy * ty);
    cross += pair->weight * (fx * ty - fy * tx);
    spread += pair->weight * (tx * tx + ty * ty);
  }
  if (spread < sum * SPREAD_M * SPREAD_M) return false;
  double theta = atan2(cross, dot), c = cos(theta), s = sin(theta);
  *step = (pose2_t){bx - c * ax + s * ay, by - s * ax - c * ay, theta};
  return true;
}

static uint32_t worst_of(const pair_t *pairs, uint32_t count, pose2_t step, double *off_m) {
  uint32_t worst = 0;
  *off_m = 0;
  for (uint32_t i = 0; i < count; i++) {
    pose2_t moved = pose2_compose(step, (pose2_t){pairs[i].from_x, pairs[i].from_y, 0});
    double distance_m = hypot(moved.x - pairs[i].to_x, moved.y - pairs[i].to_y);
    if (distance_m <= *off_m) continue;
    *off_m = distance_m;
    worst = i;
  }
  return worst;
}

bool slam_anchor_step(const slam_t *slam, const pose2_t *poses, pose2_t *step) {
  uint32_t count = slam->anchor_count;
  if (count < 2) return false;
  pair_t *pairs = malloc(count * sizeof *pairs);
  if (!pairs) return false;
  for (uint32_t i = 0; i < count; i++) {
    const slam_anchor_t *anchor = &slam->anchors[i];
    pose2_t seen =
        pose2_compose(poses[anchor->keyframe], (pose2_t){anchor->seen_x_m, anchor->seen_y_m, 0});
    pairs[i] = (pair_t){seen.x, seen.y, anchor->x_m, anchor->y_m, anchor->weight};
  }
  bool told = false;
  double off_m;
  while (count >= 2 && 2 * count >= slam->anchor_count && fit(pairs, count, step)) {
    uint32_t worst = worst_of(pairs, count, *step, &off_m);
    told = off_m <= CONTRADICTS;
    if (told) break;
    pairs[worst] = pairs[--count];
  }
  free(pairs);
  return told;
}

bool slam_lay_step(const pose2_t *from, const pose2_t *to, uint32_t count, pose2_t *step) {
  pair_t *pairs = count >= 2 ? malloc(count * sizeof *pairs) : NULL;
  if (!pairs) return false;
  for (uint32_t i = 0; i < count; i++)
    pairs[i] = (pair_t){from[i].x, from[i].y, to[i].x, to[i].y, 1};
  bool told = fit(pairs, count, step);
  free(pairs);
  return told;
}
