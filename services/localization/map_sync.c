/* Follows the mapper: a new session begins an empty map around the robot; another active map is
   fetched whole; its patches are applied while nothing is written here. How a fetched map comes
   into force is in map_load.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/slam/map_codec.h>

#include "localization_self.h"

#define PATCH_CELLS_MAX ((size_t)4096 * 4096)

static void drop(localization_t *self) {
  self->map.map_id[0] = '\0';
  map_load_forget(self);
}

/* A session that ran before this process did has a frame that only its own map knows. */
static bool older_session(const localization_t *self, const map_status_t *status) {
  return status->has_started && status->started < self->started_wall_ns && status->integrated > 0;
}

static void begin(localization_t *self, const map_status_t *status) {
  map_load_forget(self);
  snprintf(self->map.map_id, sizeof self->map.map_id, "%s", status->map_id);
  self->map.growing = true;
  corrections_reset(&self->map.corrections, status->has_correction ? status->correction : 0);
  relocalize_leave(self);
  recovery_new_map(&self->recovery, RECOVERY_DRAWING, RECOVERY_START);
  self->rail.count = 0;
  tracking_begin(&self->fusion.tracking, status->map_id);
  log_info("MAP-BEGUN", "tracking against the new map %s", status->map_id);
}

/* The map in use is gone on with: once the place in it is known, see relocalize.c. */
static void go_on(localization_t *self) {
  self->map.growing = true;
  if (self->recovery.phase == RECOVERY_SURE) tracking_grow(&self->fusion.tracking);
}

/* The session is over. Until the mapper has finished, what was drawn here is matched against; then
   the finished map takes its place. */
static void end(localization_t *self) {
  tracking_freeze(&self->fusion.tracking);
  self->map.growing = false;
  self->map.missed = true;
  if (recovery_is_sure(&self->recovery))
    recovery_new_map(&self->recovery, RECOVERY_SURE, RECOVERY_START);
}

/* What became of the map in use. */
static void follow(localization_t *self, const map_status_t *status) {
  map_sync_t *map = &self->map;
  bool grows = status->mapping || status->localizing;
  if (!grows && map->growing) end(self);
  if (grows && !map->growing) go_on(self);
  if (status->has_correction && status->correction < map->corrections.applied)
    corrections_reset(&map->corrections, status->correction); /* the mapper began anew */
  if (status->has_correction && status->correction > map->corrections.newest) map->missed = true;
  if (status->has_drawn && map->drawn != status->drawn) map_load_ask_shapes(self, status->drawn);
  /* Edited, or loaded anew: a patch may have been lost, and scans are searched in the whole map. */
  if (!grows && status->revision != map->revision) map->missed = true;
  if (map->missed && !map->busy) map_load_again(self);
}

static void on_map_status(const frame_t *frame, const void *body, void *arg) {
  localization_t *self = arg;
  const map_status_t *status = body;
  map_sync_t *map = &self->map;
  (void)frame;
  map->busy = status->has_phase &&
              (status->phase == MAP_PHASE_FINISHING || status->phase == MAP_PHASE_STORING);
  if (map->fetching) return;
  if (strcmp(status->map_id, map->map_id) == 0) {
    if (map->map_id[0] != '\0') follow(self, status);
    return;
  }
  if (status->map_id[0] == '\0') {
    drop(self);
    relocalize_leave(self);
    self->rail.count = 0;
    tracking_begin(&self->fusion.tracking, NULL);
    return;
  }
  if (status->mapping && !status->localizing && !older_session(self, status)) {
    begin(self, status);
    return;
  }
  map->growing = status->mapping || status->localizing;
  map_load_fetch(self, status->map_id, older_session(self, status));
}

static void on_map_patch(const frame_t *frame, const void *body, void *arg) {
  localization_t *self = arg;
  const map_patch_t *patch = body;
  tracking_t *tracking = &self->fusion.tracking;
  size_t count = (size_t)patch->width * patch->height;
  (void)frame;
  if (tracking->mode != TRACKING_LOADED || self->map.growing) return;
  if (strcmp(patch->map_id, tracking->map_id) != 0) return;
  if (self->map.busy) {
    self->map.missed = true; /* the map moves as a whole: it is fetched when that is over */
    return;
  }
  int8_t *cells = count <= PATCH_CELLS_MAX ? malloc(count) : NULL;
  if (!cells) return;
  grid_box_t box = {patch->column, patch->row, patch->width, patch->height};
  if (map_codec_decode(patch->cells.data, patch->cells.len, cells, count) == GANTRY_OK)
    tracking_patch(tracking, box, cells);
  else
    log_warn("PATCH-REFUSED", "a patch of map %s does not decode", patch->map_id);
  free(cells);
}

static void on_map_correction(const frame_t *frame, const void *body, void *arg) {
  localization_t *self = arg;
  const map_correction_t *said = body;
  (void)frame;
  if (self->map.map_id[0] == '\0' || strcmp(said->map_id, self->map.map_id) != 0) return;
  corrections_note(&self->map.corrections, said->number, (pose2_t){said->x, said->y, said->theta});
  map_load_corrected(self);
}

gantry_err_t map_sync_start(localization_t *self) {
  bus_t *bus = self->service->bus;
  GANTRY_TRY(bus_subscribe(bus, TOPIC_MAP_STATUS, NULL, 0, on_map_status, self));
  GANTRY_TRY(bus_subscribe(bus, TOPIC_MAP_CORRECTION, NULL, 0, on_map_correction, self));
  return bus_subscribe(bus, TOPIC_MAP_PATCH, NULL, 0, on_map_patch, self);
}
