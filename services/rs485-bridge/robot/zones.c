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
  size_t seen = 0;
  zones->turn_ns = now_ns;
  for (int i = 0; i < NEAREST; i++)
    nearest[0][i] = nearest[1][i] = INFINITY;
  for (size_t i = 0; i < count; i++) {
    if (!(ranges_m[i] > 0.0f)) continue;
    double range_m = (double)ranges_m[i], angle_rad = (double)angles_rad[i];
    double x = range_m * cos(angle_rad), y = range_m * sin(angle_rad);
    double ahead_m = fabs(x) - zones->cfg.half_length_m;
    bool beside = fabs(y) > zones->cfg.corridor_half_m;
    if (beside || ahead_m >= 0.0) seen++;
    if (beside || ahead_m < 0.0) continue;
    keep_nearest(nearest[x > 0.0 ? 0 : 1], ahead_m);
  }
  if (seen < NEAREST && !zones->cfg.empty_ok) return;
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

static double stop_m(const zones_t *zones) {
  return zones->docking ? zones->cfg.dock_stop_m : zones->cfg.stop_m;
}

static double pause_m(const zones_cfg_t *cfg) {
  return 0.5 * (cfg->slow_m + cfg->stop_m);
}

static bool is_within(double clearance_m, double limit_m) {
  return clearance_m >= 0.0 && clearance_m <= limit_m;
}

static zone_t zone_of_lidar(const zones_t *zones, double clearance_m) {
  if (is_within(clearance_m, stop_m(zones))) return ZONE_CRITICAL;
  if (is_within(clearance_m, pause_m(&zones->cfg))) return ZONE_WARNING;
  if (is_within(clearance_m, zones->cfg.slow_m)) return ZONE_CAUTION;
  return is_within(clearance_m, zones->cfg.clear_m) ? ZONE_EARLY_WARNING : ZONE_NONE;
}

static zone_t zone_of_range(const zones_t *zones, double clearance_m) {
  if (is_within(clearance_m, stop_m(zones))) return ZONE_CRITICAL;
  int zone = ZONE_NONE;
  while (zone < ZONES_RANGE_STEPS && is_within(clearance_m, zones->cfg.range_m[zone]))
    zone++;
  return (zone_t)zone;
}

static double factor_of(const zones_cfg_t *cfg, double clearance_m) {
  if (clearance_m < 0.0 || clearance_m > cfg->slow_m) return 1.0;
  double share = fmax(0.0, (clearance_m - cfg->stop_m) / (cfg->slow_m - cfg->stop_m));
  return cfg->min_factor + share * (cfg->max_factor - cfg->min_factor);
}

static bool is_fresh(uint64_t then_ns, uint64_t now_ns, uint64_t max_age_ns) {
  return then_ns != 0 && (then_ns > now_ns || now_ns - then_ns <= max_age_ns);
}

/* Whether any range sensor but that of one side reads no more than limit_m. */
static bool is_near_but(const zones_t *zones, zones_side_t spared, double limit_m) {
  for (int side = 0; side < ZONES_SIDES; side++)
    if (side != (int)spared && is_within(zones->range_m[side], limit_m)) return true;
  return false;
}

/* Clearance in the direction of motion by one kind of sensor, index front and rear. */
static double clearance(const double side_m[2], int motion, bool fresh) {
  if (!fresh) return -1.0;
  return motion > 0   ? side_m[ZONES_FRONT]
         : motion < 0 ? side_m[ZONES_REAR]
                      : nearer(side_m[ZONES_FRONT], side_m[ZONES_REAR]);
}

zones_verdict_t zones_judge(const zones_t *zones, int motion, uint64_t now_ns,
                            uint64_t max_age_ns) {
  const zones_cfg_t *cfg = &zones->cfg;
  bool lidar = is_fresh(zones->lidar_ns, now_ns, max_age_ns);
  bool ranges = is_fresh(zones->range_ns, now_ns, max_age_ns);
  double lidar_m = clearance(zones->lidar_m, motion, lidar);
  double range_m = clearance(zones->range_m, motion, ranges);
  double clearance_m = nearer(lidar_m, range_m);
  zone_t by_lidar = zone_of_lidar(zones, lidar_m), by_range = zone_of_range(zones, range_m);
  bool moves = motion != 0;
  /* Docking, the way of travel leads to the dock: what is near elsewhere is not the dock. */
  zones_side_t faces = motion < 0 ? ZONES_REAR : ZONES_FRONT;
  zones_side_t behind = motion < 0 ? ZONES_FRONT : ZONES_REAR;
  zones_side_t spared = zones->docking ? faces : behind;
  bool touched = zones->docking && ranges && is_near_but(zones, faces, cfg->contact_m);
  return (zones_verdict_t){.zone = by_lidar > by_range ? by_lidar : by_range,
                           .clearance_m = clearance_m,
                           .factor = moves ? factor_of(cfg, clearance_m) : 1.0,
                           .stop = moves && is_within(clearance_m, stop_m(zones)),
                           .pause = moves && is_within(clearance_m, pause_m(cfg)),
                           .crawl = moves && zones->docking && is_within(clearance_m, cfg->stop_m),
                           .contact = moves && touched,
                           .excused = ranges && !is_near_but(zones, spared, cfg->range_m[3]),
                           .blind = !lidar && !ranges};
}
