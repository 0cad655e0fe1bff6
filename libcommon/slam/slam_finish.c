/* Finishing: all keyframes are placed anew in the map they have made together, a round at a time:
   each round draws the map from where the last one left them. Where a loop was closed this brings
   the two passes together to a fraction of a cell, which the graph, whose closures are single
   matches, cannot. The last round's cells are half as wide. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "compose.h"
#include "slam_parts.h"

/* A poorer fit stays where the graph put it. */
static const double INLIERS_MIN = 0.4;
enum { PROGRESS_EVERY = 16, FINE_TILES_MAX = 65536, TILE_BYTES = 13300 };

typedef struct round {
  double cell;     /* of the map's cells */
  double narrow_m; /* Cauchy scale */
} round_t;

static const round_t ROUNDS[] = {{1.0, 0.05}, {1.0, 0.05}, {0.5, 0.03}};
enum { ROUND_COUNT = sizeof ROUNDS / sizeof *ROUNDS };

typedef struct finish {
  slam_t *slam;
  slam_progress_fn progress;
  void *arg;
  bool ends;    /* progress said so */
  pose2_t *now; /* as of the last round that was ended */
  pose2_t *next;
} finish_t;

static gantry_err_t draw(slam_t *slam, const pose2_t *poses, double resolution_m, grid_t **grid) {
  grid_config_t config = slam->config.tracker.grid;
  config.resolution_m = resolution_m;
  if (resolution_m < slam->config.tracker.grid.resolution_m) config.tile_limit = FINE_TILES_MAX;
  *grid = grid_new(&config);
  if (!*grid) return GANTRY_E_INTERNAL;
  return compose_carve(*grid, (const keyframe_t *const *)slam->keyframes, poses, 0, slam->count,
                       &slam->points);
}

/* Half cells take four times the memory: large maps do without. */
static double cell_of(const finish_t *finish, const round_t *round) {
  double resolution_m = finish->slam->config.tracker.grid.resolution_m;
  size_t tiles = grid_tile_count(slam_grid(finish->slam));
  bool fits = 4 * tiles * TILE_BYTES <= finish->slam->config.memory_limit;
  return resolution_m * (fits && resolution_m >= 0.02 ? round->cell : 1.0);
}

static void place(finish_t *finish, const distance_field_t *field, uint32_t number) {
  slam_t *slam = finish->slam;
  match_config_t config = slam->config.tracker.match;
  config.rescue_residual_m = 0.0;
  config.corridor_weight = 0.0; /* the guess is the graph's, not the odometry's */
  config.narrow_m = ROUNDS[number].narrow_m;
  memcpy(finish->next, finish->now, slam->count * sizeof *finish->now);
  for (uint32_t i = 1; i < slam->count && !finish->ends; i++) {
    match_result_t match;
    keyframe_points(slam->keyframes[i], &slam->points);
    gantry_err_t err = match_scan(field, &slam->points, finish->now[i], &config, &match);
    if (err == GANTRY_OK && match.inlier_fraction >= INLIERS_MIN) finish->next[i] = match.pose;
    if (!finish->progress || i % PROGRESS_EVERY != 0) continue;
    double share = (number + (double)i / slam->count) / ROUND_COUNT;
    finish->ends = !finish->progress(share, finish->arg);
  }
}

static gantry_err_t run_round(finish_t *finish, uint32_t number) {
  slam_t *slam = finish->slam;
  double resolution_m = cell_of(finish, &ROUNDS[number]);
  distance_field_t *field =
      distance_field_new(resolution_m, slam->config.tracker.truncation_m, 2 * FINE_TILES_MAX);
  grid_t *grid = NULL;
  gantry_err_t err = field ? draw(slam, finish->now, resolution_m, &grid) : GANTRY_E_INTERNAL;
  if (err == GANTRY_OK) err = distance_field_update(field, grid);
  grid_destroy(&grid);
  if (err == GANTRY_OK) place(finish, field, number);
  distance_field_destroy(&field);
  if (err != GANTRY_OK || finish->ends) return err;
  pose2_t *last = finish->now;
  finish->now = finish->next;
  finish->next = last;
  return GANTRY_OK;
}

static gantry_err_t take_over(finish_t *finish) {
  slam_t *slam = finish->slam;
  grid_t *grid = NULL;
  pose2_t step;
  if (slam_anchor_step(slam, finish->now, &step))
    for (uint32_t i = 0; i < slam->count; i++)
      finish->now[i] = pose2_compose(step, finish->now[i]);
  gantry_err_t err = draw(slam, finish->now, slam->config.tracker.grid.resolution_m, &grid);
  if (err == GANTRY_OK) err = slam_adopt(slam, finish->now, slam->count, grid, NULL);
  grid_destroy(&grid);
  for (uint32_t i = 0; i < slam->count && err == GANTRY_OK; i++)
    pose_graph_set_pose(slam->end->graph, i, finish->now[i]);
  return err;
}

gantry_err_t slam_refine(slam_t *slam, slam_progress_fn progress, void *arg) {
  finish_t finish = {.slam = slam, .progress = progress, .arg = arg};
  if (slam->count < 2) return GANTRY_OK;
  submap_forget_all(slam->end); /* the rounds' maps want their room */
  malloc_trim(0);
  finish.now = malloc(slam->count * sizeof *finish.now);
  finish.next = malloc(slam->count * sizeof *finish.next);
  gantry_err_t err = finish.now && finish.next ? GANTRY_OK : GANTRY_E_INTERNAL;
  if (err == GANTRY_OK) memcpy(finish.now, slam->poses, slam->count * sizeof *finish.now);
  for (uint32_t i = 0; i < ROUND_COUNT && err == GANTRY_OK && !finish.ends; i++)
    err = run_round(&finish, i);
  if (err == GANTRY_OK) err = take_over(&finish);
  if (err == GANTRY_OK && progress && !finish.ends) progress(1.0, arg);
  free(finish.now);
  free(finish.next);
  return err;
}
