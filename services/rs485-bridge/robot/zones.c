/* Clearance in the direction of motion, and what follows from it. */
#include "zones.h"

#include <math.h>
#include <string.h>

#define NEAREST 3

void zones_init(zones_t *zones, const zones_cfg_t *cfg) {
  memset(zones, 0, sizeof *zones);
  zones->cfg = *cfg;
  for (int i = 0; i < ZONES_SIDES; i++)
    zones->range_m[i] = -1.0;
  zones->lidar_m[0] = zones->lidar_m[1] = -1.0;
}

void zones_ranges(zones_t *zones, const double range_m[ZONES_SIDES], uint64_t now_ns) {
  memcpy(zones->range_m, range_m, sizeof zones->range_m);
  zones->range_ns = now_ns;
}

/* Keeps the NEAREST smallest values, ascending. */
static void keep_nearest(double nearest[NEAREST], double value) {
  for (int i = 0; i < NEAREST; i++) {
    if (value >= nearest[i]) continue;
    double next = nearest[i];
    nearest[i] = value;
    value = next;
  }
}

void zones_turn(zones_t *zones, const float *angles_rad, const float *ranges_m, size_t count,
                uint64_t now_ns) {
  double nearest[2][NEAREST];
  for (int i = 0; i < NEAREST; i++)
    nearest[0][i] = nearest[1][i] = INFINITY;
  for (size_t i = 0; i < count; i++) {
    if (!(ranges_m[i] > 0.0f)) continue;
    double range_m = (double)ranges_m[i], angle_rad = (double)angles_rad[i];
    double x = range_m * cos(angle_rad), y = range_m * sin(angle_rad);
    double ahead_m = fabs(x) - zones->cfg.half_length_m;
    if (fabs(y) > zones->cfg.corridor_half_m || ahead_m < 0.0) continue;
    keep_nearest(nearest[x > 0.0 ? 0 : 1], ahead_m);
  }
  for (int side = 0; side < 2; side++) {
    double value = nearest[side][NEAREST - 1];
    zones->lidar_m[side] = isfinite(value) ? value : -1.0;
  }
  zones->lidar_ns = now_ns;
}

static double nearer(double one, double other) {
  if (one < 0.0) return other;
  if (other < 0.0) return one;
  return fmin(one, other);
}

static zone_t zone_of(const zones_cfg_t *cfg, double clearance_m) {
  if (clearance_m < 0.0 || clearance_m > cfg->clear_m) return ZONE_NONE;
  if (clearance_m > cfg->slow_m) return ZONE_EARLY_WARNING;
  if (clearance_m > 0.5 * (cfg->slow_m + cfg->stop_m)) return ZONE_CAUTION;
  return clearance_m > cfg->stop_m ? ZONE_WARNING : ZONE_CRITICAL;
}

static double factor_of(const zones_cfg_t *cfg, double clearance_m) {
  if (clearance_m < 0.0 || clearance_m > cfg->slow_m) return 1.0;
  double share = fmax(0.0, (clearance_m - cfg->stop_m) / (cfg->slow_m - cfg->stop_m));
  return cfg->min_factor + share * (cfg->max_factor - cfg->min_factor);
}

static bool is_fresh(uint64_t then_ns, uint64_t now_ns, uint64_t max_age_ns) {
  return then_ns != 0 && (then_ns > now_ns || now_ns - then_ns <= max_age_ns);
}

zones_verdict_t zones_judge(const zones_t *zones, int motion, uint64_t now_ns,
                            uint64_t max_age_ns) {
  bool lidar = is_fresh(zones->lidar_ns, now_ns, max_age_ns);
  bool ranges = is_fresh(zones->range_ns, now_ns, max_age_ns);
  double side_m[2];
  for (int side = 0; side < 2; side++)
    side_m[side] =
        nearer(ranges ? zones->range_m[side] : -1.0, lidar ? zones->lidar_m[side] : -1.0);
  double clearance_m = motion > 0   ? side_m[ZONES_FRONT]
                       : motion < 0 ? side_m[ZONES_REAR]
                                    : nearer(side_m[ZONES_FRONT], side_m[ZONES_REAR]);
  zones_verdict_t verdict = {.zone = zone_of(&zones->cfg, clearance_m),
                             .clearance_m = clearance_m,
                             .factor = motion == 0 ? 1.0 : factor_of(&zones->cfg, clearance_m),
                             .blind = !lidar && !ranges};
  verdict.stop = motion != 0 && verdict.zone == ZONE_CRITICAL;
  return verdict;
}
