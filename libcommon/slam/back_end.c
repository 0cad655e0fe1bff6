/* Keyframes in, poses out: the order of the back end's work. */
#include "back_end.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A keyframe is looked for after this much travel. */
static const double SEARCH_EVERY_M = 0.5;
/* Closures that only confirm the graph wait until there are so many, and a share of the keyframes
   more: a long drive must not solve its whole graph at every one. */
enum { SOLVE_ITERATIONS = 12, SOLVE_EVERY = 10, SOLVE_SHARE = 100 };

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

back_end_t *back_end_new(const slam_config_t *config) {
  back_end_t *end = calloc(1, sizeof *end);
  if (!end) return NULL;
  end->config = *config;
  end->match = config->tracker.match;
  end->graph = pose_graph_new();
  end->recent = grid_new(&config->tracker.grid);
  end->recent_field = tracker_new_field(&config->tracker);
  if (!end->graph || !end->recent || !end->recent_field) back_end_destroy(&end);
  return end;
}

void back_end_destroy(back_end_t **self) {
  back_end_t *end = *self;
  if (!end) return;
  submap_forget_all(end);
  pose_graph_destroy(&end->graph);
  grid_destroy(&end->recent);
  distance_field_destroy(&end->recent_field);
  free(end->keyframes);
  free(end->steps);
  free(end->chain);
  free(end->path_m);
  free(end->submaps);
  free(end->closures);
  free(end->closure_edges);
  free(end);
  *self = NULL;
}

static bool grow(void **array, size_t element, uint32_t capacity) {
  void *bigger = realloc(*array, element * capacity);
  if (bigger) *array = bigger;
  return bigger != NULL;
}

static gantry_err_t reserve(back_end_t *end) {
  if (end->count < end->capacity) return GANTRY_OK;
  uint32_t capacity = end->capacity ? end->capacity * 2 : 256;
  if (!grow((void **)&end->keyframes, sizeof(const keyframe_t *), capacity) ||
      !grow((void **)&end->steps, sizeof *end->steps, capacity) ||
      !grow((void **)&end->chain, sizeof *end->chain, capacity) ||
      !grow((void **)&end->path_m, sizeof *end->path_m, capacity))
    return GANTRY_E_INTERNAL;
  end->capacity = capacity;
  return GANTRY_OK;
}

gantry_err_t back_end_append(back_end_t *end, const keyframe_t *keyframe, pose2_t pose,
                             pose2_t step) {
  GANTRY_TRY(reserve(end));
  uint32_t index = end->count;
  pose2_t node = index ? pose2_compose(pose_graph_pose(end->graph, index - 1), step) : pose;
  GANTRY_TRY(pose_graph_add_node(end->graph, node, NULL));
  end->keyframes[index] = keyframe;
  end->steps[index] = step;
  end->chain[index] = pose;
  end->count++;
  return GANTRY_OK;
}

static gantry_err_t search_new(back_end_t *end) {
  double from_m = end->searched ? end->path_m[end->searched - 1] : -SEARCH_EVERY_M;
  for (uint32_t i = end->searched; i < end->placed; i++) {
    if (end->path_m[i] - from_m < SEARCH_EVERY_M) continue;
    from_m = end->path_m[i];
    end->searched = i + 1;
    GANTRY_TRY(closure_search(end, i));
  }
  return GANTRY_OK;
}

gantry_err_t back_end_run(back_end_t *end, bool last, bool *moved) {
  *moved = false;
  double begin_s = now_s();
  while (end->placed < end->count)
    GANTRY_TRY(chain_place(end));
  if (end->config.closures) GANTRY_TRY(search_new(end));
  double searched_s = now_s();
  end->counts.search_s += searched_s - begin_s;
  bool pays = end->solve_wanted || end->unsolved > SOLVE_EVERY + end->count / SOLVE_SHARE;
  if (!pays && !(last && end->unsolved)) return GANTRY_OK;
  end->solve_wanted = false;
  end->unsolved = 0;
  gantry_err_t err = pose_graph_solve(end->graph, SOLVE_ITERATIONS, 0.001, 0.0002, NULL);
  closure_review(end);
  end->counts.solves++;
  end->counts.solve_s += now_s() - searched_s;
  *moved = err == GANTRY_OK;
  return err;
}
