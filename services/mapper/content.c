/* The active map with all that belongs to it, into a parcel. */
#include <gantry/clock.h>
#include <gantry/log.h>
#include <gantry/pack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mapper_internal.h"
#include "patch.h"

#define CELLS_BYTES (16u << 20)        /* map.grid */
#define SLAM_BYTES  ((size_t)33030144) /* map.graph */
#define GRAPH_BYTES ((size_t)32 << 20) /* store.map_put */

static void fill_edits(const overlay_t *overlay, map_graph_t *graph) {
  graph->edits_count = overlay->edit_count;
  for (uint32_t i = 0; i < overlay->edit_count; i++) {
    const overlay_edit_t *edit = &overlay->edits[i];
    graph->edits[i] = (map_edit_t){.x = edit->x_m,
                                   .y = edit->y_m,
                                   .width = edit->width_m,
                                   .height = edit->height_m,
                                   .state = edit->state};
  }
}

static void fill_base(const session_t *session, map_graph_t *graph) {
  const overlay_t *overlay = &session->overlay;
  map_info_t *info = &graph->base.info;
  graph->has_base = overlay->base_len > 0;
  info->resolution = session->resolution_m;
  info->width = overlay->base_box.width;
  info->height = overlay->base_box.height;
  info->origin_x = overlay->base_box.min_x * session->resolution_m;
  info->origin_y = overlay->base_box.min_y * session->resolution_m;
  graph->base.cells = (blob_t){.data = overlay->base, .len = overlay->base_len};
}

static gantry_err_t pack_graph(const session_t *session, map_graph_t *graph, buf_t *out) {
  buf_t slam = {.limit = SLAM_BYTES};
  gantry_err_t err = GANTRY_OK;
  fill_edits(&session->overlay, graph);
  if (slam_keyframe_count(session->slam) > 0) {
    err = slam_save(session->slam, &slam);
    graph->has_slam = err == GANTRY_OK;
    graph->slam = (blob_t){.data = slam.data, .len = slam.len};
    /* Without keyframes the cells are their own base. */
    fill_base(session, graph);
  }
  out->limit = GRAPH_BYTES;
  if (err == GANTRY_OK && (graph->has_slam || graph->edits_count))
    err = pack_message(&MAP_GRAPH_DESC, graph, out, NULL);
  if (err != GANTRY_OK) buf_reset(out);
  buf_fini(&slam);
  return err;
}

/* A map whose graph does not fit is kept all the same: it can be loaded and extended, but no loop
   through its old part is closed any more. */
static gantry_err_t fill_graph(mapper_t *mapper, parcel_t *parcel) {
  map_graph_t *graph = calloc(1, sizeof *graph);
  if (!graph) return GANTRY_E_INTERNAL;
  gantry_err_t err = pack_graph(&mapper->session, graph, &parcel->graph);
  free(graph);
  if (err == GANTRY_OK) return GANTRY_OK;
  if (!mapper->graph_full)
    log_warn("MAP-GRAPH-TOO-LARGE", "map %s is stored without its graph: %s",
             mapper->session.map_id, gantry_err_name(err));
  mapper->graph_full = true;
  return GANTRY_OK;
}

static gantry_err_t fill_path(const mapper_t *mapper, buf_t *out) {
  map_trajectory_t *path = malloc(sizeof *path);
  if (!path) return GANTRY_E_INTERNAL;
  mapper_path(mapper, path);
  gantry_err_t err =
      path->points_count ? pack_message(&MAP_TRAJECTORY_DESC, path, out, NULL) : GANTRY_OK;
  free(path);
  return err;
}

static gantry_err_t fill_parcel(mapper_t *mapper, parcel_t *parcel, content_t content) {
  const session_t *session = &mapper->session;
  store_map_put_t *put = &parcel->put;
  put->started = session->started_ns;
  put->scans = session->scans;
  put->quality = session_measure(session).coverage;
  if (content == CONTENT_SESSION)
    snprintf(put->session_id, sizeof put->session_id, "%s", session->session_id);
  mapper_info(mapper, &put->grid.info);
  put->grid.has_shapes = true;
  put->grid.shapes_count = mapper->shapes.shapes_count;
  memcpy(put->grid.shapes, mapper->shapes.shapes, sizeof put->grid.shapes);
  parcel->cells.limit = CELLS_BYTES;
  GANTRY_TRY(patch_encode(session_grid(session), session_box(session), &parcel->cells));
  if (content != CONTENT_GRID) {
    GANTRY_TRY(fill_graph(mapper, parcel));
    GANTRY_TRY(fill_path(mapper, &parcel->path));
  }
  parcel_close(parcel);
  return GANTRY_OK;
}

parcel_t *mapper_parcel(mapper_t *mapper, content_t content) {
  if (!session_has_map(&mapper->session)) return NULL;
  if (!mapper->session.slam) return parcel_hold(mapper->still);
  uint64_t begun_ns = clock_mono_ns();
  parcel_t *parcel = parcel_new();
  gantry_err_t err = parcel ? fill_parcel(mapper, parcel, content) : GANTRY_E_INTERNAL;
  metric_observe(mapper->snapshot_ms, clock_age_ms(clock_mono_ns(), begun_ns));
  if (err == GANTRY_OK) return parcel;
  log_error("MAP-NOT-PACKED", "map %s does not fit into a message: %s", mapper->session.map_id,
            gantry_err_name(err));
  parcel_drop(&parcel);
  return NULL;
}
