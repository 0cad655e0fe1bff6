/* Preparation of a search: which points are scored, at which poses. */
#include "search_run.h"

#include <math.h>
#include <stdlib.h>

static const float SPACING_M = 0.10f;      /* between points that are scored */
static const double STEP_CELLS = 3.0;      /* a heading step moves a typical point this much */
static const double STEP_MIN_RAD = 0.0044; /* 0.25 degrees */
static const double STEP_MAX_RAD = 0.035;  /* 2 degrees: refinement bridges half of it easily */

/* Writes the indices of points at least a spacing apart from the one before; returns how many there
   are, SEARCH_POINTS_MAX + 1 when there are too many. */
static uint32_t pick(const points_t *points, float spacing_m, uint32_t index[SEARCH_POINTS_MAX]) {
  uint32_t count = 0;
  float last_x = INFINITY;
  float last_y = INFINITY;
  for (uint32_t i = 0; i < points->count; i++) {
    float x = points->x_m[i];
    float y = points->y_m[i];
    if (!(hypotf(x, y) <= (float)POINTS_RANGE_MAX_M)) continue; /* nor what is not a number */
    if (hypotf(x - last_x, y - last_y) < spacing_m) continue;
    if (count == SEARCH_POINTS_MAX) return count + 1;
    last_x = x;
    last_y = y;
    index[count++] = i;
  }
  return count;
}

/* Thins the scan, and deals it out so that every 17 points in a row come from all round: what a few
   of them say of a box then tells early what all will. */
static void take_points(search_run_t *run, const points_t *points) {
  uint32_t index[SEARCH_POINTS_MAX];
  float spacing = SPACING_M;
  uint32_t count = pick(points, spacing, index);
  for (; count > SEARCH_POINTS_MAX; count = pick(points, spacing, index))
    spacing *= 1.3f;
  uint32_t stride = count / SEARCH_NEAR_GROUP + 1;
  for (uint32_t first = 0; first < stride; first++)
    for (uint32_t i = first; i < count; i += stride) {
      float x = points->x_m[index[i]];
      float y = points->y_m[index[i]];
      run->x_m[run->point_count] = x;
      run->y_m[run->point_count++] = y;
      run->reach_m = fmax(run->reach_m, hypotf(x, y));
      run->spread_m += x * x + y * y;
    }
  run->spread_m = sqrt(run->spread_m / fmax(count, 1.0));
}

/* The shifts from -reach to reach at which a point can meet the map; false when there are none. */
static bool clip_axis(double centre_m, double reach_m, double scan_m, double map_min_m,
                      double map_max_m, double cell_m, double *first_m, int32_t *count) {
  double low = ceil((map_min_m - scan_m - centre_m) / cell_m);
  double high = floor((map_max_m + scan_m - centre_m) / cell_m);
  double steps = floor(reach_m / cell_m + 1e-9);
  low = fmax(low, -steps);
  high = fmin(high, steps);
  if (!(low <= high)) return false;
  *first_m = centre_m + low * cell_m;
  *count = (int32_t)(high - low) + 1;
  return true;
}

static bool clip_window(search_run_t *run, const search_window_t *window) {
  const search_map_t *map = run->map;
  double cell = map->resolution_m;
  double min_x = map->min_x * cell;
  double min_y = map->min_y * cell;
  bool meets = clip_axis(window->centre.x, window->reach_x_m, run->reach_m, min_x,
                         min_x + map->width * cell, cell, &run->x0_m, &run->shifts_x) &&
               clip_axis(window->centre.y, window->reach_y_m, run->reach_m, min_y,
                         min_y + map->height * cell, cell, &run->y0_m, &run->shifts_y);
  if (!meets) return false;
  run->columns = (uint32_t)(run->shifts_x + SEARCH_BOX - 1) / SEARCH_BOX;
  run->rows = (uint32_t)(run->shifts_y + SEARCH_BOX - 1) / SEARCH_BOX;
  run->pitch = (run->columns + SEARCH_VECTOR - 1) / SEARCH_VECTOR * SEARCH_VECTOR + SEARCH_VECTOR;
  return true;
}

static void divide_headings(search_run_t *run, const search_window_t *window) {
  double step = STEP_CELLS * run->map->resolution_m / fmax(run->spread_m, 0.1);
  step = fmin(fmax(step, STEP_MIN_RAD), STEP_MAX_RAD);
  double reach = fmin(window->reach_rad, M_PI);
  if (reach >= M_PI) {
    run->headings = (uint32_t)ceil(2.0 * M_PI / step);
    run->step_rad = 2.0 * M_PI / run->headings;
  } else {
    uint32_t steps = (uint32_t)ceil(reach / step);
    run->headings = 2 * steps + 1;
    run->step_rad = steps ? reach / steps : 0.0;
  }
  uint32_t middle = run->headings / 2;
  run->first_rad = window->centre.theta - run->step_rad * middle;
}

static void place_points(search_run_t *run) {
  const search_map_t *map = run->map;
  double x0 = run->x0_m / map->resolution_m - map->min_x;
  double y0 = run->y0_m / map->resolution_m - map->min_y;
  search_cell_t *cell = run->cells;
  for (uint32_t k = 0; k < run->headings; k++) {
    double heading = run->first_rad + run->step_rad * k;
    double c = cos(heading) / map->resolution_m;
    double s = sin(heading) / map->resolution_m;
    for (uint32_t i = 0; i < run->point_count; i++)
      *cell++ = (search_cell_t){.x = (int32_t)floor(x0 + c * run->x_m[i] - s * run->y_m[i]),
                                .y = (int32_t)floor(y0 + s * run->x_m[i] + c * run->y_m[i])};
  }
}

pose2_t search_run_pose(const search_run_t *run, const search_leaf_t *leaf) {
  double cell = run->map->resolution_m;
  return (pose2_t){.x = run->x0_m + leaf->x * cell,
                   .y = run->y0_m + leaf->y * cell,
                   .theta = wrap_rad(run->first_rad + run->step_rad * leaf->heading)};
}

static bool reserve(search_run_t *run) {
  size_t size = (size_t)run->rows * run->pitch;
  run->cells = malloc((size_t)run->headings * run->point_count * sizeof *run->cells);
  run->bytes = malloc(size);
  run->image = malloc(size * sizeof *run->image);
  run->row_best = malloc(run->rows * sizeof *run->row_best);
  run->waiting = malloc(SEARCH_WAITING_MAX * sizeof *run->waiting);
  run->leaves = malloc(SEARCH_LEAVES_MAX * sizeof *run->leaves);
  return run->cells && run->bytes && run->image && run->row_best && run->waiting && run->leaves;
}

gantry_err_t search_run_init(search_run_t *run, const search_map_t *map, const points_t *points,
                             const search_window_t *window) {
  *run = (search_run_t){.map = map};
  take_points(run, points);
  if (run->point_count == 0) return GANTRY_E_UNAVAILABLE;
  if (!clip_window(run, window)) return GANTRY_E_NOT_FOUND;
  divide_headings(run, window);
  if (!reserve(run)) return GANTRY_E_INTERNAL;
  place_points(run);
  return GANTRY_OK;
}

void search_run_fini(search_run_t *run) {
  free(run->cells);
  free(run->bytes);
  free(run->image);
  free(run->row_best);
  free(run->waiting);
  free(run->leaves);
  *run = (search_run_t){0};
}
