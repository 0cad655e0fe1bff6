/* Life of the active map. */
#include "session.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gantry/slam/raycast.h>

#include "patch.h"

#define INSERT_M   0.1
#define INSERT_RAD 0.1
enum { ORIGIN_CELL_MAX = GRID_COORD_MAX / 2 };

static grid_t *new_grid(double resolution_m, uint32_t tile_limit) {
  grid_config_t config = grid_config_default();
  config.resolution_m = resolution_m;
  config.tile_limit = tile_limit;
  return grid_new(&config);
}

static void begin_counts(session_t *session, uint32_t random, uint64_t wall_ns) {
  snprintf(session->session_id, sizeof session->session_id, "session_%08x", random);
  session->mapping = true;
  session->started_ns = wall_ns;
  session->scans = 0;
  session->integrated = 0;
  session->inserted = false;
  trajectory_clear(&session->trajectory);
}

static void replace_grid(session_t *session, grid_t *grid) {
  grid_destroy(&session->grid);
  session->grid = grid;
}

gantry_err_t session_begin(session_t *session, const session_plan_t *plan, const uint32_t random[2],
                           uint64_t wall_ns) {
  if (session->mapping) return GANTRY_E_REFUSED;
  if (!(plan->resolution_m >= 0.01 && plan->resolution_m <= 1.0)) return GANTRY_E_INVALID;
  grid_t *grid = new_grid(plan->resolution_m, plan->tile_limit);
  if (!grid) return GANTRY_E_INTERNAL;
  replace_grid(session, grid);
  snprintf(session->map_id, sizeof session->map_id, "map_%08x", random[0]);
  snprintf(session->name, sizeof session->name, "%s", plan->name);
  snprintf(session->metadata, sizeof session->metadata, "{}");
  session->expected = (grid_box_t){.min_x = -(int32_t)(plan->width / 2),
                                   .min_y = -(int32_t)(plan->height / 2),
                                   .width = plan->width,
                                   .height = plan->height};
  session->revision = 0;
  session->created_ns = wall_ns;
  session->updated_ns = wall_ns;
  session->extending = false;
  begin_counts(session, random[1], wall_ns);
  return GANTRY_OK;
}

static gantry_err_t box_of(const session_map_t *map, grid_box_t *out) {
  double column = round(map->origin_x_m / map->resolution_m);
  double row = round(map->origin_y_m / map->resolution_m);
  if (!(fabs(column) <= ORIGIN_CELL_MAX && fabs(row) <= ORIGIN_CELL_MAX)) return GANTRY_E_INVALID;
  if (map->width > ORIGIN_CELL_MAX || map->height > ORIGIN_CELL_MAX) return GANTRY_E_INVALID;
  *out = (grid_box_t){
      .min_x = (int32_t)column, .min_y = (int32_t)row, .width = map->width, .height = map->height};
  return GANTRY_OK;
}

gantry_err_t session_load(session_t *session, const session_map_t *map, const uint8_t *cells,
                          size_t cells_len) {
  grid_box_t box;
  if (session->mapping) return GANTRY_E_REFUSED;
  if (!(map->resolution_m >= 0.01 && map->resolution_m <= 1.0)) return GANTRY_E_INVALID;
  GANTRY_TRY(box_of(map, &box));
  grid_t *grid = new_grid(map->resolution_m, map->tile_limit);
  if (!grid) return GANTRY_E_INTERNAL;
  gantry_err_t err = patch_decode(grid, box, cells, cells_len);
  if (err != GANTRY_OK) {
    grid_destroy(&grid);
    return err;
  }
  patch_skip(grid);
  replace_grid(session, grid);
  snprintf(session->map_id, sizeof session->map_id, "%s", map->map_id);
  snprintf(session->name, sizeof session->name, "%s", map->name);
  snprintf(session->metadata, sizeof session->metadata, "%s", map->metadata);
  session->session_id[0] = '\0';
  session->expected = box;
  session->revision = map->revision;
  session->created_ns = map->created_ns;
  session->updated_ns = map->updated_ns;
  session->extending = false;
  session->scans = 0;
  session->integrated = 0;
  session->inserted = false;
  trajectory_clear(&session->trajectory);
  return GANTRY_OK;
}

gantry_err_t session_extend(session_t *session, uint32_t random, uint64_t wall_ns) {
  if (!session->grid) return GANTRY_E_NOT_FOUND;
  if (session->mapping) return GANTRY_E_REFUSED;
  session->extending = true;
  begin_counts(session, random, wall_ns);
  return GANTRY_OK;
}

gantry_err_t session_resume(session_t *session, const session_resume_t *resume, uint64_t wall_ns) {
  if (!session->grid) return GANTRY_E_NOT_FOUND;
  if (session->mapping) return GANTRY_E_REFUSED;
  snprintf(session->session_id, sizeof session->session_id, "%s", resume->session_id);
  session->mapping = true;
  session->extending = resume->extending;
  session->started_ns = resume->started_ns;
  session->scans = resume->scans;
  session->integrated = resume->integrated;
  session->inserted = resume->has_pose;
  session->last_insert = resume->pose;
  trajectory_clear(&session->trajectory);
  if (resume->has_pose) trajectory_add(&session->trajectory, resume->pose, wall_ns);
  return GANTRY_OK;
}

gantry_err_t session_end(session_t *session, uint64_t wall_ns) {
  if (!session->mapping) return GANTRY_E_REFUSED;
  session->mapping = false;
  session->extending = false;
  session->updated_ns = wall_ns;
  return GANTRY_OK;
}

void session_fini(session_t *session) {
  grid_destroy(&session->grid);
  *session = (session_t){0};
}

void session_count_scan(session_t *session) {
  if (session->mapping) session->scans++;
}

static bool moved_enough(const session_t *session, pose2_t pose) {
  if (!session->inserted) return true;
  return pose2_distance(session->last_insert, pose) >= INSERT_M ||
         fabs(wrap_rad(pose.theta - session->last_insert.theta)) >= INSERT_RAD;
}

gantry_err_t session_integrate(session_t *session, pose2_t pose, const points_t *points,
                               uint64_t wall_ns, bool *inserted) {
  *inserted = false;
  if (!session->mapping) return GANTRY_OK;
  trajectory_add(&session->trajectory, pose, wall_ns);
  if (!moved_enough(session, pose)) return GANTRY_OK;
  GANTRY_TRY(raycast_insert(session->grid, pose, points));
  session->inserted = true;
  session->last_insert = pose;
  session->integrated++;
  session->updated_ns = wall_ns;
  *inserted = true;
  return GANTRY_OK;
}

grid_box_t session_box(const session_t *session) {
  grid_box_t known;
  if (!session->grid) return (grid_box_t){0};
  if (!grid_bounds(session->grid, &known)) return session->expected;
  return patch_union(session->expected, known);
}

double session_quality(const session_t *session) {
  return session->grid ? grid_explored_fraction(session->grid) : 0.0;
}
