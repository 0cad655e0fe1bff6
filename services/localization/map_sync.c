/* Follows the mapper: a new session begins an empty map around the robot; another active map is
   fetched whole; its patches are applied while nothing is written here. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/slam/map_codec.h>

#include "localization_self.h"

#define CELLS_MAX           36000000u /* 300 x 300 m at 50 mm */
#define RELOCATE_CONFIDENCE 0.7       /* in the end of a trajectory: to about 0.35 m, 0.2 rad */

static void drop(localization_t *self) {
  self->map.map_id[0] = '\0';
  self->map.fetching = false;
}

static gantry_err_t load(localization_t *self, const map_grid_t *grid) {
  const map_info_t *info = &grid->info;
  size_t count = (size_t)info->width * info->height;
  if (count == 0 || count > CELLS_MAX || !(info->resolution > 0)) return GANTRY_E_TOO_LARGE;
  int8_t *cells = malloc(count);
  if (!cells) return GANTRY_E_INTERNAL;
  gantry_err_t err = map_codec_decode(grid->cells.data, grid->cells.len, cells, count);
  grid_box_t box = {.min_x = (int32_t)lround(info->origin_x / info->resolution),
                    .min_y = (int32_t)lround(info->origin_y / info->resolution),
                    .width = info->width,
                    .height = info->height};
  if (err == GANTRY_OK)
    err = tracking_load(&self->fusion.tracking, info->map_id, info->resolution, box, cells,
                        self->map.growing);
  free(cells);
  return err;
}

static void on_trajectory(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                          const sys_header_t *header, void *arg) {
  localization_t *self = arg;
  const map_trajectory_t *path = reply;
  (void)fault, (void)header;
  if (err != GANTRY_OK || path->points_count == 0 || strcmp(path->map_id, self->map.map_id) != 0 ||
      recall_knows(self, path->map_id))
    return;
  const map_trajectory_point_t *last = &path->points[path->points_count - 1];
  tracking_mode_t mode = self->fusion.tracking.mode;
  /* The session's frame is known from its own path, so this moves nothing that was built here. */
  self->fusion.tracking.mode = TRACKING_LOADED;
  fusion_set_pose(&self->fusion, clock_mono_ns(), (pose2_t){last->x, last->y, last->theta},
                  RELOCATE_CONFIDENCE, FUSION_MANUAL);
  self->fusion.tracking.mode = mode;
  log_info("POSE-FROM-SESSION", "the pose goes on where the session's path ended");
}

static void on_grid(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                    const sys_header_t *header, void *arg) {
  localization_t *self = arg;
  const map_grid_t *grid = reply;
  (void)header;
  self->map.fetching = false;
  if (err == GANTRY_OK && strcmp(grid->info.map_id, self->map.map_id) != 0) err = GANTRY_E_CONFLICT;
  if (err == GANTRY_OK) err = load(self, grid);
  if (err != GANTRY_OK) {
    log_warn("MAP-NOT-LOADED", "map %s: %s %s", self->map.map_id, gantry_err_name(err),
             reply ? "" : fault->detail);
    drop(self); /* the next map.status asks again */
    return;
  }
  log_info("MAP-LOADED", "map %s, %u x %u cells", grid->info.map_id, grid->info.width,
           grid->info.height);
  if (!self->map.relocate || recall_knows(self, grid->info.map_id)) return;
  sys_empty_t nothing = {0};
  rpc_call(self->service->client, REQUEST_MAP_TRAJECTORY, NULL, NULL, &nothing, 0, on_trajectory,
           self);
}

static void fetch(localization_t *self, const map_status_t *status, bool growing, bool relocate) {
  sys_empty_t nothing = {0};
  snprintf(self->map.map_id, sizeof self->map.map_id, "%s", status->map_id);
  self->map.growing = growing;
  self->map.relocate = relocate;
  self->map.fetching = rpc_call(self->service->client, REQUEST_MAP_GET, NULL, NULL, &nothing, 0,
                                on_grid, self) == GANTRY_OK;
  if (!self->map.fetching) drop(self);
}

/* A session that ran before this process did has a frame that only its own map knows. */
static bool older_session(const localization_t *self, const map_status_t *status) {
  return status->has_started && status->started < self->started_wall_ns && status->integrated > 0;
}

static void on_map_status(const frame_t *frame, const void *body, void *arg) {
  localization_t *self = arg;
  const map_status_t *status = body;
  tracking_t *tracking = &self->fusion.tracking;
  (void)frame;
  bool known = strcmp(status->map_id, self->map.map_id) == 0;
  bool grows = status->mapping || status->localizing;
  if (self->map.fetching) return;
  if (known) {
    if (!grows && tracking->mode == TRACKING_MAPPING) tracking_freeze(tracking);
    return;
  }
  if (status->map_id[0] == '\0') {
    drop(self);
    tracking_begin(tracking, NULL);
    return;
  }
  if (status->mapping && !status->localizing && !older_session(self, status)) {
    snprintf(self->map.map_id, sizeof self->map.map_id, "%s", status->map_id);
    tracking_begin(tracking, status->map_id);
    log_info("MAP-BEGUN", "tracking against the new map %s", status->map_id);
    return;
  }
  fetch(self, status, grows, older_session(self, status));
}

static void on_map_patch(const frame_t *frame, const void *body, void *arg) {
  localization_t *self = arg;
  const map_patch_t *patch = body;
  tracking_t *tracking = &self->fusion.tracking;
  size_t count = (size_t)patch->width * patch->height;
  (void)frame;
  if (tracking->mode != TRACKING_LOADED || strcmp(patch->map_id, tracking->map_id) != 0) return;
  int8_t *cells = count <= CELLS_MAX ? malloc(count) : NULL;
  if (!cells) return;
  grid_box_t box = {patch->column, patch->row, patch->width, patch->height};
  if (map_codec_decode(patch->cells.data, patch->cells.len, cells, count) == GANTRY_OK)
    tracking_patch(tracking, box, cells);
  else
    log_warn("PATCH-REFUSED", "a patch of map %s does not decode", patch->map_id);
  free(cells);
}

gantry_err_t map_sync_start(localization_t *self) {
  bus_t *bus = self->service->bus;
  GANTRY_TRY(bus_subscribe(bus, TOPIC_MAP_STATUS, NULL, 0, on_map_status, self));
  return bus_subscribe(bus, TOPIC_MAP_PATCH, NULL, 0, on_map_patch, self);
}
