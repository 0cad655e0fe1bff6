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
gantry_err_t tracking_prepare(double resolution_m, grid_box_t box, const int8_t *cells,
                              tracker_t **out) {
  tracker_config_t config = tracker_config_default();
  config.grid.resolution_m = resolution_m;
  config.truncation_m = fmin(config.truncation_m, 31 * resolution_m);
  *out = tracker_new(&config);
  if (!*out) return GANTRY_E_INVALID;
  gantry_err_t err = tracker_load(*out, box, cells);
  tracker_set_mapping(*out, false);
  if (err != GANTRY_OK) tracker_destroy(out);
  return err;
}

tracker_t *tracking_adopt(tracking_t *tracking, const char *map_id, tracker_t *tracker) {
  tracker_t *before = tracking->tracker;
  tracking->tracker = tracker;
  tracking->mode = TRACKING_LOADED;
  tracking->failures = 0;
  snprintf(tracking->map_id, sizeof tracking->map_id, "%s", map_id);
  return before;
}

gantry_err_t tracking_patch(tracking_t *tracking, grid_box_t box, const int8_t *cells) {
  return tracker_load(tracking->tracker, box, cells);
}

void tracking_freeze(tracking_t *tracking) {
  tracking->mode = TRACKING_LOADED;
  tracker_set_mapping(tracking->tracker, false);
}

void tracking_grow(tracking_t *tracking) {
  tracking->mode = TRACKING_MAPPING;
  tracker_set_mapping(tracking->tracker, true);
}

bool tracking_try(const tracking_t *tracking, pose2_t pose, const points_t *points,
                  match_result_t *out) {
  *out = (match_result_t){0};
  if (grid_known_cells(tracker_grid(tracking->tracker)) == 0) return false;
  return tracker_match(tracking->tracker, pose, points, out) == GANTRY_OK;
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
