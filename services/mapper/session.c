/* Life of the active map. */
#include "session.h"

#include <stdio.h>
#include <string.h>

#include "patch.h"

/* More than are published between two writes of a map. */
static const uint64_t REVISIONS_LOST = 1000;
/* A map changes less than a thousand times a second, so that milliseconds outrun its revisions. */
static const uint64_t NS_PER_REVISION = 1000000;

static slam_t *new_slam(const slam_config_t *config, double resolution_m) {
  slam_config_t with = *config;
  with.tracker.grid.resolution_m = resolution_m;
  return slam_new(&with);
}

static void begin_counts(session_t *session, uint32_t random, uint64_t wall_ns) {
  snprintf(session->session_id, sizeof session->session_id, "session_%08x", random);
  session->mapping = true;
  session->started_ns = wall_ns;
  session->scans = 0;
  session->integrated = 0;
  session->first_scan = slam_scan_count(session->slam);
}

/* Takes slam and overlay over; what was there goes. */
static void replace_slam(session_t *session, slam_t *slam, overlay_t *overlay) {
  slam_destroy(&session->slam);
  session->slam = slam;
  session->resolution_m = grid_resolution_m(slam_grid(slam));
  overlay_fini(&session->overlay);
  if (overlay) {
    session->overlay = *overlay;
    *overlay = (overlay_t){0};
  }
}

static bool is_lent(const session_t *session) {
  return session_has_map(session) && !session->slam;
}

gantry_err_t session_begin(session_t *session, const session_plan_t *plan,
                           const slam_config_t *config, const uint32_t random[2],
                           uint64_t wall_ns) {
  if (session->mapping || is_lent(session)) return GANTRY_E_REFUSED;
  if (!(plan->resolution_m >= 0.01 && plan->resolution_m <= 1.0)) return GANTRY_E_INVALID;
  slam_t *slam = new_slam(config, plan->resolution_m);
  if (!slam) return GANTRY_E_INTERNAL;
  replace_slam(session, slam, NULL);
  snprintf(session->map_id, sizeof session->map_id, "map_%08x", random[0]);
  snprintf(session->name, sizeof session->name, "%s", plan->name);
  snprintf(session->metadata, sizeof session->metadata, "{}");
  session->expected = (grid_box_t){.min_x = -(int32_t)(plan->width / 2),
                                   .min_y = -(int32_t)(plan->height / 2),
                                   .width = plan->width,
                                   .height = plan->height};
  session->revision = 0;
  session->correction = session->correction_base = 0;
  session->created_ns = wall_ns;
  session->updated_ns = wall_ns;
  session->extending = false;
  begin_counts(session, random[1], wall_ns);
  return GANTRY_OK;
}

/* The stored cells are set over what the graph composes: a map looks after loading as it did. */
static gantry_err_t load_cells(slam_t *slam, const session_map_t *map, grid_box_t box,
                               overlay_t *overlay) {
  grid_t *grid = slam_grid(slam);
  if (map->slam)
    GANTRY_TRY(slam_load(slam, map->slam, map->slam_len));
  else if (overlay->base_len == 0)
    GANTRY_TRY(overlay_set_base(overlay, box, map->cells, map->cells_len));
  GANTRY_TRY(patch_decode(grid, box, map->cells, map->cells_len));
  GANTRY_TRY(overlay_apply(overlay, grid, box));
  patch_skip(grid);
  return GANTRY_OK;
}

gantry_err_t session_prepare(const session_map_t *map, const slam_config_t *config,
                             session_ready_t *out) {
  *out = (session_ready_t){0};
  if (!(map->resolution_m >= 0.01 && map->resolution_m <= 1.0)) return GANTRY_E_INVALID;
  GANTRY_TRY(patch_box(map->resolution_m, map->origin_x_m, map->origin_y_m, map->width, map->height,
                       &out->box));
  out->slam = new_slam(config, map->resolution_m);
  if (!out->slam) return GANTRY_E_INTERNAL;
  if (map->overlay) {
    out->overlay = *map->overlay;
    *map->overlay = (overlay_t){0};
  }
  gantry_err_t err = load_cells(out->slam, map, out->box, &out->overlay);
  if (err != GANTRY_OK) session_ready_fini(out);
  return err;
}

void session_ready_fini(session_ready_t *ready) {
  slam_destroy(&ready->slam);
  overlay_fini(&ready->overlay);
}

static uint64_t later(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

/* By the time; where the clock was set back, after all that this life or the map tell of. */
static uint64_t fresh_revision(const session_t *session, uint64_t stored, uint64_t wall_ns) {
  return later(wall_ns / NS_PER_REVISION, later(stored + REVISIONS_LOST, session->revision + 1));
}

gantry_err_t session_take(session_t *session, const session_map_t *map, uint64_t wall_ns,
                          session_ready_t *ready) {
  if (session->mapping || is_lent(session)) return GANTRY_E_REFUSED;
  replace_slam(session, ready->slam, &ready->overlay);
  ready->slam = NULL;
  snprintf(session->map_id, sizeof session->map_id, "%s", map->map_id);
  snprintf(session->name, sizeof session->name, "%s", map->name);
  snprintf(session->metadata, sizeof session->metadata, "%s", map->metadata);
  session->session_id[0] = '\0';
  session->expected = ready->box;
  session->revision = fresh_revision(session, map->revision, wall_ns);
  session->correction = session->correction_base = map->correction;
  session->created_ns = map->created_ns;
  session->updated_ns = map->updated_ns;
  session->extending = false;
  session->scans = 0;
  session->integrated = 0;
  session->first_scan = slam_scan_count(session->slam);
  return GANTRY_OK;
}

gantry_err_t session_extend(session_t *session, uint32_t random, uint64_t wall_ns) {
  if (!session_has_map(session)) return GANTRY_E_NOT_FOUND;
  if (session->mapping || !session->slam) return GANTRY_E_REFUSED;
  session->extending = true;
  begin_counts(session, random, wall_ns);
  return GANTRY_OK;
}

gantry_err_t session_resume(session_t *session, const session_resume_t *resume) {
  if (!session_has_map(session)) return GANTRY_E_NOT_FOUND;
  if (session->mapping || !session->slam) return GANTRY_E_REFUSED;
  snprintf(session->session_id, sizeof session->session_id, "%s", resume->session_id);
  session->mapping = resume->mapping;
  session->extending = resume->mapping && resume->extending;
  session->started_ns = resume->started_ns;
  session->scans = resume->scans;
  session->integrated = resume->integrated;
  if (resume->first_scan < session->first_scan) session->first_scan = resume->first_scan;
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
  slam_destroy(&session->slam);
  overlay_fini(&session->overlay);
  *session = (session_t){0};
}

bool session_has_map(const session_t *session) {
  return session->map_id[0] != '\0';
}

grid_t *session_grid(const session_t *session) {
  return session->slam ? slam_grid(session->slam) : NULL;
}

slam_t *session_lend(session_t *session) {
  slam_t *slam = session->slam;
  session->extent = session_measure(session);
  session->slam = NULL;
  return slam;
}

void session_take_back(session_t *session, slam_t *slam) {
  session->slam = slam;
}

void session_count_scan(session_t *session) {
  if (session->mapping) session->scans++;
}

gantry_err_t session_insert(session_t *session, double time_s, pose2_t pose, uint32_t correction,
                            const points_t *points, bool *drawn) {
  slam_result_t result = {0};
  *drawn = false;
  if (!session->mapping || !session->slam) return GANTRY_OK;
  if (correction > session->correction || correction < session->correction_base)
    return GANTRY_E_CONFLICT;
  GANTRY_TRY(slam_insert(session->slam, time_s, pose, correction - session->correction_base, points,
                         &result));
  *drawn = result.tracker.inserted;
  if (*drawn) session->integrated++;
  session->updated_ns = (uint64_t)(time_s * 1e9);
  return GANTRY_OK;
}

gantry_err_t session_anchor(session_t *session, const session_anchor_t *anchor) {
  if (!session->mapping || session->extending || !session->slam) return GANTRY_OK;
  if (anchor->correction > session->correction || anchor->correction < session->correction_base)
    return GANTRY_E_CONFLICT;
  return slam_anchor(session->slam, anchor->seen_x_m, anchor->seen_y_m,
                     anchor->correction - session->correction_base, anchor->x_m, anchor->y_m,
                     anchor->sigma_m);
}

bool session_poll(session_t *session, slam_correction_t *out) {
  if (!session->slam || !slam_poll(session->slam, out)) return false;
  (void)session_number(session, out);
  (void)overlay_apply(&session->overlay, session_grid(session), session_box(session));
  return true;
}

bool session_number(session_t *session, slam_correction_t *correction) {
  uint32_t before = session->correction;
  correction->number += session->correction_base;
  if (correction->number > before) session->correction = correction->number;
  return correction->number > before;
}

grid_box_t session_box(const session_t *session) {
  session_extent_t extent = session_measure(session);
  return patch_union(session->expected, extent.known);
}

session_extent_t session_measure(const session_t *session) {
  session_extent_t extent = {0};
  const grid_t *grid = session_grid(session);
  if (!grid) return session_has_map(session) ? session->extent : extent;
  (void)grid_bounds(grid, &extent.known);
  extent.known_cells = grid_known_cells(grid);
  extent.coverage = grid_explored_fraction(grid);
  return extent;
}
