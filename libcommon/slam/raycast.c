/* Rays through the grid: carving what was measured, and casting what would be seen. */
#include <gantry/slam/raycast.h>

#include <math.h>
#include <stdlib.h>

#include "grid_tile.h"

/* A walk along a line of cells; at each step one axis advances always, the other when its error
   term says so (Bresenham, IBM Systems Journal 4, 1965). */
typedef struct walk {
  int32_t x, y;
  int32_t step_x, step_y;
  int32_t delta_x, delta_y; /* absolute differences */
  int32_t error;
} walk_t;

static walk_t walk_begin(grid_index_t from, grid_index_t to) {
  walk_t walk = {.x = from.x,
                 .y = from.y,
                 .step_x = from.x < to.x ? 1 : -1,
                 .step_y = from.y < to.y ? 1 : -1,
                 .delta_x = abs(to.x - from.x),
                 .delta_y = abs(to.y - from.y)};
  walk.error = walk.delta_x - walk.delta_y;
  return walk;
}

static inline void walk_step(walk_t *walk) {
  int32_t twice = 2 * walk->error;
  if (twice > -walk->delta_y) {
    walk->error -= walk->delta_y;
    walk->x += walk->step_x;
  }
  if (twice < walk->delta_x) {
    walk->error += walk->delta_x;
    walk->y += walk->step_y;
  }
}

static bool ray_is_usable(const grid_t *grid, double x0_m, double y0_m, double x1_m, double y1_m) {
  double reach_m = RAYCAST_CELLS_MAX * grid_resolution_m(grid);
  return isfinite(x0_m) && isfinite(y0_m) && fabs(x1_m - x0_m) <= reach_m &&
         fabs(y1_m - y0_m) <= reach_m;
}

/* Counts one cell of a ray with `left` cells to go. The last cell before the end is only made
   known, not counted: range noise and rays that graze a wall would wear its face away. */
static inline void count_step(grid_t *grid, grid_slot_t *slot, uint32_t cell, int32_t left) {
  if (left == 1 && grid_tile_bit(slot->tile->known, cell)) return;
  grid_count(grid, slot, cell, left == 0);
}

static gantry_err_t carve(grid_t *grid, grid_index_t from, grid_index_t to) {
  walk_t walk = walk_begin(from, to);
  int32_t steps = walk.delta_x > walk.delta_y ? walk.delta_x : walk.delta_y;
  int32_t tx = walk.x >> GRID_TILE_SHIFT;
  int32_t ty = walk.y >> GRID_TILE_SHIFT;
  grid_slot_t *slot = NULL;
  GANTRY_TRY(grid_slot_ensure(grid, tx, ty, &slot));
  for (int32_t i = 0; i <= steps; i++) {
    if (walk.x >> GRID_TILE_SHIFT != tx || walk.y >> GRID_TILE_SHIFT != ty) {
      tx = walk.x >> GRID_TILE_SHIFT;
      ty = walk.y >> GRID_TILE_SHIFT;
      GANTRY_TRY(grid_slot_ensure(grid, tx, ty, &slot));
    }
    count_step(grid, slot, grid_cell_offset(walk.x, walk.y), steps - i);
    walk_step(&walk);
  }
  return GANTRY_OK;
}

gantry_err_t raycast_carve(grid_t *grid, double x0_m, double y0_m, double x1_m, double y1_m) {
  if (!ray_is_usable(grid, x0_m, y0_m, x1_m, y1_m)) return GANTRY_E_INVALID;
  return carve(grid, grid_cell_at(grid, x0_m, y0_m), grid_cell_at(grid, x1_m, y1_m));
}

gantry_err_t raycast_insert(grid_t *grid, pose2_t pose, const points_t *points) {
  double c = cos(pose.theta);
  double s = sin(pose.theta);
  double x0 = pose.x + c * points->origin_x_m - s * points->origin_y_m;
  double y0 = pose.y + s * points->origin_x_m + c * points->origin_y_m;
  for (uint32_t i = 0; i < points->count; i++) {
    double x1 = pose.x + c * points->x_m[i] - s * points->y_m[i];
    double y1 = pose.y + s * points->x_m[i] + c * points->y_m[i];
    GANTRY_TRY(raycast_carve(grid, x0, y0, x1, y1));
  }
  return GANTRY_OK;
}

bool raycast_range(const grid_t *grid, pose2_t from, double max_m, double *range_m) {
  double x1_m = from.x + max_m * cos(from.theta);
  double y1_m = from.y + max_m * sin(from.theta);
  if (!ray_is_usable(grid, from.x, from.y, x1_m, y1_m)) return false;

  walk_t walk = walk_begin(grid_cell_at(grid, from.x, from.y), grid_cell_at(grid, x1_m, y1_m));
  int32_t steps = walk.delta_x > walk.delta_y ? walk.delta_x : walk.delta_y;
  for (int32_t i = 0; i <= steps; i++, walk_step(&walk)) {
    if (grid_state(grid, walk.x, walk.y) != GRID_OCCUPIED) continue;
    double resolution_m = grid_resolution_m(grid);
    *range_m =
        hypot((walk.x + 0.5) * resolution_m - from.x, (walk.y + 0.5) * resolution_m - from.y);
    return *range_m <= max_m;
  }
  return false;
}
