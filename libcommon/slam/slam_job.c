/* The second thread's work, and how its result becomes the map. */
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compose.h"
#include "slam_parts.h"

/* Moves below these do not make a new map on the way: the front end lives with them, and whoever
   follows the map is spared the change. Finishing takes care of the rest. */
static const double MOVED_M = 0.1, MOVED_RAD = 0.02;

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool has_moved(const slam_job_t *job) {
  for (uint32_t i = 0; i < job->upto; i++) {
    if (pose2_distance(job->before[i], job->after[i]) > MOVED_M) return true;
    if (fabs(wrap_rad(job->after[i].theta - job->before[i].theta)) > MOVED_RAD) return true;
  }
  return false;
}

/* Draws the map of the new poses; and its field, when the front end matches against it. */
static gantry_err_t compose(slam_t *slam, slam_job_t *job) {
  double begin_s = now_s();
  malloc_trim(0); /* what the map before this one left in holes */
  const tracker_config_t *config = &slam->config.tracker;
  job->composed = grid_new(&config->grid);
  if (job->wants_field) job->field = tracker_new_field(config);
  if (!job->composed || (job->wants_field && !job->field)) return GANTRY_E_INTERNAL;
  gantry_err_t err = compose_carve(job->composed, slam->end->keyframes, job->after, 0, job->upto,
                                   &slam->end->points);
  /* Around the newest, where it will be taken over; the points are its by now. */
  if (job->field)
    tracker_focus_field(config, job->field, job->after[job->upto - 1], &slam->end->points);
  if (err == GANTRY_OK && job->field) err = distance_field_update(job->field, job->composed);
  slam->end->counts.compose_s += now_s() - begin_s;
  return err;
}

/* Whoever inserts has placed the scans among surveyed tags, also where that bent the way: of it the
   back end knows the shape better, but not where it lies. */
static void lay(slam_job_t *job) {
  pose2_t step;
  if (!slam_lay_step(job->after, job->before, job->upto, &step)) return;
  for (uint32_t i = 0; i < job->upto; i++)
    job->after[i] = pose2_compose(step, job->after[i]);
}

/* On the second thread. */
static void run(void *arg) {
  slam_t *slam = arg;
  slam_job_t *job = &slam->job;
  bool moved = false;
  slam->end->front = job->before;
  job->err = back_end_run(slam->end, job->last, &moved);
  if (job->err != GANTRY_OK || !moved) return;
  for (uint32_t i = 0; i < job->upto; i++)
    job->after[i] = pose_graph_pose(slam->end->graph, i);
  if (job->stays) lay(job);
  if (has_moved(job)) job->err = compose(slam, job);
}

static gantry_err_t reserve(slam_job_t *job, uint32_t count) {
  if (count <= job->capacity) return GANTRY_OK;
  uint32_t capacity = count * 2;
  pose2_t *before = realloc(job->before, capacity * sizeof *before);
  if (before) job->before = before;
  pose2_t *after = realloc(job->after, capacity * sizeof *after);
  if (after) job->after = after;
  if (!before || !after) return GANTRY_E_INTERNAL;
  job->capacity = capacity;
  return GANTRY_OK;
}

gantry_err_t slam_job_begin(slam_t *slam, bool last) {
  slam_job_t *job = &slam->job;
  GANTRY_TRY(reserve(job, slam->count));
  GANTRY_TRY(slam_hand_over(slam));
  memcpy(job->before, slam->poses, slam->count * sizeof *slam->poses);
  job->upto = slam->count;
  job->begun = true;
  job->last = last;
  job->wants_field = !slam->inserts;
  job->stays = slam->inserts && !slam->loaded;
  if (slam->worker)
    worker_start(slam->worker, run, slam);
  else
    run(slam);
  return GANTRY_OK;
}

void slam_job_wait(const slam_t *slam) {
  if (slam->worker) worker_wait(slam->worker);
}

static gantry_err_t note_step(slam_t *slam, pose2_t step) {
  if (slam->number == slam->step_capacity) {
    uint32_t capacity = slam->step_capacity ? slam->step_capacity * 2 : 64;
    pose2_t *steps = realloc(slam->steps, capacity * sizeof *steps);
    if (!steps) return GANTRY_E_INTERNAL;
    slam->steps = steps;
    slam->step_capacity = capacity;
  }
  slam->steps[slam->number++] = step;
  return GANTRY_OK;
}

/* The keyframes have moved. */
static gantry_err_t cover_anew(slam_t *slam) {
  coverage_clear(&slam->coverage);
  for (uint32_t i = 0; i < slam->count; i++)
    GANTRY_TRY(coverage_add(&slam->coverage, slam->poses[i], i));
  return GANTRY_OK;
}

gantry_err_t slam_adopt(slam_t *slam, const pose2_t *poses, uint32_t count, grid_t *grid,
                        distance_field_t *field) {
  if (count == 0) return GANTRY_OK;
  pose2_t step = pose2_compose(poses[count - 1], pose2_inverse(slam->poses[count - 1]));
  GANTRY_TRY(note_step(slam, step));
  memcpy(slam->poses, poses, count * sizeof *poses);
  for (uint32_t i = count; i < slam->count; i++)
    slam->poses[i] = pose2_compose(step, slam->poses[i]);
  GANTRY_TRY(cover_anew(slam));
  gantry_err_t err = compose_carve(grid, (const keyframe_t *const *)slam->keyframes, slam->poses,
                                   count, slam->count, &slam->points);
  /* What a full map has no room for is not in it; its step holds all the same. */
  if (err != GANTRY_OK && err != GANTRY_E_TOO_LARGE) return err;
  if (field) GANTRY_TRY(distance_field_update(field, grid));
  return tracker_correct(slam->tracker, grid, field, step);
}

gantry_err_t slam_copy_closures(slam_t *slam) {
  uint32_t count = slam->end->closure_count;
  if (count > slam->closure_capacity) {
    slam_closure_t *closures = realloc(slam->closures, 2 * (size_t)count * sizeof *closures);
    if (!closures) return GANTRY_E_INTERNAL;
    slam->closures = closures;
    slam->closure_capacity = 2 * count;
  }
  if (count) memcpy(slam->closures, slam->end->closures, count * sizeof *slam->closures);
  slam->closure_count = count;
  slam->counts = slam->end->counts;
  return GANTRY_OK;
}

gantry_err_t slam_job_merge(slam_t *slam) {
  slam_job_t *job = &slam->job;
  job->begun = false;
  gantry_err_t err = job->err == GANTRY_OK ? slam_copy_closures(slam) : job->err;
  if (err == GANTRY_OK && job->composed)
    err = slam_adopt(slam, job->after, job->upto, job->composed, job->field);
  grid_destroy(&job->composed);
  distance_field_destroy(&job->field);
  return err;
}
