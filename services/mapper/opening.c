/* A stored map out of its parcel: opened on a thread, made the active one on the loop. */
#include "opening.h"

#include <gantry/clock.h>
#include <gantry/log.h>
#include <gantry/unpack.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mapper_internal.h"
#include "patch.h"
#include "shapes.h"

struct opening {
  pthread_t thread;
  int fd;
  const parcel_t *parcel;
  slam_config_t config;
  opened_t done; /* the thread's until it ends */
  gantry_err_t err;
};

static gantry_err_t take_edits(const map_graph_t *graph, overlay_t *overlay) {
  for (uint32_t i = 0; i < graph->edits_count; i++) {
    const map_edit_t *edit = &graph->edits[i];
    overlay_edit_t taken = {edit->x, edit->y, edit->width, edit->height, (int8_t)edit->state};
    GANTRY_TRY(overlay_add(overlay, &taken));
  }
  return GANTRY_OK;
}

static gantry_err_t take_base(const map_grid_t *base, overlay_t *overlay) {
  const map_info_t *info = &base->info;
  grid_box_t box;
  GANTRY_TRY(
      patch_box(info->resolution, info->origin_x, info->origin_y, info->width, info->height, &box));
  return overlay_set_base(overlay, box, base->cells.data, base->cells.len);
}

/* *graph is the caller's, its blobs borrow from packed. */
static gantry_err_t open_graph(blob_t packed, map_graph_t *graph, session_map_t *map,
                               overlay_t *overlay) {
  gantry_fault_t fault;
  GANTRY_TRY(unpack_message(&MAP_GRAPH_DESC, packed.data, packed.len, graph, &fault));
  GANTRY_TRY(take_edits(graph, overlay));
  if (graph->has_base) GANTRY_TRY(take_base(&graph->base, overlay));
  map->slam = graph->has_slam ? graph->slam.data : NULL;
  map->slam_len = graph->slam.len;
  map->overlay = overlay;
  return GANTRY_OK;
}

static session_map_t map_of(const map_grid_t *grid) {
  const map_info_t *info = &grid->info;
  return (session_map_t){.map_id = info->map_id,
                         .name = info->name,
                         .metadata = info->metadata,
                         .resolution_m = info->resolution,
                         .origin_x_m = info->origin_x,
                         .origin_y_m = info->origin_y,
                         .width = info->width,
                         .height = info->height,
                         .revision = info->revision,
                         .created_ns = info->created,
                         .updated_ns = info->updated,
                         .cells = grid->cells.data,
                         .cells_len = grid->cells.len};
}

static gantry_err_t prepare_with_graph(const session_map_t *map, blob_t packed,
                                       const slam_config_t *config, session_ready_t *out) {
  session_map_t with = *map;
  overlay_t overlay = {0};
  map_graph_t *graph = calloc(1, sizeof *graph);
  gantry_err_t err = graph ? open_graph(packed, graph, &with, &overlay) : GANTRY_E_INTERNAL;
  if (err == GANTRY_OK) err = session_prepare(&with, config, out);
  overlay_fini(&overlay);
  free(graph);
  return err;
}

/* Without the graph; whoever stores the map then stores it so. */
static void say_refused(gantry_err_t why, const char *map_id) {
  if (why == GANTRY_E_TOO_LARGE)
    log_warn(
        "MAP-GRAPH-REFUSED",
        "map %s has no room for its cells beside its graph: the cells are used, and no loop is "
        "closed through the graph; raise the mapper's `tiles` to keep both",
        map_id);
  else
    log_warn("MAP-GRAPH-REFUSED",
             "the graph of map %s is damaged or of a later version: its cells are used, and no "
             "loop is closed through them; load it with the version that stored it to keep both",
             map_id);
}

gantry_err_t opening_do(const store_map_put_t *put, const slam_config_t *config, opened_t *out) {
  session_map_t map = map_of(&put->grid);
  gantry_err_t err = GANTRY_E_SCHEMA;
  *out = (opened_t){0};
  if (put->has_graph) err = prepare_with_graph(&map, put->graph, config, &out->ready);
  if (err == GANTRY_E_SCHEMA || err == GANTRY_E_INVALID || err == GANTRY_E_TOO_LARGE) {
    if (put->has_graph) say_refused(err, put->grid.info.map_id);
    err = session_prepare(&map, config, &out->ready);
  }
  if (err != GANTRY_OK) return err;
  out->quality = slam_quality(out->ready.slam);
  return GANTRY_OK;
}

static void *run(void *arg) {
  opening_t *opening = arg;
  uint64_t one = 1;
  opening->err = opening_do(&opening->parcel->put, &opening->config, &opening->done);
  if (write(opening->fd, &one, sizeof one) < 0) return NULL; /* eventfd: never full at 1 */
  return NULL;
}

gantry_err_t opening_start(const parcel_t *parcel, const slam_config_t *config, opening_t **out) {
  opening_t *opening = calloc(1, sizeof *opening);
  *out = NULL;
  if (!opening) return GANTRY_E_INTERNAL;
  opening->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  opening->parcel = parcel;
  opening->config = *config;
  if (opening->fd >= 0 && pthread_create(&opening->thread, NULL, run, opening) == 0) {
    *out = opening;
    return GANTRY_OK;
  }
  if (opening->fd >= 0) close(opening->fd);
  free(opening);
  return GANTRY_E_INTERNAL;
}

int opening_fd(const opening_t *opening) {
  return opening->fd;
}

gantry_err_t opening_end(opening_t **self, opened_t *out) {
  opening_t *opening = *self;
  (void)pthread_join(opening->thread, NULL);
  gantry_err_t err = opening->err;
  *out = opening->done;
  close(opening->fd);
  free(opening);
  *self = NULL;
  return err;
}

/* ---- on the loop */

static void take_shapes(mapper_t *mapper, const map_grid_t *grid) {
  gantry_fault_t fault;
  map_shapes_t *shapes = &mapper->shapes;
  for (uint32_t i = 0; grid->has_shapes && i < grid->shapes_count; i++)
    if (shapes_put(shapes, &grid->shapes[i], &fault) != GANTRY_OK)
      log_warn("MAP-SHAPE-REFUSED", "%s of map %s: %s %s", grid->shapes[i].shape_id,
               grid->info.map_id, fault.field, fault.detail);
}

void mapper_reset_told(mapper_t *mapper) {
  const session_t *session = &mapper->session;
  mapper_leave_zones(mapper);
  memset(&mapper->shapes, 0, sizeof mapper->shapes);
  snprintf(mapper->shapes.map_id, sizeof mapper->shapes.map_id, "%s", session->map_id);
  mapper->drawn++;
  buf_reset(&mapper->path);
  mapper->said = session->correction;
  mapper->unsaid = (unsaid_t){0};
  mapper->quality_of = 0;
  mapper->looking = false;
  mapper->grid_full = mapper->graph_full = false;
}

gantry_err_t mapper_take_map(mapper_t *mapper, const store_map_put_t *put, opened_t *opened) {
  const map_info_t *info = &put->grid.info;
  session_t *session = &mapper->session;
  session_map_t map = map_of(&put->grid);
  map.correction = info->has_correction ? info->correction : 0;
  if (strcmp(info->map_id, session->map_id) == 0) map.correction = session->correction;
  gantry_err_t err = session_take(session, &map, clock_wall_ns(), &opened->ready);
  session_ready_fini(&opened->ready);
  if (err != GANTRY_OK) return err;
  mapper_reset_told(mapper);
  mapper->quality = opened->quality;
  mapper->quality_of = grid_revision(session_grid(session)) + 1;
  if (put->has_trajectory) buf_put(&mapper->path, put->trajectory.data, put->trajectory.len);
  take_shapes(mapper, &put->grid);
  return GANTRY_OK;
}
