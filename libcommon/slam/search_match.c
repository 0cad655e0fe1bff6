/* Search, refine, choose. */
#include <gantry/slam/search_match.h>

#include <math.h>

typedef struct candidate {
  match_result_t match;
  double score;
} candidate_t;

/* Two places may run together when refined: then they are one. */
static const double SAME_M = 0.5;
static const double SAME_RAD = 0.17;

static bool is_same(pose2_t a, pose2_t b) {
  return pose2_distance(a, b) < SAME_M && fabs(wrap_rad(a.theta - b.theta)) < SAME_RAD;
}

static bool is_better(const candidate_t *a, const candidate_t *b) {
  return a->match.mean_residual_m < b->match.mean_residual_m;
}

gantry_err_t search_and_match(const search_map_t *map, const distance_field_t *field,
                              const points_t *points, const search_window_t *window,
                              double score_min, const match_config_t *config, search_match_t *out) {
  search_place_t places[SEARCH_MATCH_PLACES];
  candidate_t found[SEARCH_MATCH_PLACES] = {{.score = 0.0}};
  match_config_t refine = *config;
  size_t count = 0;
  *out = (search_match_t){0};
  GANTRY_TRY(search_places(map, points, window, score_min, SEARCH_RIVAL, places,
                           SEARCH_MATCH_PLACES, &count, NULL));
  refine.rescue_residual_m = 0.0; /* the search was wider than any rescue */
  for (size_t i = 0; i < count; i++) {
    found[i].score = places[i].score;
    GANTRY_TRY(match_scan(field, points, places[i].pose, &refine, &found[i].match));
  }
  size_t best = 0;
  for (size_t i = 1; i < count; i++)
    if (is_better(&found[i], &found[best])) best = i;
  size_t second = count;
  for (size_t i = 0; i < count; i++) {
    if (is_same(found[i].match.pose, found[best].match.pose)) continue;
    if (second == count || is_better(&found[i], &found[second])) second = i;
  }
  out->best = found[best].match;
  out->score = found[best].score;
  out->places = (uint32_t)count;
  out->has_runner_up = second < count;
  if (out->has_runner_up) out->runner_up = found[second].match;
  return GANTRY_OK;
}
