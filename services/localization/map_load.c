/* How a map comes into force: fetched, prepared by the scout, and then, between two scans, put in
   the place of the one before; after a correction the pose takes the step in the same moment. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gantry/clock.h>

#include "localization_self.h"

#define PATH_SIGMA_M   0.35 /* how far a robot may be from where the path of its session ended */
#define PATH_SIGMA_RAD 0.2
#define WAIT_NS        (1ull * GANTRY_NS_PER_S) /* for the correction a fetched grid is ahead by */

void map_load_forget(localization_t *self) {
  self->map.ticket++; /* what is under way comes to nobody */
  self->map.fetching = self->map.missed = self->map.searchable = false;
  scout_discard(self->scout, self->map.ready);
  self->map.ready = NULL;
}

/* ---- shapes */

static void take_rail(localization_t *self, const map_shape_t *shapes, uint32_t count) {
  static double x_m[RAIL_POINTS_MAX], y_m[RAIL_POINTS_MAX];
  self->rail.count = 0;
  for (uint32_t i = 0; i < count; i++) {
    const map_shape_t *shape = &shapes[i];
    if (shape->kind != MAP_SHAPE_KIND_RAIL) continue;
    for (uint32_t k = 0; k < shape->points_count; k++) {
      x_m[k] = (double)shape->points[k].x;
      y_m[k] = (double)shape->points[k].y;
    }
    if (rail_init(&self->rail, x_m, y_m, shape->points_count, shape->closed) == GANTRY_OK) {
      log_info("RAIL-LOADED", "rail %s, %.2f m", shape->shape_id, rail_length_m(&self->rail));
      return;
    }
    self->rail.count = 0;
    log_warn("RAIL-REFUSED", "shape %s is no line", shape->shape_id);
  }
}

static void on_shapes(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                      const sys_header_t *header, void *arg) {
  localization_t *self = arg;
  const map_shapes_t *said = reply;
  (void)fault, (void)header;
  if (err == GANTRY_OK && strcmp(said->map_id, self->map.map_id) == 0)
    take_rail(self, said->shapes, said->shapes_count);
}

void map_load_ask_shapes(localization_t *self, uint32_t drawn) {
  sys_empty_t nothing = {0};
  if (rpc_call(self->service->client, REQUEST_MAP_SHAPES, NULL, NULL, &nothing, 0, on_shapes,
               self) == GANTRY_OK)
    self->map.drawn = drawn;
}

/* ---- into force */

static void on_trajectory(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                          const sys_header_t *header, void *arg) {
  localization_t *self = arg;
  const map_trajectory_t *path = reply;
  (void)fault, (void)header;
  if (err != GANTRY_OK || path->points_count == 0 || strcmp(path->map_id, self->map.map_id) != 0 ||
      self->recovery.phase != RECOVERY_LOST)
    return;
  const map_trajectory_point_t *last = &path->points[path->points_count - 1];
  fusion_recall(&self->fusion, clock_mono_ns(), (pose2_t){last->x, last->y, last->theta},
                PATH_SIGMA_M, PATH_SIGMA_RAD, FUSION_FIX_MAP);
  recovery_placed(&self->recovery, RECOVERY_RECALLED);
  log_info("POSE-FROM-SESSION", "the pose goes on where the session's path ended");
}

/* A session that is older than this process: its path says where the robot is, the next scan
   whether that holds. Until then nothing is drawn. */
static void join_session(localization_t *self) {
  sys_empty_t nothing = {0};
  recovery_new_map(&self->recovery, RECOVERY_LOST, RECOVERY_START);
  relocalize_doubt(self);
  rpc_call(self->service->client, REQUEST_MAP_TRAJECTORY, NULL, NULL, &nothing, 0, on_trajectory,
           self);
}

static void put(localization_t *self, tracker_t *tracker) {
  scout_discard(self->scout, tracking_adopt(&self->fusion.tracking, self->map.map_id, tracker));
  self->map.ready = NULL;
}

/* Another map: what is known of the pose in it decides whether it is looked for. */
static void take_other(localization_t *self, tracker_t *tracker) {
  fusion_fix_t fix = self->fusion.fix;
  bool recalled = recall_knows(self, self->map.map_id);
  bool known = recalled || (fix == FUSION_FIX_FRAME && !self->map.relocate);
  put(self, tracker);
  self->map.searchable = true;
  corrections_reset(&self->map.corrections, self->map.number);
  log_info("MAP-LOADED", "map %s", self->map.map_id);
  if (known)
    recovery_new_map(&self->recovery, RECOVERY_CHECK, RECOVERY_RECALLED);
  else if (self->map.relocate)
    join_session(self);
  else {
    /* Where scans found it in another map it may be in this one: the search begins there. */
    bool guess = fix == FUSION_FIX_MAP;
    recovery_new_map(&self->recovery, RECOVERY_LOST, guess ? RECOVERY_RECALLED : RECOVERY_START);
    relocalize_doubt(self);
    self->fusion.fix = FUSION_FIX_NONE;
    self->recall.done = false; /* the pose has left that map */
  }
}

/* The same map, moved or edited: map and pose change in one step, between two scans. */
static void take_corrected(localization_t *self, tracker_t *tracker) {
  pose2_t step;
  bool moved = self->map.number > self->map.corrections.applied;
  put(self, tracker);
  self->map.searchable = self->map.searched;
  bool whole = corrections_apply(&self->map.corrections, self->map.number, &step);
  fusion_shift(&self->fusion, step);
  trail_clear(&self->trail);
  if (moved)
    log_info("MAP-CORRECTED", "correction %u of map %s: the pose takes %.3f m, %.4f rad",
             self->map.number, self->map.map_id, hypot(step.x, step.y), step.theta);
  if (whole) return;
  log_warn("CORRECTION-MISSED", "a step of the map was not heard; the next scan checks the pose");
  recovery_placed(&self->recovery, RECOVERY_RECALLED);
}

static void take(localization_t *self, tracker_t *tracker) {
  self->map.fetching = false;
  if (self->map.corrected)
    take_corrected(self, tracker);
  else
    take_other(self, tracker);
  if (self->map.growing && recovery_is_sure(&self->recovery)) tracking_grow(&self->fusion.tracking);
  if (self->map.corrections.newest > self->map.corrections.applied) map_load_again(self);
}

static void fail(localization_t *self, gantry_err_t err, const char *why) {
  self->map.fetching = false;
  log_warn("MAP-NOT-LOADED", "map %s: %s %s", self->map.map_id, gantry_err_name(err), why);
  if (self->map.corrected) {
    self->map.missed = true; /* the next map.status asks again; the map in use stays */
    return;
  }
  self->map.map_id[0] = '\0';
  relocalize_leave(self);
  tracking_begin(&self->fusion.tracking, NULL);
}

void map_load_prepared(localization_t *self, scout_report_t *report) {
  map_sync_t *map = &self->map;
  if (report->ticket != map->ticket || !map->fetching) {
    scout_discard(self->scout, report->tracker);
    return;
  }
  if (report->err != GANTRY_OK) {
    fail(self, report->err, "its cells cannot be used");
    return;
  }
  /* The grid may be ahead of what was published. */
  if (map->corrected && map->number > map->corrections.newest) {
    map->ready = report->tracker;
    map->ready_ns = clock_mono_ns();
    return;
  }
  take(self, report->tracker);
}

void map_load_tick(localization_t *self, uint64_t now_ns) {
  if (self->map.ready && now_ns - self->map.ready_ns > WAIT_NS) take(self, self->map.ready);
}

void map_load_corrected(localization_t *self) {
  map_sync_t *map = &self->map;
  if (map->ready && map->corrections.newest >= map->number)
    take(self, map->ready);
  else if (!map->fetching)
    map_load_again(self);
}

/* ---- fetching */

static void on_grid(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                    const sys_header_t *header, void *arg) {
  localization_t *self = arg;
  const map_grid_t *grid = reply;
  map_sync_t *map = &self->map;
  (void)header;
  if (!map->fetching) return;
  if (err == GANTRY_OK && strcmp(grid->info.map_id, map->map_id) != 0) err = GANTRY_E_CONFLICT;
  if (err == GANTRY_OK && !(grid->info.resolution > 0)) err = GANTRY_E_INVALID;
  if (err != GANTRY_OK) {
    fail(self, err, reply ? "" : fault->detail);
    return;
  }
  map->searched = !map->corrected || self->recovery.phase != RECOVERY_DRAWING;
  const map_info_t *info = &grid->info;
  scout_map_t prepared = {
      .ticket = map->ticket,
      .resolution_m = info->resolution,
      .box = {.min_x = (int32_t)lround(info->origin_x / info->resolution),
              .min_y = (int32_t)lround(info->origin_y / info->resolution),
              .width = info->width,
              .height = info->height},
      .bytes = grid->cells.data,
      .len = grid->cells.len,
      .searched = map->searched,
  };
  map->number = info->has_correction ? info->correction : 0;
  map->revision = info->revision;
  take_rail(self, grid->shapes, grid->has_shapes ? grid->shapes_count : 0);
  if (!scout_prepare(self->scout, &prepared)) fail(self, GANTRY_E_UNAVAILABLE, "too much to do");
}

static void fetch(localization_t *self) {
  sys_empty_t nothing = {0};
  map_sync_t *map = &self->map;
  map->ticket++;
  map->missed = false;
  map->fetching = rpc_call(self->service->client, REQUEST_MAP_GET, NULL, NULL, &nothing, 0, on_grid,
                           self) == GANTRY_OK;
  if (!map->fetching) fail(self, GANTRY_E_UNAVAILABLE, "it cannot be asked for now");
}

void map_load_fetch(localization_t *self, const char *map_id, bool relocate) {
  map_load_forget(self);
  snprintf(self->map.map_id, sizeof self->map.map_id, "%s", map_id);
  self->map.relocate = relocate;
  self->map.corrected = false;
  fetch(self);
}

void map_load_again(localization_t *self) {
  if (self->map.fetching) return;
  self->map.corrected = true;
  fetch(self);
}
