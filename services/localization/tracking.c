/* Modes of the one tracker. */
#include "tracking.h"

#include <math.h>
#include <stdio.h>

tracking_rule_t tracking_rule_default(void) {
  return (tracking_rule_t){.inliers_grown = 0.2, .inliers_loaded = 0.5, .failures_max = 10};
}

gantry_err_t tracking_init(tracking_t *tracking, const tracking_rule_t *rule) {
  tracker_config_t config = tracker_config_default();
  *tracking = (tracking_t){.rule = *rule, .tracker = tracker_new(&config)};
  return tracking->tracker ? GANTRY_OK : GANTRY_E_INTERNAL;
}

void tracking_fini(tracking_t *tracking) {
  tracker_destroy(&tracking->tracker);
}

void tracking_begin(tracking_t *tracking, const char *map_id) {
  tracker_reset(tracking->tracker);
  tracking->mode = map_id ? TRACKING_MAPPING : TRACKING_ROLLING;
  tracking->failures = 0;
  snprintf(tracking->map_id, sizeof tracking->map_id, "%s", map_id ? map_id : "");
}

/* A distance field spans at most 31 cells. */
static gantry_err_t set_resolution(tracking_t *tracking, double resolution_m) {
  if (grid_resolution_m(tracker_grid(tracking->tracker)) == resolution_m) return GANTRY_OK;
  tracker_config_t config = tracker_config_default();
  config.grid.resolution_m = resolution_m;
  config.truncation_m = fmin(config.truncation_m, 31 * resolution_m);
  tracker_t *other = tracker_new(&config);
  if (!other) return GANTRY_E_INVALID;
  tracker_destroy(&tracking->tracker);
  tracking->tracker = other;
  return GANTRY_OK;
}

gantry_err_t tracking_load(tracking_t *tracking, const char *map_id, double resolution_m,
                           grid_box_t box, const int8_t *cells, bool mapping) {
  gantry_err_t err = set_resolution(tracking, resolution_m);
  tracking_begin(tracking, map_id);
  if (err == GANTRY_OK) err = tracker_load(tracking->tracker, box, cells);
  if (err != GANTRY_OK) {
    tracking_begin(tracking, NULL);
    return err;
  }
  tracking->mode = mapping ? TRACKING_MAPPING : TRACKING_LOADED;
  tracker_set_mapping(tracking->tracker, mapping);
  return GANTRY_OK;
}

gantry_err_t tracking_patch(tracking_t *tracking, grid_box_t box, const int8_t *cells) {
  return tracker_load(tracking->tracker, box, cells);
}

void tracking_freeze(tracking_t *tracking) {
  tracking->mode = TRACKING_LOADED;
  tracker_set_mapping(tracking->tracker, false);
}

bool tracking_match(tracking_t *tracking, pose2_t predicted, const points_t *points,
                    match_result_t *out) {
  *out = (match_result_t){0};
  if (grid_known_cells(tracker_grid(tracking->tracker)) == 0) return false;
  double least = tracking->mode == TRACKING_LOADED ? tracking->rule.inliers_loaded
                                                   : tracking->rule.inliers_grown;
  bool believed = tracker_match(tracking->tracker, predicted, points, out) == GANTRY_OK &&
                  out->inlier_fraction >= least;
  tracking->matched += believed;
  tracking->failed += !believed;
  tracking->failures = believed ? 0 : tracking->failures + 1;
  return believed;
}

gantry_err_t tracking_insert(tracking_t *tracking, pose2_t pose, const points_t *points) {
  if (tracking->mode == TRACKING_LOADED) return GANTRY_OK;
  bool rolling = tracking->mode == TRACKING_ROLLING;
  if (rolling && tracking->failures >= tracking->rule.failures_max) tracking_begin(tracking, NULL);
  gantry_err_t err = tracker_integrate(tracking->tracker, pose, points, NULL);
  if (err != GANTRY_E_TOO_LARGE || !rolling) return err;
  tracking_begin(tracking, NULL);
  return tracker_integrate(tracking->tracker, pose, points, NULL);
}
