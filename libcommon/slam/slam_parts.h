/* Inside of slam.h: what its files share. */
#ifndef GANTRY_SLAM_SLAM_PARTS_H
#define GANTRY_SLAM_SLAM_PARTS_H

#include <gantry/slam/slam.h>

#include "back_end.h"
#include "coverage.h"
#include "keyframe.h"
#include "worker.h"

#define SLAM_NO_KEYFRAME UINT32_MAX

typedef struct slam_scan {
  double time_s;
  uint32_t keyframe; /* one near by; SLAM_NO_KEYFRAME before the first */
  pose2_t offset;    /* as seen from it */
} slam_scan_t;

/* See slam_anchor. */
typedef struct slam_anchor {
  uint32_t keyframe;
  double seen_x_m, seen_y_m; /* as seen from it */
  double x_m, y_m, weight;
} slam_anchor_t;

/* What the second thread is asked, and what it answers. */
typedef struct slam_job {
  bool begun;      /* and not merged */
  bool last;       /* of the drive */
  uint32_t upto;   /* keyframes it knows */
  pose2_t *before; /* their poses when it began */
  pose2_t *after;
  uint32_t capacity;
  grid_t *composed;        /* NULL: nothing moved */
  distance_field_t *field; /* of it, when wants_field: the front end matches against it */
  bool wants_field;
  bool stays; /* the map as a whole: only its shape is the back end's to say */
  gantry_err_t err;
} slam_job_t;

struct slam {
  slam_config_t config;
  tracker_t *tracker;
  back_end_t *end; /* its owner while a job runs is the worker */
  worker_t *worker;
  slam_job_t job;
  bool inserts; /* scans come by slam_insert: jobs are merged when they are ready */
  bool loaded;  /* by slam_load: the old keyframes say where the map lies */
  slam_scan_t *scans;
  size_t scan_count, scan_capacity;
  keyframe_t **keyframes;
  pose2_t *poses;
  coverage_t coverage; /* of them */
  uint32_t holder;     /* the keyframe that scans are seen from: of the last one drawn */
  uint32_t count, capacity, handed; /* keyframes; given to the back end */
  uint32_t stride;                  /* of points kept, grows at the memory limit */
  size_t keyframe_bytes;
  pose2_t *steps; /* of every correction so far */
  uint32_t number, reported, step_capacity;
  gantry_err_t merged; /* what became of the last job */
  slam_closure_t
      *closures; /* as of the last merge, for callers: the worker's list may be growing */
  uint32_t closure_count, closure_capacity;
  slam_counts_t counts; /* the back end's, as of then */
  slam_anchor_t *anchors;
  uint32_t anchor_count, anchor_capacity;
  points_t points; /* scratch of the owner */
};

/* slam_keyframes.c: scans and keyframes as they come. */
gantry_err_t slam_keep_scan(slam_t *slam, double time_s, pose2_t pose);
gantry_err_t slam_keep_keyframe(slam_t *slam, pose2_t pose, const points_t *points);
gantry_err_t slam_hand_over(slam_t *slam);
/* Owns the keyframe; chain: its place in the back end's chain. */
gantry_err_t slam_restore_keyframe(slam_t *slam, keyframe_t *keyframe, pose2_t pose, pose2_t chain);
/* slam_job.c: the second thread's work and taking it over. */
gantry_err_t slam_job_begin(slam_t *slam, bool last);
void slam_job_wait(const slam_t *slam);
/* For callers, who may ask while the next job runs. */
gantry_err_t slam_copy_closures(slam_t *slam);
/* The job must be done. */
gantry_err_t slam_job_merge(slam_t *slam);
/* Keyframes 0 .. count - 1 are at poses now, grid holds them; takes over both. field:
   of grid, or NULL. */
gantry_err_t slam_adopt(slam_t *slam, const pose2_t *poses, uint32_t count, grid_t *grid,
                        distance_field_t *field);
/* slam_anchor.c: another anchor, copied. GANTRY_E_TOO_LARGE beyond SLAM_ANCHORS_MAX. */
gantry_err_t slam_keep_anchor(slam_t *slam, const slam_anchor_t *anchor);
/* The step that takes keyframes at these poses to where the anchors lie. False when
   they do not tell. */
bool slam_anchor_step(const slam_t *slam, const pose2_t *poses, pose2_t *step);
/* The step that lays keyframes at `from` onto those at `to`. False when they lie too close. */
bool slam_lay_step(const pose2_t *from, const pose2_t *to, uint32_t count, pose2_t *step);
/* slam_finish.c: places all keyframes anew in the map. */
gantry_err_t slam_refine(slam_t *slam, slam_progress_fn progress, void *arg);

#endif
