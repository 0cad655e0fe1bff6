/* Sorting, gating, clustering and scoring of a sweep; its filters stand in scan_filter.c. */
#include "scan.h"

#include <math.h>
#include <stdbool.h>

#include <gantry/geom.h>

#include "quality.h"

typedef struct ray {
  float angle_rad, range_m;
  uint8_t quality;
} ray_t;

static ray_t get(const scan_rays_t *rays, uint32_t i) {
  return (ray_t){rays->angle_rad[i], rays->range_m[i], rays->quality[i]};
}

static void set(scan_rays_t *rays, uint32_t i, ray_t ray) {
  rays->angle_rad[i] = ray.angle_rad;
  rays->range_m[i] = ray.range_m;
  rays->quality[i] = ray.quality;
}

static void reverse(scan_rays_t *rays, uint32_t first, uint32_t end) {
  while (first + 1 < end) {
    ray_t ray = get(rays, first);
    set(rays, first++, get(rays, --end));
    set(rays, end, ray);
  }
}

/* A turn comes clockwise or counter-clockwise and begins anywhere, but its rays are nearly in
   order. So: turn it the right way round, rotate the smallest angle to the front, and let an
   insertion sort mend the rest in linear time. */
static void sort(scan_rays_t *rays) {
  uint32_t ascents = 0, lowest = 0;
  for (uint32_t i = 1; i < rays->count; i++)
    ascents += rays->angle_rad[i] >= rays->angle_rad[i - 1];
  if (rays->count > 1 && ascents * 2 < rays->count - 1) reverse(rays, 0, rays->count);
  for (uint32_t i = 1; i < rays->count; i++)
    if (rays->angle_rad[i] < rays->angle_rad[lowest]) lowest = i;
  reverse(rays, 0, lowest);
  reverse(rays, lowest, rays->count);
  reverse(rays, 0, rays->count);
  for (uint32_t i = 1; i < rays->count; i++) {
    ray_t ray = get(rays, i);
    uint32_t k = i;
    for (; k > 0 && rays->angle_rad[k - 1] > ray.angle_rad; k--)
      set(rays, k, get(rays, k - 1));
    set(rays, k, ray);
  }
}

/* Calibrates, wraps and gates; counts what was kept and what was dropped. */
static void gate(const scan_rule_t *rule, const calibration_t *calibration, scan_rays_t *rays,
                 scan_summary_t *out) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < rays->count; i++) {
    ray_t ray = get(rays, i);
    if (!isfinite(ray.angle_rad)) {
      out->rejected++;
      continue;
    }
    ray.angle_rad = (float)wrap_rad(ray.angle_rad + calibration->angle_offset_rad);
    bool returned = ray.range_m != 0;
    double range_m = returned ? calibration_apply(calibration, 0, ray.range_m) : 0;
    bool good = range_m >= rule->range_min_m && range_m <= rule->range_max_m &&
                ray.quality >= rule->quality_min; /* false for NaN */
    ray.range_m = returned && good ? (float)range_m : 0;
    out->points += returned && good;
    out->rejected += returned && !good;
    set(rays, kept++, ray);
  }
  rays->count = kept;
}

/* Notes for each ray whether its return lies within the obstacle gap of the next ray's (law of
   cosines); the last ray's next is the first. No return joins nothing. */
static void join(const scan_rule_t *rule, const scan_rays_t *rays, bool *joined) {
  double gap2_m2 = rule->obstacle_gap_m * rule->obstacle_gap_m;
  for (uint32_t i = 0; i < rays->count; i++) {
    uint32_t next = i + 1 < rays->count ? i + 1 : 0;
    double a = rays->range_m[i], b = rays->range_m[next];
    joined[i] = false;
    if (i == next || a <= 0 || b <= 0) continue;
    double cosine = cos((double)(rays->angle_rad[i] - rays->angle_rad[next]));
    joined[i] = a * a + b * b - 2 * a * b * cosine <= gap2_m2;
  }
}

static bool is_obstacle(const scan_rule_t *rule, const scan_rays_t *rays, uint32_t i) {
  return rays->range_m[i] >= rule->obstacle_min_m && rays->range_m[i] <= rule->obstacle_max_m;
}

/* Runs of neighbours; the run over the seam at pi counts once. */
static uint32_t count_obstacles(const scan_rule_t *rule, const scan_rays_t *rays,
                                const bool *joined) {
  uint32_t clusters = 0, run = 0, first_run = 0;
  bool in_first = true;
  for (uint32_t i = 0; i < rays->count; i++) {
    bool inside = is_obstacle(rule, rays, i);
    bool goes_on = inside && run > 0 && joined[i - 1];
    if (!goes_on) {
      if (in_first)
        first_run = run;
      else
        clusters += run >= rule->obstacle_points;
      if (i > 0) in_first = false;
      run = 0;
    }
    run += inside;
  }
  if (in_first) return run >= rule->obstacle_points;
  if (first_run > 0 && run > 0 && joined[rays->count - 1])
    return clusters + (first_run + run >= rule->obstacle_points);
  return clusters + (first_run >= rule->obstacle_points) + (run >= rule->obstacle_points);
}

/* Share of the returns that have a neighbour near them: a lone point is dust or a mixed edge. */
static double neighbourly(const scan_rays_t *rays, const bool *joined, uint32_t points) {
  uint32_t near = 0;
  for (uint32_t i = 0; i < rays->count; i++)
    near += joined[i] || joined[i > 0 ? i - 1 : rays->count - 1];
  return points > 0 ? (double)near / points : 0;
}

/* Counts the obstacles and scores the sweep. */
static void judge(const scan_rule_t *rule, const scan_rays_t *rays, scan_summary_t *out) {
  bool joined[SCAN_RAYS_MAX];
  join(rule, rays, joined);
  out->obstacles = count_obstacles(rule, rays, joined);
  uint32_t returns = out->points + out->rejected;
  quality_terms_t terms = {
      .base = out->points >= rule->points_enough ? 1.0 : (out->points > 0 ? 0.5 : 0),
      .completeness = returns > 0 ? (double)out->points / returns : 0,
      .consistency = neighbourly(rays, joined, out->points),
  };
  out->quality = quality_score(&terms);
}

void scan_process(const scan_rule_t *rule, const calibration_t *calibration, scan_rays_t *rays,
                  scan_summary_t *out) {
  const scan_filter_t *filter = &rule->filter;
  *out = (scan_summary_t){0};
  gate(rule, calibration, rays, out);
  sort(rays);
  uint32_t dropped = scan_filter_range(filter, rays) + scan_filter_shadows(filter, rays);
  out->points -= dropped;
  scan_filter_median(filter, rays);
  judge(rule, rays, out);
  uint32_t thinned = scan_filter_thin(filter, rays);
  out->points -= thinned;
  out->filtered = dropped + thinned;
}
