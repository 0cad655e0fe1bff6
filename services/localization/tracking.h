/* Tracking: which map scans are matched against, and the match itself. One tracker at a time:
     rolling: no map is active; an own map grows as the robot drives and is begun anew when it no
              longer fits;
     mapping: a session runs; the map grows and is never thrown away;
     loaded:  a stored map, read only.
   Pure. */
#ifndef LOC_TRACKING_H
#define LOC_TRACKING_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/slam/tracker.h>

typedef enum tracking_mode { TRACKING_ROLLING, TRACKING_MAPPING, TRACKING_LOADED } tracking_mode_t;

typedef struct tracking_rule {
  double inliers_grown;  /* share of points that must fit a map that still grows: 0.2 */
  double inliers_loaded; /* and one that is loaded: 0.5 */
  uint32_t failures_max; /* failures in a row before a rolling map is begun anew: 10 */
} tracking_rule_t;

typedef struct tracking {
  tracking_rule_t rule;
  tracker_t *tracker; /* owned */
  tracking_mode_t mode;
  char map_id[51];   /* "" while rolling */
  uint32_t failures; /* in a row */
  uint64_t matched, failed;
} tracking_t;

tracking_rule_t tracking_rule_default(void);
/* GANTRY_E_INTERNAL without memory. */
gantry_err_t tracking_init(tracking_t *tracking, const tracking_rule_t *rule);
void tracking_fini(tracking_t *tracking);

/* Begins an empty map: of a session when map_id is given, else a rolling one. */
void tracking_begin(tracking_t *tracking, const char *map_id);
/* A tracker over a stored map, its cells resolution_m wide, for tracking_adopt: any thread. Errors
   as tracker_load; GANTRY_E_INVALID for a resolution that no grid has. */
gantry_err_t tracking_prepare(double resolution_m, grid_box_t box, const int8_t *cells,
                              tracker_t **out);
/* Replaces the map by one that was prepared, read only. Takes the tracker and gives back the one
   before, which is the caller's to destroy. */
tracker_t *tracking_adopt(tracking_t *tracking, const char *map_id, tracker_t *tracker);
/* Sets a rectangle of the loaded map. Errors as tracker_load. */
gantry_err_t tracking_patch(tracking_t *tracking, grid_box_t box, const int8_t *cells);
/* The session is over: the map stays as it is. */
void tracking_freeze(tracking_t *tracking);
/* A session goes on in the map that was loaded. */
void tracking_grow(tracking_t *tracking);
/* Matches points from a pose; nothing is counted. False while the map is empty or there are too few
   points. */
bool tracking_try(const tracking_t *tracking, pose2_t pose, const points_t *points,
                  match_result_t *out);

/* Matches points from a predicted pose. True when the fit is to be believed; then out holds it.
   False also while the map is empty (no failure) or there are too few points. */
bool tracking_match(tracking_t *tracking, pose2_t predicted, const points_t *points,
                    match_result_t *out);
/* Writes the scan into the map when the mode lets it grow. GANTRY_E_TOO_LARGE while mapping: the
   map is full, the scan is not in it; a rolling map is begun anew instead. */
gantry_err_t tracking_insert(tracking_t *tracking, pose2_t pose, const points_t *points);

#endif
