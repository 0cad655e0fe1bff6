/* Tracker: the scan-to-map front end. Owns a grid and its distance field, follows the robot by
   matching every scan from the odometry's prediction, and inserts a scan only after the robot moved
   (insertion is the dear half and a standing robot adds nothing). Pure; time is not needed.

   Two ways to use it:
     tracker_feed                       odometry in, pose out: mapping or tracking on its own
     tracker_match + tracker_integrate  the caller predicts and fuses (an EKF), the tracker measures
   A tracker on a loaded map: tracker_load, tracker_set_mapping(false), tracker_set_pose. */
#ifndef GANTRY_SLAM_TRACKER_H
#define GANTRY_SLAM_TRACKER_H

#include <stdbool.h>
#include <stdint.h>

#include <gantry/err.h>
#include <gantry/geom.h>
#include <gantry/slam/grid.h>
#include <gantry/slam/match.h>
#include <gantry/slam/points.h>

#define TRACKER_REACH 1e7 /* m, rad: what lies beyond is no pose */

typedef struct tracker tracker_t;

typedef struct tracker_config {
  grid_config_t grid;   /* */
  match_config_t match; /* */
  double truncation_m;  /* of the distance field: 0.5 m */
  double insert_m;      /* insert after this much motion: 0.1 m */
  double insert_rad;    /* or this much turn: 0.1 rad */
  double inliers_min;   /* poorer fits are not believed, 0 .. 1: see the default */
  bool local_field;     /* of a large map, the distance field is kept around the robot alone */
} tracker_config_t;

typedef struct tracker_result {
  pose2_t pose;         /* the robot in the map, after this scan */
  match_result_t match; /* how the scan fitted; zeroed when it was not matched */
  bool matched;         /* pose comes from the match; false: from the odometry alone */
  bool inserted;        /* the scan went into the map */
} tracker_result_t;

typedef struct tracker_counts {
  uint64_t scans, matched, rescued, inserted, iterations;
} tracker_counts_t;

tracker_config_t tracker_config_default(void);

/* A tracker at pose (0, 0, 0) with an empty map, mapping on. NULL when the configuration is out of
   bounds or memory ran out. */
tracker_t *tracker_new(const tracker_config_t *config);
void tracker_destroy(tracker_t **self);
/* Empties the map and returns to (0, 0, 0), mapping on, counters zero. */
void tracker_reset(tracker_t *tracker);

/* One scan with the odometry pose at its stamp (any fixed frame; only differences count; the first
   call sets the reference). Matches, moves the pose, and while mapping inserts after enough motion.
   The first scan of an empty map is inserted unmatched. GANTRY_E_INVALID for values beyond
   TRACKER_REACH or not finite (nothing happens); insertion errors as grid_hit (the pose in out
   still holds). */
gantry_err_t tracker_feed(tracker_t *tracker, pose2_t odometry, const points_t *points,
                          tracker_result_t *out);

/* Matches a scan from a predicted pose and changes nothing. Errors as match_scan. */
gantry_err_t tracker_match(const tracker_t *tracker, pose2_t predicted, const points_t *points,
                           match_result_t *out);
/* Takes pose as the robot's (as tracker_set_pose does) and, while mapping, inserts the scan there
   if the robot moved enough since the last insertion. *inserted may be NULL. */
gantry_err_t tracker_integrate(tracker_t *tracker, pose2_t pose, const points_t *points,
                               bool *inserted);

pose2_t tracker_pose(const tracker_t *tracker);
/* Puts the robot elsewhere; the odometry reference stays. */
void tracker_set_pose(tracker_t *tracker, pose2_t pose);
/* Mapping off: the map is read only (localization); on by default. */
void tracker_set_mapping(tracker_t *tracker, bool mapping);
/* Matching off: the distance field stays behind the cells, which saves more than half of what an
   insertion and far more of what a correction costs; tracker_match and tracker_feed are out of
   bounds until it is on again. On by default. */
gantry_err_t tracker_set_matching(tracker_t *tracker, bool matching);
/* Brings the field up to the cells where a scan at pose sees, as matching does by itself: for a
   look at it. */
gantry_err_t tracker_look(const tracker_t *tracker, pose2_t pose, const points_t *points);

/* Sets a trinary rectangle (a stored map, or a patch of one tile) and updates the field. */
gantry_err_t tracker_load(tracker_t *tracker, grid_box_t box, const int8_t *cells);

/* The map moved: takes over another grid's cells and moves the robot by step (new = step (+) old).
   field: made by tracker_new_field and brought up to grid, its contents are taken, so that only the
   copying costs time here; NULL: the tracker's own is brought up to the grid. Errors as grid_adopt;
   the robot then stays where it was. */
gantry_err_t tracker_correct(tracker_t *tracker, grid_t *grid, distance_field_t *field,
                             pose2_t step);
/* An empty field such as a tracker of this configuration has; NULL without memory. And where it is
   wanted for a scan at pose: as distance_field_focus, with room for the match to move. */
distance_field_t *tracker_new_field(const tracker_config_t *config);
bool tracker_focus_field(const tracker_config_t *config, distance_field_t *field, pose2_t pose,
                         const points_t *points);

/* Borrowed, valid until tracker_destroy. Take dirty tiles from it freely, but change cells only
   through the tracker. */
grid_t *tracker_grid(tracker_t *tracker);
const distance_field_t *tracker_field(const tracker_t *tracker);
tracker_counts_t tracker_counts(const tracker_t *tracker);

#endif
