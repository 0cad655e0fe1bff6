/* Gates, shadows, median and thinning of a sweep. */
#include "scan_filter.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define NEIGHBOUR_RAD 0.1

gantry_err_t scan_filter_check(const scan_filter_t *filter, gantry_fault_t *fault) {
  if (!(filter->range_min_m >= 0 && isfinite(filter->range_min_m)))
    return fault_set(fault, GANTRY_E_INVALID, "scan.range_min", "0 or more metres");
  if (!(filter->range_max_m >= 0 && isfinite(filter->range_max_m)) ||
      (filter->range_max_m > 0 && filter->range_max_m <= filter->range_min_m))
    return fault_set(fault, GANTRY_E_INVALID, "scan.range_max", "more metres than range_min");
  if (!(filter->shadow_rad >= 0 && filter->shadow_rad <= M_PI / 4))
    return fault_set(fault, GANTRY_E_INVALID, "scan.shadow", "at most 45 degrees");
  bool is_odd = filter->median % 2 == 1 && filter->median > 1;
  if (filter->median != 0 && (!is_odd || filter->median > SCAN_MEDIAN_MAX))
    return fault_set(fault, GANTRY_E_INVALID, "scan.median", "an odd number of rays, 3 to %d",
                     SCAN_MEDIAN_MAX);
  if (filter->every == 1 || filter->every > SCAN_EVERY_MAX)
    return fault_set(fault, GANTRY_E_INVALID, "scan.every", "2 to %d rays", SCAN_EVERY_MAX);
  return GANTRY_OK;
}

uint32_t scan_filter_range(const scan_filter_t *filter, scan_rays_t *rays) {
  double max_m = filter->range_max_m > 0 ? filter->range_max_m : INFINITY;
  uint32_t dropped = 0;
  for (uint32_t i = 0; i < rays->count; i++) {
    float range_m = rays->range_m[i];
    if (range_m == 0 || (range_m >= filter->range_min_m && range_m <= max_m)) continue;
    rays->range_m[i] = 0;
    dropped++;
  }
  return dropped;
}

/* Angle from ray i to the next one, over the seam too. */
static double to_next(const scan_rays_t *rays, uint32_t i) {
  if (i + 1 < rays->count) return (double)rays->angle_rad[i + 1] - rays->angle_rad[i];
  return (double)rays->angle_rad[0] - rays->angle_rad[i] + 2 * M_PI;
}

uint32_t scan_filter_shadows(const scan_filter_t *filter, scan_rays_t *rays) {
  if (filter->shadow_rad <= 0 || rays->count < 2) return 0;
  bool is_shadow[SCAN_RAYS_MAX] = {0};
  double slope = tan(filter->shadow_rad);
  for (uint32_t i = 0; i < rays->count; i++) {
    uint32_t next = i + 1 < rays->count ? i + 1 : 0;
    double a = rays->range_m[i], b = rays->range_m[next], between = to_next(rays, i);
    if (a == 0 || b == 0 || between > NEIGHBOUR_RAD) continue;
    double near = fmin(a, b), far = fmax(a, b);
    if (near * sin(between) < slope * (far - near * cos(between)))
      is_shadow[a > b ? i : next] = true;
  }
  uint32_t dropped = 0;
  for (uint32_t i = 0; i < rays->count; i++) {
    if (!is_shadow[i]) continue;
    rays->range_m[i] = 0;
    dropped++;
  }
  return dropped;
}

/* A few ranges in rising order. */
typedef struct ordered {
  float ranges_m[SCAN_MEDIAN_MAX];
  uint32_t count;
} ordered_t;

static void put_in(ordered_t *ordered, float range_m) {
  if (range_m == 0) return;
  uint32_t i = ordered->count++;
  for (; i > 0 && ordered->ranges_m[i - 1] > range_m; i--)
    ordered->ranges_m[i] = ordered->ranges_m[i - 1];
  ordered->ranges_m[i] = range_m;
}

static void take_out(ordered_t *ordered, float range_m) {
  if (range_m == 0) return;
  uint32_t i = 0;
  while (i + 1 < ordered->count && ordered->ranges_m[i] != range_m)
    i++;
  for (ordered->count--; i < ordered->count; i++)
    ordered->ranges_m[i] = ordered->ranges_m[i + 1];
}

void scan_filter_median(const scan_filter_t *filter, scan_rays_t *rays) {
  uint32_t count = rays->count, reach = filter->median / 2;
  if (filter->median == 0 || count < filter->median) return;
  float given_m[SCAN_RAYS_MAX];
  memcpy(given_m, rays->range_m, count * sizeof *given_m);
  bool is_closed = to_next(rays, count - 1) <= NEIGHBOUR_RAD; /* a full turn has no ends */
  ordered_t ordered = {.count = 0};
  for (uint32_t i = 0; i < reach; i++) {
    put_in(&ordered, given_m[i]);
    if (is_closed) put_in(&ordered, given_m[count - reach + i]);
  }
  for (uint32_t i = 0; i < count; i++) {
    uint32_t newest = i + reach;
    if (newest < count || is_closed)
      put_in(&ordered, given_m[newest < count ? newest : newest - count]);
    if (given_m[i] != 0) rays->range_m[i] = ordered.ranges_m[(ordered.count - 1) / 2];
    if (i >= reach || is_closed)
      take_out(&ordered, given_m[i >= reach ? i - reach : i + count - reach]);
  }
}

/* Which ray of a group stays. */
static uint32_t nearest_of(const scan_rays_t *rays, uint32_t first, uint32_t end) {
  uint32_t best = first + (end - first) / 2;
  for (uint32_t i = first; i < end; i++) {
    float range_m = rays->range_m[i];
    if (range_m != 0 && (rays->range_m[best] == 0 || range_m < rays->range_m[best])) best = i;
  }
  return best;
}

uint32_t scan_filter_thin(const scan_filter_t *filter, scan_rays_t *rays) {
  if (filter->every < 2) return 0;
  uint32_t kept = 0, dropped = 0;
  for (uint32_t first = 0; first < rays->count; first += filter->every, kept++) {
    uint32_t rest = rays->count - first;
    uint32_t end = first + (rest < filter->every ? rest : filter->every);
    uint32_t best = nearest_of(rays, first, end);
    for (uint32_t i = first; i < end; i++)
      dropped += i != best && rays->range_m[i] != 0;
    rays->angle_rad[kept] = rays->angle_rad[best];
    rays->range_m[kept] = rays->range_m[best];
    rays->quality[kept] = rays->quality[best];
  }
  rays->count = kept;
  return dropped;
}
