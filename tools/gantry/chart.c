/* A map to be found on. */
#include "chart.h"

#include <math.h>
#include <string.h>

/* A scan of the place fits with most of its points; of a place that looks alike, some. */
static const double SCORE_MIN = 0.4;
static const double INLIERS_MIN = 0.6;
/* The second best place must fit this much worse. */
static const double UNIQUE = 1.15;

enum { TILE_LIMIT = 65536 };

gantry_err_t chart_open(chart_t *chart, const char *yaml, gantry_fault_t *fault) {
  tracker_config_t config = tracker_config_default();
  *chart = (chart_t){0};
  GANTRY_TRY(map_image_read(yaml, &chart->cells, fault));
  config.grid.resolution_m = chart->cells.resolution_m;
  config.grid.tile_limit = TILE_LIMIT;
  config.truncation_m = fmax(config.truncation_m, 2.0 * config.grid.resolution_m);
  chart->tracker = tracker_new(&config);
  if (!chart->tracker) return fault_set(fault, GANTRY_E_INTERNAL, "map", "out of memory");
  gantry_err_t err = tracker_load(chart->tracker, chart->cells.box, chart->cells.cells);
  if (err != GANTRY_OK) return fault_set(fault, err, "map", "loading: %s", gantry_err_name(err));
  tracker_set_mapping(chart->tracker, false);
  if (!memchr(chart->cells.cells, GRID_OCCUPIED,
              (size_t)chart->cells.box.width * chart->cells.box.height))
    return fault_set(fault, GANTRY_E_INVALID, "map", "there is no wall in the map");
  chart->search = search_map_new(tracker_grid(chart->tracker), chart->cells.box);
  return chart->search ? GANTRY_OK : fault_set(fault, GANTRY_E_INTERNAL, "map", "out of memory");
}

void chart_close(chart_t *chart) {
  search_map_destroy(&chart->search);
  tracker_destroy(&chart->tracker);
  map_cells_fini(&chart->cells);
}

bool chart_find(const chart_t *chart, const points_t *points, pose2_t *pose) {
  const map_cells_t *cells = &chart->cells;
  double reach_x_m = 0.5 * cells->box.width * cells->resolution_m;
  double reach_y_m = 0.5 * cells->box.height * cells->resolution_m;
  search_window_t window = {.centre = {cells->box.min_x * cells->resolution_m + reach_x_m,
                                       cells->box.min_y * cells->resolution_m + reach_y_m, 0.0},
                            .reach_x_m = reach_x_m,
                            .reach_y_m = reach_y_m,
                            .reach_rad = M_PI};
  match_config_t config = match_config_default();
  search_match_t found;
  if (search_and_match(chart->search, tracker_field(chart->tracker), points, &window, SCORE_MIN,
                       &config, &found) != GANTRY_OK)
    return false;
  *pose = found.best.pose;
  bool unique =
      !found.has_runner_up || found.runner_up.mean_residual_m > UNIQUE * found.best.mean_residual_m;
  return unique && found.best.inlier_fraction >= INLIERS_MIN;
}
