/* Slam: the map of a drive. A front end places every scan (tracker.h); keyframes gather in submaps;
   on a second thread places that look alike are searched and closures checked; the pose graph takes
   what holds, and the map is composed anew from the keyframes. The front end never waits for it.

   Two ways to use it:
     slam_feed     odometry in, pose out: a log on a desk
     slam_insert   another process has placed the scan (localization), the mapper keeps the map
   After either, slam_poll takes over what the second thread has found. Times are the caller's
   seconds. Not thread-safe: one owner; the second thread is inside. */
#ifndef GANTRY_SLAM_SLAM_H
#define GANTRY_SLAM_SLAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gantry/buf.h>
#include <gantry/err.h>
#include <gantry/geom.h>
#include <gantry/slam/grid.h>
#include <gantry/slam/points.h>
#include <gantry/slam/tracker.h>

typedef struct slam slam_t;

typedef struct slam_config {
  tracker_config_t tracker;
  uint32_t submap_length; /* keyframes from one submap to the next; each holds twice as many */
  bool closures;          /* false: no loop closure, to see what it gains */
  uint32_t threads;     /* 1: searches run where slam_feed is called; 2: on a thread of their own */
  double closure_score; /* least share of points that fit: 0.55 */
  double closure_residual_m; /* greatest mean residual: 0.06 */
  size_t memory_limit;       /* bytes for keyframes and scans; beyond it keyframes are thinned */
} slam_config_t;

typedef struct slam_result {
  tracker_result_t tracker;
  bool keyframe; /* the scan became one: it went into the map (tracker.insert_m), and not many are
                    of about its pose already */
} slam_result_t;

/* The map has moved: a robot at `old` is now at pose2_compose(step, old). */
typedef struct slam_correction {
  uint32_t number; /* from 1 */
  pose2_t step;    /* for a robot where it is now */
} slam_correction_t;

/* Values of the wire enumeration map.verdict. */
typedef enum slam_verdict {
  SLAM_ACCEPTED,
  SLAM_LOW_SCORE,
  SLAM_HIGH_RESIDUAL,
  SLAM_INCONSISTENT, /* no second closure agrees (pairwise consistency, Mangelson et al. 2018) */
  SLAM_REJECTED_BY_GRAPH, /* the robust kernel left it no say */
  SLAM_WAITING,           /* for a second one that agrees */
  SLAM_VERDICT_COUNT
} slam_verdict_t;

typedef struct slam_closure {
  uint32_t from, to; /* keyframes, the earlier first */
  slam_verdict_t verdict;
  double score, residual_m;
  pose2_t measured;      /* to as seen from from */
  double information[9]; /* of measured: inverse covariance, row-major; 0 when it does not fit */
  bool firm; /* false: the scan sees walls of one direction, and not how far along them it is */
} slam_closure_t;

typedef struct slam_quality {
  double coverage;    /* known share of the bounding box */
  double residual_m;  /* mean distance of keyframes' points from the nearest wall, now */
  double inliers;     /* share of points within 0.15 m of a wall */
  double consistency; /* share of rays that do not cross what others saw as a wall */
  uint32_t keyframes, submaps, closures, refused;
} slam_quality_t;

typedef struct slam_counts {
  uint64_t scans, keyframes, submaps, searches, closures, refused, solves;
  double search_s, solve_s, compose_s; /* spent on the second thread, or in its place */
  size_t bytes;                        /* held by keyframes, grids and pyramids */
} slam_counts_t;

slam_config_t slam_config_default(void);
slam_t *slam_new(const slam_config_t *config); /* NULL: out of bounds or memory */
void slam_destroy(slam_t **self);

/* Errors as tracker_feed. */
gantry_err_t slam_feed(slam_t *slam, double time_s, pose2_t odometry, const points_t *points,
                       slam_result_t *out);
/* pose: in the map as corrected so far (of correction `number`: older ones are carried on). */
gantry_err_t slam_insert(slam_t *slam, double time_s, pose2_t pose, uint32_t number,
                         const points_t *points, slam_result_t *out);
/* Takes over what the second thread has finished; true when the map moved. Does not block. */
bool slam_poll(slam_t *slam, slam_correction_t *out);
/* What became of the search that slam_poll took over last: unless GANTRY_OK, what it found is not
   in the map; GANTRY_E_TOO_LARGE: the moved map has more tiles than it may. GANTRY_OK again after
   slam_finish, which tells its own. */
gantry_err_t slam_error(const slam_t *slam);
/* Whether the second thread is at work: slam_save and slam_finish would wait for it. */
bool slam_is_searching(const slam_t *slam);

/* A point of the map (as corrected up to `number`) that is known to lie at x, y: a surveyed tag. It
   goes with the keyframe nearest to it among the newest; slam_finish moves the whole map, rigidly,
   to where most of them agree, once two lie far enough apart to tell how it is turned. Those that
   contradict the others have no say. GANTRY_E_INVALID for values that are not finite, a sigma not
   above 0 or a number not reached; GANTRY_E_UNAVAILABLE before the first keyframe,
   GANTRY_E_TOO_LARGE beyond SLAM_ANCHORS_MAX. */
#define SLAM_ANCHORS_MAX 4096
gantry_err_t slam_anchor(slam_t *slam, double seen_x_m, double seen_y_m, uint32_t number,
                         double x_m, double y_m, double sigma_m);

/* The end of a drive: waits for the searches, optimises all keyframes, places every scan anew in
   the finished map. progress (may be NULL) is called with 0 .. 1 and ends it early by returning
   false (the map is whole all the same). Blocks for seconds on long drives; any one thread. */
typedef bool (*slam_progress_fn)(double share, void *arg);
gantry_err_t slam_finish(slam_t *slam, slam_progress_fn progress, void *arg,
                         slam_correction_t *out);

/* Borrowed; cells change only through slam, but dirty tiles may be taken. One grid for life. */
grid_t *slam_grid(slam_t *slam);
/* Scans fed or inserted, oldest first, each where it is known to have been by now. */
size_t slam_scan_count(const slam_t *slam);
pose2_t slam_scan_pose(const slam_t *slam, size_t scan, double *time_s);
uint32_t slam_keyframe_count(const slam_t *slam);
pose2_t slam_keyframe_pose(const slam_t *slam, uint32_t keyframe);
/* The scan it was made of. */
size_t slam_keyframe_scan(const slam_t *slam, uint32_t keyframe);
/* Candidates in order of appearance; borrowed until the next call that is not const. */
uint32_t slam_closures(const slam_t *slam, const slam_closure_t **out);
slam_quality_t slam_quality(const slam_t *slam);
/* The same in parts, for whoever has no tenths of a second to spare: a keyframe a call, some half
   millisecond. *look is zeroed before the first and belongs to this slam alone. True, and *look
   zeroed again, when *out is there. The map may change in between. */
typedef struct slam_look {
  uint32_t next, stride; /* keyframe, and from one to the next; 0: to begin */
  uint32_t fitted, rays, crossing;
  double residual_m, inliers; /* sums */
} slam_look_t;
bool slam_look_on(const slam_t *slam, slam_look_t *look, slam_quality_t *out);
slam_counts_t slam_counts(const slam_t *slam);

/* Keyframes with their scans, edges, closures and anchors, to go on later; the grid is not in it.
   Waits for the search that runs. GANTRY_E_TOO_LARGE when out is full. Loading wants an empty slam
   (GANTRY_E_CONFLICT) and composes the grid, as far as there are tiles: GANTRY_E_SCHEMA for bytes
   that are damaged. */
gantry_err_t slam_save(const slam_t *slam, buf_t *out);
gantry_err_t slam_load(slam_t *slam, const uint8_t *bytes, size_t len);

#endif
