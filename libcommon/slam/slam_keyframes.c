/* Scans and keyframes as they come, and how they are thinned when they grow too many. */
#include <stdlib.h>

#include "slam_parts.h"

gantry_err_t slam_keep_scan(slam_t *slam, double time_s, pose2_t pose) {
  if (slam->scan_count == slam->scan_capacity) {
    size_t capacity = slam->scan_capacity ? slam->scan_capacity * 2 : 1024;
    slam_scan_t *scans = realloc(slam->scans, capacity * sizeof *scans);
    if (!scans) return GANTRY_E_INTERNAL;
    slam->scans = scans;
    slam->scan_capacity = capacity;
  }
  slam_scan_t *scan = &slam->scans[slam->scan_count++];
  *scan = (slam_scan_t){.time_s = time_s, .keyframe = SLAM_NO_KEYFRAME, .offset = pose};
  if (slam->count == 0) return GANTRY_OK;
  scan->keyframe = slam->holder;
  scan->offset = pose2_between(slam->poses[scan->keyframe], pose);
  return GANTRY_OK;
}

static gantry_err_t reserve(slam_t *slam) {
  if (slam->count < slam->capacity) return GANTRY_OK;
  uint32_t capacity = slam->capacity ? slam->capacity * 2 : 256;
  keyframe_t **keyframes = realloc(slam->keyframes, capacity * sizeof(keyframe_t *));
  if (keyframes) slam->keyframes = keyframes;
  pose2_t *poses = realloc(slam->poses, capacity * sizeof *poses);
  if (poses) slam->poses = poses;
  if (!keyframes || !poses) return GANTRY_E_INTERNAL;
  slam->capacity = capacity;
  return GANTRY_OK;
}

/* Halves every scan kept, and those to come. The second thread must be idle: it reads them. */
static gantry_err_t thin(slam_t *slam) {
  slam_job_wait(slam);
  slam->keyframe_bytes = 0;
  slam->stride *= 2;
  for (uint32_t i = 0; i < slam->count; i++) {
    keyframe_t *half = keyframe_halved(slam->keyframes[i]);
    if (!half) return GANTRY_E_INTERNAL;
    free(slam->keyframes[i]);
    slam->keyframes[i] = half;
    if (i < slam->end->count) slam->end->keyframes[i] = half;
    slam->keyframe_bytes += keyframe_bytes(half);
  }
  return GANTRY_OK;
}

static gantry_err_t keep(slam_t *slam, keyframe_t *keyframe, pose2_t pose) {
  gantry_err_t err = keyframe ? reserve(slam) : GANTRY_E_INTERNAL;
  if (err != GANTRY_OK) {
    free(keyframe);
    return err;
  }
  slam->keyframes[slam->count] = keyframe;
  slam->poses[slam->count] = pose;
  slam->holder = slam->count++;
  slam->keyframe_bytes += keyframe_bytes(keyframe);
  return coverage_add(&slam->coverage, pose, slam->holder);
}

/* Scans that made no keyframe are kept, too: a robot that stood for hours has many of them. They
   leave keyframes a quarter at least. */
static size_t keyframe_limit(const slam_t *slam) {
  size_t limit = slam->config.memory_limit;
  size_t scans = slam->scan_count * sizeof *slam->scans;
  return scans < limit - limit / 4 ? limit - scans : limit / 4;
}

gantry_err_t slam_keep_keyframe(slam_t *slam, pose2_t pose, const points_t *points) {
  uint32_t scan = (uint32_t)slam->scan_count; /* the one that is being kept */
  GANTRY_TRY(keep(slam, keyframe_new(points, scan, slam->stride), pose));
  return slam->keyframe_bytes > keyframe_limit(slam) ? thin(slam) : GANTRY_OK;
}

gantry_err_t slam_hand_over(slam_t *slam) {
  for (; slam->handed < slam->count; slam->handed++) {
    uint32_t i = slam->handed;
    pose2_t step = i ? pose2_between(slam->poses[i - 1], slam->poses[i]) : (pose2_t){0};
    GANTRY_TRY(back_end_append(slam->end, slam->keyframes[i], slam->poses[i], step));
  }
  return GANTRY_OK;
}

gantry_err_t slam_restore_keyframe(slam_t *slam, keyframe_t *keyframe, pose2_t pose,
                                   pose2_t chain) {
  GANTRY_TRY(keep(slam, keyframe, pose));
  GANTRY_TRY(slam_hand_over(slam));
  pose_graph_set_pose(slam->end->graph, slam->count - 1, pose);
  return chain_restore(slam->end, chain);
}
