/* Slam: the owner's side, scan by scan. */
#include <gantry/slam/slam.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "slam_parts.h"

/* A job begins when this many keyframes have come, and its result is taken over when as many more
   have: always at the same scan, so that two threads give the map that one gives. */
enum { JOB_KEYFRAMES = 10, LAG_KEYFRAMES = 10 };

slam_config_t slam_config_default(void) {
  slam_config_t config = {.tracker = tracker_config_default(),
                          .submap_length = 20,
                          .closures = true,
                          .threads = 2,
                          .closure_score = 0.55,
                          .closure_residual_m = 0.06,
                          .memory_limit = (size_t)64 << 20};
  config.tracker.local_field = true;
  return config;
}

slam_t *slam_new(const slam_config_t *config) {
  if (config->submap_length < 4 || config->submap_length > 10000 || config->threads < 1)
    return NULL;
  slam_t *slam = calloc(1, sizeof *slam);
  if (!slam) return NULL;
  slam->config = *config;
  slam->stride = 1;
  slam->tracker = tracker_new(&config->tracker);
  slam->end = back_end_new(config);
  if (config->threads > 1) slam->worker = worker_new();
  if (slam->tracker) (void)tracker_set_matching(slam->tracker, false); /* slam_feed wants it */
  if (!slam->tracker || !slam->end || (config->threads > 1 && !slam->worker)) slam_destroy(&slam);
  return slam;
}

void slam_destroy(slam_t **self) {
  slam_t *slam = *self;
  if (!slam) return;
  worker_destroy(&slam->worker);
  tracker_destroy(&slam->tracker);
  back_end_destroy(&slam->end);
  grid_destroy(&slam->job.composed);
  distance_field_destroy(&slam->job.field);
  for (uint32_t i = 0; i < slam->count; i++)
    free(slam->keyframes[i]);
  free(slam->job.before);
  free(slam->job.after);
  coverage_fini(&slam->coverage);
  free(slam->keyframes);
  free(slam->poses);
  free(slam->scans);
  free(slam->steps);
  free(slam->closures);
  free(slam->anchors);
  free(slam);
  *self = NULL;
}

/* After a keyframe: gives the second thread what is new. */
static gantry_err_t work(slam_t *slam) {
  if (slam->job.begun) {
    if (slam->inserts || slam->count < slam->job.upto + LAG_KEYFRAMES) return GANTRY_OK;
    slam_job_wait(slam);
    GANTRY_TRY(slam_job_merge(slam));
  }
  return slam->count >= slam->handed + JOB_KEYFRAMES ? slam_job_begin(slam, false) : GANTRY_OK;
}

static gantry_err_t keep(slam_t *slam, double time_s, const points_t *points, slam_result_t *out) {
  pose2_t pose = out->tracker.pose;
  uint32_t known = coverage_find(&slam->coverage, pose);
  out->keyframe = out->tracker.inserted && known == COVERAGE_NONE;
  if (out->keyframe)
    GANTRY_TRY(slam_keep_keyframe(slam, pose, points));
  else if (out->tracker.inserted)
    slam->holder = known;
  GANTRY_TRY(slam_keep_scan(slam, time_s, pose));
  return out->keyframe ? work(slam) : GANTRY_OK;
}

gantry_err_t slam_feed(slam_t *slam, double time_s, pose2_t odometry, const points_t *points,
                       slam_result_t *out) {
  *out = (slam_result_t){0};
  slam->inserts = false;
  GANTRY_TRY(tracker_set_matching(slam->tracker, true));
  GANTRY_TRY(tracker_feed(slam->tracker, odometry, points, &out->tracker));
  return keep(slam, time_s, points, out);
}

gantry_err_t slam_insert(slam_t *slam, double time_s, pose2_t pose, uint32_t number,
                         const points_t *points, slam_result_t *out) {
  *out = (slam_result_t){0};
  if (number > slam->number) return GANTRY_E_INVALID;
  for (uint32_t i = number; i < slam->number; i++)
    pose = pose2_compose(slam->steps[i], pose);
  slam->inserts = true;
  GANTRY_TRY(tracker_integrate(slam->tracker, pose, points, &out->tracker.inserted));
  out->tracker.pose = pose;
  return keep(slam, time_s, points, out);
}

/* What the caller has not heard of yet. */
static bool report(slam_t *slam, slam_correction_t *out) {
  *out = (slam_correction_t){.number = slam->number};
  for (uint32_t i = slam->reported; i < slam->number; i++)
    out->step = pose2_compose(slam->steps[i], out->step);
  bool moved = slam->reported < slam->number;
  slam->reported = slam->number;
  return moved;
}

bool slam_is_searching(const slam_t *slam) {
  return slam->worker && !worker_is_idle(slam->worker);
}

bool slam_poll(slam_t *slam, slam_correction_t *out) {
  bool ready = slam->inserts && slam->job.begun && !slam_is_searching(slam);
  if (ready) slam->merged = slam_job_merge(slam);
  return report(slam, out);
}

gantry_err_t slam_error(const slam_t *slam) {
  return slam->merged;
}

gantry_err_t slam_finish(slam_t *slam, slam_progress_fn progress, void *arg,
                         slam_correction_t *out) {
  slam_job_wait(slam);
  slam->merged = GANTRY_OK;
  if (slam->job.begun) GANTRY_TRY(slam_job_merge(slam));
  if (slam->count > 0) {
    GANTRY_TRY(slam_job_begin(slam, true));
    slam_job_wait(slam);
    GANTRY_TRY(slam_job_merge(slam));
  }
  GANTRY_TRY(slam_refine(slam, progress, arg));
  report(slam, out);
  return GANTRY_OK;
}

grid_t *slam_grid(slam_t *slam) {
  return tracker_grid(slam->tracker);
}

size_t slam_scan_count(const slam_t *slam) {
  return slam->scan_count;
}

pose2_t slam_scan_pose(const slam_t *slam, size_t scan, double *time_s) {
  const slam_scan_t *kept = &slam->scans[scan];
  if (time_s) *time_s = kept->time_s;
  if (kept->keyframe == SLAM_NO_KEYFRAME) return kept->offset;
  return pose2_compose(slam->poses[kept->keyframe], kept->offset);
}

uint32_t slam_keyframe_count(const slam_t *slam) {
  return slam->count;
}

pose2_t slam_keyframe_pose(const slam_t *slam, uint32_t keyframe) {
  return slam->poses[keyframe];
}

size_t slam_keyframe_scan(const slam_t *slam, uint32_t keyframe) {
  return slam->keyframes[keyframe]->scan;
}

uint32_t slam_closures(const slam_t *slam, const slam_closure_t **out) {
  *out = slam->closures;
  return slam->closure_count;
}

slam_counts_t slam_counts(const slam_t *slam) {
  slam_counts_t counts = slam->counts;
  counts.scans = slam->scan_count;
  counts.keyframes = slam->count;
  counts.submaps = slam->count < 2 * slam->config.submap_length
                       ? 0
                       : slam->count / slam->config.submap_length - 1;
  for (uint32_t i = 0; i < slam->closure_count; i++) {
    counts.closures += slam->closures[i].verdict == SLAM_ACCEPTED;
    counts.refused +=
        slam->closures[i].verdict != SLAM_ACCEPTED && slam->closures[i].verdict != SLAM_WAITING;
  }
  counts.bytes = slam->keyframe_bytes + (slam->scan_count * sizeof *slam->scans);
  return counts;
}
